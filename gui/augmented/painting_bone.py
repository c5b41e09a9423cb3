"""The drilled hole, and what is still to be removed, as images. Runs in the receiving thread."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPen

from gui.augmented.paths import Edges, pieces
from navtwin.bus.words import name_words
from navtwin.scene import palette
from navtwin.scene.augment import RemovalMarks
from navtwin.scene.augment_bone import Hole

#: How opaque the inside of the hole is: the real one must be seen through it.
INSIDE = 0.62
#: A wall that is seen edge on is so much darker than one that is faced.
DARKEST = 0.12
#: What is still to be removed: its tint, and the hatching that tells it from a structure without colour.
TINT, HATCH = 0.13, 0.34
CASING = QColor(8, 11, 13, 170)

#: Words, and the point that they belong to, px.
Named = tuple[str, tuple[float, float]]


def paint_hole(painter: QPainter, hole: Hole, scale: float, pen_px: float) -> None:
    """Its inside, lit from the camera, and the line around it."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    rows, columns = hole.is_open.shape
    side, (left, top) = hole.cell_px * scale, (at * scale for at in hole.corner_px)
    painter.drawImage(QRectF(left, top, columns * side, rows * side), _inside(hole))
    painter.restore()
    rim = pieces(hole.rim, scale)
    painter.strokePath(rim, _round(CASING, 4.0 * pen_px))
    painter.strokePath(rim, _round(QColor(palette.TEXT), 1.8 * pen_px))


def paint_removal(painter: QPainter, marks: RemovalMarks, size: tuple[int, int], scale: float, pen_px: float) -> Named | None:
    """A light tint, hatched, with an outline; gives its words and where they belong, None where it is not in the picture."""
    edges = Edges(marks.loops, scale)
    outer = edges.outer(edges.mask(size))
    if not outer.any():
        return None
    area, shade = edges.area(), QColor(marks.color)
    shade.setAlphaF(TINT)
    painter.fillPath(area, shade)
    shade.setAlphaF(HATCH)
    painter.save()
    painter.setClipPath(area)
    painter.fillRect(0, 0, *size, QBrush(shade, Qt.BrushStyle.BDiagPattern))
    painter.restore()
    painter.strokePath(edges.outline(outer), _round(QColor(marks.color), 1.6 * pen_px))
    x, y = edges.start[outer][np.argmax(edges.start[outer][:, 0])].tolist()
    return f"{name_words(marks.name)}  {left_words(marks.share)}", (x, y)


def left_words(share: float) -> str:
    """`43 % left`; not 0 while a thousandth is."""
    return f"{max(100.0 * share, 1.0) if share > 1e-3 else 0.0:.0f} % left"


def _inside(hole: Hole) -> QImage:
    """One pixel for each cell: where the wall is turned aside it is darker, and where nothing lies behind the hole, dark."""
    wall = QColor(palette.CUT_BONE)
    light = DARKEST + (1.0 - DARKEST) * hole.brightness
    pixels = np.empty((*hole.is_open.shape, 4), np.uint8)
    for channel, value in enumerate((wall.blue(), wall.green(), wall.red())):
        pixels[..., channel] = INSIDE * value * light
    pixels[..., 3] = round(255.0 * INSIDE)
    pixels[~hole.is_open] = 0
    rows, columns = hole.is_open.shape
    return QImage(pixels.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied).copy()


def _round(shade: QColor, width_px: float) -> QPen:
    return QPen(shade, width_px, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.BevelJoin)
