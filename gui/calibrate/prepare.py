"""What to do in a step, drawn and in sentences, and what is asked before it begins. The answers are remembered."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gui.calibrate.board_form import BoardForm, number
from gui.calibrate.controls import dim, key_button, row
from gui.calibrate.forms import Form
from gui.calibrate.guidance import GUIDANCE
from gui.calibrate.sketch import Sketch
from gui.calibrate.source_field import Devices, SourceField
from gui.calibrate.sources import BOARD_KINDS, BOARDS_KINDS, CLOCK_KINDS, POSE_KINDS, Kind, practice_address
from gui.calibrate.steps import Step, StepKind
from gui.calibrate.verdict_card import table
from navtwin.nouns import Rig

SETTINGS = ("navtwin", "gui")
SOURCES: dict[StepKind, tuple[Kind, ...]] = {
    "camera": BOARD_KINDS,
    "cameras": BOARDS_KINDS,
    "markers": BOARD_KINDS,
    "pivot": POSE_KINDS,
    "axis": POSE_KINDS,
    "latency": CLOCK_KINDS,
}
SIZES = ("1280x720", "1920x1080", "640x480", "800x600", "1600x1200", "2560x1440", "3840x2160")
TRACKER = "the tracker itself"
Pair = tuple[QWidget, ...]


class Prepare(QScrollArea):
    """One kind of step before its start.

    Parameters
    ----------
    changed : called when an answer has changed
    clock : shows the clock that latency is measured with
    """

    def __init__(self, kind: StepKind, devices: Devices, changed: Callable[[], None], clock: Callable[[], None]) -> None:
        super().__init__()
        self.kind, self._changed, self._subject = kind, changed, ""
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.sketch = Sketch(kind)
        # Rows that not every source or rig needs; empty where this step has none.
        self._pixels, self._whole, self._name = Pair(), Pair(), Pair()
        self.source = SourceField(SOURCES[kind], devices, self._source_changed, self._practice)
        self.board: BoardForm | None = None
        self.name, self.names, self.pixels = QLineEdit(), QLineEdit(), QComboBox()
        self.baseline, self.check = number(0.0, 5000.0, " mm", 1, none="not measured"), number(0.0, 150.0, " mm", 1, none="not measured")
        self.seconds = number(0.0, 3600.0, " s", 0, none="until it suffices")
        self.whole, self.against = QCheckBox("all of it, not only what was collected for a pivot"), QComboBox()
        self.rate, self.display = number(1.0, 1000.0, " Hz", 1), number(0.0, 1000.0, " ms", 1, none="not known")
        self.known = QLabel()
        self.known.setWordWrap(True)
        self.known.setTextFormat(Qt.TextFormat.RichText)
        self.last = key_button("Recording of the last session", "L", "Take the tip from what the last session collected", self._take_last, small=True)
        self.clock = key_button("Show the clock", "H", "Open the clock's window on this screen; point the camera at it", clock, small=True)
        for button in (self.last, self.clock):
            button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.last.hide()
        self._recording = ""
        self._build()
        self._restore()

    @property
    def buttons(self) -> list[QPushButton]:
        return [self.last, self.clock, self.source.browse]

    def form(self) -> Form:
        """The answers, as they are filled in.

        Raises
        ------
        InputRefused : no source
        """
        return msgspec.structs.replace(self._answers(), source=self.source.address())

    def remember(self, form: Form) -> None:
        """Keep the answers for the next start."""
        QSettings(*SETTINGS).setValue(f"calibrate/{self.kind}", msgspec.json.encode(form).decode())

    def show_step(self, step: Step, rig: Rig | None) -> None:
        """What is known, and which rows this rig needs."""
        if step.subject != self._subject:
            self._subject = step.subject
        self.known.setText(table(step.figures))
        self.known.setVisible(bool(step.figures))
        for widget in self._name:
            widget.setVisible(rig is not None and not rig.camera)
        if rig is not None:
            self._show_bodies([b.name for b in rig.body])
            if not self.names.text() and rig.camera:
                self.names.setText(", ".join(c.name for c in rig.camera) if len(rig.camera) > 1 else f"{rig.camera[0].name}, right")

    def offer_recording(self, path: str) -> None:
        """Where the last session's log is; "" hides the offer."""
        self._recording = path
        self.last.setVisible(bool(path))

    def set_scale(self, scale: float) -> None:
        self.sketch.set_scale(scale)
        for field in (*self.findChildren(QAbstractSpinBox), self.name, self.pixels, self.against):
            field.setMaximumWidth(round(220 * scale))
        if self.board is not None:
            self.board.kind.setMaximumWidth(round(320 * scale))
            self.board.dictionary.setMaximumWidth(round(220 * scale))

    def _answers(self) -> Form:
        board = self.board.board() if self.board is not None else Form().board
        against = "" if self.against.currentText() == TRACKER else self.against.currentText()
        return Form(
            board=board,
            name=self.name.text(),
            names=self.names.text(),
            size=self.pixels.currentText().strip(),
            baseline_mm=self.baseline.value(),
            check_mm=self.check.value(),
            seconds=self.seconds.value(),
            whole=self.whole.isChecked(),
            against=against,
            screen_hz=self.rate.value(),
            display_ms=self.display.value(),
        )

    def _build(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(2, 2, 8, 2)
        top = QHBoxLayout()
        words = QLabel(GUIDANCE[self.kind])
        words.setWordWrap(True)
        words.setTextFormat(Qt.TextFormat.RichText)
        top.addWidget(self.sketch)
        top.addWidget(words, 1)
        column.addLayout(top)
        column.addSpacing(6)
        column.addWidget(self._build_form())
        column.addWidget(self.known)
        column.addStretch()
        self.setWidget(inside)

    def _build_form(self) -> QFrame:
        card = QFrame()
        card.setProperty("card", True)
        grid = QGridLayout(card)
        grid.setColumnStretch(1, 1)
        grid.setHorizontalSpacing(16)
        row(grid, "Source", self.source)
        match self.kind:
            case "camera":
                self._pixels_row(grid)
                self.board = BoardForm(grid, self._changed)
                self._name = row(grid, "Name in the rig", self.name, "What the camera is called in rig.toml")
            case "cameras":
                self._pixels_row(grid)
                self.board = BoardForm(grid, self._changed)
                row(grid, "Names", self.names, "The cameras in the source's order, separated by commas; the rig's first one first")
                row(grid, "Between the lenses", self.baseline, "Measured with a ruler: it finds a board that was printed at a wrong scale")
            case "markers":
                row(grid, "Check square", self.check, "What a ruler says of the sheet's 100 mm check square")
            case "pivot":
                self._whole = row(grid, "Recording", self.whole)
                row(grid, "", self.last)
                row(grid, "Longest", self.seconds, "How long a live source is read at most")
            case "axis":
                row(grid, "V-block stands still to", self.against, "The body that the V-block is fixed to")
                row(grid, "Longest", self.seconds, "How long a live source is read at most")
            case "latency":
                row(grid, "Clock", self.clock)
                row(grid, "Screen rate", self.rate, "Of the screen that shows the clock")
                row(grid, "Screen delay", self.display, "From drawing to light; unknown, it counts as the camera's")
        grid.addWidget(dim("What you fill in here is remembered."), grid.rowCount(), 1)
        self._source_rows()
        return card

    def _pixels_row(self, grid: QGridLayout) -> None:
        self.pixels.setEditable(True)
        self.pixels.addItems(list(SIZES))
        self._pixels = row(grid, "Picture", self.pixels, "Width x height that the camera is opened at: the size that you navigate at")

    def _source_rows(self) -> None:
        """Rows that this source has no use for are hidden."""
        for widget in self._pixels:
            widget.setVisible(self.source.live)
        for widget in self._whole:
            widget.setVisible(self.source.is_log)

    def _source_changed(self) -> None:
        self._source_rows()
        self._changed()

    def _practice(self) -> str:
        return practice_address(self.kind, self._subject) if self.kind != "latency" else ""

    def _take_last(self) -> None:
        self.source.show_address(f"log:{self._recording}")

    def _show_bodies(self, names: list[str]) -> None:
        if [self.against.itemText(n) for n in range(1, self.against.count())] != names:
            chosen = self.against.currentText()
            self.against.clear()
            self.against.addItems([TRACKER, *names])
            self.against.setCurrentText(chosen if chosen in names else TRACKER)

    def _restore(self) -> None:
        kept = QSettings(*SETTINGS).value(f"calibrate/{self.kind}", "")
        try:
            form = msgspec.json.decode(str(kept), type=Form)
        except msgspec.MsgspecError:
            form = Form()
        if self.board is not None:
            self.board.show_board(form.board)
        self.name.setText(form.name or "camera")
        self.names.setText(form.names)
        self.pixels.setEditText(form.size)
        for field, value in (
            (self.baseline, form.baseline_mm), (self.check, form.check_mm), (self.seconds, form.seconds),
            (self.rate, form.screen_hz), (self.display, form.display_ms),
        ):  # fmt: skip
            field.setValue(value)
        self.whole.setChecked(form.whole)
        if form.source:
            self.source.show_address(form.source)
