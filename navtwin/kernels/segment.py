"""Closest pair of a segment and a surface, and the capsule built on it.

The closest pair of a segment and a triangle is a piercing point, or lies on an end of the segment or on an edge of the triangle:
one piercing test, two point-triangle and three segment-segment distances (Ericson 2005, sections 5.1.5 and 5.1.9) therefore find it exactly.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from navtwin.kernels.jit import kernel
from navtwin.kernels.point import SLACK, TINY2, Facing, closest_on_triangle, edge_corners, gap2, highest_corner, is_inside, reach_of, signed_nearest
from navtwin.kernels.ray import Ray, aim, hit_triangle
from navtwin.kernels.tree import F64, Forest, Workspace

#: Feature of a hit where the segment passes through the face.
PIERCED = 7
#: A segment nearer than this fraction of reach (1e-9 mm at 1 m) meets the surface: nearer than that, the side is rounding noise.
TOUCH = 1e-12
#: Slack, mm, when the depth at one end is checked against the deepest that the other end leaves possible.
CERTAIN_MM = 1e-9

#: (squared distance, t along the segment, point on the triangle, feature)
SegmentHit = tuple[float, float, float, float, float, int]


class Segment(NamedTuple):
    """A segment a + t d, 0 <= t <= 1, with end b and the ray along it."""

    ax: float
    ay: float
    az: float
    bx: float
    by: float
    bz: float
    dx: float
    dy: float
    dz: float
    length2: float
    ray: Ray


@kernel
def segment(ax: float, ay: float, az: float, bx: float, by: float, bz: float) -> Segment:
    """The segment from a to b. The other functions of this file want it longer than a point: length2 > TINY2."""
    dx, dy, dz = bx - ax, by - ay, bz - az
    return Segment(ax, ay, az, bx, by, bz, dx, dy, dz, dx * dx + dy * dy + dz * dz, aim(ax, ay, az, dx, dy, dz))


@kernel
def at(s: Segment, t: float) -> tuple[float, float, float]:
    """The point at t, exact at both ends."""
    if t >= 1.0:
        return s.bx, s.by, s.bz
    return s.ax + t * s.dx, s.ay + t * s.dy, s.az + t * s.dz


@kernel
def _foot(s: Segment, x: float, y: float, z: float) -> float:
    """t of the point of the segment that is closest to a point."""
    t = (s.dx * (x - s.ax) + s.dy * (y - s.ay) + s.dz * (z - s.az)) / s.length2
    return min(max(t, 0.0), 1.0)


@kernel
def _pair(s: Segment, t: float, x: float, y: float, z: float, feature: int) -> SegmentHit:
    px, py, pz = at(s, t)
    px, py, pz = px - x, py - y, pz - z
    return px * px + py * py + pz * pz, t, x, y, z, feature


@kernel
def closest_on_edge(corners: F64, slot: int, edge: int, s: Segment) -> SegmentHit:
    """Closest pair of the segment and one edge. Like the point's, it gives both faces of a shared edge the same bits."""
    first, last = edge_corners(corners, slot, edge)
    c = corners[slot]
    p, q = 3 * first, 3 * last
    ex, ey, ez = c[q] - c[p], c[q + 1] - c[p + 1], c[q + 2] - c[p + 2]
    length2 = ex * ex + ey * ey + ez * ez
    if length2 <= TINY2:
        return _pair(s, _foot(s, c[p], c[p + 1], c[p + 2]), c[p], c[p + 1], c[p + 2], first)
    # Closest points of the two lines: t = ((p - a) x e) . (d x e) / |d x e|^2, which cancels less than the textbook's determinants.
    nx, ny, nz = s.dy * ez - s.dz * ey, s.dz * ex - s.dx * ez, s.dx * ey - s.dy * ex
    nn = nx * nx + ny * ny + nz * nz
    rx, ry, rz = c[p] - s.ax, c[p + 1] - s.ay, c[p + 2] - s.az
    t = 0.0
    if nn > TINY2:
        t = (nx * (ry * ez - rz * ey) + ny * (rz * ex - rx * ez) + nz * (rx * ey - ry * ex)) / nn
        t = min(max(t, 0.0), 1.0)
    u = (ex * (t * s.dx - rx) + ey * (t * s.dy - ry) + ez * (t * s.dz - rz)) / length2
    if u <= 0.0:
        return _pair(s, _foot(s, c[p], c[p + 1], c[p + 2]), c[p], c[p + 1], c[p + 2], first)
    if u >= 1.0:
        return _pair(s, _foot(s, c[q], c[q + 1], c[q + 2]), c[q], c[q + 1], c[q + 2], last)
    return _pair(s, t, c[p] + u * ex, c[p + 1] + u * ey, c[p + 2] + u * ez, 3 + edge)


@kernel
def closest_to_triangle(corners: F64, slot: int, s: Segment) -> SegmentHit:
    """Closest pair of the segment and one triangle."""
    t = hit_triangle(corners, slot, s.ray)
    if 0.0 <= t <= 1.0:
        x, y, z = at(s, t)
        return 0.0, t, x, y, z, PIERCED
    hit = closest_on_triangle(corners, slot, s.ax, s.ay, s.az)
    best = (hit[0], 0.0, hit[1], hit[2], hit[3], hit[4])
    hit = closest_on_triangle(corners, slot, s.bx, s.by, s.bz)
    if hit[0] < best[0]:
        best = (hit[0], 1.0, hit[1], hit[2], hit[3], hit[4])
    for edge in range(3):
        other = closest_on_edge(corners, slot, edge, s)
        if other[0] < best[0]:
            best = other
    return best


@kernel
def _excess(boxes: F64, node: int, s: Segment, t: float) -> tuple[float, float]:
    """Squared distance from the segment's point at t to a box, and half its slope in t."""
    x, y, z = s.ax + t * s.dx, s.ay + t * s.dy, s.az + t * s.dz
    ex = x - min(max(x, boxes[node, 0]), boxes[node, 3])
    ey = y - min(max(y, boxes[node, 1]), boxes[node, 4])
    ez = z - min(max(z, boxes[node, 2]), boxes[node, 5])
    return ex * ex + ey * ey + ez * ez, ex * s.dx + ey * s.dy + ez * s.dz


@kernel
def box_distance2(boxes: F64, node: int, s: Segment, limit2: float) -> float:
    """Squared distance of the segment to a node's box; where that is beyond limit2, anything between limit2 and it will do.

    Along the segment it is convex, and quadratic between the six places where the segment crosses a plane of the box: each one inside the
    bracket of the minimum narrows it, and the last secant is exact.
    """
    gap = max(boxes[node, 0] - max(s.ax, s.bx), min(s.ax, s.bx) - boxes[node, 3], 0.0) ** 2
    gap += max(boxes[node, 1] - max(s.ay, s.by), min(s.ay, s.by) - boxes[node, 4], 0.0) ** 2
    gap += max(boxes[node, 2] - max(s.az, s.bz), min(s.az, s.bz) - boxes[node, 5], 0.0) ** 2
    if gap > limit2:
        return float(gap)
    low, high = 0.0, 1.0
    d2, slope_low = _excess(boxes, node, s, low)
    if slope_low >= 0.0:
        return d2
    d2, slope_high = _excess(boxes, node, s, high)
    if slope_high <= 0.0:
        return d2
    for i in range(6):
        axis = i % 3
        origin, direction = ((s.ax, s.dx), (s.ay, s.dy), (s.az, s.dz))[axis]
        t = (boxes[node, i] - origin) / direction
        if low < t < high:
            _, slope = _excess(boxes, node, s, t)
            if slope < 0.0:
                low, slope_low = t, slope
            else:
                high, slope_high = t, slope
    d2, _ = _excess(boxes, node, s, low - slope_low * (high - low) / (slope_high - slope_low))
    return d2


@kernel
def _largest(s: Segment) -> float:
    return max(abs(s.ax), abs(s.ay), abs(s.az), abs(s.bx), abs(s.by), abs(s.bz))


@kernel
def _facing(s: Segment, hit: SegmentHit) -> Facing:
    d = math.sqrt(hit[0])
    if not 0.0 < d < np.inf:
        return Facing(0.0, 0.0, 0.0, 0.0)
    px, py, pz = at(s, hit[1])
    nx, ny, nz = (px - hit[2]) / d, (py - hit[3]) / d, (pz - hit[4]) / d
    return Facing(nx, ny, nz, min(nx * s.ax + ny * s.ay + nz * s.az, nx * s.bx + ny * s.by + nz * s.bz))


@kernel
def nearest_to_segment(forest: Forest, tree: int, s: Segment, hint: int, work: Workspace) -> tuple[int, SegmentHit]:
    """The slot of structure `tree` that is nearest to the segment, ties to the lowest face index, and its `SegmentHit`.

    `hint` is a face to measure first, or -1; it saves time and cannot change the answer.
    """
    boxes, links, corners, face = forest.boxes, forest.links, forest.corners, forest.face
    reach = reach_of(forest, tree, _largest(s))
    slack = SLACK * reach * reach
    best_slot = -1
    best = (np.inf, 0.0, 0.0, 0.0, 0.0, 0)
    if 0 <= hint < forest.first_face[tree + 1] - forest.first_face[tree]:
        best_slot = forest.slot[forest.first_face[tree] + hint]
        best = closest_to_triangle(corners, best_slot, s)
    facing = _facing(s, best)
    node, top = forest.roots[tree], 0
    while True:
        first, count = links[node, 0], links[node, 1]
        if count > 0:
            for slot in range(first, first + count):
                if gap2(facing, highest_corner(corners, slot, facing)) > best[0] + slack:
                    continue
                hit = closest_to_triangle(corners, slot, s)
                if hit[0] < best[0] or (hit[0] == best[0] and face[slot] < face[best_slot]):
                    best_slot, best = slot, hit
                    facing = _facing(s, best)
        else:
            near, far = first, first + 1
            limit2 = best[0] + slack
            d_near, d_far = box_distance2(boxes, near, s, limit2), box_distance2(boxes, far, s, limit2)
            if d_far < d_near:
                near, far, d_near, d_far = far, near, d_far, d_near
            if d_far <= limit2:
                work.nodes[top], work.bounds[top] = far, d_far
                top += 1
            if d_near <= limit2:
                node = near
                continue
        while top > 0 and work.bounds[top - 1] > best[0] + slack:
            top -= 1
        if top == 0:
            return best_slot, best
        top -= 1
        node = work.nodes[top]


class CapsuleHit(NamedTuple):
    """Where a capsule is nearest to a structure: distance of its skin, slot, points on surface and axis, hint for the next call."""

    distance: float
    depth_is_bound: bool
    slot: int
    hint: int
    x: float
    y: float
    z: float
    axis_x: float
    axis_y: float
    axis_z: float


@kernel
def capsule(
    forest: Forest, tree: int, ax: float, ay: float, az: float, bx: float, by: float, bz: float, radius: float, hint: int, work: Workspace
) -> CapsuleHit:
    """Signed distance of a capsule's skin to a structure; a == b is a ball.

    Outside, and for a ball, it is exact. Where the axis meets or enters the surface, contact is exact and the depth is at least what is
    returned, min(phi(a), phi(b), 0) - radius; it is a bound unless phi, which changes by no more than the way gone, cannot be lower between a and b.
    """
    s = segment(ax, ay, az, bx, by, bz)
    if s.length2 <= TINY2:
        phi, slot, x, y, z = signed_nearest(forest, tree, ax, ay, az, hint, work)
        return CapsuleHit(phi - radius, False, slot, forest.face[slot], x, y, z, ax, ay, az)
    slot, hit = nearest_to_segment(forest, tree, s, hint, work)
    new_hint = forest.face[slot]
    x, y, z = hit[2], hit[3], hit[4]
    px, py, pz = at(s, hit[1])
    touch = TOUCH * reach_of(forest, tree, _largest(s))
    if hit[0] > touch * touch and not is_inside(forest, tree, slot, hit[5], px - x, py - y, pz - z):
        return CapsuleHit(math.sqrt(hit[0]) - radius, False, slot, new_hint, x, y, z, px, py, pz)
    phi_a, slot_a, qax, qay, qaz = signed_nearest(forest, tree, ax, ay, az, new_hint, work)
    phi_b, slot_b, qbx, qby, qbz = signed_nearest(forest, tree, bx, by, bz, new_hint, work)
    deepest = 0.0
    if phi_a < 0.0 and phi_a <= phi_b:
        deepest, slot, x, y, z, px, py, pz = phi_a, slot_a, qax, qay, qaz, ax, ay, az
    elif phi_b < 0.0:
        deepest, slot, x, y, z, px, py, pz = phi_b, slot_b, qbx, qby, qbz, bx, by, bz
    lowest_possible = 0.5 * (phi_a + phi_b - math.sqrt(s.length2))
    return CapsuleHit(deepest - radius, deepest > lowest_possible + CERTAIN_MM, slot, new_hint, x, y, z, px, py, pz)
