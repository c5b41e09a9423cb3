"""Which board is shown to the camera: its kind, its squares, and their sides as a ruler finds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QGridLayout, QHBoxLayout, QLabel, QSpinBox, QWidget

from gui.calibrate.controls import row
from gui.calibrate.forms import Board, BoardKind

KIND_WORDS: dict[BoardKind, str] = {"sheet": "the printed sheet's board", "charuco": "another ChArUco board", "chessboard": "a chessboard"}
DICTIONARIES = ("4X4_50", "4X4_100", "4X4_250", "5X5_100", "5X5_250", "6X6_250", "ARUCO_ORIGINAL", "APRILTAG_36h11")
KINDS: tuple[BoardKind, ...] = get_args(BoardKind)


class BoardForm:
    """The rows of a form that describe a board."""

    def __init__(self, grid: QGridLayout, changed: Callable[[], None]) -> None:
        self.kind = QComboBox()
        self.kind.addItems([KIND_WORDS[kind] for kind in KINDS])
        row(grid, "Board", self.kind, "The board that you hold before the camera")
        self.columns, self.rows = whole(3, 100), whole(3, 100)
        counts = QWidget()
        line = QHBoxLayout(counts)
        line.setContentsMargins(0, 0, 0, 0)
        for widget in (self.columns, QLabel("×"), self.rows):
            line.addWidget(widget)
        line.addStretch()
        self._counts = row(grid, "Squares", counts, "Squares across and down (ChArUco), or inner corners across and down (chessboard)")
        self.square, self.marker = number(0.5, 500.0, " mm"), number(0.5, 500.0, " mm")
        self._square = row(grid, "Side of a square", self.square, "As a ruler finds it on the print: measure ten squares and divide")
        self._marker = row(grid, "Side of a marker", self.marker, "Of the black square inside a white one")
        self.dictionary = QComboBox()
        self.dictionary.setEditable(True)
        self.dictionary.addItems(list(DICTIONARIES))
        self._dictionary = row(grid, "Dictionary", self.dictionary, "Which set of markers the board was printed with")
        self.legacy = QCheckBox("its first square is white")
        self._legacy = row(grid, "", self.legacy, "Boards with an even number of rows that OpenCV before 4.6 made")
        self.kind.currentIndexChanged.connect(lambda _n: self._show_kind())
        for spin in (self.columns, self.rows):
            spin.valueChanged.connect(lambda _value: changed())
        for measure in (self.square, self.marker):
            measure.valueChanged.connect(lambda _value: changed())
        self.kind.currentIndexChanged.connect(lambda _n: changed())
        self._show_kind()

    def board(self) -> Board:
        """As it is filled in."""
        return Board(
            KINDS[self.kind.currentIndex()],
            self.columns.value(),
            self.rows.value(),
            self.square.value(),
            self.marker.value(),
            self.dictionary.currentText(),
            self.legacy.isChecked(),
        )

    def show_board(self, board: Board) -> None:
        """Fill it in."""
        self.kind.setCurrentIndex(KINDS.index(board.kind))
        self.columns.setValue(board.columns)
        self.rows.setValue(board.rows)
        self.square.setValue(board.square_mm)
        self.marker.setValue(board.marker_mm)
        self.dictionary.setEditText(board.dictionary)
        self.legacy.setChecked(board.legacy)

    def _show_kind(self) -> None:
        kind = KINDS[self.kind.currentIndex()]
        label = self._counts[0]
        label.setText("Squares" if kind == "charuco" else "Inner corners")
        for pair, wanted in ((self._counts, kind != "sheet"), (self._marker, kind == "charuco"), (self._dictionary, kind == "charuco")):
            for widget in pair:
                widget.setVisible(wanted)
        for widget in self._legacy:
            widget.setVisible(kind == "charuco")


def number(low: float, high: float, suffix: str, digits: int = 2, *, none: str = "") -> QDoubleSpinBox:
    """A field for a measured number; at its lowest value it says `none`, where that is given."""
    field = QDoubleSpinBox()
    field.setRange(low, high)
    field.setDecimals(digits)
    field.setSuffix(suffix)
    if none:
        field.setSpecialValueText(none)
    return field


def whole(low: int, high: int) -> QSpinBox:
    """A field for a count."""
    field = QSpinBox()
    field.setRange(low, high)
    return field
