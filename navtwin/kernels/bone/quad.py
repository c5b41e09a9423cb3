"""The quad around one edge of the grid that is crossed: its vertices, and the triangles it is split into.

Of its two diagonals the shorter is taken whose triangles both pass between the ends of the edge; if neither's do, the quad becomes a fan about the
place where the edge is crossed. All its triangles are then inside the hulls of the edge and the vertices of two neighbouring cubes. Of cubes with one
sheet these nowhere overlap, so the surface does not cross itself (Ju & Udeshi 2006, "Intersection-free contouring on an octree grid", section 3).
"""

from __future__ import annotations

import numpy as np

from navtwin.kernels.bone.bench import CUBES, Bench
from navtwin.kernels.bone.bricks import Bricks
from navtwin.kernels.bone.cube import SHEETS
from navtwin.kernels.jit import inlined
from navtwin.kernels.triangle import Point, cross, dot, minus

#: A triangle lower than this share of its longest edge is no choice.
LEAST_HEIGHT = 1e-5


@inlined
def share_of(low: int, high: int) -> float:
    """Where between two points the surface is crossed, 0 to 1: each stands for the middle of its step."""
    return (low + 0.5) / np.float64(low - high)


@inlined
def _corner(work: Bench, n: int) -> Point:
    return work.corners[n, 0], work.corners[n, 1], work.corners[n, 2]


@inlined
def _passes(a: Point, b: Point, c: Point, low: Point, high: Point) -> bool:
    """Whether a triangle that is no needle has one point behind and the other before it."""
    u, v, w = minus(b, a), minus(c, a), minus(c, b)
    n = cross(u, v)
    longest2 = max(dot(u, u), dot(v, v), dot(w, w))
    return bool(dot(n, minus(low, a)) < 0.0 < dot(n, minus(high, a)) and dot(n, n) > LEAST_HEIGHT * LEAST_HEIGHT * longest2 * longest2)


@inlined
def _diagonal(work: Bench, low: Point, high: Point) -> int:
    """From which corner, 0 or 1, the quad around the edge low-high is split; -1 for a fan."""
    a, b, c, d = _corner(work, 0), _corner(work, 1), _corner(work, 2), _corner(work, 3)
    ac, bd = minus(c, a), minus(d, b)
    is_second = dot(bd, bd) < dot(ac, ac)
    for _ in range(2):
        if is_second:
            if _passes(a, b, d, low, high) and _passes(b, c, d, low, high):
                return 1
        elif _passes(a, b, c, low, high) and _passes(a, c, d, low, high):
            return 0
        is_second = not is_second
    return -1


@inlined
def _put_vertex(work: Bench, bricks: Bricks, number: int, gi: int, gj: int, gk: int, x: float, y: float, z: float) -> None:
    """Write a vertex at a place in a cube of the whole grid, mm."""
    o, side = bricks.origin, bricks.side[0]
    work.vertices[number, 0] = o[0] + (gi + x) * side
    work.vertices[number, 1] = o[1] + (gj + y) * side
    work.vertices[number, 2] = o[2] + (gk + z) * side


@inlined
def _put_triangle(work: Bench, count: int, a: int, b: int, c: int, is_turned: bool) -> int:
    ring, triangles = work.ring, work.triangles
    triangles[count, 0], triangles[count, 1], triangles[count, 2] = ring[a], ring[c if is_turned else b], ring[b if is_turned else c]
    return count + 1


@inlined
def lay_quad(work: Bench, bricks: Bricks, base: tuple[int, int, int], code: int, vertices: int, count: int) -> tuple[int, int]:
    """Write the triangles of one quad, and its vertices that are new; return how many vertices and triangles there are now.

    `base` : the brick's point 0 (x, y, z) in the grid
    """
    axis, k, j, i = code >> 12, code >> 8 & 15, code >> 4 & 15, code & 15
    for n in range(4):
        # Around the edge, counter-clockwise seen from its far end; the edge's place in the cube is the opposite of the cube's at the edge.
        a, b = (n ^ n >> 1) & 1, n >> 1
        ci = i - 1 + (a if axis == 2 else b if axis == 1 else 1)
        cj = j - 1 + (a if axis == 0 else b if axis == 2 else 1)
        ck = k - 1 + (a if axis == 1 else b if axis == 0 else 1)
        cube = ((ck + 1) * CUBES + cj + 1) * CUBES + ci + 1
        found = work.firsts[cube] + SHEETS[work.cases[cube], 4 * axis + 1 - a + 2 * (1 - b)]
        x, y, z = work.places[found, 0], work.places[found, 1], work.places[found, 2]
        work.corners[n, 0], work.corners[n, 1], work.corners[n, 2] = ci + x, cj + y, ck + z
        if work.numbers[found] < 0:
            work.numbers[found] = vertices
            _put_vertex(work, bricks, vertices, base[0] + ci, base[1] + cj, base[2] + ck, x, y, z)
            vertices += 1
        work.ring[n] = work.numbers[found]
    dx, dy, dz = int(axis == 0), int(axis == 1), int(axis == 2)
    own, other = work.halo[k + 1, j + 1, i + 1], work.halo[k + 1 + dz, j + 1 + dy, i + 1 + dx]
    is_turned = own >= 0
    low, high = (np.float64(i), np.float64(j), np.float64(k)), (np.float64(i + dx), np.float64(j + dy), np.float64(k + dz))
    first = _diagonal(work, low, high)
    if first >= 0:
        count = _put_triangle(work, count, 0, 1, 2 + first, is_turned)
        return vertices, _put_triangle(work, count, first, 2, 3, is_turned)
    t = share_of(own, other)
    _put_vertex(work, bricks, vertices, base[0] + i, base[1] + j, base[2] + k, t * dx, t * dy, t * dz)
    work.ring[4] = vertices
    for n in range(4):
        count = _put_triangle(work, count, 4, n, (n + 1) & 3, is_turned)
    return vertices + 1, count
