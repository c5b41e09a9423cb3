"""navtwin: a surgical-navigation digital twin with real-time two-way feedback.

The public names are loaded when first used, so that `import navtwin` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from navtwin.register import register_landmarks, register_surface
    from navtwin.rigid import Rigid
    from navtwin.scene.carvable import Carvable
    from navtwin.scene.extract import extract_surface
    from navtwin.scene.surface import Surface
    from navtwin.volumes.read import read_ct

__version__ = "0.1.0"

_HOME = {
    "Carvable": "navtwin.scene.carvable",
    "Rigid": "navtwin.rigid",
    "Surface": "navtwin.scene.surface",
    "extract_surface": "navtwin.scene.extract",
    "read_ct": "navtwin.volumes.read",
    "register_landmarks": "navtwin.register",
    "register_surface": "navtwin.register",
}

__all__ = ["Carvable", "Rigid", "Surface", "extract_surface", "read_ct", "register_landmarks", "register_surface"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'navtwin' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
