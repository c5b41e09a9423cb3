"""Analytic scans and shapes that the tests of this room compare against."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from navtwin.scene.author.recipe import Edit, Outline, Recipe
from navtwin.scene.surface import Surface
from navtwin.volumes.volume import Volume, placed

#: Left-handed, voxels of 1 x 1 x 2 mm, the origin in the middle.
SHAPE_IJK = (70, 72, 40)


def affine() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    T = np.diag([-1.0, 1.0, 2.0, 1.0])
    T[:3, 3] = (35.0, -36.0, -40.0)
    return T


def ball_scan(*balls: tuple[tuple[float, float, float], float]) -> Volume:
    """A CT that is exactly 300 HU on the surface of the nearest ball and rises by 100 HU a mm inwards: what a threshold of 300 must give."""
    ni, nj, nk = SHAPE_IJK
    k, j, i = np.meshgrid(np.arange(nk), np.arange(nj), np.arange(ni), indexing="ij")
    T = affine()
    places = np.stack([T[a, 0] * i + T[a, 1] * j + T[a, 2] * k + T[a, 3] for a in range(3)], axis=-1)
    depth = np.max([radius - np.linalg.norm(places - np.array(centre), axis=-1) for centre, radius in balls], axis=0)
    return placed(np.clip(100.0 * depth + 300.0, -1000.0, 3000.0).astype(np.float32), T, Path("ball.nii"))


def recipe(*edits: Edit) -> Recipe:
    return Recipe(author="Dr A. Example", made="2026-11-22", sd_mm=0.5, edit=edits)


def circle(radius: float, z: float, centre: tuple[float, float] = (0.0, 0.0), corners: int = 180) -> Outline:
    turn = np.linspace(0.0, 2.0 * np.pi, corners, endpoint=False)
    return Outline(tuple((float(centre[0] + radius * np.cos(t)), float(centre[1] + radius * np.sin(t)), z) for t in turn))


def area_mm2(surface: Surface) -> float:
    a, b, c = (surface.vertices_mm[surface.faces[:, n]] for n in range(3))
    return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2.0)
