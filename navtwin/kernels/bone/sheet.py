"""The surface through one brick: surface nets with a vertex for each sheet in a cube.

A vertex is the mean of the points where its sheet crosses the edges of its cube (Gibson 1998, "Constrained elastic surface nets", section 2; one for
each sheet: Nielson 2004, "Dual marching cubes"). It is computed from the numbers of the grid alone, so a neighbouring brick that needs it, too, gets
the same bits. Each edge of the grid that is crossed is the middle of a quad of the four vertices around it; it belongs to the brick of its lower end.

Of a quad's two diagonals the shorter is taken whose triangles both pass between the ends of the edge; if neither's do, the quad becomes a fan about
the place where the edge is crossed. All triangles of an edge are then inside the hulls of the edge and the vertices of two neighbouring cubes, which
nowhere overlap, so the surface does not cross itself (Ju & Udeshi 2006, "Intersection-free contouring on an octree grid", section 3).

Triangles come in order of the 2 x 2 x 2 points that they belong to, along the Morton curve: eight in a row lie close together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from navtwin.kernels.bone.bricks import BRICK, HALO, I8, U8, Bricks, gather
from navtwin.kernels.bone.cube import EDGES, SHEET_COUNTS, SHEETS
from navtwin.kernels.jit import inlined, query
from navtwin.kernels.simd import first_bit
from navtwin.kernels.tree import F64, I32, I64
from navtwin.kernels.triangle import Point, cross

#: Cubes along each edge: those around all edges of the grid that start in the brick.
CUBES = BRICK + 1
MOST_QUADS = 3 * BRICK**3
MOST_VERTICES = 4 * CUBES**3 + MOST_QUADS
#: A triangle lower than this share of its longest edge is no choice.
LEAST_HEIGHT = 1e-5

_SPREAD = np.array([i & 1 | (i & 2) << 2 | (i & 4) << 4 for i in range(8)], np.int64)
_BLOCKS = (BRICK // 2) ** 3
_ROW = (1 << BRICK) - 1


class Bench(NamedTuple):
    """What a surface is laid on.

    Attributes
    ----------
    halo : (18, 18, 18) int8, the brick's points and one more on each side
    rows : (324,) int64, of each of its rows along x the points that are inside
    cases : (4913,) uint8, of each cube that surface passes
    firsts : (4913,) int32, and its first vertex
    places : (M, 3) float64, where a vertex stands in its cube, 0 to 1
    numbers : (M,) int32, of a vertex that a triangle has: its place in `vertices`
    vertices : (M, 3) float64, out; mm
    triangles : (2 M', 3) int32, out; rows of `vertices`, counter-clockwise seen from outside
    quads : (2, Q) int32, edges of the grid that are crossed; in order of rows, then in the order of triangles
    starts : (513,) int32, where each 2 x 2 x 2 points' quads start
    corners : (4, 3) float64, of one quad, in sides from the brick's point 0
    ring : (5,) int32, its vertices, and that of its fan
    """

    halo: I8
    rows: I64
    cases: U8
    firsts: I32
    places: F64
    numbers: I32
    vertices: F64
    triangles: I32
    quads: I32
    starts: I32
    corners: F64
    ring: I32


def bench() -> Bench:
    """Room to lay the surface of any brick."""
    return Bench(
        halo=np.zeros((HALO, HALO, HALO), np.int8),
        rows=np.zeros(HALO * HALO, np.int64),
        cases=np.zeros(CUBES**3, np.uint8),
        firsts=np.zeros(CUBES**3, np.int32),
        places=np.zeros((MOST_VERTICES, 3)),
        numbers=np.zeros(MOST_VERTICES, np.int32),
        vertices=np.zeros((MOST_VERTICES, 3)),
        triangles=np.zeros((4 * MOST_QUADS, 3), np.int32),
        quads=np.zeros((2, MOST_QUADS), np.int32),
        starts=np.zeros(_BLOCKS + 1, np.int32),
        corners=np.zeros((4, 3)),
        ring=np.zeros(5, np.int32),
    )


@query
def _find_inside(work: Bench) -> None:
    for k in range(HALO):
        for j in range(HALO):
            bits = 0
            for i in range(HALO):
                bits |= (work.halo[k, j, i] < 0) << i
            work.rows[HALO * k + j] = bits


@inlined
def _block(k: int, j: int, i: int) -> int:
    """The place of a point's 2 x 2 x 2 points along the Morton curve."""
    return int(_SPREAD[i >> 1] | _SPREAD[j >> 1] << 1 | _SPREAD[k >> 1] << 2)


@inlined
def _crossed(rows: I64, k: int, j: int, axis: int) -> int:
    """The points of a row of the brick whose edge along an axis is crossed, as bits."""
    at = HALO * (k + 1) + j + 1
    other = rows[at] >> 1 if axis == 0 else rows[at + 1] if axis == 1 else rows[at + HALO]
    return int((rows[at] ^ other) >> 1 & _ROW)


@query
def _find_quads(work: Bench) -> int:
    """List the crossed edges in the order of triangles; return how many there are."""
    count, starts = 0, work.starts
    for block in range(_BLOCKS + 1):
        starts[block] = 0
    for k in range(BRICK):
        for j in range(BRICK):
            for axis in range(3):
                bits = _crossed(work.rows, k, j, axis)
                while bits != 0:
                    i = first_bit(bits)
                    bits &= bits - 1
                    work.quads[0, count] = axis << 12 | k << 8 | j << 4 | i
                    starts[_block(k, j, i) + 1] += 1
                    count += 1
    for block in range(_BLOCKS):
        starts[block + 1] += starts[block]
    for q in range(count):
        code = work.quads[0, q]
        block = _block(code >> 8 & 15, code >> 4 & 15, code & 15)
        work.quads[1, starts[block]] = code
        starts[block] += 1
    return count


@inlined
def _share(low: int, high: int) -> float:
    """Where between two points the surface is crossed, 0 to 1: each stands for the middle of its step."""
    return (low + 0.5) / np.float64(low - high)


@inlined
def _place_vertices(work: Bench, cube: int, k: int, j: int, i: int, case: int, count: int) -> int:
    """Write the vertices of a cube; return how many there are now."""
    halo, sheets = work.halo, SHEET_COUNTS[case]
    work.cases[cube], work.firsts[cube] = case, count
    for sheet in range(sheets):
        x, y, z, n = 0.0, 0.0, 0.0, 0.0
        for edge in range(EDGES):
            if SHEETS[case, edge] == sheet:
                a, b = edge & 1, edge >> 1 & 1
                if edge < 4:
                    x, y, z = x + _share(halo[k + b, j + a, i], halo[k + b, j + a, i + 1]), y + a, z + b
                elif edge < 8:
                    x, y, z = x + b, y + _share(halo[k + a, j, i + b], halo[k + a, j + 1, i + b]), z + a
                else:
                    x, y, z = x + a, y + b, z + _share(halo[k, j + b, i + a], halo[k + 1, j + b, i + a])
                n += 1.0
        work.places[count, 0], work.places[count, 1], work.places[count, 2] = x / n, y / n, z / n
        work.numbers[count] = -1
        count += 1
    return count


@query
def _find_vertices(work: Bench) -> int:
    """Find all vertices of the brick's cubes; return how many there are."""
    count, rows = 0, work.rows
    for k in range(CUBES):
        for j in range(CUBES):
            at = HALO * k + j
            r0, r1, r2, r3 = rows[at], rows[at + 1], rows[at + HALO], rows[at + HALO + 1]
            some, every = r0 | r1 | r2 | r3, r0 & r1 & r2 & r3
            bits = (some | some >> 1) & ~(every & every >> 1) & ((1 << CUBES) - 1)
            while bits != 0:
                i = first_bit(bits)
                bits &= bits - 1
                case = r0 >> i & 3 | (r1 >> i & 3) << 2 | (r2 >> i & 3) << 4 | (r3 >> i & 3) << 6
                count = _place_vertices(work, (CUBES * k + j) * CUBES + i, k, j, i, case, count)
    return count


@inlined
def _corner(work: Bench, n: int) -> Point:
    return work.corners[n, 0], work.corners[n, 1], work.corners[n, 2]


@inlined
def _minus(a: Point, b: Point) -> Point:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


@inlined
def _dot(a: Point, b: Point) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@inlined
def _passes(a: Point, b: Point, c: Point, low: Point, high: Point) -> bool:
    """Whether a triangle that is no needle has one point behind and the other before it."""
    u, v, w = _minus(b, a), _minus(c, a), _minus(c, b)
    n = cross(u, v)
    longest2 = max(_dot(u, u), _dot(v, v), _dot(w, w))
    return bool(_dot(n, _minus(low, a)) < 0.0 < _dot(n, _minus(high, a)) and _dot(n, n) > LEAST_HEIGHT * LEAST_HEIGHT * longest2 * longest2)


@inlined
def _diagonal(work: Bench, low: Point, high: Point) -> int:
    """From which corner, 0 or 1, the quad around the edge low-high is split; -1 for a fan."""
    a, b, c, d = _corner(work, 0), _corner(work, 1), _corner(work, 2), _corner(work, 3)
    ac, bd = _minus(c, a), _minus(d, b)
    is_second = _dot(bd, bd) < _dot(ac, ac)
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
def _lay_quad(work: Bench, bricks: Bricks, base: tuple[int, int, int], code: int, vertices: int, count: int) -> tuple[int, int]:
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
    t = _share(own, other)
    _put_vertex(work, bricks, vertices, base[0] + i, base[1] + j, base[2] + k, t * dx, t * dy, t * dz)
    work.ring[4] = vertices
    for n in range(4):
        count = _put_triangle(work, count, 4, n, (n + 1) & 3, is_turned)
    return vertices + 1, count


@query
def count_quads(bricks: Bricks, brick: int, work: Bench) -> int:
    """How many quads a brick owns."""
    gather(bricks, brick, work.halo)
    _find_inside(work)
    return _find_quads(work)


@query
def lay_sheet(bricks: Bricks, brick: int, work: Bench) -> tuple[int, int]:
    """Write the surface of a brick to `vertices` and `triangles` of `work`; return how many there are of either."""
    quads = count_quads(bricks, brick, work)
    if quads == 0:
        return 0, 0
    _find_vertices(work)
    _, nj, ni = bricks.table.shape
    base = (BRICK * (brick % ni), BRICK * (brick // ni % nj), BRICK * (brick // ni // nj))
    vertices, triangles = 0, 0
    for q in range(quads):
        vertices, triangles = _lay_quad(work, bricks, base, int(work.quads[1, q]), vertices, triangles)
    return vertices, triangles
