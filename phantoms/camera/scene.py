"""Bodies before the camera, and the same as arrays for the kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

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


@dataclass(frozen=True, eq=False)
class _Model:
    """The sheets of one body as arrays, which do not change while it moves."""

    sides: Array
    normals: Array
    outlines_mm: Array
    first: Indices
    edges: Array
    starts: Indices
    paper_dn: Array
    back_dn: Array
    ink_dn: Array


@lru_cache(maxsize=256)
def _model(sheets: tuple[Sheet, ...]) -> _Model:
    sides = np.array([sheet.sides for sheet in sheets])
    normals = np.cross(sides[:, 2], sides[:, 1])
    ends = np.cumsum([len(sheet.edges) for sheet in sheets])
    starts = [(end - len(s.edges), end - len(s.ink), end) for s, end in zip(sheets, ends.tolist(), strict=True)]
    return _Model(
        sides=sides,
        normals=normals / np.linalg.norm(normals, axis=1, keepdims=True),
        outlines_mm=np.concatenate([sheet.outline_mm for sheet in sheets]),
        first=np.cumsum([0, *(len(sheet.outline) for sheet in sheets)], dtype=np.int64),
        edges=np.concatenate([sheet.edges for sheet in sheets]),
        starts=np.array(starts, np.int64),
        paper_dn=np.array([sheet.paper_dn for sheet in sheets]),
        back_dn=np.array([np.nan if sheet.back_dn is None else sheet.back_dn for sheet in sheets]),
        ink_dn=np.array([sheet.ink_dn for sheet in sheets]),
    )


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
    motions = np.zeros((len(bodies), 18))
    parts = [part for b, body in enumerate(bodies) if body.sheets and (part := _part(b, body, optics, motions[b])) is not None]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else _part_of_nothing()
    owner, kept, sheets, signs, greys, planes, rays, counts, edges, starts = columns
    # Each part's edges lie behind those of the parts before it.
    before = 0
    for part in parts:
        starts[owner == part[0][0]] += before
        before += len(part[8])
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    order = back_to_front(rays, first, planes)
    reached = extents(lens.packed, motions, optics.readout_ms / 1e3, optics.exposure_ms / 2e3, sheets, owner, edges, starts)
    return Packed(motions, sheets, owner, kept, signs, greys, edges, starts, order, reached, rays, first, planes)


def _part(b: int, body: Placed, optics: Optics, motion: Array) -> tuple[npt.NDArray[Any], ...] | None:
    """What one body adds to `Packed`; None if nothing of it can be seen. Fills in its `motion` (18,)."""
    model = _model(tuple(body.sheets))
    T = np.asarray(body.T_camera_from_body, dtype=np.float64)
    rotation, t_mm = T[:3, :3], T[:3, 3]
    motion[:9], motion[9:12], motion[12:] = rotation.ravel(), t_mm, body.motion or optics.motion or (0.0,) * 6
    arms = model.outlines_mm @ rotation.T
    placed, normals = arms + t_mm, model.normals @ rotation.T
    anchors = placed[model.first[:-1]]
    facing = -(normals * anchors).sum(axis=1)
    front = facing > 0.0
    seen_dn = np.where(front, model.paper_dn, model.back_dn)
    speed_mm_s = abs(motion[17]) + float(np.linalg.norm(motion[12:15])) * np.sqrt((arms * arms).sum(axis=1).max())
    nearest_mm = np.minimum.reduceat(placed[:, 2], model.first[:-1]) - speed_mm_s * (optics.exposure_ms + optics.readout_ms) / 2e3
    keep = (nearest_mm >= NEAREST_MM) & (np.abs(facing) > 1e-6 * np.linalg.norm(anchors, axis=1)) & ~np.isnan(seen_dn)
    if not keep.any():
        return None
    shade = np.ones(len(keep))
    if optics.light is not None:
        lit = np.where(front, 1.0, -1.0) * (normals @ np.array(optics.light))
        shade = optics.ambient + (1.0 - optics.ambient) * np.maximum(lit, 0.0)
    index, counts = np.flatnonzero(keep), np.diff(model.first)
    rays = placed[np.repeat(keep, counts)]
    return (
        np.full(len(index), b, np.int64),
        np.stack([np.full(len(index), b, np.int64), index], axis=1),
        model.sides[keep],
        np.where(front, 1.0, -1.0)[keep],
        np.stack([shade * seen_dn, shade * model.ink_dn], axis=1)[keep],
        np.concatenate([normals, -facing[:, None]], axis=1)[keep],
        rays[:, :2] / rays[:, 2:],
        counts[keep],
        model.edges,
        model.starts[keep],
    )


def _part_of_nothing() -> list[npt.NDArray[Any]]:
    """The columns of a scene in which nothing can be seen."""
    whole = np.zeros(0, np.int64)
    shapes = [(0, 4, 3), (0,), (0, 2), (0, 4), (0, 2)]
    return [whole, np.zeros((0, 2), np.int64), *(np.zeros(shape) for shape in shapes), whole, np.zeros((0, 4)), np.zeros((0, 3), np.int64)]
