"""A rehearsal as moments: a core records it in a process of its own, and what it said at any time can be told to a window again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gui.link.board import Board
from navtwin.bus.link import Link
from navtwin.nouns import AlertSet, Envelope, Order, Output, Setup, State, Topic
from navtwin.record.read import outputs

MS = 1_000_000
#: A whole number of periods of every flashing indicator (2 Hz and 0.6 Hz): at each multiple all of them are lit.
JUMP_NS = 5_000 * MS


@dataclass(frozen=True)
class Frame:
    """All that had been said at one time of the session."""

    t_ns: int
    alerts: AlertSet
    state: State | None
    setup: Setup | None

    def told(self) -> tuple[str, ...]:
        """Its alerts, for the search: `DANGER aorta/drill/burr`, with ` unknown` where the level is only the last known."""
        return tuple(f"{a.level} {a.id}{'' if a.known else ' unknown'}" for a in self.alerts.alerts)


def record(case: Path, log: Path) -> None:
    """Run the scripted rehearsal on a case, as fast as it goes."""
    ports = ["--port", "0", "--command-port", "0"]
    command = [sys.executable, "-m", "navtwin", "run", str(case), "--source", "phantom:pedicle", "--speed", "0", "--log", str(log), *ports]
    subprocess.run(command, check=True)


class Reel:
    """The frames of a log, one for each set of alerts."""

    def __init__(self, log: Path) -> None:
        self.frames: list[Frame] = []
        state: State | None = None
        setup: Setup | None = None
        for row in outputs(log):
            if isinstance(row.body, State):
                state = row.body
            elif isinstance(row.body, Setup):
                setup = row.body
            elif isinstance(row.body, AlertSet):
                self.frames.append(Frame(row.t_ns, row.body, state, setup))

    def find(self, wanted: Callable[[Frame], bool], after_ms: int = 0) -> Frame:
        """The frame `after_ms` after the first that is wanted, or the last of an unbroken run of wanted ones, whichever comes first.

        Raises
        ------
        LookupError : the session has none
        """
        found: Frame | None = None
        begun_ns = 0
        for frame in self.frames:
            if wanted(frame):
                begun_ns = begun_ns if found else frame.t_ns
                found = frame
                if frame.t_ns - begun_ns >= after_ms * MS:
                    return frame
            elif found is not None:
                return found
        if found is None:
            raise LookupError("the rehearsal has no such moment: it was changed, or its core was")
        return found


class Screening:
    """A board that hears one frame of a session over and over; its clock jumps, so that whatever waits for time to pass need not wait long."""

    def __init__(self) -> None:
        self._now_ns = JUMP_NS
        self._link = Link(0)
        self._frame: Frame | None = None
        self.board = Board(self._link, self.clock)
        self.board.audio = ""

    def clock(self) -> int:
        return self._now_ns

    def order(self, _order: Order) -> None:
        """Nobody is there to take one."""

    def show(self, frame: Frame | None) -> None:
        """Hear this from now on; nothing at all while it is None."""
        self._frame = frame
        self._now_ns += JUMP_NS
        self.turn()

    def turn(self) -> None:
        """Let time pass, and hear the frame again. Without a frame time stands still: how long nothing has been heard is told, too."""
        if self._frame is None:
            return
        self._now_ns += JUMP_NS
        bodies: tuple[tuple[Topic, Output | None], ...] = (("setup", self._frame.setup), ("state", self._frame.state), ("alerts", self._frame.alerts))
        for topic, body in bodies:
            if body is not None:
                at = self._now_ns
                message = Envelope(epoch="screens", seq=1, t_capture_ns=None, t_arrival_ns=None, t_step_ns=at, t_publish_ns=at, body=body)
                self._link.heard(message, at)
                self.board.take(topic, message)
