"""Kernel: which marker, if any, the pixels inside a quadrilateral show."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tracking.detect.patterns import Dictionary
from tracking.jit import compiled

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint64]

#: Least difference between paper and border, grey levels.
LEAST_CONTRAST = 12.0
#: Share of the border's cells that may be wrong (OpenCV's rule).
BORDER_SHARE = 0.35


def codes_of(words: Dictionary, ids: npt.NDArray[np.int64]) -> Codes:
    """(K, 4) the white cells inside the border of each marker as bits, for each quarter turn: entry r is what is read from corner r onwards."""
    inner = words.size - 2
    place = np.uint64(1) << np.arange(inner * inner, dtype=np.uint64)
    white = ~words.black[ids, 1:-1, 1:-1]
    turned = [np.rot90(white, turn, axes=(1, 2)).reshape(len(ids), inner * inner) for turn in range(4)]
    return np.stack([(bits * place).sum(axis=1, dtype=np.uint64) for bits in turned], axis=1)


@compiled
def _level(image: npt.NDArray[np.uint8], x: float, y: float) -> float:
    """Bilinear; of the nearest pixel inside the image."""
    height, width = image.shape
    x, y = min(max(x, 0.0), width - 1.001), min(max(y, 0.0), height - 1.001)
    i, j = math.floor(y), math.floor(x)
    down, over = y - i, x - j
    upper = (1.0 - over) * image[i, j] + over * image[i, j + 1]
    lower = (1.0 - over) * image[i + 1, j] + over * image[i + 1, j + 1]
    return float((1.0 - down) * upper + down * lower)


@compiled
def _deepening(c: Array) -> tuple[float, float, float]:
    """Twice the area between two of a square's edges (px^2, negative if it goes clockwise and has any) and how depth grows along its first two.

    Of the square's homography: Heckbert, "Fundamentals of texture mapping", 1989, section 2.2.3.
    """
    px, py = c[0, 0] - c[1, 0] + c[2, 0] - c[3, 0], c[0, 1] - c[1, 1] + c[2, 1] - c[3, 1]
    ax, ay, bx, by = c[1, 0] - c[2, 0], c[1, 1] - c[2, 1], c[3, 0] - c[2, 0], c[3, 1] - c[2, 1]
    determinant = ax * by - ay * bx
    return determinant, (px * by - py * bx) / determinant, (ax * py - ay * px) / determinant


@compiled
def _place(c: Array, g: float, h: float, u: float, v: float) -> tuple[float, float]:
    """Where in the image the place (u, v) of a square is, 0 to 1 from its first corner to the second and to the fourth."""
    depth = max(g * u + h * v + 1.0, 1e-3)
    x = ((c[1, 0] - c[0, 0] + g * c[1, 0]) * u + (c[3, 0] - c[0, 0] + h * c[3, 0]) * v + c[0, 0]) / depth
    y = ((c[1, 1] - c[0, 1] + g * c[1, 1]) * u + (c[3, 1] - c[0, 1] + h * c[3, 1]) * v + c[0, 1]) / depth
    return x, y


@compiled
def read_squares(
    image: npt.NDArray[np.uint8],
    corners_px: Array,
    size: int,
    codes: Codes,
    correctable: int,
    which: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
) -> None:
    """Read squares.

    Parameters
    ----------
    image : (H, W) grey, at least 2 x 2
    corners_px : (N, 4, 2) clockwise
    size : cells across, border included
    codes : (K, 4) of `codes_of`
    correctable : wrong cells inside the border that are let pass
    which : (N,) out; row of `codes`, or -1 if the square has no black border on lighter ground, or shows none of the markers
    first : (N,) out; the corner that is the upright marker's top left one
    """
    levels = np.zeros((size, size))
    for square in range(len(corners_px)):
        c = corners_px[square]
        which[square], first[square] = -1, 0
        determinant, g, h = _deepening(c)
        if not determinant < -1.0:
            continue  # no area, or not clockwise
        dark = light = 0.0
        # One ring of cells more than the marker has: its white margin.
        for row in range(-1, size + 1):
            for column in range(-1, size + 1):
                x, y = _place(c, g, h, (column + 0.5) / size, (row + 0.5) / size)
                level = _level(image, x, y)
                if row in (-1, size) or column in (-1, size):
                    light += level
                else:
                    levels[row, column] = level
                    if row in (0, size - 1) or column in (0, size - 1):
                        dark += level
        around = 4 * (size - 1)
        light, dark = light / (4 * (size + 1)), dark / around
        if light - dark < LEAST_CONTRAST:
            continue
        threshold = 0.5 * (light + dark)
        wrong = 0
        code, place = np.uint64(0), np.uint64(1)
        for row in range(size):
            for column in range(size):
                white = levels[row, column] > threshold
                if row in (0, size - 1) or column in (0, size - 1):
                    wrong += white
                else:
                    if white:
                        code |= place
                    place <<= np.uint64(1)
        if wrong > BORDER_SHARE * around:
            continue
        fewest = correctable + 1
        for k in range(len(codes)):
            for turn in range(4):
                differing = code ^ codes[k, turn]
                count = 0
                while differing != np.uint64(0) and count < fewest:
                    differing &= differing - np.uint64(1)
                    count += 1
                if count < fewest:
                    fewest, which[square], first[square] = count, k, (4 - turn) % 4


@compiled
def misplaced_share(image: npt.NDArray[np.uint8], corners_px: Array, black: npt.NDArray[np.bool_], middle_grey: Array, share: Array) -> None:
    """How far the cells are from where the corners have them: a cell's quarters are looked at near their outer ends, where a shift shows first.

    Parameters
    ----------
    image : (H, W) grey, at least 2 x 2
    corners_px : (N, 4, 2) clockwise, the upright marker's top left one first
    black : (N, n, n) the markers' cells
    middle_grey : (N,) between black and white
    share : (N,) out; share of the quarters that have the wrong colour
    """
    size = black.shape[1]
    for square in range(len(corners_px)):
        c = corners_px[square]
        determinant, g, h = _deepening(c)
        share[square] = 1.0
        if not determinant < -1.0:
            continue
        wrong = 0
        for row in range(2 * size):
            for column in range(2 * size):
                # Quarters of the cells, each at a fifth of the cell from its border.
                u = (column // 2 + (0.2 if column % 2 == 0 else 0.8)) / size
                v = (row // 2 + (0.2 if row % 2 == 0 else 0.8)) / size
                x, y = _place(c, g, h, u, v)
                wrong += (_level(image, x, y) < middle_grey[square]) != black[square, row // 2, column // 2]
        share[square] = wrong / (4 * size * size)
