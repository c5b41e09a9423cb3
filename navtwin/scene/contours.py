"""Lines of equal value through a raster, by marching squares, and a raster made smooth for them."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]

#: Of a square's sides, 0 above, 1 right, 2 below, 3 left, those that the line crosses, by which of its corners are above the level: upper left counts
#: 1, upper right 2, lower right 4, lower left 8. Where opposite corners are, they are kept apart.
_CROSSED: Final = (
    (), ((3, 0),), ((0, 1),), ((3, 1),), ((1, 2),), ((3, 0), (1, 2)), ((0, 2),), ((3, 2),),
    ((2, 3),), ((2, 0),), ((0, 1), (2, 3)), ((2, 1),), ((1, 3),), ((1, 0),), ((0, 3),), (),
)  # fmt: skip


def level_lines(values: F64, level: float) -> F64:
    """The lines on which a raster, linear between its points, has a value.

    Parameters
    ----------
    values : (rows, columns); beyond it the value is taken to be below the level, so that every line closes

    Returns
    -------
    (M, 2, 2) pieces of the lines as pairs of points x, y, in columns and rows
    """
    raster = np.pad(values, 1, constant_values=min(level - 1.0, float(values.min(initial=level))))
    corners = np.stack((raster[:-1, :-1], raster[:-1, 1:], raster[1:, 1:], raster[1:, :-1]))
    kinds = ((corners > level) * np.array((1, 2, 4, 8))[:, None, None]).sum(axis=0)
    pieces = [np.empty((0, 2, 2))]
    for kind, pairs in enumerate(_CROSSED):
        for pair in pairs:
            rows, columns = np.nonzero(kinds == kind)
            ends = [_crossing(corners[:, rows, columns], side, level) + np.stack((columns, rows), axis=-1) for side in pair]
            pieces.append(np.stack(ends, axis=1) - 1.0)
    return np.concatenate(pieces)


def _crossing(corners: F64, side: int, level: float) -> F64:
    """(N, 2) where the level lies on one side of unit squares with values (4, N) at their corners."""
    starts = np.array(((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)))
    one, other = corners[side], corners[(side + 1) % 4]
    share = (level - one) / (other - one)
    return np.asarray(starts[side] + share[:, None] * (starts[(side + 1) % 4] - starts[side]))


def softened(raster: F64) -> F64:
    """The mean of each cell and its neighbours (binomial weights), so that a line through it has no steps. Beyond the raster is nothing."""
    soft = np.pad(raster, 1)
    for axis in (0, 1):
        soft = 0.25 * np.roll(soft, 1, axis) + 0.5 * soft + 0.25 * np.roll(soft, -1, axis)
    return np.asarray(soft[1:-1, 1:-1])
