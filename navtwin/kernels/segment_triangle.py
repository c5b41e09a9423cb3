"""The referee of segments: the closest pair of a segment and one triangle, in plain float64.

It is a piercing point, or lies on an end of the segment or on an edge of the triangle: one piercing test, two point-triangle and three
segment-segment distances (Ericson 2005, "Real-Time Collision Detection", sections 5.1.5 and 5.1.9) therefore find it exactly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from navtwin.kernels.jit import inlined, plain, query
from navtwin.kernels.ray import Ray, aim, hit_triangle
from navtwin.kernels.triangle import TINY2, Point, Triangle, closest_on_triangle, in_order

#: Feature of a hit where the segment passes through the face.
PIERCED = 7

#: How far a triangle must lie ahead of an end that is not asked: the square, as a share of that of all coordinates and distances.
AHEAD = 1e-8

#: (squared distance, t along the segment, point on the triangle, feature)
SegmentHit = tuple[float, float, float, float, float, int]


class Segment(NamedTuple):
    """A segment a + t d, 0 <= t <= 1, with end b the ray along it, and `size2`, that no squared coordinate or length exceeds."""

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
    size2: float
    ray: Ray


@inlined
def segment(ax: float, ay: float, az: float, bx: float, by: float, bz: float) -> Segment:
    """The segment from a to b. The other functions of this file want it longer than a point: length2 > TINY2."""
    dx, dy, dz = bx - ax, by - ay, bz - az
    length2, largest = dx * dx + dy * dy + dz * dz, max(abs(ax), abs(ay), abs(az), abs(bx), abs(by), abs(bz))
    return Segment(ax, ay, az, bx, by, bz, dx, dy, dz, length2, length2 + largest * largest, aim(ax, ay, az, dx, dy, dz))


@inlined
def at(s: Segment, t: float) -> tuple[float, float, float]:
    """The point at t, exact at both ends."""
    if t >= 1.0:
        return s.bx, s.by, s.bz
    return s.ax + t * s.dx, s.ay + t * s.dy, s.az + t * s.dz


@inlined
def _foot(s: Segment, x: float, y: float, z: float) -> float:
    """t of the point of the segment that is closest to a point."""
    t = (s.dx * (x - s.ax) + s.dy * (y - s.ay) + s.dz * (z - s.az)) / s.length2
    return min(max(t, 0.0), 1.0)


@inlined
def _pair(s: Segment, t: float, x: float, y: float, z: float, feature: int) -> SegmentHit:
    px, py, pz = at(s, t)
    px, py, pz = px - x, py - y, pz - z
    return px * px + py * py + pz * pz, t, x, y, z, feature


@inlined
def _closest_between(p: Point, q: Point, feature_p: int, feature_q: int, edge: int, s: Segment) -> SegmentHit:
    ex, ey, ez = q[0] - p[0], q[1] - p[1], q[2] - p[2]
    length2 = ex * ex + ey * ey + ez * ez
    if length2 <= TINY2:
        return _pair(s, _foot(s, p[0], p[1], p[2]), p[0], p[1], p[2], feature_p)
    # Closest points of the two lines: t = ((p - a) x e) . (d x e) / |d x e|^2, which cancels less than the textbook's determinants.
    nx, ny, nz = s.dy * ez - s.dz * ey, s.dz * ex - s.dx * ez, s.dx * ey - s.dy * ex
    nn = nx * nx + ny * ny + nz * nz
    rx, ry, rz = p[0] - s.ax, p[1] - s.ay, p[2] - s.az
    t = 0.0
    if nn > TINY2:
        t = (nx * (ry * ez - rz * ey) + ny * (rz * ex - rx * ez) + nz * (rx * ey - ry * ex)) / nn
        t = min(max(t, 0.0), 1.0)
    u = (ex * (t * s.dx - rx) + ey * (t * s.dy - ry) + ez * (t * s.dz - rz)) / length2
    if u <= 0.0:
        return _pair(s, _foot(s, p[0], p[1], p[2]), p[0], p[1], p[2], feature_p)
    if u >= 1.0:
        return _pair(s, _foot(s, q[0], q[1], q[2]), q[0], q[1], q[2], feature_q)
    return _pair(s, t, p[0] + u * ex, p[1] + u * ey, p[2] + u * ez, edge)


@query
def closest_on_edge(p: Point, q: Point, feature_p: int, feature_q: int, edge: int, s: Segment) -> SegmentHit:
    """Closest pair of the segment and the edge p-q. Like the point's, it gives both faces of a shared edge the same bits."""
    if in_order(p, q):
        return _closest_between(p, q, feature_p, feature_q, edge, s)
    return _closest_between(q, p, feature_q, feature_p, edge, s)


@inlined
def _along(s: Segment, p: Point) -> tuple[float, float]:
    """How far ahead of end a a point is, times the segment's length; and its squared distance from there."""
    x, y, z = p[0] - s.ax, p[1] - s.ay, p[2] - s.az
    return s.dx * x + s.dy * y + s.dz * z, x * x + y * y + z * z


@query
def closest_to_triangle(triangle: Triangle, s: Segment, may_meet: bool) -> SegmentHit:
    """Closest pair of the segment and one triangle. `may_meet`: False where they are known to be farther apart than rounding could hide.

    An end is asked only of a triangle that reaches back to it. The others come nearer to the segment than to its end, by m^2 of the squared distance
    if all of the triangle lies m ahead: what a comparison by rounding would need is millions of times less.
    """
    if may_meet:
        t = hit_triangle(triangle, s.ray)
        if 0.0 <= t <= 1.0:
            x, y, z = at(s, t)
            return 0.0, t, x, y, z, PIERCED
    (along_a, a2), (along_b, b2), (along_c, c2) = _along(s, triangle.a), _along(s, triangle.b), _along(s, triangle.c)
    after, before = min(along_a, along_b, along_c), s.length2 - max(along_a, along_b, along_c)
    clear = AHEAD * s.length2 * (s.size2 + max(a2, b2, c2))
    best = (np.inf, 0.0, 0.0, 0.0, 0.0, 0)
    if not (after > 0.0 and after * after > clear):
        hit = closest_on_triangle(triangle, s.ax, s.ay, s.az)
        best = (hit[0], 0.0, hit[1], hit[2], hit[3], hit[4])
    if not (before > 0.0 and before * before > clear):
        hit = closest_on_triangle(triangle, s.bx, s.by, s.bz)
        if hit[0] < best[0]:
            best = (hit[0], 1.0, hit[1], hit[2], hit[3], hit[4])
    other = closest_on_edge(triangle.a, triangle.b, plain(0), plain(1), plain(3), s)
    if other[0] < best[0]:
        best = other
    other = closest_on_edge(triangle.b, triangle.c, plain(1), plain(2), plain(4), s)
    if other[0] < best[0]:
        best = other
    other = closest_on_edge(triangle.c, triangle.a, plain(2), plain(0), plain(5), s)
    if other[0] < best[0]:
        best = other
    return best
