"""The distances: one card for each critical structure, always in the same place."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from gui import theme
from gui.navigate.card import TALL, DistanceCard
from navtwin.scene.caption import NOT_A_DEVICE
from navtwin.scene.distances import StructureRow
from navtwin.scene.model import Structure

#: Around and between the cards, in design pixels.
MARGIN, SPACING = 12, 2


class Strip(QFrame):
    """The cards under each other; each is shorter where all would not fit, and still more can be scrolled to."""

    def __init__(self, structures: tuple[Structure, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self._scale = 1.0
        self.cards = {s.name: DistanceCard(s) for s in structures}
        inner = QWidget()
        inner.setObjectName("cards")
        column = QVBoxLayout(inner)
        column.setContentsMargins(MARGIN, MARGIN, MARGIN, 4)
        column.setSpacing(SPACING)
        for card in self.cards.values():
            column.addWidget(card)
        column.addStretch()
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(inner)
        legend = QLabel("┃  measured ± 2 sd        ▾  bound: the worst that it may be")
        notice = QLabel(NOT_A_DEVICE)
        #: How fresh the registration is that all distances rest on.
        self.verified = QLabel()
        self.verified.setWordWrap(True)
        self.verified.setToolTip("A reference that was knocked shows in no residual: touch a landmark in Register, as a check")
        self._foot = QVBoxLayout()
        self._foot.addWidget(self.verified)
        for label in (legend, notice):
            label.setProperty("dim", True)
            self._foot.addWidget(label)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._area, 1)
        layout.addLayout(self._foot)

    def show_rows(self, rows: tuple[StructureRow, ...]) -> None:
        for row in rows:
            self.cards[row.structure.name].show_row(row)

    def show_verified(self, words: str, *, due: bool) -> None:
        """`words` as `verified_words` has them, "" for nothing to say; `due` where an alarm asks for a check."""
        theme.say(self.verified, f"Registration: {words}" if words else "", "warn" if due else "")

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.setFixedWidth(round(400 * scale))
        # Margins of a layout: a label's own are lost when the style sheet changes.
        side, below = round(15 * scale), round(8 * scale)
        self._foot.setContentsMargins(side, 0, side, below)
        self._foot.setSpacing(round(3 * scale))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        needed = len(self.cards) * (TALL * self._scale + SPACING) + MARGIN
        for card in self.cards.values():
            card.set_scale(self._scale, tall=needed <= self._area.height())
