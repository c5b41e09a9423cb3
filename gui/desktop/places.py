"""The five places: each is made when it is first entered, so that the window need not wait for any of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module

from PySide6.QtWidgets import QWidget

from gui.desktop.desk import Desk
from gui.desktop.keys import PlaceName
from navtwin.scene.views import ViewName

#: Where each place's widget is found.
HOMES: dict[PlaceName, tuple[str, str]] = {
    "case": ("gui.case.place", "CasePlace"),
    "calibrate": ("gui.calibrate.place", "CalibratePlace"),
    "register": ("gui.register.place", "RegisterPlace"),
    "navigate": ("gui.navigate.place", "NavigatePlace"),
    "review": ("gui.review.desk", "ReviewPlace"),
}
Maker = Callable[[Desk], QWidget]


def makers(view: ViewName) -> dict[PlaceName, Maker]:
    """How each place is made; Navigate begins with `view`."""
    made: dict[PlaceName, Maker] = {place: partial(_make, place) for place in HOMES}
    made["navigate"] = partial(_make, "navigate", view=view)
    return made


def _make(place: PlaceName, desk: Desk, **options: object) -> QWidget:
    module, name = HOMES[place]
    widget: QWidget = getattr(import_module(module), name)(desk, **options)
    return widget
