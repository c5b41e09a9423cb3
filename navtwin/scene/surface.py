"""A triangle surface of the case, and its distance to points, instrument parts and other surfaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from navtwin import kernels
from navtwin.errors import InputRefused
from navtwin.kernels import Forest
from navtwin.rigid import Rigid
from navtwin.scene.surface_file import read_mesh, write_ply

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]

#: Beyond this, mm, a coordinate is no patient's: the file is in another unit.
FARTHEST_MM = 1e5


@dataclass(frozen=True)
class ClosestPoints:
    """Closest points of a surface to N points; what is asked of a point that is not finite is unknown (NaN, face -1).

    Attributes
    ----------
    distance_mm : (N,) float64, negative inside
    point_mm : (N, 3) float64, on the surface
    face : (N,) int32, the lowest index of those equally near
    """

    distance_mm: F64
    point_mm: F64
    face: I32


@dataclass(frozen=True)
class ClosestToCapsule:
    """Where a capsule is nearest to a surface; unknown (NaN, face -1) where the capsule is not finite.

    Attributes
    ----------
    distance_mm : from the capsule's skin, negative where it is in contact
    point_mm, axis_point_mm : (3,) float64, on the surface and on the capsule's axis
    face : index of the face at `point_mm`
    depth_is_bound : the depth is at least `-distance_mm`, perhaps more
    """

    distance_mm: float
    point_mm: F64
    axis_point_mm: F64
    face: int
    depth_is_bound: bool


@dataclass(frozen=True)
class ClosestSurfaces:
    """Where two surfaces are nearest, in the first one's frame.

    Attributes
    ----------
    distance_mm : 0 where they intersect: no depth is claimed
    point_mm, other_point_mm : (3,) float64, on each surface
    face, other_face : the faces there
    intersects : the surfaces meet, or one solid lies inside the other
    """

    distance_mm: float
    point_mm: F64
    other_point_mm: F64
    face: int
    other_face: int
    intersects: bool


@dataclass(frozen=True)
class RayHits:
    """First hits of N rays: distance_mm (N,) float64, inf where nothing is hit and NaN where unknown; face (N,) int32, else -1."""

    distance_mm: F64
    face: I32


def _rows(points: npt.ArrayLike, name: str) -> F64:
    array = np.ascontiguousarray(points, dtype=np.float64)
    if array.ndim == 1 and array.size == 3:
        array = array.reshape(1, 3)
    if array.ndim != 2 or array.shape[1] != 3:
        raise InputRefused(f"{name} has shape {array.shape}, not (N, 3)", "pass one row of x, y, z in mm for each")
    return array


class Surface:
    """A triangle mesh in `ct` axes (LPS, mm), with exact signed distances. Its arrays are read-only.

    Attributes
    ----------
    vertices_mm : (V, 3) float64
    faces : (F, 3) int32, counter-clockwise seen from outside
    """

    def __init__(self, vertices_mm: F64, faces: I32) -> None:
        self.vertices_mm = vertices_mm
        self.faces = faces

    @classmethod
    def from_arrays(cls, vertices_mm: npt.ArrayLike, faces: npt.ArrayLike) -> Surface:
        """Copy and check a mesh.

        Parameters
        ----------
        vertices_mm : (V, 3), LPS, mm
        faces : (F, 3), integers

        Raises
        ------
        InputRefused : no face; a vertex that is not finite or not within 100 m; a face that names no vertex; wrong shapes or types
        """
        vertices, corners = np.array(vertices_mm, dtype=np.float64, order="C"), np.asarray(faces)
        if vertices.ndim != 2 or vertices.shape[1] != 3:
            raise InputRefused(f"vertices_mm has shape {vertices.shape}, not (V, 3)", "pass one row of x, y, z in mm for each vertex")
        if corners.size == 0 or len(vertices) == 0:
            raise InputRefused("the surface has no faces", "check the threshold or label that it was extracted with")
        if corners.ndim != 2 or corners.shape[1] != 3 or corners.dtype.kind not in "iu":
            raise InputRefused(f"faces has shape {corners.shape} and type {corners.dtype}, not (F, 3) of integers", "pass triangles")
        bad = np.flatnonzero(~np.isfinite(vertices).all(axis=1))
        if len(bad):
            raise InputRefused(f"vertex {bad[0]} is not finite ({len(bad)} of {len(vertices)} are not)", "export the surface again")
        if np.abs(vertices).max() > FARTHEST_MM:
            raise InputRefused(f"the surface reaches {np.abs(vertices).max():.3g} mm from the origin", "check its unit: navtwin works in mm")
        outside = np.flatnonzero(((corners < 0) | (corners >= len(vertices))).any(axis=1))
        if len(outside):
            raise InputRefused(f"face {outside[0]} names a vertex outside 0 .. {len(vertices) - 1}", "the faces belong to other vertices")
        indices = np.array(corners, dtype=np.int32, order="C")
        vertices.setflags(write=False)
        indices.setflags(write=False)
        return cls(vertices, indices)

    @classmethod
    def read(cls, path: str | Path, space: str | None = None) -> Surface:
        """Read a .ply or .stl file.

        Parameters
        ----------
        path : binary PLY, or STL (binary or ASCII)
        space : "LPS" or "RAS", for a file that does not state its axes (`SPACE=LPS` in a comment or header)

        Raises
        ------
        InputRefused : unreadable, cut, not triangles, or axes that neither file nor caller states
        """
        vertices, faces = read_mesh(Path(path), space)
        return cls.from_arrays(vertices, faces)

    def write(self, path: str | Path) -> None:
        """Write binary PLY in LPS, double precision: reading it back gives the same bits."""
        write_ply(Path(path), self.vertices_mm, self.faces)

    @cached_property
    def _planted(self) -> tuple[Forest, int]:
        return kernels.plant(self.vertices_mm, self.faces)

    @property
    def forest(self) -> Forest:
        """The tree of this surface, built once when first asked for."""
        return self._planted[0]

    @property
    def is_watertight(self) -> bool:
        """Every edge is shared by exactly two faces that run along it in opposite directions."""
        return self._planted[1] == 0

    @cached_property
    def volume_mm3(self) -> float:
        """Enclosed volume, mm^3 (negative where the normals point inwards); means nothing unless the surface is watertight."""
        return float(kernels.signed_volume(self.vertices_mm, self.faces))

    @property
    def normals_are_outward(self) -> bool:
        """The faces run counter-clockwise seen from outside."""
        return self.volume_mm3 > 0.0

    @property
    def sign_is_trusted(self) -> bool:
        """Whether the surface has an inside. Where it has none, distances are right but never negative."""
        return self.is_watertight and self.normals_are_outward

    @cached_property
    def bounds_mm(self) -> F64:
        """(2, 3) float64: lowest and highest corner of the box around the faces, mm."""
        used = self.vertices_mm[np.unique(self.faces)]
        bounds = np.stack([used.min(axis=0), used.max(axis=0)])
        bounds.setflags(write=False)
        return bounds

    def closest(self, points_mm: npt.ArrayLike) -> ClosestPoints:
        """Signed distance and closest point for each of (N, 3) points, mm (or one of shape (3,))."""
        points = _rows(points_mm, "points_mm")
        n = len(points)
        distance, on_surface, face = np.empty(n), np.empty((n, 3)), np.empty(n, np.int32)
        kernels.closest_points(self.forest, 0, points, distance, on_surface, face, kernels.workspace())
        return ClosestPoints(distance, on_surface, face)

    def closest_to_capsule(self, a_mm: npt.ArrayLike, b_mm: npt.ArrayLike, radius_mm: float) -> ClosestToCapsule:
        """Signed distance from the skin of the capsule around a-b (a == b: a ball), mm. See `kernels.segment.capsule` for depth."""
        a, b = np.asarray(a_mm, dtype=np.float64).reshape(3), np.asarray(b_mm, dtype=np.float64).reshape(3)
        if radius_mm < 0.0:
            raise InputRefused(f"radius_mm is {radius_mm}", "a radius is 0 or more")
        if not (np.isfinite(a).all() and np.isfinite(b).all() and np.isfinite(radius_mm)):
            return ClosestToCapsule(float("nan"), np.full(3, np.nan), np.full(3, np.nan), -1, False)
        hit = kernels.capsule(self.forest, 0, a[0], a[1], a[2], b[0], b[1], b[2], float(radius_mm), -1, kernels.workspace())
        face = int(self.forest.face[hit.slot])
        return ClosestToCapsule(
            hit.distance, np.array((hit.x, hit.y, hit.z)), np.array((hit.axis_x, hit.axis_y, hit.axis_z)), face, hit.depth_is_bound
        )

    def closest_to_surface(self, other: Surface, T_self_from_other: Rigid) -> ClosestSurfaces:
        """Closest pair of this surface and another that T_self_from_other brings into this one's frame."""
        T, moved = T_self_from_other.matrix(), np.empty((len(other.faces), 9))
        hit = kernels.closest_surfaces(self.forest, other.forest, T, moved, kernels.workspace())
        intersects = hit.distance2 == 0.0 or self._holds_part_of(other, T_self_from_other) or other._holds_part_of(self, T_self_from_other.inverse())
        return ClosestSurfaces(
            distance_mm=0.0 if intersects else float(np.sqrt(hit.distance2)),
            point_mm=np.array((hit.x, hit.y, hit.z)),
            other_point_mm=np.array((hit.other_x, hit.other_y, hit.other_z)),
            face=int(self.forest.face[hit.slot]),
            other_face=int(other.forest.face[hit.other_slot]),
            intersects=intersects,
        )

    @cached_property
    def _part_points_mm(self) -> F64:
        """One vertex of every connected part."""
        return self.vertices_mm[kernels.component_vertices(self.faces, len(self.vertices_mm))]

    def _holds_part_of(self, other: Surface, T_self_from_other: Rigid) -> bool:
        """Whether a whole part of `other`, whose surface does not cross this one, lies inside."""
        if not self.sign_is_trusted:
            return False
        points = T_self_from_other.apply(other._part_points_mm)
        points = points[((points >= self.bounds_mm[0]) & (points <= self.bounds_mm[1])).all(axis=1)]
        return bool((self.closest(points).distance_mm < 0.0).any())

    def first_hit(self, origins_mm: npt.ArrayLike, directions: npt.ArrayLike) -> RayHits:
        """First hit of each of N rays; directions may have any length."""
        origins, ways = _rows(origins_mm, "origins_mm"), _rows(directions, "directions")
        if len(origins) != len(ways):
            raise InputRefused(f"{len(origins)} origins and {len(ways)} directions", "pass one direction for each origin")
        distance, face = np.empty(len(origins)), np.empty(len(origins), np.int32)
        kernels.first_hits(self.forest, 0, origins, ways, distance, face, kernels.workspace())
        return RayHits(distance, face)


def pack_forest(surfaces: Sequence[Surface]) -> Forest:
    """One forest of all surfaces, in order, for `kernels.frame_distances`."""
    if not surfaces:
        raise InputRefused("no surface to pack", "a scene needs at least one structure")
    return kernels.join([s.forest for s in surfaces])
