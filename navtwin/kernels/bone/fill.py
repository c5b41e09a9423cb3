"""Bone from a surface: exact distances at the points near it, whole bricks everywhere else.

Which bricks and which blocks of 4 x 4 x 4 points hold a near point is asked of the surface's tree, at their middles; so time and memory go by the
surface, not by the volume. A point that is not near lies on the same side as the one before it in its row, since no surface passes between them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from navtwin.kernels.bone.bricks import BRICK, CLAMP, I8, INSIDE, OUTSIDE, STEPS, Bricks
from navtwin.kernels.bone.fingerprint import rehash_all
from navtwin.kernels.jit import inlined, query
from navtwin.kernels.point import NONE, is_inside, nearest, signed_nearest
from navtwin.kernels.tree import F64, I32, Forest, Workspace, workspace

I16 = npt.NDArray[np.int16]

BLOCK = 4
#: Steps of a point that is farther from the surface than the clamp.
_FAR = 1000
#: Slots to spare, so that none need be made in a frame; memory that nobody writes to is not taken.
SPARE = 1024


@inlined
def steps_of(distance: float, side: float) -> int:
    """A distance in mm as the number that a point holds."""
    return math.floor(min(max(distance / side * (STEPS / CLAMP), -float(STEPS)), STEPS - 1.0))


@query
def mark_near(forest: Forest, origin: F64, side: float, bk: int, near: npt.NDArray[np.bool_], work: Workspace) -> int:
    """Say of each brick (J, I) of layer `bk` whether a point of it can be near; return how many."""
    reach, count, hint = (0.5 * (BRICK - 1) * math.sqrt(3.0) + CLAMP) * side * (1.0 + 1e-9), 0, -1
    z = origin[2] + (BRICK * bk + 0.5 * (BRICK - 1)) * side
    for bj in range(near.shape[0]):
        y = origin[1] + (BRICK * bj + 0.5 * (BRICK - 1)) * side
        for bi in range(near.shape[1]):
            x = origin[0] + (BRICK * bi + 0.5 * (BRICK - 1)) * side
            face, _ = nearest(forest, 0, x, y, z, hint, reach, work)
            hint = face if face != NONE else hint
            near[bj, bi] = face != NONE
            count += 1 if face != NONE else 0
    return count


@query
def _measure(forest: Forest, x0: float, y0: float, z0: float, side: float, steps: I16, work: Workspace) -> None:
    """Write the steps of all points of the brick whose first one is given."""
    middle, hint = 0.5 * (BLOCK - 1) * side, -1
    reach = (0.5 * (BLOCK - 1) * math.sqrt(3.0) + CLAMP) * side * (1.0 + 1e-9)
    for k0 in range(0, BRICK, BLOCK):
        for j0 in range(0, BRICK, BLOCK):
            for i0 in range(0, BRICK, BLOCK):
                face, _ = nearest(forest, 0, x0 + i0 * side + middle, y0 + j0 * side + middle, z0 + k0 * side + middle, hint, reach, work)
                is_near = face != NONE
                hint = face if is_near else hint
                for k in range(k0, k0 + BLOCK):
                    for j in range(j0, j0 + BLOCK):
                        for i in range(i0, i0 + BLOCK):
                            steps[k, j, i] = _FAR
                            if not is_near:
                                continue
                            x, y, z = x0 + i * side, y0 + j * side, z0 + k * side
                            face, hit = nearest(forest, 0, x, y, z, hint, CLAMP * side, work)
                            if face != NONE:
                                hint, distance = face, math.sqrt(hit[0])
                                inside = is_inside(forest, 0, face, hit[4], x, y, z, hit[1], hit[2], hit[3], work)
                                steps[k, j, i] = steps_of(-distance if inside else distance, side)


@inlined
def _side_at(forest: Forest, x: float, y: float, z: float, work: Workspace) -> int:
    return -STEPS if signed_nearest(forest, 0, x, y, z, -1, work)[0] < 0.0 else STEPS - 1


@query
def fill_layer(
    forest: Forest, origin: F64, side: float, bk: int, near: npt.NDArray[np.bool_], table: I32, cells: I8, owner: I32, steps: I16, sides: I8,
    work: Workspace,
) -> int:  # fmt: skip
    """Fill a layer of bricks; return how many of them hold surface.

    Parameters
    ----------
    origin, side : as in `Bricks`
    bk : the layer's number
    near : (J, I) bool, from `mark_near`
    table : (J, I) int32, out; slots counted from 0 in this layer
    cells, owner : (N, 16, 16, 16) int8 and (N,) int32, out; N as many as are near
    steps, sides : (16, 16, 16) int16 and (16, 16) int8, scratch
    """
    nj, ni = near.shape
    used = 0
    z0 = origin[2] + BRICK * bk * side
    for bj in range(nj):
        y0 = origin[1] + BRICK * bj * side
        sides[:, :] = _side_at(forest, origin[0], y0, z0, work)
        for bi in range(ni):
            if not near[bj, bi]:
                table[bj, bi] = INSIDE if sides[0, 0] < 0 else OUTSIDE
                continue
            x0 = origin[0] + BRICK * bi * side
            _measure(forest, x0, y0, z0, side, steps, work)
            low, high = STEPS, -STEPS
            for k in range(BRICK):
                for j in range(BRICK):
                    if bi == 0 and steps[k, j, 0] == _FAR:
                        sides[k, j] = _side_at(forest, x0, y0 + j * side, z0 + k * side, work)
                    for i in range(BRICK):
                        q = steps[k, j, i]
                        if q == _FAR:
                            q = sides[k, j]
                        else:
                            sides[k, j] = -STEPS if q < 0 else STEPS - 1
                        cells[used, k, j, i] = q
                        low, high = min(low, q), max(high, q)
            if low == high and (low == -STEPS or low == STEPS - 1):
                table[bj, bi] = INSIDE if low < 0 else OUTSIDE
            else:
                table[bj, bi] = used
                owner[used] = bi + ni * (bj + nj * bk)
                used += 1
    return used


def bricks_of(forest: Forest, origin: F64, side: float, shape: tuple[int, int, int], progress: Callable[[float], None] | None = None) -> Bricks:
    """The bone that the first structure of `forest` encloses.

    Parameters
    ----------
    forest : its inside must be known; nothing else is asked of it
    origin : (3,) float64, mm, of point 0, 0, 0
    side : mm between points
    shape : bricks along k, j, i; what lies beyond is taken for outside
    progress : told the share that is done, 0 to 1
    """
    nk, nj, ni = shape

    def layer(bk: int) -> tuple[I32, I8, I32]:
        near, work = np.zeros((nj, ni), np.bool_), workspace()
        count = mark_near(forest, origin, side, bk, near, work)
        table, cells, owner = np.empty((nj, ni), np.int32), np.empty((count, BRICK, BRICK, BRICK), np.int8), np.empty(count, np.int32)
        steps, sides = np.empty((BRICK, BRICK, BRICK), np.int16), np.empty((BRICK, BRICK), np.int8)
        used = fill_layer(forest, origin, side, bk, near, table, cells, owner, steps, sides, work)
        return table, cells[:used].copy(), owner[:used].copy()

    layers = []
    with ThreadPoolExecutor() as pool:  # layers do not read each other, and kernels let go of the interpreter
        for done in pool.map(layer, range(nk)):
            layers.append(done)
            if progress is not None:
                progress(len(layers) / nk)
    return _joined(layers, origin, side, shape)


def _joined(layers: list[tuple[I32, I8, I32]], origin: F64, side: float, shape: tuple[int, int, int]) -> Bricks:
    owners = np.concatenate([owner for _, _, owner in layers])
    used = len(owners)
    bricks = empty_bricks(origin, side, np.full(shape, OUTSIDE, np.int32), used + used // 2 + SPARE)
    bricks.owner[:used], bricks.used[0] = owners, used
    first = 0
    for bk, (table, cells, owner) in enumerate(layers):
        bricks.table[bk] = np.where(table >= 0, table + np.int32(first), table)
        bricks.cells[first : first + len(owner)] = cells
        first += len(owner)
    rehash_all(bricks)
    return bricks


def empty_bricks(origin: F64, side: float, table: I32, slots: int) -> Bricks:
    """Bricks with room for `slots` of them, none in use."""
    return Bricks(
        origin=np.array(origin, np.float64),
        side=np.array([side]),
        table=table,
        cells=np.empty((slots, BRICK, BRICK, BRICK), np.int8),
        owner=np.full(slots, -1, np.int32),
        used=np.zeros(1, np.int32),
        hashes=np.zeros(slots, np.uint64),
        total=np.zeros(1, np.uint64),
        dirty=np.zeros(table.size, np.uint8),
        queue=np.zeros(table.size, np.int32),
        queued=np.zeros(1, np.int32),
    )


def with_slots(bricks: Bricks, more: int) -> Bricks:
    """The bricks, with `more` slots to spare; they double where they must grow."""
    slots, wanted = len(bricks.owner), int(bricks.used[0]) + more
    if wanted <= slots:
        return bricks
    grown, used = empty_bricks(bricks.origin, float(bricks.side[0]), bricks.table, max(2 * slots, wanted)), int(bricks.used[0])
    for old, new in ((bricks.cells, grown.cells), (bricks.owner, grown.owner), (bricks.hashes, grown.hashes)):
        new[:used] = old[:used]
    return bricks._replace(cells=grown.cells, owner=grown.owner, hashes=grown.hashes)
