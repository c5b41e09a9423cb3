"""Small parts of the case's column: buttons that name their key, numbers that no stray wheel can change, boxes of words."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from functools import partial

from PySide6.QtCore import QLocale, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QDoubleSpinBox,
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

from gui import theme
from navtwin.rigid import Vec3


def button(text: str, tip: str, act: Callable[[], object], kind: str = "", key: str = "") -> QPushButton:
    """A push button; `kind` is a property of the style sheet, `key` is named in the tooltip."""
    made = QPushButton(text)
    made.setToolTip(f"{tip} ({key})" if key else tip)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    if kind:
        made.setProperty(kind, True)
    made.clicked.connect(lambda _checked: act())
    return made


def scrolled(inner: QWidget, outer: QWidget) -> None:
    """Put `inner` into `outer`, to be scrolled up and down where it is higher."""
    scroll = QScrollArea()
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setWidget(inner)
    layout = QVBoxLayout(outer)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(scroll)


def words(text: str = "", tone: str = "", *, dim: bool = False) -> QLabel:
    """Words that wrap, in a box where they have a tone."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    if dim:
        label.setProperty("dim", True)
    if tone:
        label.setProperty("tone", tone)
    return label


class NumberBox(QDoubleSpinBox):
    """A number with its unit. It is taken over when it is complete, and the wheel turns it only after it was clicked on.

    Signals
    -------
    entered : somebody has entered another number
    """

    entered = Signal(float)

    def __init__(self, name: str, low: float, high: float, step: float, decimals: int = 1, unit: str = " mm") -> None:
        super().__init__()
        self.setLocale(QLocale.c())
        self.setRange(low, high)
        self.setSingleStep(step)
        self.setDecimals(decimals)
        self.setSuffix(unit)
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(name)
        # The widest number that can be is seldom the one that is: the column must not grow for it.
        self.setMinimumWidth(1)
        self._shown = self.value()
        self.valueChanged.connect(self._changed)

    def show_number(self, value: float) -> None:
        """Show a number that nobody has entered here."""
        self._shown = value
        if round(value, self.decimals()) != self.value():
            self.blockSignals(True)
            self.setValue(value)
            self.blockSignals(False)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def _changed(self, value: float) -> None:
        if value != round(self._shown, self.decimals()):
            self._shown = value
            self.entered.emit(value)


class PointField(QLineEdit):
    """A point of ct as it can be typed or pasted: three numbers, mm.

    Signals
    -------
    entered : somebody has entered another point (x, y, z)
    wrong : what was typed is no point; it stays to be mended
    """

    entered = Signal(object)
    wrong = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name, self._shown = name, ""
        self.setAccessibleName(name)
        self.setToolTip(f"{name} in the CT's own axes (LPS), mm: to the patient's left, to his back, to his head")
        self.editingFinished.connect(self._finished)

    def show_point(self, point_mm: Vec3) -> None:
        """Show a point that nobody has entered here; what is being typed stays."""
        words = "  ".join(f"{v:.1f}" for v in point_mm)
        if words != self._shown and not (self.hasFocus() and self.isModified()):
            self._shown = words
            self.setText(words)

    def _finished(self) -> None:
        if not self.isModified() or self.text() == self._shown:
            return
        point = parsed_point(self.text())
        if point is None:
            self.wrong.emit(f"'{self.text()}' is no {self._name}. Write three numbers in mm, as 12.5 -30 140.")
            return
        self.setModified(False)
        self._shown = ""
        self.entered.emit(point)


def parsed_point(text: str) -> Vec3 | None:
    """Three numbers, set apart by blanks, commas or semicolons; None where it is anything else."""
    parts = [part for part in re.split(r"[\s,;]+", text.strip().strip("[]()")) if part]
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return None
    return (numbers[0], numbers[1], numbers[2]) if len(numbers) == 3 and all(map(math.isfinite, numbers)) else None


class Choice(QWidget):
    """A few words of which one holds, as a row of buttons.

    Signals
    -------
    chosen : the one that was clicked
    """

    chosen = Signal(str)

    def __init__(self, options: Iterable[tuple[str, str, str]], kind: str = "") -> None:
        """`options`: value, what the button says, tooltip."""
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self.buttons: dict[str, QPushButton] = {}
        for value, text, tip in options:
            made = button(text, tip, partial(self._choose, value), kind)
            made.setCheckable(True)
            made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            self.buttons[value] = made
            # As wide as its word, and then alike of what room is left.
            row.addWidget(made)

    def show_chosen(self, value: str) -> None:
        for name, one in self.buttons.items():
            one.setChecked(name == value)

    def _choose(self, value: str) -> None:
        self.show_chosen(value)
        self.chosen.emit(value)


class Swatch(QAbstractButton):
    """A colour to choose; the chosen one has a ring."""

    def __init__(self, color: str, name: str, scale: float = 1.0) -> None:
        super().__init__()
        self.color = color
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(name)
        self.setToolTip(f"Colour: {name}")
        self.set_scale(scale)

    def set_scale(self, scale: float) -> None:
        self.setFixedSize(round(24 * scale), round(32 * scale))

    def paintEvent(self, event: QPaintEvent) -> None:
        ink = theme.ink()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self.rect().adjusted(3, 5, -3, -5)
        theme.fill(painter, box, self.color, 5.0)
        if self.isChecked() or self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(ink.accent if self.isChecked() else ink.text), 2.0))
            painter.drawRoundedRect(self.rect().adjusted(1, 1, -2, -2), 6.0, 6.0)
        painter.end()


def rows(parent: QWidget | None = None) -> tuple[QWidget, QGridLayout]:
    """A grid of names on the left and what they name on the right."""
    made = QWidget(parent)
    grid = QGridLayout(made)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(10)
    grid.setVerticalSpacing(6)
    grid.setColumnStretch(1, 1)
    return made, grid


def add_row(grid: QGridLayout, name: str, widget: QWidget) -> QLabel:
    """One more row; the name is the widget's buddy."""
    label = QLabel(name)
    label.setBuddy(widget)
    at = grid.rowCount()
    grid.addWidget(label, at, 0)
    grid.addWidget(widget, at, 1)
    return label
