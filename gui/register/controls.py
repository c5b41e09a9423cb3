"""What can be pressed: the pointer and the dwell, touch, sweep, compute, judge and check; each with its key."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui.register.model import Action, Course, Method
from gui.register.ring import DwellRing
from navtwin.bus.words import name_words

#: Keys as Qt spells them, and as they are written in tooltips.
KEYS: dict[Action, tuple[str, ...]] = {
    "touch": ("Return", "Enter"), "cancel": ("Backspace",), "undo": ("Ctrl+Z",), "sweep": ("W",), "register": ("R",), "accept": ("A",),
    "reject": ("X",), "check": ("C",), "calibrate": (),
}  # fmt: skip
TIPS: dict[Action, str] = {
    "touch": "Begin a dwell on the next landmark, or on the chosen one (Return)",
    "cancel": "Break off what is being collected (Backspace)",
    "undo": "Take back the last landmark or sweep (Ctrl+Z)",
    "sweep": "Begin or end a sweep over the bone (W)",
    "register": "Compute a registration from what was touched, without what is not to be used (R)",
    "accept": "Take the registration into use (A). Only what the gate has accepted can be",
    "reject": "Drop the registration that waits (X)",
    "check": "Touch the chosen landmark, or the bone anywhere, and see how far off the registration is there (C)",
    "calibrate": "Go to Calibrate (2)",
}
TEXTS: dict[Action, str] = {
    "touch": "Touch", "cancel": "Cancel", "undo": "Undo", "sweep": "Sweep", "register": "Compute", "accept": "Accept", "reject": "Reject",
    "check": "Check", "calibrate": "Calibrate the pointer",
}  # fmt: skip
METHODS: dict[Method, str] = {"landmarks+surface": "landmarks and surface", "landmarks": "landmarks alone"}
DWELLS_S = (0.5, 1.0, 2.0, 3.0)


class Controls(QWidget):
    """The right column's upper part.

    Signals
    -------
    asked : an `Action`
    pointer_chosen, method_chosen, dwell_chosen : what was chosen
    """

    asked = Signal(str)
    pointer_chosen = Signal(str)
    method_chosen = Signal(str)
    dwell_chosen = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ring = DwellRing()
        self.buttons: dict[Action, QPushButton] = {action: self._button(action) for action in TEXTS}
        self.pointer, self.method, self.dwell = QComboBox(), QComboBox(), QComboBox()
        self.pointer.setToolTip("The tool that touches. Its tip has to be calibrated")
        self.pointer.setAccessibleName("tool that touches")
        self.pointer.textActivated.connect(lambda _text: self.pointer_chosen.emit(str(self.pointer.currentData())))
        for method, words in METHODS.items():
            self.method.addItem(words, method)
        self.method.setToolTip("What the registration is computed from (Y changes it). A surface holds it better")
        self.method.setAccessibleName("method")
        self.method.activated.connect(lambda _n: self.method_chosen.emit(str(self.method.currentData())))
        for seconds in DWELLS_S:
            self.dwell.addItem(f"{seconds:g} s", seconds)
        self.dwell.setCurrentIndex(DWELLS_S.index(1.0))
        self.dwell.setToolTip("How long the tip has to be still")
        self.dwell.setAccessibleName("length of a dwell")
        self.dwell.activated.connect(lambda _n: self.dwell_chosen.emit(float(self.dwell.currentData())))
        for box in (self.pointer, self.method, self.dwell):
            box.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.sight = QLabel()
        self.sight.setProperty("dim", True)
        self.sight.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.answer = QLabel()
        self.answer.setWordWrap(True)
        self.answer.setProperty("tone", "warn")
        self.answer.hide()
        self._lay_out()

    def show_course(self, course: Course | None) -> None:
        """What can be asked for now, and what is meant to be next; None: nothing can."""
        can = course.can if course is not None else frozenset[Action]()
        busy = course is not None and course.touching != ""
        for action, button in self.buttons.items():
            button.setEnabled(action in can)
            _primary(button, on=course is not None and action == course.primary)
        sweeping = course is not None and course.touching == "sweep"
        self.buttons["sweep"].setText("End sweep" if sweeping else "Sweep")
        self.buttons["cancel"].setVisible(busy)
        self.buttons["calibrate"].setVisible(course is not None and course.primary == "calibrate")
        judging = "reject" in can
        for action, shown in (("accept", judging), ("reject", judging), ("register", not judging), ("check", not judging)):
            self.buttons[action].setVisible(shown)
        # A verdict needs the room, and nobody touches meanwhile.
        for part in (self.ring, self.sight, self.pointer, self.dwell, self.method):
            part.setVisible(not judging)
        for action, shown in (("touch", not judging and not busy), ("sweep", not judging), ("undo", not judging)):
            self.buttons[action].setVisible(shown)

    def show_pointers(self, names: tuple[str, ...], chosen: str) -> None:
        """The tools that may touch."""
        if [self.pointer.itemData(n) for n in range(self.pointer.count())] != list(names):
            self.pointer.clear()
            for name in names:
                self.pointer.addItem(name_words(name), name)
        at = self.pointer.findData(chosen)
        if at >= 0 and at != self.pointer.currentIndex():
            self.pointer.setCurrentIndex(at)

    def show_method(self, method: Method) -> None:
        at = self.method.findData(method)
        if at != self.method.currentIndex():
            self.method.setCurrentIndex(at)

    def show_sight(self, words: str, seen: bool) -> None:
        """Whether a touch could be taken now: told by a sign before a word."""
        sign = "\N{BLACK CIRCLE}" if seen else "\N{WHITE CIRCLE}"
        text = f"{sign}  {words}"
        if text != self.sight.text():
            self.sight.setText(text)

    def show_answer(self, words: str) -> None:
        """What became of an order, where it was given; "" for nothing to say."""
        if words != self.answer.text():
            self.answer.setText(words)
            self.answer.setVisible(bool(words))

    def set_scale(self, scale: float) -> None:
        self.ring.set_scale(scale)
        for layout in self._spaced:
            layout.setSpacing(round(8 * scale))
        for action, button in self.buttons.items():
            button.setMinimumHeight(round((34 if action in ("undo", "cancel") else 44) * scale))
        for box in (self.pointer, self.method, self.dwell):
            box.setMinimumHeight(round(36 * scale))

    def _lay_out(self) -> None:
        tools = QHBoxLayout()
        tools.addWidget(self.pointer, 3)
        tools.addWidget(self.dwell, 2)
        grid = QGridLayout()
        places: tuple[tuple[Action, int, int, int], ...] = (
            ("calibrate", 0, 0, 2), ("touch", 1, 0, 2), ("cancel", 1, 0, 2), ("sweep", 2, 0, 1), ("undo", 2, 1, 1),
            ("register", 4, 0, 1), ("check", 4, 1, 1), ("accept", 5, 0, 1), ("reject", 5, 1, 1),
        )  # fmt: skip
        for action, row, at, wide in places:
            grid.addWidget(self.buttons[action], row, at, 1, wide)
        grid.addWidget(self.method, 3, 0, 1, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._spaced = (column, tools, grid)
        column.addWidget(self.ring)
        column.addWidget(self.sight)
        column.addLayout(tools)
        column.addLayout(grid)
        column.addWidget(self.answer)

    def _button(self, action: Action) -> QPushButton:
        button = QPushButton(TEXTS[action])
        button.setToolTip(TIPS[action])
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(partial(self.asked.emit, action))
        return button


def _primary(button: QPushButton, *, on: bool) -> None:
    """Give a button the one accent, or take it."""
    if bool(button.property("primary")) != on:
        button.setProperty("primary", on)
        button.style().unpolish(button)
        button.style().polish(button)
