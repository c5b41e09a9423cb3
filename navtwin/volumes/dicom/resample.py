"""A tilted or unevenly spaced stack put onto a square, even grid: linear along rows, along columns and between slices.

Each slice lies where its own position says. Nothing is made up: beyond a slice's edge there is air, marked as such, and stacks with
holes do not come here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.volumes.dicom.geometry import Array, Stack
from navtwin.volumes.dicom.pixels import AIR_HU
from navtwin.volumes.volume import MOST_BYTES, VolumeBox, volume_box

Plane = npt.NDArray[np.float32]

#: The finest gap sets the step; a stack may not grow beyond this many times its slices.
_MOST_GROWTH: Final = 4
#: Where the scan reached is told to this share of a pixel.
_MOST_STRAY: Final = 1.0
#: Shifts below this share of a pixel are rounding in the header.
_NO_SHIFT: Final = 1e-3


@dataclass(frozen=True)
class Resampled:
    """A stack on its square grid.

    Attributes
    ----------
    hu : (nk, nj, ni) as the stack's type; -1024 where no slice reaches
    T_ct_from_ijk : (4, 4)
    unscanned : share of the grid that no slice reaches
    scanned : where the slices lie: the grid, leaning as they do; None where they cover it all
    """

    hu: npt.NDArray[Any]
    T_ct_from_ijk: Array
    unscanned: float
    scanned: VolumeBox | None


def resample(stack: Stack, hu: npt.NDArray[Any]) -> Resampled:
    """Resample the slices `hu` (N, rows, columns) of a stack without holes or doubles.

    Raises
    ------
    InputRefused : the grid would be far larger than the stack
    """
    along_i, along_j = stack.spacing_mm
    heights = stack.places_mm[:, 2]
    low = stack.places_mm[:, :2].min(axis=0)
    shifts = (stack.places_mm[:, :2] - low) / (along_i, along_j)
    shifts = np.where(np.abs(shifts - np.rint(shifts)) < _NO_SHIFT, np.rint(shifts), shifts)
    nk, step = _steps(heights)
    ni, nj = (size + int(np.ceil(most)) for size, most in zip(hu.shape[:0:-1], shifts.max(axis=0), strict=True))
    if nk > _MOST_GROWTH * len(heights) or nk * nj * ni * hu.itemsize > MOST_BYTES or nj * ni > 9 * hu.shape[1] * hu.shape[2]:
        raise InputRefused(f"a square grid for these slices would have {ni} x {nj} x {nk} voxels", "export the series again with even spacing")
    out = np.empty((nk, nj, ni), dtype=hu.dtype)
    unscanned = 0
    planes = _planes(hu, shifts, (nj, ni))
    for k, height in enumerate(heights[0] + step * np.arange(nk)):
        below = int(np.clip(np.searchsorted(heights, height, side="right") - 1, 0, len(heights) - 2))
        share = float(np.clip((height - heights[below]) / (heights[below + 1] - heights[below]), 0.0, 1.0))
        plane = _between(planes, below, 0.0 if share < _NO_SHIFT else 1.0 if share > 1 - _NO_SHIFT else share)
        empty = np.isnan(plane)
        unscanned += int(np.count_nonzero(empty))
        plane = np.where(empty, np.float32(AIR_HU), plane)
        out[k] = np.rint(plane) if out.dtype.kind == "i" else plane
    T_ct_from_ijk = np.eye(4)
    T_ct_from_ijk[:3, :3] = stack.axes * (along_i, along_j, step)
    T_ct_from_ijk[:3, 3] = stack.axes @ (low[0], low[1], heights[0])
    leaning = _leaning(stack, T_ct_from_ijk, step) if unscanned else None
    scanned = None if leaning is None else volume_box(leaning, (hu.shape[2], hu.shape[1], nk))
    return Resampled(out, T_ct_from_ijk, unscanned / out.size, scanned)


def _leaning(stack: Stack, T_ct_from_ijk: Array, step: float) -> Array:
    """The affine whose third axis leans as the slices' corners do.

    Raises
    ------
    InputRefused : they do not lie along one line, so that where the scan reached is no box
    """
    heights = stack.places_mm[:, 2] - stack.places_mm[0, 2]
    slope, first = (stack.places_mm[-1] - stack.places_mm[0])[:2] / heights[-1], stack.places_mm[0, :2]
    stray = float(np.abs(stack.places_mm[:, :2] - first - heights[:, None] * slope).max())
    if stray > _MOST_STRAY * min(stack.spacing_mm):
        raise InputRefused(f"its slices stray up to {stray:.2f} mm from one line", "export the series again, or leave out those that were moved")
    leaning = T_ct_from_ijk.copy()
    leaning[:3, 2] = stack.axes @ (slope[0] * step, slope[1] * step, step)
    leaning[:3, 3] = stack.axes @ stack.places_mm[0]
    return leaning


def _steps(heights: Array) -> tuple[int, float]:
    """Number of slices and their distance: as fine as the finest gap, from the first slice to the last."""
    span = float(heights[-1] - heights[0])
    count = int(np.ceil(span / float(np.diff(heights).min()) - 0.05))
    return count + 1, span / count


def _planes(hu: npt.NDArray[Any], shifts: Array, shape: tuple[int, int]) -> Callable[[int], Plane]:
    """Slice -> its values on the grid's pixels, NaN beyond its edges. The last two are kept: neighbours ask for the same ones."""
    kept: dict[int, Plane] = {}

    def plane(k: int) -> Plane:
        if k not in kept:
            while len(kept) > 1:
                kept.pop(min(kept))
            along_rows = _shifted(hu[k].astype(np.float32), shifts[k, 0], shape[1])
            kept[k] = _shifted(along_rows.T, shifts[k, 1], shape[0]).T
        return kept[k]

    return plane


def _between(planes: Callable[[int], Plane], below: int, share: float) -> Plane:
    if share == 0.0:
        return planes(below)
    if share == 1.0:
        return planes(below + 1)
    return planes(below) * np.float32(1 - share) + planes(below + 1) * np.float32(share)


def _shifted(values: Plane, shift: float, size: int) -> Plane:
    """(M, size): values (M, n) moved along the second axis by `shift` >= 0 pixels; NaN where none reaches."""
    whole = int(np.floor(shift))
    part = np.float32(shift - whole)
    out = np.full((values.shape[0], size), np.nan, dtype=np.float32)
    if part == 0:
        out[:, whole : whole + values.shape[1]] = values
    else:
        out[:, whole + 1 : whole + values.shape[1]] = values[:, 1:] * (1 - part) + values[:, :-1] * part
    return out
