"""What the colours on the bone mean, and how large the predicted error is where the tip is now."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QWidget

from gui import theme
from navtwin.scene import palette, tre_map

BAND, EDGE, TOP, HIGH = 42, 14, 26, 66
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Legend(QWidget):
    """A strip over the picture, which keeps its dark colours in both themes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.here_mm: float | None = None
        self._scale = 1.0
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("predicted error of the registration, RMS, in mm")

    def show_here(self, error_mm: float | None) -> None:
        """The predicted error at the tip, None where the tip is not known."""
        if error_mm != self.here_mm:
            self.here_mm = error_mm
            self.update()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.resize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(round((2 * EDGE + BAND * len(tre_map.COLORS)) * self._scale), round(HIGH * self._scale))

    def paintEvent(self, event: QPaintEvent) -> None:
        s, painter = self._scale, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QColor(palette.PANEL)
        ground.setAlpha(230)
        theme.fill(painter, self.rect(), ground, 6.0 * s)
        line = QRect(round(EDGE * s), round(4 * s), self.width() - round(2 * EDGE * s), round(20 * s))
        painter.setPen(QColor(palette.TEXT))
        painter.setFont(theme.font(12.5 * s, weight=QFont.Weight.DemiBold))
        painter.drawText(line, _LEFT, "Predicted error, RMS, mm")
        painter.setFont(theme.font(12.5 * s))
        painter.setPen(QColor(palette.TEXT if self.here_mm is not None else palette.UNKNOWN))
        painter.drawText(line, _RIGHT, f"at the tip {self.here_mm:.2f}" if self.here_mm is not None else "at the tip \N{EM DASH}")
        painter.setFont(theme.font(12 * s))
        for n, color in enumerate(tre_map.COLORS):
            left = (EDGE + n * BAND) * s
            painter.fillRect(QRect(round(left), round(TOP * s), round(BAND * s) - 1, round(16 * s)), QColor(color))
            if n:
                # An edge stands under the line between its two bands.
                painter.setPen(QColor(palette.TEXT))
                under = QRect(round(left - BAND * s / 2), round((TOP + 18) * s), round(BAND * s), round(18 * s))
                painter.drawText(under, Qt.AlignmentFlag.AlignCenter, f"{tre_map.EDGES_MM[n - 1]:g}")
        if self.here_mm is not None:
            self._paint_pointer(painter, self.here_mm)
        painter.end()

    def _paint_pointer(self, painter: QPainter, here_mm: float) -> None:
        """Where on the scale the tip is."""
        s = self._scale
        x = (EDGE + BAND * float(tre_map.scale_position([here_mm])[0])) * s
        top, r = (TOP + 16) * s, 6.0 * s
        painter.setPen(QColor(palette.BACKGROUND))
        painter.setBrush(QColor(palette.TEXT))
        painter.drawPolygon(QPolygonF([QPointF(x - r, top), QPointF(x + r, top), QPointF(x, top - 1.6 * r)]))
