"""What is still to be removed of planned bone, as a calibrated camera would see it: how thick it is along each line of sight. No drawing here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import numpy.typing as npt

from navtwin.scene.contours import level_lines, softened
from navtwin.scene.model import Structure

if TYPE_CHECKING:
    from navtwin.rigid import Rigid, Vec3
    from navtwin.scene.lens import Lens

F64 = npt.NDArray[np.float64]

#: Points of the grid on which a planned removal is kept, and its least spacing, mm.
MOST_POINTS: Final = 60_000
LEAST_STEP_MM: Final = 0.5
#: Along a line of sight, less than this, mm, counts as removed in the picture: a burr leaves ridges about as high.
LEAST_MM: Final = 0.8
#: A cell of the raster is about as wide as a step of the grid, and no narrower than this, px.
LEAST_CELL_PX: Final = 1.5


class Field(Protocol):
    """Bone that is left, as `Carvable` has it."""

    def values(self, points_mm: npt.ArrayLike) -> F64: ...


@dataclass(frozen=True, eq=False)
class PlannedBone:
    """Bone that is planned to be removed, as the points of a grid.

    Attributes
    ----------
    points_mm : (N, 3) ct, those in the bone that is planned to be removed, or within half a step of it
    planned_mm : (N,) signed distance to that bone's surface, negative in it
    step_mm : spacing of the grid
    """

    name: str
    color: str
    points_mm: F64
    planned_mm: F64
    step_mm: float

    @classmethod
    def of(cls, removal: Structure, bone: Structure) -> PlannedBone:
        """Of what lies in `removal`, the part that is bone. Takes some tenths of a second."""
        low, high = removal.surface.bounds_mm
        step = max(LEAST_STEP_MM, float(np.prod(high - low) / MOST_POINTS) ** (1.0 / 3.0))
        axes = [np.arange(a, b + step, step) for a, b in zip(low, high, strict=True)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        distance = removal.surface.closest(points).distance_mm
        points, distance = points[distance < 0.5 * step], distance[distance < 0.5 * step]
        distance = np.maximum(distance, bone.surface.closest(points).distance_mm)
        kept = distance < 0.5 * step
        return cls(removal.name, removal.color, points[kept], distance[kept], step)

    @property
    def middle_mm(self) -> Vec3:
        """Of the planned bone."""
        x, y, z = self.points_mm.mean(axis=0).tolist()
        return (x, y, z)

    @cached_property
    def volume_mm3(self) -> float:
        """Of the planned bone."""
        return float(self._volumes(self.planned_mm).sum())

    def left(self, bone: Field) -> Left:
        """What of it is still there."""
        volumes = self._volumes(np.maximum(self.planned_mm, bone.values(self.points_mm)))
        there = volumes > 0.0
        return Left(self.name, self.color, self.step_mm, self.points_mm[there], volumes[there], float(volumes.sum()) / max(self.volume_mm3, 1e-9))

    def _volumes(self, distance_mm: F64) -> F64:
        """(N,) mm^3 of a cell of the grid around each point that lie within a surface."""
        return np.asarray(np.clip(0.5 - distance_mm / self.step_mm, 0.0, 1.0) * self.step_mm**3)


@dataclass(frozen=True, eq=False)
class Left:
    """What is still there of a planned removal: (N,) mm^3 at (N, 3) points, `step_mm` apart; and which share of the planned volume, 0 to 1."""

    name: str
    color: str
    step_mm: float
    points_mm: F64
    volumes_mm3: F64
    share: float


@dataclass(frozen=True, eq=False)
class RemovalMarks:
    """What is still to be removed in one picture, on a raster.

    Attributes
    ----------
    corner_px, cell_px : of the raster in the picture, and of its cells
    thickness_mm : (rows, columns), along the line of sight; 0 where it is less than `LEAST_MM`
    outline : (M, 2, 2) px, pieces of the lines around it
    share : of the planned volume, 0 to 1
    """

    name: str
    color: str
    corner_px: tuple[float, float]
    cell_px: float
    thickness_mm: F64
    outline: F64
    share: float


def removal_marks(left: Left, lens: Lens, T_camera_from_ct: Rigid) -> RemovalMarks | None:
    """See what is left through a lens; None where nothing is, or it is not in the picture."""
    placed = T_camera_from_ct.apply(left.points_mm)
    pixels = lens.project(placed)
    # NaN compares as outside.
    seen = ((pixels > -0.5) & (pixels < (lens.width_px, lens.height_px))).all(axis=1)
    if not seen.any():
        return None
    pixels, z_mm = pixels[seen], placed[seen, 2]
    focal = float(np.sqrt(lens.focal_px.prod()))
    cell = max(LEAST_CELL_PX, left.step_mm * focal / float(z_mm.mean()))
    corner = np.floor(pixels.min(axis=0)) - 2.0 * cell
    columns, rows = (int(n) for n in np.ceil((pixels.max(axis=0) - corner) / cell) + 2)
    # A volume spread over what a cell covers at its depth.
    lengths = left.volumes_mm3[seen] * (focal / (z_mm * cell)) ** 2
    thickness = _shared_out((pixels - corner) / cell - 0.5, lengths, rows, columns)
    # Where much ends, the line runs half way down to nothing; where it thins out, where it is LEAST_MM.
    share = softened(thickness / np.maximum(_most_around(thickness), 2.0 * LEAST_MM))
    outline = level_lines(share, 0.5) * cell + corner + 0.5 * cell
    if not len(outline):
        return None
    at = (float(corner[0]) + 0.5, float(corner[1]) + 0.5)
    return RemovalMarks(left.name, left.color, at, cell, np.where(share > 0.5, softened(thickness), 0.0), outline, left.share)


def _shared_out(places: F64, amounts: F64, rows: int, columns: int) -> F64:
    """(rows, columns) amounts at (N, 2) places, in cells, each shared among the four cells around it by how near their middles are."""
    first = np.floor(places).astype(np.int64)
    part = places - first
    raster = np.zeros(rows * columns)
    for right, down in ((0, 0), (1, 0), (0, 1), (1, 1)):
        weight = np.abs(1 - right - part[:, 0]) * np.abs(1 - down - part[:, 1])
        raster += np.bincount((first[:, 1] + down) * columns + first[:, 0] + right, weights=weight * amounts, minlength=rows * columns)
    return raster.reshape(rows, columns)


def _most_around(raster: F64) -> F64:
    """The greatest value of each cell and its eight neighbours."""
    wide = np.pad(raster, 1)
    for axis in (0, 1):
        wide = np.maximum(wide, np.maximum(np.roll(wide, 1, axis), np.roll(wide, -1, axis)))
    return np.asarray(wide[1:-1, 1:-1])
