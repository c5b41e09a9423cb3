"""The plans over a slice: paths as wide as they are drilled, their ends as handles, and how near they come to what is watched."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPainterPathStroker, QPen

from gui.case.plan_hand import crossing
from gui.slices.marks import draw_plan, point, write
from gui.slices.painting import to_px
from navtwin.rigid import Vec3
from navtwin.scene import palette
from navtwin.scene.model import Plan
from navtwin.scene.plan_facts import Clearance
from navtwin.scene.reslice import Field
from navtwin.scene.slices import ACROSS

#: Farther from the slice than this an end is drawn faintly.
NEAR_MM = 3.0
FAINT = 110
#: Ends nearer to each other on the screen have no words: they would lie over one another.
ROOM_PX = 60.0


def draw_plans(painter: QPainter, field: Field, plans: Sequence[Plan], chosen: str, clearances: Sequence[Clearance], s: float) -> None:
    """All plans; the chosen one last, with its width, its handles and its nearest points."""
    for plan in plans:
        if plan.name != chosen:
            draw_plan(painter, plan, field, s)
    for plan in plans:
        if plan.name == chosen:
            _draw_chosen(painter, field, plan, s)
            for clearance in clearances:
                _draw_clearance(painter, field, clearance, s)


def draw_point(painter: QPainter, field: Field, point_mm: Vec3, label: str, s: float) -> None:
    """A single point that was clicked, with what it is."""
    at = point(to_px(point_mm, field))
    painter.setPen(QPen(_shade(field, point_mm), 1.8 * s))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(at.x() - 4 * s, at.y() - 4 * s, 8 * s, 8 * s))
    write(painter, label, at + QPointF(0.0, -14.0 * s), 11.0 * s, palette.PLAN)


def _draw_chosen(painter: QPainter, field: Field, plan: Plan, s: float) -> None:
    entry, target = point(to_px(plan.entry_mm, field)), point(to_px(plan.target_mm, field))
    line = QPainterPath(entry)
    line.lineTo(target)
    apart_px = math.hypot(target.x() - entry.x(), target.y() - entry.y())
    if apart_px > 0.5:
        painter.setPen(QPen(QColor(palette.PLAN), 1.0 * s))
        painter.setBrush(QColor(95, 227, 192, 45))
        painter.drawPath(_around(line, plan.diameter_mm / field.mm_per_px))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        pen = QPen(QColor(palette.PLAN), 1.0 * s)
        pen.setDashPattern([2.0, 3.0])
        painter.setPen(pen)
        painter.drawPath(_around(line, (plan.diameter_mm + 2.0 * plan.tolerance_mm) / field.mm_per_px))
        painter.setPen(QPen(QColor(0, 0, 0, 130), 3.6 * s))
        painter.drawLine(entry, target)
        pen = QPen(QColor(palette.PLAN), 1.8 * s)
        pen.setDashPattern([5.0, 3.0])
        painter.setPen(pen)
        painter.drawLine(entry, target)
    crossed = crossing(plan, field.plane, field.at_mm[ACROSS[field.plane]])
    if crossed is not None:
        radius = max(2.5 * s, plan.diameter_mm / 2.0 / field.mm_per_px)
        painter.setPen(QPen(QColor(palette.TEXT), 1.6 * s))
        painter.drawEllipse(point(to_px(crossed, field)), radius, radius)
    # The ends are told apart by their form: a square to enter by, a ring to stop at.
    for at_mm, at, label in ((plan.entry_mm, entry, "entry"), (plan.target_mm, target, "target")):
        for width, shade in ((4.0, QColor(0, 0, 0, 150)), (2.0, _shade(field, at_mm))):
            painter.setPen(QPen(shade, width * s))
            if label == "entry":
                painter.drawRect(QRectF(at.x() - 5 * s, at.y() - 5 * s, 10 * s, 10 * s))
            else:
                painter.drawEllipse(at, 6.0 * s, 6.0 * s)
        if apart_px > ROOM_PX * s and abs(at_mm[ACROSS[field.plane]] - field.at_mm[ACROSS[field.plane]]) <= NEAR_MM:
            write(painter, label, at + QPointF(0.0, -15.0 * s), 11.0 * s, palette.PLAN)


def _draw_clearance(painter: QPainter, field: Field, clearance: Clearance, s: float) -> None:
    """The nearest line to a structure whose limits the path does not keep, where the slice passes near it."""
    across = ACROSS[field.plane]
    near = any(abs(p[across] - field.at_mm[across]) <= NEAR_MM for p in (clearance.at_mm, clearance.path_mm))
    if clearance.level == "CLEAR" or not near:
        return
    a, b = point(to_px(clearance.path_mm, field)), point(to_px(clearance.at_mm, field))
    for width, color in ((4.0, "#000000"), (2.0, palette.LEVEL_COLORS[clearance.level])):
        painter.setPen(QPen(QColor(color), width * s))
        painter.drawLine(a, b)
    write(painter, f"{clearance.clearance_mm:.1f} mm", (a + b) / 2.0 + QPointF(0.0, 12.0 * s), 11.5 * s, palette.LEVEL_COLORS[clearance.level])


def _shade(field: Field, at_mm: Vec3) -> QColor:
    shade = QColor(palette.PLAN)
    if abs(at_mm[ACROSS[field.plane]] - field.at_mm[ACROSS[field.plane]]) > NEAR_MM:
        shade.setAlpha(FAINT)
    return shade


def _around(line: QPainterPath, width_px: float) -> QPainterPath:
    stroker = QPainterPathStroker()
    stroker.setWidth(max(1.0, width_px))
    stroker.setCapStyle(Qt.PenCapStyle.RoundCap)
    return stroker.createStroke(line)
