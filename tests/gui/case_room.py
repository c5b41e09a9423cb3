"""A desk with a small case in front of its place: a bone, and a vessel that is watched, of known place and size."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest

from gui import theme
from gui.case.place import CasePlace
from gui.desktop.desk import Desk
from gui.link.board import Board
from gui.slices.painting import to_px
from navtwin.bus.link import Link
from navtwin.nouns import Order
from navtwin.rigid import Vec3
from navtwin.scene.build import Wanted
from navtwin.scene.case import load_scene
from navtwin.scene.new_case import build_case
from navtwin.scene.scan import Sources
from navtwin.scene.slices import Plane
from tests.scene.cases import BONE, VESSEL, at_ijk, labels_ijk, write_nifti

LEFT = Qt.MouseButton.LeftButton
WAIT_MS = 20_000
VESSEL_COLOR = "#d8654f"
#: Middles of bone and vessel, and soft tissue between them and the edge, ct.
IN_BONE, IN_VESSEL, IN_TISSUE = at_ijk(16, 20, 12), at_ijk(35, 20, 12), at_ijk(4, 4, 12)
WANTED = (
    Wanted("bone", "work", (BONE,), color="#66bfee"),
    Wanted("vessel", "critical", (VESSEL,), caution_mm=2.0, danger_mm=1.2, sd_mm=0.3, color=VESSEL_COLOR),
)


def build(folder: Path) -> Path:
    """The case, without plans."""
    folder.mkdir(parents=True)
    labels = labels_ijk()
    hu = np.where(labels == BONE, 700, np.where(labels == VESSEL, 250, 40)).astype(np.int16)
    # Air, which no label volume has.
    hu[:, :2] = -1000
    ct, marked = write_nifti(folder / "scan.nii.gz", hu), write_nifti(folder / "labels.nii.gz", labels)
    build_case(folder / "case", name="small patient", sources=Sources(ct, marked), wanted=WANTED)
    return folder / "case"


class CaseRoom:
    """The place with a case, and hands for it."""

    def __init__(self, case: Path | None) -> None:
        self.orders: list[Order] = []
        self.desk = Desk(Board(Link(0), time.monotonic_ns), self.orders.append, (0, 0))
        self.place = CasePlace(self.desk)
        self.place.setStyleSheet(theme.style_sheet(1.0))
        self.place.resize(1188, 600)
        self.place.set_scale(1.0)
        self.place.show()
        if case is not None:
            self.desk.set_case(load_scene(case))

    def see(self, qtbot: Any) -> None:
        """Wait until the slices show the scan with all outlines."""
        slices = self.place.slices
        qtbot.waitUntil(lambda: slices.volume is not None, timeout=WAIT_MS)
        qtbot.waitUntil(lambda: len(slices.cutter._crossings) == len(self.desk.scene.structures if self.desk.scene else ()), timeout=WAIT_MS)
        self.settle(qtbot)

    def settle(self, qtbot: Any) -> None:
        """Wait until what was asked of the slices is what they show."""
        slices = self.place.slices
        qtbot.waitUntil(lambda: not slices._soon.isActive() and all(_shown(pane) == slices._asked.get(plane) for plane, pane in slices.panes.items()))

    def px(self, plane: Plane, at: Vec3) -> QPoint:
        field = self.place.slices.field(plane)
        assert field is not None
        x, y = to_px(at, field)
        return QPoint(round(float(x)), round(float(y)))

    def click(self, plane: Plane, at: Vec3) -> None:
        QTest.mouseClick(self.place.slices.panes[plane], LEFT, pos=self.px(plane, at))

    def drag(self, plane: Plane, start: Vec3, end: Vec3) -> None:
        pane = self.place.slices.panes[plane]
        QTest.mousePress(pane, LEFT, pos=self.px(plane, start))
        QTest.mouseMove(pane, self.px(plane, end))
        QTest.mouseRelease(pane, LEFT, pos=self.px(plane, end))

    def grey(self, plane: Plane, at: Vec3) -> int:
        """How bright a point of ct is painted."""
        point = self.px(plane, at)
        return int(pixels(self.place.slices.panes[plane])[point.y(), point.x()].mean())

    def share(self, plane: Plane, color: str) -> float:
        """Share of a pane's pixels that are near to a colour."""
        rgb = np.array(QColor(color).getRgb()[:3])
        return float((np.abs(pixels(self.place.slices.panes[plane]).astype(int) - rgb).max(axis=-1) < 24).mean())

    def write(self, qtbot: Any) -> None:
        """Write the draft, and wait for the case to be read again."""
        changes: list[int] = []
        self.desk.case_changed.connect(lambda: changes.append(1))
        self.place.editing.write()
        qtbot.waitUntil(lambda: bool(changes) or bool(self.place.bar.refusal.text()), timeout=WAIT_MS)

    def close(self) -> None:
        self.place.release()
        self.desk.release()
        self.place.close()


def copy_of(case: Path, to: Path) -> Path:
    shutil.copytree(case, to)
    return to


def pixels(widget: Any) -> np.ndarray[Any, Any]:
    """(rows, columns, 3) of what a widget shows."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return np.array(rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3))


def _shown(pane: Any) -> object:
    return None if pane._slice is None else pane._slice.request
