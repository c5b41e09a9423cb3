"""What the dashes of an outline say of its depth, in a row over the picture."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from gui import theme
from gui.augmented.depths import Depths, band_words
from navtwin.scene import palette

TITLE = "under the bone"
#: A sample of a line, and the space around it, px at scale 1.
SAMPLE_PX, SPACE_PX = 30.0, 8.0


def paint_legend(painter: QPainter, depths: Depths, corner: QPointF, scale: float) -> None:
    """One sample of a line for each band of depth, in a row on a plate whose upper left corner is at a point."""
    s, space = scale, SPACE_PX * scale
    painter.setFont(theme.font(12.0 * s, weight=QFont.Weight.DemiBold))
    metrics = painter.fontMetrics()
    words = band_words(depths)
    widths = [SAMPLE_PX * s + 0.6 * space + metrics.horizontalAdvance(told) + 1.6 * space for told in words]
    height = metrics.height() + 10.0 * s
    size = QSizeF(metrics.horizontalAdvance(TITLE) + 3.0 * space + sum(widths), height)
    plate = QRectF(corner, size)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(23, 28, 32, 205))
    painter.drawRoundedRect(plate, 5.0 * s, 5.0 * s)
    painter.setPen(QColor(palette.DIM))
    centred = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
    painter.drawText(plate.adjusted(space, 0.0, 0.0, 0.0), centred, TITLE)
    x, y = plate.left() + metrics.horizontalAdvance(TITLE) + 2.5 * space, plate.center().y()
    for band, told, width in zip(depths.bands, words, widths, strict=True):
        shade = QColor(palette.TEXT)
        shade.setAlphaF(band.opacity)
        pen = QPen(shade, 2.0 * s, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap)
        if band.dashes:
            pen.setDashPattern(list(band.dashes))
        painter.setPen(pen)
        painter.drawLine(QPointF(x, y), QPointF(x + SAMPLE_PX * s, y))
        painter.setPen(QColor(palette.TEXT))
        painter.drawText(QRectF(x + SAMPLE_PX * s + 0.6 * space, plate.top(), width, height), centred, told)
        x += width
