"""What the five places share: the open case and rig, the link to the core, and the core that was started from here."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from gui.desktop.core import OwnCore
from gui.desktop.jobs import CommandJob, Job, Report, ThreadJob
from gui.link.board import Board, Moment
from navtwin.bus.bone import BoneClient
from navtwin.bus.video import VideoClient
from navtwin.errors import InputRefused
from navtwin.nouns import Order, Rig, read_rig
from navtwin.scene.model import Scene

_J = TypeVar("_J", bound=Job)
RIG_FILE = "rig.toml"


class Desk(QObject):
    """The state of the desktop that belongs to no place.

    Parameters
    ----------
    board : what may be shown of the core
    order : sends an order; what becomes of it is said on the board
    ports : where a core started from here publishes, and takes commands
    where : the core's address, in words
    trouble : why the core does not let this client in, "" if it does
    open_video : opens a receiver of the core's live pictures of a camera, "" for every one (may raise BusRefused)
    open_bone : opens a receiver of the core's drilled bone (may raise BusRefused)

    Attributes
    ----------
    folder, scene : the open case; the scene is None until it is loaded, and where it cannot be
    pixels_ms : from a message to the picture in front, as measured; None where none follows the instrument
    session : the core that was started from here, running or ended; None where none was
    rig, rig_path : where the instruments' shapes and the cameras are; None where there is none yet

    Signals
    -------
    case_changed : another case, or the same one with other contents (`scene` may be None)
    rig_changed : another rig, or the same one with other contents
    session_changed : the core started from here has begun, said something, or ended
    said : words for the window's line, and whether they are bad news
    working : a `Job` has begun
    place_wanted : the name of a place that should come to the front (`case`, `calibrate`, `register`, `navigate`, `review`)
    """

    case_changed = Signal()
    rig_changed = Signal()
    session_changed = Signal()
    said = Signal(str, bool)
    working = Signal(object)
    place_wanted = Signal(str)

    def __init__(
        self,
        board: Board,
        order: Callable[[Order], None],
        ports: tuple[int, int],
        clock: Callable[[], int] = time.monotonic_ns,
        where: str = "",
        trouble: Callable[[], str] = lambda: "",
        open_video: Callable[[str], VideoClient] = lambda camera: VideoClient(camera=camera),
        open_bone: Callable[[], BoneClient] = BoneClient,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.board, self.order, self.ports, self.clock = board, order, ports, clock
        self.where, self.trouble, self.open_video, self.open_bone = where, trouble, open_video, open_bone
        self.folder: Path | None = None
        self.scene: Scene | None = None
        self.rig: Rig | None = None
        self.rig_path: Path | None = None
        self.session: OwnCore | None = None
        self.pixels_ms: float | None = None
        self._jobs: list[Job] = []
        self._opening: Job | None = None

    def open_case(self, folder: Path) -> None:
        """Load a case beside the window; `case_changed` says when it is there."""
        self.folder = folder
        if self._opening is not None and self._opening.running:
            self._opening.cancel()
        self._opening = self.beside(f"opening {folder.name}", partial(_load, folder), self._opened)

    def reload_case(self) -> None:
        """Load the open case again: its files have changed."""
        if self.folder is not None:
            self.open_case(self.folder)

    def set_case(self, scene: Scene) -> None:
        """A case that is loaded already."""
        self.folder, self.scene = scene.folder, scene
        self.case_changed.emit()
        own = scene.folder / RIG_FILE
        if self.rig_path is None and own.exists():
            self.open_rig(own)

    def open_rig(self, path: Path) -> None:
        """Read `rig.toml`; a refusal is said and changes nothing.

        Raises
        ------
        InputRefused : it cannot be read as a rig
        """
        self.set_rig(read_rig(path), path)

    def set_rig(self, rig: Rig | None, path: Path | None) -> None:
        """A rig that is read already."""
        self.rig, self.rig_path = rig, path
        if rig is not None:
            self.board.max_age_ms = rig.tracker.max_age_ms
        self.rig_changed.emit()

    def start_session(self, source: str) -> None:
        """Start a core on the open case; it goes on though this window be closed, until its source ends.

        Raises
        ------
        InputRefused : no case is open, or the core that was started before still runs
        """
        if self.folder is None:
            raise InputRefused("no case is open", "open one, or make one from a CT, in Case (1)")
        if self.session is not None and self.session.running:
            raise InputRefused(f"a session on {self.session.source} still runs", "end it first")
        self.session = OwnCore(self.folder, source, self.rig_path, self.ports, self)
        self.session.changed.connect(self._session_told)
        self.session_changed.emit()

    def end_session(self) -> None:
        """Ask the core that was started from here to end."""
        if self.session is not None:
            self.session.end()

    @property
    def opening(self) -> bool:
        """Whether a case is being read."""
        return self._opening is not None and self._opening.running

    def runs_other(self, moment: Moment) -> str:
        """In words, which other case the running core works on; "" where it is the open one, or none runs."""
        setup = moment.setup
        if self.scene is None or setup is None or moment.link_lost or setup.case_hash in ("", self.scene.case_hash):
            return ""
        if self.folder is not None and Path(setup.case_path) == self.folder.resolve():
            return "the running session works on this case as it was before it was changed: start a new session to use what is new"
        return f"the running session works on another case: {Path(setup.case_path).name}"

    def say(self, words: str, *, bad: bool = False) -> None:
        """Put words into the window's line, "" to clear it."""
        self.said.emit(words, bad)

    def command(self, title: str, arguments: list[str], done: Callable[[str], None] | None = None, *, shown: bool = True) -> CommandJob:
        """Run `navtwin ARGUMENTS` beside the window.

        Parameters
        ----------
        done : called with "" or what went wrong; without it the window's line tells
        shown : its progress stands in the window's line; False where the place shows it, and cancels it, itself
        """
        job = CommandJob(title, arguments, self)
        job.ended.connect(lambda _result, words: done(words) if done else self._tell(title, words))
        return self._begun(job, shown=shown)

    def beside(self, title: str, work: Callable[[Report], Any], done: Callable[[Any, str], None], *, shown: bool = True) -> ThreadJob:
        """Run a function beside the window. `done` is called in the window's thread with its result and "", or None and what went wrong."""
        job = ThreadJob(title, work, self)
        job.ended.connect(done)
        return self._begun(job, shown=shown)

    def release(self) -> None:
        """The window closes: what still runs for it ends."""
        for job in self._jobs:
            if job.running:
                job.cancel()

    def _begun(self, job: _J, *, shown: bool = True) -> _J:
        self._jobs = [*(j for j in self._jobs if j.running), job]
        if shown:
            self.working.emit(job)
        return job

    def _tell(self, title: str, words: str) -> None:
        self.say(f"{title}: {words or 'done'}", bad=bool(words) and words != "cancelled")

    def _session_told(self) -> None:
        if self.session is not None and self.session.words:
            self.say(self.session.words, bad=True)
        self.session_changed.emit()

    def _opened(self, scene: Scene | None, words: str) -> None:
        if words == "cancelled" and self._opening is not None and self._opening.running:
            # Another was asked for meanwhile.
            return
        if scene is None:
            self.scene = None
            self.case_changed.emit()
            self.say(words, bad=words != "cancelled")
            return
        self.say("")
        self.set_case(scene)


def _load(folder: Path, report: Report) -> Scene:
    from navtwin.scene.case import load_scene

    report("reading structures")
    return load_scene(folder)
