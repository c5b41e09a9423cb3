"""Makes levels of detail beside the painting: VTK lets go of Python's lock for the most of it."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable, Mapping

from navtwin.scene.detail import Detail, Drawn, draw_level
from navtwin.scene.model import Scene

#: The core, the alerts and the painting come first.
NICE = 5


class Mesher(threading.Thread):
    """A thread that makes the levels it is asked for, one after the other.

    Parameters
    ----------
    ready : called from this thread with each level that is made
    """

    def __init__(self, scene: Scene, ready: Callable[[Detail, Mapping[str, Drawn]], None]) -> None:
        super().__init__(name="navtwin-meshes", daemon=True)
        self._scene, self._ready = scene, ready
        self._asked: queue.SimpleQueue[Detail | None] = queue.SimpleQueue()
        self._known: set[Detail] = set()
        self._over = threading.Event()

    def ask(self, detail: Detail) -> None:
        """Make a level, unless it was asked for before."""
        if detail not in self._known:
            self._known.add(detail)
            self._asked.put(detail)

    def stop(self) -> None:
        """Leave after the structure at hand."""
        self._over.set()
        self._asked.put(None)

    def run(self) -> None:
        be_nice(NICE)
        while (detail := self._asked.get()) is not None and not self._over.is_set():
            drawn = draw_level(self._scene, detail, self._over.is_set)
            if not self._over.is_set():
                self._ready(detail, drawn)


def be_nice(level: int) -> None:
    """Let other threads go first; where the system knows the priority of a thread alone, it is this one's."""
    if sys.platform.startswith("linux"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), max(level, os.getpriority(os.PRIO_PROCESS, 0)))
