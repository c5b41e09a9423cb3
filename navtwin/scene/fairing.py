"""Make the stair-stepped boundary of a label smooth without leaving it.

The vertices of the voxel boundary move so that the thin-plate energy |L x|^2 (L: umbrella Laplacian) is least, each at most half a voxel
from its place on the boundary: constrained elastic surface nets (Gibson, MICCAI 1998) with a fairer energy, as in Whitaker, "Reducing
aliasing artifacts in iso-surfaces of binary volumes" (2000). They move along smoothed normals only: sideways moves would even out the
spacing of the vertices and use up the half voxel that flattens the stairs. Everything is in voxel index space, so a ramp replaces the
stairs between slices however thick they are. Solved by accelerated projected gradients (Beck & Teboulle 2009) with the restart of
O'Donoghue & Candes (2015). Then the whole surface is offset until it encloses the label's volume.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from navtwin.kernels import voxels

Points = npt.NDArray[np.float64]
Faces = npt.NDArray[np.int32]
Weights = npt.NDArray[np.float64]

#: The promise, in voxels: no point of the surface is farther from the label's boundary.
REACH_VOXELS = 0.5
#: What is asked of 36 points on every face, so that the points between them keep the promise.
_LIMIT = 0.495
#: Radius that a vertex starts with. A little less than the promise: between vertices the surface cuts corners.
_START_RADIUS = 0.48
_ROUGH_STEPS = 60
_NORMAL_AVERAGES = 5
_ROUNDS = 2
_STEPS = 150
_STEPS_AFTER_TIGHTENING = 30
_TIGHTENINGS = 14
#: Fairing again after every tightening would push new places out for ever; after these it only tightens.
_REFAIRINGS = 3
#: Places this near to the promise are tightened too: the offset that restores the volume moves them a little.
_SAFETY = 0.02
_VOLUME_TOLERANCE = 1e-4


def fair(boundary_ijk: Points, faces: Faces, inside: npt.NDArray[np.bool_]) -> Points:
    """Smooth vertices (V, 3) for the closed triangle mesh of a label's boundary.

    Parameters
    ----------
    boundary_ijk : (V, 3) vertices in index space (i, j, k), each at the middle of a voxel face
    faces : (F, 3) closed, outward in index space
    inside : (nk, nj, ni) the label; all beyond it is background

    Returns
    -------
    (V, 3) vertices, index space
    """
    target = float(inside.sum())
    laplacian = _umbrella(len(boundary_ijk), faces)
    energy = (laplacian.T @ laplacian).tocsr()
    step = 1.0 / (1.05 * _largest_eigenvalue(energy))
    radius = np.full(len(boundary_ijk), _START_RADIUS)
    x = _roughly(energy, step, boundary_ijk, radius)
    for _ in range(_ROUNDS):
        line = _smooth_normals(x, faces, laplacian)
        x = boundary_ijk + _along(energy, step, boundary_ijk, line, _shift(x, boundary_ijk, line), radius, _STEPS)
    for tightening in range(_TIGHTENINGS):
        x = _enclose(x, faces, boundary_ijk, line, radius, target)
        distance = face_distances(x, faces, inside)
        if distance.max() <= _LIMIT:
            break
        radius[np.unique(faces[distance > _LIMIT - _SAFETY])] *= 0.85
        if tightening < _REFAIRINGS:
            x = boundary_ijk + _along(energy, step, boundary_ijk, line, _shift(x, boundary_ijk, line), radius, _STEPS_AFTER_TIGHTENING)
    return x


def signed_volume(vertices: Points, faces: Faces) -> float:
    """Volume enclosed by a closed mesh (divergence theorem), negative where its faces look inwards."""
    centred = vertices - vertices.mean(axis=0)
    a, b, c = (centred[faces[:, n]] for n in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)


def face_distances(vertices_ijk: Points, faces: Faces, inside: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """(F,) how far each face strays from the label's boundary, in voxels: the worst of 36 points on it."""
    padded = np.pad(inside, 3).astype(np.uint8)
    worst = np.empty(len(faces))
    voxels.face_distances(vertices_ijk + 3.0, faces, padded, worst)
    return worst


def vertex_normals(vertices: Points, faces: Faces) -> tuple[Points, float]:
    """Area-weighted unit normals (V, 3), and the area of the mesh."""
    a, b, c = (vertices[faces[:, n]] for n in range(3))
    doubled = np.cross(b - a, c - a)
    normals = np.zeros_like(vertices)
    for corner in range(3):
        for axis in range(3):
            normals[:, axis] += np.bincount(faces[:, corner], doubled[:, axis], len(vertices))
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return normals / np.maximum(lengths, 1e-12), float(np.linalg.norm(doubled, axis=1).sum() / 2.0)


def _umbrella(count: int, faces: Faces) -> Any:
    """I - (mean of the neighbours), as a sparse (V, V) matrix."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    # A closed mesh holds every edge once in each direction, so this is already symmetric.
    neighbours = sparse.csr_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(count, count))
    degree = np.asarray(neighbours.sum(axis=1)).ravel()
    return (sparse.identity(count) - sparse.diags(1.0 / degree) @ neighbours).tocsr()


def _largest_eigenvalue(matrix: Any) -> float:
    """Power iteration; the start is fixed so that two runs agree."""
    x = np.random.default_rng(1).standard_normal(matrix.shape[0])
    size = 1.0
    for _ in range(40):
        x = matrix @ (x / size)
        size = float(np.linalg.norm(x))
    return size


def _roughly(energy: Any, step: float, boundary: Points, radius: Weights) -> Points:
    """A few plain projected gradient steps, each vertex free within its ball: good enough to say which way the surface looks."""
    x = boundary
    for _ in range(_ROUGH_STEPS):
        away = x - step * (energy @ x) - boundary
        length = np.sqrt(np.einsum("ij,ij->i", away, away))
        x = boundary + away * np.minimum(1.0, radius / np.maximum(length, 1e-12))[:, None]
    return x


def _smooth_normals(x: Points, faces: Faces, laplacian: Any) -> Points:
    """Vertex normals averaged with their neighbours' a few times."""
    normals, _ = vertex_normals(x, faces)
    for _ in range(_NORMAL_AVERAGES):
        normals = 2.0 * normals - laplacian @ normals
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return normals


def _shift(x: Points, boundary: Points, line: Points) -> Weights:
    """How far each vertex is from its place on the boundary, along its line."""
    return np.asarray(np.einsum("ij,ij->i", x - boundary, line))


def _along(energy: Any, step: float, boundary: Points, line: Points, shift: Weights, reach: Weights, steps: int) -> Points:
    """The displacement (V, 3) along `line` of least energy, each vertex at most `reach` from its place."""
    shift = np.clip(shift, -reach, reach)
    ahead, pace = shift, 1.0
    for _ in range(steps):
        slope = np.einsum("ij,ij->i", energy @ (boundary + ahead[:, None] * line), line)
        new = np.clip(ahead - step * slope, -reach, reach)
        move = new - shift
        # einsum, not BLAS: threads that wait for one another cost more than the sum.
        if np.einsum("i,i->", ahead - new, move) > 0.0:
            pace = 1.0
        next_pace = (1.0 + math.sqrt(1.0 + 4.0 * pace * pace)) / 2.0
        ahead = new + (pace - 1.0) / next_pace * move
        shift, pace = new, next_pace
    return np.asarray(shift[:, None] * line)


def _enclose(x: Points, faces: Faces, boundary: Points, line: Points, reach: Weights, target: float) -> Points:
    """Offset along the lines until the mesh encloses `target` voxels; vertices at the end of their reach stay there."""
    shift = np.clip(_shift(x, boundary, line), -reach, reach)
    x = boundary + shift[:, None] * line
    for _ in range(20):
        missing = target - signed_volume(x, faces)
        if abs(missing) <= _VOLUME_TOLERANCE * target:
            break
        _, area = vertex_normals(x, faces)
        shift = np.clip(shift + missing / area, -reach, reach)
        x = boundary + shift[:, None] * line
    return x
