"""A surface in regions, each of which can be replaced without touching the rest: what drilling leaves of a bone, brick by brick.

All regions are one structure of a `Forest`, so every query works on it. The top of its tree is built once, over the cells that the regions are
to fill; below hangs a small tree of each region. A region's nodes, leaves, faces and vertices lie together in a *plot* of the forest's arrays.
Replacing a region writes its plot and the boxes above it. A region that has outgrown its plot gets a new one from the spare room at the end;
when that is used up, `with_room` lays everything out anew. Of faces equally near, a query names the one whose plot stands first.

A small tree needs no sorting by cost: its triangles are put in Morton order (Morton 1966), dealt out to leaves of eight, and those to nodes of
eight.

**Seams.** A region repeats the vertices that it shares with its neighbours, and is given their faces at these vertices, too: its *rim*. Rim faces
are never found by a query; they are there for the pseudonormals, which are thereby those of the whole surface, and no region needs to know where
another's faces lie. So what changes at a seam changes in both regions: replace both. Whoever cuts a surface out of a volume gets the rim by
working one cell beyond the seam.
"""

from __future__ import annotations

import math

import numpy as np

from navtwin.kernels.adjacency import edge_mates
from navtwin.kernels.build import TINY
from navtwin.kernels.jit import kernel, query
from navtwin.kernels.normals import write_normals
from navtwin.kernels.plots import FACES, VERTICES, Regions, levels, roomy, rows_of
from navtwin.kernels.renew import empty_node, renew_lane, renew_leaf, renew_reach
from navtwin.kernels.simd import F32, FAR, WIDTH
from navtwin.kernels.tree import F64, I32, I64, NODE, Forest


@query
def _spread(x: int) -> int:
    """The ten lowest bits of x, two empty ones after each."""
    x = (x | (x << 16)) & 0x030000FF
    x = (x | (x << 8)) & 0x0300F00F
    x = (x | (x << 4)) & 0x030C30C3
    return (x | (x << 2)) & 0x09249249


@query
def _write_keys(vertices: F64, faces: I32, keys: I64) -> bool:
    """Of each of the first faces its place along the Morton curve through a cube around all, and below it its number; False for bad input."""
    low_x, low_y, low_z, high_x, high_y, high_z = np.inf, np.inf, np.inf, -np.inf, -np.inf, -np.inf
    for v in range(vertices.shape[0]):
        x, y, z = vertices[v, 0], vertices[v, 1], vertices[v, 2]
        if not (abs(x) < 0.5 * FAR and abs(y) < 0.5 * FAR and abs(z) < 0.5 * FAR):
            return False
        low_x, low_y, low_z = min(low_x, x), min(low_y, y), min(low_z, z)
        high_x, high_y, high_z = max(high_x, x), max(high_y, y), max(high_z, z)
    side = max(high_x - low_x, high_y - low_y, high_z - low_z)
    scale = 1023.0 / (3.0 * side) if side > TINY else 0.0
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        if min(a, b, c) < 0 or max(a, b, c) >= vertices.shape[0]:
            return False
        if f < keys.shape[0]:
            x = vertices[a, 0] + vertices[b, 0] + vertices[c, 0] - 3.0 * low_x
            y = vertices[a, 1] + vertices[b, 1] + vertices[c, 1] - 3.0 * low_y
            z = vertices[a, 2] + vertices[b, 2] + vertices[c, 2] - 3.0 * low_z
            keys[f] = (_spread(int(x * scale)) | _spread(int(y * scale)) << 1 | _spread(int(z * scale)) << 2) << 32 | f
    return True


@kernel
def _lay(forest: Forest, first_face: int, first_vertex: int, parking: int, vertices: F64, faces: I32, own: int) -> int:
    """Write vertices, faces and normals of a region to its plot; return the open edges of its own faces."""
    for v in range(vertices.shape[0]):
        for i in range(3):
            forest.vertices[first_vertex + v, i] = vertices[v, i]
    mates, _ = edge_mates(faces, vertices.shape[0])
    open_edges = 0
    for f in range(faces.shape[0]):
        for e in range(3):
            forest.faces[first_face + f, e] = forest.topology[first_face + f, e] = first_vertex + faces[f, e]
            mate = mates[f, e]
            open_edges += f < own and mate < 0
            # An open edge has nobody on the other side: its face alone must tell.
            forest.mates[first_face + f, e] = first_face + (mate if mate >= 0 else f)
    past = first_face + faces.shape[0]
    write_normals(forest.vertices, forest.faces, forest.topology, forest.mates, first_face, past, forest.normals, forest.vertex_normals)
    _park(forest, first_face + own, past, parking)
    return open_edges


@query
def _park(forest: Forest, first: int, past: int, parking: int) -> None:
    """Put faces where no query goes, in case that a hint still names them."""
    for f in range(first, past):
        for e in range(3):
            forest.faces[f, e] = forest.topology[f, e] = parking


@query
def _plant(forest: Forest, tree: int, first_node: int, first_leaf: int, first_face: int, keys: I64, counted: I64, scratch: F32) -> float:
    """Build the tree of a region in its plot over its own faces, in order of `keys`; return its longest edge.

    `counted` : the number of nodes of each level, the root first, and then of leaves
    """
    above, node, longest2 = first_node, first_node, 0.0
    for depth in range(counted.shape[0] - 1):
        above, count, below = node, counted[depth], counted[depth + 1]
        is_last = depth == counted.shape[0] - 2
        node = above + count
        for j in range(count):
            empty_node(forest, above + j)
            first = j * below // count
            for i in range(first, (j + 1) * below // count):
                lane = WIDTH * (above + j) + i - first
                forest.children[lane] = ~(first_leaf + i) if is_last else node + i
                if is_last:
                    start, end = i * keys.shape[0] // below, (i + 1) * keys.shape[0] // below
                    for k in range(WIDTH):
                        face = first_face + (keys[start + k] & 0xFFFFFFFF) if start + k < end else -1
                        forest.leaf_faces[WIDTH * (first_leaf + i) + k] = face
                    longest2 = max(longest2, renew_leaf(forest, tree, first_leaf + i, lane, scratch))
    for k in range(node - 1, first_node - 1, -1):
        for lane in range(WIDTH * k, WIDTH * k + WIDTH):
            if forest.children[lane] > 0:
                renew_lane(forest, lane, scratch)
    return math.sqrt(longest2)


@query
def _hang(forest: Forest, regions: Regions, tree: int, region: int, child: int) -> None:
    """Hang the tree that starts at node `child`, or nothing if that is -1, in the region's place and renew what is above."""
    base, lane = regions.base[0], int(regions.lanes[region])
    at = NODE * (base + (lane >> 3)) + (lane & 7)
    forest.children[WIDTH * base + lane] = max(child, 0)
    if child >= 0:
        renew_lane(forest, WIDTH * base + lane, regions.scratch)
    else:
        for row in range(6):
            forest.boxes[at + WIDTH * row] = FAR
    while True:
        node = lane >> 3
        lane = int(regions.node_lanes[node])
        if lane < 0 or not renew_lane(forest, WIDTH * base + lane, regions.scratch):
            break
    longest = 0.0
    for r in range(regions.longest.shape[0]):
        longest = max(longest, regions.longest[r])
    forest.longest[tree] = longest
    renew_reach(forest, tree)


def replace_region(forest: Forest, tree: int, regions: Regions, region: int, vertices: F64, faces: I32, own: int) -> bool:
    """Give a region new triangles, or none. Not while a query reads the forest.

    Parameters
    ----------
    forest : its arrays are changed in place
    tree : number of the structure in it
    regions : changed in place
    region : 0 .. R - 1
    vertices : (V, 3) float64, mm, finite
    faces : (F, 3) int32, rows of `vertices`: first the region's own faces, then its rim, the faces of other regions at its own faces' vertices
    own : number of the region's own faces; 0 empties it

    Returns
    -------
    False where there is no room for them: nothing was changed, and `with_room` helps

    Raises
    ------
    ValueError : a vertex that is not finite, or a face that names no vertex; `own` out of range; nothing was changed
    """
    if not 0 <= own <= len(faces):
        raise ValueError(f"region {region} cannot own {own} of {len(faces)} faces")
    own_keys = np.empty(own, np.int64)
    if not _write_keys(vertices, faces, own_keys):
        raise ValueError(f"region {region} has a vertex that is not finite or a face that names no vertex")
    base, plot, counts = regions.base, regions.plots[region], regions.counts[region]
    parking = int(base[VERTICES])
    if own > 0 and (len(faces) > regions.rooms[region, FACES] or len(vertices) > regions.rooms[region, VERTICES]):
        rows = rows_of(roomy(len(faces)), roomy(len(vertices)))
        if (regions.used + rows > regions.room).any():
            return False
        first = int(base[FACES] + plot[FACES])
        _park(forest, first, first + int(counts[0]), parking)
        plot[:], regions.rooms[region] = regions.used, rows
        regions.used[:] += rows
        counts[0] = 0
    first_node, first_leaf, first_face, first_vertex = (int(n) for n in base + plot)
    _park(forest, first_face, first_face + int(counts[0]), parking)
    counts[:] = (own, len(faces), len(vertices)) if own > 0 else 0
    if own == 0:
        regions.open_edges[region], regions.longest[region] = 0, 0.0
        _hang(forest, regions, tree, region, -1)
        return True
    own_keys.sort()
    regions.open_edges[region] = _lay(forest, first_face, first_vertex, parking, vertices, faces, own)
    leaves = -(-own // WIDTH)
    counted = np.array((*levels(leaves), leaves), np.int64)
    regions.longest[region] = _plant(forest, tree, first_node, first_leaf, first_face, own_keys, counted, regions.scratch)
    _hang(forest, regions, tree, region, first_node)
    return True


def face_place(regions: Regions, face: int) -> tuple[int, int]:
    """The region of a face of the structure, and its number in that region."""
    region = int(np.flatnonzero((regions.plots[:, FACES] <= face) & (face < regions.plots[:, FACES] + regions.counts[:, 0]))[0])
    return region, face - int(regions.plots[region, FACES])
