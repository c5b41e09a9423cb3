"""The surface through one brick: surface nets with a vertex for each sheet in a cube.

A vertex is the mean of the points where its sheet crosses the edges of its cube (Gibson 1998, "Constrained elastic surface nets", section 2; one for
each sheet: Nielson 2004, "Dual marching cubes"). It is computed from the numbers of the grid alone, so a neighbouring brick that needs it, too, gets
the same bits. Each edge of the grid that is crossed is the middle of a quad of the four vertices around it; it belongs to the brick of its lower end.

Triangles come in order of the 2 x 2 x 2 points that they belong to, along the Morton curve: eight in a row lie close together.
"""

from __future__ import annotations

import numpy as np

from navtwin.kernels.bone.bench import BLOCKS, CUBES, Bench
from navtwin.kernels.bone.bricks import BRICK, HALO, Bricks, gather
from navtwin.kernels.bone.cube import EDGES, SHEET_COUNTS, SHEETS
from navtwin.kernels.bone.quad import lay_quad, share_of
from navtwin.kernels.jit import inlined, query
from navtwin.kernels.simd import first_bit
from navtwin.kernels.tree import I64

_SPREAD = np.array([i & 1 | (i & 2) << 2 | (i & 4) << 4 for i in range(8)], np.int64)
_ROW = (1 << BRICK) - 1


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
    for block in range(BLOCKS + 1):
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
    for block in range(BLOCKS):
        starts[block + 1] += starts[block]
    for q in range(count):
        code = work.quads[0, q]
        block = _block(code >> 8 & 15, code >> 4 & 15, code & 15)
        work.quads[1, starts[block]] = code
        starts[block] += 1
    return count


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
                    x, y, z = x + share_of(halo[k + b, j + a, i], halo[k + b, j + a, i + 1]), y + a, z + b
                elif edge < 8:
                    x, y, z = x + b, y + share_of(halo[k + a, j, i + b], halo[k + a, j + 1, i + b]), z + a
                else:
                    x, y, z = x + a, y + b, z + share_of(halo[k, j + b, i + a], halo[k + 1, j + b, i + a])
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
        vertices, triangles = lay_quad(work, bricks, base, int(work.quads[1, q]), vertices, triangles)
    return vertices, triangles
