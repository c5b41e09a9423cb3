"""The referee of two triangles: their closest points, in plain float64.

Two triangles that do not meet are closest at a corner of one, or between the insides of two edges. So six corners and nine pairs of edges find
their distance; two that meet have an edge of one passing through the other, or lie in one plane and touch there. Every corner and edge gives the
same bits whichever of its faces is asked: triangles that share it tie.
"""

from __future__ import annotations

import math

import numpy as np

from navtwin.kernels.jit import inlined, query
from navtwin.kernels.ray import aim, hit_triangle
from navtwin.kernels.tree import F64, Forest
from navtwin.kernels.triangle import TINY2, Point, Triangle, closest_on_triangle, in_order, triangle

#: Triangles nearer than this fraction of reach (1e-9 mm at 1 m) meet: nearer than that, the gap is rounding noise.
TOUCH = 1e-12
#: The edges are not asked when nothing can be nearer by more than this fraction: rounding.
CERTAIN = 1e-12
#: Squared distance, mm^2, and the closest points of both.
TrianglePair = tuple[float, Point, Point]


@inlined
def moved(p: Point, T: F64) -> Point:
    """A point taken through a (4, 4) rigid matrix: the one way that it is rounded."""
    return (
        T[0, 0] * p[0] + T[0, 1] * p[1] + T[0, 2] * p[2] + T[0, 3],
        T[1, 0] * p[0] + T[1, 1] * p[1] + T[1, 2] * p[2] + T[1, 3],
        T[2, 0] * p[0] + T[2, 1] * p[1] + T[2, 2] * p[2] + T[2, 3],
    )


@inlined
def moved_triangle(forest: Forest, face: int, T: F64) -> Triangle:
    """The corners of a face, moved."""
    t = triangle(forest, face)
    return Triangle(moved(t.a, T), moved(t.b, T), moved(t.c, T))


@query
def _between_edges(p: Point, q: Point, r: Point, s: Point) -> TrianglePair:
    """Closest points of the edges p-q and r-s, each from its lower corner; infinitely far unless they are inside both."""
    if not in_order(p, q):
        p, q = q, p
    if not in_order(r, s):
        r, s = s, r
    dx, dy, dz = q[0] - p[0], q[1] - p[1], q[2] - p[2]
    ex, ey, ez = s[0] - r[0], s[1] - r[1], s[2] - r[2]
    nx, ny, nz = dy * ez - dz * ey, dz * ex - dx * ez, dx * ey - dy * ex
    nn = nx * nx + ny * ny + nz * nz
    if nn > TINY2:
        wx, wy, wz = r[0] - p[0], r[1] - p[1], r[2] - p[2]
        t = (nx * (wy * ez - wz * ey) + ny * (wz * ex - wx * ez) + nz * (wx * ey - wy * ex)) / nn
        u = (ex * (t * dx - wx) + ey * (t * dy - wy) + ez * (t * dz - wz)) / (ex * ex + ey * ey + ez * ez)
        if 0.0 < t < 1.0 and 0.0 < u < 1.0:
            a, b = (p[0] + t * dx, p[1] + t * dy, p[2] + t * dz), (r[0] + u * ex, r[1] + u * ey, r[2] + u * ez)
            gx, gy, gz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
            return gx * gx + gy * gy + gz * gz, a, b
    return np.inf, p, r


@inlined
def _edge(p: Point, q: Point, other: Triangle, best: TrianglePair) -> TrianglePair:
    """The nearer of `best` and the pairs of an edge of the first with the edges of the other."""
    pair = _between_edges(p, q, other.a, other.b)
    if pair[0] < best[0]:
        best = pair
    pair = _between_edges(p, q, other.b, other.c)
    if pair[0] < best[0]:
        best = pair
    pair = _between_edges(p, q, other.c, other.a)
    return pair if pair[0] < best[0] else best


@inlined
def _corner(p: Point, other: Triangle, best: TrianglePair) -> TrianglePair:
    """The nearer of `best` and the pair of a corner of the first with the other."""
    hit = closest_on_triangle(other, p[0], p[1], p[2])
    return (hit[0], p, (hit[1], hit[2], hit[3])) if hit[0] < best[0] else best


@inlined
def _ahead(p: Point, t: Triangle, n: Point) -> float:
    """How far a triangle begins ahead of its point p, seen along n; 0 or less."""
    along_a = n[0] * (t.a[0] - p[0]) + n[1] * (t.a[1] - p[1]) + n[2] * (t.a[2] - p[2])
    along_b = n[0] * (t.b[0] - p[0]) + n[1] * (t.b[1] - p[1]) + n[2] * (t.b[2] - p[2])
    along_c = n[0] * (t.c[0] - p[0]) + n[1] * (t.c[1] - p[1]) + n[2] * (t.c[2] - p[2])
    return min(along_a, along_b, along_c)


@inlined
def _is_certain(one: Triangle, other: Triangle, pair: TrianglePair) -> bool:
    """Whether two planes across the line between the points hold the triangles apart by as much: then nothing is nearer."""
    d2, p, q = pair
    n, back = (q[0] - p[0], q[1] - p[1], q[2] - p[2]), (p[0] - q[0], p[1] - q[1], p[2] - q[2])
    return bool(d2 > 0.0 and min(_ahead(p, one, back), _ahead(q, other, n)) >= -CERTAIN * d2)


@query
def closest_triangles(one: Triangle, other: Triangle) -> TrianglePair:
    """Closest points of two triangles that do not pass through each other."""
    best = (np.inf, one.a, other.a)
    best = _corner(one.a, other, best)
    best = _corner(one.b, other, best)
    best = _corner(one.c, other, best)
    other_best = (best[0], best[2], best[1])
    other_best = _corner(other.a, one, other_best)
    other_best = _corner(other.b, one, other_best)
    other_best = _corner(other.c, one, other_best)
    best = (other_best[0], other_best[2], other_best[1])
    if _is_certain(one, other, best):
        return best
    best = _edge(one.a, one.b, other, best)
    best = _edge(one.b, one.c, other, best)
    return _edge(one.c, one.a, other, best)


@query
def pierced_at(p: Point, q: Point, t: Triangle) -> float:
    """Where the edge p-q passes through a triangle: 0 at p, 1 at q; else inf."""
    dx, dy, dz = q[0] - p[0], q[1] - p[1], q[2] - p[2]
    if dx * dx + dy * dy + dz * dz <= TINY2:
        return np.inf
    at = hit_triangle(t, aim(p[0], p[1], p[2], dx, dy, dz))
    return at if 0.0 <= at <= 1.0 else np.inf


@inlined
def _along(p: Point, q: Point, t: float) -> Point:
    return p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1]), p[2] + t * (q[2] - p[2])


@query
def crossing(one: Triangle, other: Triangle) -> tuple[bool, Point]:
    """Whether an edge of one passes through the other, and the first such point in the order of the edges."""
    for is_swapped in range(2):
        edges, through = (one, other) if is_swapped == 0 else (other, one)
        t = pierced_at(edges.a, edges.b, through)
        if math.isfinite(t):
            return True, _along(edges.a, edges.b, t)
        t = pierced_at(edges.b, edges.c, through)
        if math.isfinite(t):
            return True, _along(edges.b, edges.c, t)
        t = pierced_at(edges.c, edges.a, through)
        if math.isfinite(t):
            return True, _along(edges.c, edges.a, t)
    return False, one.a
