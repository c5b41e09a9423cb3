"""`navtwin gui ARGUMENTS`, with a witness in its process who notes what is painted, when, and what held the window's thread.

    python -m gui_parts.witness FILE SECONDS ARGUMENTS...

The window is the user's own: the command of that name runs as it is. The witness hangs on Qt's own hooks (a timer of 10 ms, the paint events of a
few widgets) and on two functions: where the board takes a message, and where the picture's delay is noted. He says READY at the first picture of a
state, closes the window after SECONDS of settled painting, and when it closes writes FILE (JSON). All times are those of `time.monotonic_ns`, which
all processes of one machine share.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from gui_parts import READY

BEAT_MS = 10
#: Where the window shows nothing of the core for so long, the witness gives up, s.
PATIENCE_S = 90.0
SETTLE_NS = 1_000_000_000


class Witness(QObject):
    """Notes until its time is over."""

    def __init__(self, file: Path, seconds: float) -> None:
        super().__init__()
        self._file, self._seconds = file, seconds
        self._begun_ns = time.monotonic_ns()
        self._window: QMainWindow | None = None
        self._watched: dict[str, QWidget] = {}
        self._moment: Any = None
        self._beat = (time.monotonic_ns(), time.thread_time())
        self._frame: Any = None
        self._strip_state: Any = None
        self._word = ""
        self.noted: dict[str, Any] = {
            "window_ns": None, "picture_ns": None, "first_state_ns": None, "beats_before_ms": [], "beats_ms": [], "busy_ms": [], "pictures_ns": [],
            "costs_ms": [], "details": {}, "scales": {}, "to_picture_ms": [], "to_strip_ms": [], "alerts_ns": [], "banner_ns": [],
        }  # fmt: skip
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._turn)
        self._timer.start(BEAT_MS)
        QApplication.instance().aboutToQuit.connect(self._write)  # type: ignore[union-attr]
        self._listen()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            # The turn after this one: the painting is done by then.
            QTimer.singleShot(0, self, lambda: self._painted(watched))
        return False

    def _listen(self) -> None:
        from gui.link.board import Board
        from gui.picture.delay import Delay

        def note(delay: Delay, received_ns: int, painted_ns: int) -> None:
            if self.noted["first_state_ns"] is None:
                self.noted["first_state_ns"] = painted_ns
                print(READY, flush=True)
                QTimer.singleShot(round(1000 * self._seconds) + SETTLE_NS // 1_000_000, self, self._leave)
            if self._settled(painted_ns):
                self.noted["to_picture_ms"].append((painted_ns - received_ns) * 1e-6)
            noted(delay, received_ns, painted_ns)

        def look(board: Board) -> Any:
            self._moment = moment(board)
            return self._moment

        def hear(board: Board, topic: str, envelope: Any) -> None:
            if topic == "alerts" and not heard[0] and envelope.body.alerts:
                self.noted["alerts_ns"].append(time.monotonic_ns())
            if topic == "alerts":
                heard[0] = bool(envelope.body.alerts)
            take(board, topic, envelope)  # type: ignore[arg-type]

        heard = [False]
        noted, moment, take = Delay.note, Board.moment, Board.take
        _replace(Delay, "note", note)
        _replace(Board, "moment", look)
        _replace(Board, "take", hear)

    def _turn(self) -> None:
        now_ns, busy_s = time.monotonic_ns(), time.thread_time()
        gap_ms, held_ms = (now_ns - self._beat[0]) * 1e-6 - BEAT_MS, 1000.0 * (busy_s - self._beat[1])
        self._beat = (now_ns, busy_s)
        if self.noted["first_state_ns"] is None:
            if self.noted["window_ns"] is not None:
                self.noted["beats_before_ms"].append(gap_ms)
        elif self._settled(now_ns):
            self.noted["beats_ms"].append(gap_ms)
            self.noted["busy_ms"].append(held_ms)
        self._find()
        pane = self._watched.get("picture")
        if pane is not None:
            self._note_frame(getattr(pane, "frame", None))
        if self.noted["first_state_ns"] is None and now_ns - self._begun_ns > PATIENCE_S * 1e9:
            self._leave()

    def _find(self) -> None:
        """Widgets by what they are, as soon as they are there."""
        if self._window is None:
            self._window = next((w for w in QApplication.topLevelWidgets() if isinstance(w, QMainWindow)), None)
            if self._window is not None:
                self.noted["size"] = (self._window.width(), self._window.height())
                self._watch("window", self._window)
        if self._window is None:
            return
        for name, kind in (("picture", "LivePane"), ("strip", "DistanceCard"), ("banner", "LevelBlock")):
            if name not in self._watched:
                found = next((w for w in self._window.findChildren(QWidget) if type(w).__name__ == kind and w.isVisible()), None)
                if found is not None:
                    self._watch(name, found)

    def _watch(self, name: str, widget: QWidget) -> None:
        self._watched[name] = widget
        widget.installEventFilter(self)

    def _painted(self, widget: QObject) -> None:
        now_ns = time.monotonic_ns()
        if widget is self._window and self.noted["window_ns"] is None:
            self.noted["window_ns"] = now_ns
        elif widget is self._watched.get("strip") and self._moment is not None and self._moment.state is not self._strip_state:
            self._strip_state = self._moment.state
            if self._strip_state is not None and self._settled(now_ns):
                self.noted["to_strip_ms"].append((now_ns - self._moment.state_ns) * 1e-6)
        elif widget is self._watched.get("banner"):
            word = str(getattr(widget, "word", ""))
            if word != self._word and word == "DANGER":
                self.noted["banner_ns"].append(now_ns)
            self._word = word

    def _note_frame(self, frame: Any) -> None:
        if frame is None or frame is self._frame:
            return
        self._frame = frame
        now_ns = time.monotonic_ns()
        if self.noted["picture_ns"] is None:
            self.noted["picture_ns"] = now_ns
        if self._settled(now_ns) and frame.state is not None:
            self.noted["pictures_ns"].append(now_ns)
            self.noted["costs_ms"].append(1000.0 * frame.cost_s)
            for name, value in (("details", frame.detail), ("scales", f"{frame.scale:g}")):
                self.noted[name][value] = self.noted[name].get(value, 0) + 1

    def _settled(self, now_ns: int) -> bool:
        """Whether it has shown states for a moment: the first one waited for the picture to be made."""
        first_ns = self.noted["first_state_ns"]
        return first_ns is not None and now_ns - first_ns > SETTLE_NS

    def _leave(self) -> None:
        # By the way of Ctrl-C: it asks nothing.
        (getattr(self._window, "leave", None) or QApplication.closeAllWindows)()

    def _write(self) -> None:
        self._timer.stop()
        self._file.write_text(json.dumps(self.noted), encoding="utf-8")


def _replace(kind: type, name: str, function: Callable[..., Any]) -> None:
    setattr(kind, name, function)


def main() -> None:
    file, seconds, *arguments = sys.argv[1:]
    application = QApplication([])
    witness = Witness(Path(file), float(seconds))
    sys.argv = ["navtwin", "gui", *arguments]
    from navtwin.cli import main as navtwin

    try:
        navtwin()
    finally:
        del witness
        application.quit()


if __name__ == "__main__":
    main()
