"""Rough geometry in float32, eight boxes or triangles at a time: what the filters steer by, never what they answer.

A filter needs a direction along which two things are apart; the separating gap along it is then a bound that holds however rough the direction was.
"""

from __future__ import annotations

from navtwin.kernels.jit import inlined
from navtwin.kernels.simd import F32, WIDTH, Lanes, choose, load, lower, splat, upper

Vector = tuple[Lanes, Lanes, Lanes]
#: Keeps a quotient of squares finite; far below the square of any length that matters.
TINY = 1e-35


@inlined
def vector(x: float, y: float, z: float) -> Vector:
    """The same vector in all lanes."""
    return splat(x), splat(y), splat(z)


@inlined
def vectors(flat: F32, at: int) -> Vector:
    """Eight vectors, stored as rows x, y, z."""
    return load(flat, at), load(flat, at + WIDTH), load(flat, at + 2 * WIDTH)


@inlined
def plus(a: Vector, b: Vector) -> Vector:
    """a + b."""
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


@inlined
def minus(a: Vector, b: Vector) -> Vector:
    """a - b."""
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


@inlined
def times(a: Lanes, b: Vector) -> Vector:
    """a b."""
    return a * b[0], a * b[1], a * b[2]


@inlined
def dot(a: Vector, b: Vector) -> Lanes:
    """Scalar products."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@inlined
def share(a: Lanes) -> Lanes:
    """a, held between 0 and 1; 0 where it is NaN."""
    return lower(upper(a, splat(0.0)), splat(1.0))


@inlined
def beyond_boxes(p: Vector, low: Vector, high: Vector) -> Vector:
    """From the closest points of eight boxes to p; 0 inside."""
    x, y, z = lower(upper(p[0], low[0]), high[0]), lower(upper(p[1], low[1]), high[1]), lower(upper(p[2], low[2]), high[2])
    return p[0] - x, p[1] - y, p[2] - z


@inlined
def _shorter(a: Vector, b: Vector) -> Vector:
    aa, bb = dot(a, a), dot(b, b)
    return choose(aa, bb, a[0], b[0]), choose(aa, bb, a[1], b[1]), choose(aa, bb, a[2], b[2])


@inlined
def _beyond_edge(p: Vector, edge: Vector, along: Lanes, length2: Lanes) -> Vector:
    """From the closest point of an edge that starts at 0 to p, given p . edge and |edge|^2."""
    return minus(p, times(share(along / (length2 + splat(TINY))), edge))


@inlined
def beyond_triangles(p: Vector, u: Vector, v: Vector) -> Vector:
    """From the closest points of eight triangles with corners 0, u, v to p (Ericson 2005, section 5.1.5, by trying every feature)."""
    pu, pv, uu, uv, vv = dot(p, u), dot(p, v), dot(u, u), dot(u, v), dot(v, v)
    n = _shorter(_beyond_edge(p, u, pu, uu), _beyond_edge(p, v, pv, vv))
    n = _shorter(_beyond_edge(minus(p, u), minus(v, u), pv - pu + uu - uv, uu + vv - uv - uv), n)
    area = uu * vv - uv * uv
    s, t = vv * pu - uv * pv, uu * pv - uv * pu
    is_over = lower(lower(s, t), area - s - t)
    one_over = splat(1.0) / (area + splat(TINY))
    face = minus(minus(p, times(s * one_over, u)), times(t * one_over, v))
    zero = splat(0.0)
    return choose(zero, is_over, face[0], n[0]), choose(zero, is_over, face[1], n[1]), choose(zero, is_over, face[2], n[2])
