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

MULTI_SAMPLES = 4
#: A painting in the window's own thread should take no longer than this, as alerts wait for it to be shown.
MOST_COST_S = 0.045
#: While things move, a picture that costs more is painted with this share of the pixels along each side, and smoothed.
SCALES = (1.0, 0.8, 0.65, 0.5)


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
    if slow or QApplication.platformName() == "offscreen":
        return BlitView(scene, rig, "light" if slow else "full", parent)
    return GLView(scene, rig, "full", parent)


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
        self._interactor.frameSwapped.connect(self._painted)
        self.widget: QWidget = self._interactor
        self.picture = Picture(self._interactor, scene, rig, detail)

    def paint(self, *, still: bool = False) -> None:
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
    """An off-screen plotter whose pixels are shown as an image.

    It is turned by dragging, moved by dragging with the middle button, zoomed by the wheel. While things move it is painted as fine as time allows.
    """

    def __init__(self, scene: Scene, rig: Rig | None, detail: Detail, parent: QWidget) -> None:
        super().__init__(parent)
        self._plotter = open_plotter((640, 480))
        self.widget: QWidget = self
        self.picture = Picture(self._plotter, scene, rig, detail)
        self._plotter.show(auto_close=False, interactive=False)
        self._image: QImage | None = None
        self._cost_s = 0.0
        self._scale = 0
        self._at = QPoint()
        self._closed = False
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def paint(self, *, still: bool = False) -> None:
        if self._closed:
            return
        begun = time.perf_counter()
        self._fit(1.0 if still else SCALES[self._scale], smooth=still)
        window = render_window(self._plotter)
        window.Render()
        self._image = _pixels(window)
        if not still:
            self._cost_s = time.perf_counter() - begun
            self._adapt()
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
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self.rect(), self._image)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.paint(still=True)

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

    def _fit(self, scale: float, *, smooth: bool) -> None:
        """Set the size of what is painted, in pixels of the screen times `scale`."""
        pixels = self.devicePixelRatioF() * scale
        size = (max(64, round(self.width() * pixels)), max(64, round(self.height() * pixels)))
        if tuple(self._plotter.window_size) != size:
            self._plotter.window_size = list(size)
            self.picture.set_pixel_scale(pixels)
        self._plotter.renderer.SetUseFXAA(smooth)

    def _adapt(self) -> None:
        """Paint smaller next time if this took too long; larger again if even that would not."""
        if self._cost_s > MOST_COST_S:
            self._scale = min(self._scale + 1, len(SCALES) - 1)
        elif self._scale > 0 and self._cost_s * (SCALES[self._scale - 1] / SCALES[self._scale]) ** 2 < 0.8 * MOST_COST_S:
            self._scale -= 1

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
