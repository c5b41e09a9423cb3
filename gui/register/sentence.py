"""What to do now, in one large line, and below it what helps with it. It keeps its height, so that the picture beneath does not jump."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from gui import theme

#: Heights of the two lines, and the sizes between which their type is fitted to the width, in design pixels.
LARGE, SMALL = 42, 28
LARGE_PX, SMALL_PX = (30.0, 19.0), (18.0, 13.0)
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class Sentence(QWidget):
    """Painted, as wide as there is room: smaller type before words are cut."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.headline, self.detail = "", ""
        self._scale = 1.0

    def say(self, headline: str, detail: str) -> None:
        if (headline, detail) != (self.headline, self.detail):
            self.headline, self.detail = headline, detail
            self.setAccessibleName(f"{headline}. {detail}" if detail else headline)
            self.setToolTip(detail)
            self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.setFixedHeight(round((LARGE + SMALL) * scale))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        ink, s, painter = theme.ink(), self._scale, QPainter(self)
        lines = (
            (self.headline, QRect(0, 0, self.width(), round(LARGE * s)), LARGE_PX, QFont.Weight.Bold, ink.text),
            (self.detail, QRect(0, round(LARGE * s), self.width(), round(SMALL * s)), SMALL_PX, QFont.Weight.Normal, ink.text),
        )
        for text, line, sizes, weight, shade in lines:
            painter.setFont(fitted(text, line.width(), (sizes[0] * s, sizes[1] * s), weight))
            painter.setPen(QColor(shade))
            painter.drawText(line, _LEFT, painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, line.width()))
        painter.end()


def fitted(text: str, width_px: int, sizes_px: tuple[float, float], weight: QFont.Weight) -> QFont:
    """The largest font between two sizes in which a text fits; the smaller one where it does not fit at all."""
    largest, smallest = sizes_px
    font = theme.font(largest, weight=weight)
    needed = QFontMetrics(font).horizontalAdvance(text)
    return font if needed <= width_px else theme.font(max(smallest, largest * width_px / needed - 0.5), weight=weight)
