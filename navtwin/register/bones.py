"""Several bones as one thing to sweep on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from navtwin.register.model import Array


class Closest(Protocol):
    """What `closest` answers for N points: signed distance (N,), point on the surface (N, 3) and its face (N,)."""

    @property
    def distance_mm(self) -> Array: ...
    @property
    def point_mm(self) -> Array: ...
    @property
    def face(self) -> npt.NDArray[np.int32]: ...


class TouchSurface(Protocol):
    """What the fit needs of a surface; `navtwin.scene.surface.Surface` is one."""

    @property
    def vertices_mm(self) -> Array: ...
    @property
    def faces(self) -> npt.NDArray[np.int32]: ...
    def closest(self, points_mm: npt.ArrayLike) -> Closest: ...


@dataclass(frozen=True)
class ClosestOfMany:
    """As `Surface.closest` answers, the faces numbered through all bones."""

    distance_mm: Array
    point_mm: Array
    face: npt.NDArray[np.int32]


class Bones:
    """The union of closed surfaces: the distance is the smallest of theirs, ties to the first.

    Merging their triangles into one mesh instead would make walls inside where bones touch, and signs there would mean nothing.

    Attributes
    ----------
    vertices_mm, faces : of all bones, one after the other
    """

    def __init__(self, surfaces: Sequence[TouchSurface]) -> None:
        self._surfaces = tuple(surfaces)
        vertices = np.cumsum([0, *(len(s.vertices_mm) for s in surfaces)])
        self._first_face = np.cumsum([0, *(len(s.faces) for s in surfaces)])
        self.vertices_mm: Array = np.concatenate([s.vertices_mm for s in surfaces])
        self.faces: npt.NDArray[np.int32] = np.concatenate([s.faces + np.int32(v) for s, v in zip(surfaces, vertices, strict=False)])

    def closest(self, points_mm: npt.ArrayLike) -> ClosestOfMany:
        """Signed distance and closest point for each of (N, 3) points, mm."""
        points = np.atleast_2d(np.asarray(points_mm, dtype=np.float64))
        answers = [s.closest(points) for s in self._surfaces]
        which = np.argmin([a.distance_mm for a in answers], axis=0)
        rows = np.arange(len(points))
        return ClosestOfMany(
            np.stack([a.distance_mm for a in answers])[which, rows],
            np.stack([a.point_mm for a in answers])[which, rows],
            (np.stack([a.face for a in answers])[which, rows] + self._first_face[which]).astype(np.int32),
        )

    def bone_of(self, faces: npt.NDArray[np.int32]) -> npt.NDArray[np.intp]:
        """The number of the bone (N,) that each of N faces belongs to."""
        return np.searchsorted(self._first_face, faces, side="right") - 1


def as_bones(surface: TouchSurface) -> Bones:
    """One surface is one bone; what is already a union stays as it is."""
    return surface if isinstance(surface, Bones) else Bones((surface,))
