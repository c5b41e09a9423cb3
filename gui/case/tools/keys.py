"""The keys of the tools: letters take one in the hand anywhere in the place; those that act on a draft are only there while one is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from gui.case.tools.sheet import Kind

LETTERS: Final[dict[Kind, str]] = {"bone": "B", "tube": "V", "sphere": "S", "paint": "D"}
LAY_DOWN, UNDO, REDO, DELETE, FINISH, BEFORE, AFTER, MAKE = "Esc", "Ctrl+Z", "Ctrl+Shift+Z", "Delete", "Return", ",", ".", "Ctrl+Return"


def add_keys(place: QWidget, acts: Mapping[str, Callable[[], object]]) -> dict[str, QShortcut]:
    """A shortcut for each of `acts`, in all of the place and nowhere else."""
    made = {}
    for keys, act in acts.items():
        shortcut = QShortcut(QKeySequence(keys), place, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(act)
        made[keys] = shortcut
    return made
