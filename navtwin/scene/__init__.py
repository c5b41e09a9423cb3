"""The case: CT volume, structures, limits, plan and patient facts. Names are loaded when first asked for: some bring VTK, some Numba."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from navtwin.scene.case import load_scene
    from navtwin.scene.extract import extract_surface
    from navtwin.scene.model import Landmark, Patient, Plan, Scene, Structure
    from navtwin.scene.surface import Surface
    from navtwin.volumes.read import read_ct, read_labels
    from navtwin.volumes.volume import Volume, VolumeBox

_HOME = {
    "load_scene": "navtwin.scene.case",
    "extract_surface": "navtwin.scene.extract",
    "Landmark": "navtwin.scene.model",
    "Patient": "navtwin.scene.model",
    "Plan": "navtwin.scene.model",
    "Scene": "navtwin.scene.model",
    "Structure": "navtwin.scene.model",
    "Surface": "navtwin.scene.surface",
    "read_ct": "navtwin.volumes.read",
    "read_labels": "navtwin.volumes.read",
    "Volume": "navtwin.volumes.volume",
    "VolumeBox": "navtwin.volumes.volume",
}

__all__ = [
    "Landmark", "Patient", "Plan", "Scene", "Structure", "Surface", "Volume", "VolumeBox", "extract_surface", "load_scene", "read_ct", "read_labels",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(_HOME[name]), name)
