"""What stands in the place while no case is open: open one, make one from a CT, go on with one of the last, or look at the demonstration."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gui import theme
from gui.case.new import NewCase, cases_folder
from gui.case.parts import button, scrolled, words
from gui.case.ways_out import refusal_words
from gui.desktop.desk import Desk
from navtwin.scene.case import CASE_FILE

SETTINGS = ("navtwin", "gui")
RECENT, MOST_RECENT = "case/recent", 6
DEMO = "thorax"


class Cover(QWidget):
    """The card, and the form for a new case in its place.

    Signals
    -------
    wanted : the folder of a case to be opened
    closed : back to the case that is open
    """

    wanted = Signal(object)
    closed = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._scale = 1.0
        self.card, self.form = QFrame(), NewCase(desk)
        self.card.setProperty("card", True)
        self.title, self.refusal = QLabel("No case is open"), words(tone="bad")
        self.title.setObjectName("headline")
        self.open = button("Open case …", "Open a case's folder", self.ask, "primary", "Ctrl+O")
        self.new = button("New from CT …", "Make a case from a DICOM folder or a CT file", self.begin_new, key="Ctrl+N")
        self.demo = button("Demonstration case", "A public chest CT with structures, landmarks and plans; fetched once", self._demo)
        self.back = button("Back to the case", "Back to the case that is open", self.closed.emit)
        self.recent = QVBoxLayout()
        self._build()
        self.form.made.connect(self._made)
        self.form.closed.connect(lambda: self._show_form(False))
        self.refresh()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        for one in (self.open, self.new, self.demo, self.back):
            one.setFixedHeight(round(48 * scale))
        for card in (self.card, self.form):
            card.setFixedWidth(round(620 * scale))
        self.form.set_scale(scale)
        self.refresh()

    def refresh(self) -> None:
        """Show the cases opened last, and whether one is open."""
        is_open = self._desk.scene is not None
        self.title.setText("Another case" if is_open else "No case is open")
        self.back.setVisible(is_open)
        theme.empty(self.recent)
        found = recent_cases()
        if found:
            self.recent.addWidget(words("Opened last", dim=True))
        for folder in found:
            one = button(f"{folder.name}   {folder.parent}", f"Open {folder}", partial(self.wanted.emit, folder), "flat")
            one.setStyleSheet("text-align: left;")
            one.setFixedHeight(round(38 * self._scale))
            self.recent.addWidget(one)

    def ask(self) -> None:
        """Ask for the folder of a case."""
        if chosen := QFileDialog.getExistingDirectory(self, "The case's folder", str(cases_folder())):
            self.offer(Path(chosen))

    def offer(self, path: Path) -> None:
        """Open what was named or dropped: a case, or else a CT to make one from."""
        if path.name == CASE_FILE:
            path = path.parent
        if (path / CASE_FILE).is_file():
            self.wanted.emit(path)
        else:
            self.begin_new(path)

    def begin_new(self, source: Path | None = None) -> None:
        """Show the form for a new case."""
        if not self.form.busy:
            self.form.begin(source)
        self._show_form(True)

    def say(self, text: str) -> None:
        """What went wrong, on the card; "" for nothing."""
        theme.say(self.refusal, text)

    def _made(self, folder: Path) -> None:
        self._show_form(False)
        self.wanted.emit(folder)

    def _demo(self) -> None:
        folder = cases_folder() / DEMO
        if (folder / CASE_FILE).is_file():
            self.wanted.emit(folder)
            return
        self.say("")
        self.demo.setEnabled(False)
        cases_folder().mkdir(parents=True, exist_ok=True)
        self._desk.command("making the demonstration case", ["case", "new", str(folder), "--recipe", DEMO], partial(self._demo_made, folder))

    def _demo_made(self, folder: Path, text: str) -> None:
        if text:
            self.demo.setEnabled(True)
            self.say("" if text == "cancelled" else refusal_words(text))
            return
        self._desk.command("writing its rig", ["rig", str(folder)], partial(self._demo_ready, folder))

    def _demo_ready(self, folder: Path, text: str) -> None:
        self.demo.setEnabled(True)
        self.say(refusal_words(text))
        self.wanted.emit(folder)

    def _show_form(self, visible: bool) -> None:
        self.form.setVisible(visible)
        self.card.setVisible(not visible)

    def _build(self) -> None:
        inside = QVBoxLayout(self.card)
        inside.setContentsMargins(28, 24, 28, 24)
        inside.setSpacing(10)
        what = words("A case is a folder: the CT, what is to be watched and how near one may come, plans, and what is known of the patient.")
        two = QHBoxLayout()
        two.setSpacing(10)
        two.addWidget(self.open, 1)
        two.addWidget(self.new, 1)
        drop = words("Or drop a case's folder, a DICOM folder or a CT file here.", dim=True)
        drop.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for part in (self.title, what, self.refusal, two, self.demo, self.back, drop, self.recent):
            inside.addWidget(part) if isinstance(part, QWidget) else inside.addLayout(part)
        self.refusal.hide()
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.addStretch(1)
        for card in (self.card, self.form):
            column.addWidget(card, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(2)
        scrolled(middle, self)
        self._show_form(False)


def recent_cases() -> list[Path]:
    """The cases opened last that are still there, the newest first."""
    kept = QSettings(*SETTINGS).value(RECENT, [])
    names = kept if isinstance(kept, list) else [kept] if isinstance(kept, str) and kept else []
    return [Path(name) for name in names if (Path(name) / CASE_FILE).is_file()]


def note_recent(folder: Path) -> None:
    """Remember a case that was opened."""
    others = [one for one in recent_cases() if one != folder.resolve()]
    QSettings(*SETTINGS).setValue(RECENT, [str(one) for one in (folder.resolve(), *others)][:MOST_RECENT])
