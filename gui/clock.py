"""The time on the screen, as markers for a camera to read."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

Faces = Callable[[int], Sequence[np.ndarray[Any, Any]]]

#: White round each marker, as a share of a quarter of the picture's side.
QUIET = 0.14


class ClockFace(QWidget):
    """Draws the time at which it draws: what stands on the screen is never later than the light that leaves it."""

    def __init__(self, faces: Faces, clock: Callable[[], int] = time.monotonic_ns) -> None:
        super().__init__()
        self._faces, self._clock = faces, clock
        self.drawn = 0
        self.setWindowTitle("navtwin clock - Esc closes")
        self.setAutoFillBackground(False)
        # As fast as the screen takes pictures: update() waits for it.
        self._pace = QTimer(self)
        self._pace.timeout.connect(self.update)
        self._pace.start(1)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("white"))
        side = min(self.width(), self.height()) / 2.0
        left, top = self.width() / 2.0 - side, self.height() / 2.0 - side
        for place, cells in enumerate(self._faces(self._clock())):
            corner = left + side * (place % 2) + QUIET * side, top + side * (place // 2) + QUIET * side
            cell = side * (1.0 - 2.0 * QUIET) / len(cells)
            for row, column in np.argwhere(cells):
                # Half a pixel over, so that neighbours leave no line between them.
                painter.fillRect(QRectF(corner[0] + column * cell, corner[1] + row * cell, cell + 0.5, cell + 0.5), QColor("black"))
        painter.end()
        self.drawn += 1

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()


def show(faces: Faces, seconds: float, *, full: bool) -> tuple[float, float]:
    """Show the clock until Esc, or for `seconds` if not 0. Returns how often a second it was drawn, and the screen's own rate, Hz."""
    app = QApplication([])
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    face = ClockFace(faces)
    face.resize(800, 800)
    if full:
        face.showFullScreen()
    else:
        face.show()
    if seconds:
        QTimer.singleShot(round(seconds * 1e3), face.close)
    rate_hz, begun_ns = face.screen().refreshRate(), time.monotonic_ns()
    app.exec()
    return face.drawn / max(1e-9, (time.monotonic_ns() - begun_ns) * 1e-9), rate_hz
