"""One slice as an image: the scan's grey and the outlines of the structures over it. Runs in the cutting thread: images only, no widget, no text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from gui.slices.model import WINDOWS, Request
from navtwin.scene import palette
from navtwin.scene.crossings import Crossings
from navtwin.scene.model import Scene, Structure
from navtwin.scene.reslice import Field, Reslicer
from navtwin.scene.slices import Plane, in_plane
from navtwin.volumes.volume import Volume

if TYPE_CHECKING:
    from gui.picture.bone import BoneDresser

F64 = npt.NDArray[np.float64]
#: Dashes of the critical structures, in widths of the line; the next ones begin again. Bone and the rest are thin and whole.
DASHES: tuple[tuple[float, ...], ...] = ((), (4.0, 2.0), (1.0, 1.6), (6.0, 2.0, 1.0, 2.0), (8.0, 2.5), (2.0, 2.0))
CRITICAL_WIDTH, OTHER_WIDTH = 2.0, 1.0
#: What is planned to be removed.
PLANNED_DASHES = (5.0, 3.0)
#: What is painted where there is no scan.
NO_SCAN = "#0b0e10"


@dataclass
class Cuts:
    """All that slices are cut from; `reslicer` is None until the scan is there, or if it has no grey values; `drilled` where bone can be drilled."""

    scene: Scene
    crossings: dict[str, Crossings]
    reslicer: Reslicer | None = None
    drilled: BoneDresser | None = None

    def load(self, volume: Volume) -> None:
        self.reslicer = Reslicer(volume)


def field_of(request: Request, plane: Plane) -> Field:
    """Where the slice of a request lies."""
    width, height = request.sizes_px[plane]
    return Field(plane, request.at_mm, request.field_mm / min(width, height), width, height)


def to_px(points_mm: npt.ArrayLike, field: Field) -> F64:
    """Points of ct, (..., 3), as pixels of a slice, (..., 2): seen straight on the plane."""
    return flat_to_px(in_plane(points_mm, field.plane), field)


def flat_to_px(flat_mm: F64, field: Field) -> F64:
    """The same from picture coordinates (right, up) in mm."""
    shift = (flat_mm - in_plane(field.at_mm, field.plane)) / field.mm_per_px
    return np.stack((field.width_px / 2.0 + shift[..., 0], field.height_px / 2.0 - shift[..., 1]), axis=-1)


def dashes_of(scene: Scene) -> dict[str, tuple[float, ...]]:
    """The dashes of each critical structure, in the case's order."""
    critical = [s.name for s in scene.structures if s.role == "critical"]
    return {name: DASHES[n % len(DASHES)] for n, name in enumerate(critical)}


def outline_pen(structure: Structure, dashes: tuple[float, ...], line_px: float) -> QPen:
    """How a structure's outline is drawn, here and in the legend."""
    width = line_px * (CRITICAL_WIDTH if structure.role == "critical" else OTHER_WIDTH)
    pen = QPen(QColor(palette.PLAN if structure.removal_of else structure.color), width)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    if dashes or structure.removal_of:
        pen.setDashPattern(list(dashes or PLANNED_DASHES))
    return pen


def paint_slice(cuts: Cuts, request: Request, plane: Plane) -> tuple[QImage, dict[str, tuple[float, float]]]:
    """The image of a slice, and the uppermost visible point of each critical outline, px."""
    field = field_of(request, plane)
    image = _grey_image(cuts.reslicer, field, request)
    names: dict[str, tuple[float, float]] = {}
    dashes = dashes_of(cuts.scene)
    reach = max(field.width_px, field.height_px) * field.mm_per_px / 2.0 + 3.0
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    # Critical outlines last: nothing else may lie over them.
    for structure in sorted(cuts.scene.structures, key=lambda s: s.role == "critical"):
        lines = [flat_to_px(line, field) for line in cuts.crossings[structure.name].lines(plane, request.at_mm, reach)]
        if not lines:
            continue
        painter.setPen(outline_pen(structure, dashes.get(structure.name, ()), request.line_px))
        for line in lines:
            painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in _thinned(line).tolist()]))
        if cuts.drilled is not None and structure.name == cuts.drilled.structure:
            # What asks where bone lies takes a second to load: only who drills needs it.
            from gui.slices.bone import paint_bone

            paint_bone(painter, cuts.drilled, lines, field, request.line_px)
        if structure.role == "critical" and (top := _topmost(np.concatenate(lines), field)) is not None:
            names[structure.name] = top
    painter.end()
    return image, names


def _grey_image(reslicer: Reslicer | None, field: Field, request: Request) -> QImage:
    if reslicer is None:
        image = QImage(field.width_px, field.height_px, QImage.Format.Format_RGB32)
        image.fill(QColor(NO_SCAN))
        return image
    grey = reslicer.grey(field, *WINDOWS[request.window])
    # Converted at once: the image must not outlive the bytes that it looks at.
    return QImage(grey.tobytes(), field.width_px, field.height_px, field.width_px, QImage.Format.Format_Grayscale8).convertToFormat(
        QImage.Format.Format_RGB32
    )


def _thinned(line_px: F64) -> F64:
    """The line without points that lie on the same pixel as the one before."""
    whole = np.floor(line_px)
    kept = np.ones(len(line_px), np.bool_)
    kept[1:-1] = (whole[1:-1] != whole[:-2]).any(axis=1)
    return line_px[kept]


def _topmost(points_px: F64, field: Field) -> tuple[float, float] | None:
    inside = points_px[(points_px >= 0.0).all(axis=1) & (points_px[:, 0] < field.width_px) & (points_px[:, 1] < field.height_px)]
    if not len(inside):
        return None
    x, y = inside[np.argmin(inside[:, 1])]
    return (float(x), float(y))
