"""Closest point of a surface to a point, exact and signed.

Filter, then referee. The *filter* walks the float32 tree, eight boxes or triangles at a time, and keeps every triangle that could be nearest:

- Nothing of a convex set lies nearer to a point p than its separating gap n . p - max n . c along any unit direction n, c being its corners.
  Along the direction from the closest point the gap is the distance itself. So a rough closest point of each triangle, found in float32 (Ericson
  2005, section 5.1.5), gives an upper bound of the distance, and the gap along its direction a lower bound that holds however rough it was.
- A triangle is discarded only if its lower bound is beyond the best upper bound by more than rounding can do (`Allowance`).

The *referee* then measures the few that are left in float64 (`navtwin.kernels.triangle`), ties to the lowest face index, and reads the sign from
the pseudonormal, or, where the structure's are not to be trusted, from its winding number. A hint or a cap saves time; neither can change a bit of
an answer.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from navtwin.kernels.facing import Facing, behind2, facing
from navtwin.kernels.jit import inlined, plain, query
from navtwin.kernels.local import is_behind
from navtwin.kernels.rough import TINY, Vector, beyond_boxes, beyond_triangles, dot, minus, vector, vectors
from navtwin.kernels.simd import F32, FAR, WIDTH, Lanes, at_most, first_bit, load, lowest, prefetch, root, splat, store, upper
from navtwin.kernels.slabs import slab_distances2
from navtwin.kernels.tree import CANDIDATES, F64, I32, LEAF, LOCAL, NODE, SLAB, WINDING, Forest, Workspace
from navtwin.kernels.triangle import FACE, Hit, closest_on_triangle, triangle
from navtwin.kernels.winding import is_wound_around

#: No query is farther away than this, mm: float32 squares still hold.
FARTHEST_MM = 1e9
#: No face: nothing lies within the cap.
NONE = -1


class Allowance(NamedTuple):
    """What float32 rounding can do to a bound: at most `fixed` mm and the share RELATIVE of it.

    Coordinates relative to the centre are rounded to 2^-24 of themselves, once for the query and once for the corner; a scalar product of three
    terms adds three roundings of at most |n| times the distance to the corner, which is the distance asked for and an edge.
    """

    fixed: float


RELATIVE = 2.0**-18


@inlined
def allowance(forest: Forest, tree: int, reach: float) -> Allowance:
    """For a query and a structure whose largest coordinate relative to the structure's centre is `reach`."""
    return Allowance(2.0**-20 * reach + RELATIVE * forest.longest[tree])


@inlined
def loosened(distance: float, allow: Allowance) -> float:
    """A bound that whatever is as near as `distance` cannot miss by rounding, mm."""
    return (distance + allow.fixed) * (1.0 + RELATIVE) + allow.fixed


@inlined
def box_distances2(boxes: F32, at: int, q: Vector) -> Lanes:
    """Squared distances of a point to a node's eight boxes, 0 inside."""
    n = beyond_boxes(q, vectors(boxes, at), vectors(boxes, at + 3 * WIDTH))
    return dot(n, n)


@inlined
def push_children(forest: Forest, node: int, bits: int, bounds: Lanes, work: Workspace, top: int) -> int:
    """Put the children of `node` that `bits` names on the stack, the nearest on top; return the new height."""
    store(work.lanes, 0, bounds)
    base = top
    while bits != 0:
        k = first_bit(bits)
        bits &= bits - 1
        child, bound = forest.children[WIDTH * node + k], work.lanes[k]
        if child >= 0:
            prefetch(forest.boxes, NODE * child)
        else:
            prefetch(forest.leaf_corners, LEAF * ~child)
        at = top
        while at > base and work.bounds[at - 1] < bound:
            work.nodes[at], work.bounds[at] = work.nodes[at - 1], work.bounds[at - 1]
            at -= 1
        work.nodes[at], work.bounds[at] = child, bound
        top += 1
    return top


@inlined
def leaf_bounds(corners: F32, at: int, q: Vector) -> tuple[Lanes, Lanes]:
    """Squared upper bound and lower bound (mm) of a point's distances to a leaf's eight triangles."""
    p, u, v = minus(q, vectors(corners, at)), vectors(corners, at + 3 * WIDTH), vectors(corners, at + 6 * WIDTH)
    n = beyond_triangles(p, u, v)
    nn = dot(n, n)
    gap = dot(n, p) - upper(upper(dot(n, u), dot(n, v)), splat(0.0))
    return nn, gap / root(nn + splat(TINY))


@inlined
def keep_candidates(forest: Forest, leaf: int, bits: int, low: Lanes, bound: float, work: Workspace, count: int) -> int:
    """Add those faces of a leaf that `bits` names to the candidates if they may lie within `bound`; return how many there are now."""
    store(work.lanes, 0, low)
    while bits != 0:
        k = first_bit(bits)
        bits &= bits - 1
        if work.lanes[k] <= bound:
            work.found[count], work.gaps[count] = forest.leaf_faces[WIDTH * leaf + k], work.lanes[k]
            count += 1
    return count


@inlined
def _children_distances2(forest: Forest, node: int, q: Vector, bound2: float, is_far: bool, face_to: Facing) -> Lanes:
    """Squared lower bounds of a point's distances to what a node's children hold; not the best ones where boxes alone are beyond the bound."""
    d2 = box_distances2(forest.boxes, NODE * node, q)
    if at_most(d2, splat(bound2)) != 0:
        d2 = upper(d2, slab_distances2(forest.slabs, SLAB * node, q))
        if is_far:
            d2 = upper(d2, behind2(forest, node, face_to))
    return d2


@query
def _settle(forest: Forest, work: Workspace, count: int, bound: float, x: float, y: float, z: float, face: int, hit: Hit) -> tuple[int, Hit]:
    """The referee: the nearest of the candidates within `bound` and of `face`, which was nearest so far."""
    for k in range(count):
        if work.gaps[k] <= bound:
            rival = work.found[k]
            other = closest_on_triangle(triangle(forest, rival), x, y, z)
            if other[0] < hit[0] or (other[0] == hit[0] and rival < face):
                face, hit = rival, other
    return face, hit


@query
def nearest(forest: Forest, tree: int, x: float, y: float, z: float, hint: int, within: float, work: Workspace) -> tuple[int, Hit]:
    """The face (of the whole forest) of structure `tree` that is nearest to a point, and its `Hit`; NONE where nothing lies within `within` mm.

    `hint` is a face of the structure to measure first, or -1.
    """
    c = forest.centre[tree]
    rx, ry, rz = x - c[0], y - c[1], z - c[2]
    reach = max(abs(rx), abs(ry), abs(rz), forest.reach[tree])
    allow = allowance(forest, tree, reach)
    bound = loosened(min(within, 1e13), allow)
    face = NONE
    hit = (np.inf, 0.0, 0.0, 0.0, 0)
    first, past = forest.first_face[tree], forest.first_face[tree + 1]
    if 0 <= hint < past - first:
        face = first + hint
        hit = closest_on_triangle(triangle(forest, face), x, y, z)
        bound = min(bound, loosened(math.sqrt(hit[0]), allow))
    bound2 = bound * bound
    q = vector(rx, ry, rz)
    dx, dy, dz, distance = x - hit[1], y - hit[2], z - hit[3], math.sqrt(hit[0])
    is_far, face_to = facing(forest, tree, dx, dy, dz, distance, (dx * rx + dy * ry + dz * rz) / distance, reach)
    count, top = plain(0), 1
    work.nodes[0], work.bounds[0] = forest.roots[tree], 0.0
    while top > 0:
        top -= 1
        if work.bounds[top] > bound2:
            continue
        node = work.nodes[top]
        if node >= 0:
            d2 = _children_distances2(forest, node, q, bound2, is_far, face_to)
            top = push_children(forest, node, at_most(d2, splat(bound2)), d2, work, top)
            continue
        high2, low = leaf_bounds(forest.leaf_corners, LEAF * ~node, q)
        bits = at_most(low, splat(bound))
        if bits == 0:
            continue
        nearer = loosened(math.sqrt(lowest(high2)), allow)
        if nearer < bound:
            bound, bound2 = nearer, nearer * nearer
        if count > CANDIDATES - WIDTH:
            face, hit = _settle(forest, work, count, bound, x, y, z, face, hit)
            count = 0
        count = keep_candidates(forest, ~node, bits, low, bound, work, count)
    face, hit = _settle(forest, work, count, bound, x, y, z, face, hit)
    if math.sqrt(hit[0]) > within:
        return NONE, hit
    return face, hit


@inlined
def may_be_inside(forest: Forest, tree: int, x: float, y: float, z: float) -> bool:
    """Whether a point lies in the box around all of a structure: nothing else is inside."""
    c, b, at, empty = forest.centre[tree], forest.boxes, NODE * forest.roots[tree], splat(0.5 * FAR)
    used = at_most(load(b, at), empty)
    for axis in range(3):
        p = splat((x, y, z)[axis] - c[axis])
        if at_most(load(b, at + axis * WIDTH), p) & used == 0 or at_most(p, load(b, at + (axis + 3) * WIDTH)) & used == 0:
            return False
    return True


@inlined
def is_inside(
    forest: Forest, tree: int, face: int, feature: int, x: float, y: float, z: float, cx: float, cy: float, cz: float, work: Workspace
) -> bool:
    """Whether (x, y, z) is inside a structure of which (cx, cy, cz), a feature of a face, is the closest point. Overwrites `work.nodes`."""
    if forest.sign_rule[tree] == WINDING:
        return may_be_inside(forest, tree, x, y, z) and is_wound_around(forest, tree, x, y, z, work)
    if forest.sign_rule[tree] == LOCAL:
        return is_behind(forest, tree, face, feature, x, y, z, cx, cy, cz, work)
    dx, dy, dz = x - cx, y - cy, z - cz
    if feature < 3:
        n = forest.vertex_normals[forest.topology[face, feature]]
        along = dx * n[0] + dy * n[1] + dz * n[2]
    else:
        n = forest.normals[face]
        along = dx * n[0] + dy * n[1] + dz * n[2]
        if feature < FACE:
            n = forest.normals[forest.mates[face, feature - 3]]
            along += dx * n[0] + dy * n[1] + dz * n[2]
    return bool(along < 0.0)


@inlined
def _signed(forest: Forest, tree: int, face: int, hit: Hit, x: float, y: float, z: float, work: Workspace) -> tuple[float, int, float, float, float]:
    distance = math.sqrt(hit[0])
    if is_inside(forest, tree, face, hit[4], x, y, z, hit[1], hit[2], hit[3], work):
        distance = -distance
    return distance, face - forest.first_face[tree], hit[1], hit[2], hit[3]


@query
def signed_nearest(forest: Forest, tree: int, x: float, y: float, z: float, hint: int, work: Workspace) -> tuple[float, int, float, float, float]:
    """Signed distance (mm, negative inside a structure that has an inside), face of the structure and closest point."""
    face, hit = nearest(forest, tree, x, y, z, hint, np.inf, work)
    return _signed(forest, tree, face, hit, x, y, z, work)


@query
def capped_nearest(
    forest: Forest, tree: int, x: float, y: float, z: float, hint: int, within: float, work: Workspace
) -> tuple[float, int, float, float, float]:
    """As `signed_nearest`; where the point is outside and farther than `within`, that distance, face -1 and NaN. Depth is never capped."""
    face, hit = nearest(forest, tree, x, y, z, hint, within, work)
    if face == NONE:
        if not may_be_inside(forest, tree, x, y, z):
            return within, NONE, np.nan, np.nan, np.nan
        # Which side of a far surface a point is on, only the nearest face tells.
        face, hit = nearest(forest, tree, x, y, z, hint, np.inf, work)
        answer = _signed(forest, tree, face, hit, x, y, z, work)
        return answer if answer[0] < 0.0 else (within, NONE, np.nan, np.nan, np.nan)
    return _signed(forest, tree, face, hit, x, y, z, work)


@inlined
def is_askable(x: float, y: float, z: float) -> bool:
    """Whether a point has a distance: it is finite, and not absurdly far away."""
    return bool(abs(x) <= FARTHEST_MM and abs(y) <= FARTHEST_MM and abs(z) <= FARTHEST_MM)


@query
def closest_points(forest: Forest, tree: int, points: F64, within: float, distance: F64, on_surface: F64, face: I32, work: Workspace) -> None:
    """Signed distance of many points to one structure.

    Parameters
    ----------
    points : (N, 3) float64, mm; a point that is not finite, or farther than FARTHEST_MM from the origin, is unknown
    within : mm, or inf; of a point outside and farther than this, only that is told: distance `within`, no face, no point
    distance : (N,) float64, out; mm, negative inside, NaN where unknown
    on_surface : (N, 3) float64, out; closest point, NaN where there is none
    face : (N,) int32, out; face of the closest point, -1 where there is none
    """
    hint = plain(-1)
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        if not is_askable(x, y, z):
            distance[i], face[i] = np.nan, -1
            on_surface[i, 0], on_surface[i, 1], on_surface[i, 2] = np.nan, np.nan, np.nan
            continue
        d, own, cx, cy, cz = capped_nearest(forest, tree, x, y, z, hint, within, work)
        hint = own if own >= 0 else hint
        distance[i], face[i] = d, own
        on_surface[i, 0], on_surface[i, 1], on_surface[i, 2] = cx, cy, cz
