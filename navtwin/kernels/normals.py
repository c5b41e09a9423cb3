"""Adjacency and pseudonormals: what the sign of a distance is read from.

Baerentzen & Aanaes 2005, "Signed distance computation using the angle weighted pseudonormal", IEEE TVCG 11(3): a point is outside a closed
surface if it lies on the positive side of the pseudonormal at its closest point: the face's normal, the sum of the two faces' normals on an
edge, the angle-weighted sum of the incident faces' normals at a vertex.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from navtwin.kernels.jit import kernel
from navtwin.kernels.tree import F64, I32, Forest, build_tree

#: A triangle lower than this fraction of its longest edge counts as an edge: its normal would be rounding noise.
FLATNESS = 1e-8


@kernel
def _place(keys: npt.NDArray[np.int64], key: int) -> int:
    """Where `key` is, or belongs, in an open-addressed table whose size is a power of two; -1 marks an empty place."""
    mask: int = keys.shape[0] - 1
    at: int = ((key * 0x9E3779B97F4A7C1) >> 20) & mask
    while keys[at] >= 0 and keys[at] != key:
        at = (at + 1) & mask
    return at


@kernel
def edge_mates(faces: I32, vertex_count: int) -> tuple[I32, int]:
    """The face across each edge, where exactly two faces share it and run along it in opposite directions.

    Parameters
    ----------
    faces : (F, 3) int32
    vertex_count : every index in `faces` is below it

    Returns
    -------
    mates : (F, 3) int32, across the edges 01, 12, 20; -1 where the edge is open, shared by more than two, or run along twice the same way
    open_edges : number of -1 in `mates`; 0 says that the surface is a closed, consistently wound manifold
    """
    n_faces = faces.shape[0]
    size = 16
    while size < 6 * n_faces:
        size *= 2
    keys = np.full(size, -1, np.int64)
    owner = np.full(size, -1, np.int32)
    for f in range(n_faces):
        for e in range(3):
            key = int(faces[f, e]) * vertex_count + faces[f, (e + 1) % 3]
            at = _place(keys, key)
            owner[at] = f if keys[at] < 0 else -1
            keys[at] = key
    mates = np.full((n_faces, 3), -1, np.int32)
    open_edges = 0
    for f in range(n_faces):
        for e in range(3):
            u, v = int(faces[f, e]), int(faces[f, (e + 1) % 3])
            forth, back = owner[_place(keys, u * vertex_count + v)], owner[_place(keys, v * vertex_count + u)]
            if forth == f and back >= 0 and back != f:
                mates[f, e] = back
            else:
                open_edges += 1
    return mates, open_edges


@kernel
def _angle(cosine_side: float, sine_side: float) -> float:
    """atan2(sine_side, cosine_side) for sine_side > 0, from + - x / sqrt alone, so that its bits depend on no maths library."""
    length = math.sqrt(cosine_side * cosine_side + sine_side * sine_side)
    t = sine_side / (length + cosine_side) if cosine_side >= 0.0 else (length - cosine_side) / sine_side
    for _ in range(3):  # t is the tangent of a half, then of a sixteenth of the angle: below 0.2
        t = t / (1.0 + math.sqrt(1.0 + t * t))
    t2 = t * t
    return 16.0 * t * (1.0 - t2 * (1.0 / 3.0 - t2 * (1.0 / 5.0 - t2 * (1.0 / 7.0 - t2 * (1.0 / 9.0 - t2 / 11.0)))))


@kernel
def _sum_of_mates(normals: F64, mates: I32, f: int) -> None:
    """Give the flat face `f` the mean direction of its neighbours that have one: it lies between them."""
    for e in range(3):
        if mates[f, e] >= 0:
            normals[f] += normals[mates[f, e]]
    length = math.sqrt(normals[f, 0] ** 2 + normals[f, 1] ** 2 + normals[f, 2] ** 2)
    if length > 0.0:
        normals[f] /= length


@kernel
def pseudonormals(vertices: F64, faces: I32, topology: I32, mates: I32) -> tuple[F64, F64]:
    """Unit face normals and angle-weighted vertex normals (Baerentzen & Aanaes 2005, equation 4).

    Parameters
    ----------
    vertices : (V, 3) float64, mm
    faces : (F, 3) int32
    topology : (F, 3) int32, the same faces with vertices in one place counted once
    mates : (F, 3) int32, of `topology`

    Returns
    -------
    normals : (F, 3), unit; a flat face has the mean of its neighbours' normals, or zero
    vertex_normals : (V, 3), rows as named by `topology`; not normalised
    """
    normals, at_vertex = np.zeros(faces.shape), np.zeros(vertices.shape)
    flat = np.zeros(faces.shape[0], np.bool_)
    for f in range(faces.shape[0]):
        longest2 = 0.0
        for e in range(3):
            edge = vertices[faces[f, (e + 1) % 3]] - vertices[faces[f, e]]
            longest2 = max(longest2, edge[0] * edge[0] + edge[1] * edge[1] + edge[2] * edge[2])
        u = vertices[faces[f, 1]] - vertices[faces[f, 0]]
        v = vertices[faces[f, 2]] - vertices[faces[f, 0]]
        n = np.array((u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]))
        area2 = math.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2])
        flat[f] = area2 <= FLATNESS * longest2
        if flat[f]:
            continue
        normals[f] = n / area2
        for e in range(3):
            corner = vertices[faces[f, e]]
            u, v = vertices[faces[f, (e + 1) % 3]] - corner, vertices[faces[f, (e + 2) % 3]] - corner
            at_vertex[topology[f, e]] += _angle(u[0] * v[0] + u[1] * v[1] + u[2] * v[2], area2) * normals[f]
    for f in range(faces.shape[0]):
        if flat[f]:
            _sum_of_mates(normals, mates, f)
    return normals, at_vertex


@kernel
def signed_volume(vertices: F64, faces: I32) -> float:
    """Volume enclosed by a closed surface, mm^3, negative where its normals point inwards (divergence theorem)."""
    o = vertices[faces[0, 0]]
    total = 0.0
    for f in range(faces.shape[0]):
        a, b, c = vertices[faces[f, 0]] - o, vertices[faces[f, 1]] - o, vertices[faces[f, 2]] - o
        total += a[0] * (b[1] * c[2] - b[2] * c[1]) + a[1] * (b[2] * c[0] - b[0] * c[2]) + a[2] * (b[0] * c[1] - b[1] * c[0])
    return total / 6.0


@kernel
def component_vertices(topology: I32, vertex_count: int) -> I32:
    """One vertex of each connected part of a surface, lowest first (union-find with path halving)."""
    parent = np.arange(vertex_count).astype(np.int32)
    for f in range(topology.shape[0]):
        for e in range(1, 3):
            a, b = topology[f, 0], topology[f, e]
            while parent[a] != a:
                parent[a] = parent[parent[a]]
                a = parent[a]
            while parent[b] != b:
                parent[b] = parent[parent[b]]
                b = parent[b]
            parent[max(a, b)] = min(a, b)
    used = np.zeros(vertex_count, np.bool_)
    for f in range(topology.shape[0]):
        used[topology[f]] = True
    return np.array([v for v in range(vertex_count) if used[v] and parent[v] == v], np.int32)


def welded(vertices: F64, faces: I32) -> I32:
    """The faces with every vertex named by the first one that stands in exactly the same place."""
    by_place = np.lexsort((vertices[:, 2], vertices[:, 1], vertices[:, 0]))  # stable: the first index leads its group
    moved = (np.diff(vertices[by_place], axis=0) != 0.0).any(axis=1)
    leader = by_place[np.flatnonzero(np.concatenate([[True], moved]))]
    name = np.empty(len(vertices), np.int32)
    name[by_place] = leader[np.cumsum(np.concatenate([[False], moved]))]
    return name[faces]


def plant(vertices: F64, faces: I32) -> tuple[Forest, int]:
    """Build the forest of one surface: tree, adjacency and pseudonormals.

    Parameters
    ----------
    vertices : (V, 3) float64, finite, mm
    faces : (F, 3) int32, F >= 1, within 0 .. V - 1

    Returns
    -------
    forest : with the one structure
    open_edges : 0 where the surface is a closed, consistently wound manifold
    """
    topology = faces
    mates, open_edges = edge_mates(faces, len(vertices))
    if open_edges > 0:  # perhaps a "soup" whose faces share places but no vertices
        by_place = welded(vertices, faces)
        mates_by_place, left_open = edge_mates(by_place, len(vertices))
        if left_open < open_edges:
            topology, mates, open_edges = by_place, mates_by_place, left_open
    normals, vertex_normals = pseudonormals(vertices, faces, topology, mates)
    boxes, links, order = build_tree(vertices, faces)
    slot = np.empty(len(faces), np.int32)
    slot[order] = np.arange(len(faces), dtype=np.int32)
    forest = Forest(
        boxes=boxes,
        links=links,
        corners=vertices[faces[order]].reshape(-1, 9),
        face=order,
        slot=slot,
        normals=normals[order],
        mates=np.where(mates[order] < 0, np.int32(-1), slot[mates[order]]),
        vertex=np.ascontiguousarray(topology[order]),
        vertex_normals=vertex_normals,
        roots=np.zeros(1, np.int32),
        first_face=np.array([0, len(faces)], np.int32),
        has_inside=np.array([open_edges == 0 and signed_volume(vertices, faces) > 0.0]),
    )
    return forest, open_edges
