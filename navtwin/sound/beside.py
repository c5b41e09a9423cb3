"""Keeps a listener running beside a window, and passes on what it says."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

#: What the listener is told to silence a lost link.
QUIET: Final = "quiet"

#: A listener that has ended is started again after so long, s.
AGAIN_S: Final = 2.0
LEAVING_S: Final = 3.0


class Beside(threading.Thread):
    """Starts `navtwin.sound.listener` with `arguments`, and starts it again should it end, until stopped.

    Parameters
    ----------
    arguments : the listener's
    told : hears, from this thread, why nothing can be heard; "" where it can
    command : how the listener is started (a test may start another)
    """

    def __init__(
        self,
        arguments: Sequence[str],
        told: Callable[[str], None],
        command: Sequence[str] = (sys.executable, "-m", "navtwin.sound.listener"),
        again_s: float = AGAIN_S,
    ) -> None:
        super().__init__(name="navtwin-sound", daemon=True)
        self._command, self._told, self._again_s = [*command, *arguments], told, again_s
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None

    def run(self) -> None:
        while not self._over.is_set():
            with self._lock:
                if self._over.is_set():
                    return
                self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
            assert self._process.stdout is not None
            for line in self._process.stdout:
                self._told(line.rstrip("\n"))
            self._process.wait()
            if not self._over.is_set():
                self._told("the process that plays the alarms has ended")
            self._over.wait(self._again_s)

    def silence_link(self) -> None:
        """Silence the alarm of a lost link, until the link is up and lost again. One whose listener has just ended is silent by itself."""
        with self._lock:
            process = self._process
        if process is not None and process.stdin is not None:
            with suppress(OSError, ValueError):
                process.stdin.write(f"{QUIET}\n")
                process.stdin.flush()

    def stop(self) -> None:
        """Fall silent; returns when the listener has left."""
        self._over.set()
        with self._lock:
            process = self._process
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(LEAVING_S)
            except subprocess.TimeoutExpired:
                process.kill()
        self.join(LEAVING_S)
