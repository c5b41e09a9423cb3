"""The plain text files of scikit-surgery: bodies of ArUco markers, and cameras.

A body: one marker a line, its number, then its middle and its four corners, or its corners only (16 or 13 numbers, mm). A camera: three rows of its
matrix, a fourth row of distortion coefficients. Neither names a dictionary or an image size.
"""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import Final

from navtwin.errors import InputRefused
from navtwin.exchange.camera_file import CameraFile, camera_of
from navtwin.exchange.numerals import numbers
from navtwin.files.guard import read_text
from navtwin.nouns import SquareMarker
from navtwin.rigid import Vec3

MOST_BYTES: Final = 1024**2
MOST_MARKERS: Final = 500
#: How unlike the sides of a printed square may be, and how far its stated middle may be from its corners' mean; a part of the side.
SQUARE: Final = 0.02


def looks_like_body(head: bytes) -> bool:
    """Whether the first rows are squares in space: so many numbers in a row may be anything else."""
    rows = _rows_of(head)
    return bool(rows) and all(_square_of(row) is not None for row in rows)


def looks_like_camera(head: bytes) -> bool:
    """Whether the file is four rows, the first three of them a camera's matrix."""
    rows = _rows_of(head)
    if len(rows) != 4 or [len(row) for row in rows[:3]] != [3, 3, 3]:
        return False
    return rows[2] == [0.0, 0.0, 1.0] and rows[0][1] == rows[1][0] == 0.0 and rows[0][0] > 0.0 and rows[1][1] > 0.0


def _rows_of(head: bytes) -> list[list[float]]:
    """The whole rows of a beginning; none where something else than numbers stands in them."""
    lines = head[:8192].split(b"\n")
    whole = lines[:-1] if len(head) > 8192 else lines
    try:
        return [[float(word) for word in line.split()] for line in whole if line.strip()]
    except ValueError:
        return []


def read_markers(path: Path) -> tuple[SquareMarker, ...]:
    """The markers of a body, corners in its own axes: top left, top right, bottom right, bottom left.

    Raises
    ------
    InputRefused : rows that are no numbered squares, a number that occurs twice
    """
    found = dict[int, SquareMarker]()
    for n, line in enumerate(read_text(path, MOST_BYTES).splitlines(), 1):
        if not line.strip():
            continue
        row = numbers(line, path, f"line {n}")
        square = _square_of(list(row))
        if square is None:
            remedy = "a line is a number, a middle (3 numbers, may be left out) and four corners (12 numbers) of a square, mm"
            raise InputRefused(f"{path}, line {n} is no numbered square", remedy)
        if len(found) == MOST_MARKERS:
            raise InputRefused(f"{path} has more than {MOST_MARKERS} markers", "no body has so many")
        if square.id in found:
            raise InputRefused(f"{path}, line {n}: marker {square.id} stands there twice", "take one out")
        found[square.id] = square
    if not found:
        raise InputRefused(f"{path} holds no marker", "it is empty")
    return tuple(found.values())


def _square_of(row: list[float]) -> SquareMarker | None:
    if len(row) not in (13, 16) or not all(map(math.isfinite, row)) or row[0] != round(row[0]) or not 0 <= row[0] < 1_000_000:
        return None
    flat = row[-12:]
    corners: tuple[Vec3, Vec3, Vec3, Vec3] = tuple((flat[k], flat[k + 1], flat[k + 2]) for k in range(0, 12, 3))  # type: ignore[assignment]
    sides = [math.dist(a, b) for a, b in pairwise((*corners, corners[0]))]
    diagonals = [math.dist(corners[0], corners[2]), math.dist(corners[1], corners[3])]
    side = sum(sides) / 4.0
    middle: Vec3 = tuple(sum(c[k] for c in corners) / 4.0 for k in range(3))  # type: ignore[assignment]
    off = math.dist(middle, row[1:4]) if len(row) == 16 else 0.0
    uneven = max(*(abs(s - side) for s in sides), *(abs(d - side * math.sqrt(2.0)) for d in diagonals), off)
    return SquareMarker(int(row[0]), corners) if side > 0.0 and uneven <= SQUARE * side else None


def read_camera(path: Path, size_px: tuple[int, int] | None = None) -> CameraFile:
    """A camera; its image size has to come from elsewhere.

    Raises
    ------
    InputRefused : not three rows of a camera's matrix and one of coefficients
    """
    lines = [line for line in read_text(path, MOST_BYTES).splitlines() if line.strip()]
    if len(lines) != 4:
        raise InputRefused(
            f"{path} has {len(lines)} rows, not 4", "it needs the three rows of the camera's matrix and one of distortion coefficients"
        )
    matrix = [value for n, line in enumerate(lines[:3], 1) for value in numbers(line, path, f"row {n}", 3)]
    return camera_of(path, matrix, numbers(lines[3], path, "row 4"), size_px)
