"""Exact squared distances of points, segments and rays to triangles: no rounding anywhere, so near-ties have one right answer.

Every float64 is a fraction whose denominator is a power of two. All coordinates of one question are brought to one such denominator and the geometry
is done in Python integers; the answer is a `Fraction`. Nothing is shared with the float64 oracles but the definition of distance.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise

Vec = tuple[int, int, int]
Point = Sequence[float]


def _whole(*points: Point) -> tuple[int, list[Vec]]:
    """(k, the points times 2^k), all of them whole."""
    ratios = [[float(x).as_integer_ratio() for x in p] for p in points]
    k = max(d.bit_length() - 1 for p in ratios for _, d in p)
    return k, [tuple(n << (k - d.bit_length() + 1) for n, d in p) for p in ratios]  # type: ignore[misc]


def _sub(a: Vec, b: Vec) -> Vec:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _dot(a: Vec, b: Vec) -> int:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Vec, b: Vec) -> Vec:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


def _point_segment(p: Vec, a: Vec, b: Vec) -> Fraction:
    d, w = _sub(b, a), _sub(p, a)
    along, length2 = _dot(w, d), _dot(d, d)
    if along <= 0 or length2 == 0:
        return Fraction(_dot(w, w))
    if along >= length2:
        w = _sub(p, b)
        return Fraction(_dot(w, w))
    return Fraction(_dot(w, w) * length2 - along * along, length2)


def _edges(triangle: Sequence[Vec]) -> Iterable[tuple[Vec, Vec]]:
    return pairwise((*triangle, triangle[0]))


def _point_triangle(p: Vec, triangle: Sequence[Vec]) -> Fraction:
    a, b, c = triangle
    n = _cross(_sub(b, a), _sub(c, a))
    if n != (0, 0, 0) and all(_dot(_cross(_sub(v, u), _sub(p, u)), n) >= 0 for u, v in _edges(triangle)):
        return Fraction(_dot(n, _sub(p, a)) ** 2, _dot(n, n))
    return min(_point_segment(p, u, v) for u, v in _edges(triangle))


def _segment_segment(a: Vec, b: Vec, c: Vec, d: Vec) -> Fraction:
    """The quadratic is convex: its free minimum if that lies on both segments, else an end of one against the other."""
    u, v, w = _sub(b, a), _sub(d, c), _sub(c, a)
    n = _cross(u, v)
    nn = _dot(n, n)
    if nn and 0 <= _dot(_cross(w, v), n) <= nn and 0 <= _dot(_cross(w, u), n) <= nn:
        return Fraction(_dot(w, n) ** 2, nn)
    return min(_point_segment(a, c, d), _point_segment(b, c, d), _point_segment(c, a, b), _point_segment(d, a, b))


def _pierces(a: Vec, b: Vec, triangle: Sequence[Vec]) -> bool:
    """The segment crosses the triangle's plane once, inside the triangle or on its outline. (One in the plane meets an edge: not seen here.)"""
    p, q, r = triangle
    n = _cross(_sub(q, p), _sub(r, p))
    above, below = _dot(n, _sub(a, p)), _dot(n, _sub(b, p))
    if above == below or above * below > 0:
        return False
    sides = [_dot(_sub(b, a), _cross(_sub(u, a), _sub(v, a))) for u, v in _edges(triangle)]
    return all(s >= 0 for s in sides) or all(s <= 0 for s in sides)


def _segment_triangle(a: Vec, b: Vec, triangle: Sequence[Vec]) -> Fraction:
    if _pierces(a, b, triangle):
        return Fraction(0)
    ends = min(_point_triangle(a, triangle), _point_triangle(b, triangle))
    return min(ends, *(_segment_segment(a, b, u, v) for u, v in _edges(triangle)))


def point_triangle(p: Point, triangle: Sequence[Point]) -> Fraction:
    """Squared distance, mm^2."""
    k, (q, *corners) = _whole(p, *triangle)
    return _point_triangle(q, corners) / 4**k


def segment_triangle(a: Point, b: Point, triangle: Sequence[Point]) -> Fraction:
    """Squared distance, mm^2; 0 where they meet."""
    k, (s, e, *corners) = _whole(a, b, *triangle)
    return _segment_triangle(s, e, corners) / 4**k


def triangle_triangle(one: Sequence[Point], other: Sequence[Point]) -> Fraction:
    """Squared distance, mm^2; 0 where they meet: two triangles that meet do so on an edge of one of them."""
    k, corners = _whole(*one, *other)
    first, second = corners[:3], corners[3:]
    ways = [_segment_triangle(u, v, second) for u, v in _edges(first)] + [_segment_triangle(u, v, first) for u, v in _edges(second)]
    return min(ways) / 4**k


def ray_meets_triangle(origin: Point, direction: Point, triangle: Sequence[Point]) -> Fraction | None:
    """How many times `direction` the hit is away; None where there is none or the ray lies in the triangle's plane. The outline belongs to it."""
    _, (o, d, *corners) = _whole(origin, direction, *triangle)
    a, b, c = corners
    n = _cross(_sub(b, a), _sub(c, a))
    towards, height = _dot(n, d), _dot(n, _sub(a, o))
    if towards == 0 or height * towards < 0:
        return None
    sides = [_dot(d, _cross(_sub(u, o), _sub(v, o))) for u, v in _edges(corners)]
    return Fraction(height, towards) if all(s >= 0 for s in sides) or all(s <= 0 for s in sides) else None


def nearest_faces(p: Point, triangles: Sequence[Sequence[Point]]) -> tuple[Fraction, list[int]]:
    """The least squared distance and the indices of all triangles exactly that near, lowest first."""
    squared = [point_triangle(p, t) for t in triangles]
    least = min(squared)
    return least, [k for k, d in enumerate(squared) if d == least]
