"""Polygons and strips into triangles, where that can be done without inventing a shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from navtwin.errors import InputRefused
from navtwin.meshes.axes import F64, I64
from navtwin.meshes.raw import refuse_bad_corners, refuse_bad_points

#: A polygon of five corners or more is flat if they lie within this share of its size from its plane.
FLAT = 0.02
#: No polygon of a surface has more corners than this.
MOST_CORNERS = 4096
#: A fan covers no more than so many times the area that its polygon encloses: beyond it, two halves of it cancel out.
MOST_FOLDED = 4.0


def split_polygons(vertices: F64, corners: I64, counts: I64, path: Path) -> tuple[I64, tuple[str, ...]]:
    """Triangles of polygons.

    A quadrilateral is split along the diagonal that keeps both halves facing alike, the shorter one if both do; a larger polygon as a fan, if it
    is flat and the fan does not fold over.

    Parameters
    ----------
    vertices : (V, 3)
    corners : (sum of counts,) vertex indices, polygon after polygon
    counts : (P,) corners of each polygon

    Returns
    -------
    faces : (F, 3), in the polygons' order
    notes : what was split

    Raises
    ------
    InputRefused : fewer than three corners, or more than `MOST_CORNERS`; an index that names no vertex; a polygon that crosses itself, or is
        large and not flat and convex
    """
    odd = np.flatnonzero((counts < 3) | (counts > MOST_CORNERS))
    if len(odd):
        bad = int(odd[0])
        raise InputRefused(f"{path}: face {bad} has {counts[bad]} corners", "the file is damaged: export the mesh again")
    if (counts == 3).all():
        return corners.reshape(-1, 3), ()
    refuse_bad_points(vertices, path)
    refuse_bad_corners(corners, len(vertices), path)
    start = np.cumsum(counts) - counts
    before = np.cumsum(counts - 2) - (counts - 2)
    faces = np.empty((int((counts - 2).sum()), 3), dtype=np.int64)
    for n in np.flatnonzero(np.bincount(counts)):
        which = np.flatnonzero(counts == n)
        polygons = corners[start[which, None] + np.arange(n)]
        triangles = polygons[:, None] if n == 3 else _split(vertices, polygons, which, path)
        faces[before[which, None] + np.arange(n - 2)] = triangles
    return faces, (f"{int((counts > 3).sum())} faces of more than three corners were split into triangles.",)


def _split(vertices: F64, polygons: I64, which: I64, path: Path) -> I64:
    """(P, n - 2, 3) triangles of (P, n) polygons with n > 3; `which` are their numbers in the file."""
    n = polygons.shape[1]
    points = vertices[polygons]
    points = points - points.mean(axis=1, keepdims=True)
    normal = np.cross(points, np.roll(points, -1, axis=1)).sum(axis=1)  # Newell's, twice the area long
    fans = [_fan(points, normal, apex) for apex in ((0, 1) if n == 4 else (0,))]
    if n == 4:
        diagonals = np.linalg.norm(points[:, [2, 3]] - points[:, [0, 1]], axis=2)
        second = (fans[1] & ~fans[0]) | (fans[0] & fans[1] & (diagonals[:, 1] < diagonals[:, 0]))
        sound = fans[0] | fans[1]
        polygons = np.where(second[:, None], np.roll(polygons, -1, axis=1), polygons)
    else:
        sound = fans[0] & _flat(points, normal)
    if not sound.all():
        bad = int(which[np.flatnonzero(~sound)[0]])
        raise InputRefused(
            f"{path}: face {bad} has {n} corners and {'crosses itself' if n == 4 else 'is not flat and convex'}",
            "triangulate the mesh where it was made",
        )
    return np.stack([np.broadcast_to(polygons[:, :1], (len(polygons), n - 2)), polygons[:, 1:-1], polygons[:, 2:]], axis=2)


def _fan(points: F64, normal: F64, apex: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Whether the fan from a corner has no triangle that faces away from the polygon, and does not cover more than the polygon."""
    turned = np.roll(points, -apex, axis=1)
    arms = turned[:, 1:] - turned[:, :1]
    areas = np.cross(arms[:, :-1], arms[:, 1:])
    along = (areas * normal[:, None]).sum(axis=2)
    covered, enclosed = np.linalg.norm(areas, axis=2).sum(axis=1), np.linalg.norm(normal, axis=1)
    return np.asarray((along >= -1e-9 * enclosed[:, None] ** 2).all(axis=1) & (covered <= MOST_FOLDED * enclosed))


def _flat(points: F64, normal: F64) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    unit = np.divide(normal, length, out=np.zeros_like(normal), where=length > 0.0)
    off = np.abs((points * unit[:, None]).sum(axis=2)).max(axis=1)
    return np.asarray(off <= FLAT * np.linalg.norm(points, axis=2).max(axis=1))


def split_strips(corners: I64, counts: I64) -> I64:
    """Triangles of strips: each corner after the second makes one with the two before it, every second one turned over.

    Triangles that use a vertex twice only lead a strip around a bend: they are left out.
    """
    start = np.cumsum(counts) - counts
    each = np.maximum(counts - 2, 0)
    first = np.repeat(start - (np.cumsum(each) - each), each) + np.arange(int(each.sum()))
    odd = (first - np.repeat(start, each)) % 2
    a, b, c = corners[first + odd], corners[first + 1 - odd], corners[first + 2]
    faces = np.stack([a, b, c], axis=1)
    return np.asarray(faces[(a != b) & (b != c) & (c != a)])
