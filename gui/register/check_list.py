"""Checks of the registration in use, the newest large, the others below it."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import theme
from gui.register.rows import CheckRow

LARGE, ROW, MOST_ROWS = 104, 24, 5
#: Told by a word before a colour.
VERDICT_WORDS = {"good": "good", "doubtful": "doubtful", "failed": "FAILED"}
_WRAP = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)


class CheckList(QWidget):
    """Painted: nothing here can be pressed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[CheckRow, ...] = ()
        self._scale = 1.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_rows(self, rows: tuple[CheckRow, ...]) -> None:
        """The newest first."""
        if rows != self.rows:
            self.rows = rows
            self.setVisible(bool(rows))
            self.setAccessibleName("; ".join(f"{r.name}: {r.value}, {VERDICT_WORDS[r.verdict]}, {r.words}" for r in rows[: MOST_ROWS + 1]))
            self.updateGeometry()
            self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        height = LARGE + ROW * max(0, min(MOST_ROWS, len(self.rows) - 1)) if self.rows else 0
        return QSize(round(240 * self._scale), round(height * self._scale))

    def minimumSizeHint(self) -> QSize:
        return QSize(round(160 * self._scale), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.rows:
            return
        ink, s, newest = theme.ink(), self._scale, self.rows[0]
        shades = {"good": ink.good, "doubtful": ink.warn, "failed": ink.bad}
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRect(0, 0, self.width() - 1, round((LARGE - 8) * s))
        theme.fill(painter, box, ink.raised, 6.0 * s)
        theme.fill(painter, QRect(box.left(), box.top(), round(5 * s), box.height()), shades[newest.verdict])
        inside = box.adjusted(round(14 * s), round(6 * s), -round(10 * s), -round(4 * s))
        painter.setFont(theme.font(30 * s, weight=QFont.Weight.Bold))
        painter.setPen(QColor(shades[newest.verdict]))
        painter.drawText(inside, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop), newest.value)
        used = painter.fontMetrics().horizontalAdvance(newest.value) + round(10 * s)
        painter.setFont(theme.font(15 * s, weight=QFont.Weight.DemiBold))
        painter.drawText(inside.adjusted(used, round(14 * s), 0, 0), _WRAP, VERDICT_WORDS[newest.verdict])
        painter.setPen(QColor(ink.dim))
        painter.setFont(theme.font(12 * s))
        painter.drawText(inside, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop), newest.ago)
        painter.drawText(inside.adjusted(0, round(58 * s), 0, 0), _WRAP, newest.words)
        painter.setPen(QColor(ink.text))
        painter.setFont(theme.font(13 * s))
        painter.drawText(inside.adjusted(0, round(38 * s), 0, 0), _WRAP, newest.name)
        for n, row in enumerate(self.rows[1 : 1 + MOST_ROWS]):
            line = QRect(round(14 * s), round((LARGE + n * ROW) * s), self.width() - round(24 * s), round(ROW * s))
            painter.setFont(theme.font(13 * s))
            painter.setPen(QColor(shades[row.verdict]))
            right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            told = f"{row.value}  {VERDICT_WORDS[row.verdict]}"
            painter.drawText(line, right, told)
            room = line.width() - painter.fontMetrics().horizontalAdvance(told) - round(8 * s)
            painter.setPen(QColor(ink.dim))
            name = painter.fontMetrics().elidedText(row.name, Qt.TextElideMode.ElideRight, room)
            painter.drawText(line, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), name)
        painter.end()
