"""Vertices that moved: the same tree around the same faces in their new places.

Whoever moves a structure writes its new places into `forest.vertices` and calls `refit` (for all of it) or `refit_near` (around the vertices that
moved). Both leave boxes, corners and normals as planting that tree anew would: answers are as exact as before. What suffers is speed, where
neighbours drift apart and boxes grow. Both return how much by the surface-area heuristic (Lauterbach, Yoon, Tuft & Manocha 2006, "RT-DEFORM:
interactive ray tracing of dynamic scenes using BVHs", section 4): near 1 nothing is lost, and from REPLANT_RATIO on it is time to plant anew.

A rigid motion needs none of this: transform the query instead. Neither may run while a query reads the forest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from navtwin.kernels.jit import inlined, query
from navtwin.kernels.normals import angles_between, has_no_normal, write_normal, write_normals
from navtwin.kernels.renew import is_empty, renew_lane, renew_leaf, renew_reach
from navtwin.kernels.simd import F32, FAR, WIDTH
from navtwin.kernels.tree import F64, FAR_FIELD, I32, I64, NODE, WINDING, Forest
from navtwin.kernels.winding import LEAST_RADIUS, far_field

#: Ratio of costs from which a structure that keeps moving is better planted anew.
REPLANT_RATIO = 1.5
#: Columns of `Moving.stamps`.
_LEAF, _FACE, _NAME = 0, 1, 2


class Moving(NamedTuple):
    """What is known of one structure so that a few of its vertices can move: some 40 bytes a triangle.

    Attributes
    ----------
    starts : (4,) int64, first node, leaf, face and vertex of the structure in its forest: the arrays below count from there
    node_lanes : (N,) int32, the lane (8 node + child) of the forest that a node hangs in; -1 for the root
    leaf_lanes : (L,) int32, and that of a leaf
    leaf_of : (F,) int32, leaf of a face
    names : (V,) int32, what `topology` calls a vertex; -1 where no face uses it
    after : (V + 1,) int32, where the corners of such a name start in `corners`
    corners : (3 F,) int32, the corners 4 face + corner there, lowest face first
    flat : (F,) bool
    stamps : (max(L, F, V), 3) int32, the last round that touched a leaf, face, name
    round : (1,) int32
    costs : (2,) float64, sum of the areas of all boxes; and that sum over the area of the box around all, when it was planted
    scratch : (3, 3) float64
    lanes : (8,) float32
    """

    starts: I64
    node_lanes: I32
    leaf_lanes: I32
    leaf_of: I32
    names: I32
    after: I32
    corners: I32
    flat: npt.NDArray[np.bool_]
    stamps: I32
    round: I32
    costs: F64
    scratch: F64
    lanes: F32


@inlined
def _half_area(boxes: F32, lane: int) -> float:
    at = NODE * (lane >> 3) + (lane & 7)
    x = np.float64(boxes[at + 3 * WIDTH]) - boxes[at]
    y = np.float64(boxes[at + 4 * WIDTH]) - boxes[at + WIDTH]
    z = np.float64(boxes[at + 5 * WIDTH]) - boxes[at + 2 * WIDTH]
    return float(x * y + y * z + z * x)


@query
def _renew_tree(forest: Forest, tree: int, first: int, past: int, scratch: F32) -> float:
    """Renew all leaves and the nodes first .. past - 1 of a structure, and its longest edge; return the sum of all boxes' areas."""
    longest2, area = 0.0, 0.0
    for node in range(past - 1, first - 1, -1):
        for lane in range(WIDTH * node, WIDTH * node + WIDTH):
            if is_empty(forest.boxes, lane):
                continue
            child = 0 + forest.children[lane]
            if child < 0:
                longest2 = max(longest2, renew_leaf(forest, tree, ~child, lane, scratch))
            else:
                renew_lane(forest, lane, scratch)
            area += _half_area(forest.boxes, lane)
    forest.longest[tree] = np.sqrt(longest2)
    return area


@query
def _mark_flat(forest: Forest, flat: npt.NDArray[np.bool_], first: int, scratch: F64) -> None:
    for k in range(flat.shape[0]):
        write_normal(forest.vertices, forest.faces, first + k, scratch, 0, scratch[1], scratch[2], 0)
        flat[k] = has_no_normal(scratch, 0)


@query
def _renew_name(forest: Forest, moving: Moving, name: int) -> None:
    """Sum up the normal of a vertex anew, in the order in which planting does."""
    x, y, z, scratch = 0.0, 0.0, 0.0, moving.scratch
    v = name - moving.starts[3]
    for k in range(moving.after[v], moving.after[v + 1]):
        f, e = 0 + (moving.corners[k] >> 2), moving.corners[k] & 3
        write_normal(forest.vertices, forest.faces, f, scratch, 0, scratch[1], scratch[2], 0)
        angles_between(scratch[1], scratch[2])
        weight = scratch[1, e]
        x, y, z = x + weight * scratch[0, 0], y + weight * scratch[0, 1], z + weight * scratch[0, 2]
    forest.vertex_normals[name, 0], forest.vertex_normals[name, 1], forest.vertex_normals[name, 2] = x, y, z


@query
def _renew_from(forest: Forest, tree: int, moving: Moving, leaf: int) -> None:
    """Renew a leaf and the nodes above it, up to the first that stays as it is."""
    lane = 0 + moving.leaf_lanes[leaf - moving.starts[1]]  # 0 +: as int64, for which the kernels are compiled anyway
    moving.costs[0] -= _half_area(forest.boxes, lane)
    longest2 = renew_leaf(forest, tree, leaf, lane, moving.lanes)
    moving.costs[0] += _half_area(forest.boxes, lane)
    forest.longest[tree] = max(forest.longest[tree], np.sqrt(longest2))
    while True:
        node = lane >> 3
        lane = 0 + moving.node_lanes[node - moving.starts[0]]
        if lane < 0:
            return
        before = _half_area(forest.boxes, lane)
        if not renew_lane(forest, lane, moving.lanes):
            return
        moving.costs[0] += _half_area(forest.boxes, lane) - before


@query
def _renew_near(forest: Forest, tree: int, moving: Moving, changed: I32) -> bool:
    """Renew what the changed vertices touch; tell whether a flat face is near, whose normal hangs on others: then the normals are not yet right."""
    first_leaf, first_face, first_vertex = moving.starts[1], moving.starts[2], moving.starts[3]
    moving.round[0] += 1
    now, is_flat_near, stamps = moving.round[0], False, moving.stamps
    for v in changed:
        name = moving.names[v - first_vertex] if 0 <= v - first_vertex < len(moving.names) else -1
        if name < 0:
            continue
        for k in range(moving.after[name - first_vertex], moving.after[name - first_vertex + 1]):
            f = 0 + (moving.corners[k] >> 2)
            if stamps[f - first_face, _FACE] == now:
                continue
            stamps[f - first_face, _FACE] = now
            write_normal(forest.vertices, forest.faces, f, forest.normals, f, moving.scratch[1], moving.scratch[2], 0)
            is_flat_near |= moving.flat[f - first_face] or has_no_normal(forest.normals, f)
            leaf = 0 + moving.leaf_of[f - first_face]
            if stamps[leaf - first_leaf, _LEAF] != now:
                stamps[leaf - first_leaf, _LEAF] = now
                _renew_from(forest, tree, moving, leaf)
            for e in range(3):
                mate, corner = forest.mates[f, e], 0 + forest.topology[f, e]
                is_flat_near |= mate >= 0 and moving.flat[mate - first_face]
                if stamps[corner - first_vertex, _NAME] != now:
                    stamps[corner - first_vertex, _NAME] = now
                    _renew_name(forest, moving, corner)
    return is_flat_near


def ready_to_move(forest: Forest, tree: int) -> Moving:
    """What `refit` and `refit_near` need of a structure, as it stands when it was planted."""
    first_node, first_face, past_face = int(forest.roots[tree]), int(forest.first_face[tree]), int(forest.first_face[tree + 1])
    past_node = int(forest.roots[tree + 1]) if tree + 1 < len(forest.roots) else len(forest.children) // WIDTH
    lanes = np.arange(WIDTH * first_node, WIDTH * past_node, dtype=np.int32)
    lanes = lanes[forest.boxes.reshape(-1, NODE)[first_node:past_node, :WIDTH].reshape(-1) < 0.5 * FAR]
    children = forest.children[lanes]
    inner, leaves = children >= 0, ~children[children < 0]
    first_leaf = int(leaves.min())
    node_lanes, leaf_lanes = np.full(past_node - first_node, -1, np.int32), np.empty(len(leaves), np.int32)
    node_lanes[children[inner] - first_node], leaf_lanes[leaves - first_leaf] = lanes[inner], lanes[~inner]
    held = forest.leaf_faces[WIDTH * first_leaf : WIDTH * (first_leaf + len(leaves))]
    leaf_of = np.empty(past_face - first_face, np.int32)
    leaf_of[held[held >= 0] - first_face] = first_leaf + np.flatnonzero(held >= 0) // WIDTH
    faces, topology = forest.faces[first_face:past_face], forest.topology[first_face:past_face]
    first_vertex, past_vertex = int(min(faces.min(), topology.min())), int(max(faces.max(), topology.max())) + 1
    names = np.full(past_vertex - first_vertex, -1, np.int32)
    names[faces - first_vertex] = topology
    corner = np.argsort(topology, axis=None, kind="stable")
    counts = np.bincount(topology.reshape(-1) - first_vertex, minlength=len(names))
    moving = Moving(
        starts=np.array((first_node, first_leaf, first_face, first_vertex), np.int64),
        node_lanes=node_lanes,
        leaf_lanes=leaf_lanes,
        leaf_of=leaf_of,
        names=names,
        after=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        corners=(4 * (first_face + corner // 3) + corner % 3).astype(np.int32),
        flat=np.zeros(len(faces), np.bool_),
        stamps=np.zeros((max(len(names), len(faces)), 3), np.int32),
        round=np.zeros(1, np.int32),
        costs=np.ones(2),
        scratch=np.zeros((3, 3)),
        lanes=np.zeros(WIDTH, np.float32),
    )
    moving.costs[1] = refit(forest, tree, moving)
    return moving


def _renew_normals(forest: Forest, tree: int, moving: Moving) -> None:
    first, past = int(moving.starts[2]), int(moving.starts[2]) + len(moving.flat)
    f = forest
    if write_normals(f.vertices, f.faces, f.topology, f.mates, first, past, f.normals, f.vertex_normals) > 0:
        _mark_flat(forest, moving.flat, first, moving.scratch)
    else:
        moving.flat[:] = False


def _renew_far_field(forest: Forest, tree: int, moving: Moving) -> None:
    if forest.sign_rule[tree] != WINDING:
        return
    first, count = int(moving.starts[0]), len(moving.node_lanes)
    children = forest.children[WIDTH * first : WIDTH * (first + count)]
    children = np.where(children < 0, children, children - np.int32(first))
    boxes = forest.boxes[NODE * first : NODE * (first + count)]
    field = far_field(
        boxes, children, forest.leaf_faces, forest.vertices, forest.faces, forest.centre[tree], LEAST_RADIUS * float(forest.reach[tree])
    )
    at = FAR_FIELD * (first - int(forest.far_shift[tree]))
    forest.far_field[at : at + len(field)] = field


def refit(forest: Forest, tree: int, moving: Moving) -> float:
    """Renew the whole structure after its vertices moved. Its sign rule stays: one that may have been turned inside out must be planted anew.

    Parameters
    ----------
    forest : with the new places in `forest.vertices`, whose arrays are changed in place; vertices in one place must have stayed in one place
    tree : number of the structure
    moving : `ready_to_move(forest, tree)` of when it was planted

    Returns
    -------
    Cost of a query over what it was when planted; see REPLANT_RATIO
    """
    first = int(moving.starts[0])
    moving.costs[0] = _renew_tree(forest, tree, first, first + len(moving.node_lanes), moving.lanes)
    _renew_normals(forest, tree, moving)
    return _ratio(forest, tree, moving)


def refit_near(forest: Forest, tree: int, moving: Moving, changed: I32) -> float:
    """Renew a structure around the vertices that moved, at a cost in proportion to them; the whole far field where the sign is by winding number,
    and all normals where a flat face is touched.

    Parameters
    ----------
    forest, tree, moving : as for `refit`
    changed : (K,) int32, rows of `forest.vertices`; those of no face of the structure are passed over

    Returns
    -------
    As `refit`
    """
    if _renew_near(forest, tree, moving, changed):
        _renew_normals(forest, tree, moving)
    return _ratio(forest, tree, moving)


def _ratio(forest: Forest, tree: int, moving: Moving) -> float:
    area = renew_reach(forest, tree)
    _renew_far_field(forest, tree, moving)
    return float(moving.costs[0] / area / moving.costs[1]) if area > 0.0 else 1.0
