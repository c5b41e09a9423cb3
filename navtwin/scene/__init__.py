"""The case: CT volume, structures, limits, plan and patient facts. Names are loaded when first asked for: some bring VTK, some Numba."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from navtwin.scene.case import load_scene
    from navtwin.scene.ct import Volume, read_ct, read_labels
    from navtwin.scene.extract import extract_surface
    from navtwin.scene.model import Landmark, Patient, Plan, Scene, Structure, VolumeBox
    from navtwin.scene.surface import Surface

_HOME = {
    "load_scene": "case",
    "Volume": "ct",
    "read_ct": "ct",
    "read_labels": "ct",
    "extract_surface": "extract",
    "Landmark": "model",
    "Patient": "model",
    "Plan": "model",
    "Scene": "model",
    "Structure": "model",
    "VolumeBox": "model",
    "Surface": "surface",
}

__all__ = [
    "Landmark", "Patient", "Plan", "Scene", "Structure", "Surface", "Volume", "VolumeBox", "extract_surface", "load_scene", "read_ct", "read_labels",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
