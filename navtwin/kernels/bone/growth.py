"""The surface of drilled bone as a tree that lives: planted once, and renewed in the bricks that were cut."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from navtwin.kernels.bone.bench import MOST_QUADS, Bench, bench
from navtwin.kernels.bone.branch import LEAVES, PARKING, TREE, VERTICES, Grove, has_room, lay_branch
from navtwin.kernels.bone.bricks import BRICK, Bricks, mark_dirty
from navtwin.kernels.bone.pages import Pages, chain, more_pages, new_pages, take
from navtwin.kernels.bone.sheet import count_quads, lay_sheet
from navtwin.kernels.jit import query
from navtwin.kernels.renew import empty_node
from navtwin.kernels.simd import FAR, WIDTH
from navtwin.kernels.tree import F64, I32, I64, LEAF, LOCAL, NODE, SLAB, Forest

#: Room for half as much again as there is at first, and so many pages, since making more takes longer than a frame may. What is never written to, the
#: operating system does not hand out.
SPARE, SPARE_PAGES = 1.5, 4096
#: A quad spans two cubes across and one along its edge: no triangle has a longer side than this, in sides of the grid.
LONGEST = 3.0 + 1e-6
#: One brick never has more pages of leaves, hence nodes over them.
_MOST_LEAF_PAGES = 4 * MOST_QUADS // (LEAVES * WIDTH)


class Canopy:
    """The tree over what is left of a bone.

    Attributes
    ----------
    forest : of one structure, told apart by `LOCAL` signs; its arrays change in place. It is another object only after `renew` had to make room,
        which it says.
    grove : what of it belongs to which brick
    work : what `renew` works on
    """

    def __init__(self, bricks: Bricks, pages: tuple[int, int, int]) -> None:
        """An empty tree with so many pages of nodes, leaves and vertices."""
        self.grove, self.work = _new_grove(bricks, pages), bench()
        self.forest = _new_forest(bricks, self.grove)
        root = take(self.grove.nodes, -1)
        self.grove.above[-1] = root
        self.forest.roots[TREE] = root
        # Lanes that stay empty, where the grid has few bricks, must lie far away: at nought they would lead back to the root.
        empty_node(self.forest, root)
        take(self.grove.vertices, -1)
        self.forest.vertices[PARKING] = FAR

    @property
    def triangles(self) -> int:
        """How many there are."""
        return int(self.grove.counts[:, 1].sum())


def _levels(shape: tuple[int, ...]) -> I64:
    """The levels of an octree over a table, the lowest first: see `Grove`."""
    rows: list[tuple[int, ...]] = []
    start, counts = 0, list(shape)
    while not rows or max(counts) > 1:
        counts = [-(-n // 2) for n in counts]
        rows.append((start, *counts))
        start += int(np.prod(counts))
    return np.array(rows, np.int64)


def _new_grove(bricks: Bricks, pages: tuple[int, int, int]) -> Grove:
    levels = _levels(bricks.table.shape)
    return Grove(
        nodes=new_pages(pages[0]),
        leaves=new_pages(pages[1]),
        vertices=new_pages(pages[2]),
        first=np.full((bricks.table.size, 3), -1, np.int32),
        counts=np.zeros((bricks.table.size, 3), np.int32),
        above=np.full(int(levels[-1, 0]) + 1, -1, np.int32),
        levels=levels,
        row=np.zeros(_MOST_LEAF_PAGES, np.int32),
        scratch=np.zeros(WIDTH, np.float32),
    )


def _new_forest(bricks: Bricks, grove: Grove) -> Forest:
    side, counts = float(bricks.side[0]), BRICK * np.array(bricks.table.shape[::-1])
    nodes, leaves = len(grove.nodes.after), LEAVES * len(grove.leaves.after)
    none = np.zeros((0, 3), np.int32)
    return Forest(
        boxes=np.zeros(NODE * nodes, np.float32),
        children=np.zeros(WIDTH * nodes, np.int32),
        leaf_corners=np.zeros(LEAF * leaves, np.float32),
        leaf_faces=np.zeros(WIDTH * leaves, np.int32),
        vertices=np.zeros((VERTICES * len(grove.vertices.after), 3)),
        faces=np.zeros((WIDTH * leaves, 3), np.int32),
        topology=none,
        mates=none.copy(),
        normals=np.zeros((0, 3)),
        vertex_normals=np.zeros((0, 3)),
        centre=(bricks.origin + 0.5 * side * (counts - 1)).reshape(1, 3),
        reach=np.array([0.5 * side * (float(counts.max()) + 1.0)]),
        longest=np.array([LONGEST * side]),
        roots=np.zeros(1, np.int32),
        first_face=np.array((0, WIDTH * leaves), np.int32),
        sign_rule=np.array([LOCAL], np.uint8),
        far_field=np.empty(0, np.float32),
        far_shift=np.zeros(1, np.int32),
        slabs=np.zeros(SLAB * nodes, np.float32),
    )


@query
def _mark_all(bricks: Bricks) -> None:
    """Queue every brick that is kept, and those below it along each axis: an edge of the grid may start there and end here."""
    _, nj, ni = bricks.table.shape
    for slot in range(bricks.used[0]):
        brick = 0 + bricks.owner[slot]
        if brick < 0:
            continue
        mark_dirty(bricks, brick)
        if brick % ni > 0:
            mark_dirty(bricks, brick - 1)
        if brick // ni % nj > 0:
            mark_dirty(bricks, brick - ni)
        if brick >= ni * nj:
            mark_dirty(bricks, brick - ni * nj)


@query
def _count_queued(bricks: Bricks, work: Bench, totals: I64) -> None:
    """About how many pages of nodes, leaves and vertices the queued bricks need."""
    for n in range(bricks.queued[0]):
        quads = count_quads(bricks, 0 + bricks.queue[n], work)
        if quads > 0:
            leaf_pages = quads // (LEAVES * WIDTH // 2) + 1
            totals[0] += leaf_pages + (leaf_pages > 1) + 1
            totals[1] += leaf_pages
            totals[2] += quads * 5 // 4 // VERTICES + 2


@query
def _lay_queued(bricks: Bricks, forest: Forest, grove: Grove, work: Bench) -> int:
    """Lay queued bricks anew, the last first; return how many are left because there is no room."""
    _, nj, ni = bricks.table.shape
    while bricks.queued[0] > 0:
        brick = 0 + bricks.queue[bricks.queued[0] - 1]
        vertices, triangles = lay_sheet(bricks, brick, work)
        if not has_room(grove, brick, triangles, vertices):
            break
        lay_branch(forest, grove, brick, brick // ni // nj, brick // ni % nj, brick % ni, work, vertices, triangles)
        bricks.dirty[brick] = 0
        bricks.queued[0] -= 1
    return int(bricks.queued[0])


def plant(bricks: Bricks) -> Canopy:
    """Lay the surface of all bone. The points of the grid's first layers must be outside, as `fill` leaves them.

    Parameters
    ----------
    bricks : its queue is emptied
    """
    _mark_all(bricks)
    totals, work = np.zeros(3, np.int64), bench()
    _count_queued(bricks, work, totals)
    canopy = Canopy(bricks, tuple(int(SPARE * n) + SPARE_PAGES for n in totals))  # type: ignore[arg-type]
    renew(bricks, canopy)
    return canopy


def renew(bricks: Bricks, canopy: Canopy) -> bool:
    """Lay all queued bricks anew and empty the queue. Not while a query reads the forest.

    Returns
    -------
    whether `canopy.forest` is another object now, with its arrays elsewhere: there was no room left. Faces keep their numbers.
    """
    has_moved = False
    while _lay_queued(bricks, canopy.forest, canopy.grove, canopy.work) > 0:
        _make_room(bricks, canopy)
        has_moved = True
    return has_moved


def _make_room(bricks: Bricks, canopy: Canopy) -> None:
    """Half as much again of everything."""

    def wider(pages: Pages) -> Pages:
        return more_pages(pages, 3 * len(pages.after) // 2 + _MOST_LEAF_PAGES)

    before, grove = canopy.forest, canopy.grove
    canopy.grove = grove._replace(nodes=wider(grove.nodes), leaves=wider(grove.leaves), vertices=wider(grove.vertices))
    canopy.forest = _new_forest(bricks, canopy.grove)
    for name in ("boxes", "children", "leaf_corners", "leaf_faces", "vertices", "faces", "slabs", "roots"):
        old = getattr(before, name)
        getattr(canopy.forest, name)[: len(old)] = old


def patch(canopy: Canopy, brick: int) -> tuple[F64, npt.NDArray[np.int32]]:
    """The surface of one brick as it is laid.

    Returns
    -------
    vertices_mm : (V, 3) float64; on the brick's borders the neighbours have the same ones, to the bit
    faces : (F, 3) int32, rows of `vertices_mm`, counter-clockwise seen from outside
    """
    grove, forest = canopy.grove, canopy.forest
    count = int(grove.counts[brick, 2])
    pages = np.array(chain(grove.vertices, grove.first[brick, 2]), np.int64)
    rows = (VERTICES * pages[:, None] + np.arange(VERTICES)).reshape(-1)[:count]
    lanes = (LEAVES * WIDTH * np.array(chain(grove.leaves, grove.first[brick, 1]), np.int64)[:, None] + np.arange(LEAVES * WIDTH)).reshape(-1)
    faces: I32 = forest.faces[lanes]
    faces = faces[faces[:, 0] != PARKING]
    order = np.argsort(rows)
    return forest.vertices[rows], order[np.searchsorted(rows[order], faces)].astype(np.int32)
