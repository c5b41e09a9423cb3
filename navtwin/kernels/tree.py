"""Trees of boxes over the triangles of one or many surfaces, in flat arrays: what they hold, and how they are joined.

`navtwin.kernels.build` builds them. A node stands before its children in the arrays, so one loop backwards meets every child before its parent.

Each structure has two pictures. The *filter's* is float32, eight boxes or eight triangles side by side, relative to the structure's centre; boxes
are rounded outwards. The *referee's* is the surface as it was given, in float64. See `navtwin.kernels.point` for how a query uses both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from navtwin.kernels.simd import F32, WIDTH

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

#: A depth-first walk keeps at most seven siblings a level; a walk over pairs of trees, seven a level of both.
STACK_SIZE = 1024
#: Candidates kept for the referee before he is asked.
CANDIDATES = 64
#: Float32 numbers of a node (six rows of eight) and of a leaf (nine).
NODE = 6 * WIDTH
LEAF = 9 * WIDTH
#: Of a node's eight slabs: five rows, the normal and the lowest and highest coordinate along it.
SLAB = 5 * WIDTH
#: And of a node's far field.
FAR_FIELD = 13 * WIDTH

#: How the inside of a structure is told: by the pseudonormal at the closest point, by the winding number, or by a pseudonormal that is summed only
#: when it is asked for, over the faces that meet there: of such a structure the forest holds no topology, mates and normals.
PSEUDONORMAL, WINDING, LOCAL = 0, 1, 2


class Forest(NamedTuple):
    """S structures: N nodes, L leaves, T faces and V vertices, those of one structure behind those of another.

    Attributes
    ----------
    boxes : (48 N,) float32, of each node its eight children's lowest x, y, z and highest x, y, z; relative to the centre, rounded outwards
    children : (8 N,) int32, of each node: an inner node, or the complement (~) of a leaf; an empty lane's box is far away
    leaf_corners : (72 L,) float32, of each leaf's eight triangles: a relative to the centre, then b - a, then c - a, each as rows x, y, z
    leaf_faces : (8 L,) int32, their faces; -1 in an empty lane
    vertices : (V, 3) float64, mm
    faces : (T, 3) int32, rows of `vertices`
    topology : (T, 3) int32, rows of `vertex_normals`: `faces` with vertices in one place counted once
    mates : (T, 3) int32, face across the edges 01, 12, 20; -1 where there is none
    normals : (T, 3) float64, unit
    vertex_normals : (V, 3) float64, angle-weighted, not normalised
    centre : (S, 3) float64, mm
    reach : (S,) float64, largest coordinate relative to the centre, mm
    longest : (S,) float64, longest edge, mm
    roots : (S,) int32, root node of each structure
    first_face : (S + 1,) int32, where each structure's faces start
    sign_rule : (S,) uint8, how the inside is told: PSEUDONORMAL, WINDING or LOCAL
    far_field : (104 N',) float32, of the N' nodes of structures signed by winding number; see `navtwin.kernels.winding`
    far_shift : (S,) int32, node k of such a structure has far field k - far_shift
    slabs : (40 N,) float32, of each node its eight children's slabs; see `navtwin.kernels.slabs`
    """

    boxes: F32
    children: I32
    leaf_corners: F32
    leaf_faces: I32
    vertices: F64
    faces: I32
    topology: I32
    mates: I32
    normals: F64
    vertex_normals: F64
    centre: F64
    reach: F64
    longest: F64
    roots: I32
    first_face: I32
    sign_rule: npt.NDArray[np.uint8]
    far_field: F32
    far_shift: I32
    slabs: F32


class Workspace(NamedTuple):
    """Scratch memory of a query, so that nothing is allocated inside one."""

    nodes: I32
    others: I32
    bounds: F32
    found: I32
    gaps: F32
    lanes: F32


def workspace() -> Workspace:
    """Scratch memory for one thread."""
    stack, found = np.zeros(STACK_SIZE, np.int32), np.zeros(CANDIDATES, np.int32)
    return Workspace(stack, stack.copy(), np.zeros(STACK_SIZE, np.float32), found, np.zeros(CANDIDATES, np.float32), np.zeros(12 * WIDTH, np.float32))


def join(forests: Sequence[Forest]) -> Forest:
    """One forest of all the structures of `forests`, in order.

    Raises
    ------
    ValueError : one of them is signed by LOCAL: it lives in arrays of its own, without the rows that the others' signs are read from
    """
    if any((f.sign_rule == LOCAL).any() for f in forests):
        raise ValueError("a structure that is signed locally cannot be joined with others: ask it by itself")

    def starts(counts: Sequence[int]) -> list[np.int32]:
        return [np.int32(n) for n in np.cumsum([0, *counts])]

    nodes, leaves = starts([len(f.children) // WIDTH for f in forests]), starts([len(f.leaf_faces) // WIDTH for f in forests])
    far = starts([len(f.far_field) // FAR_FIELD for f in forests])
    faces, vertices = starts([len(f.faces) for f in forests]), starts([len(f.vertices) for f in forests])

    def shifted(arrays: Sequence[I32], by: Sequence[np.int32]) -> I32:
        return np.concatenate([np.where(a < 0, a, a + n) for a, n in zip(arrays, by, strict=False)]).astype(np.int32)

    return Forest(
        boxes=np.concatenate([f.boxes for f in forests]),
        children=np.concatenate([np.where(f.children < 0, f.children - n, f.children + m) for f, n, m in zip(forests, leaves, nodes, strict=False)]),
        leaf_corners=np.concatenate([f.leaf_corners for f in forests]),
        leaf_faces=shifted([f.leaf_faces for f in forests], faces),
        vertices=np.concatenate([f.vertices for f in forests]),
        faces=shifted([f.faces for f in forests], vertices),
        topology=shifted([f.topology for f in forests], vertices),
        mates=shifted([f.mates for f in forests], faces),
        normals=np.concatenate([f.normals for f in forests]),
        vertex_normals=np.concatenate([f.vertex_normals for f in forests]),
        centre=np.concatenate([f.centre for f in forests]),
        reach=np.concatenate([f.reach for f in forests]),
        longest=np.concatenate([f.longest for f in forests]),
        roots=shifted([f.roots for f in forests], nodes),
        first_face=np.concatenate([[0], shifted([f.first_face[1:] for f in forests], faces)]).astype(np.int32),
        sign_rule=np.concatenate([f.sign_rule for f in forests]),
        far_field=np.concatenate([f.far_field for f in forests]),
        far_shift=np.concatenate([f.far_shift + (n - m) for f, n, m in zip(forests, nodes, far, strict=False)]).astype(np.int32),
        slabs=np.concatenate([f.slabs for f in forests]),
    )
