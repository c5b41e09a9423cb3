"""The picture in the window: one on a graphics context of Qt's, one painted off-screen and shown as an image, behind the same port."""

from __future__ import annotations

import time
from typing import Any, Protocol

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from navtwin.nouns import Rig
from navtwin.scene.model import Scene
from navtwin.scene.picture import Detail, Picture, open_plotter, render_window, software_rendering

#: Multi-sampling costs software rendering three times its time.
MULTI_SAMPLES: dict[Detail, int] = {"full": 4, "light": 0}


class View(Protocol):
    """A picture that can be asked to be painted again."""

    widget: QWidget
    picture: Picture

    def paint(self) -> None:
        """Ask for the picture to be painted; returns at once where it can."""

    def cost_s(self) -> float | None:
        """How long the last painting took; None while one is under way."""

    def release(self) -> None:
        """Give the graphics back. Must come before the window is torn down."""


def open_view(scene: Scene, rig: Rig | None, parent: QWidget) -> View:
    """The view that this platform can show: Qt's `offscreen` platform has no OpenGL widget, and would leave it blank."""
    detail: Detail = "light" if software_rendering() else "full"
    if QApplication.platformName() == "offscreen":
        return BlitView(scene, rig, detail, parent)
    return GLView(scene, rig, detail, parent)


class GLView:
    """A pyvistaqt interactor."""

    def __init__(self, scene: Scene, rig: Rig | None, detail: Detail, parent: QWidget) -> None:
        from pyvistaqt import QtInteractor

        self._interactor: Any = QtInteractor(parent, auto_update=False, multi_samples=MULTI_SAMPLES[detail], lighting=None)
        # Else a dropped file would become part of the patient.
        self._interactor.setAcceptDrops(False)
        self._keys = _NoKeys()
        self._interactor.installEventFilter(self._keys)
        self._asked_s: float | None = None
        self._cost_s = 0.0
        self._interactor.frameSwapped.connect(self._painted)
        self.widget: QWidget = self._interactor
        self.picture = Picture(self._interactor, scene, rig, detail)
        if detail == "light":
            self._interactor.renderer.UseFXAAOn()

    def paint(self) -> None:
        if self._asked_s is None:
            self._asked_s = time.perf_counter()
        self._interactor.update()

    def cost_s(self) -> float | None:
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


class BlitView(QWidget):
    """An off-screen plotter whose pixels are shown as an image. Turned by dragging, moved by dragging with the middle button, zoomed by the wheel."""

    def __init__(self, scene: Scene, rig: Rig | None, detail: Detail, parent: QWidget) -> None:
        super().__init__(parent)
        self._plotter = open_plotter((640, 480))
        self.widget: QWidget = self
        self.picture = Picture(self._plotter, scene, rig, detail)
        self._plotter.renderer.UseFXAAOn()
        self._plotter.show(auto_close=False, interactive=False)
        self._image: QImage | None = None
        self._cost_s = 0.0
        self._at = QPoint()
        self._closed = False
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def paint(self) -> None:
        if self._closed:
            return
        begun = time.perf_counter()
        window = render_window(self._plotter)
        window.Render()
        self._image = _pixels(window)
        self._cost_s = time.perf_counter() - begun
        self.update()

    def cost_s(self) -> float | None:
        return self._cost_s

    def release(self) -> None:
        self._closed = True
        self._plotter.close()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._image is None:
            painter.fillRect(self.rect(), Qt.GlobalColor.black)
        else:
            painter.drawImage(self.rect(), self._image)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        ratio = self.devicePixelRatioF()
        if not self._closed:
            self._plotter.window_size = [max(64, round(self.width() * ratio)), max(64, round(self.height() * ratio))]
        self.paint()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._at = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        moved = event.position().toPoint() - self._at
        self._at = event.position().toPoint()
        camera = self._plotter.camera
        if event.buttons() & Qt.MouseButton.LeftButton:
            camera.Azimuth(-0.4 * moved.x())
            camera.Elevation(0.4 * moved.y())
            camera.OrthogonalizeViewUp()
        elif event.buttons() & Qt.MouseButton.MiddleButton:
            self._slide(moved)
        self._plotter.renderer.reset_camera_clipping_range()
        self.paint()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._plotter.camera.Zoom(1.1 ** (event.angleDelta().y() / 120.0))
        self.paint()

    def _slide(self, moved: QPoint) -> None:
        """Shift camera and focus so that what is under the mouse stays under it."""
        camera = self._plotter.camera
        mm_per_px = 2.0 * camera.distance * np.tan(np.radians(camera.view_angle / 2.0)) / max(1, self.height())
        up = np.array(camera.up)
        right = np.cross(np.array(camera.focal_point) - np.array(camera.position), up)
        step = mm_per_px * (moved.y() * up - moved.x() * right / np.linalg.norm(right))
        camera.position = tuple(np.array(camera.position) + step)
        camera.focal_point = tuple(np.array(camera.focal_point) + step)


def _pixels(window: Any) -> QImage:
    """The front buffer of a VTK window as an image that owns its bytes."""
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkUnsignedCharArray

    width, height = window.GetSize()
    raw = vtkUnsignedCharArray()
    window.GetPixelData(0, 0, width - 1, height - 1, 1, raw, 0)
    rows = np.ascontiguousarray(vtk_to_numpy(raw).reshape(height, width, 3)[::-1])
    return QImage(rows.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888).copy()
