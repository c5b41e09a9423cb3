"""The sheet's calibration board: a chessboard whose white squares carry markers (ChArUco), so that it is read even where it leaves the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tracking.detect.patterns import Bits, cells, dictionary_of
from tracking.opencv import cv2

Array = npt.NDArray[np.float64]

#: Columns and rows of squares; their side and that of the markers in them, mm; white paper left round the board, mm.
COLUMNS, ROWS = 9, 6
SQUARE_MM, MARKER_MM, MARGIN_MM = 20.0, 14.0, 3.0
#: A dictionary apart from the bodies', so that the board is never taken for one of them. Its marker cells measure 2 mm.
DICTIONARY = "5X5_100"


@dataclass(frozen=True, eq=False)
class BoardSquare:
    """A square of the board, or the paper that it is on.

    Attributes
    ----------
    corners_mm : (4, 3) top left, top right, bottom right, bottom left; origin at the board's centre, x right, y up, z towards the reader
    cells : (n, n) True where black
    marker : number of the marker; None for plain squares
    """

    corners_mm: Array
    cells: Bits
    marker: int | None = None


def calibration_board() -> Any:
    """The board as OpenCV knows it, for `cv2.aruco.CharucoDetector`."""
    words = cv2.aruco.getPredefinedDictionary(dictionary_of(DICTIONARY).number)
    return cv2.aruco.CharucoBoard((COLUMNS, ROWS), SQUARE_MM, MARKER_MM, words)


def board() -> list[BoardSquare]:
    """Everything printed on the board, the white paper under it first, then black squares and markers, none overlapping another."""
    paper = np.array([COLUMNS, ROWS]) * SQUARE_MM / 2.0 + MARGIN_MM
    printed = [BoardSquare(_corners(np.zeros(2), 2.0 * paper), np.zeros((1, 1), dtype=np.bool_))]
    number = 0
    for row in range(ROWS):
        for column in range(COLUMNS):
            centre = (np.array([column, ROWS - 1 - row]) + 0.5) * SQUARE_MM - np.array([COLUMNS, ROWS]) * SQUARE_MM / 2.0
            if (row + column) % 2 == 0:
                printed.append(BoardSquare(_corners(centre, np.full(2, SQUARE_MM)), np.ones((1, 1), dtype=np.bool_)))
            else:
                printed.append(BoardSquare(_corners(centre, np.full(2, MARKER_MM)), cells(DICTIONARY, number), number))
                number += 1
    return printed


def _corners(centre: Array, size: Array) -> Array:
    flat = np.array([(-1.0, 1.0), (1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)]) * size / 2.0 + centre
    return np.column_stack([flat, np.zeros(4)])
