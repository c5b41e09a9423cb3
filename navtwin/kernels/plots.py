"""The layout of a surface in regions: see `navtwin.kernels.regions`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from navtwin.kernels.build import bench, grow, round_out
from navtwin.kernels.jit import query
from navtwin.kernels.simd import F32, FAR, WIDTH
from navtwin.kernels.tree import F64, I32, I64, LEAF, NODE, PSEUDONORMAL, SLAB, Forest

#: A new plot has room for half as much again as what it is made for, and for so many at least.
LEAST_ROOM = 64
#: Kinds of rows, in this order wherever four numbers belong to them.
NODES, LEAVES, FACES, VERTICES = 0, 1, 2, 3


class Regions(NamedTuple):
    """Where the R regions of a structure are in its forest.

    Attributes
    ----------
    base : (4,) int64, the structure's first node, leaf, face and vertex in the forest: all numbers below count from there
    used : (4,) int64, where the spare room of each kind starts
    room : (4,) int64, and where it ends
    plots : (R, 4) int64, where each region's nodes, leaves, faces and vertices start
    rooms : (R, 4) int64, how many it has room for
    counts : (R, 3) int64, its own faces, all its faces, its vertices
    open_edges : (R,) int64, edges of its own faces that no other face shares as it should: all 0 says that the surface is closed
    longest : (R,) float64, its longest edge, mm
    lanes : (R,) int32, the lane (8 node + child) that it hangs in
    node_lanes : (T,) int32, the same of each node of the top; -1 for the root
    scratch : (8,) float32
    """

    base: I64
    used: I64
    room: I64
    plots: I64
    rooms: I64
    counts: I64
    open_edges: I64
    longest: F64
    lanes: I32
    node_lanes: I32
    scratch: F32


def levels(leaves: int) -> list[int]:
    """How many nodes each level over so many leaves has, the root first."""
    counts = [-(-leaves // WIDTH)]
    while counts[0] > 1:
        counts.insert(0, -(-counts[0] // WIDTH))
    return counts


def rows_of(faces: int, vertices: int) -> I64:
    """Nodes, leaves, faces and vertices that a plot needs."""
    leaves = -(-faces // WIDTH)
    nodes = 0
    for count in levels(max(leaves, 1)):
        nodes += count
    return np.array((nodes, leaves, faces, vertices), np.int64)


def roomy(count: int) -> int:
    return max(3 * count // 2, LEAST_ROOM)


def _spare(faces: int, vertices: int, regions: int) -> I64:
    """Rows for so many faces and vertices, however many regions they fall to."""
    rows = rows_of(faces, vertices)
    rows[NODES] += faces // WIDTH // WIDTH + 3 * regions
    rows[LEAVES] += regions
    return rows


def _empty_forest(room: I64, centre: F64, reach: float) -> Forest:
    """A forest of one structure with so many rows of each kind, and nothing in them."""
    faces, vertices = np.zeros((room[FACES], 3), np.int32), np.zeros((room[VERTICES], 3))
    vertices[0] = FAR  # where faces of no region are parked: a hint that names one finds it far away
    return Forest(
        boxes=np.full(NODE * room[NODES], FAR, np.float32),
        children=np.zeros(WIDTH * room[NODES], np.int32),
        leaf_corners=np.zeros(LEAF * room[LEAVES], np.float32),
        leaf_faces=np.full(WIDTH * room[LEAVES], -1, np.int32),
        vertices=vertices,
        faces=faces,
        topology=faces,
        mates=np.zeros_like(faces),
        normals=np.zeros(faces.shape),
        vertex_normals=np.zeros(vertices.shape),
        centre=centre.reshape(1, 3),
        reach=np.array([reach]),
        longest=np.zeros(1),
        roots=np.zeros(1, np.int32),
        first_face=np.array((0, len(faces)), np.int32),
        sign_rule=np.array([PSEUDONORMAL], np.uint8),
        far_field=np.empty(0, np.float32),
        far_shift=np.zeros(1, np.int32),
        slabs=np.zeros(SLAB * room[NODES], np.float32),
    )


def new_regions(cells_mm: F64, spare_faces: int, spare_vertices: int) -> tuple[Forest, Regions]:
    """A forest of one structure whose regions are all empty.

    Parameters
    ----------
    cells_mm : (R, 2, 3) float64, lowest and highest corner of what each region is to fill, roughly; R >= 1
    spare_faces, spare_vertices : room for so many in all, rims and repeated vertices counted; a plot takes half as much again as it needs

    Returns
    -------
    forest : queries find nothing in it, yet
    regions : for `replace_region`
    """
    count = len(cells_mm)
    centre = 0.5 * (cells_mm[:, 0].min(axis=0) + cells_mm[:, 1].max(axis=0))
    work = bench(count)
    _fill_cells(cells_mm, centre, work.records, work.order)
    boxes, children, cells = np.empty(NODE * count, np.float32), np.empty(WIDTH * count, np.int32), np.empty(WIDTH * count, np.int32)
    inner, ends = grow(work, count, 0, 0, boxes, children, cells)
    top = inner + ends  # what was a leaf of eight cells is a node of eight regions
    children = np.where(children[: WIDTH * inner] < 0, inner + ~children[: WIDTH * inner], children[: WIDTH * inner])
    held = boxes[: NODE * inner].reshape(-1, NODE)[:, :WIDTH].reshape(-1) < 0.5 * FAR
    node_lanes, lanes = np.full(top, -1, np.int32), np.empty(count, np.int32)
    node_lanes[children[held]] = np.flatnonzero(held)
    at = np.flatnonzero(cells[: WIDTH * ends] >= 0)
    lanes[cells[at]] = WIDTH * inner + at
    room = np.array((top, 0, 0, 1), np.int64) + _spare(spare_faces, spare_vertices, count)
    forest = _empty_forest(room, centre, np.abs(cells_mm - centre).max())
    forest.children[: WIDTH * inner] = np.where(held, children, 0)
    return forest, Regions(
        base=np.zeros(4, np.int64),
        used=np.array((top, 0, 0, 1), np.int64),
        room=room,
        plots=np.zeros((count, 4), np.int64),
        rooms=np.zeros((count, 4), np.int64),
        counts=np.zeros((count, 3), np.int64),
        open_edges=np.zeros(count, np.int64),
        longest=np.zeros(count),
        lanes=lanes,
        node_lanes=node_lanes,
        scratch=np.zeros(WIDTH, np.float32),
    )


@query
def _fill_cells(cells: F64, centre: F64, records: F32, order: I32) -> None:
    for k in range(cells.shape[0]):
        for i in range(3):
            records[WIDTH * k + i] = round_out(cells[k, 0, i] - centre[i], -1.0)
            records[WIDTH * k + 3 + i] = -round_out(cells[k, 1, i] - centre[i], 1.0)
        order[k] = k


def in_forest(regions: Regions, before: Sequence[Forest]) -> Regions:
    """The regions of a structure's forest in what `join` made of the forests `before` and it."""
    base = regions.base.copy()
    for f in before:
        base += (len(f.children) // WIDTH, len(f.leaf_faces) // WIDTH, len(f.faces), len(f.vertices))
    return regions._replace(base=base)


def with_room(forest: Forest, regions: Regions, spare_faces: int, spare_vertices: int) -> tuple[Forest, Regions]:
    """The same regions with so much spare room, laid out anew; faces get other numbers.

    Parameters
    ----------
    forest : of this structure alone
    regions : of that forest
    spare_faces, spare_vertices : as for `new_regions`
    """
    top, count = len(regions.node_lanes), len(regions.lanes)
    rooms = np.zeros((count, 4), np.int64)
    for r in np.flatnonzero(regions.counts[:, 0]):
        rooms[r] = rows_of(roomy(int(regions.counts[r, 1])), roomy(int(regions.counts[r, 2])))
    start = np.array((top, 0, 0, 1), np.int64)
    ends = start + np.cumsum(rooms, axis=0)
    plots, used = ends - rooms, ends[-1]
    room = used + _spare(spare_faces, spare_vertices, count)
    made = _empty_forest(room, forest.centre[0], float(forest.reach[0]))
    made.longest[:] = forest.longest
    made.slabs[: SLAB * top] = forest.slabs[: SLAB * top]
    made.boxes[: NODE * top], made.children[: WIDTH * top] = forest.boxes[: NODE * top], forest.children[: WIDTH * top]
    for r in np.flatnonzero(regions.counts[:, 0]):
        own, faces, vertices = (int(n) for n in regions.counts[r])
        _move(forest, made, regions.plots[r], plots[r], np.array((*rows_of(own, 0)[:2], faces, vertices)))
        made.children[regions.lanes[r]] = plots[r, NODES]
    return made, regions._replace(used=used.copy(), room=room, plots=plots, rooms=rooms)


def _move(source: Forest, target: Forest, old: I64, new: I64, rows: I64) -> None:
    """Copy a plot to another place, where it has other numbers."""
    node, leaf, face, vertex = (np.int32(n) for n in new - old)

    def part(array: npt.NDArray[Any], at: I64, kind: int, width: int = 1) -> npt.NDArray[Any]:
        return array[width * at[kind] : width * (at[kind] + rows[kind])]

    part(target.boxes, new, NODES, NODE)[:] = part(source.boxes, old, NODES, NODE)
    part(target.slabs, new, NODES, SLAB)[:] = part(source.slabs, old, NODES, SLAB)
    children = part(source.children, old, NODES, WIDTH)
    part(target.children, new, NODES, WIDTH)[:] = np.select([children > 0, children < 0], [children + node, children - leaf])
    part(target.leaf_corners, new, LEAVES, LEAF)[:] = part(source.leaf_corners, old, LEAVES, LEAF)
    held = part(source.leaf_faces, old, LEAVES, WIDTH)
    part(target.leaf_faces, new, LEAVES, WIDTH)[:] = np.where(held >= 0, held + face, -1)
    faces = part(source.faces, old, FACES)
    part(target.faces, new, FACES)[:] = np.where(faces > 0, faces + vertex, 0)  # 0: parked
    part(target.mates, new, FACES)[:] = part(source.mates, old, FACES) + face
    part(target.normals, new, FACES)[:] = part(source.normals, old, FACES)
    part(target.vertices, new, VERTICES)[:] = part(source.vertices, old, VERTICES)
    part(target.vertex_normals, new, VERTICES)[:] = part(source.vertex_normals, old, VERTICES)
