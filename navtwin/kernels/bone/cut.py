"""Cutting a moving cutter out of bone: at every point the larger of what it holds and the negated distance to all that the cutter passes through
(Frisken et al. 2000, "Adaptively sampled distance fields", section 3). So doing it twice is doing it once, and the order of cuts does not matter.

Only points in the cutter's own box are looked at. A point of bone that the cutter comes no nearer than the surface does not change: a cutter that
does not touch takes nothing.
"""

from __future__ import annotations

import math

import numpy as np

from navtwin.kernels.bone.bricks import BRICK, CLAMP, INSIDE, OUTSIDE, STEPS, Bricks
from navtwin.kernels.bone.fill import steps_of
from navtwin.kernels.bone.fingerprint import rehash
from navtwin.kernels.bone.journal import Journal, drop_slot, keep, mark_around, new_slot
from navtwin.kernels.bone.profile import SPHERE, Solid, Stroke, extent_of, least_distance, off_way2
from navtwin.kernels.jit import inlined, query
from navtwin.kernels.screw import is_rigid, on_the_way, screw_between
from navtwin.kernels.tree import F64
from navtwin.kernels.triangle import Point

#: Volumes are counted in so many parts of a cell, as whole numbers: their sum is the same in whatever order.
PARTS = 2**20
#: How far what is cut may stray from what the cutter passes through, in sides.
STRAY = 0.01
#: A move is cut in no more straight pieces than this.
MOST_PIECES = 4096


def _filled() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Share of a cell that is solid, by its steps + 128, in PARTS.

    A step smoothed by a kernel with unit integral and no second moment, (1 - u^2)^2 (105 - 315 u^2) / 64: parallel surfaces enclose volumes that are
    cubic in their distance (Steiner), so it is right for curved surfaces too, where a plain ramp errs by 1 / (4 r^2), r in cells.
    """
    u = np.clip((np.arange(-STEPS, STEPS) + 0.5) / (STEPS - 1), -1.0, 1.0)
    u2 = u * u
    step = u * (105.0 + u2 * (-175.0 + u2 * (147.0 - 45.0 * u2))) / 64.0
    return np.rint(PARTS * (0.5 - step)).astype(np.int64)


FILLED = _filled()
#: A point holds `old` steps where its distance is below old + 1; and a little, for rounding.
_SLACK = -1.0 + 1e-6
#: The tip, and a point behind it, in tip axes.
_AXIS = np.array((0.0, 0.0, 0.0, 0.0, 0.0, -1.0))
#: Beyond so many steps a point is next to none of the other side: neighbours are a side apart, which is 64, and one for rounding.
_DEEP = STEPS // int(CLAMP) + 2


@inlined
def _span(low: float, high: float, origin: float, side: float, count: int) -> tuple[int, int]:
    """First and last point that lies in low .. high; none where the first is greater."""
    return math.ceil(min(max((low - origin) / side, 0.0), float(count))), math.floor(min(max((high - origin) / side, -1.0), count - 1.0))


@inlined
def ranges(bricks: Bricks, tip: Point, way: Point, reach: float) -> tuple[int, int, int, int, int, int]:
    """First and last points along k, j, i of the box around a ball of radius `reach` that moves along `way`."""
    nk, nj, ni = bricks.table.shape
    o, side = bricks.origin, bricks.side[0]
    i0, i1 = _span(tip[0] + min(way[0], 0.0) - reach, tip[0] + max(way[0], 0.0) + reach, o[0], side, BRICK * ni)
    j0, j1 = _span(tip[1] + min(way[1], 0.0) - reach, tip[1] + max(way[1], 0.0) + reach, o[1], side, BRICK * nj)
    k0, k1 = _span(tip[2] + min(way[2], 0.0) - reach, tip[2] + max(way[2], 0.0) + reach, o[2], side, BRICK * nk)
    return k0, k1, j0, j1, i0, i1


@inlined
def _is_beyond(bricks: Bricks, tip: Point, way: Point, reach: float, bk: int, bj: int, bi: int) -> bool:
    """Whether the ball that holds a brick's points is surely farther than `reach` from the way of the tip."""
    o, side = bricks.origin, bricks.side[0]
    x = o[0] + (BRICK * bi + 0.5 * (BRICK - 1)) * side
    y = o[1] + (BRICK * bj + 0.5 * (BRICK - 1)) * side
    z = o[2] + (BRICK * bk + 0.5 * (BRICK - 1)) * side
    far = reach + (0.5 * (BRICK - 1) * math.sqrt(3.0) + 0.01) * side
    return bool(off_way2(tip, way, x, y, z) > far * far)


@query
def bricks_in_reach(bricks: Bricks, tip: Point, way: Point, reach: float) -> tuple[int, int]:
    """How many bricks a cut within `reach` of a way may change, and how many of those have no slot yet."""
    k0, k1, j0, j1, i0, i1 = ranges(bricks, tip, way, reach)
    count, bare = 0, 0
    for bk in range(k0 >> 4, (k1 >> 4) + 1):
        for bj in range(j0 >> 4, (j1 >> 4) + 1):
            for bi in range(i0 >> 4, (i1 >> 4) + 1):
                if bricks.table[bk, bj, bi] != OUTSIDE and not _is_beyond(bricks, tip, way, reach, bk, bj, bi):
                    count += 1
                    bare += 1 if bricks.table[bk, bj, bi] == INSIDE else 0
    return count, bare


@query
def _cut_brick(
    bricks: Bricks, slot: int, first: Journal, stretch: Journal, solid: Solid, stroke: Stroke, k0: int, k1: int, j0: int, j1: int, i0: int, i1: int
) -> tuple[bool, int]:
    """Cut points k0 .. k1, j0 .. j1, i0 .. i1 of a brick; whether any changed, and the volume that went, in PARTS."""
    side, cells, brick = bricks.side[0], bricks.cells, bricks.owner[slot]
    nj, ni = bricks.table.shape[1], bricks.table.shape[2]
    ox = bricks.origin[0] + BRICK * (brick % ni) * side
    oy = bricks.origin[1] + BRICK * (brick // ni % nj) * side
    oz = bricks.origin[2] + BRICK * (brick // (ni * nj)) * side
    clamp, step, within, gone, is_changed = CLAMP * side, CLAMP / STEPS * side, STRAY * side, 0, False
    k2, k3, j2, j3, i2, i3 = BRICK, -1, BRICK, -1, BRICK, -1
    for k in range(k0, k1 + 1):
        for j in range(j0, j1 + 1):
            for i in range(i0, i1 + 1):
                old = cells[slot, k, j, i]
                if old == STEPS - 1:
                    continue
                enough = (_SLACK - old) * step  # from farther off it does not change
                new = steps_of(-least_distance(solid, stroke, ox + i * side, oy + j * side, oz + k * side, enough, -clamp, within), side)
                if new <= old:
                    continue
                if not is_changed:
                    keep(first, bricks, slot)
                    keep(stretch, bricks, slot)
                    is_changed = True
                gone += FILLED[old + STEPS] - FILLED[new + STEPS]
                cells[slot, k, j, i] = new
                if new >= -_DEEP and old <= _DEEP:
                    k2, k3, j2, j3, i2, i3 = min(k2, k), max(k3, k), min(j2, j), max(j3, j), min(i2, i), max(i3, i)
    if is_changed:
        rehash(bricks, slot)
        if k3 >= 0:
            mark_around(bricks, brick, k2, k3, j2, j3, i2, i3)
    return is_changed, gone


@query
def cut(bricks: Bricks, first: Journal, stretch: Journal, solid: Solid, stroke: Stroke) -> tuple[int, int]:
    """Cut a straight move out; return how many bricks changed, and the volume that went, in PARTS of a cell.

    Parameters
    ----------
    first, stretch : keep what bricks held, since the bone was whole and since a stretch began
    solid, stroke : the cutter and its move, mm

    Slots and journals must have room for what `bricks_in_reach` counts.
    """
    reach = extent_of(solid) + CLAMP * bricks.side[0]
    k0, k1, j0, j1, i0, i1 = ranges(bricks, stroke.tip, stroke.way, reach)
    nj, ni = bricks.table.shape[1], bricks.table.shape[2]
    changed, gone = 0, 0
    for bk in range(k0 >> 4, (k1 >> 4) + 1):
        for bj in range(j0 >> 4, (j1 >> 4) + 1):
            for bi in range(i0 >> 4, (i1 >> 4) + 1):
                slot = bricks.table[bk, bj, bi]
                if slot == OUTSIDE or _is_beyond(bricks, stroke.tip, stroke.way, reach, bk, bj, bi):
                    continue
                is_new = slot == INSIDE
                if is_new:
                    slot = new_slot(bricks, bi + ni * (bj + nj * bk))
                k, j, i = BRICK * bk, BRICK * bj, BRICK * bi
                is_changed, parts = _cut_brick(
                    bricks, slot, first, stretch, solid, stroke,
                    max(k0 - k, 0), min(k1 - k, BRICK - 1), max(j0 - j, 0), min(j1 - j, BRICK - 1), max(i0 - i, 0), min(i1 - i, BRICK - 1),
                )  # fmt: skip
                if is_changed:
                    changed += 1
                    gone += parts
                elif is_new:
                    drop_slot(bricks, slot)
    return changed, gone


@inlined
def _between(a: Point, b: Point) -> Point:
    return b[0] - a[0], b[1] - a[1], b[2] - a[2]


@inlined
def _unit(a: Point, b: Point) -> Point:
    x, y, z = _between(a, b)
    length = math.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


@inlined
def _tip_of(pose: F64) -> Point:
    return pose[3], pose[7], pose[11]


@query
def way_of(solid: Solid, earlier: F64, now: F64) -> tuple[bool, Point, Point, float]:
    """Whether there is a way between two poses (12 numbers, as in `kernels.screw.placed`); where the tip starts, its chord, and the reach from that.

    All in mm; the reach is without the clamp.
    """
    is_known, screw = screw_between(_AXIS, earlier, now)
    tip, way = _tip_of(earlier), _between(_tip_of(earlier), _tip_of(now))
    if solid.kind == SPHERE:
        return is_rigid(earlier) and is_rigid(now), tip, way, solid.radius
    return is_known, tip, way, extent_of(solid) + screw.bend


@query
def cut_on_way(bricks: Bricks, first: Journal, stretch: Journal, solid: Solid, earlier: F64, now: F64) -> tuple[int, int]:
    """As `cut`, from one pose to another between which `way_of` knows a way.

    A ball is cut along the straight way of the tip. Others turn: their screw is cut in straight pieces, with the axis of the middle of each, so many
    that nothing is farther than STRAY sides from its place.
    """
    if solid.kind == SPHERE:
        tip = _tip_of(earlier)
        return cut(bricks, first, stretch, solid, Stroke(tip, (0.0, 0.0, -1.0), _between(tip, _tip_of(now))))
    _, screw = screw_between(_AXIS, earlier, now)
    stray, extent = STRAY * bricks.side[0], extent_of(solid)
    turn = math.sqrt(screw.wd[0] * screw.wd[0] + screw.wd[1] * screw.wd[1] + screw.wd[2] * screw.wd[2])
    pieces = int(min(math.ceil(max(0.5 * turn * extent / stray, math.sqrt(screw.bend / stray), 1.0)), float(MOST_PIECES)))
    changed, gone = 0, 0
    for n in range(pieces):
        a, _ = on_the_way(screw, n / pieces)
        middle, behind = on_the_way(screw, (n + 0.5) / pieces)
        b, _ = on_the_way(screw, (n + 1.0) / pieces)
        more, parts = cut(bricks, first, stretch, solid, Stroke(a, _unit(middle, behind), _between(a, b)))
        changed, gone = changed + more, gone + parts
    return changed, gone
