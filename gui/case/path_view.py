"""The chosen path as it is seen along itself: the scan square to it at the place one has walked to, its width and tolerance, and what is watched."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from gui import theme
from gui.slices.marks import write
from navtwin.rigid import Vec3
from navtwin.scene import palette
from navtwin.scene.across import Across, Window
from navtwin.scene.aim import picture_letters
from navtwin.scene.model import Plan, Structure
from navtwin.scene.reslice import DARKEST
from navtwin.volumes.volume import Volume

SIDE_PX = 150
#: What is seen of the patient, from edge to edge.
SIDE_MM = 40.0


class PathView(QWidget):
    """A square picture. Its up is the patient's head, or his front for a path along the spine."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scale = 1.0
        self._across: Across | None = None
        self._structures: tuple[Structure, ...] = ()
        self._at: Vec3 = (0.0, 0.0, 0.0)
        self._volume: Volume | None = None
        self._window_hu = (0.0, 1.0)
        self.setToolTip("Along the path, from its entry to its target: the ring is what is drilled, the dots how far off it may go")
        self.setAccessibleName("view along the path")
        self.set_scale(1.0)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self.setFixedSize(round(SIDE_PX * scale), round(SIDE_PX * scale))

    def show_path(self, plan: Plan | None, structures: Sequence[Structure]) -> None:
        """Another path, or the same one elsewhere; None, or one without length, for none."""
        if plan is None or plan.entry_mm == plan.target_mm:
            self._across = None
        elif self._across is None or self._across.plan != plan or self._structures != tuple(structures):
            self._across = Across(plan, structures, Window(SIDE_PX, SIDE_MM / SIDE_PX))
        self._structures = tuple(structures)
        self.update()

    def look(self, at_mm: Vec3, volume: Volume | None, window_hu: tuple[float, float]) -> None:
        """From which place of the path, and through which grey window."""
        self._at, self._volume, self._window_hu = at_mm, volume, window_hu
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), QColor(palette.BACKGROUND))
        if self._across is not None:
            self._paint(painter, self._across)
        painter.end()

    def _paint(self, painter: QPainter, across: Across) -> None:
        s, side = self._scale, float(self.width())
        if self._volume is not None:
            painter.drawImage(self.rect(), _grey(across.hu(self._volume, self._at), self._window_hu))
        middle, px_per_mm = QPointF(side / 2.0, side / 2.0), side / SIDE_MM
        colors = {one.name: one.color for one in self._structures}
        for name, pieces in across.outlines(self._at).items():
            painter.setPen(QPen(QColor(colors[name]), 2.0 * s))
            flat = pieces.reshape(-1, 4) * px_per_mm * np.array((1.0, -1.0, 1.0, -1.0)) + side / 2.0
            painter.drawLines([QLineF(*row) for row in flat.tolist()])
        plan = across.plan
        painter.setPen(QPen(QColor(palette.PLAN), 1.8 * s))
        painter.drawEllipse(middle, plan.diameter_mm / 2.0 * px_per_mm, plan.diameter_mm / 2.0 * px_per_mm)
        dots = QPen(QColor(palette.PLAN), 1.2 * s, Qt.PenStyle.DotLine)
        painter.setPen(dots)
        outer = (plan.diameter_mm / 2.0 + plan.tolerance_mm) * px_per_mm
        painter.drawEllipse(middle, outer, outer)
        left, right, low, high = picture_letters(across.axes)
        edge = 9.0 * s
        for letter, at in ((left, (edge, side / 2)), (right, (side - edge, side / 2)), (low, (side / 2, side - edge)), (high, (side / 2, edge))):
            write(painter, letter, QPointF(*at), 12.0 * s, palette.TEXT)
        depth = float(np.subtract(self._at, plan.entry_mm) @ across.axes.along)
        painter.setFont(theme.font(10.5 * s, weight=QFont.Weight.DemiBold))
        painter.setPen(QColor(palette.TEXT))
        painter.drawText(QRectF(5 * s, side - 17 * s, side, 14 * s), Qt.AlignmentFlag.AlignLeft, f"{depth:.1f} mm")


def _grey(hu: np.ndarray, window_hu: tuple[float, float]) -> QImage:
    centre, width = window_hu
    shade = np.clip((hu - (centre - width / 2.0)) / width, 0.0, 1.0) * (255.0 - DARKEST) + DARKEST
    grey = np.where(np.isnan(hu), 0.0, shade).astype(np.uint8)
    rows, columns = grey.shape
    return QImage(grey.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8).convertToFormat(QImage.Format.Format_RGB32)
