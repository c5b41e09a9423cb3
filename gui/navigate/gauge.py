"""The scale of one distance, from a little inside the structure (left) outwards: limit bands, the measured distance, its error bar and the bound.

A band is told by its height and place as well as by its colour: the nearer to the structure, the higher.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gui import theme
from navtwin.bus.words import ERROR_BAR_SD
from navtwin.nouns import Level, Reading

#: From millimetres to pixels.
_Scale = Callable[[float], float]
#: The scale reaches this many caution limits beyond the surface, but at least so far, and a little inside.
GAUGE_CAUTIONS, GAUGE_LEAST_MM, GAUGE_INSIDE_MM = 4.0, 10.0, 1.0
#: The bar within its area, and the type of its figures, in design pixels.
BAR_TOP, BAR_HEIGHT, FIGURES = 9, 13, 12.0
#: Figures stand at least so far apart, in design pixels: "1.2" and "1.8" that touch would read as another number.
GAP = 7.0


def paint_gauge(painter: QPainter, area: QRect, limits_mm: tuple[float, float], reading: Reading | None, scale: float) -> None:
    """Paint one scale.

    Parameters
    ----------
    limits_mm : caution and danger
    reading : None where the distance is not known: the scale is hatched
    """
    s, ink = scale, theme.ink()
    bar = QRect(area.left(), area.top() + round(BAR_TOP * s), area.width(), round(BAR_HEIGHT * s))
    if reading is None or reading.distance_mm is None:
        theme.hatch(painter, bar, ink=ink)
        return
    caution, danger = limits_mm
    reach = max(GAUGE_LEAST_MM, GAUGE_CAUTIONS * caution)

    def x(mm: float) -> float:
        share = (min(max(mm, -GAUGE_INSIDE_MM), reach) + GAUGE_INSIDE_MM) / (reach + GAUGE_INSIDE_MM)
        return bar.left() + share * bar.width()

    bands: tuple[tuple[float, float, Level, float, float], ...] = (
        (-GAUGE_INSIDE_MM, 0.0, "CONTACT", 1.0, 1.0), (0.0, danger, "DANGER", 1.0, 0.6), (danger, caution, "CAUTION", 0.62, 0.75),
        (caution, reach, "CLEAR", 0.28, 0.8),
    )  # fmt: skip
    for low, high, level, height, strength in bands:
        band = QRectF(x(low), bar.bottom() + 1 - height * bar.height(), x(high) - x(low), height * bar.height())
        shade = theme.level_color(level)
        shade.setAlphaF(strength)
        painter.fillRect(band, shade)
        if level in ("DANGER", "CAUTION"):
            # Yellow alone would not be seen on a light surface.
            painter.fillRect(QRectF(band.left(), band.top(), band.width(), s), QColor(ink.level(level)))
    painter.setFont(theme.font(FIGURES * s))
    painter.setPen(QColor(ink.dim))
    named = [(x(mm), f"{mm:g}") for mm in (0.0, danger, caution, reach)]
    widths = [painter.fontMetrics().horizontalAdvance(text) for _, text in named]
    for (_, text), left, width in zip(named, apart([at for at, _ in named], widths, GAP * s, bar.right()), widths, strict=True):
        painter.drawText(QRectF(left, bar.bottom() + 4 * s, width + 1.0, 15 * s), Qt.AlignmentFlag.AlignLeft, text)
    _paint_marks(painter, bar, reading, reading.distance_mm, x, reach, s)


def apart(centres: Sequence[float], widths: Sequence[float], gap: float, right: float) -> list[float]:
    """Left edges of texts of these widths, so far apart: each centred on its place and none beyond `right`, where those before it leave room."""
    lefts: list[float] = []
    least = -math.inf
    for at, width in zip(centres, widths, strict=True):
        lefts.append(max(least, min(at - width / 2.0, right - width)))
        least = lefts[-1] + width + gap
    return lefts


def _paint_marks(painter: QPainter, bar: QRect, reading: Reading, distance_mm: float, x: _Scale, reach: float, s: float) -> None:
    middle, shade = bar.center().y() + 0.5, QColor(theme.ink().text)
    if distance_mm > reach:
        painter.setPen(QPen(shade, 2.0 * s))
        for step in (0.0, 5.0 * s):
            tip = bar.right() - 4.0 * s - step
            painter.drawPolyline(QPolygonF([QPointF(tip - 4 * s, middle - 4 * s), QPointF(tip, middle), QPointF(tip - 4 * s, middle + 4 * s)]))
        return
    if reading.sd_mm is not None:
        low, high = x(distance_mm - ERROR_BAR_SD * reading.sd_mm), x(distance_mm + ERROR_BAR_SD * reading.sd_mm)
        painter.setPen(QPen(shade, 1.8 * s))
        painter.drawLine(QPointF(low, middle), QPointF(high, middle))
        for end in (low, high):
            painter.drawLine(QPointF(end, middle - 4.5 * s), QPointF(end, middle + 4.5 * s))
    painter.setPen(QPen(shade, 3.4 * s))
    painter.drawLine(QPointF(x(distance_mm), bar.top() - 2 * s), QPointF(x(distance_mm), bar.bottom() + 4 * s))
    if reading.bound_mm is not None:
        at, low = x(reading.bound_mm), bar.top() - 1.0 * s
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shade)
        painter.drawPolygon(QPolygonF([QPointF(at, low), QPointF(at - 5.0 * s, low - 8 * s), QPointF(at + 5.0 * s, low - 8 * s)]))
