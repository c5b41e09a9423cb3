"""The graphics libraries, loaded once, whoever needs them first: imported by two threads at a time they would find each other half made."""

from __future__ import annotations

import importlib
import threading

_ONE = threading.Lock()


def load_graphics(*, qt: bool = True) -> None:
    """Import what pictures need, and with `qt` what a card needs to paint in a widget. Takes seconds the first time: not for the window's thread."""
    with _ONE:
        for name in ("pyvista", "pyvista.plotting", *(("pyvistaqt",) if qt else ())):
            importlib.import_module(name)
