"""Writing parts of a tree anew: a leaf, what a lane says of the node below it, the reach of the whole."""

from __future__ import annotations

import numpy as np

from navtwin.kernels.build import round_out
from navtwin.kernels.jit import inlined, query
from navtwin.kernels.simd import F32, FAR, WIDTH, choose, load, lowest, splat, store
from navtwin.kernels.slabs import write_slab
from navtwin.kernels.tree import LEAF, NODE, SLAB, Forest


@inlined
def is_empty(boxes: F32, lane: int) -> bool:
    return bool(boxes[NODE * (lane >> 3) + (lane & 7)] > 0.5 * FAR)


@query
def empty_node(forest: Forest, node: int) -> None:
    """Leave nothing in a node."""
    for row in range(6):
        store(forest.boxes, NODE * node + WIDTH * row, splat(FAR))
    for row in range(5):
        store(forest.slabs, SLAB * node + WIDTH * row, splat(0.0))
    for k in range(WIDTH):
        forest.children[WIDTH * node + k] = 0


@inlined
def _span(boxes: F32, node: int, axis: int) -> tuple[float, float]:
    """From where to where the children of a node reach along an axis; FAR and FAR if all its lanes are empty."""
    at = NODE * node + WIDTH * axis
    low = lowest(load(boxes, at))
    high = choose(load(boxes, NODE * node), splat(0.5 * FAR), load(boxes, at + 3 * WIDTH), splat(-FAR))
    return low, -lowest(splat(0.0) - high) if low < 0.5 * FAR else low


@query
def renew_lane(forest: Forest, lane: int, scratch: F32) -> bool:
    """Write box and slab of an inner node into the lane that it hangs in, empty if it is; tell whether they changed.

    `scratch` : (8,) float32
    """
    boxes, child, at, slab_at = forest.boxes, forest.children[lane], NODE * (lane >> 3) + (lane & 7), SLAB * (lane >> 3) + (lane & 7)
    is_new = False
    for axis in range(3):
        low, high = _span(boxes, child, axis)
        is_new |= low != boxes[at + WIDTH * axis] or high != boxes[at + WIDTH * (axis + 3)]
        boxes[at + WIDTH * axis], boxes[at + WIDTH * (axis + 3)] = low, high
    if is_empty(boxes, lane):
        return is_new
    for row in range(5):
        scratch[row] = forest.slabs[slab_at + WIDTH * row]
    before = load(scratch, 0)
    write_slab(boxes, forest.children, forest.leaf_corners, lane, forest.slabs, scratch)
    store(scratch, 0, before)
    for row in range(5):
        is_new |= scratch[row] != forest.slabs[slab_at + WIDTH * row]
    return is_new


@inlined
def _put_axis(corners: F32, at: int, o: float, a: float, b: float, c: float, low: float, high: float) -> tuple[float, float]:
    """Write one coordinate of a triangle to its leaf; return the range low .. high with it."""
    corners[at], corners[at + 3 * WIDTH], corners[at + 6 * WIDTH] = a - o, b - a, c - a
    return min(low, a, b, c), max(high, a, b, c)


@query
def renew_leaf(forest: Forest, tree: int, leaf: int, lane: int, scratch: F32) -> float:
    """Write the corners of a leaf, and box and slab in the lane that it hangs in; return the square of its longest edge.

    `scratch` : (8,) float32
    """
    vertices, faces, corners, boxes, longest2 = forest.vertices, forest.faces, forest.leaf_corners, forest.boxes, 0.0
    o = forest.centre[tree, 0], forest.centre[tree, 1], forest.centre[tree, 2]
    x, to_x, y, to_y, z, to_z = np.inf, -np.inf, np.inf, -np.inf, np.inf, -np.inf
    for k in range(WIDTH):
        f, at = forest.leaf_faces[WIDTH * leaf + k], LEAF * leaf + k
        if f < 0:
            for row in range(9):
                corners[at + WIDTH * row] = FAR if row < 3 else 0.0
            continue
        i, j, m = faces[f, 0], faces[f, 1], faces[f, 2]
        a = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        b = vertices[j, 0], vertices[j, 1], vertices[j, 2]
        c = vertices[m, 0], vertices[m, 1], vertices[m, 2]
        x, to_x = _put_axis(corners, at, o[0], a[0], b[0], c[0], x, to_x)
        y, to_y = _put_axis(corners, at + WIDTH, o[1], a[1], b[1], c[1], y, to_y)
        z, to_z = _put_axis(corners, at + 2 * WIDTH, o[2], a[2], b[2], c[2], z, to_z)
        uu = (b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2 + (b[2] - a[2]) ** 2
        vv = (c[0] - a[0]) ** 2 + (c[1] - a[1]) ** 2 + (c[2] - a[2]) ** 2
        ww = (c[0] - b[0]) ** 2 + (c[1] - b[1]) ** 2 + (c[2] - b[2]) ** 2
        longest2 = max(longest2, uu, vv, ww)
    at = NODE * (lane >> 3) + (lane & 7)
    boxes[at], boxes[at + 3 * WIDTH] = round_out(x - o[0], -1.0), round_out(to_x - o[0], 1.0)
    boxes[at + WIDTH], boxes[at + 4 * WIDTH] = round_out(y - o[1], -1.0), round_out(to_y - o[1], 1.0)
    boxes[at + 2 * WIDTH], boxes[at + 5 * WIDTH] = round_out(z - o[2], -1.0), round_out(to_z - o[2], 1.0)
    write_slab(boxes, forest.children, corners, lane, forest.slabs, scratch)
    return longest2


@query
def renew_reach(forest: Forest, tree: int) -> float:
    """Write the reach of a structure, off its root's boxes; return the half area of the box around them."""
    root = forest.roots[tree]
    (x, to_x), (y, to_y), (z, to_z) = _span(forest.boxes, root, 0), _span(forest.boxes, root, 1), _span(forest.boxes, root, 2)
    if x > 0.5 * FAR:  # nothing is there
        return 0.0
    forest.reach[tree] = max(-x, to_x, -y, to_y, -z, to_z)
    x, y, z = np.float64(to_x) - x, np.float64(to_y) - y, np.float64(to_z) - z
    return x * y + y * z + z * x
