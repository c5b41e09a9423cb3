"""Calibration targets and their corners in an image: ChArUco boards and chessboards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from tracking.opencv import cv2

Array = npt.NDArray[np.float64]
Grey = npt.NDArray[np.uint8]

#: Fewer corners of a board than this fix no pose worth having.
MIN_CORNERS = 8


@dataclass(frozen=True, eq=False)
class BoardView:
    """The corners of a board that one image shows.

    Attributes
    ----------
    ids : (N,) numbers of the corners on the board, ascending
    board_mm : (N, 3) where they are on the board, z = 0
    seen_px : (N, 2) where they are in the image
    width_px, height_px : the image's size
    name : of the image, for messages
    speed_px_s : how fast the board crossed the image; None where unknown
    """

    ids: npt.NDArray[np.int32]
    board_mm: Array
    seen_px: Array
    width_px: int
    height_px: int
    name: str = ""
    speed_px_s: float | None = None

    def __post_init__(self) -> None:
        ids = np.array(self.ids, dtype=np.int32).ravel()
        board, seen = np.array(self.board_mm, dtype=np.float64), np.array(self.seen_px, dtype=np.float64)
        if board.shape != (len(ids), 3) or seen.shape != (len(ids), 2) or len(ids) < MIN_CORNERS:
            raise InputRefused(
                f"view '{self.name}' has {len(ids)} corners, places {board.shape} and pixels {seen.shape}", f"pass at least {MIN_CORNERS} of each"
            )
        if not (np.isfinite(board).all() and np.isfinite(seen).all()):
            raise InputRefused(f"view '{self.name}' holds NaN or infinite corners", "leave those corners out")
        if np.abs(board[:, 2]).max() > 0.0:
            raise InputRefused(f"the board of view '{self.name}' is not flat (z = 0)", "calibrate with a flat board")
        if len(np.unique(ids)) != len(ids):
            raise InputRefused(f"view '{self.name}' has a corner twice", "leave out mirrored or second boards")
        for key, array in (("ids", ids), ("board_mm", board), ("seen_px", seen)):
            array.setflags(write=False)
            object.__setattr__(self, key, array)


@dataclass(frozen=True)
class Target:
    """A board: what it is called, its corners, and how to find them.

    Attributes
    ----------
    corners_mm : (M, 3) all corners of the board, by number
    find : grey image -> numbers (N,) and pixels (N, 2) of those seen
    one_way_up : whether a corner is known from all others however the board is turned; a chessboard may be half a turn round
    """

    name: str
    corners_mm: Array
    find: Callable[[Grey], tuple[npt.NDArray[np.int32], Array]]
    one_way_up: bool

    def view(self, grey: Grey, name: str = "") -> BoardView | None:
        """The board in an (H, W) 8-bit grey image; None if it is not there, or too little of it."""
        if grey.dtype != np.uint8 or grey.ndim != 2 or 0 in grey.shape:
            raise InputRefused(f"the image '{name}' has shape {grey.shape} and type {grey.dtype}", "pass 8-bit grey (H, W)")
        ids, pixels = self.find(np.ascontiguousarray(grey))
        # Corners in one line of the board fix no pose.
        if len(ids) < MIN_CORNERS or np.linalg.svd(self.corners_mm[ids] - self.corners_mm[ids].mean(axis=0), compute_uv=False)[1] < 1.0:
            return None
        return BoardView(ids, self.corners_mm[ids], pixels, grey.shape[1], grey.shape[0], name)


def charuco(columns: int, rows: int, square_mm: float, marker_mm: float, dictionary: str = "5X5_100", *, legacy: bool = False) -> Target:
    """A ChArUco board of `columns` by `rows` squares.

    Parameters
    ----------
    legacy : boards printed by OpenCV before 4.6 with an even number of rows begin with a white square
    """
    from tracking.detect.patterns import dictionary_of

    _checked(columns, rows, square_mm)
    if not 0.0 < marker_mm < square_mm:
        raise InputRefused(f"markers of {marker_mm:g} mm do not fit into squares of {square_mm:g} mm", "measure both on the print")
    words = cv2.aruco.getPredefinedDictionary(dictionary_of(dictionary).number)
    if columns * rows // 2 > len(words.bytesList):
        raise InputRefused(
            f"a board of {columns} x {rows} squares needs more markers than {dictionary} has", "name the dictionary it was printed with"
        )
    board = cv2.aruco.CharucoBoard((columns, rows), square_mm, marker_mm, words)
    board.setLegacyPattern(legacy)
    return _of_board(board, f"charuco {columns} x {rows}, {square_mm:g} mm, {dictionary}")


def sheet_target(square_mm: float | None = None) -> Target:
    """The ChArUco board that `navtwin markers sheet` prints; `square_mm` as measured, where the printer did not keep the size."""
    from tracking.kit.board import COLUMNS, DICTIONARY, ROWS, SQUARE_MM, calibration_board

    side = SQUARE_MM if square_mm is None else square_mm
    _checked(COLUMNS, ROWS, side)
    found = _of_board(calibration_board(), f"charuco {COLUMNS} x {ROWS}, {side:g} mm, {DICTIONARY} (the sheet's)")
    return replace(found, corners_mm=found.corners_mm * (side / SQUARE_MM))


def _of_board(board: cv2.aruco.CharucoBoard, name: str) -> Target:
    detector = cv2.aruco.CharucoDetector(board)
    corners = np.asarray(board.getChessboardCorners(), dtype=np.float64)

    def find(grey: Grey) -> tuple[npt.NDArray[np.int32], Array]:
        pixels, ids, _, _ = detector.detectBoard(grey)
        if ids is None or len(ids) == 0:
            return np.zeros(0, np.int32), np.zeros((0, 2))
        numbers = np.asarray(ids, dtype=np.int32).ravel()
        order = np.argsort(numbers)
        return numbers[order], np.asarray(pixels, dtype=np.float64).reshape(-1, 2)[order]

    return Target(name, corners, find, one_way_up=True)


def chessboard(columns: int, rows: int, square_mm: float) -> Target:
    """A chessboard of `columns` by `rows` inner corners (one fewer than squares), found whole or not at all (`findChessboardCornersSB`)."""
    _checked(columns, rows, square_mm)
    corners = np.array([(c * square_mm, r * square_mm, 0.0) for r in range(rows) for c in range(columns)])
    flags = cv2.CALIB_CB_NORMALIZE_IMAGE | cv2.CALIB_CB_EXHAUSTIVE | cv2.CALIB_CB_ACCURACY

    def find(grey: Grey) -> tuple[npt.NDArray[np.int32], Array]:
        found, pixels = cv2.findChessboardCornersSB(grey, (columns, rows), flags=flags)
        if not found:
            return np.zeros(0, np.int32), np.zeros((0, 2))
        return np.arange(len(corners), dtype=np.int32), np.asarray(pixels, dtype=np.float64).reshape(-1, 2)

    return Target(f"chessboard {columns} x {rows} inner corners, {square_mm:g} mm", corners, find, one_way_up=(columns + rows) % 2 == 1)


def _checked(columns: int, rows: int, square_mm: float) -> None:
    if min(columns, rows) < 3 or max(columns, rows) > 100:
        raise InputRefused(
            f"a board of {columns} x {rows} cannot be calibrated with", "count its squares (charuco) or inner corners (chessboard): 3 to 100 a side"
        )
    if not (np.isfinite(square_mm) and square_mm > 0.0):
        raise InputRefused(f"the squares' side is {square_mm} mm", "measure it on the print, in mm")
