"""A camera without a camera for the augmented view: pictures given by hand, a case, a rig, and pixels to look at."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QWidget

from gui.augmented.reader import fitted
from gui.augmented.view import AugmentedView
from gui.desktop.desk import Desk as GuiDesk
from navtwin.bus.video import VideoPicture
from navtwin.nouns import Setup
from tests.gui.room import DANGER_S, MS, Desk, said, with_health
from tests.gui.test_augmented_model import RIG, SCENE, frame, setup

GREY = 96
#: Rows of the widget that switches and words take.
HEAD = 138
CANAL, AORTA = "#f2c14e", "#d8654f"
CORNERS = ((200.0, 500.0), (300.0, 500.0), (300.0, 600.0), (200.0, 600.0))


def jpeg(width: int = 640, height: int = 360) -> bytes:
    image = QImage(width, height, QImage.Format.Format_Grayscale8)
    image.fill(QColor(GREY, GREY, GREY))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "JPG", 95)
    return bytes(buffer.data().data())


JPEG: list[bytes] = []


def picture(**changes: Any) -> VideoPicture:
    JPEG[:] = JPEG or [jpeg()]
    return VideoPicture(frame(**changes), JPEG[0])


class Video:
    """Pictures given by hand; counts how many were taken."""

    def __init__(self) -> None:
        self.waiting: list[VideoPicture] = []
        self.taken, self.closed = 0, False
        self._news = threading.Event()

    def give(self, given: VideoPicture) -> None:
        self.waiting.append(given)
        self._news.set()

    def newest(self, timeout_ms: int) -> VideoPicture | None:
        self._news.wait(timeout_ms * 1e-3)
        self._news.clear()
        if not self.waiting:
            return None
        self.taken += 1
        newest = self.waiting[-1]
        self.waiting.clear()
        return newest

    def close(self) -> None:
        self.closed = True


class Room:
    """A view on its desk, with pictures and moments given by hand on one clock."""

    def __init__(self, qtbot: Any, opened: Callable[[str], Video] | None = None, rig: Any = RIG) -> None:
        self.qtbot, self.desk, self.videos = qtbot, Desk(), dict[str, Video]()
        self.desk.clock.ns = 10_000 * MS
        self.gui = GuiDesk(self.desk.board, self.desk.orders.append, (5810, 5811), self.desk.clock)
        self.gui.scene, self.gui.rig = SCENE, rig
        self.view = AugmentedView(self.gui, opened or self.open)
        qtbot.addWidget(self.view)
        self.view.resize(800, 500)
        self.view.show()

    def open(self, camera: str) -> Video:
        self.videos[camera] = Video()
        return self.videos[camera]

    def enter(self) -> None:
        self.view.entered()
        self.qtbot.waitUntil(lambda: self.view._prepared is not None, timeout=20_000)

    def hear(self, told: Setup | None = None, epoch: str = "e1") -> None:
        state, alerts = said(DANGER_S)
        self.desk.hear("setup", told or setup(), epoch)
        self.desk.hear("state", state, epoch)
        healthy = with_health(alerts, registration="ok", selected=("drill",), frame_age_ms=30.0)
        self.desk.hear("alerts", msgspec.structs.replace(healthy, t_ns=self.desk.clock.ns), epoch)

    def moment(self) -> None:
        self.view.show_moment(self.desk.board.moment(), self.desk.clock.ns)

    def pass_ms(self, ms: int) -> None:
        """Time passes in turns of the screen, the core speaking all the while."""
        for _ in range(0, ms, 20):
            self.desk.clock.ns += 20 * MS
            self.hear()
            self.moment()

    def play(self, ms: int) -> None:
        """The same, with a new picture every 40 ms, and one at the end."""
        for _ in range(0, ms, 40):
            self.pass_ms(40)
            self.give()

    def give(self, **changes: Any) -> None:
        """A picture comes now, and is on the screen."""
        now = self.desk.clock.ns
        given = picture(t_capture_ns=now - 40 * MS, t_publish_ns=now, **changes)
        self.moment()
        before = self.view._shown
        (video,) = (self.videos[name] for name in list(self.videos)[-1:])
        video.give(given)
        self.qtbot.waitUntil(lambda: self.view._shown is not before, timeout=10_000)
        self.moment()

    def pixels(self) -> np.ndarray:
        return rgb(self.view)


def opened(qtbot: Any) -> Iterator[Room]:
    """A room for one test; nothing may be left open in it."""
    made = Room(qtbot)
    made.enter()
    made.hear()
    yield made
    made.view.release()
    assert all(video.closed for video in made.videos.values())


def rgb(widget: QWidget) -> np.ndarray:
    made = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(made.constBits(), dtype=np.uint8).reshape(made.height(), made.bytesPerLine())
    return rows[:, : 3 * made.width()].reshape(made.height(), made.width(), 3).copy()


def near(pixels: np.ndarray, color: str, tolerance: int = 36) -> np.ndarray:
    return np.asarray(np.abs(pixels.astype(int) - QColor(color).getRgb()[:3]).max(axis=-1) < tolerance)


def drawn(pixels: np.ndarray, color: str) -> int:
    """How many pixels of a colour there are below the switches and the words."""
    return int(near(pixels, color)[HEAD:].sum())


def on_screen(points_px: Any, width: int = 800, height: int = 500) -> np.ndarray:
    """Where pixels of the full picture are in the widget."""
    size = fitted((1280, 720), (width, height))
    corner = np.array(((width - size[0]) // 2, (height - size[1]) // 2))
    return np.asarray(corner + (np.asarray(points_px) + 0.5) * size[0] / 1280.0 - 0.5)
