"""One compiled call a frame: every part of every instrument against every structure, now and on the way here.

Outside `capsule` and `swept_capsule` this file only turns parts by their instruments' poses and decides which ways are worth following.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from navtwin.kernels.clear import stays_beyond
from navtwin.kernels.hull import sweep_allowance
from navtwin.kernels.jit import inlined, query
from navtwin.kernels.screw import Screw, placed, screw_between
from navtwin.kernels.segment import capsule
from navtwin.kernels.sweep import TOLERANCE_MM, swept_capsule
from navtwin.kernels.tree import F64, I32, Forest, Workspace

#: Bits of `flags`.
KNOWN = 1
DEPTH_IS_BOUND = 2
FARTHER = 4
#: A way that could bring a part nearer than both its ends by less than this, mm, is not followed.
WORTH_MM = 0.01


class Frame(NamedTuple):
    """P parts against S structures. Poses are the rows r00 r01 r02 t0 r10 .. t2 of T_ct_from_tip; one that is not finite is unknown.

    Attributes
    ----------
    parts : (P, 7) float64, mm, tip axes: ax ay az bx by bz radius; a == b is a ball. One with a negative radius is unknown.
    now, earlier : (P, 12) float64, pose of each part's instrument, and the one it came from; an unknown way is not followed
    asked : (P, S) bool; the other pairs are not measured, and everything that was said of them stays
    within : (S,) float64, mm; beyond this only "farther" is told (inf: never)
    watch : (S,) float64, mm; ways that stay farther than this from a structure are not followed
    hints : (P, S) int32, in and out; faces found in the last frame, -1 for none. They save time and cannot change a bit of an answer.
    last : (P, S) float64, in and out; the last known distance, which is that of `earlier`
    distance : (P, S) float64, out; from the part's skin, mm, negative inside, NaN where unknown
    on_structure, on_axis : (P, S, 3) float64, out; closest points, NaN where unknown or farther
    face : (P, S) int32, out; face of the closest point, -1 where unknown or farther
    flags : (P, S) uint8, out; KNOWN; DEPTH_IS_BOUND: the depth is at least what is shown; FARTHER: the distance is more than what is shown
    swept : (P, S) float64, out; least clearance on the way here, mm, where it was less than `watch` and than at both ends; else NaN
    swept_when : (P, S) float64, out; when that was: 0 at `earlier`, 1 at `now`
    """

    parts: F64
    now: F64
    earlier: F64
    asked: npt.NDArray[np.bool_]
    within: F64
    watch: F64
    hints: I32
    last: F64
    distance: F64
    on_structure: F64
    on_axis: F64
    face: I32
    flags: npt.NDArray[np.uint8]
    swept: F64
    swept_when: F64


def new_frame(parts: F64, structures: int) -> Frame:
    """A frame of these parts in which nothing is known yet."""
    p = len(parts)
    pairs, points = (p, structures), (p, structures, 3)
    return Frame(
        parts=np.ascontiguousarray(parts, dtype=np.float64),
        now=np.full((p, 12), np.nan),
        earlier=np.full((p, 12), np.nan),
        asked=np.full(pairs, True),
        within=np.full(structures, np.inf),
        watch=np.zeros(structures),
        hints=np.full(pairs, -1, np.int32),
        last=np.full(pairs, np.nan),
        distance=np.full(pairs, np.nan),
        on_structure=np.full(points, np.nan),
        on_axis=np.full(points, np.nan),
        face=np.full(pairs, -1, np.int32),
        flags=np.zeros(pairs, np.uint8),
        swept=np.full(pairs, np.nan),
        swept_when=np.full(pairs, np.nan),
    )


@query
def _measure(forest: Forest, frame: Frame, p: int, s: int, work: Workspace) -> None:
    """One part against one structure, where it is now."""
    part = frame.parts[p]
    ax, ay, az = placed(frame.now[p], part[0], part[1], part[2])
    bx, by, bz = placed(frame.now[p], part[3], part[4], part[5])
    hint = 0 + frame.hints[p, s]  # an int64, as elsewhere, or all would be compiled again for an int32
    hit = capsule(forest, s, ax, ay, az, bx, by, bz, part[6], hint, frame.within[s], work)
    # An instrument that was hidden is seen again near where it was.
    frame.hints[p, s] = hit.hint if hit.hint >= 0 else hint
    frame.face[p, s], frame.distance[p, s] = hit.face, hit.distance
    frame.on_structure[p, s, 0], frame.on_structure[p, s, 1], frame.on_structure[p, s, 2] = hit.x, hit.y, hit.z
    frame.on_axis[p, s, 0], frame.on_axis[p, s, 1], frame.on_axis[p, s, 2] = hit.axis_x, hit.axis_y, hit.axis_z
    flags = KNOWN if math.isfinite(hit.distance) else 0
    flags |= DEPTH_IS_BOUND if hit.depth_is_bound else 0
    frame.flags[p, s] = flags | FARTHER if hit.farther else flags


@query
def _follow(forest: Forest, frame: Frame, p: int, s: int, screw: Screw, work: Workspace) -> None:
    """One part's way past one structure, where it could have come nearer than it was and is."""
    frame.swept[p, s], frame.swept_when[p, s] = np.nan, np.nan
    before, now = frame.last[p, s], frame.distance[p, s]
    nearest_end = min(before, now)
    least = min(frame.watch[s], nearest_end - WORTH_MM)
    if not nearest_end > 0.0 or 0.5 * (before + now - screw.speed) >= least:
        return
    # By this a sweep's answer could fall short of the truth: where the truth is beyond, it would not be told.
    short = TOLERANCE_MM + 2.0 * sweep_allowance(forest, s, screw)
    if stays_beyond(forest, s, screw, frame.parts[p, 6] + least + short, work):
        return
    hit = swept_capsule(forest, s, frame.parts[p], frame.earlier[p], frame.now[p], 0 + frame.hints[p, s], frame.watch[s], work)
    if hit.is_known and not hit.farther and hit.clearance < nearest_end - WORTH_MM:
        frame.swept[p, s], frame.swept_when[p, s] = hit.clearance, hit.when


@query
def measure_frame(forest: Forest, frame: Frame, work: Workspace) -> None:
    """Fill the outputs of `frame`: its parts against the structures of `forest`, where asked. `work`: scratch memory of this thread."""
    for s in range(forest.roots.shape[0]):  # what one part has brought into the cache of a structure, the next one finds there
        for p in range(frame.parts.shape[0]):
            if frame.asked[p, s]:
                _measure(forest, frame, p, s, work)
    for p in range(frame.parts.shape[0]):
        is_way, screw = screw_between(frame.parts[p], frame.earlier[p], frame.now[p])
        for s in range(forest.roots.shape[0]):
            if not frame.asked[p, s]:
                continue
            if is_way:
                _follow(forest, frame, p, s, screw, work)
            else:
                frame.swept[p, s], frame.swept_when[p, s] = np.nan, np.nan
            if math.isfinite(frame.distance[p, s]):
                frame.last[p, s] = frame.distance[p, s]


@inlined
def _moved2(frame: Frame, p: int, x: float, y: float, z: float) -> float:
    """Squared way of a point of a part since `earlier`, mm^2."""
    x0, y0, z0 = placed(frame.earlier[p], x, y, z)
    x1, y1, z1 = placed(frame.now[p], x, y, z)
    return (x1 - x0) * (x1 - x0) + (y1 - y0) * (y1 - y0) + (z1 - z0) * (z1 - z0)


@query
def ask_near(frame: Frame, beyond: F64) -> None:
    """Write `asked`: False where a part surely is farther from a structure than `beyond` (S,), mm, by where it was and how far it has gone since.

    Between two poses a segment's points go no farther than the farther of its ends.
    """
    for p in range(frame.parts.shape[0]):
        part = frame.parts[p]
        moved = math.sqrt(max(_moved2(frame, p, part[0], part[1], part[2]), _moved2(frame, p, part[3], part[4], part[5])))
        for s in range(beyond.shape[0]):
            frame.asked[p, s] = not (math.isfinite(moved) and frame.last[p, s] - moved > beyond[s])
