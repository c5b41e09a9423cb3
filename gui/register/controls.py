"""What can be pressed: the pointer and the dwell, touch, sweep, compute, judge and check; each with its key."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui import theme
from gui.register.model import Action, Course, Method
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
#: Heights of the rows of buttons, in design pixels, and how many columns they share.
FIRST_ROW, OTHER_ROW, COLUMNS = 46, 38, 6
DWELLS_S = (0.5, 1.0, 2.0, 3.0)


class Controls(QWidget):
    """The right column's upper part: the pointer, then what can be asked for, on top and largest what is meant to be next.

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
        self.buttons: dict[Action, QPushButton] = {action: self._button(action) for action in TEXTS}
        self.pointer, self.method, self.dwell = QComboBox(self), QComboBox(self), QComboBox(self)
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
        self.word = QLabel()
        self.word.setWordWrap(True)
        self.word.setProperty("dim", True)
        self.answer = QLabel()
        self.answer.setWordWrap(True)
        self.answer.setProperty("tone", "warn")
        self.answer.hide()
        self._scale = 1.0
        self._rows: tuple[tuple[str, ...], ...] = ()
        self._lay_out()

    def show_course(self, course: Course | None) -> None:
        """What can be asked for now, and what is meant to be next; None: nothing can."""
        can = course.can if course is not None else frozenset[Action]()
        busy = course is not None and course.touching != ""
        for action, button in self.buttons.items():
            button.setEnabled(action in can)
            theme.set_primary(button, primary=course is not None and action == course.primary)
        rows = rows_of(course)
        if rows != self._rows:
            self._rows = rows
            self._arrange(rows)
        self.buttons["sweep"].setText("End sweep" if course is not None and course.touching == "sweep" else "Sweep")
        # A verdict needs the room, and nobody touches meanwhile.
        for part in (self.sight, self.pointer, self.dwell):
            part.setVisible("accept" not in rows[0])
        for box in (self.pointer, self.method, self.dwell):
            box.setEnabled(not busy)

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

    def show_word(self, words: str, bad: bool) -> None:
        """What the core last said."""
        theme.say(self.word, words, "warn" if bad else "")

    def show_answer(self, words: str) -> None:
        """What became of an order, where it was given; "" for nothing to say."""
        theme.say(self.answer, words)

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        for layout in self._spaced:
            layout.setSpacing(round(8 * scale))
        for box in (self.pointer, self.method, self.dwell):
            box.setMinimumHeight(round(36 * scale))
        self._arrange(self._rows)

    def _lay_out(self) -> None:
        tools = QHBoxLayout()
        tools.addWidget(self.pointer, 3)
        tools.addWidget(self.dwell, 2)
        self._grid = QGridLayout()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._spaced = (column, tools, self._grid)
        column.addWidget(self.sight)
        column.addLayout(tools)
        column.addLayout(self._grid)
        column.addWidget(self.word)
        column.addWidget(self.answer)

    def _arrange(self, rows: tuple[tuple[str, ...], ...]) -> None:
        """Put buttons into rows, the first one taller; what is in none is hidden."""
        parts: dict[str, QWidget] = {"method": self.method, **{str(action): button for action, button in self.buttons.items()}}
        for part in parts.values():
            self._grid.removeWidget(part)
        for name, part in parts.items():
            part.setVisible(any(name in row for row in rows))
        for y, row in enumerate(rows):
            wide = COLUMNS // len(row)
            for x, name in enumerate(row):
                parts[name].setMinimumHeight(round((FIRST_ROW if y == 0 else OTHER_ROW) * self._scale))
                self._grid.addWidget(parts[name], y, x * wide, 1, wide)

    def _button(self, action: Action) -> QPushButton:
        button = QPushButton(TEXTS[action], self)
        button.setToolTip(TIPS[action])
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(partial(self.asked.emit, action))
        return button


def rows_of(course: Course | None) -> tuple[tuple[str, ...], ...]:
    """Which buttons there are (`method` is the choice of one), row by row: what is next first, nothing that makes no sense now."""
    if course is None:
        return ((),)
    if course.touching:
        return (("sweep",), ("cancel",)) if course.touching == "sweep" else (("cancel",),)
    if "reject" in course.can:
        return (("accept", "reject"),)
    if course.primary == "calibrate":
        return (("calibrate",),)
    first = course.primary or ("check" if "check" in course.can else "touch")
    rest = (("touch", "sweep", "undo"), ("method", "register"))
    return ((first,), *(tuple(name for name in row if name != first) for row in rest))
