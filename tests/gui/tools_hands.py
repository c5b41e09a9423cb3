"""A panel beside its slices, and hands for them: real presses of the mouse and keys."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from math import cos, pi, sin
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QHBoxLayout, QWidget

from gui.case.slices import CaseSlices
from gui.case.tools.panel import ToolsPanel
from gui.desktop.desk import Desk
from gui.link.board import Board
from gui.slices.painting import to_px
from navtwin.bus.link import Link
from navtwin.rigid import Vec3
from navtwin.scene import load_scene
from navtwin.scene.slices import Plane

LEFT, CTRL, PLAIN = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier
WAIT_MS = 60_000


class Room(QWidget):
    """A panel beside its slices, and hands for them."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.desk = Desk(Board(Link(0), time.monotonic_ns), lambda _order: None, (0, 0))
        self.slices = CaseSlices(self)
        self.panel = ToolsPanel(self.desk, self.slices, None, self)
        row = QHBoxLayout(self)
        row.addWidget(self.panel)
        row.addWidget(self.slices, 1)
        self.panel.setFixedWidth(340)
        self.resize(1100, 700)
        self.desk.case_changed.connect(lambda: self.slices.set_scene(self.desk.scene))
        self.desk.set_case(load_scene(folder))
        self.show()

    def px(self, plane: Plane, at: Vec3) -> QPoint:
        assert self.slices.sights is not None
        x, y = to_px(at, self.slices.sights.field(plane))
        return QPoint(round(float(x)), round(float(y)))

    def click(self, plane: Plane, at: Vec3, keys: Qt.KeyboardModifier = PLAIN) -> None:
        self.slices.go_to(at)
        QTest.mouseClick(self.slices.panes[plane], LEFT, keys, self.px(plane, at))

    def drag(self, plane: Plane, way: list[Vec3], keys: Qt.KeyboardModifier = PLAIN) -> None:
        self.slices.go_to(way[0])
        pane = self.slices.panes[plane]
        QTest.mousePress(pane, LEFT, keys, self.px(plane, way[0]))
        for at in way[1:]:
            QTest.mouseMove(pane, self.px(plane, at))
        QTest.mouseRelease(pane, LEFT, keys, self.px(plane, way[-1]))

    def fill(self, **texts: str) -> None:
        for field, text in texts.items():
            line = getattr(self.panel.form, field)
            line.selectAll()
            QTest.keyClicks(line, text)

    def make(self, qtbot: Any) -> tuple[str, ...]:
        """Press the button, and wait until the case is loaded again."""
        changes: list[int] = []
        self.desk.case_changed.connect(lambda: changes.append(1))
        assert self.panel.bench is not None
        QTest.mouseClick(self.panel.make, LEFT)
        if self.panel.builder.busy:
            qtbot.waitUntil(lambda: bool(changes), timeout=WAIT_MS)
        assert self.panel.workbench is not None
        return self.panel.workbench.said

    def picture(self, plane: Plane) -> np.ndarray:
        image = self.slices.panes[plane].grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
        rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
        return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)

    def tinted(self, plane: Plane, at: Vec3) -> bool:
        """Whether a place is drawn in another colour than grey."""
        spot = self.px(plane, at)
        red, green, blue = self.picture(plane)[spot.y(), spot.x()]
        return max(red, green, blue) - min(red, green, blue) > 12


def open_room(qtbot: Any, scan: Path, tmp_path: Path) -> Iterator[Room]:
    """A room on a copy of a case, its scan loaded; for a fixture."""
    copytree(scan, tmp_path / "case")
    made = Room(tmp_path / "case")
    qtbot.addWidget(made)
    qtbot.waitUntil(lambda: made.slices.volume is not None, timeout=WAIT_MS)
    yield made
    made.desk.release()
    made.panel.release()
    made.slices.release()


def wait_for_case(room: Room, qtbot: Any, act: Callable[[], object]) -> None:
    changes: list[int] = []
    room.desk.case_changed.connect(lambda: changes.append(1))
    act()
    qtbot.waitUntil(lambda: bool(changes), timeout=WAIT_MS)


def circle(radius: float, z: float, turn: float = 2 * pi) -> list[Vec3]:
    return [(32 + radius * cos(t), 32 + radius * sin(t), z) for t in np.linspace(0.0, turn, 60)]
