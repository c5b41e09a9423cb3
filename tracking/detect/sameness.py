"""Kernel: which finds are one marker."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from navtwin.jit import compiled

Array = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]
Bits = npt.NDArray[np.bool_]

#: Two finds of one number are one marker if their middles are nearer than this share of its side.
SAME_SHARE = 0.5
#: A square whose corners are all nearer to a known marker's than this share of its side is that marker.
KNOWN_SHARE = 0.15


@compiled
def _side(c: Array) -> float:
    """Side of the square whose longer diagonal it has."""
    one = (c[0, 0] - c[2, 0]) ** 2 + (c[0, 1] - c[2, 1]) ** 2
    return math.sqrt(max(one, (c[1, 0] - c[3, 0]) ** 2 + (c[1, 1] - c[3, 1]) ** 2) / 2.0)


@compiled
def same(of: Numbers, row: Numbers, corners: Array, of_b: Numbers, row_b: Numbers, corners_b: Array) -> Bits:
    """(N, M) which are one marker: the same number (`of`, `row`), in the same place (corners (N, 4, 2) and (M, 4, 2))."""
    found = np.zeros((len(of), len(of_b)), dtype=np.bool_)
    for n in range(len(of)):
        for m in range(len(of_b)):
            if of[n] == of_b[m] and row[n] == row_b[m]:
                x = y = 0.0
                for k in range(4):
                    x += corners[n, k, 0] - corners_b[m, k, 0]
                    y += corners[n, k, 1] - corners_b[m, k, 1]
                found[n, m] = math.sqrt(x * x + y * y) / 4.0 < SAME_SHARE * max(_side(corners[n]), _side(corners_b[m]))
    return found


@compiled
def unknown(squares: Array, known: Array) -> Bits:
    """(N,) which of `squares` (N, 4, 2) are none of the markers at `known` (M, 4, 2); either may begin with any corner, both go clockwise."""
    found = np.ones(len(squares), dtype=np.bool_)
    for n in range(len(squares)):
        for m in range(len(known)):
            near = KNOWN_SHARE * _side(known[m])
            for turn in range(4):
                farthest = 0.0
                for k in range(4):
                    for axis in range(2):
                        farthest = max(farthest, abs(squares[n, (k + turn) % 4, axis] - known[m, k, axis]))
                if farthest < near:
                    found[n] = False
    return found
