"""What bricks held before they were first changed, so that it can be put back: copied when the first of their points changes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from navtwin.kernels.bone.bricks import BRICK, I8, INSIDE, STEPS, U8, U64, Bricks, mark_dirty
from navtwin.kernels.bone.fingerprint import rehash
from navtwin.kernels.jit import inlined, query
from navtwin.kernels.tree import I32


class Journal(NamedTuple):
    """R rows of which some hold a brick.

    Attributes
    ----------
    has : (K J I,) uint8, 1 for a brick that is in it
    bricks : (R,) int32, their numbers, in the order in which they came
    cells : (R, 16, 16, 16) int8, what they held
    hashes : (R,) uint64, and its hash
    kept : (1,) int32, how many rows hold one
    """

    has: U8
    bricks: I32
    cells: I8
    hashes: U64
    kept: I32


def new_journal(bricks: int, rows: int = 64) -> Journal:
    """An empty journal for that many bricks in all."""
    return Journal(
        np.zeros(bricks, np.uint8), np.empty(rows, np.int32), np.empty((rows, BRICK, BRICK, BRICK), np.int8), np.empty(rows, np.uint64),
        np.zeros(1, np.int32),
    )  # fmt: skip


def with_room(journal: Journal, more: int) -> Journal:
    """The journal, with room for `more` bricks; it doubles where it must grow."""
    rows, wanted = len(journal.bricks), int(journal.kept[0]) + more
    if wanted <= rows:
        return journal
    rows = max(2 * rows, wanted)
    grown, kept = new_journal(0, rows), int(journal.kept[0])
    for old, new in ((journal.bricks, grown.bricks), (journal.cells, grown.cells), (journal.hashes, grown.hashes)):
        new[:kept] = old[:kept]
    return grown._replace(has=journal.has, kept=journal.kept)


@query
def _copy(source: I8, n: int, target: I8, m: int) -> None:
    """Copy brick n of one array over brick m of another."""
    for k in range(BRICK):
        for j in range(BRICK):
            for i in range(BRICK):
                target[m, k, j, i] = source[n, k, j, i]


@inlined
def keep(journal: Journal, bricks: Bricks, slot: int) -> None:
    """Copy a brick that is about to change, unless it is kept already."""
    brick = bricks.owner[slot]
    if journal.has[brick] == 0:
        row = journal.kept[0]
        journal.has[brick] = 1
        journal.bricks[row], journal.hashes[row] = brick, bricks.hashes[slot]
        _copy(bricks.cells, slot, journal.cells, row)
        journal.kept[0] = row + 1


@inlined
def new_slot(bricks: Bricks, brick: int) -> int:
    """Give a brick that is wholly inside a slot of its own; there must be room."""
    nj, ni = bricks.table.shape[1], bricks.table.shape[2]
    slot = bricks.used[0]
    bricks.cells[slot] = -STEPS
    bricks.owner[slot], bricks.hashes[slot] = brick, np.uint64(0)
    bricks.table[brick // (ni * nj), brick // ni % nj, brick % ni] = slot
    bricks.used[0] = slot + 1
    return int(slot)


@inlined
def drop_slot(bricks: Bricks, slot: int) -> None:
    """Take back the slot that was given last: its brick is wholly inside."""
    nj, ni = bricks.table.shape[1], bricks.table.shape[2]
    brick = bricks.owner[slot]
    bricks.table[brick // (ni * nj), brick // ni % nj, brick % ni] = INSIDE
    bricks.owner[slot] = -1
    bricks.used[0] = slot


@inlined
def mark_around(bricks: Bricks, brick: int, k0: int, k1: int, j0: int, j1: int, i0: int, i1: int) -> None:
    """Queue every brick that has a slot and sees one of a brick's points k0 .. k1, j0 .. j1, i0 .. i1: itself, and neighbours of its border."""
    nk, nj, ni = bricks.table.shape
    bi, rest = brick % ni, brick // ni
    bj, bk = rest % nj, rest // nj
    for dk in range(-1 if k0 == 0 else 0, 2 if k1 == BRICK - 1 else 1):
        for dj in range(-1 if j0 == 0 else 0, 2 if j1 == BRICK - 1 else 1):
            for di in range(-1 if i0 == 0 else 0, 2 if i1 == BRICK - 1 else 1):
                k, j, i = bk + dk, bj + dj, bi + di
                if 0 <= k < nk and 0 <= j < nj and 0 <= i < ni and bricks.table[k, j, i] >= 0:
                    mark_dirty(bricks, i + ni * (j + nj * k))


@query
def write_cells(bricks: Bricks, whole: Journal, numbers: I32, cells: I8) -> int:
    """Set what bricks hold; return how many it changed.

    Parameters
    ----------
    whole : keeps what they held; it and the slots must have room for all of them
    numbers : (N,) int32, of the bricks, none wholly outside
    cells : (N, 16, 16, 16) int8
    """
    nj, ni = bricks.table.shape[1], bricks.table.shape[2]
    changed = 0
    for n in range(len(numbers)):
        brick = numbers[n]
        slot = bricks.table[brick // (ni * nj), brick // ni % nj, brick % ni]
        is_new = slot == INSIDE
        if is_new:
            slot = new_slot(bricks, brick)
        k0, k1, j0, j1, i0, i1 = BRICK, -1, BRICK, -1, BRICK, -1
        for k in range(BRICK):
            for j in range(BRICK):
                for i in range(BRICK):
                    if bricks.cells[slot, k, j, i] != cells[n, k, j, i]:
                        k0, k1, j0, j1, i0, i1 = min(k0, k), max(k1, k), min(j0, j), max(j1, j), min(i0, i), max(i1, i)
        if k1 < 0:
            if is_new:
                drop_slot(bricks, slot)
            continue
        keep(whole, bricks, slot)
        _copy(cells, n, bricks.cells, slot)
        rehash(bricks, slot)
        mark_around(bricks, brick, k0, k1, j0, j1, i0, i1)
        changed += 1
    return changed
