"""Kernel: from the errors of a square's four edges to those of its four corners."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from navtwin.jit import compiled

Array = npt.NDArray[np.float64]

#: Least sine of the angle between two edges that is believed: what they cross at is not known at all if they are nearly parallel.
LEAST_SINE = 0.02


@compiled
def corner_covariance(corners_px: Array, ends: Array, joint: Array) -> None:
    """Each corner is where the end of one edge meets the start of the next.

    Parameters
    ----------
    corners_px : (N, 4, 2) clockwise
    ends : (N, 4, 3) px^2, of each edge's place at its start and at its end: variance, variance, covariance
    joint : (N, 8, 8) px^2, out; of a square's eight numbers
    """
    normals, by_last, by_next = np.empty((4, 2)), np.empty((4, 2)), np.empty((4, 2))
    joint[:] = 0.0
    for square in range(len(corners_px)):
        c = corners_px[square]
        for edge in range(4):
            dx, dy = c[(edge + 1) % 4, 0] - c[edge, 0], c[(edge + 1) % 4, 1] - c[edge, 1]
            length = max(math.sqrt(dx * dx + dy * dy), 1e-9)
            normals[edge, 0], normals[edge, 1] = dy / length, -dx / length
        for corner in range(4):
            # The two edges that meet in a corner fix it; the inverse of their normals turns their shifts into the corner's.
            last = (corner + 3) % 4
            sine = normals[last, 0] * normals[corner, 1] - normals[last, 1] * normals[corner, 0]
            if not abs(sine) > LEAST_SINE:
                sine = LEAST_SINE
            by_last[corner, 0], by_last[corner, 1] = normals[corner, 1] / sine, -normals[corner, 0] / sine
            by_next[corner, 0], by_next[corner, 1] = -normals[last, 1] / sine, normals[last, 0] / sine
        for corner in range(4):
            last, following = (corner + 3) % 4, (corner + 1) % 4
            for i in range(2):
                for k in range(2):
                    own = by_last[corner, i] * ends[square, last, 1] * by_last[corner, k]
                    joint[square, 2 * corner + i, 2 * corner + k] = own + by_next[corner, i] * ends[square, corner, 0] * by_next[corner, k]
                    # The edge that a corner shares with the next one has errors at its two ends that go together.
                    shared = by_next[corner, i] * ends[square, corner, 2] * by_last[following, k]
                    joint[square, 2 * corner + i, 2 * following + k] = shared
                    joint[square, 2 * following + k, 2 * corner + i] = shared
