"""Line drawings of the five places."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QPolygonF

from gui.desktop.keys import PlaceName


def paint_icon(painter: QPainter, place: PlaceName, box: QRectF, color: QColor, scale: float) -> None:
    """Draw the sign of a place into `box`, in lines of one weight."""
    painter.save()
    painter.translate(box.topLeft())
    painter.scale(box.width() / 30.0, box.height() / 30.0)
    painter.setPen(QPen(color, 2.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    {"case": _case, "calibrate": _calibrate, "register": _register, "navigate": _navigate, "review": _review}[place](painter, color)
    painter.restore()


def _case(painter: QPainter, color: QColor) -> None:
    """A stack of slices."""
    for y in (9.0, 15.0, 21.0):
        painter.drawPolyline([QPointF(3, y), QPointF(15, y + 6.0), QPointF(27, y)])
    painter.drawPolyline([QPointF(3, 9), QPointF(15, 3), QPointF(27, 9)])


def _calibrate(painter: QPainter, color: QColor) -> None:
    """A square marker."""
    painter.drawRoundedRect(QRectF(4, 4, 22, 22), 2, 2)
    for x, y in ((9, 9), (15, 9), (9, 15), (16, 16)):
        painter.fillRect(QRectF(x, y, 5, 5), color)


def _register(painter: QPainter, color: QColor) -> None:
    """Three points, and a frame brought onto them."""
    for x, y in ((7, 8), (23, 11), (12, 24)):
        painter.drawEllipse(QPointF(x, y), 3.2, 3.2)
    pen = painter.pen()
    pen.setStyle(Qt.PenStyle.DotLine)
    pen.setWidthF(1.6)
    painter.setPen(pen)
    painter.drawPolygon(QPolygonF([QPointF(7, 8), QPointF(23, 11), QPointF(12, 24)]))


def _navigate(painter: QPainter, color: QColor) -> None:
    """A sight with a tip in its middle."""
    painter.drawEllipse(QPointF(15, 15), 9.5, 9.5)
    for a, b in (((15, 1), (15, 8)), ((15, 22), (15, 29)), ((1, 15), (8, 15)), ((22, 15), (29, 15))):
        painter.drawLine(QPointF(*a), QPointF(*b))
    painter.setBrush(color)
    painter.drawEllipse(QPointF(15, 15), 1.6, 1.6)


def _review(painter: QPainter, color: QColor) -> None:
    """Going back over it: a playhead on a line."""
    painter.drawLine(QPointF(3, 24), QPointF(27, 24))
    for x in (3, 11, 19, 27):
        painter.drawLine(QPointF(x, 21.5), QPointF(x, 26.5))
    path = QPainterPath(QPointF(10, 4))
    path.lineTo(21, 10.5)
    path.lineTo(10, 17)
    path.closeSubpath()
    painter.drawPath(path)
