"""How bone lies in memory: clamped signed distances at the points of a grid, in bricks of 16 x 16 x 16, and only those that hold surface.

A point holds its signed distance, negative inside, in steps of CLAMP / 128 of the grid's side, as int8: q stands for the middle of q .. q + 1, so no
point ever lies exactly on the surface (Frisken et al. 2000, "Adaptively sampled distance fields", section 3, for distances as what is kept and cut).
A brick without any surface near it is not kept: the table says whether it is wholly inside or outside.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from navtwin.kernels.jit import inlined, query
from navtwin.kernels.tree import F64, I32

I8 = npt.NDArray[np.int8]
U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]

#: Points along each edge of a brick; and with one more on either side, as the surface through a brick needs them.
BRICK = 16
HALO = BRICK + 2
#: Distances are clamped this many sides from the surface.
CLAMP = 2.0
STEPS = 128
#: What a brick that is not kept holds.
OUTSIDE, INSIDE = -1, -2


class Bricks(NamedTuple):
    """Bone on a grid of K x J x I bricks along the `ct` axes, S of which have a slot.

    Attributes
    ----------
    origin : (3,) float64, mm, of point 0, 0, 0 (x, y, z)
    side : (1,) float64, mm, between neighbouring points
    table : (K, J, I) int32, slot of a brick, or OUTSIDE or INSIDE
    cells : (S, 16, 16, 16) int8, distances, indexed slot, k, j, i
    owner : (S,) int32, number of the brick that has a slot (i + I (j + J k)); -1 for a free one
    used : (1,) int32, slots 0 .. used - 1 have owners
    hashes : (S,) uint64, of each slot's brick and cells
    total : (1,) uint64, sum of all hashes, modulo 2^64: of the bone as it is, whatever the order in which it came to be so
    dirty : (K J I,) uint8, 1 for a brick through which the surface must be laid anew
    queue : (K J I,) int32, those bricks
    queued : (1,) int32, how many there are
    """

    origin: F64
    side: F64
    table: I32
    cells: npt.NDArray[np.int8]
    owner: I32
    used: I32
    hashes: U64
    total: U64
    dirty: U8
    queue: I32
    queued: I32


@inlined
def mark_dirty(bricks: Bricks, brick: int) -> None:
    """Queue a brick for a new surface, once."""
    if bricks.dirty[brick] == 0:
        bricks.dirty[brick] = 1
        bricks.queue[bricks.queued[0]] = brick
        bricks.queued[0] += 1


@inlined
def at(bricks: Bricks, k: int, j: int, i: int) -> int:
    """What a point of the grid holds; points beyond the grid are outside."""
    nk, nj, ni = bricks.table.shape
    if k < 0 or j < 0 or i < 0 or k >= BRICK * nk or j >= BRICK * nj or i >= BRICK * ni:
        return STEPS - 1
    slot = bricks.table[k >> 4, j >> 4, i >> 4]
    if slot >= 0:
        return int(bricks.cells[slot, k & 15, j & 15, i & 15])
    return -STEPS if slot == INSIDE else STEPS - 1


@query
def gather(bricks: Bricks, brick: int, halo: I8) -> None:
    """Copy a brick and one point on every side of it into `halo` (18, 18, 18): halo[1 + k, 1 + j, 1 + i] is the brick's own k, j, i."""
    nk, nj, ni = bricks.table.shape
    bi, rest = brick % ni, brick // ni
    bj, bk = rest % nj, rest // nj
    for dk in range(-1, 2):
        for dj in range(-1, 2):
            for di in range(-1, 2):
                k, j, i = bk + dk, bj + dj, bi + di
                slot = bricks.table[k, j, i] if 0 <= k < nk and 0 <= j < nj and 0 <= i < ni else OUTSIDE
                k0, k1 = (0, 1) if dk < 0 else (1, 17) if dk == 0 else (17, 18)
                j0, j1 = (0, 1) if dj < 0 else (1, 17) if dj == 0 else (17, 18)
                i0, i1 = (0, 1) if di < 0 else (1, 17) if di == 0 else (17, 18)
                for c in range(k0, k1):
                    for b in range(j0, j1):
                        for a in range(i0, i1):
                            if slot >= 0:
                                halo[c, b, a] = bricks.cells[slot, (c - 1) & 15, (b - 1) & 15, (a - 1) & 15]
                            else:
                                halo[c, b, a] = -STEPS if slot == INSIDE else STEPS - 1
