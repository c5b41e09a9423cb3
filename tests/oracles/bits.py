"""Prints one SHA-256 over the answers to a fixed set of questions: `python -m tests.oracles.bits`. The same on every CPU, Python and run."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import numpy.typing as npt

from navtwin import Rigid, Surface

F64 = npt.NDArray[np.float64]


def _numbers(n: int, seed: int) -> F64:
    """n numbers of -1 to 1 from a plain congruence in whole numbers: the same wherever Python is."""
    state, out = seed, np.empty(n)
    for k in range(n):
        state = (6364136223846793005 * state + 1442695040888963407) % 2**64
        out[k] = (state >> 11) / 2.0**52 - 1.0
    return out


def _meshes() -> list[tuple[F64, npt.NDArray[np.int32]]]:
    """A bumpy torus, a soup of slivers and a plate of 0.5 mm: coordinates on a grid of 2^-20 mm, so that no library's sine decides."""
    nu, nv = 40, 24
    u, v = (m.ravel() for m in np.meshgrid(np.arange(nu), np.arange(nv), indexing="ij"))
    bumps = 1.0 + 0.1 * _numbers(nu * nv, 1)
    torus = np.empty((nu * nv, 3))
    for k, (i, j, bump) in enumerate(zip(u.tolist(), v.tolist(), bumps.tolist(), strict=True)):
        turn, tilt = 2.0 * math.pi * i / nu, 2.0 * math.pi * j / nv
        rho = 30.0 + 10.0 * bump * math.cos(tilt)
        torus[k] = rho * math.cos(turn), rho * math.sin(turn), 10.0 * bump * math.sin(tilt)
    a, b, c, d = u * nv + v, ((u + 1) % nu) * nv + v, ((u + 1) % nu) * nv + (v + 1) % nv, u * nv + (v + 1) % nv
    grid = np.concatenate([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).astype(np.int32)
    soup = (30 * _numbers(300, 2).reshape(100, 1, 3) + _numbers(900, 3).reshape(100, 3, 3) * [8.0, 3.0, 0.1]).reshape(-1, 3)
    corners = np.array([[x, y, z] for x in (-40.0, 40.0) for y in (-40.0, 40.0) for z in (-0.25, 0.25)])
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    plate = np.array([t for p, q, r, s in quads for t in ((p, q, r), (p, r, s))], np.int32)
    return [(np.round(torus * 2.0**20) / 2.0**20, grid), (soup, np.arange(300, dtype=np.int32).reshape(100, 3)), (corners, plate)]


def digest() -> str:
    """Over points, capsules, rays and pairs of surfaces."""
    hashed = hashlib.sha256()
    surfaces = [Surface.from_arrays(*mesh) for mesh in _meshes()]
    points = 60.0 * _numbers(6000, 4).reshape(-1, 3)
    for surface in surfaces:
        near = surface.closest(points)
        close = surface.closest(near.point_mm + 1e-3 * _numbers(6000, 5).reshape(-1, 3))
        rays = surface.first_hit(points, near.point_mm - points)
        for array in (near.distance_mm, near.point_mm, near.face, close.distance_mm, close.point_mm, close.face, rays.distance_mm, rays.face):
            hashed.update(array.tobytes())
        for a, b in zip(points[:300], points[300:600], strict=True):
            hit = surface.closest_to_capsule(a, b, 1.5)
            hashed.update(np.array([hit.distance_mm, *hit.point_mm, *hit.axis_point_mm, hit.face, hit.depth_is_bound]).tobytes())
    for k, t in enumerate(points[:12]):
        q = (0.5, 0.5, 0.5, 0.5) if k % 2 else (0.6, 0.0, 0.8, 0.0)
        pair = surfaces[k % 3].closest_to_surface(surfaces[(k + 1) % 3], Rigid.from_quaternion(q, tuple(t.tolist()), target="ct", source="tip/drill"))
        hashed.update(np.array([pair.distance_mm, *pair.point_mm, *pair.other_point_mm, pair.face, pair.other_face, pair.intersects]).tobytes())
    return hashed.hexdigest()


if __name__ == "__main__":
    print(digest())
