"""Drilled bone in a slice: what is gone is tinted over the scan, and the walls that are left are lined by the bone behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF

from navtwin.scene import palette
from navtwin.scene.bone_slices import BARE, DOUBTFUL, GONE_SIDES, pixel_places, wall_pieces, window_of
from navtwin.scene.reslice import Field
from navtwin.scene.slices import in_plane

if TYPE_CHECKING:
    from gui.picture.bone import BoneDresser

F64 = npt.NDArray[np.float64]

#: How strongly what is gone is tinted: the scan must still be read there.
TINT: Final = 0.42
#: Widths of a wall's line and of its dark casing, in widths of a line.
WALL_WIDTH, CASING_WIDTH = 3.4, 5.6
#: From one tick across a doubtful wall to the next, in widths of a line.
TICK_PX: Final = 7.0
#: From one stripe over doubtful bone to the next, in widths of a line.
STRIPE_PX: Final = 9.0
CASING: Final = QColor(6, 9, 11, 210)


def paint_bone(painter: QPainter, dresser: BoneDresser, lines_px: Sequence[F64], field: Field, line_px: float) -> None:
    """Paint over a slice.

    Parameters
    ----------
    lines_px : outlines of the bone as it was before any drilling
    """
    dressed, grid = dresser.dressed, dresser.grid
    if grid is None or not (dressed.looks or dressed.vague):
        return
    window = window_of(dressed.vague, grid, field)
    if window is not None:
        _paint_vague(painter, dresser, field, window, line_px)
    window = window_of(dressed.looks, grid, field)
    if window is not None:
        _paint_gone(painter, dresser, lines_px, field, window)
    pieces = wall_pieces(dressed.looks, grid, field.plane, field.at_mm)
    flat = (pieces.ends_mm - in_plane(field.at_mm, field.plane)) / field.mm_per_px
    ends = np.stack((field.width_px / 2.0 + flat[..., 0], field.height_px / 2.0 - flat[..., 1]), axis=-1).reshape(-1, 4)
    # What is out of date is doubtful all over.
    band = pieces.band if dressed.standing.is_known else np.full(len(pieces.band), DOUBTFUL, np.int8)
    lines = np.array([QLineF(*end) for end in ends.tolist()], dtype=object)
    painter.setPen(QPen(CASING, CASING_WIDTH * line_px, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLines(lines.tolist())
    for code, shade in ((BARE, palette.CUT_BONE), *reversed(list(enumerate(palette.BANDS))), (DOUBTFUL, palette.UNKNOWN)):
        of_band = lines[band == code].tolist()
        if of_band:
            painter.setPen(QPen(QColor(shade), WALL_WIDTH * line_px, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLines(of_band)
    _hatch_doubt(painter, ends[band == DOUBTFUL], line_px)


def _hatch_doubt(painter: QPainter, ends: F64, line_px: float) -> None:
    """Dark ticks across what is doubtful: told without its colour."""
    painter.setPen(QPen(QColor("#000000"), 1.2 * line_px))
    spaced = np.unique(np.floor(ends[:, :2] / (TICK_PX * line_px)), axis=0, return_index=True)[1]
    for x, y in ends[spaced, :2].tolist():
        painter.drawLine(QPointF(x - 2.2 * line_px, y + 2.2 * line_px), QPointF(x + 2.2 * line_px, y - 2.2 * line_px))


def _paint_gone(painter: QPainter, dresser: BoneDresser, lines_px: Sequence[F64], field: Field, window: tuple[slice, slice]) -> None:
    """Tint what lay inside the bone and does no longer."""
    places = pixel_places(field, window)
    values = dresser.values(places.reshape(-1, 3))
    rows, columns = places.shape[:2]
    gone = (values.reshape(rows, columns) > GONE_SIDES * dresser.side_mm) & _filled(lines_px, window, rows, columns)
    if not gone.any():
        return
    shade = QColor(palette.REMOVED)
    pixels = np.zeros((rows, columns, 4), np.uint8)
    pixels[gone] = [round(TINT * v) for v in (shade.blue(), shade.green(), shade.red(), 255)]
    edge = gone & ~_inner(gone)
    pixels[edge] = (shade.blue(), shade.green(), shade.red(), 255)
    painter.drawImage(QPointF(window[1].start, window[0].start), _image(pixels))


def _paint_vague(painter: QPainter, dresser: BoneDresser, field: Field, window: tuple[slice, slice], line_px: float) -> None:
    """Stripe bone that is shown and may be gone."""
    places = pixel_places(field, window)
    rows, columns = places.shape[:2]
    flat = places.reshape(-1, 3)
    vague = ((dresser.values(flat) < 0.0) & dresser.doubtful(flat)).reshape(rows, columns)
    diagonal = np.add.outer(np.arange(rows) + window[0].start, np.arange(columns) + window[1].start)
    pixels = np.zeros((rows, columns, 4), np.uint8)
    pixels[vague & (diagonal % round(STRIPE_PX * line_px) < 2.0 * line_px)] = (20, 17, 14, 255)
    painter.drawImage(QPointF(window[1].start, window[0].start), _image(pixels))


def _image(pixels: npt.NDArray[np.uint8]) -> QImage:
    """(rows, columns, 4) blue, green, red, opacity, with the opacity in each."""
    rows, columns = pixels.shape[:2]
    return QImage(pixels.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied).copy()


def _inner(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Without the pixels at its edge."""
    padded = np.pad(mask, 1)
    inner: npt.NDArray[np.bool_] = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return inner


def _filled(lines_px: Sequence[F64], window: tuple[slice, slice], rows: int, columns: int) -> npt.NDArray[np.bool_]:
    """What lies inside outlines."""
    image = QImage(columns, rows, QImage.Format.Format_Grayscale8)
    image.fill(0)
    path = QPainterPath()
    for line in lines_px:
        path.addPolygon(QPolygonF([QPointF(x, y) for x, y in (line - (window[1].start, window[0].start)).tolist()]))
    painter = QPainter(image)
    painter.fillPath(path, QColor("#ffffff"))
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(rows, image.bytesPerLine())[:, :columns]
    inside: npt.NDArray[np.bool_] = pixels > 127
    return inside
