"""How deep something lies under the surface that the eye meets first: a coarse map of ranges from the eye, for the depth cue of an overlay.

It tells in front from behind and near below from deep below, nothing finer: no distance is ever read from it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]

#: A cell is at least so wide, px, and at least so many mean distances of the samples that fill it.
LEAST_CELL_PX, CELL_SAMPLES = 6.0, 1.6


@dataclass(frozen=True, eq=False)
class Cover:
    """The least range from the eye in each cell of the picture.

    Attributes
    ----------
    range_mm : (rows, columns), infinite where nothing lies
    cell_px : side of a cell; the first one's corner is the picture's
    """

    range_mm: F64
    cell_px: float

    @classmethod
    def of(cls, pixels: F64, range_mm: F64, size_px: tuple[int, int], spacing_px: float) -> Cover:
        """From (N, 2) samples of the surface in the picture, (N,) their ranges, and how far they lie apart in it."""
        cell = max(LEAST_CELL_PX, CELL_SAMPLES * spacing_px)
        shape = (int(size_px[1] / cell) + 1, int(size_px[0] / cell) + 1)
        seen = _inside(pixels, size_px)
        columns, rows = np.floor(pixels[seen] / cell).astype(np.int64).T
        grid = np.full(shape, np.inf)
        np.minimum.at(grid, (rows, columns), range_mm[seen])
        return cls(_closed(grid), cell)

    def below_mm(self, pixels: F64, range_mm: F64) -> F64:
        """(N,) how far behind the surface points lie along their rays; 0 in front of it, beside it, and outside the picture."""
        # In front of nothing is in front.
        return np.asarray(np.maximum(0.0, range_mm - self.range_at(pixels)))

    def range_at(self, pixels: F64) -> F64:
        """(N,) range of the surface at points of the picture, infinite beside it and outside the picture."""
        rows, columns = self.range_mm.shape
        seen = _inside(pixels, (int(columns * self.cell_px), int(rows * self.cell_px)))
        ranges = np.full(len(pixels), np.inf)
        where = np.floor(pixels[seen] / self.cell_px).astype(np.int64)
        ranges[seen] = self.range_mm[where[:, 1], where[:, 0]]
        return ranges


def _inside(pixels: F64, size_px: tuple[int, int]) -> npt.NDArray[np.bool_]:
    # What has no image is NaN, and compares as outside.
    return np.asarray((pixels >= 0.0).all(axis=1) & (pixels[:, 0] < size_px[0]) & (pixels[:, 1] < size_px[1]))


def _closed(grid: F64) -> F64:
    """Cells that no sample fell into, but lie between cells that have some, take the nearest of those."""
    for along in (0, 1):
        wide = np.pad(grid, [(1, 1) if axis == along else (0, 0) for axis in (0, 1)], constant_values=np.inf)
        before, after = np.take(wide, range(grid.shape[along]), axis=along), np.take(wide, range(2, grid.shape[along] + 2), axis=along)
        gap = np.isinf(grid) & np.isfinite(before) & np.isfinite(after)
        grid = np.where(gap, np.minimum(before, after), grid)
    return grid
