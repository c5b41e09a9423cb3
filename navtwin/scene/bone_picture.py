"""What drilled bone looks like, brick by brick: its exact surface, smooth normals, what was cut, and how much bone is left behind it.

All of it depends on the place of a vertex alone, so the vertices that two bricks share look the same from both: no seam is seen between them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import numpy.typing as npt

from navtwin.kernels.bone.bricks import BRICK
from navtwin.scene.surface import Surface
from navtwin.scene.thickness import REACH_MM, Ways, bone_left

if TYPE_CHECKING:
    from navtwin.scene.carvable import Carvable

F64 = npt.NDArray[np.float64]
F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]

#: Points along each edge of a block, the unit of doubt; and blocks along each edge of a brick.
BLOCK: Final = 4
#: Layers of points at a brick's border by which its neighbour's surface, and the overlap of the rest's mesh, may be moved.
SEAM: Final = 2
#: Bricks along each edge of a chunk: what is given to the graphics in one piece.
CHUNK: Final = 4
#: A vertex this far inside the whole bone, in sides of the grid, was laid bare by the drill; the grid itself strays less from a smooth surface.
CUT_DEPTH: Final = 0.5
#: Bone is measured so far beyond the last band, mm, so that its border is a smooth line; and where there is nothing to measure, this is said.
BEYOND_MM: Final = 1.0
NO_BAND_MM: Final = REACH_MM + BEYOND_MM


class Bone(Ways, Protocol):
    """The part of a `Carvable` that is painted."""

    def patch(self, brick: int) -> tuple[F64, I32]: ...

    def values(self, points_mm: npt.ArrayLike) -> F64: ...

    @property
    def changed(self) -> npt.NDArray[np.int64]: ...

    def cells(self, bricks: npt.ArrayLike) -> npt.NDArray[np.int8]: ...

    def whole_cells(self, bricks: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]: ...


@dataclass(frozen=True)
class Grid:
    """Where the bricks of a bone lie: `origin_mm` of point 0, 0, 0; `shape` bricks along x, y, z."""

    origin_mm: tuple[float, float, float]
    side_mm: float
    shape: tuple[int, int, int]

    @property
    def brick_mm(self) -> float:
        return BRICK * self.side_mm

    @property
    def bricks(self) -> int:
        """How many there are."""
        return math.prod(self.shape)

    def place(self, bricks: Iterable[int]) -> npt.NDArray[np.int64]:
        """(N, 3) places i, j, k of bricks by their numbers."""
        ni, nj, _ = self.shape
        numbers = np.fromiter(bricks, np.int64)
        return np.stack((numbers % ni, numbers // ni % nj, numbers // (ni * nj)), axis=-1)

    def mask(self, bricks: Iterable[int]) -> Flags:
        """(K, J, I): those bricks."""
        chosen = np.zeros(self.shape[::-1], np.bool_)
        i, j, k = self.place(bricks).T
        chosen[k, j, i] = True
        return chosen

    def chunk(self, brick: int) -> int:
        """The chunk that a brick belongs to."""
        i, j, k = (int(n) // CHUNK for n in self.place((brick,))[0])
        wide, high, _ = (-(-n // CHUNK) for n in self.shape)
        return i + wide * (j + high * k)

    def around(self, bricks: Iterable[int]) -> Flags:
        """(K, J, I): these bricks, and all that touch them."""
        grown = self.mask(bricks)
        for axis in range(3):
            one, other = [slice(None)] * 3, [slice(None)] * 3
            one[axis], other[axis] = slice(1, None), slice(None, -1)
            before = grown.copy()
            grown[tuple(one)] |= before[tuple(other)]
            grown[tuple(other)] |= before[tuple(one)]
        return grown


def shown_exactly(bone: Bone, grid: Grid) -> Flags:
    """(K, J, I): bricks whose surface is no longer that of the whole bone: those that changed, and beside them those whose seam has moved.

    The surface of a brick hangs on its own points and on the next ones; and as far as the rest's mesh laps over, nothing may have changed either.
    """
    changed = bone.changed
    exact = grid.mask(changed.tolist())
    differs = bone.cells(changed) != bone.whole_cells(changed)
    i, j, k = grid.place(changed.tolist()).T
    sides = {-1: slice(0, SEAM), 0: slice(None), 1: slice(-SEAM, None)}
    for step_k, step_j, step_i in product(sides, repeat=3):
        moved = differs[:, sides[step_k], sides[step_j], sides[step_i]].any(axis=(1, 2, 3))
        place = np.stack((k, j, i), axis=-1)[moved] + (step_k, step_j, step_i)
        place = place[((place >= 0) & (place < exact.shape)).all(axis=1)]
        exact[tuple(place.T)] = True
    return exact


@dataclass(frozen=True, eq=False)
class BrickLook:
    """One brick of drilled bone, ready to be painted; V vertices, F faces.

    Attributes
    ----------
    vertices_mm, faces, normals : (V, 3) float64 ct, (F, 3) int32, (V, 3) float32 outward
    depth : (V,) float32, how far inside the whole bone, in sides of the grid; beyond `CUT_DEPTH` it was laid bare by the drill
    doubtful : (V,) bool, it may be gone, or bone behind it that is shown may be
    bone_mm : (V,) float32, left behind what was cut, `NO_BAND_MM` where nothing is to be coloured
    """

    vertices_mm: F64
    faces: I32
    normals: F32
    depth: F32
    doubtful: Flags
    bone_mm: F32

    @property
    def cut(self) -> Flags:
        """(V,) bool, laid bare by the drill."""
        return self.depth > CUT_DEPTH


def brick_look(bone: Bone, brick: int, grid: Grid, whole: Surface, critical: Sequence[Surface], before: BrickLook | None = None) -> BrickLook:
    """Look at one brick.

    Parameters
    ----------
    whole : the bone before it was drilled
    critical : structures that a thin wall may hide
    before : how it looked; where its surface has not moved, it is as deep in the whole bone as it was
    """
    vertices, faces = bone.patch(brick)
    count = len(vertices)
    bone_mm = np.full(count, NO_BAND_MM, np.float32)
    depth, doubtful = np.zeros(count, np.float32), np.zeros(count, np.bool_)
    normals = normals_of(bone, vertices)
    if count:
        stays = before is not None and np.array_equal(before.vertices_mm, vertices)
        depth = before.depth if before is not None and stays else (whole.closest(vertices).distance_mm / -bone.side_mm).astype(np.float32)
        doubtful = doubtful_at(bone, vertices - 0.5 * bone.side_mm * normals, grid)
        bare = np.flatnonzero(depth > CUT_DEPTH / 2.0)
        left = bone_left(vertices[bare], bone, critical, NO_BAND_MM)
        bone_mm[bare] = np.minimum(left.bone_mm, NO_BAND_MM)
        doubtful[bare] |= left.doubtful
    return BrickLook(vertices, faces, normals, depth, doubtful, bone_mm)


def doubtful_at(bone: Bone, points_mm: F64, grid: Grid) -> Flags:
    """(N,) bool: whether bone at (N, 3) points may be gone, as the blocks around the nearest points of the grid have it."""
    most = BRICK * np.array(grid.shape) - 1
    i, j, k = np.clip(np.floor((points_mm - grid.origin_mm) / grid.side_mm + 0.5).astype(np.int64), 0, most).T
    ni, nj, _ = grid.shape
    bricks, which = np.unique(i // BRICK + ni * (j // BRICK + nj * (k // BRICK)), return_inverse=True)
    bit = (16 * (k // BLOCK % BLOCK) + 4 * (j // BLOCK % BLOCK) + i // BLOCK % BLOCK).astype(np.uint64)
    doubtful: Flags = (bone.doubts(bricks)[which] >> bit & np.uint64(1)).astype(np.bool_)
    return doubtful


def normals_of(bone: Bone, points_mm: F64) -> F32:
    """(N, 3) outward normals of a surface: the gradient of its field, by central differences over one side of the grid."""
    steps = bone.side_mm * np.concatenate((np.eye(3), -np.eye(3)))
    values = np.asarray(bone.values((points_mm[:, None, :] + steps).reshape(-1, 3))).reshape(-1, 6)
    gradient = values[:, :3] - values[:, 3:]
    length = np.linalg.norm(gradient, axis=1, keepdims=True)
    # Between two walls as near as the grid can tell apart the field has no slope: any direction will do.
    return np.where(length > 0.0, gradient / np.where(length > 0.0, length, 1.0), (0.0, 0.0, 1.0)).astype(np.float32)


def joined(looks: Sequence[BrickLook]) -> BrickLook:
    """Several bricks as one."""
    firsts = np.cumsum([0, *(len(look.vertices_mm) for look in looks)])
    return BrickLook(
        np.concatenate([np.empty((0, 3)), *(look.vertices_mm for look in looks)]),
        np.concatenate([np.empty((0, 3), np.int32), *(look.faces + np.int32(first) for look, first in zip(looks, firsts, strict=False))]),
        np.concatenate([np.empty((0, 3), np.float32), *(look.normals for look in looks)]),
        np.concatenate([np.empty(0, np.float32), *(look.depth for look in looks)]),
        np.concatenate([np.empty(0, np.bool_), *(look.doubtful for look in looks)]),
        np.concatenate([np.empty(0, np.float32), *(look.bone_mm for look in looks)]),
    )


def grid_of(bone: Carvable) -> Grid:
    """Where the bricks of a bone lie."""
    x, y, z = bone.bricks.origin.tolist()
    nk, nj, ni = bone.bricks.table.shape
    return Grid((x, y, z), bone.side_mm, (ni, nj, nk))
