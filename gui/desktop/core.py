"""A core started from the desktop. It is a process of its own: it outlives the window, stalled, closed or killed, until its source ends."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections import deque
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from gui.desktop.jobs import REFUSAL
from gui.link.own_core import core_command

#: How often it is looked after, ms.
TURN_MS = 200
#: Of what it says so much is kept, lines.
KEPT_LINES = 60


class OwnCore(QObject):
    """`navtwin run CASE --source SOURCE`, running.

    Attributes
    ----------
    source : as it was asked for
    lines : what it has said, the newest last
    running : it has not ended
    words : why it ended, "" while it runs or where its source simply ended

    Signals
    -------
    changed : it has said something, or ended
    """

    changed = Signal()

    def __init__(self, case: Path, source: str, rig: Path | None, ports: tuple[int, int], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.source = source
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self.running, self.words = True, ""
        # A file and no pipe: were this process killed, the core's next word into a pipe would be its last.
        handle, name = tempfile.mkstemp(prefix="navtwin-core-", suffix=".txt")
        os.close(handle)
        self._path = Path(name)
        # Two handles: with one, what is read here would move where the core writes.
        with self._path.open("ab") as said:
            self._process = subprocess.Popen(core_command(case, source, rig, ports), stdout=said, stderr=said)
        self._rest = ""
        self._said = self._path.open(encoding="utf-8", errors="replace")
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._turn)
        self._timer.start(TURN_MS)

    def end(self) -> None:
        """Ask it to end; what it recorded it finishes first."""
        if self.running:
            self._process.terminate()

    def wait(self) -> int:
        """Until it has ended; its exit code."""
        return self._process.wait()

    def _turn(self) -> None:
        code = self._process.poll()
        news = self._said.read()
        # What is not ended yet is a piece of a line, unless there is no more to come.
        *whole, self._rest = (self._rest + news + "\n" * (code is not None)).split("\n")
        self.lines.extend(line for line in whole if line.strip())
        if code is not None:
            self._timer.stop()
            self._said.close()
            self._path.unlink(missing_ok=True)
            self.running = False
            self.words = (
                "" if code == 0 else (self.lines[-1].removeprefix(REFUSAL).strip() if self.lines else f"the core ended with exit code {code}")
            )
        if news or code is not None:
            self.changed.emit()
