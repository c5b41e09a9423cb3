"""A brick's part of the tree: its triangles in leaves, a small tree over them, and the octree over all bricks that it hangs in.

Everything lies in the arrays of one `Forest`, in pages (`navtwin.kernels.bone.pages`): nodes one by one, leaves by eight, vertices by 32. What a page
holds that is given back is put out of every query's way, since a hint may still name one of its faces. Face 8 leaf + lane stands in that lane of that
leaf: `faces` and `leaf_faces` have a row for each lane.
"""

from __future__ import annotations

from typing import NamedTuple

from navtwin.kernels.bone.bench import Bench
from navtwin.kernels.bone.pages import Pages, give_back, pages_for, take
from navtwin.kernels.jit import inlined, query
from navtwin.kernels.renew import empty_node, renew_lane, renew_leaf
from navtwin.kernels.simd import F32, FAR, WIDTH
from navtwin.kernels.tree import I32, I64, NODE, Forest

TREE = 0
#: Leaves of a page hang in one node.
LEAVES = WIDTH
VERTICES = 32
#: The vertex where faces of nobody are parked.
PARKING = 0


class Grove(NamedTuple):
    """Which pages each of the B bricks has, and the octree over them.

    Attributes
    ----------
    nodes, leaves, vertices : pages of one node, of eight leaves, of 32 vertices
    first : (B, 3) int32, each brick's first page of either; -1 for none
    counts : (B, 3) int32, its nodes, triangles and vertices
    above : (U,) int32, the octree's nodes, level by level, the lowest first; -1 where there is none yet
    levels : (D, 4) int64, of each level where it starts in `above`, and its numbers of nodes along k, j, i; the last one is the root
    row : (R,) int32, scratch: nodes of a level
    scratch : (8,) float32
    """

    nodes: Pages
    leaves: Pages
    vertices: Pages
    first: I32
    counts: I32
    above: I32
    levels: I64
    row: I32
    scratch: F32


@inlined
def _nodes_for(triangles: int) -> int:
    """How many nodes the small tree over so many triangles has."""
    count = pages_for(triangles, LEAVES * WIDTH)
    total = count
    while count > 1:
        count = pages_for(count, WIDTH)
        total += count
    return total


@inlined
def has_room(grove: Grove, brick: int, triangles: int, vertices: int) -> bool:
    """Whether a brick can be given so many triangles and vertices, in place of what it has."""
    had = grove.counts[brick]
    nodes = _nodes_for(triangles) + grove.levels.shape[0]
    leaves = pages_for(triangles, LEAVES * WIDTH) - pages_for(had[1], LEAVES * WIDTH)
    return bool(
        nodes <= grove.nodes.left[0] + had[0]
        and leaves <= grove.leaves.left[0]
        and pages_for(vertices, VERTICES) <= grove.vertices.left[0] + pages_for(had[2], VERTICES)
    )


@query
def _strip(forest: Forest, grove: Grove, brick: int) -> None:
    """Give back all that a brick has."""
    page = 0 + grove.first[brick, 1]
    while page >= 0:
        for face in range(page * LEAVES * WIDTH, (page + 1) * LEAVES * WIDTH):
            forest.faces[face, 0] = forest.faces[face, 1] = forest.faces[face, 2] = PARKING
        page = 0 + grove.leaves.after[page]
    give_back(grove.nodes, 0 + grove.first[brick, 0])
    give_back(grove.leaves, 0 + grove.first[brick, 1])
    give_back(grove.vertices, 0 + grove.first[brick, 2])
    for kind in range(3):
        grove.first[brick, kind], grove.counts[brick, kind] = -1, 0


@query
def _put_vertices(forest: Forest, grove: Grove, brick: int, work: Bench, count: int) -> None:
    """Copy the vertices to pages; `numbers` of the bench tells where each has gone."""
    page = -1
    for v in range(count):
        if v % VERTICES == 0:
            page = take(grove.vertices, page)
            if v == 0:
                grove.first[brick, 2] = page
        at = page * VERTICES + v % VERTICES
        work.numbers[v] = at
        for i in range(3):
            forest.vertices[at, i] = work.vertices[v, i]


@query
def _put_leaf(forest: Forest, work: Bench, leaf: int, first: int, past: int) -> None:
    """Name the triangles first .. past - 1 in a leaf."""
    for lane in range(WIDTH):
        face, t = WIDTH * leaf + lane, first + lane
        forest.leaf_faces[face] = face if t < past else -1
        if t < past:
            for e in range(3):
                forest.faces[face, e] = work.numbers[work.triangles[t, e]]


@query
def _put_leaves(forest: Forest, grove: Grove, brick: int, work: Bench, triangles: int) -> int:
    """Lay the leaves and the nodes above them, into `row`; return how many nodes these are."""
    nodes, leaves = pages_for(triangles, LEAVES * WIDTH), pages_for(triangles, WIDTH)
    page, node = -1, -1
    for n in range(nodes):
        page, node = take(grove.leaves, page), take(grove.nodes, node)
        if n == 0:
            grove.first[brick, 1], grove.first[brick, 0] = page, node
        grove.row[n] = node
        empty_node(forest, node)
        first = n * leaves // nodes
        for k in range(first, (n + 1) * leaves // nodes):
            leaf, lane = page * LEAVES + k - first, WIDTH * node + k - first
            _put_leaf(forest, work, leaf, k * triangles // leaves, (k + 1) * triangles // leaves)
            forest.children[lane] = ~leaf
            renew_leaf(forest, TREE, leaf, lane, grove.scratch)
    return nodes


@query
def _put_nodes(forest: Forest, grove: Grove, brick: int, below: int) -> int:
    """Join the nodes in `row` by eight until one is left; return it."""
    last = grove.row[below - 1]
    total = below
    while below > 1:
        count = pages_for(below, WIDTH)
        for n in range(count):
            node = take(grove.nodes, last)
            last = node
            empty_node(forest, node)
            first = n * below // count
            for k in range(first, (n + 1) * below // count):
                lane = WIDTH * node + k - first
                forest.children[lane] = grove.row[k]
                renew_lane(forest, lane, grove.scratch)
            grove.row[n] = node
        below = count
        total += count
    grove.counts[brick, 0] = total
    return int(grove.row[0])


@inlined
def _place(grove: Grove, level: int, k: int, j: int, i: int) -> int:
    """Where the node of a level over a brick is in `above`."""
    start, _, nj, ni = grove.levels[level]
    return int(start + ((k >> (level + 1)) * nj + (j >> (level + 1))) * ni + (i >> (level + 1)))


@inlined
def _lane(grove: Grove, level: int, k: int, j: int, i: int) -> int:
    """The lane, of the node of a level over a brick, that leads down to it."""
    octant = (k >> level & 1) << 2 | (j >> level & 1) << 1 | (i >> level & 1)
    return int(WIDTH * grove.above[_place(grove, level, k, j, i)] + octant)


@query
def _hang(forest: Forest, grove: Grove, k: int, j: int, i: int, child: int) -> None:
    """Hang the tree that starts at node `child`, or nothing if that is -1, in a brick's place and renew what is above."""
    depth = grove.levels.shape[0]
    if child < 0 and grove.above[_place(grove, 0, k, j, i)] < 0:
        return
    for level in range(depth - 2, -1, -1):  # the root is always there
        at = _place(grove, level, k, j, i)
        if grove.above[at] < 0:
            node = take(grove.nodes, -1)
            empty_node(forest, node)
            grove.above[at] = node
            forest.children[_lane(grove, level + 1, k, j, i)] = node
    lane = _lane(grove, 0, k, j, i)
    forest.children[lane] = max(child, 0)
    if child < 0:
        for row in range(6):
            forest.boxes[NODE * (lane >> 3) + (lane & 7) + WIDTH * row] = FAR
    level, is_new = 0, child < 0 or renew_lane(forest, lane, grove.scratch)
    while is_new and level + 1 < depth:
        level += 1
        is_new = renew_lane(forest, _lane(grove, level, k, j, i), grove.scratch)


@query
def lay_branch(forest: Forest, grove: Grove, brick: int, k: int, j: int, i: int, work: Bench, vertices: int, triangles: int) -> None:
    """Give a brick the vertices and triangles of the bench, in place of what it has, and renew the tree. `has_room` must have said so.

    Parameters
    ----------
    k, j, i : the brick's place in the table
    """
    _strip(forest, grove, brick)
    child = -1
    if triangles > 0:
        _put_vertices(forest, grove, brick, work, vertices)
        child = _put_nodes(forest, grove, brick, _put_leaves(forest, grove, brick, work, triangles))
        grove.counts[brick, 1], grove.counts[brick, 2] = triangles, vertices
    _hang(forest, grove, k, j, i, child)
