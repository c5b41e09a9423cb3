"""Places in the picture of a square, and the grey there."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from navtwin.jit import compiled

Array = npt.NDArray[np.float64]


@compiled
def grey_at(image: npt.NDArray[np.uint8], x: float, y: float) -> float:
    """Bilinear; of the nearest pixel inside the image."""
    height, width = image.shape
    x, y = min(max(x, 0.0), width - 1.001), min(max(y, 0.0), height - 1.001)
    i, j = math.floor(y), math.floor(x)
    down, over = y - i, x - j
    upper = (1.0 - over) * image[i, j] + over * image[i, j + 1]
    lower = (1.0 - over) * image[i + 1, j] + over * image[i + 1, j + 1]
    return float((1.0 - down) * upper + down * lower)


@compiled
def deepening(c: Array, first: int) -> tuple[float, float, float]:
    """How depth grows along a square's edges, from its corner `first` on to the next and back to the last one.

    Before them, twice the area between the two other edges (px^2): negative if the corners go clockwise and have any. Of the square's homography:
    Heckbert, "Fundamentals of texture mapping", 1989, section 2.2.3.
    """
    o, a, b, d = first, (first + 1) % 4, (first + 2) % 4, (first + 3) % 4
    px, py = c[o, 0] - c[a, 0] + c[b, 0] - c[d, 0], c[o, 1] - c[a, 1] + c[b, 1] - c[d, 1]
    ax, ay, bx, by = c[a, 0] - c[b, 0], c[a, 1] - c[b, 1], c[d, 0] - c[b, 0], c[d, 1] - c[b, 1]
    determinant = ax * by - ay * bx
    return determinant, (px * by - py * bx) / determinant, (ax * py - ay * px) / determinant


@compiled
def place_of(c: Array, first: int, g: float, h: float, u: float, v: float) -> tuple[float, float]:
    """Where in the image the place (u, v) of a square is, 0 to 1 from its corner `first` to the next and to the last one."""
    o, a, d = first, (first + 1) % 4, (first + 3) % 4
    depth = max(g * u + h * v + 1.0, 1e-3)
    x = ((c[a, 0] - c[o, 0] + g * c[a, 0]) * u + (c[d, 0] - c[o, 0] + h * c[d, 0]) * v + c[o, 0]) / depth
    y = ((c[a, 1] - c[o, 1] + g * c[a, 1]) * u + (c[d, 1] - c[o, 1] + h * c[d, 1]) * v + c[o, 1]) / depth
    return x, y
