"""The pseudonormal at a closest point, summed when it is asked for over all faces that meet there: what changes all the time keeps no normals.

As in `navtwin.kernels.normals` (Baerentzen & Aanaes 2005), but faces are told to meet by their places, not by their numbers: a corner that is
repeated to the bit is one corner, and where a solid touches itself, all of it counts, as the proof there asks.
"""

from __future__ import annotations

import math

from navtwin.kernels.angle import angle
from navtwin.kernels.jit import inlined, query
from navtwin.kernels.simd import WIDTH, at_most, first_bit, load, splat
from navtwin.kernels.tree import NODE, Forest, Workspace
from navtwin.kernels.triangle import FACE, FLATNESS, TINY2, Point, Triangle, cross, dot, minus, triangle


@inlined
def _is_at(p: Point, q: Point) -> bool:
    return p[0] == q[0] and p[1] == q[1] and p[2] == q[2]


@query
def _weighted(a: Point, b: Point, c: Point, is_edge: bool) -> Point:
    """The normal of a triangle times its angle at a, or 1 for an edge; 0 if it is flat."""
    u, v = minus(b, a), minus(c, a)
    n, w = cross(u, v), minus(c, b)
    area2 = math.sqrt(dot(n, n))
    if not area2 > FLATNESS * max(dot(u, u), dot(v, v), dot(w, w)) + TINY2:
        return 0.0, 0.0, 0.0
    weight = (1.0 if is_edge else angle(dot(u, v), area2)) / area2
    return n[0] * weight, n[1] * weight, n[2] * weight


@inlined
def _meets(t: Triangle, p: Point) -> int:
    """Which corner of a triangle stands at a place; -1 for none."""
    return 0 if _is_at(t.a, p) else 1 if _is_at(t.b, p) else 2 if _is_at(t.c, p) else -1


@inlined
def _turned(t: Triangle, corner: int) -> Triangle:
    """The same triangle, started from another corner."""
    return t if corner == 0 else Triangle(t.b, t.c, t.a) if corner == 1 else Triangle(t.c, t.a, t.b)


@inlined
def _holding(forest: Forest, node: int, p: Point, c: Point) -> int:
    """Bits of the boxes of a node that hold a corner. They were rounded outwards from the same numbers, so nothing is lost."""
    bits, at = 255, NODE * node
    for axis in range(3):
        x = splat(p[axis] - c[axis])
        bits &= at_most(load(forest.boxes, at + WIDTH * axis), x) & at_most(x, load(forest.boxes, at + WIDTH * (axis + 3)))
    return bits


@query
def _sum_at(forest: Forest, tree: int, p: Point, q: Point, is_edge: bool, work: Workspace) -> Point:
    """The sum of the weighted normals of all faces that have a corner at p and, for an edge, one at q."""
    c = (forest.centre[tree, 0], forest.centre[tree, 1], forest.centre[tree, 2])
    x, y, z = 0.0, 0.0, 0.0
    work.nodes[0], top = forest.roots[tree], 1
    while top > 0:
        top -= 1
        node = work.nodes[top]
        if node >= 0:
            bits = _holding(forest, node, p, c) & _holding(forest, node, q, c)
            while bits != 0:
                work.nodes[top] = forest.children[WIDTH * node + first_bit(bits)]
                bits &= bits - 1
                top += 1
            continue
        for lane in range(WIDTH):
            face = forest.leaf_faces[WIDTH * ~node + lane]
            if face < 0:
                break
            t = triangle(forest, face)
            corner = _meets(t, p)
            if corner >= 0 and _meets(t, q) >= 0:
                t = _turned(t, corner)
                n = _weighted(t.a, t.b, t.c, is_edge)
                x, y, z = x + n[0], y + n[1], z + n[2]
    return x, y, z


@query
def is_behind(
    forest: Forest, tree: int, face: int, feature: int, x: float, y: float, z: float, cx: float, cy: float, cz: float, work: Workspace
) -> bool:
    """Whether (x, y, z) is behind the surface at its closest point (cx, cy, cz), a feature of a face. Overwrites `work.nodes`."""
    if face < 0:
        return False
    t = triangle(forest, face)
    if feature >= FACE:
        n = cross(minus(t.b, t.a), minus(t.c, t.a))
    else:
        t = _turned(t, feature % 3)
        is_edge = feature >= 3
        n = _sum_at(forest, tree, t.a, t.b if is_edge else t.a, is_edge, work)
    return bool(dot(n, (x - cx, y - cy, z - cz)) < 0.0)
