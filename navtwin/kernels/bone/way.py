"""What bone holds between its points, by trilinear interpolation: at points, and along a straight way."""

from __future__ import annotations

import math

import numpy as np

from navtwin.kernels.bone.bricks import BRICK, CLAMP, STEPS, U64, Bricks, at
from navtwin.kernels.jit import inlined, query
from navtwin.kernels.tree import F64
from navtwin.kernels.triangle import Point

#: Sides from one sample on a way to the next, where surface may be near.
FINEST = 0.125
#: A trilinear value changes by no more than sqrt(3) and rounding for each side of way: so much of it can be leapt.
_LEAP = 0.56


@query
def value_at(bricks: Bricks, x: float, y: float, z: float) -> float:
    """Signed distance, in sides, at a place given in sides from point 0, 0, 0; clamped, and outside beyond the grid."""
    nk, nj, ni = bricks.table.shape
    if not (-1.0 <= x < BRICK * ni and -1.0 <= y < BRICK * nj and -1.0 <= z < BRICK * nk):
        return CLAMP * (STEPS - 0.5) / STEPS
    i, j, k = math.floor(x), math.floor(y), math.floor(z)
    u, v, w = x - i, y - j, z - k
    if i & 15 != 15 and j & 15 != 15 and k & 15 != 15:
        slot = bricks.table[k >> 4, j >> 4, i >> 4]
        if slot < 0:
            return (float(at(bricks, k, j, i)) + 0.5) * (CLAMP / STEPS)
        cells, c, b, a = bricks.cells, k & 15, j & 15, i & 15
        low = (cells[slot, c, b, a] * (1.0 - u) + cells[slot, c, b, a + 1] * u) * (1.0 - v)
        low += (cells[slot, c, b + 1, a] * (1.0 - u) + cells[slot, c, b + 1, a + 1] * u) * v
        high = (cells[slot, c + 1, b, a] * (1.0 - u) + cells[slot, c + 1, b, a + 1] * u) * (1.0 - v)
        high += (cells[slot, c + 1, b + 1, a] * (1.0 - u) + cells[slot, c + 1, b + 1, a + 1] * u) * v
    else:
        low = (at(bricks, k, j, i) * (1.0 - u) + at(bricks, k, j, i + 1) * u) * (1.0 - v)
        low += (at(bricks, k, j + 1, i) * (1.0 - u) + at(bricks, k, j + 1, i + 1) * u) * v
        high = (at(bricks, k + 1, j, i) * (1.0 - u) + at(bricks, k + 1, j, i + 1) * u) * (1.0 - v)
        high += (at(bricks, k + 1, j + 1, i) * (1.0 - u) + at(bricks, k + 1, j + 1, i + 1) * u) * v
    return float((low * (1.0 - w) + high * w + 0.5) * (CLAMP / STEPS))


@query
def values(bricks: Bricks, points: F64, value: F64) -> None:
    """Write the clamped signed distance, mm, at (N, 3) points, mm, into `value` (N,); NaN where a point is not finite."""
    o, side = bricks.origin, bricks.side[0]
    for n in range(points.shape[0]):
        x, y, z = (points[n, 0] - o[0]) / side, (points[n, 1] - o[1]) / side, (points[n, 2] - o[2]) / side
        value[n] = side * value_at(bricks, x, y, z) if abs(x) < np.inf and abs(y) < np.inf and abs(z) < np.inf else np.nan


@inlined
def _is_doubtful(bricks: Bricks, blocks: U64, x: float, y: float, z: float) -> bool:
    """Whether the block of the point nearest to a place in bone is in doubt."""
    nk, nj, ni = bricks.table.shape
    i = min(max(math.floor(x + 0.5), 0), BRICK * ni - 1)
    j = min(max(math.floor(y + 0.5), 0), BRICK * nj - 1)
    k = min(max(math.floor(z + 0.5), 0), BRICK * nk - 1)
    bit = np.uint64(16 * (k >> 2 & 3) + 4 * (j >> 2 & 3) + (i >> 2 & 3))
    return bool(blocks[(i >> 4) + ni * ((j >> 4) + nj * (k >> 4))] >> bit & np.uint64(1))


@query
def bone_on_way(bricks: Bricks, blocks: U64, start: Point, end: Point) -> tuple[float, bool]:
    """Length of bone on a straight way, mm, and whether some of that bone may be gone.

    Parameters
    ----------
    blocks : of `Doubt`
    start, end : mm
    """
    o, side = bricks.origin, bricks.side[0]
    x, y, z = (start[0] - o[0]) / side, (start[1] - o[1]) / side, (start[2] - o[2]) / side
    dx, dy, dz = (end[0] - start[0]) / side, (end[1] - start[1]) / side, (end[2] - start[2]) / side
    length = math.sqrt(dx * dx + dy * dy + dz * dz)
    here = value_at(bricks, x, y, z)
    is_doubtful = here < 0.0 and _is_doubtful(bricks, blocks, x, y, z)
    if length == 0.0:
        return 0.0, is_doubtful
    dx, dy, dz = dx / length, dy / length, dz / length
    bone, s = 0.0, 0.0
    while s < length:
        step = min(max(_LEAP * abs(here), FINEST), length - s)
        past = s + step if s + step > s else length
        there = value_at(bricks, x + past * dx, y + past * dy, z + past * dz)
        if there < 0.0:
            bone += step if here < 0.0 else step * there / (there - here)
            is_doubtful = is_doubtful or _is_doubtful(bricks, blocks, x + past * dx, y + past * dy, z + past * dz)
        elif here < 0.0:
            bone += step * here / (here - there)
        s, here = past, there
    return side * bone, is_doubtful
