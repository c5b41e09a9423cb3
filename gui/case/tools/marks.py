"""What can be taken hold of in the slices: points, rims, boxes, lines. What lies off the slice shows through, faintly."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from gui.case.tools.bone import BoneTool
from gui.case.tools.paint import SAME_SLICE_MM, PaintTool
from gui.case.tools.sphere import SphereDraft
from gui.case.tools.touch import ON_SLICE_MM
from gui.case.tools.tube import TubeDraft
from gui.slices import marks
from gui.slices.painting import to_px
from navtwin.rigid import Vec3
from navtwin.scene import palette
from navtwin.scene.author.chain import Chain
from navtwin.scene.author.recipe import Cut
from navtwin.scene.reslice import Field
from navtwin.scene.slices import ACROSS, RIGHT, UP

#: At this distance from the slice a point is as faint as it gets.
FADED_MM = 20.0
_FAINTEST = 0.22
_DOT_PX, _CHOSEN_PX = 4.5, 6.5


def draw_centre_line(painter: QPainter, draft: TubeDraft, chain: Chain | None, field: Field, color: QColor, s: float) -> None:
    """The line and its points, numbered; the chosen one larger."""
    if chain is not None and len(chain.radii) > 1:
        px, off = to_px(chain.centres, field), np.abs(chain.centres[:, ACROSS[field.plane]] - field.at_mm[ACROSS[field.plane]])
        for n in range(len(px) - 1):
            shade = QColor(color.lighter(130))
            shade.setAlphaF(_strength(float(off[n : n + 2].min())) * 0.9)
            painter.setPen(QPen(shade, 1.6 * s))
            painter.drawLine(QPointF(*px[n]), QPointF(*px[n + 1]))
    for n, point in enumerate(draft.points_mm):
        chosen = n == draft.chosen
        _draw_dot(painter, point, field, color, s, chosen=chosen)
        if chosen or _off(point, field) <= ON_SLICE_MM:
            px = to_px(point, field)
            marks.write(painter, str(n + 1), QPointF(float(px[0]) + 11.0 * s, float(px[1]) - 9.0 * s), 11.5 * s, palette.TEXT)


def draw_sphere_marks(painter: QPainter, draft: SphereDraft, field: Field, color: QColor, s: float) -> None:
    """The centre, with its radius as a number."""
    if draft.centre_mm is None:
        return
    _draw_dot(painter, draft.centre_mm, field, color, s, chosen=True)
    if _off(draft.centre_mm, field) < draft.radius_mm:
        px = to_px(draft.centre_mm, field)
        marks.write(painter, f"{draft.radius_mm:.1f} mm", QPointF(float(px[0]), float(px[1]) + 16.0 * s), 11.5 * s, palette.TEXT)


def draw_bone_marks(painter: QPainter, tool: BoneTool, field: Field, color: QColor, s: float) -> None:
    """Picked islands, the crop box with its handles, and the cut planes."""
    draft = tool.draft
    if draft.crop_mm is not None:
        _draw_crop(painter, draft.crop_mm, field, s, handles=tool.doing == "crop")
    for cut in draft.cut:
        _draw_cut(painter, cut, field, s)
    for seed in draft.seeds_mm:
        _draw_dot(painter, seed, field, QColor(palette.PLAN), s, chosen=True)
    if tool.line and tool.line[0].plane == field.plane:
        ends = [to_px(touch.at_mm, field) for touch in tool.line]
        for px in ends:
            _ring(painter, QPointF(*px), 4.0 * s, QColor(palette.PLAN), s)
        if len(ends) == 2:
            _draw_line(painter, ends, QColor(palette.PLAN), s)


def draw_loops(painter: QPainter, tool: PaintTool, field: Field, color: QColor, s: float) -> None:
    """The outlines of this slice, the one that is open, and the line under the hand; in other planes where outlines lie."""
    draft = tool.draft
    across = ACROSS[field.plane]
    if draft.plane is not None and draft.plane != field.plane:
        _draw_slices(painter, tool, field, color, s)
        return
    for outline in draft.outline:
        if abs(outline.points_mm[0][across] - field.at_mm[across]) <= SAME_SLICE_MM:
            _draw_path(painter, outline.points_mm, field, color, s, closed=True)
    here = bool(draft.loop_mm) and abs(draft.loop_mm[0][across] - field.at_mm[across]) <= SAME_SLICE_MM
    if here:
        _draw_path(painter, draft.loop_mm, field, color.lighter(120), s, closed=False)
        _draw_dot(painter, draft.loop_mm[0], field, color, s, chosen=True)
        for point in draft.loop_mm[1:]:
            _ring(painter, QPointF(*to_px(point, field)), 2.2 * s, color, s)
    if len(tool.line_mm) > 1 and tool.line_mm[0][across] == field.at_mm[across]:
        _draw_path(painter, tool.line_mm, field, color.lighter(130), s, closed=False)


def _draw_slices(painter: QPainter, tool: PaintTool, field: Field, color: QColor, s: float) -> None:
    """Seen from the side, each outline is a line."""
    for outline in tool.draft.outline:
        px = to_px(outline.points_mm, field)
        ends = [px.min(axis=0), px.max(axis=0)]
        off = np.array(outline.points_mm)[:, ACROSS[field.plane]] - field.at_mm[ACROSS[field.plane]]
        crossed = float(off.min()) <= 0.0 <= float(off.max())
        shade = QColor(color)
        shade.setAlphaF(0.9 if crossed else 0.3)
        painter.setPen(QPen(shade, 1.6 * s))
        painter.drawLine(QPointF(*ends[0]), QPointF(*ends[1]))


def _draw_path(painter: QPainter, points_mm: Sequence[Vec3], field: Field, color: QColor, s: float, *, closed: bool) -> None:
    px = [QPointF(x, y) for x, y in to_px(points_mm, field).tolist()]
    path = QPolygonF([*px, px[0]] if closed else px)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for width, shade in ((3.6, QColor(0, 0, 0, 150)), (2.0, color)):
        painter.setPen(QPen(shade, width * s, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPolyline(path)


def _draw_crop(painter: QPainter, crop_mm: tuple[float, ...], field: Field, s: float, *, handles: bool) -> None:
    low, high = crop_mm[:3], crop_mm[3:]
    across = ACROSS[field.plane]
    a, b = (to_px(v, field) for v in (low, high))
    box = QRectF(QPointF(*a), QPointF(*b)).normalized()
    whole = QRectF(0.0, 0.0, field.width_px, field.height_px)
    if not low[across] <= field.at_mm[across] <= high[across]:
        painter.fillRect(whole, QColor(10, 13, 15, 120))
        return
    for side in (
        QRectF(whole.topLeft(), QPointF(whole.right(), box.top())), QRectF(QPointF(0.0, box.bottom()), whole.bottomRight()),
        QRectF(0.0, box.top(), box.left(), box.height()), QRectF(box.right(), box.top(), whole.right() - box.right(), box.height()),
    ):  # fmt: skip
        if side.isValid():
            painter.fillRect(side, QColor(10, 13, 15, 120))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(palette.PLAN), 1.5 * s, Qt.PenStyle.DashLine))
    painter.drawRect(box)
    if handles:
        middle = box.center()
        spots = [box.topLeft(), box.topRight(), box.bottomLeft(), box.bottomRight()]
        spots += [
            QPointF(middle.x(), box.top()),
            QPointF(middle.x(), box.bottom()),
            QPointF(box.left(), middle.y()),
            QPointF(box.right(), middle.y()),
        ]
        painter.setPen(QPen(QColor("#000000"), 1.0 * s))
        painter.setBrush(QColor(palette.PLAN))
        for spot in spots:
            painter.drawRect(QRectF(spot.x() - 3.5 * s, spot.y() - 3.5 * s, 7.0 * s, 7.0 * s))


def _draw_cut(painter: QPainter, cut: Cut, field: Field, s: float) -> None:
    """Where a cut plane crosses the slice: a line, with ticks on the side that goes."""
    right, (up, sign) = RIGHT[field.plane], UP[field.plane]
    nx, ny = cut.keep[right], -sign * cut.keep[up]
    length = float(np.hypot(nx, ny))
    if length < 1e-6:
        return
    nx, ny = nx / length, ny / length
    # The point of the line that is nearest to the cut's own point.
    across = ACROSS[field.plane]
    shift_mm = -(field.at_mm[across] - cut.point_mm[across]) * cut.keep[across] / length
    x, y = to_px(cut.point_mm, field)
    x, y = float(x) + nx * shift_mm / field.mm_per_px, float(y) + ny * shift_mm / field.mm_per_px
    far = float(field.width_px + field.height_px)
    _draw_line(painter, [np.array([x - ny * far, y + nx * far]), np.array([x + ny * far, y - nx * far])], QColor(palette.PLAN), s)
    painter.setPen(QPen(QColor(palette.PLAN), 1.0 * s))
    for t in np.arange(-far, far, 14.0 * s):
        px, py = x + ny * t, y - nx * t
        painter.drawLine(QPointF(px, py), QPointF(px - nx * 7.0 * s + ny * 4.0 * s, py - ny * 7.0 * s - nx * 4.0 * s))


def _draw_line(painter: QPainter, ends: Sequence[npt.NDArray[np.float64]], color: QColor, s: float) -> None:
    for width, shade in ((3.2, QColor(0, 0, 0, 150)), (1.6, color)):
        painter.setPen(QPen(shade, width * s))
        painter.drawLine(QPointF(*ends[0]), QPointF(*ends[1]))


def _draw_dot(painter: QPainter, point_mm: Vec3, field: Field, color: QColor, s: float, *, chosen: bool) -> None:
    """A point: full on its slice, a ring of fading strength off it."""
    px = to_px(point_mm, field)
    off = _off(point_mm, field)
    shade = QColor(color)
    shade.setAlphaF(_strength(off))
    at, radius = QPointF(float(px[0]), float(px[1])), (_CHOSEN_PX if chosen else _DOT_PX) * s
    if off <= ON_SLICE_MM:
        painter.setPen(QPen(QColor("#000000"), 3.2 * s))
        painter.drawEllipse(at, radius, radius)
        painter.setPen(QPen(QColor(palette.TEXT) if chosen else QColor("#000000"), 1.6 * s))
        painter.setBrush(shade)
        painter.drawEllipse(at, radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)
    else:
        _ring(painter, at, radius, shade, s)


def _ring(painter: QPainter, at: QPointF, radius_px: float, color: QColor, s: float) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, color.alpha() // 2), 3.0 * s))
    painter.drawEllipse(at, radius_px, radius_px)
    painter.setPen(QPen(color, 1.5 * s))
    painter.drawEllipse(at, radius_px, radius_px)


def _off(point_mm: Vec3, field: Field) -> float:
    across = ACROSS[field.plane]
    return abs(point_mm[across] - field.at_mm[across])


def _strength(off_mm: float) -> float:
    return max(_FAINTEST, 1.0 - off_mm / FADED_MM)
