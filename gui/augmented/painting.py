"""An overlay as an image, and where its words belong. Runs in the receiving thread: images only, no widget, no text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from gui.augmented.depths import Depths
from gui.augmented.drawing import DistanceMark, Drawing, Wanted
from gui.augmented.painting_bone import paint_hole, paint_removal
from gui.augmented.paths import Edges, line
from gui.augmented.shade import Shares, paint_shade
from navtwin.bus.words import name_words
from navtwin.nouns.video import VideoMarker
from navtwin.scene import palette
from navtwin.scene.augment import PathMarks, SceneMarks, ToolMarks, Traced

F64 = npt.NDArray[np.float64]

DASHES = (4.0, 3.0)
BONE = "#f3ead6"
#: A name stays so far away from the edge of the picture, px.
INSET_PX = 26.0
CASING = QColor(8, 11, 13, 150)


@dataclass(frozen=True)
class Label:
    """Words at a place in the overlay, px, to be written off it in a direction (x right, y down); `strong` ones are a distance."""

    words: str
    at_px: tuple[float, float]
    color: str
    off: tuple[float, float] = (0.6, -0.8)
    strong: bool = False


Layer = tuple[QImage, list[Label]]


def paint_patient(drawing: Drawing, wanted: Wanted, size: tuple[int, int], scale: float, pen_px: float) -> Layer | None:
    """What hangs on the patient: bones and what is drilled of them, critical structures over all that, and plans; None where none of it is in view.

    Parameters
    ----------
    size : (width, height) px of the image
    scale : its pixels for each pixel of the full picture
    pen_px : width of a thin line
    """
    scene = drawing.scene
    shown_drilling = wanted.drilling and (scene.hole or scene.removals)
    if not (wanted.structures and (scene.structures or scene.bones)) and not (wanted.plan and scene.plans) and not shown_drilling:
        return None
    labels = list[Label]()
    image, painter = _begun(size)
    if wanted.drilling and scene.hole is not None:
        paint_hole(painter, scene.hole, scale, pen_px)
    if wanted.structures:
        _paint_bone(painter, scene, size, scale, pen_px)
    if wanted.drilling:
        for removal in scene.removals:
            labels.append(Label(*paint_removal(painter, removal, scale, pen_px), removal.color, (1.0, 0.0)))
    if wanted.structures:
        # Over what is to be removed, whose tint must hide none of them.
        for traced in scene.structures:
            labels += _paint_structure(painter, traced, drawing.depths, size, scale, pen_px)
    if wanted.plan:
        for path in scene.plans:
            labels += _paint_path(painter, path, scale, pen_px)
    painter.end()
    return image, labels


def paint_top(drawing: Drawing, wanted: Wanted, size: tuple[int, int], scale: float, pen_px: float) -> Layer | None:
    """What lies over all else: found markers, instruments, distances; None where there is none. Parameters as for `paint_patient`."""
    if not (drawing.distances or (wanted.instrument and drawing.tools) or (wanted.markers and drawing.markers)):
        return None
    labels = list[Label]()
    image, painter = _begun(size)
    if wanted.markers:
        _paint_markers(painter, drawing.markers, scale, pen_px)
    if wanted.instrument:
        for tool in drawing.tools:
            _paint_tool(painter, tool, scale, pen_px)
    # A distance is what warns: no switch takes it away.
    for distance in drawing.distances:
        labels += _paint_distance(painter, distance, scale, pen_px)
    painter.end()
    return image, labels


def _begun(size: tuple[int, int]) -> tuple[QImage, QPainter]:
    image = QImage(*size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    return image, painter


def _paint_bone(painter: QPainter, scene: SceneMarks, size: tuple[int, int], scale: float, pen_px: float) -> None:
    for loops in scene.bones:
        edges = Edges(loops, scale)
        rim = edges.outline(edges.outer(edges.mask(size)))
        painter.strokePath(rim, _pen(_shade(BONE, 0.55), 1.2 * pen_px))


def _paint_structure(painter: QPainter, traced: Traced, depths: Depths, size: tuple[int, int], scale: float, pen_px: float) -> list[Label]:
    """Glass, the predicted error as a soft band, and the outline by how deep it runs."""
    edges = Edges(traced.loops, scale)
    mask = edges.mask(size)
    outer = edges.outer(mask)
    if not outer.any():
        return []
    shares = np.exp(-traced.seen_below_mm / depths.fading_mm)
    typical = float(np.exp(-np.median(edges.below_mm[outer]) / depths.fading_mm))
    band_px = traced.spread.px * scale if traced.spread is not None else 0.0
    paint_shade(painter, mask, QColor(traced.color), Shares((traced.seen_px + 0.5) * scale, shares, typical), band_px)
    # Smooth edges cost more than twice as much, and the line that comes over it has them.
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.strokePath(edges.outline(outer & (edges.below_mm < depths.bands[0].to_mm)), _pen(CASING, 3.4 * pen_px))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    shallower = 0.0
    for band in depths.bands:
        runs = outer & (edges.below_mm >= shallower) & (edges.below_mm < band.to_mm)
        shallower = band.to_mm
        if runs.any():
            painter.strokePath(edges.outline(runs), _pen(_shade(traced.color, band.opacity), 2.0 * pen_px, band.dashes))
    return _name(traced, edges, outer, size)


def _name(traced: Traced, edges: Edges, outer: npt.NDArray[np.bool_], size: tuple[int, int]) -> list[Label]:
    """At the uppermost point of the outline that is well inside the picture."""
    points = edges.start[outer]
    inside = (points > INSET_PX).all(axis=1) & (points < np.array(size) - INSET_PX).all(axis=1)
    if not inside.any():
        return []
    x, y = points[inside][np.argmin(points[inside][:, 1])].tolist()
    error = f"  {traced.spread.words}" if traced.spread is not None else ""
    return [Label(f"{name_words(traced.name)}{error}", (x, y), traced.color, (0.0, -1.0))]


def _paint_path(painter: QPainter, path: PathMarks, scale: float, pen_px: float) -> list[Label]:
    axis, aim = line(path.axis, scale), line(path.aim, scale)
    if path.spread is not None:
        painter.fillPath(line(path.spread.ellipse_px, scale, closed=True), _shade(palette.PLAN, 0.22))
    painter.strokePath(aim, _pen(_shade(palette.PLAN, 0.75), 1.3 * pen_px, DASHES))
    painter.strokePath(axis, _pen(CASING, 4.4 * pen_px))
    painter.strokePath(axis, _pen(QColor(palette.PLAN), 2.2 * pen_px))
    for ring, filled in ((path.entry, True), (path.target, False)):
        around = line(ring, scale, closed=True)
        if filled:
            painter.fillPath(around, _shade(palette.PLAN, 0.25))
        painter.strokePath(around, _pen(CASING, 4.0 * pen_px))
        painter.strokePath(around, _pen(QColor(palette.PLAN), 2.0 * pen_px))
    _dot(painter, path.target_px, scale, 2.6 * pen_px, QColor(palette.PLAN))
    if not len(path.aim):
        return []
    # At the far end of the line to aim along: near the entry is where one looks.
    error = f"  {path.spread.words}" if path.spread is not None else ""
    x, y = (path.aim[-1] - path.target_px) / max(float(np.hypot(*(path.aim[-1] - path.target_px))), 1e-9)
    return [Label(f"{name_words(path.name)}{error}", _at(path.aim[-1], scale), palette.PLAN, (float(x), float(y)))]


def _paint_tool(painter: QPainter, tool: ToolMarks, scale: float, pen_px: float) -> None:
    for loops in tool.parts:
        area = Edges(loops, scale).area()
        painter.fillPath(area, _shade(palette.METAL, 0.10))
        painter.strokePath(area, _pen(CASING, 3.2 * pen_px))
        painter.strokePath(area, _pen(QColor(palette.METAL), 1.5 * pen_px))
    painter.strokePath(line(tool.axis, scale), _pen(_shade("#ffffff", 0.55), 1.0 * pen_px))
    painter.strokePath(line(tool.ahead, scale), _pen(_shade("#ffffff", 0.8), 1.3 * pen_px, DASHES))
    _dot(painter, tool.tip_px, scale, 3.2 * pen_px, QColor("#ffffff"))


def _paint_distance(painter: QPainter, mark: DistanceMark, scale: float, pen_px: float) -> list[Label]:
    shade = QColor(palette.LEVEL_COLORS[mark.level])
    path = line(mark.line, scale)
    painter.strokePath(path, _pen(QColor(8, 11, 13, 210), 5.0 * pen_px))
    painter.strokePath(path, _pen(shade, 2.4 * pen_px))
    if mark.bar is not None:
        along = mark.bar[1] - mark.bar[0]
        across = np.array((-along[1], along[0])) / max(float(np.hypot(*along)), 1e-9) * 5.0 * pen_px / scale
        for piece in (mark.bar, *(np.stack((end - across, end + across)) for end in mark.bar)):
            painter.strokePath(line(piece, scale), _pen(QColor(8, 11, 13, 170), 3.6 * pen_px))
            painter.strokePath(line(piece, scale), _pen(_shade(shade.name(), 0.8), 1.6 * pen_px))
    _dot(painter, mark.line[-1], scale, 4.0 * pen_px, shade)
    return [Label(mark.words, _at(mark.line[-1], scale), shade.name(), strong=True)]


def _paint_markers(painter: QPainter, markers: Sequence[VideoMarker], scale: float, pen_px: float) -> None:
    """A tick from each corner towards its neighbours: the corner itself stays to be seen."""
    for marker in markers:
        corners = np.array(marker.corners_px)
        for here, there in ((k, (k + side) % 4) for k in range(4) for side in (1, -1)):
            tick = np.stack((corners[here], corners[here] + 0.22 * (corners[there] - corners[here])))
            painter.strokePath(line(tick, scale), _pen(QColor(palette.GOOD), 1.6 * pen_px))


def _dot(painter: QPainter, pixel: F64, scale: float, radius_px: float, shade: QColor) -> None:
    if not np.isfinite(pixel).all():
        return
    dot = QPainterPath()
    dot.addEllipse(QPointF(*_at(pixel, scale)), radius_px, radius_px)
    painter.fillPath(dot, shade)
    painter.strokePath(dot, _pen(CASING, max(1.0, 0.3 * radius_px)))


def _at(pixel: F64, scale: float) -> tuple[float, float]:
    return ((float(pixel[0]) + 0.5) * scale, (float(pixel[1]) + 0.5) * scale)


def _shade(color: str, opacity: float) -> QColor:
    shade = QColor(color)
    shade.setAlphaF(opacity)
    return shade


def _pen(shade: QColor, width_px: float, dashes: Sequence[float] = ()) -> QPen:
    pen = QPen(shade, width_px)
    # Round joins cost twice as much, and at these widths nobody sees them.
    pen.setJoinStyle(Qt.PenJoinStyle.BevelJoin)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap if dashes else Qt.PenCapStyle.RoundCap)
    if dashes:
        pen.setDashPattern(list(dashes))
    return pen
