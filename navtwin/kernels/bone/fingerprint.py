"""A hash of the bone: one of 64 bits for each brick, and their sum, which does not depend on the order in which bricks came to be as they are.

Whole bricks count nothing, whether or not they have a slot: bone that is drilled and taken back has the hash that it had.
"""

from __future__ import annotations

import numpy as np

from navtwin.kernels.bone.bricks import BRICK, I8, Bricks
from navtwin.kernels.jit import inlined, query

_ODD = np.uint64(0x9E3779B97F4A7C15)
_ONE, _TWO = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_WHOLE = np.uint64(0x8080808080808080)
_S8, _S16, _S24, _S32, _S40, _S48, _S56 = (np.uint64(8 * n) for n in range(1, 8))
_S27, _S29, _S30, _S31, _BYTE = np.uint64(27), np.uint64(29), np.uint64(30), np.uint64(31), np.uint64(255)
_NOTHING = np.uint64(0)


@inlined
def _mixed(h: np.uint64) -> np.uint64:
    """The finaliser of SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators")."""
    h = (h ^ (h >> _S30)) * _ONE
    h = (h ^ (h >> _S27)) * _TWO
    return h ^ (h >> _S31)


@inlined
def _word(cells: I8, k: int, j: int, i: int) -> np.uint64:
    """Eight cells in a row, the first in the lowest byte."""
    low = (np.uint64(cells[k, j, i]) & _BYTE) | (np.uint64(cells[k, j, i + 1]) & _BYTE) << _S8
    low |= (np.uint64(cells[k, j, i + 2]) & _BYTE) << _S16 | (np.uint64(cells[k, j, i + 3]) & _BYTE) << _S24
    low |= (np.uint64(cells[k, j, i + 4]) & _BYTE) << _S32 | (np.uint64(cells[k, j, i + 5]) & _BYTE) << _S40
    return low | (np.uint64(cells[k, j, i + 6]) & _BYTE) << _S48 | (np.uint64(cells[k, j, i + 7]) & _BYTE) << _S56


@query
def brick_hash(cells: I8, brick: int) -> np.uint64:
    """Hash of a brick's number and its cells (16, 16, 16); 0 if it is wholly inside."""
    h = _mixed(np.uint64(brick + 1) * _ODD)
    g = _mixed(h ^ _ODD)
    differs = _NOTHING
    for k in range(BRICK):
        for j in range(BRICK):
            a, b = _word(cells, k, j, 0), _word(cells, k, j, 8)
            differs |= (a ^ _WHOLE) | (b ^ _WHOLE)
            h = (h ^ a) * _ONE
            g = (g ^ b) * _TWO
            h ^= h >> _S29
            g ^= g >> _S31
    return _NOTHING if differs == _NOTHING else _mixed(h ^ _mixed(g))


@query
def rehash(bricks: Bricks, slot: int) -> None:
    """Bring a slot's hash up to date, and the sum."""
    fresh = brick_hash(bricks.cells[slot], bricks.owner[slot])
    bricks.total[0] += fresh - bricks.hashes[slot]
    bricks.hashes[slot] = fresh


@query
def rehash_all(bricks: Bricks) -> None:
    """Hash every slot that has an owner."""
    bricks.total[0] = _NOTHING
    for slot in range(bricks.used[0]):
        bricks.hashes[slot] = brick_hash(bricks.cells[slot], bricks.owner[slot])
        bricks.total[0] += bricks.hashes[slot]
