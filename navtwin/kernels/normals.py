"""Adjacency and pseudonormals: what the sign of a distance is read from.

Baerentzen & Aanaes 2005, "Signed distance computation using the angle weighted pseudonormal", IEEE TVCG 11(3): a point is outside a closed
surface if it lies on the positive side of the pseudonormal at its closest point: the face's normal, the sum of the two faces' normals on an
edge, the angle-weighted sum of the incident faces' normals at a vertex.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from navtwin.kernels.adjacency import edge_mates, welded
from navtwin.kernels.build import build_tree
from navtwin.kernels.jit import inlined, kernel, query
from navtwin.kernels.simd import F32
from navtwin.kernels.slabs import slabs_of
from navtwin.kernels.tree import F64, I32, PSEUDONORMAL, Forest
from navtwin.kernels.triangle import FLATNESS, TINY2
from navtwin.kernels.winding import signed_by_winding

#: Surfaces of fewer faces are planted on one thread: a second one would start too late to help.
THREADED_FACES = 50_000
#: Faces whose angles are computed together.
BLOCK = 64


@inlined
def has_no_normal(normals: F64, f: int) -> bool:
    """Whether a face has no normal (yet)."""
    return bool(normals[f, 0] == 0.0 and normals[f, 1] == 0.0 and normals[f, 2] == 0.0)


@query
def _sum_of_mates(normals: F64, mates: I32, f: int) -> None:
    """Give the flat face `f` the mean direction of its neighbours that have one: it lies between them."""
    x, y, z = 0.0, 0.0, 0.0
    for e in range(3):
        mate = mates[f, e]
        if mate >= 0:
            x, y, z = x + normals[mate, 0], y + normals[mate, 1], z + normals[mate, 2]
    length = math.sqrt(x * x + y * y + z * z)
    if length > 0.0:
        normals[f, 0], normals[f, 1], normals[f, 2] = x / length, y / length, z / length


@query
def angles_between(cosine_sides: F64, sine_sides: F64) -> None:
    """Turn cosine sides into atan2(sine, cosine) for sine >= 0, to 1e-10: a plain loop, so that the compiler takes several at a time."""
    for k in range(cosine_sides.shape[0]):
        x, y = abs(cosine_sides[k]), sine_sides[k]
        t = min(x, y) / max(x, y, 1e-300)
        is_wide = t > 0.41421356237309503  # the tangent of pi / 8
        t = (t - 1.0) / (t + 1.0) if is_wide else t
        t2 = t * t
        tail = 1.0 / 13.0 - t2 * (1.0 / 15.0 - t2 * (1.0 / 17.0 - t2 * (1.0 / 19.0 - t2 / 21.0)))
        acute = t * (1.0 - t2 * (1.0 / 3.0 - t2 * (1.0 / 5.0 - t2 * (1.0 / 7.0 - t2 * (1.0 / 9.0 - t2 * (1.0 / 11.0 - t2 * tail))))))
        acute = acute + 0.25 * math.pi if is_wide else acute
        acute = 0.5 * math.pi - acute if y > x else acute
        cosine_sides[k] = math.pi - acute if cosine_sides[k] < 0.0 else acute


@query
def write_normal(vertices: F64, faces: I32, f: int, normals: F64, row: int, cosine_sides: F64, sine_sides: F64, at: int) -> None:
    """The unit normal of a face to a row of `normals`, 0 if it is flat; and the sides of its three angles from `at` on."""
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    ux, uy, uz = vertices[b, 0] - vertices[a, 0], vertices[b, 1] - vertices[a, 1], vertices[b, 2] - vertices[a, 2]
    vx, vy, vz = vertices[c, 0] - vertices[a, 0], vertices[c, 1] - vertices[a, 1], vertices[c, 2] - vertices[a, 2]
    wx, wy, wz = vertices[c, 0] - vertices[b, 0], vertices[c, 1] - vertices[b, 1], vertices[c, 2] - vertices[b, 2]
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    uu, vv, ww = ux * ux + uy * uy + uz * uz, vx * vx + vy * vy + vz * vz, wx * wx + wy * wy + wz * wz
    area2 = math.sqrt(nx * nx + ny * ny + nz * nz)
    one_over = 1.0 / area2 if area2 > FLATNESS * max(uu, vv, ww) + TINY2 else 0.0
    normals[row, 0], normals[row, 1], normals[row, 2] = nx * one_over, ny * one_over, nz * one_over
    cosine_sides[at], cosine_sides[at + 1] = ux * vx + uy * vy + uz * vz, -(ux * wx + uy * wy + uz * wz)
    cosine_sides[at + 2] = vx * wx + vy * wy + vz * wz
    sine_sides[at] = sine_sides[at + 1] = sine_sides[at + 2] = area2


@kernel
def write_normals(vertices: F64, faces: I32, topology: I32, mates: I32, first: int, past: int, normals: F64, vertex_normals: F64) -> int:
    """Unit face normals and angle-weighted vertex normals (Baerentzen & Aanaes 2005, equation 4) of faces first .. past - 1.

    Parameters
    ----------
    vertices : (V, 3) float64, mm
    faces : (F, 3) int32
    topology : (F, 3) int32, the same faces with vertices in one place counted once
    mates : (F, 3) int32, of `topology`
    normals : (F, 3) float64, out; unit; a flat face has the mean of its neighbours' normals, or zero
    vertex_normals : (V, 3) float64, out; rows as named by `topology`; not normalised

    Returns
    -------
    Number of flat faces
    """
    for f in range(first, past):
        for e in range(3):
            at = topology[f, e]
            vertex_normals[at, 0], vertex_normals[at, 1], vertex_normals[at, 2] = 0.0, 0.0, 0.0
    angles, sine_sides = np.zeros(3 * BLOCK), np.zeros(3 * BLOCK)
    for start in range(first, past, BLOCK):
        end = min(start + BLOCK, past)
        for f in range(start, end):
            write_normal(vertices, faces, f, normals, f, angles, sine_sides, 3 * (f - start))
        angles_between(angles, sine_sides)
        for f in range(start, end):
            x, y, z = normals[f, 0], normals[f, 1], normals[f, 2]
            for e in range(3):
                at, weight = topology[f, e], angles[3 * (f - start) + e]
                vertex_normals[at, 0] += weight * x
                vertex_normals[at, 1] += weight * y
                vertex_normals[at, 2] += weight * z
    flat = 0
    for f in range(first, past):
        if has_no_normal(normals, f):
            flat += 1
            _sum_of_mates(normals, mates, f)
    return flat


@kernel
def signed_volume(vertices: F64, faces: I32) -> float:
    """Volume enclosed by a closed surface, mm^3, negative where its normals point inwards (divergence theorem)."""
    ox, oy, oz = vertices[faces[0, 0], 0], vertices[faces[0, 0], 1], vertices[faces[0, 0], 2]
    total = 0.0
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, az = vertices[a, 0] - ox, vertices[a, 1] - oy, vertices[a, 2] - oz
        bx, by, bz = vertices[b, 0] - ox, vertices[b, 1] - oy, vertices[b, 2] - oz
        cx, cy, cz = vertices[c, 0] - ox, vertices[c, 1] - oy, vertices[c, 2] - oz
        total += ax * (by * cz - bz * cy) + ay * (bz * cx - bx * cz) + az * (bx * cy - by * cx)
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


@query
def extent(vertices: F64, faces: I32, first: int, past: int, corners: F64) -> float:
    """Write the lowest and the highest corner (2, 3) of the box of faces first .. past - 1; return the longest edge, mm."""
    for i in range(3):
        corners[0, i], corners[1, i] = np.inf, -np.inf
    longest2 = 0.0
    for f in range(first, past):
        for e in range(3):
            p, q = faces[f, e], faces[f, (e + 1) % 3]
            length2 = 0.0
            for i in range(3):
                at = vertices[p, i]
                corners[0, i], corners[1, i] = min(corners[0, i], at), max(corners[1, i], at)
                length2 += (at - vertices[q, i]) ** 2
            longest2 = max(longest2, length2)
    return math.sqrt(longest2)


class _Skin(NamedTuple):
    """What a sign is read from: see `Forest`."""

    topology: I32
    mates: I32
    normals: F64
    vertex_normals: F64
    open_edges: int


def _skin(vertices: F64, faces: I32) -> _Skin:
    topology = faces
    mates, open_edges = edge_mates(faces, len(vertices))
    if open_edges > 0:  # perhaps a "soup" whose faces share places but no vertices
        by_place = welded(vertices, faces)
        mates_by_place, left_open = edge_mates(by_place, len(vertices))
        if left_open < open_edges:
            topology, mates, open_edges = by_place, mates_by_place, left_open
    normals, vertex_normals = np.empty(faces.shape), np.zeros(vertices.shape)
    write_normals(vertices, faces, topology, mates, 0, len(faces), normals, vertex_normals)
    return _Skin(topology, mates, normals, vertex_normals, open_edges)


def _tree(vertices: F64, faces: I32, centre: F64) -> tuple[F32, I32, F32, I32, F32]:
    boxes, children, leaf_corners, leaf_faces = build_tree(vertices, faces, centre)
    return boxes, children, leaf_corners, leaf_faces, slabs_of(boxes, children, leaf_corners)


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
    corners = np.empty((2, 3))
    longest = extent(vertices, faces, 0, len(faces), corners)
    centre = 0.5 * (corners[0] + corners[1])
    if len(faces) < THREADED_FACES:
        tree, skin = _tree(vertices, faces, centre), _skin(vertices, faces)
    else:  # neither reads what the other writes, and both let go of the interpreter
        with ThreadPoolExecutor(1) as pool:
            growing = pool.submit(_tree, vertices, faces, centre)
            skin = _skin(vertices, faces)
            tree = growing.result()
    boxes, children, leaf_corners, leaf_faces, slabs = tree
    forest = Forest(
        boxes=boxes,
        children=children,
        leaf_corners=leaf_corners,
        leaf_faces=leaf_faces,
        vertices=vertices,
        faces=faces,
        topology=skin.topology,
        mates=skin.mates,
        normals=skin.normals,
        vertex_normals=skin.vertex_normals,
        centre=centre.reshape(1, 3),
        reach=np.array([np.abs(corners[1] - centre).max()]),
        longest=np.array([longest]),
        roots=np.zeros(1, np.int32),
        first_face=np.array([0, len(faces)], np.int32),
        sign_rule=np.array([PSEUDONORMAL], np.uint8),
        far_field=np.empty(0, np.float32),
        far_shift=np.zeros(1, np.int32),
        slabs=slabs,
    )
    if skin.open_edges > 0 or signed_volume(vertices, faces) <= 0.0:
        forest = signed_by_winding(forest)
    return forest, skin.open_edges
