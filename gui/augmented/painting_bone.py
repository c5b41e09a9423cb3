"""The drilled hole, and what is still to be removed, as images. Runs in the receiving thread."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPen

from gui.augmented.paths import pieces
from navtwin.bus.words import name_words
from navtwin.scene import palette
from navtwin.scene.augment_bone import Hole
from navtwin.scene.removal_view import RemovalMarks

#: How opaque the inside of the hole is: the real one must be seen through it.
INSIDE = 0.62
#: A wall that is seen edge on is so much darker than one that is faced.
DARKEST = 0.12
#: What is still to be removed: its tint where there is much of it, the depth that is much, mm, and the hatching that tells it without colour.
TINT, DENSE_MM, HATCH = 0.32, 4.0, 0.34
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


def paint_removal(painter: QPainter, marks: RemovalMarks, scale: float, pen_px: float) -> Named:
    """A tint that is the denser the more there is to remove, hatched, with an outline; gives its words and where they belong."""
    rows, columns = marks.thickness_mm.shape
    side, (left, top) = marks.cell_px * scale, (at * scale for at in marks.corner_px)
    area = QRectF(left, top, columns * side, rows * side)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(area, _veil(marks, TINT * (1.0 - np.exp(-marks.thickness_mm / DENSE_MM))))
    painter.drawImage(area.topLeft(), _hatching(marks, area))
    painter.restore()
    painter.strokePath(pieces(marks.outline, scale), _round(QColor(marks.color), 1.6 * pen_px))
    x, y = ((marks.outline[np.argmax(marks.outline[:, 0, 0]), 0] + 0.5) * scale).tolist()
    return f"{name_words(marks.name)}  {left_words(marks.share)}", (x, y)


def _hatching(marks: RemovalMarks, area: QRectF) -> QImage:
    """Hatching as large as the raster is in the picture, only where something is left."""
    image = QImage(area.size().toSize(), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    shade = QColor(marks.color)
    shade.setAlphaF(HATCH)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.fillRect(image.rect(), QBrush(shade, Qt.BrushStyle.BDiagPattern))
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_DestinationIn)
    painter.drawImage(QRectF(image.rect()), _veil(marks, (marks.thickness_mm > 0.0).astype(np.float64)))
    painter.end()
    return image


def _veil(marks: RemovalMarks, opacity: npt.NDArray[np.float64]) -> QImage:
    """One pixel of the removal's colour for each cell."""
    shade = QColor(marks.color)
    pixels = np.empty((*opacity.shape, 4), np.uint8)
    for channel, value in enumerate((shade.blue(), shade.green(), shade.red(), 255)):
        pixels[..., channel] = opacity * value
    rows, columns = opacity.shape
    return QImage(pixels.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied).copy()


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
