"""The live picture of a calibration or session: received and decoded in a thread of its own, newest only."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage

from navtwin.bus.video import VideoClient, VideoPicture
from navtwin.errors import BusRefused
from navtwin.nouns.video import VideoFrame

TURN_MS = 100


class Pictures(Protocol):
    """The part of `VideoClient` that is needed."""

    def newest(self, timeout_ms: int) -> VideoPicture | None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Shot:
    """A decoded picture and what was found in it."""

    frame: VideoFrame
    image: QImage

    @property
    def found(self) -> bool:
        """Whether a board's corners, a marker or a body are in it."""
        return bool(self.frame.points_px or self.frame.markers or any(body.pose for body in self.frame.bodies))


class Film(QObject):
    """Pictures from a port, until it is stopped.

    Signals
    -------
    arrived : there are new pictures to `take`; once until they are taken, so that a slow window is never flooded
    refused : why there can be none
    """

    arrived = Signal()
    refused = Signal(str)

    def __init__(self, port: int, parent: QObject | None = None, connect: Callable[[int], Pictures] = lambda port: VideoClient(port=port)) -> None:
        super().__init__(parent)
        self.port = port
        self._connect = connect
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._waiting = dict[str, Shot]()
        self._thread = threading.Thread(target=self._run, name="navtwin-film", daemon=True)
        self._thread.start()

    def take(self) -> list[Shot]:
        """The newest picture of each camera that has come since the last time."""
        with self._lock:
            shots, self._waiting = list(self._waiting.values()), {}
        return shots

    def stop(self) -> None:
        """Leave the port; the thread ends within its turn, and nothing waits for it."""
        self._over.set()
        self.take()

    def _run(self) -> None:
        try:
            client = self._connect(self.port)
        except BusRefused as error:
            self.refused.emit(str(error))
            return
        try:
            while not self._over.is_set():
                picture = client.newest(TURN_MS)
                if picture is None:
                    continue
                image = QImage.fromData(picture.jpeg)
                if not image.isNull():
                    self._put(Shot(picture.frame, image))
        finally:
            client.close()

    def _put(self, shot: Shot) -> None:
        with self._lock:
            first = not self._waiting
            self._waiting[shot.frame.camera] = shot
        if first and not self._over.is_set():
            self.arrived.emit()


def queued(film: Film, arrived: Callable[[], None], refused: Callable[[str], None]) -> None:
    """Have a film's news told in the window's thread."""
    film.arrived.connect(arrived, Qt.ConnectionType.QueuedConnection)
    film.refused.connect(refused, Qt.ConnectionType.QueuedConnection)
