"""The line over a place: its name, how it stands, and what to do next."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.desktop.keys import TITLES, PlaceName
from gui.desktop.rail import paint_standing
from gui.desktop.readiness import Ready


class Head(QWidget):
    """One line of words. Navigate has none: its room belongs to the picture, and what it has to say stands in banner and strip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.place: PlaceName = "case"
        self.ready = Ready("blocked", "")
        self._case, self._scale = "", 1.0

    def show_place(self, place: PlaceName, ready: Ready, case: str) -> None:
        """`case` stands at the right end: which patient this is about."""
        self.setVisible(place != "navigate")
        if (place, ready, case) != (self.place, self.ready, self._case):
            self.place, self.ready, self._case = place, ready, case
            self.setAccessibleName(f"{TITLES[place]}: {ready.words}")
            self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.setFixedHeight(round(40 * scale))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        ink, s = theme.ink(), self._scale
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(ink.panel))
        painter.fillRect(QRect(0, self.height() - 1, self.width(), 1), QColor(ink.edge))
        line = QRect(round(16 * s), 0, self.width() - round(32 * s), self.height())
        left, right = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.setFont(theme.font(16 * s, weight=QFont.Weight.DemiBold))
        painter.setPen(QColor(ink.text))
        painter.drawText(line, left, TITLES[self.place])
        used = painter.fontMetrics().horizontalAdvance(TITLES[self.place]) + round(22 * s)
        paint_standing(painter, self.ready.standing, QPointF(line.left() + used, line.center().y()), s)
        painter.setFont(theme.font(13 * s))
        painter.setPen(QColor(ink.dim))
        painter.drawText(line, right, self._case)
        room = line.width() - used - round(16 * s) - painter.fontMetrics().horizontalAdvance(self._case) - round(20 * s)
        painter.setFont(theme.font(15 * s))
        painter.setPen(QColor(ink.warn if self.ready.standing == "warning" else ink.text))
        words = self.ready.words[:1].upper() + self.ready.words[1:]
        painter.drawText(
            line.adjusted(used + round(16 * s), 0, 0, 0), left, painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, max(0, room))
        )
        painter.end()
