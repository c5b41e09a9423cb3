"""Closest pair of a surface and a segment, and the capsule built on it: an instrument's shaft or burr.

Filter, then referee, as in `navtwin.kernels.point`. The *filter* guesses the closest pair of the segment and each of eight boxes or triangles, and
takes the separating gap along its direction for the lower bound: n . p over the segment is least at one of its ends, n . q over a box or a triangle
is greatest at a corner. A box's guess starts at the point of the segment nearest to its centre and is mended by Newton's step: along the segment
the squared distance to a box is convex and made of parabolas. The *referee* is `navtwin.kernels.segment_triangle`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from navtwin.kernels.facing import Facing, behind2, facing
from navtwin.kernels.jit import inlined, plain, query
from navtwin.kernels.point import (
    FARTHEST_MM,
    NONE,
    RELATIVE,
    Allowance,
    is_askable,
    is_inside,
    keep_candidates,
    loosened,
    may_be_inside,
    nearest,
    push_children,
    signed_nearest,
)
from navtwin.kernels.rough import TINY, Vector, beyond_boxes, beyond_triangles, dot, minus, plus, share, times, vector, vectors
from navtwin.kernels.segment_triangle import Segment, SegmentHit, at, closest_to_triangle, segment
from navtwin.kernels.simd import F32, WIDTH, Lanes, at_most, choose, lower, lowest, root, splat, upper
from navtwin.kernels.tree import CANDIDATES, LEAF, NODE, WINDING, Forest, Workspace
from navtwin.kernels.triangle import FACE, TINY2, triangle

#: A segment nearer than this share of its coordinates (1e-9 mm at 1 m) meets the surface: nearer than that, the side is rounding noise.
TOUCH = 1e-12
#: Slack, mm, when the depth at one end is checked against the deepest that the other end leaves possible.
CERTAIN_MM = 1e-9


class Axis(NamedTuple):
    """A segment a + t d in all lanes, relative to a structure's centre."""

    a: Vector
    d: Vector
    d2: Vector
    one_over_length2: Lanes


@inlined
def _axis(forest: Forest, tree: int, s: Segment) -> Axis:
    c = forest.centre[tree]
    a, d = vector(s.ax - c[0], s.ay - c[1], s.az - c[2]), vector(s.dx, s.dy, s.dz)
    return Axis(a, d, (d[0] * d[0], d[1] * d[1], d[2] * d[2]), splat(1.0 / s.length2))


@inlined
def _box_gap2(axis: Axis, t: Lanes, low: Vector, high: Vector) -> tuple[Lanes, Lanes]:
    """Squared gaps between the segment and eight boxes along the way from each box to the point at t, and better t to look from."""
    zero = splat(0.0)
    n = beyond_boxes(plus(axis.a, times(t, axis.d)), low, high)
    nn, slope = dot(n, n), dot(n, axis.d)
    # The box ends where the way begins, so n . p - max n . q = n . n less what the segment's nearer end takes off.
    gap = upper(nn - upper(t * slope, (t - splat(1.0)) * slope), zero)
    curve = choose(n[0] * n[0], zero, zero, axis.d2[0]) + choose(n[1] * n[1], zero, zero, axis.d2[1]) + choose(n[2] * n[2], zero, zero, axis.d2[2])
    return gap * (gap / (nn + splat(TINY))), share(t - slope / (curve + splat(TINY)))


@inlined
def _first_gaps2(axis: Axis, low: Vector, high: Vector) -> tuple[Lanes, Lanes]:
    """`_box_gap2` as seen from the points nearest to the boxes' centres."""
    middle = times(splat(0.5), plus(low, high))
    t = share(dot(minus(middle, axis.a), axis.d) * axis.one_over_length2)
    return _box_gap2(axis, t, low, high)


@inlined
def box_gaps2(boxes: F32, at: int, axis: Axis) -> Lanes:
    """Squared lower bounds of the segment's distances to a node's eight boxes."""
    low, high = vectors(boxes, at), vectors(boxes, at + 3 * WIDTH)
    gap2, t = _first_gaps2(axis, low, high)
    better2, _ = _box_gap2(axis, t, low, high)
    return upper(gap2, better2)


@inlined
def _children_gaps2(forest: Forest, node: int, axis: Axis, bound2: float, is_far: bool, face_to: Facing) -> Lanes:
    """Squared lower bounds of the segment's distances to what a node's children hold; of a far structure what faces the segment says nearly all."""
    if not is_far:
        return box_gaps2(forest.boxes, NODE * node, axis)
    gaps2 = behind2(forest, node, face_to)
    if at_most(gaps2, splat(bound2)) != 0:
        low, high = vectors(forest.boxes, NODE * node), vectors(forest.boxes, NODE * node + 3 * WIDTH)
        from_boxes2, _ = _first_gaps2(axis, low, high)
        gaps2 = upper(gaps2, from_boxes2)
    return gaps2


@inlined
def leaf_gaps(corners: F32, at: int, axis: Axis) -> tuple[Lanes, Lanes]:
    """Squared upper bound and lower bound (mm) of the segment's distances to a leaf's eight triangles."""
    a = minus(axis.a, vectors(corners, at))
    u, v = vectors(corners, at + 3 * WIDTH), vectors(corners, at + 6 * WIDTH)
    t = share(dot(minus(times(splat(1.0 / 3.0), plus(u, v)), a), axis.d) * axis.one_over_length2)
    p = plus(a, times(t, axis.d))
    n = beyond_triangles(p, u, v)
    # Only the segment's side is looked for again: what the triangle's leaves is of second order.
    t = share(t - dot(n, axis.d) * axis.one_over_length2)
    n = plus(plus(a, times(t, axis.d)), minus(n, p))
    nn, from_a = dot(n, n), dot(n, a)
    gap = lower(from_a, from_a + dot(n, axis.d)) - upper(upper(dot(n, u), dot(n, v)), splat(0.0))
    return nn, gap / root(nn + splat(TINY))


@inlined
def _largest(forest: Forest, tree: int, s: Segment) -> float:
    """Largest coordinate of the segment or the structure relative to the structure's centre, mm."""
    c = forest.centre[tree]
    of_a = max(abs(s.ax - c[0]), abs(s.ay - c[1]), abs(s.az - c[2]))
    return float(max(of_a, abs(s.bx - c[0]), abs(s.by - c[1]), abs(s.bz - c[2]), forest.reach[tree]))


@inlined
def _facing(forest: Forest, tree: int, s: Segment, hit: SegmentHit) -> tuple[bool, Facing]:
    """The direction from the nearest known point of the surface to the segment's."""
    c, d = forest.centre[tree], math.sqrt(hit[0])
    px, py, pz = at(s, hit[1])
    dx, dy, dz = px - hit[2], py - hit[3], pz - hit[4]
    level_a = dx * (s.ax - c[0]) + dy * (s.ay - c[1]) + dz * (s.az - c[2])
    level_b = dx * (s.bx - c[0]) + dy * (s.by - c[1]) + dz * (s.bz - c[2])
    return facing(forest, tree, dx, dy, dz, d, min(level_a, level_b) / d, _largest(forest, tree, s))


@query
def _settle(
    forest: Forest, work: Workspace, count: int, bound: float, rounding: float, s: Segment, face: int, hit: SegmentHit
) -> tuple[int, SegmentHit]:
    """The referee: the nearest of the candidates within `bound` and of `face`, which was nearest so far. Beyond `rounding` none is pierced."""
    for k in range(count):
        if work.gaps[k] <= bound:
            rival = work.found[k]
            other = closest_to_triangle(triangle(forest, rival), s, work.gaps[k] <= rounding)
            if other[0] < hit[0] or (other[0] == hit[0] and rival < face):
                face, hit = rival, other
    return face, hit


@query
def nearest_to_segment(forest: Forest, tree: int, s: Segment, hint: int, within: float, work: Workspace) -> tuple[int, SegmentHit]:
    """The face (of the whole forest) of structure `tree` that is nearest to a segment, and its `SegmentHit`; NONE where nothing lies within `within`.

    Ties go to the lowest face. `hint` is a face of the structure to measure first, or -1.
    """
    # As for a point, but scalar products reach over the whole segment: four times as much.
    allow = Allowance(2.0**-18 * _largest(forest, tree, s) + RELATIVE * forest.longest[tree])
    bound = loosened(min(within, 1e13), allow)
    face = NONE
    hit = (np.inf, 0.0, 0.0, 0.0, 0.0, 0)
    first, past = forest.first_face[tree], forest.first_face[tree + 1]
    if 0 <= hint < past - first:
        face = first + hint
        hit = closest_to_triangle(triangle(forest, face), s, True)
        bound = min(bound, loosened(math.sqrt(hit[0]), allow))
    bound2 = bound * bound
    axis = _axis(forest, tree, s)
    is_far, face_to = _facing(forest, tree, s, hit)
    count, top = plain(0), 1
    work.nodes[0], work.bounds[0] = forest.roots[tree], 0.0
    while top > 0:
        top -= 1
        if work.bounds[top] > bound2:
            continue
        node = work.nodes[top]
        if node >= 0:
            gaps2 = _children_gaps2(forest, node, axis, bound2, is_far, face_to)
            top = push_children(forest, node, at_most(gaps2, splat(bound2)), gaps2, work, top)
            continue
        high2, low = leaf_gaps(forest.leaf_corners, LEAF * ~node, axis)
        bits = at_most(low, splat(bound))
        if bits == 0:
            continue
        nearer = loosened(math.sqrt(lowest(high2)), allow)
        if nearer < bound:
            bound, bound2 = nearer, nearer * nearer
        if count > CANDIDATES - WIDTH:
            face, hit = _settle(forest, work, count, bound, allow.fixed, s, face, hit)
            count = 0
        count = keep_candidates(forest, ~node, bits, low, bound, work, count)
    face, hit = _settle(forest, work, count, bound, allow.fixed, s, face, hit)
    if math.sqrt(hit[0]) > within:
        return NONE, hit
    return face, hit


class CapsuleHit(NamedTuple):
    """Where a capsule is nearest to a structure.

    Attributes
    ----------
    distance : of its skin, mm, negative in contact; the cap itself where `farther`, NaN where unknown
    depth_is_bound : the depth is at least -distance, perhaps more
    farther : nothing lies within the cap, and the capsule is not inside
    face : of the structure, at the closest point; -1 where farther or unknown
    hint : a face to ask first the next time, or -1
    x, y, z, axis_x, axis_y, axis_z : closest points of surface and axis, mm; NaN where farther or unknown
    """

    distance: float
    depth_is_bound: bool
    farther: bool
    face: int
    hint: int
    x: float
    y: float
    z: float
    axis_x: float
    axis_y: float
    axis_z: float


@inlined
def _without_points(distance: float, farther: bool, hint: int) -> CapsuleHit:
    return CapsuleHit(distance, False, farther, -1, hint, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan)


@inlined
def _reaching(within: float, radius: float) -> float:
    """A cap for the axis that keeps everything whose distance less the radius could round to `within`."""
    return (within + radius) * (1.0 + 1e-12)


@query
def _ball(forest: Forest, tree: int, x: float, y: float, z: float, radius: float, hint: int, within: float, work: Workspace) -> CapsuleHit:
    face, hit = nearest(forest, tree, x, y, z, hint, _reaching(within, radius), work)
    if face == NONE and may_be_inside(forest, tree, x, y, z):
        face, hit = nearest(forest, tree, x, y, z, hint, np.inf, work)
    if face == NONE:
        return _without_points(within, True, -1)
    phi, of_structure = math.sqrt(hit[0]), face - forest.first_face[tree]
    if is_inside(forest, tree, face, hit[4], x, y, z, hit[1], hit[2], hit[3], work):
        phi = -phi
    if phi - radius > within:
        return _without_points(within, True, of_structure)
    return CapsuleHit(phi - radius, False, False, of_structure, of_structure, hit[1], hit[2], hit[3], x, y, z)


@query
def _deep(forest: Forest, tree: int, s: Segment, face: int, hit: SegmentHit, radius: float, work: Workspace) -> CapsuleHit:
    """A capsule whose axis meets the surface at `hit`, or lies inside: as deep as the deeper end."""
    x, y, z = hit[2], hit[3], hit[4]
    px, py, pz = at(s, hit[1])
    phi_a, face_a, qax, qay, qaz = signed_nearest(forest, tree, s.ax, s.ay, s.az, face, work)
    phi_b, face_b, qbx, qby, qbz = signed_nearest(forest, tree, s.bx, s.by, s.bz, face, work)
    deepest, deepest_face = 0.0, face
    if phi_a < 0.0 and phi_a <= phi_b:
        deepest, deepest_face, x, y, z, px, py, pz = phi_a, face_a, qax, qay, qaz, s.ax, s.ay, s.az
    elif phi_b < 0.0:
        deepest, deepest_face, x, y, z, px, py, pz = phi_b, face_b, qbx, qby, qbz, s.bx, s.by, s.bz
    lowest_possible = 0.5 * (phi_a + phi_b - math.sqrt(s.length2))
    return CapsuleHit(deepest - radius, deepest > lowest_possible + CERTAIN_MM, False, deepest_face, face, x, y, z, px, py, pz)


@inlined
def _can_dip_inside(forest: Forest, tree: int, s: Segment) -> bool:
    """Whether an axis that does not touch the surface can be inside: of a closed one with both ends, of an open one with any part."""
    if forest.sign_rule[tree] == WINDING:
        c, reach = forest.centre[tree], forest.reach[tree]
        apart_x = min(s.ax, s.bx) - c[0] > reach or max(s.ax, s.bx) - c[0] < -reach
        apart_y = min(s.ay, s.by) - c[1] > reach or max(s.ay, s.by) - c[1] < -reach
        apart_z = min(s.az, s.bz) - c[2] > reach or max(s.az, s.bz) - c[2] < -reach
        return not (apart_x or apart_y or apart_z)
    return may_be_inside(forest, tree, s.ax, s.ay, s.az) and may_be_inside(forest, tree, s.bx, s.by, s.bz)


@query
def _is_inside(forest: Forest, tree: int, s: Segment, face: int, hit: SegmentHit, work: Workspace) -> bool:
    """Whether an axis that touches the surface nowhere, `hit` being nearest, is inside: by its closest point, or one end's through a hole."""
    px, py, pz = at(s, hit[1])
    if is_inside(forest, tree, face, hit[5], px, py, pz, hit[2], hit[3], hit[4], work):
        return True
    if forest.sign_rule[tree] != WINDING:
        return False
    x, y, z = hit[2], hit[3], hit[4]
    if is_inside(forest, tree, face, plain(FACE), s.ax, s.ay, s.az, x, y, z, work):
        return True
    return is_inside(forest, tree, face, plain(FACE), s.bx, s.by, s.bz, x, y, z, work)


@inlined
def _rounding(forest: Forest, tree: int, s: Segment) -> float:
    """A length that float64 cannot tell from 0 here, mm."""
    c = forest.centre[tree]
    of_structure = max(abs(c[0]), abs(c[1]), abs(c[2])) + forest.reach[tree]
    return float(TOUCH * max(of_structure, abs(s.ax), abs(s.ay), abs(s.az), abs(s.bx), abs(s.by), abs(s.bz)))


@query
def capsule(
    forest: Forest,
    tree: int,
    ax: float,
    ay: float,
    az: float,
    bx: float,
    by: float,
    bz: float,
    radius: float,
    hint: int,
    within: float,
    work: Workspace,
) -> CapsuleHit:
    """Signed distance of a capsule's skin to structure `tree`; a == b is a ball.

    Parameters
    ----------
    ax .. bz, radius : mm; unknown where one is not finite or absurdly far, or the radius is negative
    hint : a face of the structure to measure first, or -1; it saves time and cannot change a bit of the answer
    within : cap, mm >= 0: a skin farther away than this is only said to be farther. A capsule inside a solid is always measured.
    """
    if not (is_askable(ax, ay, az) and is_askable(bx, by, bz) and 0.0 <= radius <= FARTHEST_MM and within >= 0.0):
        return _without_points(np.nan, False, -1)
    s = segment(ax, ay, az, bx, by, bz)
    if s.length2 <= TINY2:
        return _ball(forest, tree, ax, ay, az, radius, hint, within, work)
    face, hit = nearest_to_segment(forest, tree, s, hint, _reaching(within, radius), work)
    if face == NONE and _can_dip_inside(forest, tree, s):
        face, hit = nearest_to_segment(forest, tree, s, hint, np.inf, work)
    if face == NONE:
        return _without_points(within, True, -1)
    distance, of_structure = math.sqrt(hit[0]), face - forest.first_face[tree]
    if distance <= _rounding(forest, tree, s) or _is_inside(forest, tree, s, face, hit, work):
        return _deep(forest, tree, s, of_structure, hit, radius, work)
    if distance - radius > within:
        return _without_points(within, True, of_structure)
    px, py, pz = at(s, hit[1])
    return CapsuleHit(distance - radius, False, False, of_structure, of_structure, hit[2], hit[3], hit[4], px, py, pz)
