"""Least clearance of a moving capsule: a fast move must not tunnel.

The capsule moves along the screw between two poses (`navtwin.kernels.screw`). Over a part of that time its axis stays inside a hull
(`navtwin.kernels.hull`) whose distances hold throughout; so nothing is sampled, and nothing can slip through.

One walk pairs nodes of the tree with parts of the time and halves whichever is the coarser (branch and bound): a pair is done with when its lower
bound is within TOLERANCE_MM of the least distance found at any moment. The bounds are float32, less what rounding can do to them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from navtwin.kernels.hull import Hull, box_gaps, hull_between, is_coarse, leaf_gaps, sweep_allowance
from navtwin.kernels.jit import inlined, plain, query
from navtwin.kernels.point import push_children
from navtwin.kernels.screw import Screw, on_the_way, placed, screw_between
from navtwin.kernels.segment import CapsuleHit, capsule
from navtwin.kernels.segment_triangle import closest_to_triangle, segment
from navtwin.kernels.simd import FAR, WIDTH, at_most, choose, first_bit, lowest, splat, store
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
    return hull_between(on_the_way(screw, start), on_the_way(screw, start + length), c, start, length, length * length * screw.bend + screw.slip)


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
        distance = math.sqrt(closest_on_triangle(t, a[0], a[1], a[2])[0] if s.length2 <= TINY2 else closest_to_triangle(t, s, True)[0])
        least = min(least, distance)
        if distance < high:
            high, when, face = distance, moment, rival
    return least, Search(found.low, high, when, face, found.pairs)


@query
def _search(forest: Forest, tree: int, screw: Screw, code: int, enough: float, found: Search, work: Workspace) -> Search:
    """Search a part of the time for a distance more than TOLERANCE_MM below `found.high`; stop once it is not more than `enough`."""
    c, allow = forest.centre[tree], sweep_allowance(forest, tree, screw)
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
        code = 0 + work.others[top]  # an int64, as at first, or all that depends on it would be compiled again
        if code != of_hull:
            hull, of_hull = _hull(screw, c, code), code
        length, moment = hull.length, when
        is_finest = screw.speed * length <= TOLERANCE_MM or code >= 1 << FINEST
        if node >= 0 and (is_finest or not is_coarse(forest, node, length * (skew + length * screw.bend))):
            gaps = box_gaps(forest.boxes, NODE * node, hull)
            low = min(low, lowest(choose(gaps, splat(limit), splat(FAR), gaps)))
            below, top = top, push_children(forest, node, at_most(gaps, splat(limit)), gaps, work, top)
            for k in range(below, top):
                work.others[k] = code
            continue
        if node < 0:
            highs, whens, lows = leaf_gaps(forest.leaf_corners, LEAF * ~node, hull, ROUNDS)
            if at_most(lows, splat(limit)) != 0:
                highs, whens, lows = leaf_gaps(forest.leaf_corners, LEAF * ~node, hull, MORE_ROUNDS)
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
    beyond = touch + TOLERANCE_MM + 2.0 * sweep_allowance(forest, tree, screw)  # so that what is left aside is surely no touch
    code, when, face, pairs = plain(1), found.when, found.face, found.pairs
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
    rounding = sweep_allowance(forest, tree, screw)
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
        found = _search(forest, tree, screw, plain(1), TOLERANCE_MM, found, work)
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
