"""The graphics libraries, loaded once, whoever needs them first: imported by two threads at a time they would find each other half made."""

from __future__ import annotations

import importlib
import threading

_ONE = threading.Lock()


def load_graphics() -> None:
    """Import what pictures need. Takes seconds the first time: not for the window's thread."""
    with _ONE:
        for name in ("pyvista", "pyvistaqt"):
            importlib.import_module(name)
