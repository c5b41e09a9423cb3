"""Planes of a scan as grey pictures, fast enough to follow an instrument.

A scan whose voxels are stacked along the patient's axes, as nearly all are, is interpolated one axis after the other: exactly trilinear, for
the cost of three linear passes. Any other is sampled at the nearest voxel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.rigid import Vec3
from navtwin.scene.slices import ACROSS, RIGHT, UP, Plane
from navtwin.volumes.volume import Volume

Grey = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]
#: Axes this near to the patient's, over the whole scan and in voxels, count as along them.
_ALONG_VOXELS = 0.05
#: The darkest grey of the scan itself; beyond it the picture is black.
DARKEST = 14


@dataclass(frozen=True)
class Field:
    """A picture of `width_px` by `height_px` in a plane, whose middle is the point `at_mm` of ct."""

    plane: Plane
    at_mm: Vec3
    mm_per_px: float
    width_px: int
    height_px: int

    def rows_and_columns(self) -> tuple[F64, F64]:
        """Coordinates in ct of the pixel rows, first uppermost, and of the columns."""
        axis, sign = UP[self.plane]
        down: F64 = (np.arange(self.height_px, dtype=np.float64) - (self.height_px - 1) / 2.0) * self.mm_per_px
        right: F64 = (np.arange(self.width_px, dtype=np.float64) - (self.width_px - 1) / 2.0) * self.mm_per_px
        return self.at_mm[axis] - sign * down, self.at_mm[RIGHT[self.plane]] + right


class Reslicer:
    """A scan ready to be cut."""

    def __init__(self, volume: Volume) -> None:
        self._hu = volume.hu
        self._T_ijk_from_ct: npt.NDArray[np.float64] = np.asarray(np.linalg.inv(volume.T_ct_from_ijk), dtype=np.float64)
        self._axes = _aligned(self._T_ijk_from_ct, volume)

    @property
    def interpolates(self) -> bool:
        """False where the nearest voxel is shown."""
        return self._axes is not None

    def grey(self, field: Field, centre_hu: float, width_hu: float) -> Grey:
        """The plane of `field`, (height, width), through a grey window; 0 beyond the scan, `DARKEST` and lighter within."""
        hu, inside = self._interpolated(field) if self._axes is not None else self._nearest(field)
        scale = (255.0 - DARKEST) / width_hu
        hu -= np.float32(centre_hu - width_hu / 2.0)
        hu *= np.float32(scale)
        hu += np.float32(DARKEST)
        np.clip(hu, DARKEST, 255.0, out=hu)
        grey: Grey = hu.astype(np.uint8)
        if not inside.all():
            grey[~inside] = 0
        return grey

    def _interpolated(self, field: Field) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        assert self._axes is not None
        across, right, up = ACROSS[field.plane], RIGHT[field.plane], UP[field.plane][0]
        rows_mm, columns_mm = field.rows_and_columns()
        stacked = self._hu.transpose([self._axes[a].array_axis for a in (across, up, right)])
        depth, level = self._axes[across].index(np.array([field.at_mm[across]])), self._axes[up].index(rows_mm)
        column = self._axes[right].index(columns_mm)
        counts = stacked.shape
        inside = _within(level, counts[1])[:, None] & _within(column, counts[2])[None, :]
        if not _within(depth, counts[0])[0] or not inside.any():
            return np.zeros(inside.shape, np.float32), np.zeros(inside.shape, np.bool_)
        (d0, d1, dw), (r0, r1, rw), (c0, c1, cw) = (_neighbours(i, n) for i, n in zip((depth, level, column), counts, strict=True))
        # Only what is looked at is read.
        top, left = min(r0.min(), r1.min()), min(c0.min(), c1.min())
        part = np.s_[top : max(r0.max(), r1.max()) + 1, left : max(c0.max(), c1.max()) + 1]
        below, above = (stacked[int(d[0])][part].astype(np.float32) for d in (d0, d1))
        sheet = below + dw[0] * (above - below)
        low, high = sheet[r0 - top], sheet[r1 - top]
        high -= low
        high *= rw[:, None]
        high += low
        left_px, right_px = np.take(high, c0 - left, axis=1), np.take(high, c1 - left, axis=1)
        right_px -= left_px
        right_px *= cw
        right_px += left_px
        return right_px, inside

    def _nearest(self, field: Field) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        rows_mm, columns_mm = field.rows_and_columns()
        across, right, up = ACROSS[field.plane], RIGHT[field.plane], UP[field.plane][0]
        flat = np.zeros((field.height_px, field.width_px), np.int64)
        inside = np.ones(flat.shape, np.bool_)
        stride = 1
        for row, count in zip(self._T_ijk_from_ct[:3], self._hu.shape[::-1], strict=True):
            of_rows = (row[up] * rows_mm + row[across] * field.at_mm[across] + row[3] + 0.5).astype(np.float32)
            index = np.floor(of_rows[:, None] + (row[right] * columns_mm).astype(np.float32)[None, :]).astype(np.int32)
            inside &= (index >= 0) & (index < count)
            flat += stride * np.clip(index, 0, count - 1)
            stride *= count
        return np.ascontiguousarray(self._hu).reshape(-1)[flat].astype(np.float32), inside


@dataclass(frozen=True)
class _Axis:
    """How the voxels are stacked along one axis of ct."""

    array_axis: int
    per_mm: float
    at_zero: float

    def index(self, mm: F64) -> F64:
        return self.per_mm * mm + self.at_zero


def _aligned(T_ijk_from_ct: F64, volume: Volume) -> tuple[_Axis, _Axis, _Axis] | None:
    """The stacking along x, y and z of ct; None where voxels do not lie along them."""
    turn = T_ijk_from_ct[:3, :3]
    voxel_axis = np.argmax(np.abs(turn), axis=0)
    if sorted(voxel_axis) != [0, 1, 2]:
        return None
    middle = volume.T_ct_from_ijk @ np.append((np.array(volume.shape_ijk) - 1.0) / 2.0, 1.0)
    reach_mm = np.abs(volume.T_ct_from_ijk[:3, :3]) @ np.array(volume.shape_ijk) / 2.0
    axes = []
    for axis in range(3):
        row = T_ijk_from_ct[voxel_axis[axis]]
        others = np.where(np.arange(3) == axis, 0.0, row[:3])
        if np.abs(others) @ reach_mm > _ALONG_VOXELS:
            return None
        axes.append(_Axis(2 - int(voxel_axis[axis]), float(row[axis]), float(row[3] + others @ middle[:3])))
    return (axes[0], axes[1], axes[2])


def _within(index: F64, count: int) -> npt.NDArray[np.bool_]:
    return (index >= -0.5) & (index <= count - 0.5)


def _neighbours(index: F64, count: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    clipped = np.clip(index, 0.0, count - 1.0)
    low = np.floor(clipped).astype(np.intp)
    return low, np.minimum(low + 1, count - 1), (clipped - low).astype(np.float32)
