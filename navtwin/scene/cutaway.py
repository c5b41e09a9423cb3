"""A mesh of the whole bone without the bricks that are painted exactly: cut along the borders of bricks, with a narrow overlap against cracks."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from navtwin.kernels.bone.bricks import BRICK
from navtwin.scene.bone_picture import Grid

F64 = npt.NDArray[np.float64]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

#: How far the mesh reaches into exact bricks, in sides of the grid. Their surface ends within half a side of the border, and a coarser mesh strays.
OVERLAP: Final = 1.0
#: And how far its hem is sunk below the surface there, in sides: two surfaces at one depth would flicker.
SUNK: Final = 0.5
#: A triangle that is cut by the six sides of a box has at most so many corners.
_MOST_CORNERS: Final = 9


class Arrays(NamedTuple):
    """A mesh without anything of VTK's.

    Attributes
    ----------
    points_mm, normals, faces : (V, 3) ct, (V, 3) outward, (F, 3)
    doubtful : (V,) float32, 1 where what is drawn may be gone
    """

    points_mm: F64
    normals: F32
    faces: I64
    doubtful: F32


def cut_away(mesh: Arrays, grid: Grid, exact: Flags) -> Arrays:
    """Leave out what lies in exact bricks: whole triangles keep their vertices, cut ones get vertices of their own.

    Parameters
    ----------
    exact : (K, J, I), which bricks
    """
    points_mm, normals, faces, doubtful = mesh
    places, most = _places(mesh, grid), np.array(grid.shape) - 1
    low, high = _reached(places[faces], grid)
    within = _count(exact, low, high)
    whole = within == 0
    mixed = np.flatnonzero(~whole & (within < (high - low + 1).prod(axis=1)))
    triangle, box = _boxes(mixed, low, high, exact)
    rows = np.concatenate((places, points_mm, normals.astype(np.float64), doubtful.astype(np.float64)[:, None]), axis=1)[faces[triangle]]
    pieces, count = _clipped(rows, *_sides(box, exact))
    fans = _fans(count)
    cut = pieces.reshape(-1, rows.shape[2])[fans.reshape(-1)]
    made = len(points_mm) + np.arange(len(cut), dtype=np.int64).reshape(-1, 3)
    i, j, k = np.clip(np.floor(cut[:, :3]).astype(np.int64), 0, most).T
    cut[:, 3:6] -= (SUNK * grid.side_mm * exact[k, j, i])[:, None] * cut[:, 6:9]
    return Arrays(
        np.concatenate((points_mm, cut[:, 3:6])),
        np.concatenate((normals, cut[:, 6:9].astype(np.float32))),
        np.concatenate((faces[whole], made)),
        np.concatenate((doubtful, cut[:, 9].astype(np.float32))),
    )


def near(mesh: Arrays, grid: Grid, bricks: Flags) -> Flags:
    """(V,) bool: corners of triangles that may lie in some bricks, however large the triangles are."""
    low, high = _reached(_places(mesh, grid)[mesh.faces], grid)
    corners = np.zeros(len(mesh.points_mm), np.bool_)
    corners[mesh.faces[_count(bricks, low, high) > 0]] = True
    return corners


def _places(mesh: Arrays, grid: Grid) -> F64:
    """Vertices in bricks, half a point on: that is where the surface through one brick ends and the next one's begins."""
    places: F64 = (mesh.points_mm - grid.origin_mm) / grid.brick_mm + 0.5 / BRICK
    return places


def _reached(corners: F64, grid: Grid) -> tuple[I64, I64]:
    """The first and last brick, along each axis, that triangles may reach, lapping over."""
    most, reach = np.array(grid.shape) - 1, OVERLAP / BRICK
    low = np.clip(np.floor(corners.min(axis=1) - reach).astype(np.int64), 0, most)
    return low, np.clip(np.floor(corners.max(axis=1) + reach).astype(np.int64), 0, most)


def _count(exact: Flags, low: I64, high: I64) -> I64:
    """How many exact bricks lie in each box of bricks, by a table of sums."""
    table = np.zeros(tuple(n + 1 for n in exact.shape), np.int64)
    table[1:, 1:, 1:] = exact.cumsum(0).cumsum(1).cumsum(2)
    total = np.zeros(len(low), np.int64)
    for corner in range(8):
        takes_high = [bool(corner >> axis & 1) for axis in range(3)]
        i, j, k = (high[:, axis] + 1 if takes_high[axis] else low[:, axis] for axis in range(3))
        total += (-1) ** (3 - sum(takes_high)) * table[k, j, i]
    return total


def _boxes(mixed: I64, low: I64, high: I64, exact: Flags) -> tuple[I64, I64]:
    """Each mixed triangle with each brick of its box that is not exact: (M,) triangles, (M, 3) bricks i, j, k."""
    size = high[mixed] - low[mixed] + 1
    counts = size.prod(axis=1)
    triangle = np.repeat(mixed, counts)
    nth = np.arange(len(triangle)) - np.repeat(np.cumsum(counts) - counts, counts)
    wide, tall = np.repeat(size[:, 0], counts), np.repeat(size[:, 1], counts)
    box = low[triangle] + np.stack((nth % wide, nth // wide % tall, nth // (wide * tall)), axis=-1)
    kept = ~exact[box[:, 2], box[:, 1], box[:, 0]]
    return triangle[kept], box[kept]


def _sides(box: I64, exact: Flags) -> list[F64]:
    """Lower and upper corner of each brick, in bricks, moved out where its neighbour is exact; a brick at the edge of the grid ends nowhere."""
    corners = list[F64]()
    for step in (-1, 1):
        corner = box.astype(np.float64) + (step > 0)
        for axis in range(3):
            beside = box.copy()
            beside[:, axis] += step
            last = exact.shape[2 - axis] - 1
            beyond = (beside[:, axis] < 0) | (beside[:, axis] > last)
            inner = np.clip(beside, 0, np.array(exact.shape[::-1]) - 1)
            corner[:, axis] += np.where(beyond, step * np.inf, step * OVERLAP / BRICK * exact[inner[:, 2], inner[:, 1], inner[:, 0]])
        corners.append(corner)
    return corners


def _clipped(triangles: F64, low: F64, high: F64) -> tuple[F64, I64]:
    """Triangles cut by boxes (Sutherland and Hodgman, "Reentrant polygon clipping", CACM 17, 1974), all of them side by side.

    Parameters
    ----------
    triangles : (M, 3, W), the first three columns of a corner are its place

    Returns
    -------
    (M, 9, W) corners, of which the first (M,) are used
    """
    polygons = np.zeros((len(triangles), _MOST_CORNERS, triangles.shape[2]))
    polygons[:, :3] = triangles
    count = np.full(len(triangles), 3)
    for axis, sign, bound in ((axis, sign, bound) for axis in range(3) for sign, bound in ((1.0, low), (-1.0, high))):
        polygons, count = _halved(polygons, count, axis, sign, bound[:, axis])
    return polygons, count


def _halved(polygons: F64, count: I64, axis: int, sign: float, bound: F64) -> tuple[F64, I64]:
    """What of each polygon lies on one side of a plane."""
    rows, made = np.arange(len(polygons)), np.zeros_like(polygons)
    filled = np.zeros(len(polygons), np.int64)
    for n in range(_MOST_CORNERS):
        following = np.where(n + 1 < count, n + 1, 0)
        here, there = polygons[:, n], polygons[rows, following]
        height_here, height_there = (sign * (corner[:, axis] - bound) for corner in (here, there))
        used = n < count
        stays = used & (height_here >= 0.0)
        made[rows[stays], filled[stays]] = here[stays]
        filled += stays
        crosses = used & ((height_here >= 0.0) != (height_there >= 0.0))
        share = height_here[crosses] / (height_here[crosses] - height_there[crosses])
        made[rows[crosses], filled[crosses]] = here[crosses] + share[:, None] * (there[crosses] - here[crosses])
        filled += crosses
    return made, filled


def _fans(count: I64) -> I64:
    """(T, 3) corners, as rows of the flattened polygons, of the triangles of each polygon around its first corner."""
    triangles = np.maximum(count - 2, 0)
    polygon = np.repeat(np.arange(len(count)), triangles)
    nth = np.arange(len(polygon)) - np.repeat(np.cumsum(triangles) - triangles, triangles)
    first = polygon * _MOST_CORNERS
    return np.stack((first, first + nth + 1, first + nth + 2), axis=-1)
