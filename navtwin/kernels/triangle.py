"""The referee: the closest point of one triangle, in plain float64.

Ericson 2005, "Real-Time Collision Detection", section 5.1.5, with three changes. The barycentric terms are taken from cross products, which lose
less to cancellation; needles are measured along their longest edge and across it, which loses nothing. Edge points are computed from the lower
corner (in x, then y, then z), whichever way the face runs, so that two faces sharing an edge give the same bits and the tie goes to the lowest face.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from navtwin.kernels.jit import inlined, plain, query
from navtwin.kernels.tree import Forest

#: A triangle lower than this fraction of its longest edge has no normal: it would be rounding noise.
FLATNESS = 1e-8
#: A needle lower than this fraction is its outline: what stands up from it is rounding.
NOISE = 1e-14
#: One lower than this fraction is a needle: its barycentric coordinates would lose half their digits.
THIN = 1e-4
#: Features of a triangle: corners 0, 1, 2; edges 01, 12, 20 as 3, 4, 5; the face itself.
FACE = 6
#: Squared length, mm^2, below which a segment is a point: its reciprocal would overflow.
TINY2 = 1e-200

Point = tuple[float, float, float]
#: (squared distance, closest point, feature)
Hit = tuple[float, float, float, float, int]


class Triangle(NamedTuple):
    """Three corners, mm."""

    a: Point
    b: Point
    c: Point


@inlined
def triangle(forest: Forest, face: int) -> Triangle:
    """The corners of a face."""
    v, f = forest.vertices, forest.faces
    i, j, k = f[face, 0], f[face, 1], f[face, 2]
    return Triangle((v[i, 0], v[i, 1], v[i, 2]), (v[j, 0], v[j, 1], v[j, 2]), (v[k, 0], v[k, 1], v[k, 2]))


@inlined
def cross(a: Point, b: Point) -> Point:
    """a x b."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@inlined
def minus(a: Point, b: Point) -> Point:
    """a - b."""
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


@inlined
def dot(a: Point, b: Point) -> float:
    """a . b."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@inlined
def in_order(p: Point, q: Point) -> bool:
    """Whether p is the lower corner of the two."""
    return p[0] < q[0] or (p[0] == q[0] and (p[1] < q[1] or (p[1] == q[1] and p[2] <= q[2])))


@inlined
def _closest_between(p: Point, q: Point, feature_p: int, feature_q: int, edge: int, x: float, y: float, z: float) -> Hit:
    ux, uy, uz = q[0] - p[0], q[1] - p[1], q[2] - p[2]
    along = ux * (x - p[0]) + uy * (y - p[1]) + uz * (z - p[2])
    length2 = ux * ux + uy * uy + uz * uz
    if along <= 0.0 or length2 <= TINY2:
        feature, cx, cy, cz = feature_p, p[0], p[1], p[2]
    elif along >= length2:
        feature, cx, cy, cz = feature_q, q[0], q[1], q[2]
    else:
        s = along / length2
        feature, cx, cy, cz = edge, p[0] + s * ux, p[1] + s * uy, p[2] + s * uz
    dx, dy, dz = x - cx, y - cy, z - cz
    return dx * dx + dy * dy + dz * dz, cx, cy, cz, feature


@inlined
def closest_on_edge(p: Point, q: Point, feature_p: int, feature_q: int, edge: int, x: float, y: float, z: float) -> Hit:
    """Closest point of the edge p-q, whose corners and middle have these features."""
    if in_order(p, q):
        return _closest_between(p, q, feature_p, feature_q, edge, x, y, z)
    return _closest_between(q, p, feature_q, feature_p, edge, x, y, z)


@query
def _closest_on_outline(t: Triangle, x: float, y: float, z: float) -> Hit:
    """Closest point of the three edges: what a flat triangle acts as."""
    best = closest_on_edge(t.a, t.b, plain(0), plain(1), plain(3), x, y, z)
    other = closest_on_edge(t.b, t.c, plain(1), plain(2), plain(4), x, y, z)
    if other[0] < best[0]:
        best = other
    other = closest_on_edge(t.c, t.a, plain(2), plain(0), plain(5), x, y, z)
    if other[0] < best[0]:
        best = other
    return best


@query
def is_flat(t: Triangle) -> bool:
    """Whether a triangle has no plane to speak of: nothing passes through it."""
    a, b, c = t.a, t.b, t.c
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    uu, vv, uv = ux * ux + uy * uy + uz * uz, vx * vx + vy * vy + vz * vz, ux * vx + uy * vy + uz * vz
    longest2 = max(uu, vv, uu + vv - 2.0 * uv)
    return bool(nx * nx + ny * ny + nz * nz <= FLATNESS * FLATNESS * longest2 * longest2)


@query
def _closest_on_needle(a: Point, b: Point, c: Point, x: float, y: float, z: float, outline: Hit) -> Hit:
    """Closest point of a needle whose longest edge is a-b, its outline's being known.

    In the plane's own axes, along a-b and across, the foot is as exact as the lengths are, however thin the needle: what the direction across
    loses to cancellation counts over the needle's height only.
    """
    ex, ey, ez = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    length = math.sqrt(ex * ex + ey * ey + ez * ez)
    if not length > 0.0:
        return outline
    ex, ey, ez = ex / length, ey / length, ez / length
    vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    top = vx * ex + vy * ey + vz * ez
    vx, vy, vz = vx - top * ex, vy - top * ey, vz - top * ez
    height = math.sqrt(vx * vx + vy * vy + vz * vz)
    if not height > NOISE * length:
        return outline
    vx, vy, vz = vx / height, vy / height, vz / height
    px, py, pz = x - a[0], y - a[1], z - a[2]
    along = px * ex + py * ey + pz * ez
    # Without its part along the edge first: the direction across is at right angles to the edge but for what was lost to cancellation.
    across = (px - along * ex) * vx + (py - along * ey) * vy + (pz - along * ez) * vz
    up = across / height
    if not (0.0 < up < 1.0 and up * top < along < length + up * (top - length)):
        return outline
    cx, cy, cz = a[0] + along * ex + across * vx, a[1] + along * ey + across * vy, a[2] + along * ez + across * vz
    dx, dy, dz = x - cx, y - cy, z - cz
    d2 = dx * dx + dy * dy + dz * dz
    return (d2, cx, cy, cz, FACE) if d2 < outline[0] else outline


@query
def _closest_on_thin(t: Triangle, x: float, y: float, z: float, ab2: float, ca2: float, bc2: float) -> Hit:
    """Closest point of a needle, given its squared edges."""
    outline = _closest_on_outline(t, x, y, z)
    if ab2 >= max(ca2, bc2):
        return _closest_on_needle(t.a, t.b, t.c, x, y, z, outline)
    if ca2 >= bc2:
        return _closest_on_needle(t.c, t.a, t.b, x, y, z, outline)
    return _closest_on_needle(t.b, t.c, t.a, x, y, z, outline)


@query
def closest_on_triangle(t: Triangle, x: float, y: float, z: float) -> Hit:
    """Closest point of one triangle: (squared distance, point, feature)."""
    a, b, c = t.a, t.b, t.c
    px, py, pz = x - a[0], y - a[1], z - a[2]
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    d1, d2 = ux * px + uy * py + uz * pz, vx * px + vy * py + vz * pz
    uu, vv, uv = ux * ux + uy * uy + uz * uz, vx * vx + vy * vy + vz * vz, ux * vx + uy * vy + uz * vz
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    nn = nx * nx + ny * ny + nz * nz
    longest2 = max(uu, vv, uu + vv - 2.0 * uv)
    if nn <= THIN * THIN * longest2 * longest2:
        return _closest_on_thin(t, x, y, z, uu, vv, uu + vv - 2.0 * uv)
    if d1 <= 0.0 and d2 <= 0.0:
        return px * px + py * py + pz * pz, a[0], a[1], a[2], 0
    d3, d4 = d1 - uu, d2 - uv  # dot products with the vector from corner 1
    if d3 >= 0.0 and d4 <= d3:
        qx, qy, qz = x - b[0], y - b[1], z - b[2]
        return qx * qx + qy * qy + qz * qz, b[0], b[1], b[2], 1
    d5, d6 = d1 - uv, d2 - vv  # and from corner 2
    if d6 >= 0.0 and d5 <= d6:
        qx, qy, qz = x - c[0], y - c[1], z - c[2]
        return qx * qx + qy * qy + qz * qz, c[0], c[1], c[2], 2
    # n . (u x p) and n . (p x v): twice the area of the sub-triangles opposite corners 2 and 1, times |n|.
    w2 = nx * (uy * pz - uz * py) + ny * (uz * px - ux * pz) + nz * (ux * py - uy * px)
    w1 = nx * (py * vz - pz * vy) + ny * (pz * vx - px * vz) + nz * (px * vy - py * vx)
    if w2 <= 0.0 and d1 >= 0.0 and d3 <= 0.0:
        return closest_on_edge(a, b, plain(0), plain(1), plain(3), x, y, z)
    if w1 <= 0.0 and d2 >= 0.0 and d6 <= 0.0:
        return closest_on_edge(c, a, plain(2), plain(0), plain(5), x, y, z)
    if nn - w1 - w2 <= 0.0 and d4 - d3 >= 0.0 and d5 - d6 >= 0.0:
        return closest_on_edge(b, c, plain(1), plain(2), plain(4), x, y, z)
    s, r = min(max(w1 / nn, 0.0), 1.0), min(max(w2 / nn, 0.0), 1.0)
    cx, cy, cz = a[0] + s * ux + r * vx, a[1] + s * uy + r * vy, a[2] + s * uz + r * vz
    dx, dy, dz = x - cx, y - cy, z - cz
    return dx * dx + dy * dy + dz * dz, cx, cy, cz, FACE
