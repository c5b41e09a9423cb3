"""A block of bone with a nerve through it, whose truth is known at every point."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyvista as pv

from navtwin.scene.extract import contour
from navtwin.scene.model import Patient, Scene, Structure
from navtwin.scene.surface import Surface
from navtwin.volumes.volume import VolumeBox

F64 = npt.NDArray[np.float64]
SIDE_MM = 0.5
#: A block of bone, and a nerve that runs through it along y, 6 mm under its top.
BLOCK_MM = ((-12.0, -12.0, -12.0), (12.0, 12.0, 0.0))
ROUND_MM, FLAT_TOP_MM = 1.0, 0.0
NERVE_DEPTH_MM, NERVE_RADIUS_MM = 7.0, 1.0


def block(points: F64) -> F64:
    """Signed distance to the block, whose edges are rounded."""
    low, high = (np.array(corner) for corner in BLOCK_MM)
    away = np.abs(points - (low + high) / 2.0) - (high - low) / 2.0 + ROUND_MM
    return np.asarray(np.linalg.norm(np.maximum(away, 0.0), axis=-1) + np.minimum(away.max(axis=-1), 0.0) - ROUND_MM)


@cache
def whole() -> Surface:
    """The block, its edges rounded by 1 mm: a surface net has no sharp ones."""
    low, high = (np.array(corner) for corner in BLOCK_MM)
    axes = [np.arange(start - 2.0, end + 2.0, 0.5) for start, end in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    vertices, faces = contour(-block(points).transpose(2, 1, 0).astype(np.float32), 0.0)
    return Surface.from_arrays((vertices + 1.0) * 0.5 + low - 2.0, faces)


@cache
def nerve() -> Surface:
    tube = (
        pv.Cylinder(center=(0.0, 0.0, -NERVE_DEPTH_MM), direction=(0.0, 1.0, 0.0), radius=NERVE_RADIUS_MM, height=40.0, resolution=64)
        .triangulate()
        .clean()
    )
    return Surface.from_arrays(tube.points, tube.regular_faces)


def scene(carve_mm: float = SIDE_MM) -> Scene:
    """The block and the nerve as a case."""
    bone = Structure("temporal bone", "work", "ref", whole(), None, None, 0.3, 15.0, "#e6d9c2", 1.0, False, carve_mm=carve_mm)
    warned = Structure("facial nerve", "critical", "ref", nerve(), 2.0, 1.0, 0.3, 15.0, "#f2c14e", 1.0, False)
    box = VolumeBox(((1, 0, 0, 20), (0, 1, 0, 20), (0, 0, 1, 20), (0, 0, 0, 1)), (41, 41, 41))
    return Scene("block", (bone, warned), (), (), Patient(), box, Path("ct.nii.gz"), Path(), "hash")
