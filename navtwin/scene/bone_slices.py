"""Where a plane cuts drilled walls, and how much bone is left behind each piece; and which part of a picture was drilled away."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.kernels.bone.bricks import BRICK
from navtwin.rigid import Vec3
from navtwin.scene.bone_picture import CUT_DEPTH, BrickLook, Grid, joined
from navtwin.scene.palette import BANDS_MM
from navtwin.scene.reslice import Field
from navtwin.scene.slices import ACROSS, RIGHT, UP, Plane, in_plane

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: A wall that may be gone, or that bone may be missing behind; and one behind which there is nothing to colour. Others are in a band of `BANDS_MM`.
DOUBTFUL: Final = -1
BARE: Final = len(BANDS_MM)
#: Bone is said to be gone where the field is so many sides outside: the grid itself strays less from a smooth surface.
GONE_SIDES: Final = 0.3


@dataclass(frozen=True, eq=False)
class WallPieces:
    """Pieces of drilled walls in a plane.

    Attributes
    ----------
    ends_mm : (N, 2, 2), both ends of each, in picture coordinates
    band : (N,) int8, place in `BANDS_MM`, BARE or DOUBTFUL
    """

    ends_mm: F64
    band: npt.NDArray[np.int8]


def wall_pieces(looks: Mapping[int, BrickLook], grid: Grid, plane: Plane, at_mm: Vec3) -> WallPieces:
    """Cut the drilled walls by the plane through `at_mm`."""
    look = joined([looks[brick] for brick in in_reach(looks, grid, plane, at_mm)])
    height = look.vertices_mm[:, ACROSS[plane]] - at_mm[ACROSS[plane]]
    above = height >= 0.0
    faces = look.faces[above[look.faces].any(axis=1) & ~above[look.faces].all(axis=1)]
    if not len(faces):
        return WallPieces(np.empty((0, 2, 2)), np.empty(0, np.int8))
    # The corner that is alone on its side, and the two on the other.
    rows = np.arange(len(faces))
    alone = np.argmax(above[faces] == (above[faces].sum(axis=1) == 1)[:, None], axis=1)
    told = np.column_stack((look.vertices_mm, look.depth, look.doubtful, look.bone_mm))
    ends = []
    for step in (1, 2):
        one, other = faces[rows, alone], faces[rows, (alone + step) % 3]
        share = (height[one] / (height[one] - height[other]))[:, None]
        ends.append(told[one] + share * (told[other] - told[one]))
    middle = (ends[0] + ends[1]) / 2.0
    band = np.searchsorted(np.array(BANDS_MM), middle[:, 5]).astype(np.int8)
    band[middle[:, 4] > 0.0] = DOUBTFUL
    shown = (middle[:, 3] > CUT_DEPTH) | (band == DOUBTFUL)
    return WallPieces(np.stack([in_plane(end[shown, :3], plane) for end in ends], axis=1), band[shown])


def in_reach(bricks: Iterable[int], grid: Grid, plane: Plane, at_mm: Vec3) -> list[int]:
    """The bricks whose surface the plane through `at_mm` may cut."""
    numbers = list(bricks)
    across = ACROSS[plane]
    place = (at_mm[across] - grid.origin_mm[across]) / grid.brick_mm
    begins = grid.place(numbers)[:, across]
    near = (begins - 1.0 / BRICK <= place) & (place <= begins + 1.0 + 1.0 / BRICK)
    return [numbers[n] for n in np.flatnonzero(near).tolist()]


def window_of(bricks: Iterable[int], grid: Grid, field: Field) -> tuple[slice, slice] | None:
    """The rows and columns of a picture that bricks in its plane take; None where none do."""
    numbers = in_reach(bricks, grid, field.plane, field.at_mm)
    if not numbers:
        return None
    low = grid.origin_mm + grid.place(numbers).min(axis=0) * grid.brick_mm
    high = grid.origin_mm + (grid.place(numbers).max(axis=0) + 1) * grid.brick_mm
    rows_mm, columns_mm = field.rows_and_columns()
    rows = np.flatnonzero((rows_mm >= low[UP[field.plane][0]]) & (rows_mm <= high[UP[field.plane][0]]))
    columns = np.flatnonzero((columns_mm >= low[RIGHT[field.plane]]) & (columns_mm <= high[RIGHT[field.plane]]))
    if not len(rows) or not len(columns):
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def pixel_places(field: Field, window: tuple[slice, slice]) -> F64:
    """(rows, columns, 3) ct: the middles of the pixels in a part of a picture."""
    rows_mm, columns_mm = (mm[part] for mm, part in zip(field.rows_and_columns(), window, strict=True))
    places = np.empty((len(rows_mm), len(columns_mm), 3))
    places[..., ACROSS[field.plane]] = field.at_mm[ACROSS[field.plane]]
    places[..., UP[field.plane][0]] = rows_mm[:, None]
    places[..., RIGHT[field.plane]] = columns_mm
    return places
