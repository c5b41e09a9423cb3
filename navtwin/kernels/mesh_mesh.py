"""Closest pair of two surfaces, one of them moved: two trees walked together, exact.

Filter, then referee, as in `navtwin.kernels.point`. The filter (`navtwin.kernels.pairs`) walks pairs of pieces, the nearest first; of each pair it
opens the larger one, and measures its eight children at once. Of two leaves it first holds each moved triangle against the whole other leaf, then
against each of its triangles. The referee (`navtwin.kernels.triangles`) measures what is left in float64.

A hint or a cap can only leave out pairs that cannot win; it never changes the order of the others, which comes from the trees and the pose alone.
So it changes no bit of the answer, not even which of many pairs that meet is named: the first one in that order.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from navtwin.kernels.jit import inlined, query
from navtwin.kernels.pairs import (
    Piece,
    Pose,
    boxes_apart2,
    inverse,
    leaf_gaps,
    move_leaf,
    piece_gaps,
    piece_of,
    pieces_apart2,
    pose_between,
    size2,
    triangle_bounds,
)
from navtwin.kernels.point import FARTHEST_MM, NONE, Allowance, loosened
from navtwin.kernels.simd import WIDTH, Lanes, at_most, first_bit, lowest, prefetch, splat, store, upper
from navtwin.kernels.tree import CANDIDATES, F64, LEAF, NODE, Forest, Workspace
from navtwin.kernels.triangle import Point, triangle
from navtwin.kernels.triangles import TOUCH, TrianglePair, closest_triangles, crossing, moved_triangle

#: The place of the box around a whole structure.
ROOT = -1
#: One half of the candidates' memory holds the faces of one surface, one half those of the other.
PAIRS = CANDIDATES // 2
#: Where the eight lower bounds of two leaves and the moved leaf lie in `lanes`, behind the eight numbers that are being sorted.
GAPS = WIDTH
MOVED = 2 * WIDTH
#: What rounding can do to a bound, as a share of reach: float32 poses, coordinates and scalar products, and a pose that is rigid to 1e-6 only.
ROUNDING = 2.0**-17

#: Faces of both forests, and how near they are.
FacePair = tuple[int, int, TrianglePair]


class PairHit(NamedTuple):
    """Where two surfaces are nearest, mm, in the first one's frame.

    Attributes
    ----------
    distance : 0 where they meet: no depth is claimed; `within` where they are farther apart; NaN where unknown
    face, other_face : those of the structures, the next call's hints; -1 where there is none
    point, other_point : one on each face, the same one where they meet; NaN where there is none
    farther : only that they are farther apart than `within` is told
    """

    distance: float
    face: int
    other_face: int
    point: Point
    other_point: Point
    farther: bool


class _Question(NamedTuple):
    """What is asked: the pose as numbers and as seen from either side, and below which distance, mm, two triangles meet."""

    forest: Forest
    tree: int
    other: Forest
    other_tree: int
    T: F64
    pose: Pose
    back: Pose
    allow: Allowance
    touch: float


@inlined
def _is_askable(pose: Pose) -> bool:
    """Whether the pose is finite, can turn and takes nothing absurdly far away: a sum is NaN if a part is, unlike a maximum."""
    x, y, z, t = pose.x, pose.y, pose.z, pose.t
    turns = abs(x[0]) + abs(x[1]) + abs(x[2]) <= 2.0 and abs(y[0]) + abs(y[1]) + abs(y[2]) <= 2.0 and abs(z[0]) + abs(z[1]) + abs(z[2]) <= 2.0
    return bool(turns and abs(t[0]) + abs(t[1]) + abs(t[2]) <= 0.5 * FARTHEST_MM)


@inlined
def _child(forest: Forest, tree: int, place: int) -> int:
    """What stands at a place: an inner node, or the complement of a leaf."""
    return int(forest.roots[tree] if place < 0 else forest.children[place])


@inlined
def _push(opened: Forest, node: int, kept: int, is_other: bool, bits: int, bounds: Lanes, work: Workspace, top: int) -> int:
    """Put the pairs of `kept` and those children of an opened node that `bits` names on the stack, the nearest on top; return the new height."""
    store(work.lanes, 0, bounds)
    base = top
    while bits != 0:
        k = first_bit(bits)
        bits &= bits - 1
        place, bound = WIDTH * node + k, work.lanes[k]
        child = opened.children[place]
        if child >= 0:
            prefetch(opened.boxes, NODE * child)
        else:
            prefetch(opened.leaf_corners, LEAF * ~child)
        at = top
        while at > base and work.bounds[at - 1] < bound:
            work.nodes[at], work.others[at], work.bounds[at] = work.nodes[at - 1], work.others[at - 1], work.bounds[at - 1]
            at -= 1
        work.nodes[at], work.others[at], work.bounds[at] = (kept, place, bound) if is_other else (place, kept, bound)
        top += 1
    return top


@inlined
def _open(opened: Forest, node: int, own_from_other: Pose, other: Piece, kept: int, is_other: bool, bound2: float, work: Workspace, top: int) -> int:
    """Measure the children of a node against a piece of the other side, and push those that may be near; return the new height."""
    d2 = boxes_apart2(opened, node, own_from_other, other)
    if at_most(d2, splat(bound2)) == 0:
        return top
    d2 = upper(d2, pieces_apart2(opened, node, own_from_other, other))
    return _push(opened, node, kept, is_other, at_most(d2, splat(bound2)), d2, work, top)


@inlined
def _gather(q: _Question, leaf: int, other_face: int, lane: int, bound: float, work: Workspace, count: int) -> tuple[int, float, bool]:
    """Add a moved triangle's pairs with a leaf that may be nearest to the candidates; return their number, the bound, and whether any may meet."""
    high2, low = triangle_bounds(q.forest.leaf_corners, LEAF * leaf, work.lanes, MOVED + lane)
    bound = min(bound, loosened(math.sqrt(lowest(high2)), q.allow))
    bits = at_most(low, splat(bound))
    store(work.lanes, 0, low)
    while bits != 0:
        k = first_bit(bits)
        bits &= bits - 1
        work.found[count], work.found[PAIRS + count], work.gaps[count] = q.forest.leaf_faces[WIDTH * leaf + k], other_face, work.lanes[k]
        count += 1
    return count, bound, at_most(low, splat(q.allow.fixed)) != 0


@query
def _measured(forest: Forest, face: int, other: Forest, other_face: int, T: F64, may_meet: bool) -> TrianglePair:
    """The referee's word on one pair of faces."""
    one, moved = triangle(forest, face), moved_triangle(other, other_face, T)
    if may_meet:
        crosses, p = crossing(one, moved)
        if crosses:
            return 0.0, p, p
    return closest_triangles(one, moved)


@query
def _settle(q: _Question, work: Workspace, count: int, bound: float, best: FacePair) -> FacePair:
    """The nearest of the candidates within `bound` and of `best`, which was nearest so far; the first that meets ends the search."""
    face, other_face, pair = best
    for k in range(count):
        if pair[0] <= q.touch * q.touch:
            break
        if work.gaps[k] <= bound:
            rival, other_rival = work.found[k], work.found[PAIRS + k]
            new = _measured(q.forest, rival, q.other, other_rival, q.T, work.gaps[k] <= q.allow.fixed)
            if new[0] < pair[0] or (new[0] == pair[0] and (rival < face or (rival == face and other_rival < other_face))):
                face, other_face, pair = rival, other_rival, new
    return face, other_face, pair


@inlined
def _compare(
    q: _Question, leaf: int, middle: Point, other_leaf: int, bound: float, work: Workspace, count: int, best: FacePair
) -> tuple[int, float, FacePair]:
    """Hold two leaves, one around `middle` and a moved one, against each other; return the number of candidates, the bound and the best pair."""
    gaps = leaf_gaps(q.forest.leaf_corners, LEAF * leaf, q.forest.leaf_faces, WIDTH * leaf, middle, work.lanes, MOVED)
    bits = at_most(gaps, splat(bound))
    store(work.lanes, GAPS, gaps)
    may_meet = False
    while bits != 0:
        lane = first_bit(bits)
        bits &= bits - 1
        if work.lanes[GAPS + lane] <= bound:
            if count > PAIRS - WIDTH:
                best, count = _settle(q, work, count, bound, best), 0
            count, bound, meets = _gather(q, leaf, q.other.leaf_faces[WIDTH * other_leaf + lane], lane, bound, work, count)
            may_meet |= meets
    if may_meet:
        best, count = _settle(q, work, count, bound, best), 0
        bound = min(bound, loosened(math.sqrt(best[2][0]), q.allow))
    return count, bound, best


@query
def _nearest_pair(q: _Question, bound: float, work: Workspace) -> FacePair:
    """The nearest pair of faces within `bound`, or the first in the order of the walk that meets; NONE where there is none."""
    best = (NONE, NONE, (np.inf, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)))
    count, top, leaf_moved = 0, 1, 0
    work.nodes[0], work.others[0], work.bounds[0] = ROOT, ROOT, 0.0
    while top > 0 and best[2][0] > q.touch * q.touch:
        top -= 1
        bound2 = bound * bound
        if work.bounds[top] > bound2:
            continue
        place, other_place = work.nodes[top], work.others[top]
        node, other_node = _child(q.forest, q.tree, place), _child(q.other, q.other_tree, other_place)
        piece, other_piece = piece_of(q.forest, q.tree, place), piece_of(q.other, q.other_tree, other_place)
        if other_node < 0 and leaf_moved != other_node:
            leaf_moved = other_node
            move_leaf(q.other.leaf_corners, LEAF * ~other_node, q.pose, work.lanes, MOVED)
        if node < 0 and other_node < 0:
            count, bound, best = _compare(q, ~node, piece.middle, ~other_node, bound, work, count, best)
            continue
        if other_node < 0 and at_most(piece_gaps(piece, work.lanes, MOVED), splat(bound)) == 0:
            continue
        # Chosen first, so that the code which opens a node is laid in only once.
        is_other = node < 0 or (other_node >= 0 and size2(piece) < size2(other_piece))
        opened, at, own_from_other, kept = (q.other, other_node, q.back, place) if is_other else (q.forest, node, q.pose, other_place)
        top = _open(opened, at, own_from_other, piece if is_other else other_piece, kept, is_other, bound2, work, top)
    return _settle(q, work, count, bound, best)


@inlined
def _nothing(distance: float, farther: bool) -> PairHit:
    nowhere = (np.nan, np.nan, np.nan)
    return PairHit(distance, NONE, NONE, nowhere, nowhere, farther)


@query
def closest_surfaces(
    forest: Forest, tree: int, other: Forest, other_tree: int, T_self_from_other: F64, hint: int, other_hint: int, within: float, work: Workspace
) -> PairHit:
    """Closest pair of two structures, ties to the lowest face, then to the lowest other face.

    Of surfaces that meet (touch or pass through each other) that is told, and one pair of faces that do: always the same one. A surface that lies
    wholly inside the other does not meet it.

    Parameters
    ----------
    forest, tree, other, other_tree : the structure of `forest` that stays, and the one of `other` that is moved; the same forest will do
    T_self_from_other : (4, 4) float64, rigid to 1e-6, mm; one that is not finite, or takes the other absurdly far away, is unknown
    hint, other_hint : faces of the structures to measure first, such as those of the last answer, or -1
    within : mm, 0 or more, or inf; of surfaces farther apart than this, only that is told
    work : scratch memory of this thread
    """
    T = T_self_from_other
    pose, c = pose_between(forest, tree, other, other_tree, T), forest.centre[tree]
    if not (_is_askable(pose) and within >= 0.0):
        return _nothing(np.nan, False)
    reach = max(abs(pose.t[0]), abs(pose.t[1]), abs(pose.t[2])) + 2.0 * other.reach[other_tree]
    reach = max(reach, forest.reach[tree])
    allow, touch = Allowance(ROUNDING * reach), TOUCH * (reach + max(abs(c[0]), abs(c[1]), abs(c[2])))
    first, other_first = forest.first_face[tree], other.first_face[other_tree]
    bound = loosened(min(within, FARTHEST_MM), allow)
    if 0 <= hint < forest.first_face[tree + 1] - first and 0 <= other_hint < other.first_face[other_tree + 1] - other_first:
        pair = _measured(forest, first + hint, other, other_first + other_hint, T, True)
        bound = min(bound, loosened(math.sqrt(pair[0]), allow))
    q = _Question(forest, tree, other, other_tree, T, pose, inverse(pose), allow, touch)
    face, other_face, pair = _nearest_pair(q, bound, work)
    distance = math.sqrt(pair[0])
    if face == NONE or distance > max(within, touch):
        return _nothing(within, True)
    if distance <= touch:
        return PairHit(0.0, face - first, other_face - other_first, pair[1], pair[1], False)
    return PairHit(distance, face - first, other_face - other_first, pair[1], pair[2], False)
