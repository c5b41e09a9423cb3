"""Where a slice cuts what is being drawn: exact, by the same distances that the structure is built from. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.scene.author.chain import Chain
from navtwin.scene.author.grid import Grid, corners
from navtwin.scene.author.painted import Slices
from navtwin.scene.author.recipe import Threshold
from navtwin.scene.reslice import Field, Reslicer
from navtwin.scene.slices import ACROSS, RIGHT, UP

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
#: Distances are taken at every so manieth pixel, and are linear between.
STRIDE_PX: Final = 2
#: The grey window that tells what lies above a threshold: one HU wide, around it.
_SHARP_HU: Final = 1.0
_HALF_GREY: Final = 134


@dataclass(frozen=True)
class Sheetlet:
    """A field on a part of a slice.

    Attributes
    ----------
    values : (rows, columns) mm, below 0 inside
    left_px, top_px, step_px : where the first value lies in the picture, and how far the others
    """

    values: F32
    left_px: float
    top_px: float
    step_px: float

    def lines_px(self) -> F64:
        """(N, 2, 2) pieces of the line on which the field is 0, in pixels of the picture (x, y)."""
        return level_lines(self.values) * self.step_px + (self.left_px, self.top_px)


def cut_shape(shape: Chain | Slices, field: Field) -> Sheetlet | None:
    """Where a slice cuts a tube, a sphere or painted outlines with what lies between; None where it does not."""
    low, high = _box(shape)
    across, right, (up, sign) = ACROSS[field.plane], RIGHT[field.plane], UP[field.plane]
    if not low[across] <= field.at_mm[across] <= high[across]:
        return None
    step_mm = STRIDE_PX * field.mm_per_px
    # In the picture, to whole steps, with one more around; nothing beyond its edges.
    left = _steps((low[right] - field.at_mm[right]) / step_mm - 1.0, field.width_px)
    last = _steps((high[right] - field.at_mm[right]) / step_mm + 2.0, field.width_px)
    ends = sorted(-sign * (v[up] - field.at_mm[up]) / step_mm for v in (low, high))
    top, bottom = _steps(ends[0] - 1.0, field.height_px), _steps(ends[1] + 2.0, field.height_px)
    if last - left < 2 or bottom - top < 2:
        return None
    T = np.eye(4)
    T[:3, :3] = 0.0
    T[right, 0], T[up, 1], T[across, 2] = step_mm, -sign * step_mm, step_mm
    T[:3, 3] = field.at_mm
    T[right, 3] += left * step_mm
    T[up, 3] -= sign * top * step_mm
    values = shape.sample(Grid(T, (1, bottom - top, last - left)))[0]
    if not (values < 0.0).any():
        return None
    return Sheetlet(values, field.width_px / 2.0 + left * STRIDE_PX, field.height_px / 2.0 + top * STRIDE_PX, float(STRIDE_PX))


def cut_threshold(edit: Threshold, reslicer: Reslicer, field: Field) -> Mask:
    """Which pixels of a slice a threshold takes, crop and cuts included; islands and cavities are not looked at."""
    taken = _at_or_above(edit.hu, reslicer, field)
    if edit.upper_hu is not None:
        taken &= ~_at_or_above(edit.upper_hu, reslicer, field)
    rows_mm, columns_mm = field.rows_and_columns()
    right, up, across = RIGHT[field.plane], UP[field.plane][0], ACROSS[field.plane]
    if edit.crop_mm is not None:
        low, high = edit.crop_mm[:3], edit.crop_mm[3:]
        if not low[across] <= field.at_mm[across] <= high[across]:
            return np.zeros_like(taken)
        taken &= ((rows_mm >= low[up]) & (rows_mm <= high[up]))[:, None] & ((columns_mm >= low[right]) & (columns_mm <= high[right]))[None, :]
    for cut in edit.cut:
        along = [(at - p) * n for at, p, n in zip((rows_mm, columns_mm), (cut.point_mm[up], cut.point_mm[right]), (cut.keep[up], cut.keep[right]),
                                                  strict=True)]  # fmt: skip
        taken &= along[0][:, None] + along[1][None, :] + (field.at_mm[across] - cut.point_mm[across]) * cut.keep[across] >= 0.0
    return taken


def rim(mask: Mask) -> Mask:
    """The pixels of a mask that touch one outside of it."""
    inner = mask.copy()
    inner[1:] &= mask[:-1]
    inner[:-1] &= mask[1:]
    inner[:, 1:] &= mask[:, :-1]
    inner[:, :-1] &= mask[:, 1:]
    return mask & ~inner


def level_lines(values: F32) -> F64:
    """(N, 2, 2) pieces of the line on which a field is 0, as (column, row) of its nodes.

    Each square of four nodes is cut where its sides change sign.
    """
    inside = values < 0.0
    v = values.astype(np.float64)
    row, column = np.nonzero(inside[:-1, :-1] ^ inside[:-1, 1:] | inside[:-1, :-1] ^ inside[1:, :-1] | inside[:-1, :-1] ^ inside[1:, 1:])
    # The corners of each square in turn, as offsets (column, row).
    ring = ((0, 0), (1, 0), (1, 1), (0, 1))
    crossings, present = [], []
    for (c0, r0), (c1, r1) in zip(ring, (*ring[1:], ring[0]), strict=True):
        a, b = v[row + r0, column + c0], v[row + r1, column + c1]
        crossed = (a < 0.0) != (b < 0.0)
        share = np.where(crossed, a / np.where(crossed, a - b, 1.0), 0.0)
        crossings.append(np.stack([column + c0 + share * (c1 - c0), row + r0 + share * (r1 - r0)], axis=1))
        present.append(crossed)
    at, there = np.stack(crossings, axis=1), np.stack(present, axis=1)
    order = np.argsort(~there, axis=1, kind="stable")
    found = np.take_along_axis(at, order[:, :, None], axis=1)
    # Where all four sides are crossed there are two pieces.
    return np.concatenate([found[:, :2], found[there.all(axis=1)][:, 2:]])


def _at_or_above(hu: float, reslicer: Reslicer, field: Field) -> Mask:
    return np.asarray(reslicer.grey(field, hu, _SHARP_HU) >= _HALF_GREY)


def _box(shape: Chain | Slices) -> tuple[F64, F64]:
    """Lowest and highest corner along the axes of ct."""
    if isinstance(shape, Chain):
        return shape.low, shape.high
    every = corners(shape.low, shape.high) @ shape.axes.T
    return every.min(axis=0), every.max(axis=0)


def _steps(wanted: float, size_px: int) -> int:
    """Whole steps from the middle of a picture, no more than one beyond its edge."""
    most = int(size_px / 2.0 / STRIDE_PX) + 1
    return int(np.clip(np.floor(wanted), -most, most))
