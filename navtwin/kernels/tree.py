"""A binary tree of boxes over the triangles of one or many surfaces, in flat arrays.

Built top-down by the surface-area heuristic on 16 bins (Wald 2007, "On fast construction of SAH-based bounding volume hierarchies", section 3)
and always in the same order, so the same mesh gives the same tree. Boxes are exact: the smallest and largest corner, in float64.

A `Forest` holds the trees of several structures end to end; one surface alone is a forest of one. Every query takes a forest and a tree number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from navtwin.kernels.jit import kernel

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]

LEAF_SIZE = 8
BINS = 16
#: From this depth on, nodes are halved by count: 2^31 triangles then end above level 64, whatever their shape.
MEDIAN_DEPTH = 32
#: A depth-first walk keeps at most one sibling a level; a walk over pairs of trees, one a level of both.
STACK_SIZE = 160


class Forest(NamedTuple):
    """Trees of S structures: N nodes, T triangles in leaf order ("slots"), V topological vertices.

    Attributes
    ----------
    boxes : (N, 6) float64, lowest then highest corner of each node, mm
    links : (N, 2) int32, (first, count): a leaf's slots are first .. first + count; count 0 is an inner node with children first and first + 1
    corners : (T, 9) float64, the three corners of each slot, mm
    face : (T,) int32, face index of each slot, counted within its own structure
    slot : (T,) int32, slot of face f of structure s at first_face[s] + f
    normals : (T, 3) float64, unit normal of each slot
    mates : (T, 3) int32, slot across the edges 01, 12, 20; -1 where there is none
    vertex : (T, 3) int32, rows of `vertex_normals`
    vertex_normals : (V, 3) float64, angle-weighted, not normalised
    roots : (S,) int32, root node of each structure
    first_face : (S + 1,) int32, where each structure's faces start
    has_inside : (S,) bool, closed with outward normals; distances to any other surface are never negative
    """

    boxes: F64
    links: I32
    corners: F64
    face: I32
    slot: I32
    normals: F64
    mates: I32
    vertex: I32
    vertex_normals: F64
    roots: I32
    first_face: I32
    has_inside: npt.NDArray[np.bool_]


class Workspace(NamedTuple):
    """Scratch memory of a query, so that nothing is allocated inside one."""

    nodes: I32
    others: I32
    bounds: F64


def workspace() -> Workspace:
    """Scratch memory for one thread."""
    return Workspace(np.zeros(STACK_SIZE, np.int32), np.zeros(STACK_SIZE, np.int32), np.zeros(STACK_SIZE))


@kernel
def _half_area(box: F64) -> float:
    x, y, z = box[3] - box[0], box[4] - box[1], box[5] - box[2]
    return float(x * y + y * z + z * x)


@kernel
def _empty(box: F64) -> None:
    box[:3] = np.inf
    box[3:] = -np.inf


@kernel
def _grow(box: F64, other: F64) -> None:
    for axis in range(3):
        box[axis] = min(box[axis], other[axis])
        box[axis + 3] = max(box[axis + 3], other[axis + 3])


@kernel
def _bin(value: float, low: float, width: float) -> int:
    return min(int((value - low) / width * BINS), BINS - 1)


@kernel
def _cheapest_cut(order: I32, boxes: F64, centres: F64, first: int, count: int, axis: int, low: float, width: float) -> int:
    """The bin after which cutting costs least (area x count on both sides), or -1 where every centre falls into one bin."""
    bins = np.empty((BINS, 6))
    counts = np.zeros(BINS, np.int64)
    for b in range(BINS):
        _empty(bins[b])
    for k in range(first, first + count):
        b = _bin(centres[order[k], axis], low, width)
        counts[b] += 1
        _grow(bins[b], boxes[order[k]])
    right_cost = np.empty(BINS)
    side = np.empty(6)
    _empty(side)
    n = 0
    for b in range(BINS - 1, 0, -1):
        if counts[b] > 0:
            _grow(side, bins[b])
        n += counts[b]
        right_cost[b] = n * _half_area(side) if n > 0 else np.inf
    _empty(side)
    n = 0
    best, cut = np.inf, -1
    for b in range(BINS - 1):
        if counts[b] > 0:
            _grow(side, bins[b])
        n += counts[b]
        if 0 < n < count:
            cost = n * _half_area(side) + right_cost[b + 1]
            if cost < best:
                best, cut = cost, b
    return cut


@kernel
def _split(order: I32, boxes: F64, centres: F64, first: int, count: int, depth: int) -> int:
    """Reorder order[first : first + count] into two parts; return the size of the left one."""
    low, high = np.full(3, np.inf), np.full(3, -np.inf)
    for k in range(first, first + count):
        for i in range(3):
            low[i] = min(low[i], centres[order[k], i])
            high[i] = max(high[i], centres[order[k], i])
    axis = int(np.argmax(high - low))
    width = high[axis] - low[axis]
    cut = _cheapest_cut(order, boxes, centres, first, count, axis, low[axis], width) if width > 0.0 and depth < MEDIAN_DEPTH else -1
    part = order[first : first + count]
    if cut < 0:
        part[:] = part[np.argsort(centres[part, axis], kind="mergesort")]
        return count // 2
    # A stable partition keeps the order, and so the tree, independent of how it was reached.
    right = np.empty(count, np.int32)
    n_left, n_right = 0, 0
    for k in range(count):
        triangle = part[k]
        if _bin(centres[triangle, axis], low[axis], width) <= cut:
            part[n_left] = triangle
            n_left += 1
        else:
            right[n_right] = triangle
            n_right += 1
    part[n_left:] = right[:n_right]
    return n_left


@kernel
def build_tree(vertices: F64, faces: I32) -> tuple[F64, I32, I32]:
    """Build the tree of one mesh.

    Parameters
    ----------
    vertices : (V, 3) float64, finite
    faces : (F, 3) int32, F >= 1

    Returns
    -------
    boxes (N, 6), links (N, 2), order (F,) : node 0 is the root; `order` lists the faces leaf by leaf
    """
    count = faces.shape[0]
    triangle_boxes, centres = np.empty((count, 6)), np.empty((count, 3))
    for f in range(count):
        for i in range(3):
            a, b, c = vertices[faces[f, 0], i], vertices[faces[f, 1], i], vertices[faces[f, 2], i]
            triangle_boxes[f, i], triangle_boxes[f, i + 3] = min(a, b, c), max(a, b, c)
            centres[f, i] = 0.5 * (triangle_boxes[f, i] + triangle_boxes[f, i + 3])
    order = np.arange(count).astype(np.int32)
    boxes, links = np.empty((2 * count, 6)), np.zeros((2 * count, 2), np.int32)
    todo = np.zeros((STACK_SIZE, 4), np.int64)
    todo[0, 2] = count
    top, used = 1, 1
    while top > 0:
        top -= 1
        node, first, n, depth = todo[top]
        _empty(boxes[node])
        for k in range(first, first + n):
            _grow(boxes[node], triangle_boxes[order[k]])
        if n <= LEAF_SIZE:
            links[node, 0], links[node, 1] = first, n
            continue
        n_left = _split(order, triangle_boxes, centres, first, n, depth)
        links[node, 0] = used
        todo[top, 0], todo[top, 1], todo[top, 2], todo[top, 3] = used + 1, first + n_left, n - n_left, depth + 1
        todo[top + 1, 0], todo[top + 1, 1], todo[top + 1, 2], todo[top + 1, 3] = used, first, n_left, depth + 1
        top += 2
        used += 2
    return boxes[:used].copy(), links[:used].copy(), order


def join(forests: Sequence[Forest]) -> Forest:
    """One forest of all the structures of `forests`, in order."""
    nodes = np.cumsum([0, *(len(f.boxes) for f in forests)])
    slots = np.cumsum([0, *(len(f.face) for f in forests)])
    vertices = np.cumsum([0, *(len(f.vertex_normals) for f in forests)])

    def shifted(arrays: Sequence[I32], by: npt.NDArray[np.int64]) -> I32:
        return np.concatenate([a + np.int32(n) for a, n in zip(arrays, by, strict=False)]).astype(np.int32)

    links = []
    for k, f in enumerate(forests):
        moved = f.links.copy()
        moved[:, 0] += np.where(f.links[:, 1] > 0, slots[k], nodes[k]).astype(np.int32)
        links.append(moved)
    return Forest(
        boxes=np.concatenate([f.boxes for f in forests]),
        links=np.concatenate(links),
        corners=np.concatenate([f.corners for f in forests]),
        face=np.concatenate([f.face for f in forests]),
        slot=shifted([f.slot for f in forests], slots),
        normals=np.concatenate([f.normals for f in forests]),
        mates=np.concatenate([np.where(f.mates < 0, -1, f.mates + np.int32(n)) for f, n in zip(forests, slots, strict=False)]).astype(np.int32),
        vertex=shifted([f.vertex for f in forests], vertices),
        vertex_normals=np.concatenate([f.vertex_normals for f in forests]),
        roots=shifted([f.roots for f in forests], nodes),
        first_face=np.concatenate([[0], shifted([f.first_face[1:] for f in forests], slots)]).astype(np.int32),
        has_inside=np.concatenate([f.has_inside for f in forests]),
    )
