"""What the colours of drilled bone mean: a small legend over the picture, and over it what of the bone is not known."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from gui import theme
from navtwin.scene import palette
from navtwin.scene.palette import BANDS_MM

WIDTH, ROW = 138, 20
TITLE = "Bone left"


class BoneLegend(QWidget):
    """One row for each look of a drilled wall."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = (*(f"up to {limit:g} mm" for limit in BANDS_MM), "more, or none between", "may be gone")
        self._scale = 1.0
        self.setAccessibleName(f"{TITLE} behind a drilled wall: {', '.join(self.rows)}")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.set_scale(1.0)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.setFixedSize(round((WIDTH + 28) * scale), round((30 + ROW * len(self.rows)) * scale))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(self._scale, self._scale)
        width, height = WIDTH + 28, 30 + ROW * len(self.rows)
        back = QColor(palette.PANEL)
        back.setAlpha(225)
        painter.setPen(QPen(QColor(palette.EDGE), 1.0))
        painter.setBrush(back)
        painter.drawRoundedRect(QRectF(0.5, 0.5, width - 1, height - 1), 8, 8)
        painter.setPen(QColor(palette.TEXT))
        painter.setFont(theme.font(13.0, weight=QFont.Weight.Bold))
        painter.drawText(QRect(10, 4, width - 16, 20), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, TITLE)
        painter.setFont(theme.font(12.5))
        for n, (words, shade) in enumerate(zip(self.rows, (*palette.BANDS, palette.CUT_BONE, ""), strict=True)):
            swatch = QRect(10, 26 + ROW * n, 16, 13)
            if shade:
                theme.fill(painter, swatch, shade, 2.0)
            else:
                theme.hatch(painter, swatch, 5.0)
            painter.setPen(QColor(palette.TEXT))
            painter.drawText(QRect(32, 22 + ROW * n, width - 36, ROW), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, words)
        painter.end()
