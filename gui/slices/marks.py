"""What is drawn over a slice: the plan, the instrument, letters of the patient's sides, names of outlines and the scale bar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPainterPath, QPainterPathStroker, QPen

from gui import theme
from gui.slices.painting import to_px
from navtwin.nouns import Part
from navtwin.rigid import Rigid
from navtwin.scene import palette
from navtwin.scene.model import Plan
from navtwin.scene.reslice import Field
from navtwin.scene.slices import ACROSS, EDGES

#: How far in front of the tip its axis is drawn on.
AHEAD_MM = 15.0
#: A path that stays farther than this from the plane is drawn faintly.
NEAR_MM = 6.0
SCALE_BARS_MM = (50, 20, 10, 5, 2)
#: Where a name may stand against the uppermost point of its outline: shares of its own width aside, and pixels below.
NAME_PLACES = ((-0.5, -17.0), (-1.1, -17.0), (0.1, -17.0), (-1.1, 4.0), (0.1, 4.0))
#: Height of the band over a pane, designed px.
HEAD_PX = 22
_AXIS = QColor("#ffffff")


def point(px: np.ndarray) -> QPointF:
    return QPointF(float(px[0]), float(px[1]))


def draw_plan(painter: QPainter, plan: Plan, field: Field, s: float) -> None:
    """The planned path as it projects onto the plane: dashes from its entry (square) to its target (ring)."""
    entry, target = (point(to_px(p, field)) for p in (plan.entry_mm, plan.target_mm))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    shade = QColor(palette.PLAN)
    away = [float(np.dot(np.subtract(p, field.at_mm), _normal(field))) for p in (plan.entry_mm, plan.target_mm)]
    if away[0] * away[1] > 0.0 and min(map(abs, away)) > NEAR_MM:
        shade.setAlpha(80)
    pen = QPen(shade, 1.6 * s)
    painter.setPen(pen)
    painter.drawEllipse(target, 4.0 * s, 4.0 * s)
    painter.drawRect(QRectF(entry.x() - 3 * s, entry.y() - 3 * s, 6 * s, 6 * s))
    pen.setDashPattern([5.0, 3.0])
    painter.setPen(pen)
    painter.drawLine(entry, target)


def draw_instrument(painter: QPainter, T_ct_from_tip: Rigid, parts: Sequence[Part], field: Field, s: float) -> None:
    """The instrument's parts as they project onto the plane, its axis, and the burr where the plane cuts it."""
    tip = np.array(T_ct_from_tip.t_mm)
    for part in parts:
        ends = [np.array(T_ct_from_tip.point(end)) for end in (part.from_mm, part.to_mm)]
        if np.allclose(ends[0], ends[1]):
            continue
        outline = QPainterPath(point(to_px(ends[0], field)))
        outline.lineTo(point(to_px(ends[1], field)))
        _draw_capsule(painter, outline, max(2.0 * s, 2.0 * part.radius_mm / field.mm_per_px), s)
    back = T_ct_from_tip.direction((0.0, 0.0, -1.0))
    length = max((abs(p.to_mm[2]) for p in parts), default=40.0)
    painter.setPen(QPen(QColor("#000000"), 3.4 * s))
    painter.drawLine(point(to_px(tip, field)), point(to_px(tip + length * np.array(back), field)))
    painter.setPen(QPen(_AXIS, 1.7 * s))
    painter.drawLine(point(to_px(tip, field)), point(to_px(tip + length * np.array(back), field)))
    painter.setPen(QPen(_AXIS, 1.2 * s, Qt.PenStyle.DotLine))
    painter.drawLine(point(to_px(tip, field)), point(to_px(tip - AHEAD_MM * np.array(back), field)))
    for part in parts:
        centre = np.array(T_ct_from_tip.point(part.from_mm))
        away = abs(float(np.dot(centre - field.at_mm, _normal(field))))
        if part.from_mm == part.to_mm and away < part.radius_mm:
            radius = float(np.sqrt(part.radius_mm**2 - away**2)) / field.mm_per_px
            painter.setBrush(QColor(255, 255, 255, 70))
            for width, color in ((3.6, QColor("#000000")), (1.8, _AXIS)):
                painter.setPen(QPen(color, width * s))
                painter.drawEllipse(point(to_px(centre, field)), radius, radius)
            painter.setBrush(Qt.BrushStyle.NoBrush)


def draw_crosshair(painter: QPainter, field: Field, s: float) -> None:
    """Lines through the point that all three planes share, open in the middle."""
    x, y, gap = field.width_px / 2.0, field.height_px / 2.0, 16.0 * s
    painter.setPen(QPen(QColor(255, 255, 255, 105), 1.0 * s))
    for a, b in (((0, y), (x - gap, y)), ((x + gap, y), (field.width_px, y)), ((x, 0), (x, y - gap)), ((x, y + gap), (x, field.height_px))):
        painter.drawLine(QPointF(*a), QPointF(*b))


def draw_head(painter: QPainter, width: int, title: str, note: str, s: float, *, elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
    """The band over a pane: its plane, and at the right end a note."""
    area = QRect(round(8 * s), 0, width - round(16 * s), round(HEAD_PX * s))
    painter.fillRect(QRect(0, 0, width, area.height()), QColor(10, 13, 15, 190))
    painter.setFont(theme.font(12.5 * s, weight=QFont.Weight.DemiBold))
    painter.setPen(QColor(palette.TEXT))
    painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, title)
    used = painter.fontMetrics().horizontalAdvance(title) + round(10 * s)
    painter.setFont(theme.font(11.5 * s))
    painter.setPen(QColor(palette.DIM))
    words = painter.fontMetrics().elidedText(note, elide, area.width() - used)
    painter.drawText(area.adjusted(used, 0, 0, 0), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)


def draw_letters(painter: QPainter, field: Field, s: float) -> None:
    """The patient's sides at the four edges."""
    w, h, m = field.width_px, field.height_px, 15.0 * s
    low = h - 2.0 * m
    for letter, (x, y) in zip(EDGES[field.plane], ((m * 0.8, h / 2), (w - m * 0.8, h / 2), (w / 2, low + m), (w / 2, m * 2.3)), strict=True):
        write(painter, letter, QPointF(x, y), 14.0 * s, palette.TEXT)


def draw_scale_bar(painter: QPainter, field: Field, s: float) -> None:
    """The longest round length that fits a third of the slice, lower right."""
    mm = next((n for n in SCALE_BARS_MM if n / field.mm_per_px < field.width_px / 3.0), SCALE_BARS_MM[-1])
    length, right, y = mm / field.mm_per_px, field.width_px - 10.0 * s, field.height_px - 9.0 * s
    for width, color in ((4.0, QColor("#000000")), (2.0, QColor(palette.TEXT))):
        painter.setPen(QPen(color, width * s))
        painter.drawLine(QPointF(right - length, y), QPointF(right, y))
        for x in (right - length, right):
            painter.drawLine(QPointF(x, y - 4 * s), QPointF(x, y + 1 * s))
    write(painter, f"{mm} mm", QPointF(right - length / 2.0, y - 11.0 * s), 11.0 * s, palette.TEXT)


def draw_names(painter: QPainter, names: dict[str, tuple[str, QColor, tuple[float, float]]], field: Field, s: float) -> None:
    """The names of the critical outlines beside them: (words, colour, place). One that would lie over another is left out."""
    w, h = field.width_px, field.height_px
    # The tip must stay clear, and the letters of the sides have their places already.
    taken = [
        QRectF(w / 2 - 20 * s, h / 2 - 14 * s, 40 * s, 28 * s),
        QRectF(w / 2 - 10 * s, 24 * s, 20 * s, 22 * s),
        QRectF(0, h / 2 - 11 * s, 24 * s, 22 * s),
        QRectF(w - 24 * s, h / 2 - 11 * s, 24 * s, 22 * s),
    ]
    painter.setFont(theme.font(11.5 * s, weight=QFont.Weight.DemiBold))
    for words, color, (x, y) in names.values():
        wide = painter.fontMetrics().horizontalAdvance(words) + 6 * s
        places = (QRectF(x + aside * wide, max(y + lower * s, 25 * s), wide, 15 * s) for aside, lower in NAME_PLACES)
        free = (box for box in places if box.left() >= 0 and box.right() <= w and not any(box.intersects(other) for other in taken))
        box = next(free, None)
        if box is None:
            continue
        taken.append(box)
        painter.fillRect(box, QColor(10, 13, 15, 170))
        painter.setPen(color.lighter(125))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)


def write(painter: QPainter, text: str, middle: QPointF, size_px: float, color: str, weight: int = QFont.Weight.Bold) -> None:
    """Text that can be read on any grey: light, with a dark rim."""
    stamp = _stamp(text, round(size_px, 1), color, weight)
    painter.drawImage(QPointF(middle.x() - stamp.width() / 2.0, middle.y() - stamp.height() / 2.0), stamp)


@lru_cache(maxsize=256)
def _stamp(text: str, size_px: float, color: str, weight: int) -> QImage:
    """The text as an image: its rim is dear to draw, and the same few words are written in every frame."""
    path = QPainterPath()
    path.addText(0.0, 0.0, theme.font(size_px, weight=weight), text)
    rim = size_px * 0.22
    box = path.boundingRect().adjusted(-rim, -rim, rim, rim)
    image = QImage(math.ceil(box.width()) + 1, math.ceil(box.height()) + 1, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    path.translate(-box.left(), -box.top())
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(QColor(0, 0, 0, 220), rim, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.drawPath(path)
    painter.fillPath(path, QColor(color))
    painter.end()
    return image


def _draw_capsule(painter: QPainter, line: QPainterPath, width_px: float, s: float) -> None:
    stroker = QPainterPathStroker()
    stroker.setWidth(width_px)
    stroker.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(QPen(QColor(palette.METAL), 1.1 * s))
    painter.setBrush(QColor(201, 210, 217, 60))
    painter.drawPath(stroker.createStroke(line))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _normal(field: Field) -> np.ndarray:
    axes: np.ndarray = np.eye(3)
    normal: np.ndarray = axes[ACROSS[field.plane]]
    return normal
