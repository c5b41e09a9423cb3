"""How near the chosen path comes to each watched structure, in words, the most pressing first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from PySide6.QtWidgets import QGridLayout, QWidget

from gui import theme
from gui.case.parts import button, words
from gui.case.plan_hand import clearance_words
from navtwin.bus.words import name_words
from navtwin.nouns import Level
from navtwin.rigid import Vec3
from navtwin.scene.plan_facts import Clearance

TONES: Final[dict[Level, str]] = {"CLEAR": "", "CAUTION": "warn", "DANGER": "bad", "CONTACT": "bad"}
NOTHING_WATCHED = "Nothing is being watched, so nothing is measured."
NO_LIMITS = "What is watched has no limits yet."


class Clearances(QWidget):
    """A row for each structure, with a button that goes to the nearest point."""

    def __init__(self, go_to: Callable[[Vec3], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._go_to = go_to
        self._scale = 1.0
        self._shown: tuple[Clearance, ...] | None = None
        self.texts: tuple[str, ...] = ()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(4)
        self._grid.setColumnStretch(0, 1)

    def set_scale(self, scale: float) -> None:
        self._scale, self._shown = scale, None

    def show_clearances(self, clearances: Sequence[Clearance], watched: bool) -> None:
        """Show these; `watched`: whether any structure is."""
        if tuple(clearances) == self._shown and clearances:
            return
        self._shown = tuple(clearances)
        theme.empty(self._grid)
        self.texts = tuple(f"{name_words(one.structure)}: {clearance_words(one)}" for one in clearances)
        if not clearances:
            self.texts = (NO_LIMITS if watched else NOTHING_WATCHED,)
            self._grid.addWidget(words(self.texts[0], "warn"), 0, 0)
        for n, (one, text) in enumerate(zip(clearances, self.texts, strict=False)):
            self._grid.addWidget(words(text, TONES[one.level]), n, 0)
            go = button(
                "Go", f"Bring the slices to where the path is nearest to {name_words(one.structure)}", partial(self._go_to, one.at_mm), "small"
            )
            go.setFixedHeight(round(32 * self._scale))
            self._grid.addWidget(go, n, 1)
