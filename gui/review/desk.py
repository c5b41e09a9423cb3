"""The place where sessions are reviewed: opens a log, finds its case, compares, and writes reports. What goes wrong is said here."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QFileDialog, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.alerts.alert_line import Elided
from gui.desktop.desk import Desk
from gui.desktop.jobs import ThreadJob
from gui.link.board import Moment
from gui.navigate.stage import VIEW_WORDS
from gui.picture.live import open_live
from gui.review.load import load
from gui.review.place import OpenPicture, Review
from gui.review.recent import Recent
from gui.review.report import HtmlReport, write_pdf
from gui.review.session import Session
from gui.review.world import damage_words, same_case, title_words, world
from navtwin.errors import NavtwinError
from navtwin.nouns import Rig
from navtwin.record.sessions import sessions_folder
from navtwin.scene.model import Scene
from navtwin.scene.views import VIEW_TITLES, VIEWS


class ReviewPlace(QWidget):
    """One log, once it is opened.

    Parameters
    ----------
    desk : whose open case is tried for a log that names none; None where there is no desk
    open_picture : makes the view (a test may give another)
    """

    #: A note is written as it is made.
    unsaved = ""

    def __init__(self, desk: Desk | None = None, parent: QWidget | None = None, *, open_picture: OpenPicture = open_live) -> None:
        super().__init__(parent)
        self._desk, self._open_picture = desk, open_picture
        self._case: Path | None = None
        self._rig: Path | None = None
        self.place: Review | None = None
        self._other: Session | None = None
        self._wanted: Path | None = None
        self._closed, self._scale = False, 1.0
        self.html = HtmlReport(self._reported, self)
        self._build()

    def show_moment(self, moment: Moment, now_ns: int) -> None:
        """A log is looked at by its own clock."""

    def set_scale(self, scale: float) -> None:
        if self.place is not None:
            self.place.set_scale(scale)
        self.recent.set_scale(scale)
        self._scale = scale

    def entered(self) -> None:
        if self.place is None:
            self.recent.look()

    def left(self) -> None:
        if self.place is not None:
            self.place.player.pause()

    def release(self) -> None:
        self._closed = True
        self.html.cancel()
        if self.place is not None:
            self.place.release()

    def open(self, log: Path, other: Path | None = None, case: Path | None = None, rig: Path | None = None) -> None:
        """Read a log, beside the window; `case` and `rig` in place of those that it names, `other` to compare with."""
        self._case, self._rig, self._wanted = case, rig, other
        self.say(f"reading {log.name} …", False)
        self._beside(f"reading {log.name}", partial(load, log), self._log_read)

    def compare(self, log: Path) -> None:
        """Read a second log and set it under the first."""
        self.say(f"reading {log.name} …", False)
        self._beside(f"reading {log.name}", partial(load, log), self._other_read)

    def find_case(self, case: Path | None) -> None:
        """Load the case, the log's own where none is given."""
        assert self.place is not None
        self._case = case or self._case
        header = self.place.session.header
        named = self._case or (Path(header.case_path) if header and header.case_path else None)
        if self._case is None and self._desk is not None and self._desk.folder is not None and not (named and named.is_dir()):
            named = self._desk.folder
        rig = self._rig or (None if self._case else Path(header.rig_path) if header and header.rig_path else None)
        self._beside("loading the case", partial(world, self.place.session.path, named, rig), self._world_read)

    def say(self, words: str, bad: bool) -> None:
        """Put words into the window's line, "" to clear it."""
        theme.say(self.line, words, "bad" if bad else "news")

    def write_pdf(self, out: Path) -> None:
        """Print what is shown."""
        assert self.place is not None
        place = self.place
        with theme.painted_in("light"):
            timeline, plot = place.timeline.grab().toImage(), place.plot.grab().toImage()
        pictures = (("Timeline", timeline), (f"Distances: {place.structure.replace('_', ' ')}", plot))
        scene = (("Scene at the playhead", place.stage.grab().toImage()),) if place.view is not None else ()
        try:
            write_pdf(out, place.session, place.notes, (*pictures, *scene), self._other)
        except NavtwinError as error:
            self.say(str(error), True)
        else:
            self.say(f"report written: {out}", False)

    def write_html(self, out: Path) -> None:
        """Have `navtwin report` judge the session."""
        assert self.place is not None
        self.html.start(self.place.session.path, out, self._case, self._rig)
        self._show_running()
        self.say("judging the session …", False)

    def _build(self) -> None:
        self.title = Elided()
        self.line, self.damage = QLabel(), QLabel()
        for label in (self.line, self.damage):
            label.setWordWrap(True)
            label.hide()
        self.damage.setProperty("tone", "bad")
        self.progress = QProgressBar()
        self.progress.setRange(0, 0)
        self.progress.setFixedWidth(120)
        self.progress.setTextVisible(False)
        self.progress.hide()
        self.buttons: dict[str, QPushButton] = {}
        top = QHBoxLayout()
        top.setContentsMargins(12, 6, 12, 6)
        top.setSpacing(6)
        top.addWidget(self.title, 1)
        self._views = QButtonGroup(self)
        for n, view in enumerate(VIEWS, start=1):
            button = self._button(top, VIEW_WORDS[view], f"Ctrl+{n}", partial(self._look, view), f"Stand here: {VIEW_TITLES[view].lower()}")
            button.setProperty("flat", True)
            button.setCheckable(True)
            self._views.addButton(button)
        top.addSpacing(12)
        for name, key, act in (
            ("Open", "O", partial(self._ask_open, self.open)), ("Compare", "Ctrl+K", partial(self._ask_open, self.compare)),
            ("Case", "Ctrl+L", self._ask_case), ("HTML", "Ctrl+H", partial(self._ask_save, ".html", self.write_html)),
            ("PDF", "Ctrl+P", partial(self._ask_save, ".pdf", self.write_pdf)),
        ):  # fmt: skip
            self._button(top, name, key, act, _TIPS[name])
        top.addWidget(self.progress)
        self._button(top, "Cancel", "Ctrl+.", self.html.cancel, _TIPS["Cancel"])
        self.buttons["Cancel"].hide()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addLayout(top)
        self._column.addWidget(self.damage)
        self._column.addWidget(self.line)
        self.recent = Recent(self.open, partial(self._ask_open, self.open))
        self._column.addWidget(self.recent, 1)
        self._enable()

    def _button(self, row: QHBoxLayout, name: str, key: str, act: Callable[[], None], does: str) -> QPushButton:
        button = QPushButton(name)
        button.setProperty("small", True)
        button.setShortcut(key)
        button.setToolTip(f"{does} ({key})")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.clicked.connect(lambda _checked: act())
        self.buttons[name] = button
        row.addWidget(button)
        return button

    def _enable(self) -> None:
        for name, button in self.buttons.items():
            button.setEnabled(self.place is not None or name in ("Open", "Cancel"))

    def _beside(self, title: str, work: Callable[[], object], done: Callable[[Any, str], None]) -> None:
        """Run `work` in a thread; `done` takes its result and "", or None and what went wrong, unless the place has closed meanwhile."""
        job = ThreadJob(title, lambda _report: work(), self)
        job.ended.connect(lambda found, words: None if self._closed else done(found, words))

    def _log_read(self, session: Session | None, words: str) -> None:
        if session is not None:
            self._opened(session)
        else:
            self.say(words, True)

    def _other_read(self, session: Session | None, words: str) -> None:
        assert self.place is not None
        if session is not None:
            self._other = session
            self.place.side.compare(session)
        self.say(session.fault if session is not None else words, True)

    def _world_read(self, found: tuple[Scene, Rig | None, Path] | None, words: str) -> None:
        assert self.place is not None
        if found is None:
            self.say(words, True)
            self.place.missing.setText(f"No picture of the anatomy.\n\n{words}")
            return
        scene, rig, folder = found
        self.place.set_scene(scene, rig)
        if doubt := same_case(self.place.session, scene, folder):
            self.say(doubt, True)

    def _opened(self, session: Session) -> None:
        if self.place is not None:
            self.place.release()
            self.place.deleteLater()
        self.recent.hide()
        self._other = None
        self.say("", False)
        self.place = Review(session, self.say, self._open_picture)
        self._column.addWidget(self.place, 1)
        self.place.set_scale(self._scale)
        self.buttons[VIEW_WORDS[VIEWS[0]]].setChecked(True)
        self.title.set_text(title_words(session))
        self.damage.setText(f"{damage_words(session)}. What can be read is shown")
        self.damage.setVisible(bool(damage_words(session)))
        self._enable()
        self.find_case(None)
        if self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            self._beside(f"reading {wanted.name}", partial(load, wanted), self._other_read)

    def _reported(self, _out: Path | None, words: str) -> None:
        if not self._closed:
            self._show_running()
            self.say(words, _out is None)

    def _show_running(self) -> None:
        self.progress.setVisible(self.html.running)
        self.buttons["Cancel"].setVisible(self.html.running)
        self.buttons["HTML"].setEnabled(not self.html.running)

    def _look(self, view: object) -> None:
        if self.place is not None:
            self.place.look(view)  # type: ignore[arg-type]

    def _ask_open(self, act: Callable[[Path], None]) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "A log", str(sessions_folder()), "Logs (*.mcap *.partial)")
        if name:
            act(Path(name))

    def _ask_case(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "The case folder")
        if name:
            self.find_case(Path(name))

    def _ask_save(self, ending: str, act: Callable[[Path], None]) -> None:
        assert self.place is not None
        name, _ = QFileDialog.getSaveFileName(self, "The report", str(self.place.session.path.with_suffix(ending)), f"*{ending}")
        if name:
            act(Path(name))


_TIPS = {
    "Open": "Open a log", "Compare": "Set a second log under this one", "Case": "Say where the case of this log is",
    "HTML": "Judge the session and write an HTML report", "PDF": "Print timeline, plot, picture and events", "Cancel": "Stop the report",
}  # fmt: skip
