"""A triangle surface of the case, and its distance to points, instrument parts and other surfaces."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from navtwin import kernels
from navtwin.errors import InputRefused
from navtwin.kernels import Forest
from navtwin.kernels.solids import closest_solids
from navtwin.meshes.read import read_mesh
from navtwin.meshes.write import write_mesh
from navtwin.rigid import Rigid
from navtwin.scene.answers import ClosestPoints, ClosestSurfaces, ClosestToCapsule, RayHits
from navtwin.scene.batches import in_batches, walk_order
from navtwin.scene.probe import PairProbe, Probe
from navtwin.scene.sign import Sign, judge, winding_of

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]

#: Beyond this, mm, a coordinate is no patient's: the file is in another unit.
FARTHEST_MM = 1e5
#: Edges are numbered in int32, four to a face.
MOST = 2**29 - 1


def _rows(points: npt.ArrayLike, name: str) -> F64:
    array = np.ascontiguousarray(points, dtype=np.float64)
    if array.ndim == 1 and array.size == 3:
        array = array.reshape(1, 3)
    if array.ndim != 2 or array.shape[1] != 3:
        raise InputRefused(f"{name} has shape {array.shape}, not (N, 3)", "pass one row of x, y, z in mm for each")
    return array


def _one_row(point: npt.ArrayLike, name: str) -> F64:
    rows: F64 = _rows(point, name)
    if len(rows) != 1:
        raise InputRefused(f"{name} has {len(rows)} rows", "pass one point")
    first: F64 = rows[0]
    return first


def _cap(within_mm: float) -> float:
    if not within_mm >= 0.0:
        raise InputRefused(f"within_mm is {within_mm}", "a cap is 0 or more, or infinite for none")
    return float(within_mm)


class Surface:
    """A triangle mesh in `ct` axes (LPS, mm), with exact signed distances. Its arrays are read-only.

    Attributes
    ----------
    vertices_mm : (V, 3) float64
    faces : (F, 3) int32, counter-clockwise seen from outside
    """

    def __init__(self, vertices_mm: F64, faces: I32) -> None:
        # Kernels are compiled once, for arrays that may be written: they get these, everybody else gets views that may not.
        self._vertices, self._faces = vertices_mm, faces
        self.vertices_mm, self.faces = vertices_mm.view(), faces.view()
        self.vertices_mm.setflags(write=False)
        self.faces.setflags(write=False)

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
        vertices, corners = np.asarray(vertices_mm, dtype=np.float64), np.asarray(faces)
        if vertices.ndim != 2 or vertices.shape[1] != 3:
            raise InputRefused(f"vertices_mm has shape {vertices.shape}, not (V, 3)", "pass one row of x, y, z in mm for each vertex")
        if corners.size == 0 or len(vertices) == 0:
            raise InputRefused("the surface has no faces", "check the threshold or label that it was extracted with")
        if corners.ndim != 2 or corners.shape[1] != 3 or corners.dtype.kind not in "iu":
            raise InputRefused(f"faces has shape {corners.shape} and type {corners.dtype}, not (F, 3) of integers", "pass triangles")
        if max(len(corners), len(vertices)) > MOST:
            raise InputRefused(f"the surface has {len(corners)} faces and {len(vertices)} vertices, and {MOST} is the most", "decimate it")
        bad = np.flatnonzero(~np.isfinite(vertices).all(axis=1))
        if len(bad):
            raise InputRefused(f"vertex {bad[0]} is not finite ({len(bad)} of {len(vertices)} are not)", "export the surface again")
        if np.abs(vertices).max() > FARTHEST_MM:
            raise InputRefused(f"the surface reaches {np.abs(vertices).max():.3g} mm from the origin", "check its unit: navtwin works in mm")
        outside = np.flatnonzero(((corners < 0) | (corners >= len(vertices))).any(axis=1))
        if len(outside):
            raise InputRefused(f"face {outside[0]} names a vertex outside 0 .. {len(vertices) - 1}", "the faces belong to other vertices")
        return cls(np.array(vertices, order="C"), np.array(corners, dtype=np.int32, order="C"))

    @classmethod
    def read(cls, path: str | Path, space: str | None = None, unit: str | None = None) -> Surface:
        """Read a mesh file: STL, PLY, OBJ, VTK PolyData or VTP, told by its content.

        Parameters
        ----------
        path : the file
        space : "LPS" or "RAS", for a file that does not state its axes (`SPACE=LPS` in a header, comment, title or field)
        unit : "mm", "cm" or "m", for a file that does not state its unit; without it a surface between 1 mm and 2 m is taken for mm

        Raises
        ------
        InputRefused : unreadable, cut, no surface, axes that neither file nor caller states, or a size that nothing in mm has
        """
        return cls.from_arrays(*read_mesh(Path(path), space, unit))

    def write(self, path: str | Path) -> None:
        """Write STL, PLY, OBJ, VTK or VTP, as the name ends, in LPS and mm; but for STL (float32) reading it back gives the same bits."""
        write_mesh(Path(path), self.vertices_mm, self.faces)

    @cached_property
    def _planted(self) -> tuple[Forest, int]:
        return kernels.plant(self._vertices, self._faces)

    @cached_property
    def _judged(self) -> tuple[Sign, Forest]:
        return judge(*self._planted)

    @property
    def forest(self) -> Forest:
        """The tree of this surface, built once when first asked for."""
        return self._judged[1]

    @property
    def sign(self) -> Sign:
        """What tells the inside of this surface, and why."""
        return self._judged[0]

    @property
    def is_watertight(self) -> bool:
        """Every edge is shared by exactly two faces that run along it in opposite directions."""
        return self._planted[1] == 0

    @cached_property
    def volume_mm3(self) -> float:
        """Enclosed volume, mm^3 (negative where the normals point inwards); means nothing unless the surface is watertight."""
        return float(kernels.signed_volume(self._vertices, self._faces))

    @property
    def normals_are_outward(self) -> bool:
        """The faces run counter-clockwise seen from outside."""
        return self.volume_mm3 > 0.0

    @property
    def sign_is_trusted(self) -> bool:
        """Whether the surface is closed with its normals outwards. `sign` tells more."""
        return self.is_watertight and self.normals_are_outward

    @cached_property
    def bounds_mm(self) -> F64:
        """(2, 3) float64: lowest and highest corner of the box around the faces, mm."""
        used = self.vertices_mm[np.unique(self.faces)]
        bounds = np.stack([used.min(axis=0), used.max(axis=0)])
        bounds.setflags(write=False)
        return bounds

    def closest(self, points_mm: npt.ArrayLike, within_mm: float = np.inf) -> ClosestPoints:
        """Signed distance and closest point for each of (N, 3) points, mm (or one of shape (3,)).

        Parameters
        ----------
        within_mm : cap: of a point outside and farther than this, only "farther than this" is told. Depth is never capped.
        """
        points = _rows(points_mm, "points_mm")
        n, within, order = len(points), _cap(within_mm), walk_order(points)
        points = points if order is None else points[order]
        distance, on_surface, face = np.empty(n), np.empty((n, 3)), np.empty(n, np.int32)

        def ask(batch: slice) -> None:
            kernels.closest_points(self.forest, 0, points[batch], within, distance[batch], on_surface[batch], face[batch], kernels.workspace())

        in_batches(ask, n)
        if order is not None:
            back = np.argsort(order)
            distance, on_surface, face = distance[back], on_surface[back], face[back]
        return ClosestPoints(distance, on_surface, face)

    def winding(self, points_mm: npt.ArrayLike) -> F64:
        """How often the surface is wound around each of (N, 3) points, to 0.01: 0 outside, +-1 inside; NaN for a point that is not finite."""
        return winding_of(self.forest, _rows(points_mm, "points_mm"))

    def doubt(self, points_mm: npt.ArrayLike) -> F64:
        """(N,) how doubtful the side of each of (N, 3) points is, 0 (certain) to 0.5 (unknown): how far its winding number is from a whole one."""
        points = _rows(points_mm, "points_mm")
        if self.sign.is_certain:
            return np.where(np.isfinite(points).all(axis=1), 0.0, np.nan)
        winding = self.winding(points)
        return np.asarray(np.abs(winding - np.round(winding)))

    def probe(self) -> Probe:
        """What asks for one point after another, without the arrays of `closest`."""
        return Probe(self.forest)

    def closest_to_capsule(self, a_mm: npt.ArrayLike, b_mm: npt.ArrayLike, radius_mm: float, within_mm: float = np.inf) -> ClosestToCapsule:
        """Signed distance from the skin of the capsule around a-b (a == b: a ball), mm. See `kernels.segment.capsule` for depth.

        Parameters
        ----------
        within_mm : cap: of a capsule outside and farther than this, only "farther than this" is told. Depth is never capped.
        """
        a, b = _one_row(a_mm, "a_mm"), _one_row(b_mm, "b_mm")
        if radius_mm < 0.0:
            raise InputRefused(f"radius_mm is {radius_mm}", "a radius is 0 or more")
        hit = kernels.capsule(self.forest, 0, a[0], a[1], a[2], b[0], b[1], b[2], float(radius_mm), -1, _cap(within_mm), kernels.workspace())
        point, axis_point = np.array((hit.x, hit.y, hit.z)), np.array((hit.axis_x, hit.axis_y, hit.axis_z))
        return ClosestToCapsule(hit.distance, point, axis_point, hit.face, hit.depth_is_bound, hit.farther)

    def closest_to_surface(self, other: Surface, T_self_from_other: Rigid, within_mm: float = np.inf) -> ClosestSurfaces:
        """Closest pair of this surface and another that T_self_from_other brings into this one's frame.

        Parameters
        ----------
        within_mm : cap: of surfaces farther apart than this, only "farther than this" is told. That they intersect is never capped.
        """
        parts, other_parts, T = self._part_points_mm, other._part_points_mm, T_self_from_other.matrix()
        hit = closest_solids(self.forest, parts, other.forest, other_parts, T, -1, -1, _cap(within_mm), kernels.workspace())
        meet = hit.distance == 0.0 and not hit.farther
        return ClosestSurfaces(hit.distance, np.array(hit.point), np.array(hit.other_point), hit.face, hit.other_face, meet, hit.farther)

    def pair_probe(self, other: Surface) -> PairProbe:
        """What asks for one pose of `other` after another."""
        return PairProbe(self.forest, self._part_points_mm, other.forest, other._part_points_mm)

    @cached_property
    def _part_points_mm(self) -> F64:
        """One vertex of every connected part."""
        return self._vertices[kernels.component_vertices(self._faces, len(self.vertices_mm))]

    def first_hit(self, origins_mm: npt.ArrayLike, directions: npt.ArrayLike) -> RayHits:
        """First hit of each of N rays; directions may have any length."""
        origins, ways = _rows(origins_mm, "origins_mm"), _rows(directions, "directions")
        if len(origins) != len(ways):
            raise InputRefused(f"{len(origins)} origins and {len(ways)} directions", "pass one direction for each origin")
        distance, face = np.empty(len(origins)), np.empty(len(origins), np.int32)
        kernels.first_hits(self.forest, 0, origins, ways, distance, face, kernels.workspace())
        return RayHits(distance, face)


def pack_forest(surfaces: Sequence[Surface]) -> Forest:
    """One forest of all surfaces, in order, for `kernels.measure_frame`."""
    if not surfaces:
        raise InputRefused("no surface to pack", "a scene needs at least one structure")
    return kernels.join([s.forest for s in surfaces])
