"""The lattice on which a structure is put together. Fields on it are in mm: below 0 inside, above 0 outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

#: Four bytes each, twice while the surface is taken.
MOST_CELLS: Final = 48_000_000


@dataclass(frozen=True)
class Grid:
    """Nodes at whole indices (i, j, k).

    Attributes
    ----------
    T_ct_from_index : (4, 4) affine from indices to ct, mm
    shape : number of nodes (nk, nj, ni)
    """

    T_ct_from_index: F64
    shape: tuple[int, int, int]

    @property
    def sides_mm(self) -> F64:
        """(3,) distance between nodes along i, j, k."""
        return np.asarray(np.linalg.norm(self.T_ct_from_index[:3, :3], axis=0))

    def indices(self, points_mm: F64) -> F64:
        """(N, 3) indices (i, j, k) of points of ct."""
        T = np.linalg.inv(self.T_ct_from_index)
        return np.asarray(points_mm @ T[:3, :3].T + T[:3, 3])

    def span(self, low_mm: F64, high_mm: F64) -> tuple[slice, slice, slice]:
        """The nodes (k, j, i) within a box along the axes of ct."""
        at = self.indices(corners(low_mm, high_mm))
        first = np.clip(np.floor(at.min(axis=0)).astype(int), 0, None)
        last = np.minimum(np.ceil(at.max(axis=0)).astype(int) + 1, self.shape[::-1])
        i, j, k = (slice(int(a), max(int(a), int(b))) for a, b in zip(first, last, strict=True))
        return (k, j, i)

    def nodes(self, span: tuple[slice, slice, slice]) -> F64:
        """(N, 3) places in ct of the nodes of a span, k slowest."""
        k, j, i = np.meshgrid(*(np.arange(s.start, s.stop, dtype=np.float64) for s in span), indexing="ij")
        index = np.stack([i.ravel(), j.ravel(), k.ravel()], axis=1)
        return np.asarray(index @ self.T_ct_from_index[:3, :3].T + self.T_ct_from_index[:3, 3])


def corners(low: F64, high: F64) -> F64:
    """(8, 3) corners of a box."""
    return np.array([(x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])])


def upright(low: F64, high: F64, axes: F64, side_mm: float, coarsest_mm: float) -> Grid:
    """Cubic cells along `axes` (its columns) around a box that is given along them.

    Parameters
    ----------
    low, high : (3,) corners of the box in those axes, mm
    side_mm, coarsest_mm : the side of a cell, and the largest that is good enough where there would be too many

    Raises
    ------
    InputRefused : too many cells even so; it says how much memory they would take
    """
    size = high - low
    side_mm = max(side_mm, float((np.prod(size) / MOST_CELLS) ** (1.0 / 3.0)))
    if side_mm > coarsest_mm:
        refuse_memory(float(np.prod(size)) / coarsest_mm**3)
    shape = np.ceil(size / side_mm).astype(int) + 5
    T = np.eye(4)
    T[:3, :3] = axes * side_mm
    T[:3, 3] = axes @ (low - 2.0 * side_mm)
    return Grid(T, (int(shape[2]), int(shape[1]), int(shape[0])))


def refuse_memory(cells: float) -> None:
    """Say what it would take before it is tried."""
    if cells > MOST_CELLS * 1.05:
        raise InputRefused(
            f"the structure is so fine for its size that it would take {8.0 * cells / 2**30:.1f} GiB to build", "make it as several structures"
        )
