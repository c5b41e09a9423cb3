"""When the screen is looked after: at every news and 30 times a second, and never so often that nothing is painted.

A source of some hundred frames a second brings news faster than a window can show them. Each news that waited in Qt's queue would be shown in turn,
ahead of every painting: the screen would fall seconds behind. So news that come too soon wait together for one turn, which shows the newest.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer

from gui.link.board import MS

#: At the least so often.
TURN_MS = 33
#: At the most so often: no screen shows more.
LEAST_NS = 16 * MS


class Turns(QObject):
    """Calls `turn` in the window's thread. After each it leaves as much time as that took, for painting and for the hand."""

    def __init__(self, turn: Callable[[], None], parent: QObject, clock: Callable[[], int] = time.monotonic_ns) -> None:
        super().__init__(parent)
        self._turn, self._clock = turn, clock
        self._next_ns = 0
        self._steady, self._soon = QTimer(self), QTimer(self)
        for timer in (self._steady, self._soon):
            timer.setTimerType(Qt.TimerType.PreciseTimer)
            timer.timeout.connect(self.take)
        self._soon.setSingleShot(True)
        self._steady.start(TURN_MS)

    def hear(self) -> None:
        """There is news: a turn now, or as soon as there is time for one."""
        wait_ns = self._next_ns - self._clock()
        if wait_ns <= 0:
            self.take()
        elif not self._soon.isActive():
            self._soon.start(math.ceil(wait_ns / MS))

    def take(self) -> None:
        """A turn."""
        began_ns = self._clock()
        self._soon.stop()
        self._turn()
        ended_ns = self._clock()
        self._next_ns = ended_ns + max(LEAST_NS, ended_ns - began_ns)

    def stop(self) -> None:
        """No more turns."""
        self._steady.stop()
        self._soon.stop()
