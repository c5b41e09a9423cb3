"""Long work beside the window: a command in a process of its own, or a function in a thread. Each says how far it is, and can be cancelled."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from PySide6.QtCore import QObject, QProcess, Qt, QTimer, Signal

from navtwin.errors import NavtwinError

Report = Callable[[str], None]
#: After being asked, a command has this long to leave before it is ended, ms.
LEAVING_MS = 2000
#: Words of a command that are kept, to tell why it failed.
KEPT_LINES = 40
REFUSAL = "navtwin:"


class Cancelled(Exception):
    """Raised out of `report` in a job that the user has cancelled."""


class Job(QObject):
    """Work under way.

    Parameters
    ----------
    stop : asks the work to end

    Signals
    -------
    told : a line on how far it is
    ended : once, in the window's thread: the result (None for a command), and what went wrong, "" if nothing did, "cancelled" if that was asked
    """

    told = Signal(str)
    ended = Signal(object, str)

    def __init__(self, title: str, stop: Callable[[], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self.running, self.cancelled = True, False
        self._stop = stop
        self.ended.connect(self._over)

    def cancel(self) -> None:
        """Ask it to stop; `ended` says when it has."""
        self.cancelled = True
        self._stop()

    def _over(self) -> None:
        self.running = False


class CommandJob(Job):
    """`navtwin ARGUMENTS` in a process of its own: cancelling ends it, and what it began it leaves as it was.

    Signals
    -------
    line : each line of its standard output
    """

    line = Signal(str)

    def __init__(self, title: str, arguments: Sequence[str], parent: QObject | None = None) -> None:
        super().__init__(title, self._leave, parent)
        self._errors: list[str] = []
        self._rest = {"out": b"", "err": b""}
        self._process = QProcess(self)
        self._process.readyReadStandardOutput.connect(self._read_output)
        self._process.readyReadStandardError.connect(self._read_errors)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._failed)
        self._process.start(sys.executable, ["-m", "navtwin", *arguments])

    def write(self, line: str) -> None:
        """A line for its standard input."""
        self._process.write(line.encode() + b"\n")

    def _leave(self) -> None:
        self._process.terminate()
        if not self._process.waitForFinished(0):
            QTimer.singleShot(LEAVING_MS, self, self._process.kill)

    def _read_output(self) -> None:
        for text in self._lines("out", bytes(self._process.readAllStandardOutput().data())):
            self.line.emit(text)

    def _read_errors(self) -> None:
        for text in self._lines("err", bytes(self._process.readAllStandardError().data())):
            self._errors = [*self._errors, text][-KEPT_LINES:]
            self.told.emit(text)

    def _lines(self, stream: str, arrived: bytes) -> list[str]:
        *whole, self._rest[stream] = (self._rest[stream] + arrived).replace(b"\r", b"\n").split(b"\n")
        return [text for line in whole if (text := line.decode(errors="replace").strip())]

    def _finished(self, code: int) -> None:
        self._read_output()
        self._read_errors()
        self.ended.emit(None, "cancelled" if self.cancelled else "" if code == 0 else self._last_words() or f"it ended with exit code {code}")

    def _last_words(self) -> str:
        """What a command says when it refuses begins with its name; what came before was its progress."""
        begin = max((n for n, line in enumerate(self._errors) if line.startswith(REFUSAL)), default=len(self._errors) - 1)
        return " ".join(self._errors[max(0, begin) :]).removeprefix(REFUSAL).strip()

    def _failed(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self.ended.emit(None, f"{sys.executable} could not be started: {self._process.errorString()}")


class ThreadJob(Job):
    """A function in a thread. It is handed `report`, which also ends it once it is cancelled."""

    # What the thread says goes through the window's own loop: whoever listens is called in the window's thread, whatever he is.
    _told = Signal(str)
    _ended = Signal(object, str)

    def __init__(self, title: str, work: Callable[[Report], Any], parent: QObject | None = None) -> None:
        super().__init__(title, lambda: None, parent)
        self._work = work
        self._told.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        self._ended.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._thread = threading.Thread(target=self._run, name=f"navtwin-{title}", daemon=True)
        self._thread.start()

    def _report(self, text: str) -> None:
        if self.cancelled:
            raise Cancelled
        self._told.emit(text)

    def _tell(self, text: str) -> None:
        self.told.emit(text)

    def _deliver(self, result: object, words: str) -> None:
        self.ended.emit(result, words)

    def _run(self) -> None:
        result, words = None, ""
        try:
            result = self._work(self._report)
        except Cancelled:
            words = "cancelled"
        except NavtwinError as error:
            words = str(error)
        except MemoryError:
            words = f"{self.title}: it does not fit into memory"
        except Exception as error:
            # A fault of ours: the user learns that nothing comes of it, and the terminal where it lies.
            words = f"{self.title}: a fault in the program ({type(error).__name__}: {error}). Try again; if it stays, report it"
            raise
        finally:
            if self.cancelled:
                result, words = None, "cancelled"
            # The window may have gone meanwhile, and with it whoever waited.
            with suppress(RuntimeError):
                self._ended.emit(result, words)
