"""Planes through a case: what the scan shows there, and where the surfaces of the structures cross it.

Planes are those of the patient (LPS), whatever way the voxels were stacked, and are looked at as radiologists do: axial from the feet, coronal
from the front, sagittal from the left. The patient's left is on the right of axial and coronal pictures, the front on the left of sagittal ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from navtwin.rigid import Vec3
from navtwin.volumes.volume import Volume

F64 = npt.NDArray[np.float64]
Plane = Literal["axial", "coronal", "sagittal"]

#: For each plane: the axis of ct across it, and the axes that point right and up in the picture, each with its sign.
ACROSS: dict[Plane, int] = {"axial": 2, "coronal": 1, "sagittal": 0}
RIGHT: dict[Plane, int] = {"axial": 0, "coronal": 0, "sagittal": 1}
UP: dict[Plane, tuple[int, float]] = {"axial": (1, -1.0), "coronal": (2, 1.0), "sagittal": (2, 1.0)}
PLANES: tuple[Plane, ...] = ("axial", "coronal", "sagittal")
#: What stands at the left, right, lower and upper edge of a picture.
EDGES: dict[Plane, tuple[str, str, str, str]] = {
    "axial": ("R", "L", "P", "A"),
    "coronal": ("R", "L", "I", "S"),
    "sagittal": ("A", "P", "I", "S"),
}


@dataclass(frozen=True)
class Slice:
    """A plane of a scan.

    Attributes
    ----------
    hu : (rows, columns) sampled by trilinear interpolation, first row uppermost; NaN beyond the scan
    extent_mm : of the picture: left, right, bottom, top in the picture's own coordinates (`in_plane`)
    position_mm : of the plane along the axis across it, in ct
    """

    plane: Plane
    hu: npt.NDArray[np.float32]
    extent_mm: tuple[float, float, float, float]
    position_mm: float


def in_plane(points_mm: npt.ArrayLike, plane: Plane) -> F64:
    """Picture coordinates (right, up), (N, 2) mm, of points of ct, (N, 3)."""
    points = np.asarray(points_mm, dtype=np.float64)
    axis, sign = UP[plane]
    return np.stack((points[..., RIGHT[plane]], sign * points[..., axis]), axis=-1)


def slice_of(volume: Volume, plane: Plane, at_mm: Vec3, pixel_mm: float | None = None) -> Slice:
    """The plane through `at_mm` (ct). `pixel_mm` is the finest voxel side unless told."""
    from scipy.ndimage import map_coordinates

    low, high = _bounds(volume)
    step = min(volume.spacing_mm) if pixel_mm is None else pixel_mm
    right, (up, sign) = RIGHT[plane], UP[plane]
    columns = np.arange(low[right], high[right] + step / 2, step)
    rows = np.arange(low[up], high[up] + step / 2, step)
    # First row uppermost.
    rows = rows[::-1] if sign > 0.0 else rows
    points = np.empty((len(rows), len(columns), 3))
    points[..., ACROSS[plane]] = at_mm[ACROSS[plane]]
    points[..., right], points[..., up] = columns[None, :], rows[:, None]
    T_ijk_from_ct = np.linalg.inv(volume.T_ct_from_ijk)
    ijk = points @ T_ijk_from_ct[:3, :3].T + T_ijk_from_ct[:3, 3]
    hu = map_coordinates(volume.hu, np.moveaxis(ijk[..., ::-1], -1, 0), output=np.float32, order=1, mode="constant", cval=np.nan, prefilter=False)
    half = step / 2.0
    ups = sorted((sign * float(rows[0]), sign * float(rows[-1])))
    extent = (float(columns[0]) - half, float(columns[-1]) + half, ups[0] - half, ups[1] + half)
    return Slice(plane, hu, extent, float(at_mm[ACROSS[plane]]))


def outline(vertices_mm: F64, faces: npt.NDArray[np.integer], plane: Plane, at_mm: Vec3) -> F64:
    """Where a surface crosses the plane through `at_mm`: line pieces, (N, 2, 2) in picture coordinates, mm.

    A vertex that lies in the plane counts as above it, so that each crossing triangle gives exactly one piece.
    """
    across = ACROSS[plane]
    height = vertices_mm[:, across] - at_mm[across]
    above = height >= 0.0
    crossing = faces[above[faces].any(axis=1) & ~above[faces].all(axis=1)]
    if not len(crossing):
        return np.empty((0, 2, 2))
    # The corner that is alone on its side, and the two on the other.
    lone_above = above[crossing].sum(axis=1) == 1
    alone = np.argmax(above[crossing] == lone_above[:, None], axis=1)
    first = crossing[np.arange(len(crossing)), alone]
    ends = [_crossing(vertices_mm, height, first, crossing[np.arange(len(crossing)), (alone + n) % 3]) for n in (1, 2)]
    return np.stack([in_plane(end, plane) for end in ends], axis=1)


def _crossing(vertices_mm: F64, height: F64, one: npt.NDArray[np.integer], other: npt.NDArray[np.integer]) -> F64:
    share = (height[one] / (height[one] - height[other]))[:, None]
    crossing: F64 = vertices_mm[one] + share * (vertices_mm[other] - vertices_mm[one])
    return crossing


def _bounds(volume: Volume) -> tuple[F64, F64]:
    """The box, aligned with the patient, of all voxel centres."""
    ends = [(0.0, n - 1.0) for n in volume.shape_ijk]
    corners = np.array([(i, j, k) for i in ends[0] for j in ends[1] for k in ends[2]])
    T = volume.T_ct_from_ijk
    points = corners @ T[:3, :3].T + T[:3, 3]
    return points.min(axis=0), points.max(axis=0)
