from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navtwin.scene.extract import extract_surface
from navtwin.scene.model import Landmark, Patient, Plan, Scene, Structure
from navtwin.scene.surface import Surface
from navtwin.volumes.volume import Volume, VolumeBox
from phantoms.patient import landmarks, plans, shapes
from phantoms.performance import Performance, perform
from phantoms.rig import demo_rig
from phantoms.shapes import Shape
from phantoms.volume import Grid, Tissue, rasterise

GRID = Grid(origin_mm=(-40.0, -50.0, -65.0), spacing_mm=(1.0, 1.0, 1.0), shape_ijk=(80, 120, 130))
LIMITS = {"spinal_canal": (1.8, 1.2, 0.3), "aorta": (3.0, 1.8, 0.4)}


def meshed(shape: Shape) -> Surface:
    """The surface of a shape as close to the truth as 1 mm voxels allow: where they are half full."""
    hu, _ = rasterise([Tissue("one", 1, shape, hu=1000.0)], GRID, air_hu=0.0)
    T = np.eye(4)
    T[:3, 3] = GRID.origin_mm
    volume = Volume(np.ascontiguousarray(hu.transpose(2, 1, 0)), T, GRID.spacing_mm, Path("shape"))
    return extract_surface(volume, threshold_hu=500.0)


@pytest.fixture(scope="session")
def spine() -> Scene:
    """The built-in patient, its surfaces taken from the shapes themselves."""
    structures = []
    for name, shape in shapes().items():
        if name.startswith("vertebrae") or name in LIMITS:
            caution, danger, sd = LIMITS.get(name, (None, None, 0.3))
            role = "critical" if name in LIMITS else "work"
            structures.append(Structure(name, role, "ref", meshed(shape), caution, danger, sd, 15.0, "#c0c0c0", 1.0, False))  # type: ignore[arg-type]
    box = VolumeBox(((1.0, 0.0, 0.0, 40.0), (0.0, 1.0, 0.0, 50.0), (0.0, 0.0, 1.0, 65.0), (0.0, 0.0, 0.0, 1.0)), GRID.shape_ijk)
    return Scene(
        name="spine",
        structures=tuple(structures),
        landmarks=tuple(Landmark(name, p) for name, p in landmarks().items()),
        plans=tuple(Plan(name, entry, target, 3.0, 1.0) for name, (entry, target) in plans().items()),
        patient=Patient(),
        volume=box,
        ct_path=Path("ct"),
        folder=Path("spine"),
        case_hash="0" * 64,
    )


@pytest.fixture(scope="session")
def performance(spine: Scene) -> Performance:
    return perform(spine, demo_rig(), 5)
