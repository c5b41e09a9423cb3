"""Least clearance of a moving capsule: a fast move must not tunnel.

The capsule moves along the screw between two poses (`navtwin.kernels.screw`). Over a part of that time its axis stays inside the convex hull of
where its two ends were at both ends of the part, but for what the ends' paths bend away from their chords. Any direction along which that hull is
apart from a box or a triangle gives a lower bound of their distance that holds throughout; so nothing is sampled, and nothing can slip through.

One walk pairs nodes of the tree with parts of the time and halves whichever is the coarser (branch and bound): a pair is done with when its lower
bound is within TOLERANCE_MM of the least distance found at any moment. The bounds are float32, less what rounding can do to them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from navtwin.kernels.jit import inlined, query
from navtwin.kernels.point import RELATIVE, push_children
from navtwin.kernels.rough import TINY, Vector, beyond_boxes, beyond_triangles, dot, minus, plus, share, times, vector, vectors
from navtwin.kernels.screw import Screw, on_the_way, placed, screw_between
from navtwin.kernels.segment import CapsuleHit, capsule
from navtwin.kernels.segment_triangle import closest_to_triangle, segment
from navtwin.kernels.simd import F32, FAR, WIDTH, Lanes, at_most, choose, first_bit, lower, lowest, root, splat, store, upper
from navtwin.kernels.tree import F64, LEAF, NODE, STACK_SIZE, Forest, Workspace
from navtwin.kernels.triangle import TINY2, Point, closest_on_triangle, triangle

#: A clearance is reported no more than this below the truth, plus rounding: some 1e-6 of the structure's size.
TOLERANCE_MM = 0.006
#: Pairs of a node and a part of the time that are looked at before the bound found so far must do.
MOST_PAIRS = 10_000
#: Times are halved no more often than this.
FINEST = 24
#: Looks at a triangle and the hull in turn: at first, and again before the time is halved.
ROUNDS, MORE_ROUNDS = 2, 8
#: More float32 rounding than this, mm, and the clearance is called loose.
LARGEST_ROUNDING_MM = 0.002


class SweptHit(NamedTuple):
    """Where a moving capsule came nearest to a structure.

    Attributes
    ----------
    clearance : least distance of its skin on the way, mm: never more than the truth, and at most 0.01 mm less unless `is_loose`. Once the axis
        touches, the depth is at least -clearance. The cap itself where `farther`, NaN where unknown.
    when : 0 (before) to 1 (after): of first contact if there is any, else of the least clearance; NaN where farther or unknown
    is_known : False where there is no way between the poses (not rigid, not finite, half a turn) or no such capsule
    farther : the capsule stays farther away than the cap, and outside
    depth_is_bound : the depth is at least -clearance, perhaps more
    is_loose : the search was cut short: the clearance may be much less than the truth
    face : of the structure, nearest at `when`; -1 where farther or unknown
    hint : a face to ask first the next time, or -1
    x .. axis_z : closest points of surface and axis at `when`, mm; NaN where farther or unknown
    """

    clearance: float
    when: float
    is_known: bool
    farther: bool
    depth_is_bound: bool
    is_loose: bool
    face: int
    hint: int
    x: float
    y: float
    z: float
    axis_x: float
    axis_y: float
    axis_z: float


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
def _span(code: int) -> tuple[float, float]:
    """Start and length of a part of the time: 1 is all of it, 2 k and 2 k + 1 are the halves of k."""
    parts = 1
    while 2 * parts <= code:
        parts *= 2
    return (code - parts) / parts, 1.0 / parts


@inlined
def _hull(screw: Screw, c: F64, code: int) -> Hull:
    start, length = _span(code)
    a, b = on_the_way(screw, start)
    a1, b1 = on_the_way(screw, start + length)
    w, v = (b[0] - a[0], b[1] - a[1], b[2] - a[2]), (b1[0] - a1[0], b1[1] - a1[1], b1[2] - a1[2])
    return Hull(
        start,
        length,
        vector(a[0] - c[0], a[1] - c[1], a[2] - c[2]),
        vector(a1[0] - a[0], a1[1] - a[1], a1[2] - a[2]),
        vector(w[0], w[1], w[2]),
        vector(v[0] - w[0], v[1] - w[1], v[2] - w[2]),
        splat(1.0 / (w[0] * w[0] + w[1] * w[1] + w[2] * w[2] + TINY)),
        splat(length * length * screw.bend + screw.slip),
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
def _box_gaps(boxes: F32, at: int, h: Hull) -> Lanes:
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
def _leaf_gaps(corners: F32, at: int, hull: Hull, rounds: int) -> tuple[Lanes, Lanes, Lanes]:
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


class Search(NamedTuple):
    """Scratch-free state of a walk: what is known of the axis' least distance, mm.

    Attributes
    ----------
    low : it is not less than this
    high, when, face : it is not more than this, because of this moment and this face of the forest
    pairs : how many more pairs of a node and a part of the time may be looked at
    """

    low: float
    high: float
    when: float
    face: int
    pairs: int


@inlined
def _is_coarse(forest: Forest, node: int, spread: float) -> bool:
    """Whether the hull is thicker than what the node's first child holds is large."""
    b, at = forest.boxes, NODE * node
    return bool(spread > b[at + 3 * WIDTH] - b[at] + b[at + 4 * WIDTH] - b[at + WIDTH] + b[at + 5 * WIDTH] - b[at + 2 * WIDTH])


@inlined
def _allowance(forest: Forest, tree: int, screw: Screw) -> float:
    """What float32 rounding can do to a bound, mm; see `navtwin.kernels.segment`."""
    c, reach = forest.centre[tree], forest.reach[tree]
    for axis in range(3):
        of_a, of_d = abs(screw.a[axis] - c[axis]), abs(screw.d[axis])
        reach = max(reach, of_a + of_d)
    return float(2.0**-18 * (reach + screw.speed) + RELATIVE * forest.longest[tree])


@query
def _measured(forest: Forest, leaf: int, bits: int, screw: Screw, moment: float, found: Search) -> tuple[float, Search]:
    """The referee: the least distance of the triangles `bits` of a leaf at a moment, and the search with that moment in it."""
    a, b = on_the_way(screw, moment)
    s = segment(a[0], a[1], a[2], b[0], b[1], b[2])
    least, high, when, face = np.inf, found.high, found.when, found.face
    while bits != 0:
        rival = forest.leaf_faces[WIDTH * leaf + first_bit(bits)]
        bits &= bits - 1
        t = triangle(forest, rival)
        distance = math.sqrt(closest_on_triangle(t, a[0], a[1], a[2])[0] if s.length2 <= TINY2 else closest_to_triangle(t, s)[0])
        least = min(least, distance)
        if distance < high:
            high, when, face = distance, moment, rival
    return least, Search(found.low, high, when, face, found.pairs)


@query
def _search(forest: Forest, tree: int, screw: Screw, code: int, enough: float, found: Search, work: Workspace) -> Search:
    """Search a part of the time for a distance more than TOLERANCE_MM below `found.high`; stop once it is not more than `enough`."""
    c, allow = forest.centre[tree], _allowance(forest, tree, screw)
    skew = 0.25 * math.sqrt(screw.wd[0] * screw.wd[0] + screw.wd[1] * screw.wd[1] + screw.wd[2] * screw.wd[2])
    low, high, when, face, pairs = found.low, found.high, found.when, found.face, found.pairs
    work.nodes[0], work.others[0], work.bounds[0] = forest.roots[tree], code, 0.0
    top, hull, of_hull = 1, _hull(screw, c, code), code
    while top > 0 and high > enough:
        top -= 1
        node, bound, limit = work.nodes[top], work.bounds[top], high - TOLERANCE_MM
        if bound >= limit or pairs == 0 or top > STACK_SIZE - 2 * WIDTH:
            pairs = pairs if bound >= limit else 0
            low = min(low, bound)
            continue
        pairs -= 1
        code = work.others[top]
        if code != of_hull:
            hull, of_hull = _hull(screw, c, code), code
        length, moment = hull.length, when
        is_finest = screw.speed * length <= TOLERANCE_MM or code >= 1 << FINEST
        if node >= 0 and (is_finest or not _is_coarse(forest, node, length * (skew + length * screw.bend))):
            gaps = _box_gaps(forest.boxes, NODE * node, hull)
            low = min(low, lowest(choose(gaps, splat(limit), splat(FAR), gaps)))
            below, top = top, push_children(forest, node, at_most(gaps, splat(limit)), gaps, work, top)
            for k in range(below, top):
                work.others[k] = code
            continue
        if node < 0:
            highs, whens, lows = _leaf_gaps(forest.leaf_corners, LEAF * ~node, hull, ROUNDS)
            if at_most(lows, splat(limit)) != 0:
                highs, whens, lows = _leaf_gaps(forest.leaf_corners, LEAF * ~node, hull, MORE_ROUNDS)
            store(work.lanes, 0, whens)
            k = first_bit(at_most(highs, splat(lowest(highs))))
            moment = hull.start + length * work.lanes[k]
            if lowest(highs) + allow < high:
                high, when, face = lowest(highs) + allow, moment, forest.leaf_faces[WIDTH * ~node + k]
                limit = high - TOLERANCE_MM
            bits, bound = at_most(lows, splat(limit)), lowest(lows)
            low = min(low, lowest(choose(lows, splat(limit), splat(FAR), lows)))
            if bits != 0 and is_finest:
                middle = hull.start + 0.5 * length
                distance, at_middle = _measured(forest, ~node, bits, screw, middle, Search(low, high, when, face, pairs))
                low, high, when, face = min(low, distance - 0.5 * screw.speed * length), at_middle.high, at_middle.when, at_middle.face
            if bits == 0 or is_finest:
                continue
        # The half where it seems to come nearest goes first.
        earlier = 1 if moment < hull.start + 0.5 * length else 0
        work.nodes[top], work.others[top], work.bounds[top] = node, 2 * code + earlier, bound
        work.nodes[top + 1], work.others[top + 1], work.bounds[top + 1] = node, 2 * code + 1 - earlier, bound
        top += 2
    low = 0.0 if high <= enough else max(low - allow, 0.0)
    return Search(low, high, when, face, pairs)


@query
def _first_touch(forest: Forest, tree: int, screw: Screw, radius: float, found: Search, work: Workspace) -> Search:
    """`found` with the first moment at which the axis may come within the radius (or TOLERANCE_MM) of the surface; it does not before."""
    touch = max(radius, TOLERANCE_MM)
    beyond = touch + TOLERANCE_MM + 2.0 * _allowance(forest, tree, screw)  # so that what is left aside is surely no touch
    code, when, face, pairs = 1, found.when, found.face, found.pairs
    while True:
        part = _search(forest, tree, screw, code, touch, Search(np.inf, beyond, when, face, pairs), work)
        pairs = part.pairs
        start, length = _span(code)
        if part.low < touch:
            if pairs == 0 or screw.speed * length <= TOLERANCE_MM or code >= 1 << FINEST:
                return Search(found.low, found.high, start, part.face, pairs)
            code *= 2
            continue
        # On to the part of the time that follows: past the end of halves that end together.
        while code % 2 == 1 and code > 1:
            code //= 2
        if code == 1:
            return Search(found.low, found.high, when, face, pairs)
        code += 1


@inlined
def _unknown() -> SweptHit:
    nan = np.nan
    return SweptHit(nan, nan, False, False, False, False, -1, -1, nan, nan, nan, nan, nan, nan)


@inlined
def _farther(within: float, hint: int) -> SweptHit:
    nan = np.nan
    return SweptHit(within, nan, True, True, False, False, -1, hint, nan, nan, nan, nan, nan, nan)


@inlined
def _ask(forest: Forest, tree: int, ends: tuple[Point, Point], radius: float, hint: int, within: float, work: Workspace) -> CapsuleHit:
    (ax, ay, az), (bx, by, bz) = ends
    return capsule(forest, tree, ax, ay, az, bx, by, bz, radius, hint, within, work)


@query
def swept_capsule(forest: Forest, tree: int, part: F64, before: F64, after: F64, hint: int, within: float, work: Workspace) -> SweptHit:
    """Least clearance between structure `tree` and a capsule that moves from one pose to another.

    Parameters
    ----------
    part : (7,) float64, mm, the body's axes: ax ay az bx by bz radius; a == b is a ball
    before, after : (12,) float64, poses of the body in the structure's axes: rows r00 r01 r02 t0, r10 .. t1, r20 .. t2
    hint : a face of the structure to measure first, or -1; it saves time and cannot change a bit of the answer
    within : cap, mm >= 0: a clearance that stays above it is only said to be farther
    """
    is_known, screw = screw_between(part, before, after)
    if not is_known:
        return _unknown()
    radius, way = part[6], screw.speed + screw.slip
    rounding = _allowance(forest, tree, screw)
    margin = 2.0 * TOLERANCE_MM + 4.0 * rounding
    first_ends = placed(before, part[0], part[1], part[2]), placed(before, part[3], part[4], part[5])
    last_ends = placed(after, part[0], part[1], part[2]), placed(after, part[3], part[4], part[5])
    first = _ask(forest, tree, first_ends, radius, hint, within + way + margin, work)
    if first.farther:
        return _farther(within, first.hint)
    last = _ask(forest, tree, last_ends, radius, first.hint, within + way + margin, work)
    if not (first.distance < np.inf and last.distance < np.inf):
        return _unknown()
    if 0.5 * (first.distance + last.distance - way) > within + margin:
        return _farther(within, last.hint)
    # From here on neither the hint nor the cap has a say: the search starts from the same bound, whatever they are.
    hit, when = (first, 0.0) if first.distance <= last.distance else (last, 1.0)
    axis_distance = hit.distance + radius
    found = Search(axis_distance, axis_distance, when, hit.face + forest.first_face[tree], MOST_PAIRS)
    slowest = axis_distance - 0.5 * way
    if way <= TOLERANCE_MM:
        found = Search(slowest, axis_distance, when, found.face, MOST_PAIRS)
    elif axis_distance > 0.0:
        found = _search(forest, tree, screw, 1, TOLERANCE_MM, found, work)
    low = min(max(found.low, slowest), found.high)
    clearance = low - radius if low > 0.0 else min(hit.distance, -radius)
    if clearance > within:
        return _farther(within, hit.hint)
    if first.distance <= 0.0:
        found = Search(low, found.high, 0.0, found.face, found.pairs)
    elif clearance <= 0.0:
        found = _first_touch(forest, tree, screw, radius, found, work)
    if found.when == 0.0:
        hit = first
    elif found.when == 1.0:
        hit = last
    else:
        hit = _ask(forest, tree, on_the_way(screw, found.when), radius, found.face - forest.first_face[tree], np.inf, work)
    return SweptHit(
        min(clearance, hit.distance),
        found.when,
        True,
        False,
        low <= 0.0 or hit.depth_is_bound,
        found.pairs == 0 or rounding > LARGEST_ROUNDING_MM,
        hit.face,
        hit.hint,
        hit.x,
        hit.y,
        hit.z,
        hit.axis_x,
        hit.axis_y,
        hit.axis_z,
    )
