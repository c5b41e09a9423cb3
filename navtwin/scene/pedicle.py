"""Plan the drilled path of a pedicle screw, and find points of a vertebra that a pointer can touch.

The path is the straight line on which the pedicle has room for the screw beside the canal (the isthmus, where screws break out), which
stays deep in the body after that and can be reached with a drill whose handpiece is thicker than its neck; of those it is the one farthest
from the canal. Straight-forward trajectory, parallel to the endplates (Lehman et al., Spine 2003;28:2058), here as a search over lines.
Everything is found from the surfaces alone, on fixed grids: the same surfaces give the same plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.scene.surface import Surface

F64 = npt.NDArray[np.float64]
Side = Literal["left", "right"]

GRID_MM = 1.25
#: Along the path, measured from the canal's centre plane (mm): where the pedicle is, and where the body.
PEDICLE_MM = (-6.0, 10.0)
BODY_MM = (11.0, 27.0)
#: The path must lie deeper in the body than in the pedicle by this, or it would leave through an endplate.
BODY_MARGIN_MM = 1.5
#: Share of the way from the back of the body to its front cortex at which the path ends.
BODY_SHARE = 2.0 / 3.0
#: The screw that the pedicle should have room for; room beyond that is spent on distance to the canal.
SCREW_MM = 6.0
#: What a millimetre of distance to the canal is worth against one of bone around the path, while that is still short.
CANAL_WORTH = 0.3
#: Lines are searched over lateral and cranial place at the canal's centre plane (mm), and angles to the midline and to the head (rad).
FIRST_LINES = (np.arange(5.0, 21.0, 1.0), np.arange(-6.0, 15.1, 1.5), np.radians(np.arange(0.0, 25.0, 3.0)), np.radians(np.arange(-15.0, 15.1, 5.0)))
FIRST_STEP = np.array([1.0, 1.5, np.radians(3.0), np.radians(5.0)])
LEAST_LINE = np.array([0.0, -np.inf, 0.0, np.radians(-15.0)])
MOST_LINE = np.array([np.inf, np.inf, np.radians(30.0), np.radians(15.0)])


@dataclass(frozen=True)
class Axes:
    """A vertebra's own axes in ct: canal centre at the level of the body, and unit vectors up the canal, forwards and to the left."""

    centre_mm: F64
    up: F64
    forward: F64
    left: F64


@dataclass(frozen=True)
class Drill:
    """What has to fit: burr radius, and the handpiece that begins `neck_mm` behind the burr's centre."""

    burr_mm: float = 1.5
    neck_mm: float = 50.0
    neck_radius_mm: float = 1.2
    handpiece_radius_mm: float = 6.0
    handpiece_end_mm: float = 170.0


@dataclass(frozen=True)
class PediclePath:
    """A planned path in ct.

    Attributes
    ----------
    width_mm : twice the least depth under bone beside the canal: the widest screw that the pedicle holds along this line
    length_mm : from entry to target
    """

    entry_mm: F64
    target_mm: F64
    width_mm: float

    @property
    def length_mm(self) -> float:
        return float(np.linalg.norm(self.target_mm - self.entry_mm))


class _Field:
    """A signed distance sampled on a grid round a vertebra, read between its points by trilinear interpolation."""

    def __init__(self, surface: Surface, bounds_mm: F64) -> None:
        self.low = bounds_mm[0] - GRID_MM
        self.axes = [np.arange(lo, hi + GRID_MM, GRID_MM) for lo, hi in zip(self.low, bounds_mm[1], strict=True)]
        self.points = np.stack(np.meshgrid(*self.axes, indexing="ij"), axis=-1)
        self.distance = surface.closest(self.points.reshape(-1, 3)).distance_mm.reshape(self.points.shape[:3])

    def at(self, points_mm: F64) -> F64:
        from scipy.ndimage import map_coordinates

        index = ((points_mm - self.low) / GRID_MM).reshape(-1, 3).T
        values: F64 = map_coordinates(self.distance, index, order=1, mode="nearest").reshape(points_mm.shape[:-1])
        return values


def vertebra_axes(vertebra: Surface, canal: Surface) -> Axes:
    """Axes from the run of the canal through the vertebra and from where the body is thickest."""
    return _axes(_Field(vertebra, vertebra.bounds_mm), vertebra, canal)


def _axes(depth: _Field, vertebra: Surface, canal: Surface) -> Axes:
    low, high = vertebra.bounds_mm[:, 2]
    core = depth.points[depth.distance < 0.75 * depth.distance.min()].mean(axis=0)
    levels = np.linspace(low + 0.1 * (high - low), high - 0.1 * (high - low), 15)
    centres = np.array([_canal_centre(canal, z) for z in levels])
    up = _unit(centres[-1] - centres[0])
    centre = centres[np.argmin(np.abs((centres - core) @ up))]
    forward = _unit((core - centre) - ((core - centre) @ up) * up)
    return Axes(centre, up, forward, np.cross(up, forward))


def _canal_centre(canal: Surface, z_mm: float) -> F64:
    near = canal.vertices_mm[np.abs(canal.vertices_mm[:, 2] - z_mm) < 2.0]
    if not len(near):
        raise InputRefused(f"the canal does not reach the vertebra at z = {z_mm:.0f} mm", "choose a vertebra that the canal's label runs through")
    return np.append((near.min(axis=0) + near.max(axis=0))[:2] / 2.0, z_mm)


def _unit(v: F64) -> F64:
    return np.asarray(v / np.linalg.norm(v), dtype=np.float64)


def plan_pedicle(vertebra: Surface, canal: Surface, bones: Sequence[Surface], side: Side, drill: Drill = Drill()) -> PediclePath:
    """The best straight path through one pedicle.

    Parameters
    ----------
    vertebra, canal : surfaces in ct
    bones : all bones that the handpiece has to stay clear of, the vertebra included
    side : the patient's

    Raises
    ------
    InputRefused : no line through the pedicle leaves room for the burr and the handpiece
    """
    depth, from_canal = _Field(vertebra, vertebra.bounds_mm), _Field(canal, vertebra.bounds_mm)
    axes = _axes(depth, vertebra, canal)
    sign = 1.0 if side == "left" else -1.0
    lines, step = _lattice(FIRST_LINES), FIRST_STEP
    for _ in range(4):
        start, way = _lines(axes, sign, lines)
        score, half_width = _score(depth, from_canal, start, way)
        order = np.argsort(-score, kind="stable")
        step = step / 2.0
        lines = np.clip(lines[order[0]] + _lattice([np.arange(-2.0, 2.1)] * 4) * step, LEAST_LINE, MOST_LINE)
    for n in order:
        path = _ends(vertebra, start[n], way[n], 2.0 * float(half_width[n]))
        if half_width[n] > drill.burr_mm and path is not None and _reachable(path, bones, drill):
            return path
    raise InputRefused(f"no straight path through the {side} pedicle has room for the drill", "choose another vertebra, or a thinner drill")


def _lattice(axes: Sequence[F64]) -> F64:
    return np.stack([g.ravel() for g in np.meshgrid(*axes, indexing="ij")], axis=1)


def _lines(axes: Axes, sign: float, lines: F64) -> tuple[F64, F64]:
    """Points (N, 3) on the canal's centre plane and unit directions (N, 3)."""
    lateral, cranial, medial_rad, cranial_rad = (lines[:, n, None] for n in range(4))
    start = axes.centre_mm + sign * lateral * axes.left + cranial * axes.up
    level = np.cos(medial_rad) * axes.forward - sign * np.sin(medial_rad) * axes.left
    return start, np.cos(cranial_rad) * level + np.sin(cranial_rad) * axes.up


def _score(depth: _Field, from_canal: _Field, start: F64, way: F64) -> tuple[F64, F64]:
    """How good each line is, and its least depth under bone in the pedicle (mm)."""

    def along(span: tuple[float, float]) -> F64:
        return start[:, None] + np.arange(span[0], span[1] + 0.1, 1.0)[:, None] * way[:, None]

    pedicle = along(PEDICLE_MM)
    half_width = -depth.at(pedicle).max(axis=1)
    in_body = -depth.at(along(BODY_MM)).max(axis=1)
    canal = from_canal.at(pedicle).min(axis=1)
    room = np.minimum(np.minimum(half_width, in_body - BODY_MARGIN_MM), SCREW_MM / 2.0)
    return room + CANAL_WORTH * canal, half_width


def _ends(vertebra: Surface, start: F64, way: F64, width_mm: float) -> PediclePath | None:
    """Where the line enters bone behind `start` and where it should stop before it leaves in front."""
    hits = vertebra.first_hit(np.stack([start, start]), np.stack([-way, way]))
    back, front = (float(d) for d in hits.distance_mm)
    if not np.isfinite(back + front) or front < BODY_MM[1]:
        return None
    stop = BODY_MM[0] + BODY_SHARE * (front - BODY_MM[0])
    return PediclePath(start - back * way, start + stop * way, width_mm)


def _reachable(path: PediclePath, bones: Sequence[Surface], drill: Drill) -> bool:
    """Whether the handpiece, and the neck where it is outside, stay 1 mm off every bone with the burr at the target."""
    back = _unit(path.entry_mm - path.target_mm)
    handpiece = (path.target_mm + drill.neck_mm * back, path.target_mm + drill.handpiece_end_mm * back)
    neck = (path.entry_mm + 5.0 * back, path.target_mm + drill.neck_mm * back)
    return all(
        bone.closest_to_capsule(*handpiece, drill.handpiece_radius_mm).distance_mm > 1.0
        and bone.closest_to_capsule(*neck, drill.neck_radius_mm).distance_mm > 1.0
        for bone in bones
    )


def touchable_point(vertebra: Surface, axes: Axes, bones: Sequence[Surface], towards: F64) -> F64:
    """The vertex farthest along `towards` that lies behind the canal, faces backwards and has no bone behind it: (3,) in ct."""
    from navtwin.scene.fairing import vertex_normals

    vertices = vertebra.vertices_mm
    normals, _ = vertex_normals(vertices, vertebra.faces)
    exposed = ((vertices - axes.centre_mm) @ axes.forward < 0.0) & (normals @ -axes.forward > 0.35)
    candidates = np.flatnonzero(exposed)
    for n in candidates[np.argsort(-(vertices[candidates] @ towards), kind="stable")]:
        eye = vertices[n] - 0.2 * axes.forward
        if all(not np.isfinite(bone.first_hit(eye, -axes.forward).distance_mm[0]) for bone in bones):
            return np.array(vertices[n])
    raise InputRefused("no point of this vertebra can be touched from behind", "choose landmarks by hand")
