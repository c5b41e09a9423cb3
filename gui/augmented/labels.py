"""The words of an overlay: on small dark plates, each near what it names and none upon another."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen

from gui import theme
from gui.augmented.painting import Label
from navtwin.scene import palette

#: How far words stand off their point, px, at scale 1: names, and distances, which must not hide what they measure.
AWAY_PX, STRONG_AWAY_PX = 8.0, 46.0
#: In how many places, one below or above the other, a plate is tried before it may lie on another.
TRIES = 6


def paint_labels(painter: QPainter, labels: Sequence[Label], room: QRectF, free: QRectF, ratio: float, scale: float) -> None:
    """Write labels, distances first: nothing may take their place.

    Parameters
    ----------
    room : the picture, in the widget; labels' points are device pixels of it
    free : where words may be written
    ratio : device pixels for each pixel of the widget
    """
    taken = list[QRectF]()
    for label in sorted(labels, key=lambda one: not one.strong):
        size = 15.5 if label.strong else 12.0
        painter.setFont(theme.font(size * scale, weight=QFont.Weight.Bold if label.strong else QFont.Weight.DemiBold))
        metrics = painter.fontMetrics()
        width, height = metrics.horizontalAdvance(label.words) + 12.0 * scale, metrics.height() + 3.0 * scale
        point = QPointF(room.left() + label.at_px[0] / ratio, room.top() + label.at_px[1] / ratio)
        away = (STRONG_AWAY_PX if label.strong else AWAY_PX) * scale
        plate = _place(point + QPointF(*label.off) * away, label.off, QSizeF(width, height), free, taken)
        taken.append(plate)
        if label.strong:
            painter.setPen(QPen(QColor(label.color), 1.2 * scale))
            painter.drawLine(point, QPointF(min(max(point.x(), plate.left()), plate.right()), min(max(point.y(), plate.top()), plate.bottom())))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(10, 13, 15, 225 if label.strong else 185))
        painter.drawRoundedRect(plate, 4.0 * scale, 4.0 * scale)
        painter.setBrush(QColor(label.color))
        painter.drawRect(QRectF(plate.left(), plate.top() + 3.0 * scale, 2.5 * scale, plate.height() - 6.0 * scale))
        painter.setPen(QColor(label.color if label.strong else palette.TEXT))
        painter.drawText(plate.adjusted(4.0 * scale, 0.0, 0.0, 0.0), Qt.AlignmentFlag.AlignCenter, label.words)


def paint_banner(painter: QPainter, words: str, middle: QPointF, shade: str, scale: float) -> None:
    """Large words on a plate around a point."""
    painter.setFont(theme.font(26.0 * scale, weight=QFont.Weight.Bold))
    size = QSizeF(painter.fontMetrics().horizontalAdvance(words) + 40.0 * scale, 54.0 * scale)
    plate = QRectF(middle - QPointF(size.width(), size.height()) / 2.0, size)
    painter.setPen(QPen(QColor(shade), 1.5 * scale))
    painter.setBrush(QColor(10, 13, 15, 225))
    painter.drawRoundedRect(plate, 8.0 * scale, 8.0 * scale)
    painter.setPen(QColor(shade))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, words)


def paint_plate(painter: QPainter, words: str, size: float, corner: QPointF, most: float, scale: float, *, dashed: bool) -> float:
    """Words on a plate with its upper left corner at a point, cut to a width; returns its own. `dashed`: something is not known."""
    painter.setFont(theme.font(size * scale, weight=QFont.Weight.DemiBold))
    metrics = painter.fontMetrics()
    fitting = metrics.elidedText(words, Qt.TextElideMode.ElideRight, round(most - 22.0 * scale))
    plate = QRectF(corner, QSizeF(metrics.horizontalAdvance(fitting) + 22.0 * scale, metrics.height() + 12.0 * scale))
    painter.setPen(QPen(QColor(palette.UNKNOWN), 1.2 * scale, Qt.PenStyle.DashLine) if dashed else QPen(Qt.PenStyle.NoPen))
    painter.setBrush(QColor(23, 28, 32, 225))
    painter.drawRoundedRect(plate, 5.0 * scale, 5.0 * scale)
    painter.setPen(QColor(palette.TEXT))
    painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, fitting)
    return plate.width()


def _place(anchor: QPointF, off: tuple[float, float], size: QSizeF, free: QRectF, taken: Sequence[QRectF]) -> QRectF:
    """A plate beyond the anchor, further up or down where another lies; where words may be. The last place tried if none is free."""
    x = _within(anchor.x() - size.width() * (0.5 - 0.5 * off[0]), free.left(), free.right() - size.width())
    y = _within(anchor.y() - size.height() * (0.5 - 0.5 * off[1]), free.top(), free.bottom() - size.height())
    step = (size.height() + 3.0) * (1.0 if off[1] > 0.0 else -1.0)
    plate = QRectF()
    for turn in range(TRIES):
        # Once on the far side, once on the near side of the first place, further each time: at the edge only one of them is free.
        aside = (turn + 1) // 2 * (1.0 if turn % 2 else -1.0) * step
        plate = QRectF(QPointF(x, _within(y + aside, free.top(), free.bottom() - size.height())), size)
        if not any(plate.intersects(other) for other in taken):
            break
    return plate


def _within(value: float, low: float, high: float) -> float:
    return max(low, min(value, high))
