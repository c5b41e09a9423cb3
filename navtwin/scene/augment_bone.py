"""Bone that is being drilled, as a calibrated camera would see it: the hole that the twin has, and what is still to be removed. No drawing here.

The hole is looked into along rays through the lens, one for each cell of a raster over the part of the picture where bone was drilled: where a ray
meets the bone that is left later than it would have met the whole bone, there is the hole.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import numpy.typing as npt

from navtwin import kernels
from navtwin.kernels.bone.bricks import BRICK
from navtwin.scene.contours import level_lines, softened
from navtwin.scene.cover import Cover
from navtwin.scene.lens_rays import rays
from navtwin.scene.model import Structure
from navtwin.scene.removal_view import Left

if TYPE_CHECKING:
    from navtwin.kernels import Forest
    from navtwin.rigid import Rigid, Vec3
    from navtwin.scene.bone_picture import Grid
    from navtwin.scene.lens import Lens

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: Cells of the raster over the hole, and its least cell, px of the picture.
MOST_CELLS, LEAST_CELL_PX = 5000, 1.0
#: So much farther than the whole bone the bone that is left is met where it was drilled, mm: the grid itself strays less.
OPEN_MM: Final = 0.3
#: A wall so deep in the hole is shown a third as bright, mm.
DARKER_MM: Final = 14.0


class Bone(Protocol):
    """What is asked of drilled bone, as `Carvable` has it."""

    @property
    def side_mm(self) -> float: ...

    @property
    def revision(self) -> int: ...

    @property
    def forest(self) -> Forest: ...

    def values(self, points_mm: npt.ArrayLike) -> F64: ...


@dataclass(frozen=True, eq=False)
class Drilled:
    """Drilled bone at one moment.

    Attributes
    ----------
    whole : the bone as it was in the scan
    box_mm : (2, 3) ct, around all that was drilled; None where nothing was
    left : of each planned removal
    hold : while this is held nobody changes the bone
    """

    whole: Structure
    bone: Bone
    box_mm: F64 | None = None
    left: tuple[Left, ...] = ()
    hold: AbstractContextManager[object] = field(default_factory=nullcontext)


@dataclass(frozen=True, eq=False)
class Hole:
    """The hole in one picture, on a raster.

    Attributes
    ----------
    corner_px, cell_px : of the raster in the picture, and of its cells
    is_open : (rows, columns) bool, what is seen there is a drilled wall, or what lies behind the bone
    brightness : (rows, columns), 0 to 1, of the wall lit from the camera and darker the deeper it lies; 0 where nothing is behind the hole
    rim : (M, 2, 2) px, pieces of the line around it
    """

    corner_px: tuple[float, float]
    cell_px: float
    is_open: Flags
    brightness: F64
    rim: F64


def box_of(grid: Grid, changed: Iterable[int]) -> F64 | None:
    """(2, 3) corners, ct, of the box around bricks that have changed, and one point more on every side; None where none has."""
    places = grid.place(changed)
    if not len(places):
        return None
    low, high = places.min(axis=0) * BRICK - 1, (places.max(axis=0) + 1) * BRICK
    return np.array(grid.origin_mm) + grid.side_mm * np.stack((low, high))


def met_mm(drilled: Drilled, eye_mm: Vec3, points_mm: F64) -> F64:
    """(N,) range from the eye at which the bone that is left is met on the way to each of (N, 3) points, or beyond; infinite where it is not."""
    ways = np.ascontiguousarray(points_mm - np.array(eye_mm))
    with drilled.hold:
        found = _first_hits(drilled.bone, np.tile(np.array(eye_mm), (len(ways), 1)), ways)
    return np.where(np.isnan(found), np.inf, found)


def look_in(drilled: Drilled, lens: Lens, T_camera_from_ct: Rigid, others: Cover | None) -> Hole | None:
    """See the hole through a lens; None where it is not in the picture.

    Parameters
    ----------
    others : other bones, which may lie in front of it
    """
    corner, size = _part(drilled, lens, T_camera_from_ct)
    if size.min() <= 0.0:
        return None
    cell = max(LEAST_CELL_PX, float(np.sqrt(size.prod() / MOST_CELLS)))
    columns, rows = (int(n) + 1 for n in np.ceil(size / cell))
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
    pixels = corner + cell * (grid + 0.5) - 0.5
    T_ct_from_camera = T_camera_from_ct.inverse()
    ways = np.ascontiguousarray(rays(lens, pixels) @ np.array(T_ct_from_camera.rotation).T)
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    eye = np.tile(np.array(T_ct_from_camera.t_mm), (len(ways), 1))
    whole = drilled.whole.surface.first_hit(eye, ways).distance_mm
    brightness = np.zeros(len(ways))
    with drilled.hold:
        left = _first_hits(drilled.bone, eye, ways)
        # A ray that the lens does not bring is NaN, and nothing is open there.
        is_open = np.isfinite(whole) & (left > whole + OPEN_MM)
        lit = is_open & np.isfinite(left)
        brightness[lit] = _facing(drilled.bone, eye[lit] + left[lit, None] * ways[lit], ways[lit])
        brightness[lit] *= np.exp((whole[lit] - left[lit]) / DARKER_MM)
    if others is not None:
        is_open &= others.range_at(pixels) > np.where(is_open, left, 0.0)
    if not is_open.any():
        return None
    shape, at = (rows, columns), (float(corner[0]), float(corner[1]))
    rim = level_lines(softened(is_open.reshape(shape).astype(np.float64)), 0.5) * cell + (corner + 0.5 * cell - 0.5)
    return Hole(at, cell, is_open.reshape(shape), brightness.reshape(shape), rim)


def _part(drilled: Drilled, lens: Lens, T_camera_from_ct: Rigid) -> tuple[F64, F64]:
    """Corner and size, px, of the part of the picture in which the drilled bone lies."""
    nothing = np.zeros(2), np.zeros(2)
    if drilled.box_mm is None:
        return nothing
    corners = np.stack(np.meshgrid(*drilled.box_mm.T, indexing="ij"), axis=-1).reshape(-1, 3)
    pixels = lens.project(T_camera_from_ct.apply(corners))
    picture = np.array((lens.width_px, lens.height_px), dtype=np.float64)
    if not np.isfinite(pixels).all():
        # A corner beyond the lens's field: look everywhere.
        return np.zeros(2), picture
    low = np.clip(np.floor(pixels.min(axis=0)), 0.0, picture)
    return low, np.clip(np.ceil(pixels.max(axis=0)), 0.0, picture) - low


def _first_hits(bone: Bone, eyes: F64, ways: F64) -> F64:
    """(N,) mm, infinite where nothing is hit, NaN where a ray is not known."""
    found = np.empty(len(ways))
    kernels.first_hits(bone.forest, 0, eyes, ways, found, np.empty(len(ways), np.int32), kernels.workspace())
    return found


def _facing(bone: Bone, points_mm: F64, ways: F64) -> F64:
    """(N,) cosine between the way back to the eye and the wall's normal, which is the gradient of the field; 0 where it is turned away."""
    steps = bone.side_mm * np.concatenate((np.eye(3), -np.eye(3)))
    around = np.asarray(bone.values((points_mm[:, None, :] + steps).reshape(-1, 3))).reshape(-1, 6)
    slope = around[:, :3] - around[:, 3:]
    length = np.maximum(np.sqrt(np.einsum("ij,ij->i", slope, slope)), 1e-9)
    return np.asarray(np.clip(-np.einsum("ij,ij->i", slope, ways) / length, 0.0, 1.0))
