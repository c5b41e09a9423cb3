"""Where a surface crosses or touches itself, so that no pseudonormal can be trusted.

The tree is walked against itself. In float32, eight pairs of triangles at a time, a pair is discarded where a plane along one of its faces, or
across the first one along an edge, holds it apart (Gottschalk, Lin & Manocha 1996, "OBBTree", section 5: separating axes); float64 settles the rest.
"""

from __future__ import annotations

import math

from navtwin.kernels.jit import inlined, plain, query
from navtwin.kernels.point import RELATIVE
from navtwin.kernels.rough import TINY, Vector, dot, minus, vector, vectors
from navtwin.kernels.simd import F32, FAR, WIDTH, Lanes, at_most, first_bit, load, lower, root, splat, upper
from navtwin.kernels.tree import I32, LEAF, NODE, Forest, Workspace
from navtwin.kernels.triangle import Point, cross, triangle
from navtwin.kernels.triangles import closest_triangles, crossing, pierced_at

#: Faces nearer than this share of the largest coordinate touch: rounding decides which of them is nearest to a point.
TOUCHING = 2.0**-44


@inlined
def _lanes_cross(a: Vector, b: Vector) -> Vector:
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@inlined
def _ahead(n: Vector, a: Vector, u: Vector, v: Vector) -> Lanes:
    """Where triangles a, a + u, a + v begin along n."""
    return dot(n, a) + lower(lower(dot(n, u), dot(n, v)), splat(0.0))


@inlined
def _unit(n: Point) -> Vector:
    one_over = 1.0 / (math.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]) + TINY)
    return vector(n[0] * one_over, n[1] * one_over, n[2] * one_over)


@inlined
def _corner(corners: F32, at: int) -> Point:
    return corners[at], corners[at + WIDTH], corners[at + 2 * WIDTH]


@inlined
def _gaps(corners: F32, one: int, at: int) -> Lanes:
    """How far planes hold the triangle whose lane starts at `one` apart from the eight of the leaf at `at`, mm; negative where they do not."""
    p, e, f = _corner(corners, one), _corner(corners, one + 3 * WIDTH), _corner(corners, one + 6 * WIDTH)
    n = cross(e, f)
    g = (f[0] - e[0], f[1] - e[1], f[2] - e[2])
    a, u, v = minus(vectors(corners, at), vector(p[0], p[1], p[2])), vectors(corners, at + 3 * WIDTH), vectors(corners, at + 6 * WIDTH)
    face = _unit(n)
    back = minus(vector(0.0, 0.0, 0.0), face)
    gap = upper(_ahead(face, a, u, v), _ahead(back, a, u, v))
    gap = upper(gap, upper(_ahead(_unit(cross(e, n)), a, u, v), _ahead(_unit(cross(n, f)), a, u, v)))
    gap = upper(gap, _ahead(_unit(cross(g, n)), minus(a, vector(e[0], e[1], e[2])), u, v))
    other = _lanes_cross(u, v)
    start, along_e, along_f, zero = dot(other, a), dot(other, vector(e[0], e[1], e[2])), dot(other, vector(f[0], f[1], f[2])), splat(0.0)
    low, high = lower(lower(along_e, along_f), zero), upper(upper(along_e, along_f), zero)
    return upper(gap, upper(low - start, start - high) / root(dot(other, other) + splat(TINY)))


@inlined
def _vertex(forest: Forest, face: int, k: int) -> Point:
    v = forest.vertices[forest.faces[face, k % 3]]
    return v[0], v[1], v[2]


@query
def _passes(forest: Forest, p: Point, q: Point, face: int, touching: float) -> bool:
    """Whether p-q passes through a face. In the face's own plane it does not: what a piercing test says there is rounding noise."""
    a, n = _vertex(forest, face, 0), forest.normals[face]
    height_p = (p[0] - a[0]) * n[0] + (p[1] - a[1]) * n[1] + (p[2] - a[2]) * n[2]
    height_q = (q[0] - a[0]) * n[0] + (q[1] - a[1]) * n[1] + (q[2] - a[2]) * n[2]
    if max(abs(height_p), abs(height_q)) <= touching:
        return False
    return math.isfinite(pierced_at(p, q, triangle(forest, face)))


@query
def _meet(forest: Forest, f: int, g: int, touching: float) -> bool:
    """The referee: whether two faces meet other than at a vertex or an edge that they share."""
    shared, i, j = 0, 0, 0
    for k in range(9):
        if forest.topology[f, k // 3] == forest.topology[g, k % 3]:
            shared, i, j = shared + 1, k // 3, k % 3
    if shared == 0:
        one, other = triangle(forest, f), triangle(forest, g)
        return crossing(one, other)[0] or closest_triangles(one, other)[0] <= touching * touching
    if shared == 1:
        through = _passes(forest, _vertex(forest, f, i + 1), _vertex(forest, f, i + 2), g, touching)
        return through or _passes(forest, _vertex(forest, g, j + 1), _vertex(forest, g, j + 2), f, touching)
    return shared > 2


@inlined
def _overlapping(boxes: F32, at: int, other: int, pad: Lanes) -> int:
    """Bits of the boxes of the node at `at` that overlap the one box whose lane starts at `other`."""
    bits = 255
    for i in range(3):
        low, high = splat(boxes[other + i * WIDTH]) - pad, splat(boxes[other + (i + 3) * WIDTH]) + pad
        bits &= at_most(load(boxes, at + i * WIDTH), high) & at_most(low, load(boxes, at + (i + 3) * WIDTH))
    return bits


@query
def _leaf_crossings(forest: Forest, leaf: int, other: int, apart: float, touching: float, pairs: I32, count: int) -> int:
    """Write the pairs of faces of two leaves, or of one, that meet; return how many there are now."""
    for k in range(WIDTH):
        face = forest.leaf_faces[WIDTH * leaf + k]
        if face < 0:
            break
        bits = at_most(_gaps(forest.leaf_corners, LEAF * leaf + k, LEAF * other), splat(apart))
        if leaf == other:
            bits &= 255 << (k + 1)
        while bits != 0 and count < pairs.shape[0]:
            rival = forest.leaf_faces[WIDTH * other + first_bit(bits)]
            bits &= bits - 1
            if rival >= 0 and _meet(forest, face, rival, touching):
                pairs[count, 0], pairs[count, 1] = min(face, rival), max(face, rival)
                count += 1
    return count


@query
def crossings(forest: Forest, first: int, past: int, pairs: I32, work: Workspace) -> int:
    """Pairs of faces that cross or touch each other, but for neighbours in what they share, in a forest of one structure.

    Parameters
    ----------
    first, past : the nodes whose leaves are compared with all leaves after them: parts of the answer can be found side by side
    pairs : (P, 2) int32, out; the lower face first, no more than fit

    Returns
    -------
    count : pairs written
    """
    reach, c = forest.reach[0], forest.centre[0]
    apart = 2.0**-19 * reach + RELATIVE * forest.longest[0]  # as `point.Allowance`
    touching = TOUCHING * (reach + max(abs(c[0]), abs(c[1]), abs(c[2])))
    pad = splat(apart)
    count = plain(0)
    for lane in range(WIDTH * first, WIDTH * past):
        leaf, box = ~forest.children[lane], NODE * (lane // WIDTH) + lane % WIDTH
        if leaf < 0 or forest.boxes[box] > 0.5 * FAR:
            continue
        work.nodes[0], top = forest.roots[0], 1
        while top > 0 and count < pairs.shape[0]:
            top -= 1
            node = work.nodes[top]
            bits = _overlapping(forest.boxes, NODE * node, box, pad)
            while bits != 0:
                child = forest.children[WIDTH * node + first_bit(bits)]
                bits &= bits - 1
                if child >= 0:
                    work.nodes[top] = child
                    top += 1
                elif ~child >= leaf:
                    count = _leaf_crossings(forest, leaf, ~child, apart, touching, pairs, count)
    return count
