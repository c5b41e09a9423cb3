"""A widget that shows pixels painted elsewhere, and turns, shifts and magnifies the picture by the mouse."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from gui.picture import camera
from gui.picture.wishes import Act
from navtwin.scene import palette

WAITING = "preparing the picture …"


class ImagePane(QWidget):
    """Dragging turns, dragging with the middle button shifts, the wheel magnifies.

    Parameters
    ----------
    moved : called with what a movement of the mouse does to a picture
    """

    def __init__(self, moved: Callable[[Act], None], parent: QWidget) -> None:
        super().__init__(parent)
        self._moved = moved
        self._words = WAITING
        self._image: QImage | None = None
        self._at = QPoint()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def set_pixels(self, pixels: npt.NDArray[np.uint8]) -> None:
        """Show other pixels, (rows, columns, 3)."""
        rows, columns, _ = pixels.shape
        self._image = QImage(pixels.tobytes(), columns, rows, 3 * columns, QImage.Format.Format_RGB888).copy()
        self.update()

    def show_words(self, words: str) -> None:
        """Show these in place of any pixels."""
        self._image, self._words = None, words
        self.setAccessibleName(words)
        self.update()

    def size_px(self) -> QSize:
        """How many pixels of the screen there are to fill."""
        return (QSize(self.width(), self.height()).toSizeF() * self.devicePixelRatioF()).toSize()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._image is None:
            painter.fillRect(self.rect(), QColor(palette.BACKGROUND))
            painter.setPen(QColor(palette.DIM))
            painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), self._words)
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._image.size() != self.size_px())
            painter.drawImage(self.rect(), self._image)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._at = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        way = event.position().toPoint() - self._at
        self._at = event.position().toPoint()
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._moved(partial(camera.turn, right_px=way.x(), down_px=way.y()))
        elif event.buttons() & Qt.MouseButton.MiddleButton:
            self._moved(partial(camera.shift, right_px=way.x(), down_px=way.y(), height_px=self.height()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._moved(partial(camera.magnify, steps=event.angleDelta().y() / 120.0))
