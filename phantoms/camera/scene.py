"""Bodies before the camera, and the same as arrays for the kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from phantoms.camera.lens import Lens
from phantoms.camera.optics import Optics, Twist
from phantoms.camera.order import back_to_front
from phantoms.camera.raster import NEAREST_MM, extents
from phantoms.camera.sheets import Sheet

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Placed:
    """A body where it is at mid-exposure, and how it moves.

    Attributes
    ----------
    T_camera_from_body : (4, 4), mm
    sheets : what it is made of, in body axes
    motion : angular velocity (rad/s, about the body's origin) and velocity (mm/s), camera axes; None: as `Optics.motion` says
    """

    T_camera_from_body: Array
    sheets: Sequence[Sheet]
    motion: Twist | None = None


#: A body may be given as (T_camera_from_body, sheets) too.
Scene = Sequence[Placed | tuple[Array, Sequence[Sheet]]]


@dataclass(frozen=True, eq=False)
class Occluder:
    """Something in front of everything, in the image: a (K, 2) polygon, px, that does not cross itself."""

    polygon_px: Array
    grey_dn: float = 90.0


@dataclass(frozen=True, eq=False)
class Packed:
    """The sheets that can be painted, as `raster` takes them, with `order` from back to front.

    `kept` (S, 2) says which body and sheet each is; `rays`, `ray_starts` and `planes` are as `order.back_to_front` takes them, at mid-exposure.
    """

    motions: Array
    sheets: Array
    owner: Indices
    kept: Indices
    signs: Array
    greys: Array
    edges: Array
    starts: Indices
    order: Indices
    extents_px: Array
    rays: Array
    ray_starts: Indices
    planes: Array


@dataclass
class _Rows:
    """Columns of `Packed` while they are gathered."""

    sides: list[Array] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    kept: list[tuple[int, int]] = field(default_factory=list)
    signs: list[float] = field(default_factory=list)
    greys: list[tuple[float, float]] = field(default_factory=list)
    edges: list[Array] = field(default_factory=list)
    starts: list[tuple[int, int, int]] = field(default_factory=list)
    rays: list[Array] = field(default_factory=list)
    planes: list[Array] = field(default_factory=list)


def bodies_of(scene: Scene) -> list[Placed]:
    """Every body of a scene, checked."""
    bodies = [body if isinstance(body, Placed) else Placed(*body) for body in scene]
    for body in bodies:
        T = np.asarray(body.T_camera_from_body)
        if T.shape != (4, 4) or not np.isfinite(T).all():
            raise InputRefused(f"a body of the scene has a pose of shape {T.shape}, or one with NaN", "pass (4, 4) finite T_camera_from_body")
    return bodies


def pack(lens: Lens, bodies: Sequence[Placed], optics: Optics) -> Packed:
    """Arrays of all sheets that lie wholly before the camera and are not seen edge-on. A sheet that reaches behind the camera is left out."""
    motions, rows, filled = np.zeros((len(bodies), 18)), _Rows(), 0
    light = None if optics.light is None else np.array(optics.light)
    reach_s = (optics.exposure_ms + optics.readout_ms) / 2e3
    for b, body in enumerate(bodies):
        T = np.asarray(body.T_camera_from_body, dtype=np.float64)
        rotation, t_mm = T[:3, :3], T[:3, 3]
        motion = body.motion or optics.motion or (0.0,) * 6
        motions[b] = [*rotation.ravel(), *t_mm, *motion]
        for s, sheet in enumerate(body.sheets):
            corners = sheet.outline_mm @ rotation.T + t_mm
            towards = reach_s * (abs(motion[5]) + _turning(motion, corners - t_mm))
            if corners[:, 2].min() - towards < NEAREST_MM:
                continue
            sides = sheet.sides
            normal = rotation @ np.cross(sides[2], sides[1])
            normal /= np.linalg.norm(normal)
            facing = -float(normal @ corners[0])
            if abs(facing) < 1e-6 * float(np.linalg.norm(corners[0])):
                continue
            front = facing > 0.0
            seen_dn = sheet.paper_dn if front else sheet.back_dn
            if seen_dn is None:
                continue
            shade = 1.0 if light is None else optics.ambient + (1.0 - optics.ambient) * max(float((normal if front else -normal) @ light), 0.0)
            rows.sides.append(sides)
            rows.owner.append(b)
            rows.kept.append((b, s))
            rows.signs.append(1.0 if front else -1.0)
            rows.greys.append((shade * seen_dn, shade * sheet.ink_dn))
            rows.edges.append(sheet.edges)
            rows.starts.append((filled, filled + len(sheet.outline), filled + len(sheet.edges)))
            rows.rays.append(corners[:, :2] / corners[:, 2:])
            rows.planes.append(np.array([*normal, normal @ corners[0]]))
            filled += len(sheet.edges)
    return _packed(lens, motions, rows, optics)


def _turning(motion: Twist, arms_mm: Array) -> float:
    """Greatest speed, mm/s, that turning gives any of the arms (N, 3)."""
    return float(np.linalg.norm(motion[:3]) * np.linalg.norm(arms_mm, axis=1).max())


def _packed(lens: Lens, motions: Array, rows: _Rows, optics: Optics) -> Packed:
    count = len(rows.owner)
    owner, starts = np.array(rows.owner, np.int64), np.array(rows.starts, np.int64).reshape(-1, 3)
    sheets = np.array(rows.sides).reshape(-1, 4, 3)
    edges = np.concatenate(rows.edges) if count else np.zeros((0, 4))
    first = np.cumsum([0, *(len(r) for r in rows.rays)], dtype=np.int64)
    rays = np.concatenate(rows.rays) if count else np.zeros((0, 2))
    planes = np.array(rows.planes).reshape(-1, 4)
    order = back_to_front(rays, first, planes)
    reached = extents(lens.packed, motions, optics.readout_ms / 1e3, optics.exposure_ms / 2e3, sheets, owner, edges, starts)
    kept = np.array(rows.kept, np.int64).reshape(-1, 2)
    signs, greys = np.array(rows.signs), np.array(rows.greys).reshape(-1, 2)
    return Packed(motions, sheets, owner, kept, signs, greys, edges, starts, order, reached, rays, first, planes)
