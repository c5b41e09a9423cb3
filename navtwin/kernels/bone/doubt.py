"""Where bone that is shown may be gone: a bit for each block of 4 x 4 x 4 points, the part of space nearer to them than to others.

Doubt is spread generously and taken back sparingly: a block is doubtful as soon as its surrounding ball is met, and known again only if its middle
has been reached, or if no bone is shown in it any more.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from navtwin.kernels.bone.bricks import BRICK, I8, INSIDE, OUTSIDE, U64, Bricks
from navtwin.kernels.bone.cut import ranges
from navtwin.kernels.bone.fill import BLOCK
from navtwin.kernels.bone.profile import off_way2
from navtwin.kernels.jit import inlined, query
from navtwin.kernels.tree import I64
from navtwin.kernels.triangle import Point

_ONE = np.uint64(1)
_NONE = np.uint64(0)


class Doubt(NamedTuple):
    """What is not known.

    Attributes
    ----------
    blocks : (K J I,) uint64, of each brick a bit for each block, 16 k + 4 j + i; 1 where it is doubtful
    bits : (1,) int64, how many are set
    """

    blocks: U64
    bits: I64


def no_doubt(bricks: int) -> Doubt:
    """Everything is known."""
    return Doubt(np.zeros(bricks, np.uint64), np.zeros(1, np.int64))


@inlined
def _holds_bone(bricks: Bricks, slot: int, k0: int, j0: int, i0: int) -> bool:
    if slot < 0:
        return slot == INSIDE
    for k in range(k0, k0 + BLOCK):
        for j in range(j0, j0 + BLOCK):
            for i in range(i0, i0 + BLOCK):
                if bricks.cells[slot, k, j, i] < 0:
                    return True
    return False


@inlined
def _set(doubt: Doubt, brick: int, bit: int, value: bool) -> int:
    mask = _ONE << np.uint64(bit)
    if (doubt.blocks[brick] & mask != _NONE) == value:
        return 0
    doubt.blocks[brick] ^= mask
    doubt.bits[0] += 1 if value else -1
    return 1


@query
def change_doubt(bricks: Bricks, doubt: Doubt, tip: Point, way: Point, radius: float, is_doubtful: bool, only_air: bool) -> int:
    """Set or clear the doubt of blocks in a capsule; return how many it changed.

    Parameters
    ----------
    tip, way, radius : of the capsule, mm
    is_doubtful : set it where the capsule meets the ball around a block; or else clear it where it holds the block's middle
    only_air : of these, leave alone blocks in which bone is shown
    """
    nj, ni = bricks.table.shape[1], bricks.table.shape[2]
    o, side = bricks.origin, bricks.side[0]
    around = 0.5 * BLOCK * math.sqrt(3.0) * side
    reach = radius + around if is_doubtful else radius
    k0, k1, j0, j1, i0, i1 = ranges(bricks, tip, way, reach + around)
    changed = 0
    for k in range(k0 >> 2, (k1 >> 2) + 1):
        for j in range(j0 >> 2, (j1 >> 2) + 1):
            for i in range(i0 >> 2, (i1 >> 2) + 1):
                slot = bricks.table[k >> 2, j >> 2, i >> 2]
                x, y, z = o[0] + (BLOCK * i + 1.5) * side, o[1] + (BLOCK * j + 1.5) * side, o[2] + (BLOCK * k + 1.5) * side
                if slot == OUTSIDE or off_way2(tip, way, x, y, z) > reach * reach:
                    continue
                c, b, a = k & 3, j & 3, i & 3
                if only_air and _holds_bone(bricks, slot, BLOCK * c, BLOCK * b, BLOCK * a):
                    continue
                changed += _set(doubt, (i >> 2) + ni * ((j >> 2) + nj * (k >> 2)), 16 * c + 4 * b + a, is_doubtful)
    return changed


@query
def doubt_differences(doubt: Doubt, brick: int, cells: I8, others: I8) -> None:
    """Doubt the blocks of a brick in which two states of it (16, 16, 16) differ."""
    for k in range(BRICK):
        for j in range(BRICK):
            for i in range(BRICK):
                if cells[k, j, i] != others[k, j, i]:
                    _set(doubt, brick, 16 * (k >> 2) + 4 * (j >> 2) + (i >> 2), True)
