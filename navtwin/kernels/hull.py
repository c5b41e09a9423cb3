"""Where a moving axis can be over a part of the time, and how far that is at least from boxes and triangles, eight at a time, in float32.

Over a part of the time the axis stays inside the convex hull of where its two ends were at both ends of the part, but for what the ends' paths bend
away from their chords. Any direction along which that hull is apart from a box or a triangle gives a lower bound of their distance that holds
throughout.
"""

from __future__ import annotations

from typing import NamedTuple

from navtwin.kernels.jit import inlined
from navtwin.kernels.point import RELATIVE
from navtwin.kernels.rough import TINY, Vector, beyond_boxes, beyond_triangles, dot, minus, plus, share, times, vector, vectors
from navtwin.kernels.screw import Screw
from navtwin.kernels.simd import F32, WIDTH, Lanes, choose, lower, root, splat, upper
from navtwin.kernels.tree import F64, NODE, Forest
from navtwin.kernels.triangle import Point


class Hull(NamedTuple):
    """Where the axis is over a part of the time: near p + s u + t w + s t x with s and t from 0 to 1, by `stray` at most.

    The part starts at `start` and is `length` long.
    """

    start: float
    length: float
    p: Vector
    u: Vector
    w: Vector
    x: Vector
    one_over_length2: Lanes
    stray: Lanes


@inlined
def hull_between(first: tuple[Point, Point], last: tuple[Point, Point], c: F64, start: float, length: float, stray: float) -> Hull:
    """The hull of an axis that starts at `first` and ends at `last`, relative to a structure's centre c."""
    (a, b), (a1, b1) = first, last
    w, v = (b[0] - a[0], b[1] - a[1], b[2] - a[2]), (b1[0] - a1[0], b1[1] - a1[1], b1[2] - a1[2])
    return Hull(
        start,
        length,
        vector(a[0] - c[0], a[1] - c[1], a[2] - c[2]),
        vector(a1[0] - a[0], a1[1] - a[1], a1[2] - a[2]),
        vector(w[0], w[1], w[2]),
        vector(v[0] - w[0], v[1] - w[1], v[2] - w[2]),
        splat(1.0 / (w[0] * w[0] + w[1] * w[1] + w[2] * w[2] + TINY)),
        splat(stray),
    )


@inlined
def _point(h: Hull, s: Lanes, t: Lanes) -> Vector:
    return plus(plus(h.p, times(s, h.u)), times(t, plus(h.w, times(s, h.x))))


@inlined
def _nearer(h: Hull, q: Vector, s: Lanes) -> tuple[Lanes, Lanes]:
    """Better (s, t) of a point of the hull near q: the best t for this s, then the best s for that t."""
    from_p = minus(q, h.p)
    t = share(dot(minus(from_p, times(s, h.u)), plus(h.w, times(s, h.x))) * h.one_over_length2)
    way = plus(h.u, times(t, h.x))
    return share(dot(minus(from_p, times(t, h.w)), way) / (dot(way, way) + splat(TINY))), t


@inlined
def _short_of(h: Hull, s: Lanes, t: Lanes, n: Vector) -> Lanes:
    """How far the lowest corner of the hull along n lies below its point at (s, t), times |n|; not above 0."""
    along_u, along_w, along_x = dot(n, h.u), dot(n, h.w), dot(n, h.x)
    corner = lower(lower(splat(0.0), along_u), lower(along_w, along_u + along_w + along_x))
    return lower(corner - s * along_u - t * (along_w + s * along_x), splat(0.0))


@inlined
def _box_gap(h: Hull, s: Lanes, t: Lanes, n: Vector) -> Lanes:
    nn = dot(n, n)
    return (nn + _short_of(h, s, t, n)) / root(nn + splat(TINY))


@inlined
def box_gaps(boxes: F32, at: int, h: Hull) -> Lanes:
    """Lower bounds, mm, of the axis' distances to a node's eight boxes."""
    low, high = vectors(boxes, at), vectors(boxes, at + 3 * WIDTH)
    s, t = _nearer(h, times(splat(0.5), plus(low, high)), splat(0.5))
    p = _point(h, s, t)
    n = beyond_boxes(p, low, high)
    gap = _box_gap(h, s, t, n)
    s, t = _nearer(h, minus(p, n), s)
    n = beyond_boxes(_point(h, s, t), low, high)
    return upper(upper(gap, _box_gap(h, s, t, n)) - h.stray, splat(0.0))


@inlined
def leaf_gaps(corners: F32, at: int, hull: Hull, rounds: int) -> tuple[Lanes, Lanes, Lanes]:
    """Of a leaf's eight triangles: a distance that the axis has at one moment, where in this part of the time that is, and a lower bound; mm."""
    corner = vectors(corners, at)
    u, v = vectors(corners, at + 3 * WIDTH), vectors(corners, at + 6 * WIDTH)
    h = Hull(hull.start, hull.length, minus(hull.p, corner), hull.u, hull.w, hull.x, hull.one_over_length2, hull.stray)
    zero = splat(0.0)
    s, t = _nearer(h, times(splat(1.0 / 3.0), plus(u, v)), splat(0.5))
    high, low, when = splat(1e15), zero, s
    for _ in range(rounds):
        p = _point(h, s, t)
        n = beyond_triangles(p, u, v)
        q = minus(p, n)
        s, t = _nearer(h, q, s)
        p = _point(h, s, t)
        n = minus(p, q)
        nn = dot(n, n)
        length = root(nn + splat(TINY))
        gap = dot(n, p) + _short_of(h, s, t, n) - upper(upper(dot(n, u), dot(n, v)), zero)
        low = upper(low, gap / length - h.stray)
        when = choose(high, length, when, s)
        high = lower(high, length)
    return high + h.stray, when, low


@inlined
def is_coarse(forest: Forest, node: int, spread: float) -> bool:
    """Whether the hull is thicker than what the node's first child holds is large."""
    b, at = forest.boxes, NODE * node
    return bool(spread > b[at + 3 * WIDTH] - b[at] + b[at + 4 * WIDTH] - b[at + WIDTH] + b[at + 5 * WIDTH] - b[at + 2 * WIDTH])


@inlined
def sweep_allowance(forest: Forest, tree: int, screw: Screw) -> float:
    """What float32 rounding can do to a bound, mm; see `navtwin.kernels.segment`."""
    c, reach = forest.centre[tree], forest.reach[tree]
    for axis in range(3):
        of_a, of_d = abs(screw.a[axis] - c[axis]), abs(screw.d[axis])
        reach = max(reach, of_a + of_d)
    return float(2.0**-18 * (reach + screw.speed) + RELATIVE * forest.longest[tree])
