"""Printed marker bodies: flat boards, and solids folded from paper, with a square marker on each face but the one that the handle leaves by.

Body axes: origin at the body's centre, mm. A board lies in z = 0 and is looked at along -z, with y up. Of a solid, the handle face looks along -y,
and the middle of the faces that the camera mostly sees along +z.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from tracking.body import MarkerBody

Array = npt.NDArray[np.float64]

#: White cells that must surround a marker for it to be found.
QUIET_CELLS = 1.0
#: Marker sides are whole multiples of this, mm, so that a ruler can check them.
SIDE_STEP_MM = 0.5
#: Of the largest square in a regular pentagon of edge 1: its side, and how far its centre lies above the edge that it is parallel to.
#: Its four corners touch four of the pentagon's edges.
PENTAGON_SQUARE, PENTAGON_SQUARE_UP = 1.0604991, 0.6233566

#: Largest square with quiet zone on a board's grid, mm; the cube's and the dodecahedron's edges, mm.
BOARD_ROOM_MM, CUBE_EDGE_MM, DODECAHEDRON_EDGE_MM = 40.0, 42.0, 30.0
#: Centres of a board's markers, mm: the reference leaves a window between its two rows.
REFERENCE_CENTRES = ((-64.0, 46.0), (0.0, 46.0), (64.0, 46.0), (-64.0, -46.0), (0.0, -46.0), (64.0, -46.0))
FLAT_CENTRES = ((-22.0, 22.0), (22.0, 22.0), (-22.0, -22.0), (22.0, -22.0))


@dataclass(frozen=True, eq=False)
class Face:
    """A flat face of a body.

    Attributes
    ----------
    outline_mm : (K, 3) its corners in body axes, counter-clockwise as seen from outside
    ids : numbers of the markers on it; a handle face has none
    corners_mm : (M, 4, 3) their corners: top left, top right, bottom right, bottom left, as seen from outside
    """

    outline_mm: Array
    ids: tuple[int, ...]
    corners_mm: Array

    def flat(self, points_mm: Array) -> Array:
        """(..., 3) points of the face, body axes, as (..., 2): origin at the face's centre, x along its first edge, as seen from outside."""
        centre = self.outline_mm.mean(axis=0)
        x, y, _ = face_axes(self.outline_mm)
        return np.stack([(points_mm - centre) @ x, (points_mm - centre) @ y], axis=-1)


@dataclass(frozen=True, eq=False)
class PrintedBody:
    """A body as it is to be printed, cut and folded.

    Attributes
    ----------
    name, shape : of the body in the rig, and in words
    dictionary : of its markers
    side_mm : of every marker's black square
    faces : its faces
    parents : for every face, the face that it hangs on in the net; None where a piece of the net begins
    """

    name: str
    shape: str
    dictionary: str
    side_mm: float
    faces: tuple[Face, ...]
    parents: tuple[int | None, ...]

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(number for face in self.faces for number in face.ids)

    def marker_body(self) -> MarkerBody:
        """The body as pose estimation knows it."""
        return MarkerBody(np.array(self.ids, dtype=np.int32), np.concatenate([face.corners_mm for face in self.faces]))


def face_axes(outline_mm: Array) -> tuple[Array, Array, Array]:
    """x along a face's first edge, y into the face, z out of the body."""
    edge = outline_mm[1] - outline_mm[0]
    x = edge / np.linalg.norm(edge)
    inward = outline_mm.mean(axis=0) - outline_mm[0]
    y = inward - (inward @ x) * x
    y = y / np.linalg.norm(y)
    return x, y, np.cross(x, y)


def largest_side(room_mm: float, cells: int) -> float:
    """Side of the largest marker of `cells` cells across, its border included, that leaves its quiet zone inside a square of `room_mm`."""
    side = float(np.floor(room_mm * cells / (cells + 2.0 * QUIET_CELLS) / SIDE_STEP_MM) * SIDE_STEP_MM)
    if side <= 0.0:
        raise InputRefused(f"a marker of {cells} cells does not fit a square of {room_mm:g} mm", "choose a dictionary with fewer cells")
    return side


def flat_board(name: str, dictionary: str, cells: int, first_id: int) -> PrintedBody:
    """A flat tool board of four markers."""
    return _board(name, "flat board", dictionary, cells, first_id, FLAT_CENTRES)


def reference_board(name: str, dictionary: str, cells: int, first_id: int) -> PrintedBody:
    """Six markers round a window through which the phantom is reached."""
    return _board(name, "reference board", dictionary, cells, first_id, REFERENCE_CENTRES)


def _board(name: str, shape: str, dictionary: str, cells: int, first_id: int, centres: Sequence[tuple[float, float]]) -> PrintedBody:
    side, middle = largest_side(BOARD_ROOM_MM, cells), np.array(centres)
    ids = tuple(range(first_id, first_id + len(middle)))
    corners = np.array([(-1.0, 1.0), (1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)]) * side / 2.0 + middle[:, None]
    x, y = np.abs(middle).max(axis=0) + BOARD_ROOM_MM / 2.0 + 2.0
    outline = np.array([(-x, -y, 0.0), (x, -y, 0.0), (x, y, 0.0), (-x, y, 0.0)])
    face = Face(outline, ids, np.concatenate([corners, np.zeros((len(ids), 4, 1))], axis=2))
    return PrintedBody(name, f"{shape} of {len(ids)} markers", dictionary, side, (face,), (None,))


def cube(name: str, dictionary: str, cells: int, first_id: int, edge_mm: float = CUBE_EDGE_MM) -> PrintedBody:
    """Five markers; an edge looks along +z, so that a camera there sees two faces, which have no second pose in common.

    Faces: four round the handle's axis, the one opposite the handle, and the handle's.
    """
    half = edge_mm / np.sqrt(2.0)
    ring = np.array([(-half, 0.0), (0.0, half), (half, 0.0), (0.0, -half)])  # x and z of the upright edges, in the order seen from outside
    low, high = (np.column_stack([ring[:, 0], np.full(4, y), ring[:, 1]]) for y in (-edge_mm / 2.0, edge_mm / 2.0))
    outlines = [np.array([low[k], low[(k + 1) % 4], high[(k + 1) % 4], high[k]]) for k in range(4)]
    outlines += [np.array([high[1], high[2], high[3], high[0]]), np.array([low[2], low[1], low[0], low[3]])]
    side = largest_side(edge_mm, cells)
    return _solid(name, "cube", dictionary, side, 0.5 * edge_mm, outlines, first_id, (None, 0, 1, 2, 1, 1))


def dodecahedron(name: str, dictionary: str, cells: int, first_id: int, edge_mm: float = DODECAHEDRON_EDGE_MM) -> PrintedBody:
    """Eleven markers. Faces: the one opposite the handle, the five round it, the five round the handle, the handle's.

    The net is two pieces of six faces: together they would not fit a page.
    """
    outlines = _pentagons(edge_mm)
    side = largest_side(PENTAGON_SQUARE * edge_mm, cells)
    parents = (None, *[0] * 5, *[11] * 5, None)
    return _solid(name, "dodecahedron", dictionary, side, PENTAGON_SQUARE_UP * edge_mm, outlines, first_id, parents)


def _solid(
    name: str, shape: str, dictionary: str, side: float, up: float, outlines: list[Array], first_id: int, parents: tuple[int | None, ...]
) -> PrintedBody:
    """A marker on every face but the last, upright on the face's first edge, its centre `up` mm above that edge's middle."""
    square = np.array([(-1.0, 1.0), (1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)]) * side / 2.0 + (0.0, up)
    faces = []
    for number, outline in enumerate(outlines[:-1], start=first_id):
        x, y, _ = face_axes(outline)
        corners = (outline[0] + outline[1]) / 2.0 + square @ np.array([x, y])
        faces.append(Face(outline, (number,), corners[None]))
    faces.append(Face(outlines[-1], (), np.zeros((0, 4, 3))))
    return PrintedBody(name, shape, dictionary, side, tuple(faces), parents)


def _pentagons(edge_mm: float) -> list[Array]:
    """Outlines of a regular dodecahedron's faces, the first looking along +y, the last along -y; each begins at the edge it shares with either."""
    golden = (1.0 + np.sqrt(5.0)) / 2.0
    # Rings of five vertices round the y axis, from the top: radius, height and place round the axis, for edge 1.
    radius = 1.0 / (2.0 * np.sin(np.pi / 5.0))
    height = golden**2 / (2.0 * np.sqrt(3.0 - golden))
    near = height / golden**3
    levels = ((radius, height, 0.0), (golden * radius, near, 0.0), (golden * radius, -near, 0.5), (radius, -height, 0.5))
    rings = []
    for r, y, phase in levels:
        turn = 2.0 * np.pi * (np.arange(5) + phase - 0.5) / 5.0
        rings.append(edge_mm * np.column_stack([r * np.sin(turn), np.full(5, y), r * np.cos(turn)]))
    top, upper, lower, bottom = rings
    step = [(k, (k + 1) % 5, (k + 4) % 5) for k in range(5)]
    outlines = [top]
    outlines += [np.array([top[n], top[k], upper[k], lower[k], upper[n]]) for k, n, _ in step]
    outlines += [np.array([bottom[p], bottom[k], lower[k], upper[k], lower[p]]) for k, _, p in step]
    return [*outlines, bottom[::-1]]
