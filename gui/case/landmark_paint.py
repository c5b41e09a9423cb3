"""The landmarks over a slice: a dot with its number, faint off the slice; the chosen one with a ring and its name."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from gui.case.plan_paint import FAINT, NEAR_MM
from gui.slices.marks import point, write
from gui.slices.painting import to_px
from navtwin.scene import palette
from navtwin.scene.model import Landmark
from navtwin.scene.reslice import Field
from navtwin.scene.slices import ACROSS

DOT_PX, RING_PX = 3.6, 9.0
#: Farther from the slice than this a landmark is not drawn: its dot would lie on other anatomy.
GONE_MM = 25.0


def draw_landmarks(painter: QPainter, field: Field, landmarks: Sequence[Landmark], chosen: str, s: float) -> None:
    """All landmarks near the slice; the chosen one last, wherever it is."""
    for number, mark in sorted(enumerate(landmarks, start=1), key=lambda one: one[1].name == chosen):
        away = abs(mark.position_mm[ACROSS[field.plane]] - field.at_mm[ACROSS[field.plane]])
        if away <= GONE_MM or mark.name == chosen:
            _draw(painter, point(to_px(mark.position_mm, field)), f"{number}", mark.name == chosen, away <= NEAR_MM, s)


def _draw(painter: QPainter, at: QPointF, number: str, chosen: bool, near: bool, s: float) -> None:
    color = palette.PLAN if chosen else palette.TEXT
    shade = QColor(color)
    shade.setAlpha(255 if near else FAINT)
    painter.setPen(QPen(QColor(0, 0, 0, 190 if near else 90), 1.6 * s))
    painter.setBrush(shade)
    painter.drawEllipse(at, DOT_PX * s, DOT_PX * s)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if chosen:
        for width, rim in ((4.0, QColor(0, 0, 0, 150)), (2.0, shade)):
            painter.setPen(QPen(rim, width * s))
            painter.drawEllipse(at, RING_PX * s, RING_PX * s)
    aside = QPointF((15.0 if chosen else 11.0) * s, -9.0 * s)
    painter.setOpacity(1.0 if near else FAINT / 255.0)
    write(painter, number, at + aside, 11.5 * s, color)
    painter.setOpacity(1.0)
