"""What the tools draw over the slices: the structure as it will be, and what can be taken hold of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from gui.case.tools.bone import BoneTool
from gui.case.tools.cut import STRIDE_PX, cut_shape, cut_threshold, rim
from gui.case.tools.kept import Kept, question
from gui.case.tools.level import Mask
from gui.case.tools.marks import draw_bone_marks, draw_centre_line, draw_loops, draw_sphere_marks
from gui.case.tools.model import Bench
from gui.case.tools.paint import PaintTool
from gui.case.tools.sphere import SphereTool
from gui.case.tools.tube import TubeTool
from navtwin.errors import InputRefused
from navtwin.scene import palette
from navtwin.scene.author.chain import Chain, chain_of
from navtwin.scene.author.painted import Slices
from navtwin.scene.author.recipe import Painted, Sphere, Threshold, Tube
from navtwin.scene.build import COLORS
from navtwin.scene.reslice import Field, Reslicer
from navtwin.scene.slices import Plane

#: How much of the picture shows through what is being made.
TINT, RIM, TRACE = 70, 235, 40
#: Of a threshold, in one slice: a few milliseconds.
MOST_PIXELS = 250_000
#: What is above a threshold; the usual colour of bone is that of its picture.
LEVEL_COLOR = "#56b4e9"
#: Of islands that are not picked.
LEFT_OUT_COLOR = palette.UNKNOWN


class Overlay:
    """Paints the draft of the tool in the hand.

    Attributes
    ----------
    bench : what is painted; None for nothing
    reslicer : the scan; None until it is there, or where it has no HU
    kept : the islands that are picked, and of which threshold
    between : the shape between painted slices, and what it was worked out from
    """

    def __init__(self) -> None:
        self.bench: Callable[[], Bench | None] = lambda: None
        self.reslicer: Reslicer | None = None
        self.between: tuple[Painted, Slices] | None = None
        self.kept: Kept | None = None
        self.scale = 1.0
        self._seen: dict[Plane, tuple[object, QImage | _Drawn | None]] = {}

    def paint(self, painter: QPainter, field: Field) -> None:
        """Over one slice, in the pixels of its field."""
        bench = self.bench()
        if bench is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = QColor(bench.sheet.color or COLORS[bench.sheet.role])
        tool, s = bench.tool, self.scale
        match tool:
            case BoneTool():
                color = QColor(bench.sheet.color or LEVEL_COLOR)
                self._paint_level(painter, tool.draft, field, color)
                draw_bone_marks(painter, tool, field, color, s)
            case TubeTool():
                chain = chain_so_far(tool)
                if chain is not None:
                    self._paint_shape(painter, chain, field, color)
                draw_centre_line(painter, tool.draft, chain, field, color, s)
            case SphereTool():
                chain = chain_so_far(tool)
                if chain is not None:
                    self._paint_shape(painter, chain, field, color)
                draw_sphere_marks(painter, tool.draft, field, color, s)
            case PaintTool():
                if self.between is not None and self.between[0].outline == tool.draft.outline:
                    self._paint_shape(painter, self.between[1], field, color, dashed=True)
                draw_loops(painter, tool, field, color, s)

    def _paint_level(self, painter: QPainter, edit: Threshold, field: Field, color: QColor) -> None:
        if self.reslicer is None:
            return
        kept = self.kept if self.kept is not None and self.kept.edit == question(edit) else None
        key = (edit, field, self.reslicer, color.rgb(), kept)
        coarse = coarser(field)
        if self._seen.get(field.plane, (None,))[0] != key:
            taken = cut_threshold(edit, self.reslicer, coarse)
            self._seen[field.plane] = (key, _tinted(taken, taken & kept.at(coarse) if kept is not None else taken, color))
        image = self._seen[field.plane][1]
        if isinstance(image, QImage):
            share = coarse.mm_per_px / field.mm_per_px
            wide, high = coarse.width_px * share, coarse.height_px * share
            painter.drawImage(QRectF((field.width_px - wide) / 2.0, (field.height_px - high) / 2.0, wide, high), image)

    def _paint_shape(self, painter: QPainter, shape: Chain | Slices, field: Field, color: QColor, *, dashed: bool = False) -> None:
        key = (id(shape), field, color.rgb())
        if self._seen.get(field.plane, (None,))[0] != key:
            # The shape is kept with what was drawn of it: its id is its own as long as it is here.
            self._seen[field.plane] = (key, _drawn(shape, field, color))
        drawn = self._seen[field.plane][1]
        if not isinstance(drawn, _Drawn):
            return
        painter.drawImage(drawn.box, drawn.tint)
        # What is interpolated is thinner than what was drawn.
        painter.setOpacity(0.55 if dashed else 1.0)
        for width, shade in ((3.4, QColor(0, 0, 0, 150)), (1.8, color)):
            painter.setPen(QPen(shade, width * self.scale, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawLines(drawn.lines)
        painter.setOpacity(1.0)


def coarser(field: Field) -> Field:
    """The same picture in no more pixels than can be looked through while a slider is dragged."""
    share = ceil(sqrt(field.width_px * field.height_px / MOST_PIXELS))
    if share <= 1:
        return field
    return Field(field.plane, field.at_mm, field.mm_per_px * share, ceil(field.width_px / share), ceil(field.height_px / share))


@dataclass(frozen=True)
class _Drawn:
    """Where a slice cuts a shape, ready to be painted as often as need be."""

    shape: Chain | Slices
    tint: QImage
    box: QRectF
    lines: list[QLineF]


def _drawn(shape: Chain | Slices, field: Field, color: QColor) -> _Drawn | None:
    found = cut_shape(shape, field)
    if found is None:
        return None
    rows, columns = found.values.shape
    box = QRectF(found.left_px - STRIDE_PX / 2.0, found.top_px - STRIDE_PX / 2.0, columns * STRIDE_PX, rows * STRIDE_PX)
    lines = [QLineF(x0, y0, x1, y1) for (x0, y0), (x1, y1) in found.lines_px().tolist()]
    return _Drawn(shape, _image(found.values < 0.0, color, TINT), box, lines)


@lru_cache(maxsize=4)
def _chain(edit: Tube | Sphere) -> Chain:
    return chain_of(edit)


def chain_so_far(tool: TubeTool | SphereTool) -> Chain | None:
    """The shape of a draft, as far as there is one: of a single point, a ball."""
    try:
        if isinstance(tool, TubeTool) and len(tool.draft.points_mm) == 1:
            return _chain(Sphere(tool.draft.points_mm[0], tool.draft.radii_mm[0]))
        return _chain(tool.draft.edit())
    except InputRefused:
        # What is wrong with it is said in the panel when it is to be made.
        return None


def _tinted(taken: Mask, kept: Mask, color: QColor) -> QImage:
    """What is kept with its rim; of the rest that is above the threshold only a trace."""
    image = _image(taken, QColor(LEFT_OUT_COLOR), TRACE)
    painter = QPainter(image)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
    painter.drawImage(0, 0, _image(kept, color, TINT))
    painter.drawImage(0, 0, _image(rim(kept), color, RIM))
    painter.end()
    return image


def _image(mask: npt.NDArray[np.bool_], color: QColor, alpha: int) -> QImage:
    """A mask in one colour; copied, so that it does not outlive its bytes."""
    rows, columns = mask.shape
    share = alpha / 255.0
    shade = (alpha << 24) | (int(color.red() * share) << 16) | (int(color.green() * share) << 8) | int(color.blue() * share)
    pixels = np.where(mask, np.uint32(shade), np.uint32(0))
    return QImage(pixels.tobytes(), columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied).copy()
