"""Meshes with known answers, and brute force in NumPy: the oracles of the kernels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
Mesh = tuple[F64, I32]


def grid_faces(nu: int, nv: int) -> I32:
    """Faces of a torus-like grid of nu x nv vertices, both ways closed."""
    u, v = np.meshgrid(np.arange(nu), np.arange(nv), indexing="ij")
    a, b = u * nv + v, ((u + 1) % nu) * nv + v
    c, d = ((u + 1) % nu) * nv + (v + 1) % nv, u * nv + (v + 1) % nv
    return np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]).astype(np.int32)


def torus(big: float = 30.0, small: float = 10.0, nu: int = 60, nv: int = 40) -> Mesh:
    """A torus around z."""
    u, v = np.meshgrid(np.arange(nu) * 2 * np.pi / nu, np.arange(nv) * 2 * np.pi / nv, indexing="ij")
    rho = big + small * np.cos(v)
    return np.stack([rho * np.cos(u), rho * np.sin(u), small * np.sin(v)], -1).reshape(-1, 3), grid_faces(nu, nv)


def sphere(radius: float = 20.0, depth: int = 4) -> Mesh:
    """An octahedron, each face split in four `depth` times and pushed out: 8 x 4^depth faces."""
    vertices = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], float)
    faces = np.array([[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]])
    for _ in range(depth):
        edges = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]], axis=2)
        unique, index = np.unique(edges.reshape(-1, 2), axis=0, return_inverse=True)
        middle = len(vertices) + index.reshape(-1, 3)
        vertices = np.concatenate([vertices, vertices[unique].mean(axis=1)])
        a, b, c = faces.T
        ab, bc, ca = middle.T
        faces = np.concatenate([np.stack(t, -1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
        vertices /= np.linalg.norm(vertices, axis=1, keepdims=True)
    return vertices * radius, faces.astype(np.int32)


def box(half: tuple[float, float, float] = (1.0, 2.0, 3.0)) -> Mesh:
    """A box of 12 triangles around the origin."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float) * half
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    return corners, np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))], np.int32)


def soup(n: int, seed: int, size: float = 10.0) -> Mesh:
    """Triangles at random, some of them needles."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(-30, 30, (n, 1, 3))
    return (centre + rng.normal(0, size, (n, 3, 3)) * rng.choice([1.0, 1.0, 1e-3], (n, 1, 3))).reshape(-1, 3), np.arange(
        3 * n, dtype=np.int32
    ).reshape(n, 3)


def box_distance(points: F64, half: tuple[float, float, float]) -> F64:
    """Signed distance to `box(half)`, exactly."""
    q = np.abs(points) - half
    return np.linalg.norm(np.maximum(q, 0.0), axis=-1) + np.minimum(q.max(axis=-1), 0.0)


def torus_distance(points: F64, big: float, small: float) -> F64:
    """Signed distance to the smooth torus."""
    return np.hypot(np.hypot(points[..., 0], points[..., 1]) - big, points[..., 2]) - small


def _to_segment(p: F64, a: F64, b: F64) -> F64:
    u = b - a
    length2 = np.maximum((u * u).sum(-1), 1e-300)
    t = np.clip(((p - a) * u).sum(-1) / length2, 0.0, 1.0)
    return np.linalg.norm(p - a - t[..., None] * u, axis=-1)


def _to_triangle(p: F64, a: F64, b: F64, c: F64) -> F64:
    """By another way than Ericson's: the foot on the plane if that is inside, else the nearest of the three edges."""
    n = np.cross(b - a, c - a)
    length = np.maximum(np.linalg.norm(n, axis=-1), 1e-300)
    height = ((p - a) * n).sum(-1) / length
    inside = np.ones(height.shape, bool)
    for u, v in ((a, b), (b, c), (c, a)):
        inside &= (np.cross(v - u, p - u) * n).sum(-1) >= 0.0
    inside &= length > 1e-12
    outline = np.minimum(np.minimum(_to_segment(p, a, b), _to_segment(p, b, c)), _to_segment(p, c, a))
    return np.where(inside, np.minimum(np.abs(height), outline), outline)


def brute_points(points: F64, mesh: Mesh) -> F64:
    """(N, F) distances of points to triangles."""
    a, b, c = (mesh[0][mesh[1][:, i]][None] for i in range(3))
    return _to_triangle(points[:, None], a, b, c)


def brute_segments(a: F64, b: F64, mesh: Mesh) -> F64:
    """(E, F) distances of segments to triangles: along a segment the distance to a convex thing is convex, so a golden section finds it."""
    corners = [mesh[0][mesh[1][:, i]][None] for i in range(3)]

    def at(t: F64) -> F64:
        return _to_triangle(a[:, None] + t[..., None] * (b - a)[:, None], *corners)

    low, high = np.zeros((len(a), len(mesh[1]))), np.ones((len(a), len(mesh[1])))
    best = np.minimum(at(low), at(high))
    ratio = (np.sqrt(5.0) - 1.0) / 2.0
    for _ in range(60):
        s, t = high - ratio * (high - low), low + ratio * (high - low)
        left = at(s) <= at(t)
        low, high = np.where(left, low, s), np.where(left, t, high)
    return np.minimum(best, at(0.5 * (low + high)))


def placed(seed: int, reach: float = 100.0) -> tuple[F64, F64]:
    """A rotation matrix and a translation at random."""
    rng = np.random.default_rng(seed)
    return Rotation.random(random_state=seed).as_matrix(), rng.uniform(-reach, reach, 3)
