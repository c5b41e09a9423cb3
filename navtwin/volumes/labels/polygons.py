"""Closed contours to voxels: a voxel belongs to a structure where its centre lies inside by the even-odd rule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

#: Edges may cross as many rows as this many times the voxels of the slice: a drawn contour crosses a thousandth of that.
_MOST_CROSSINGS: Final = 16

Mask = npt.NDArray[np.bool_]


class Unfillable(Exception):
    """Why contours cannot become voxels."""


def fill(contours_ij: Iterable[npt.NDArray[np.float64]], shape_ij: tuple[int, int]) -> Mask:
    """Voxels of one slice inside closed contours.

    Each edge turns over every voxel centre to its right in the rows that it crosses; what was turned over an odd number of times is inside.
    A contour within another is therefore a hole, as is one that is joined to the outer one by a seam there and back.

    Parameters
    ----------
    contours_ij : each (N, 2), indices (i, j) of its corners; whole indices are voxel centres. The last corner is joined to the first
    shape_ij : number of voxels along i and j

    Returns
    -------
    (nj, ni) mask

    Raises
    ------
    Unfillable : contours that run to and fro without end
    """
    ni, nj = shape_ij
    left = _MOST_CROSSINGS * ni * nj
    turned = np.zeros((nj, ni + 1), dtype=bool)
    for corners in contours_ij:
        x, y = corners[:, 0], corners[:, 1]
        x_to, y_to = np.roll(x, -1), np.roll(y, -1)
        # Rows from the lower end (with it) to the upper end (without it): a corner on a row is counted once.
        first = np.clip(np.ceil(np.minimum(y, y_to)), 0, nj).astype(np.int64)
        stop = np.clip(np.ceil(np.maximum(y, y_to)), 0, nj).astype(np.int64)
        counts = np.maximum(stop - first, 0)
        left -= int(counts.sum())
        if left < 0:
            raise Unfillable("its contours run to and fro across the slice without end")
        edge = np.repeat(np.arange(len(x)), counts)
        row = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
        share = (row - y[edge]) / (y_to[edge] - y[edge])
        column = np.ceil(x[edge] + share * (x_to[edge] - x[edge]))
        np.bitwise_xor.at(turned, (row, np.clip(column, 0, ni).astype(np.int64)), True)
    return np.bitwise_xor.accumulate(turned, axis=1)[:, :ni]
