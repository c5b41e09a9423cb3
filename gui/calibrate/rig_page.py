"""The rig: which one is open, and how to come by one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.calibrate.controls import dim, key_button, said, size
from gui.calibrate.steps import Step
from gui.calibrate.verdict_card import table
from gui.desktop.desk import RIG_FILE, Desk
from navtwin.errors import InputRefused

WAYS = (
    ("open", "Open a rig", "O", "A rig.toml that is there already."),
    ("demo", "Demonstration rig", "D", "The scripted demo's tracker, pointer and drill, written into the open case."),
    ("kit", "New marker kit", "B", "A PDF with board and marker bodies to print, and the rig that matches it."),
    ("bring", "Bring in a tool or camera", "I", "A tool definition (.rom) or a camera calibration of another program, into the open rig."),
)


class RigPage(QWidget):
    """The open rig in figures, and four ways to another."""

    finished = Signal()
    onward = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._dialog: QFileDialog | None = None
        self.title, self.known, self.state, self.refusal = QLabel("Rig"), QLabel(), said(), said("bad")
        acts: dict[str, Callable[[], None]] = {"open": self._ask_open, "demo": self.make_demo, "kit": self._ask_kit, "bring": self._ask_bring}
        self.ways = {name: key_button(text, key, does, acts[name]) for name, text, key, does in WAYS}
        self._build()

    @property
    def buttons(self) -> list[QPushButton]:
        return list(self.ways.values())

    @property
    def running(self) -> bool:
        return False

    def show_step(self, step: Step, blocked: str) -> None:
        """The rig as it is now."""
        desk = self._desk
        theme.say(self.state, step.why[:1].upper() + step.why[1:], {"done": "good", "todo": "news"}.get(step.state, "warn"))
        self.known.setText(table(step.figures))
        self.ways["demo"].setEnabled(desk.folder is not None)
        self.ways["bring"].setEnabled(desk.rig_path is not None)
        first = "" if step.state != "todo" else "demo" if desk.folder is not None else "open"
        for name in ("demo", "open"):
            theme.set_primary(self.ways[name], primary=name == first)

    def show_now(self, now_ns: int) -> None:
        """Nothing here depends on the time."""

    def set_scale(self, scale: float) -> None:
        size(self.title, 20 * scale)
        for button in self.buttons:
            button.setMinimumHeight(round(42 * scale))
            button.setMinimumWidth(round(220 * scale))

    def release(self) -> None:
        """Nothing is held."""

    def open_rig(self, name: str) -> None:
        """Open a file; a refusal is said here."""
        first = self._desk.rig is None
        try:
            self._desk.open_rig(Path(name))
        except InputRefused as error:
            theme.say(self.refusal, str(error))
            return
        theme.say(self.refusal, "")
        self.finished.emit()
        if first:
            self.onward.emit()

    def make_demo(self) -> None:
        """Write the demonstration rig into the open case, where there is none yet."""
        folder = self._desk.folder
        if folder is None:
            theme.say(self.refusal, "No case is open. Open one in Case (1): the rig is written into it.")
            return
        path = folder / RIG_FILE
        if path.exists():
            theme.say(self.refusal, f"{path} is there already, and is not written over. Open it, or move it away first.")
            return
        self._run("writing the demonstration rig", ["rig", str(folder)], path)

    def make_kit(self, name: str) -> None:
        """Write sheet and rig into a folder."""
        sheet, path = Path(name) / "sheet.pdf", Path(name) / RIG_FILE
        self._run(
            "drawing the marker kit",
            ["markers", "sheet", "--out", str(sheet), "--rig", str(path)],
            path,
            f"Print {sheet} at 100 %, and measure its check square.",
        )

    def bring_in(self, name: str) -> None:
        """Bring a file of another program into the open rig."""
        if self._desk.rig_path is not None:
            self._run(f"bringing in {Path(name).name}", ["import", name, "--to", str(self._desk.rig_path)], self._desk.rig_path)

    def _build(self) -> None:
        self.known.setWordWrap(True)
        self.known.setTextFormat(Qt.TextFormat.RichText)
        card = QFrame()
        card.setProperty("card", True)
        grid = QGridLayout(card)
        grid.setColumnStretch(1, 1)
        grid.setHorizontalSpacing(18)
        for n, (name, _text, _key, does) in enumerate(WAYS):
            grid.addWidget(self.ways[name], n, 0)
            words = dim(does)
            grid.addWidget(words, n, 1)
        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addSpacing(12)
        head.addWidget(self.state, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(head)
        column.addWidget(self.known)
        column.addWidget(card)
        column.addWidget(self.refusal)
        column.addStretch()

    def _run(self, title: str, given: list[str], made: Path, then: str = "") -> None:
        def done(words: str) -> None:
            if words:
                theme.say(self.refusal, words, "bad")
                return
            self.open_rig(str(made))
            if then:
                theme.say(self.refusal, then, "news")

        self._desk.command(title, given, done)

    def _ask_open(self) -> None:
        self._ask("Open a rig", QFileDialog.FileMode.ExistingFile, self.open_rig, "Rigs (*.toml)")

    def _ask_kit(self) -> None:
        self._ask("Folder for the marker kit", QFileDialog.FileMode.Directory, self.make_kit)

    def _ask_bring(self) -> None:
        self._ask("Bring in a tool or camera", QFileDialog.FileMode.ExistingFile, self.bring_in)

    def _ask(self, title: str, mode: QFileDialog.FileMode, chosen: Callable[[str], None], kinds: str = "") -> None:
        dialog = QFileDialog(self, title, str(self._desk.folder or Path.home()), kinds)
        dialog.setFileMode(mode)
        dialog.fileSelected.connect(chosen)
        # Not modal: warnings are answered beside it.
        dialog.setModal(False)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.show()
        self._dialog = dialog
