"""Room in pages of one size: what a brick takes, and what it gives back is taken again, the lowest first."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from navtwin.kernels.jit import inlined, query
from navtwin.kernels.simd import first_bit
from navtwin.kernels.tree import I32, I64

_WORD = 64


class Pages(NamedTuple):
    """P pages, some of them taken, in chains.

    Attributes
    ----------
    free : (P / 64,) int64, a bit for each page that nobody has
    lowest : (1,) int64, no word before this one has a bit
    left : (1,) int64, how many are free
    after : (P,) int32, the next one in a chain; -1 at its end
    """

    free: I64
    lowest: I64
    left: I64
    after: I32


def new_pages(count: int) -> Pages:
    """At least so many pages, all free."""
    words = -(-count // _WORD)
    return Pages(np.full(words, -1, np.int64), np.zeros(1, np.int64), np.full(1, words * _WORD), np.full(words * _WORD, -1, np.int32))


def more_pages(pages: Pages, count: int) -> Pages:
    """The same pages and free ones behind them, at least so many in all."""
    words, before = -(-count // _WORD), len(pages.free)
    return Pages(
        free=np.concatenate([pages.free, np.full(words - before, -1, np.int64)]),
        lowest=pages.lowest.copy(),
        left=pages.left + (words - before) * _WORD,
        after=np.concatenate([pages.after, np.full((words - before) * _WORD, -1, np.int32)]),
    )


@inlined
def take(pages: Pages, after: int) -> int:
    """Take the lowest free page, and chain it after another; -1 starts a chain. There must be one left."""
    word = pages.lowest[0]
    while pages.free[word] == 0:
        word += 1
    bits = pages.free[word]
    pages.free[word] = bits & (bits - 1)
    pages.lowest[0] = word
    pages.left[0] -= 1
    page = _WORD * word + first_bit(bits)
    pages.after[page] = -1
    if after >= 0:
        pages.after[after] = page
    return int(page)


@query
def give_back(pages: Pages, first: int) -> None:
    """Free the chain that starts at a page, or nothing if that is -1."""
    page = first
    while page >= 0:
        word = page >> 6
        pages.free[word] |= np.int64(1) << np.int64(page & 63)
        pages.lowest[0] = min(pages.lowest[0], word)
        pages.left[0] += 1
        page = 0 + pages.after[page]


@inlined
def pages_for(count: int, size: int) -> int:
    """How many pages of a size hold so many."""
    return (count + size - 1) // size


def chain(pages: Pages, first: int) -> list[int]:
    """The pages of a chain."""
    found, page = [], int(first)
    while page >= 0:
        found.append(page)
        page = int(pages.after[page])
    return found
