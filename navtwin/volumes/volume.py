"""A scanned volume and where it lies. Whatever cannot be placed in space is refused, never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.rigid import Vec3

Row4 = tuple[float, float, float, float]
Affine = npt.NDArray[np.float64]
Sides = tuple[float, float, float]

LPS_FROM_RAS: Final = np.diag((-1.0, -1.0, 1.0, 1.0))
LPS_FROM_RAS.flags.writeable = False
#: Cosine between voxel axes beyond which a volume counts as sheared (gantry tilt is 0.02 and more; float32 headers err by 1e-6).
SHEAR_TOLERANCE: Final = 1e-3
#: Two geometries are the same when no corner differs by more than this share of the smallest voxel side.
GEOMETRY_TOLERANCE: Final = 0.05
#: More than any CT; a header that claims more is damaged or hostile.
MOST_BYTES: Final = 4 * 1024**3
_EXPORT_AGAIN: Final = "export it again with its orientation"


@dataclass(frozen=True)
class VolumeBox:
    """The scanned volume: beyond it nothing is known of the patient.

    Attributes
    ----------
    T_ijk_from_ct : rows of the (4, 4) affine from ct (mm) to voxel indices (i, j, k); whole indices are voxel centres
    shape_ijk : number of voxels along i, j, k
    """

    T_ijk_from_ct: tuple[Row4, Row4, Row4, Row4]
    shape_ijk: tuple[int, int, int]

    def contains(self, p_mm: Vec3) -> bool:
        """Whether a point of ct lies in some voxel. Plain float arithmetic: the fold asks this in every frame."""
        x, y, z = p_mm
        for row, count in zip(self.T_ijk_from_ct[:3], self.shape_ijk, strict=True):
            index = row[0] * x + row[1] * y + row[2] * z + row[3]
            if not -0.5 <= index <= count - 0.5:
                return False
        return True

    def contain(self, points_mm: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """`contains` of many points (..., 3), ct, by the same operations in the same order; False where a point is not known."""
        x, y, z = points_mm[..., 0], points_mm[..., 1], points_mm[..., 2]
        inside = np.ones(x.shape, dtype=np.bool_)
        for row, count in zip(self.T_ijk_from_ct[:3], self.shape_ijk, strict=True):
            index = row[0] * x + row[1] * y + row[2] * z + row[3]
            inside &= (index >= -0.5) & (index <= count - 0.5)
        return inside

    def bounds_mm(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Lowest and highest corner, (3,) each, of the box along the axes of ct that holds every voxel."""
        T_ct_from_ijk = np.linalg.inv(np.array(self.T_ijk_from_ct))
        ends = [(-0.5, count - 0.5) for count in self.shape_ijk]
        corners = np.array([(i, j, k) for i in ends[0] for j in ends[1] for k in ends[2]])
        points = corners @ T_ct_from_ijk[:3, :3].T + T_ct_from_ijk[:3, 3]
        return points.min(axis=0), points.max(axis=0)

    def reached_by(self, points_mm: npt.NDArray[np.float64]) -> bool:
        """Whether any of the points (N, 3), ct, lies in an outermost voxel or beyond it."""
        T = np.array(self.T_ijk_from_ct)
        indices = points_mm @ T[:3, :3].T + T[:3, 3]
        return bool(((indices < 0.5) | (indices > np.array(self.shape_ijk) - 1.5)).any())


@dataclass(frozen=True)
class Volume:
    """A scanned volume.

    Attributes
    ----------
    hu : (nk, nj, ni) Hounsfield units, read-only; label numbers where the file is a label volume
    T_ct_from_ijk : (4, 4) affine from voxel indices (i, j, k) to ct (LPS, mm); may be left-handed
    spacing_mm : voxel sides along (i, j, k)
    path : where it was read from
    scanned : where the scan reached, for a grid that is larger: a tilted stack put onto a square one has corners that no slice reaches
    """

    hu: npt.NDArray[Any]
    T_ct_from_ijk: Affine
    spacing_mm: Sides
    path: Path
    scanned: VolumeBox | None = None

    @property
    def shape_ijk(self) -> tuple[int, int, int]:
        nk, nj, ni = self.hu.shape
        return (ni, nj, nk)

    @property
    def box(self) -> VolumeBox:
        """Where in ct something is known."""
        return self.scanned or volume_box(self.T_ct_from_ijk, self.shape_ijk)


def volume_box(T_ct_from_ijk: Affine, shape_ijk: tuple[int, int, int]) -> VolumeBox:
    rows: Any = tuple(tuple(float(v) for v in row) for row in np.linalg.inv(T_ct_from_ijk))
    return VolumeBox(rows, shape_ijk)


def placed(values: npt.NDArray[Any], T_ct_from_ijk: Affine, path: Path) -> Volume:
    """The volume of (nk, nj, ni) `values` at a checked place; its arrays become read-only.

    Raises
    ------
    InputRefused : as `placement`
    """
    spacing_mm = placement(T_ct_from_ijk, path)
    for array in (values, T_ct_from_ijk):
        array.flags.writeable = False
    return Volume(values, T_ct_from_ijk, spacing_mm, path)


def placement(T_ct_from_ijk: Affine, what: Path) -> Sides:
    """Voxel sides in mm along (i, j, k) of an affine that places a volume.

    Raises
    ------
    InputRefused : an affine that is not finite, singular or sheared
    """
    if not np.isfinite(T_ct_from_ijk).all():
        raise InputRefused(f"the affine of {what} holds NaN or infinite values", _EXPORT_AGAIN)
    sides = np.linalg.norm(T_ct_from_ijk[:3, :3], axis=0)
    if not np.isfinite(sides).all() or sides.min() <= 1e-6 or abs(np.linalg.det(T_ct_from_ijk[:3, :3] / sides)) < 1e-6:
        raise InputRefused(f"the affine of {what} is singular", _EXPORT_AGAIN)
    axes = T_ct_from_ijk[:3, :3] / sides
    shear = float(np.abs(axes.T @ axes - np.eye(3)).max())
    if shear > SHEAR_TOLERANCE:
        raise InputRefused(f"the affine of {what} is sheared (axes off square by {np.degrees(np.arcsin(min(shear, 1.0))):.2f} deg)",
                           "resample it to square axes (a tilted gantry must be corrected first)")  # fmt: skip
    return (float(sides[0]), float(sides[1]), float(sides[2]))


def corner_distance_mm(one: Affine, other: Affine, shape_ijk: tuple[int, int, int]) -> float:
    """How far apart two affines put any corner of a grid."""
    ni, nj, nk = shape_ijk
    corners = np.array([(i, j, k, 1.0) for i in (0, ni) for j in (0, nj) for k in (0, nk)])
    return float(np.linalg.norm(corners @ (one - other).T, axis=1).max())


def refuse_other_geometry(labels: Volume, like: Volume) -> None:
    """Refuse labels whose voxels are not those of `like`."""
    remedy = "pass the label volume that was made from this CT, on its own voxels"
    if labels.shape_ijk != like.shape_ijk:
        theirs, ours = (" x ".join(map(str, v.shape_ijk)) for v in (labels, like))
        raise InputRefused(f"{labels.path} has {theirs} voxels, {like.path} has {ours}", remedy)
    apart = corner_distance_mm(labels.T_ct_from_ijk, like.T_ct_from_ijk, like.shape_ijk)
    if apart > GEOMETRY_TOLERANCE * min(like.spacing_mm):
        raise InputRefused(f"{labels.path} lies up to {apart:.3g} mm away from {like.path}", remedy)
