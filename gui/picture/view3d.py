"""A picture that is painted in the window's own thread: on a graphics context of Qt's, or off-screen and shown as an image, behind the same port.

For what is painted seldom. What follows an instrument is painted by `live`.
"""

from __future__ import annotations

import time
from typing import Any, Protocol

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QWidget

from gui import theme
from gui.picture.image import ImagePane
from gui.picture.quality import LADDER, START, Quality
from gui.picture.renderer import front_pixels
from gui.picture.wishes import Act
from navtwin.nouns import Rig
from navtwin.scene.detail import Detail
from navtwin.scene.model import Scene
from navtwin.scene.picture import Picture, open_plotter, render_window, software_rendering

MULTI_SAMPLES = 4
#: The ladder of a picture whose meshes are others' business: one level of detail, more or fewer pixels.
PIXELS_ONLY: tuple[Detail, ...] = ("light",)


class View(Protocol):
    """A picture that can be asked to be painted again."""

    widget: QWidget
    picture: Picture

    def paint(self, *, still: bool = False) -> None:
        """Ask for the picture to be painted; returns at once where it can. `still`: nothing moves, so it may take its time and be at its best."""

    def cost_s(self) -> float | None:
        """How long the last painting took; None while one is under way."""

    def release(self) -> None:
        """Give the graphics back. Must come before the window is torn down."""


def open_view(scene: Scene, rig: Rig | None, parent: QWidget) -> View:
    """The view that suits this machine.

    Qt's `offscreen` platform has no OpenGL widget and would leave it blank; and where the processor draws, an OpenGL widget makes Qt draw the whole
    window through it, alerts and all, and cannot paint smaller than it is shown.
    """
    slow = software_rendering()
    if slow or not has_gl_widgets():
        return BlitView(scene, rig, "light" if slow else "full", parent)
    return GLView(scene, rig, "full", parent)


def has_gl_widgets() -> bool:
    """Whether Qt can show OpenGL in a widget here."""
    return QApplication.platformName() != "offscreen"


class GLView:
    """A pyvistaqt interactor."""

    def __init__(self, scene: Scene, rig: Rig | None, detail: Detail, parent: QWidget) -> None:
        from pyvistaqt import QtInteractor

        self._interactor: Any = QtInteractor(parent, auto_update=False, multi_samples=MULTI_SAMPLES, lighting=None)
        # Else a dropped file would become part of the patient.
        self._interactor.setAcceptDrops(False)
        self._keys = _NoKeys()
        self._interactor.installEventFilter(self._keys)
        self._asked_s: float | None = None
        self._cost_s = 0.0
        self.swapped = self._interactor.frameSwapped
        self.swapped.connect(self._painted)
        self.widget: QWidget = self._interactor
        self.picture = Picture(self._interactor, scene, rig, detail)

    def paint(self, *, still: bool = False) -> None:
        if self._asked_s is None and self._interactor.isVisible():
            self._asked_s = time.perf_counter()
        self._interactor.update()

    def cost_s(self) -> float | None:
        if self._asked_s is not None and not self._interactor.isVisible():
            # What is hidden meanwhile is never swapped.
            self._asked_s = None
        return self._cost_s if self._asked_s is None else None

    def release(self) -> None:
        self._interactor.close()

    def _painted(self) -> None:
        if self._asked_s is not None:
            self._cost_s, self._asked_s = time.perf_counter() - self._asked_s, None


class _NoKeys(QObject):
    """Keeps VTK's own keys (q quits, w draws wires ...) from the view: the window's shortcuts are the only ones."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            event.ignore()
            return True
        return False


class BlitView(ImagePane):
    """An off-screen plotter whose pixels are shown as an image. While things move it is painted as fine as time allows; while hidden, not at all."""

    def __init__(self, scene: Scene, rig: Rig | None, detail: Detail, parent: QWidget) -> None:
        super().__init__(self._move, parent)
        self._plotter = open_plotter((640, 480))
        self.widget: QWidget = self
        self.picture = Picture(self._plotter, scene, rig, detail)
        self._quality = Quality(dict.fromkeys(PIXELS_ONLY, 1), LADDER[: START + 1])
        self._cost_s = 0.0
        self._closed = False

    def paint(self, *, still: bool = False) -> None:
        if self._closed or not self.isVisible():
            return
        begun = time.perf_counter()
        self._fit(self._quality.still_scale() if still else self._quality.rung.scale, smooth=still)
        window = render_window(self._plotter)
        window.Render()
        self.set_pixels(front_pixels(window))
        if not still:
            self._cost_s = time.perf_counter() - begun
            self._quality.painted(self._cost_s, time.monotonic_ns(), calm=True, ready=PIXELS_ONLY)

    def cost_s(self) -> float | None:
        return self._cost_s

    def release(self) -> None:
        if not self._closed:
            self._closed = True
            self._plotter.close()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._quality.forget()
        self.paint(still=True)

    def showEvent(self, event: QShowEvent) -> None:
        self.paint(still=True)

    def _move(self, act: Act) -> None:
        act(self.picture)
        self.paint()

    def _fit(self, scale: float, *, smooth: bool) -> None:
        """Set the size of what is painted, in pixels of the screen times `scale`."""
        size = self.size_px() * scale
        pixels = (max(64, size.width()), max(64, size.height()))
        if tuple(self._plotter.window_size) != pixels:
            self._plotter.window_size = list(pixels)
            # Lines and figures in the picture grow with the window's type.
            type_scale = theme.scale_for(self.window().width(), self.window().height())
            self.picture.set_pixel_scale(self.devicePixelRatioF() * type_scale * scale)
        self._plotter.renderer.SetUseFXAA(smooth)
