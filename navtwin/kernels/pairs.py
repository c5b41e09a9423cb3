"""The filter of two surfaces: lower bounds in float32 of how near their pieces and triangles can be, eight at a time.

One structure is moved by a rigid pose. Its boxes keep their own axes and so become oriented ones: two boxes are at least as far apart as in the
axes of either (the face axes of Gottschalk, Lin & Manocha 1996, "OBBTree", section 5), where the other is widened to a box of those axes. Boxes
of pieces that face each other are mostly empty, so the gap along the line through their middles, as far as their slabs leave one
(`navtwin.kernels.slabs`), says more. Triangles are held apart by their separating gap along a direction: see `navtwin.kernels.point`.
"""

from __future__ import annotations

from typing import NamedTuple

from navtwin.kernels.jit import inlined
from navtwin.kernels.rough import TINY, Vector, beyond_triangles, dot, minus, plus, times, vector, vectors
from navtwin.kernels.simd import F32, FAR, WIDTH, Lanes, load, lower, root, splat, store, upper
from navtwin.kernels.slabs import reach_along
from navtwin.kernels.tree import F64, I32, NODE, SLAB, Forest

Floats = tuple[float, float, float]


class Pose(NamedTuple):
    """Where the other axes stand in one's own: rows of the rotation, and their origin, mm."""

    x: Floats
    y: Floats
    z: Floats
    t: Floats


class Piece(NamedTuple):
    """A box by its middle and half sizes, and a slab by its normal and where it begins and ends along that from the middle, mm."""

    middle: Floats
    half: Floats
    normal: Floats
    low: float
    high: float


@inlined
def _scalar(a: Floats, b: Floats) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@inlined
def _size(a: Floats) -> Floats:
    return abs(a[0]), abs(a[1]), abs(a[2])


@inlined
def _lanes(a: Floats) -> Vector:
    return vector(a[0], a[1], a[2])


@inlined
def pose_between(forest: Forest, tree: int, other: Forest, other_tree: int, T: F64) -> Pose:
    """The other structure's picture, relative to its centre, as it stands in that of the first."""
    x, y, z = (T[0, 0], T[0, 1], T[0, 2]), (T[1, 0], T[1, 1], T[1, 2]), (T[2, 0], T[2, 1], T[2, 2])
    c, o = forest.centre[tree], other.centre[other_tree]
    middle = (o[0], o[1], o[2])
    return Pose(x, y, z, (_scalar(x, middle) + T[0, 3] - c[0], _scalar(y, middle) + T[1, 3] - c[1], _scalar(z, middle) + T[2, 3] - c[2]))


@inlined
def inverse(p: Pose) -> Pose:
    """Where one's own axes stand in the other ones."""
    x, y, z = (p.x[0], p.y[0], p.z[0]), (p.x[1], p.y[1], p.z[1]), (p.x[2], p.y[2], p.z[2])
    return Pose(x, y, z, (-_scalar(x, p.t), -_scalar(y, p.t), -_scalar(z, p.t)))


@inlined
def _turned(p: Pose, v: Floats) -> Floats:
    return _scalar(p.x, v), _scalar(p.y, v), _scalar(p.z, v)


@inlined
def piece_of(forest: Forest, tree: int, place: int) -> Piece:
    """What stands at a place (node times eight, and lane) of the boxes; the whole structure at places below 0."""
    if place < 0:
        r = forest.reach[tree]
        return Piece((0.0, 0.0, 0.0), (r, r, r), (1.0, 0.0, 0.0), -r, r)
    b, slabs, at = forest.boxes, forest.slabs, NODE * (place // WIDTH) + place % WIDTH
    x0, y0, z0, x1, y1, z1 = b[at], b[at + WIDTH], b[at + 2 * WIDTH], b[at + 3 * WIDTH], b[at + 4 * WIDTH], b[at + 5 * WIDTH]
    middle = (0.5 * (x0 + x1), 0.5 * (y0 + y1), 0.5 * (z0 + z1))
    at = SLAB * (place // WIDTH) + place % WIDTH
    normal = (0.0 + slabs[at], 0.0 + slabs[at + WIDTH], 0.0 + slabs[at + 2 * WIDTH])
    along = _scalar(normal, middle)
    return Piece(middle, (0.5 * (x1 - x0), 0.5 * (y1 - y0), 0.5 * (z1 - z0)), normal, slabs[at + 3 * WIDTH] - along, slabs[at + 4 * WIDTH] - along)


@inlined
def size2(piece: Piece) -> float:
    """Square of half the box's diagonal."""
    return _scalar(piece.half, piece.half)


@inlined
def _outside(low: Lanes, high: Lanes) -> Lanes:
    """How far zero is outside low .. high, squared."""
    gap = upper(upper(low, splat(0.0) - high), splat(0.0))
    return gap * gap


@inlined
def _apart_along(axis: Floats, middle: Vector, half: Vector, other_half: float) -> Lanes:
    """Squared gap between eight boxes and one around 0, seen along an axis of that one."""
    along, reach = dot(_lanes(axis), middle), dot(_lanes(_size(axis)), half) + splat(other_half)
    return _outside(along - reach, along + reach)


@inlined
def boxes_apart2(forest: Forest, node: int, own_from_other: Pose, other: Piece) -> Lanes:
    """Squared lower bound of the distances of a node's eight boxes and a box of the other axes."""
    p, half, boxes, at = own_from_other, splat(0.5), forest.boxes, NODE * node
    turned = _turned(p, other.middle)
    middle = turned[0] + p.t[0], turned[1] + p.t[1], turned[2] + p.t[2]
    wide = _scalar(_size(p.x), other.half), _scalar(_size(p.y), other.half), _scalar(_size(p.z), other.half)
    low, high = vectors(boxes, at), vectors(boxes, at + 3 * WIDTH)
    own = _outside(low[0] - splat(middle[0] + wide[0]), high[0] - splat(middle[0] - wide[0]))
    own = own + _outside(low[1] - splat(middle[1] + wide[1]), high[1] - splat(middle[1] - wide[1]))
    own = own + _outside(low[2] - splat(middle[2] + wide[2]), high[2] - splat(middle[2] - wide[2]))
    # The same in the other's axes: the eight boxes relative to that one's middle, turned there.
    m, h = minus(times(half, plus(low, high)), _lanes(middle)), times(half, minus(high, low))
    back = inverse(p)
    apart = _apart_along(back.x, m, h, other.half[0])
    apart = apart + _apart_along(back.y, m, h, other.half[1])
    apart = apart + _apart_along(back.z, m, h, other.half[2])
    return upper(own, apart)


@inlined
def pieces_apart2(forest: Forest, node: int, own_from_other: Pose, other: Piece) -> Lanes:
    """Squared lower bound of the distances of a node's eight pieces and one of the other axes, seen along the lines through their middles."""
    p, half, back = own_from_other, splat(0.5), inverse(own_from_other)
    turned = _turned(p, other.middle)
    boxes, at, slabs, slab_at = forest.boxes, NODE * node, forest.slabs, SLAB * node
    low, high = vectors(boxes, at), vectors(boxes, at + 3 * WIDTH)
    middle, normal = times(half, plus(low, high)), vectors(slabs, slab_at)
    n, offset = minus(vector(turned[0] + p.t[0], turned[1] + p.t[1], turned[2] + p.t[2]), middle), dot(normal, middle)
    start, end = load(slabs, slab_at + 3 * WIDTH) - offset, load(slabs, slab_at + 4 * WIDTH) - offset
    _, own_end = reach_along(n, normal, start, end, times(half, minus(high, low)))
    n_there = (dot(n, _lanes(back.x)), dot(n, _lanes(back.y)), dot(n, _lanes(back.z)))
    other_start, _ = reach_along(n_there, _lanes(other.normal), splat(other.low), splat(other.high), _lanes(other.half))
    length2 = dot(n, n)
    gap = upper(length2 + other_start - own_end, splat(0.0))
    return gap * gap / (length2 + splat(TINY))


@inlined
def move_leaf(corners: F32, at: int, pose: Pose, moved: F32, to: int) -> None:
    """Write a leaf's eight triangles as they stand in the other picture: a, b - a and c - a."""
    for k in range(3):
        row, v = 3 * k * WIDTH, vectors(corners, at + 3 * k * WIDTH)
        is_place = 1.0 if k == 0 else 0.0
        store(moved, to + row, dot(_lanes(pose.x), v) + splat(is_place * pose.t[0]))
        store(moved, to + row + WIDTH, dot(_lanes(pose.y), v) + splat(is_place * pose.t[1]))
        store(moved, to + row + 2 * WIDTH, dot(_lanes(pose.z), v) + splat(is_place * pose.t[2]))


@inlined
def _one(flat: F32, at: int) -> Vector:
    """One of eight vectors, in all lanes."""
    return vector(flat[at], flat[at + WIDTH], flat[at + 2 * WIDTH])


@inlined
def _farthest(n: Vector, u: Vector, v: Vector) -> Lanes:
    """How far triangles 0, u, v reach along n."""
    return upper(upper(dot(n, u), dot(n, v)), splat(0.0))


@inlined
def _nearest(n: Vector, u: Vector, v: Vector) -> Lanes:
    """Where triangles 0, u, v begin along n."""
    return lower(lower(dot(n, u), dot(n, v)), splat(0.0))


@inlined
def _per_length(gap: Lanes, n: Vector) -> Lanes:
    return gap / root(dot(n, n) + splat(TINY))


@inlined
def piece_gaps(piece: Piece, moved: F32, to: int) -> Lanes:
    """Lower bounds, mm, of the distances of a moved leaf's eight triangles to a piece.

    Each triangle has a direction of its own: from the piece's middle to its closest point.
    """
    a, u, v = minus(vectors(moved, to), _lanes(piece.middle)), vectors(moved, to + 3 * WIDTH), vectors(moved, to + 6 * WIDTH)
    zero = vector(0.0, 0.0, 0.0)
    n = minus(zero, beyond_triangles(minus(zero, a), u, v))
    _, end = reach_along(n, _lanes(piece.normal), splat(piece.low), splat(piece.high), _lanes(piece.half))
    return _per_length(dot(n, a) + _nearest(n, u, v) - end, n)


@inlined
def leaf_gaps(corners: F32, at: int, faces: I32, face_at: int, middle: Floats, moved: F32, to: int) -> Lanes:
    """Lower bounds, mm, of the distances of a moved leaf's eight triangles to the whole of another leaf, around `middle`.

    Each triangle has a direction of its own: from there to its closest point.
    """
    a, u, v = vectors(moved, to), vectors(moved, to + 3 * WIDTH), vectors(moved, to + 6 * WIDTH)
    n = beyond_triangles(minus(_lanes(middle), a), u, v)
    n = minus(vector(0.0, 0.0, 0.0), n)
    reach = splat(-FAR)
    for k in range(WIDTH):
        if faces[face_at + k] >= 0:
            one = at + k
            reach = upper(reach, dot(n, _one(corners, one)) + _farthest(n, _one(corners, one + 3 * WIDTH), _one(corners, one + 6 * WIDTH)))
    return _per_length(dot(n, a) + _nearest(n, u, v) - reach, n)


@inlined
def triangle_bounds(corners: F32, at: int, moved: F32, to: int) -> tuple[Lanes, Lanes]:
    """Squared upper bound and lower bound (mm) of the distances of one moved triangle (`to` names its lane) to a leaf's eight.

    Rough closest points come from projecting to and fro; whatever they are worth, their distance bounds from above and the gap between from below.
    """
    a, u, v = vectors(corners, at), vectors(corners, at + 3 * WIDTH), vectors(corners, at + 6 * WIDTH)
    b, r, s = minus(_one(moved, to), a), _one(moved, to + 3 * WIDTH), _one(moved, to + 6 * WIDTH)
    p = plus(b, times(splat(1.0 / 3.0), plus(r, s)))
    q = minus(p, beyond_triangles(p, u, v))
    p = minus(q, beyond_triangles(minus(q, b), r, s))
    n = beyond_triangles(p, u, v)
    return dot(n, n), _per_length(dot(n, b) + _nearest(n, r, s) - _farthest(n, u, v), n)
