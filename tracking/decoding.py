"""Kernel: is this quadrilateral of pixels that marker?"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from numba import njit

Array = npt.NDArray[np.float64]

F = TypeVar("F", bound=Callable[..., object])


def _jit(function: F) -> F:
    compiled: F = njit(cache=True, nogil=True, error_model="numpy")(function)
    return compiled


@_jit
def wrong_cells(
    image: npt.NDArray[np.uint8],
    corners_px: Array,
    black: npt.NDArray[np.bool_],
    threshold: Array,
    border: npt.NDArray[np.int64],
    inner: npt.NDArray[np.int64],
) -> None:
    """Count the cells whose middle is not of the colour that the pattern has there.

    Parameters
    ----------
    image : (H, W) grey
    corners_px : (N, 4, 2) clockwise, the upright marker's top left one first
    black : (N, n, n) the patterns
    threshold : (N,) grey levels between black and white
    border, inner : (N,) out; wrong cells of the black border and of the pattern inside. Cells outside the image are wrong
    """
    height, width = image.shape
    size = black.shape[1]
    for marker in range(len(corners_px)):
        c = corners_px[marker]
        border[marker] = inner[marker] = 0
        # The square's homography: Heckbert, "Fundamentals of texture mapping", 1989, section 2.2.3.
        px, py = c[0, 0] - c[1, 0] + c[2, 0] - c[3, 0], c[0, 1] - c[1, 1] + c[2, 1] - c[3, 1]
        ax, ay, bx, by = c[1, 0] - c[2, 0], c[1, 1] - c[2, 1], c[3, 0] - c[2, 0], c[3, 1] - c[2, 1]
        determinant = ax * by - ay * bx
        g, h = (px * by - py * bx) / determinant, (ax * py - ay * px) / determinant
        for row in range(size):
            for column in range(size):
                u, v = (column + 0.5) / size, (row + 0.5) / size
                depth = g * u + h * v + 1.0
                x = ((c[1, 0] - c[0, 0] + g * c[1, 0]) * u + (c[3, 0] - c[0, 0] + h * c[3, 0]) * v + c[0, 0]) / depth
                y = ((c[1, 1] - c[0, 1] + g * c[1, 1]) * u + (c[3, 1] - c[0, 1] + h * c[3, 1]) * v + c[0, 1]) / depth
                right = False
                if 0.0 <= x < width - 1 and 0.0 <= y < height - 1:
                    i, j = math.floor(y), math.floor(x)
                    down, over = y - i, x - j
                    level = (1.0 - down) * ((1.0 - over) * image[i, j] + over * image[i, j + 1])
                    level += down * ((1.0 - over) * image[i + 1, j] + over * image[i + 1, j + 1])
                    right = (level < threshold[marker]) == black[marker, row, column]
                if not right:
                    if row in (0, size - 1) or column in (0, size - 1):
                        border[marker] += 1
                    else:
                        inner[marker] += 1
