"""What is asked: a hand that moves along the anatomy, points anywhere round the head, shafts and drills near it.

A hand goes from place to place over the surface in steps of about 1 mm (60 mm/s at 60 Hz), with a tremor, its height over the bone changing slowly
between -1 and 8 mm; on one way in five it is lifted clear, by up to 30 mm. An instrument turns slowly about its tip as it goes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.rigid import Rigid
from navtwin.scene.surface import Surface

F64 = npt.NDArray[np.float64]

STEP_MM = 1.0
TREMOR_MM = 0.05
HEIGHT_MM = (-1.0, 8.0)
LIFTED_SHARE, LIFTED_MM = 0.2, 30.0
#: Places that the hand visits one after the other lie this far apart.
REACH_MM = (15.0, 40.0)
SHAFT_MM, SHAFT_RADIUS_MM = 150.0, 2.0
#: Parts of an instrument along its z axis: from, to, radius, mm.
Parts = tuple[tuple[float, float, float], ...]
SHAFT: Parts = ((0.0, -SHAFT_MM, SHAFT_RADIUS_MM),)
DRILL: Parts = ((0.0, 0.0, 1.5), (0.0, -48.0, 1.3), (-50.0, -158.0, 6.4))
#: A pose counts as so far apart if it is within this share of it, and is brought there in so many steps.
NEAR_ENOUGH, SETTLING = 0.3, 4
#: An instrument stays this many frames at one place of the anatomy.
STAY = 20


@dataclass(frozen=True)
class Pose:
    """Of an instrument whose tip is its origin and whose shaft runs along -z, in the forms in which our queries and the peers take it.

    Attributes
    ----------
    shaft_ends_mm : x y z of the tip and of the shaft's other end
    shaft_middle_mm : (3,)
    """

    rigid: Rigid
    rotation: F64
    tip_mm: F64
    shaft_ends_mm: tuple[float, ...]
    shaft_middle_mm: F64


def tool_path(surface: Surface, count: int, seed: int) -> tuple[F64, F64]:
    """(count, 3) tip positions of a slow hand near the surface, mm, and the (count, 3) outward unit directions there."""
    random = np.random.default_rng(seed)
    places = random.choice(len(surface.faces), 4000, replace=len(surface.faces) < 4000)
    corners = surface.vertices_mm[surface.faces[places]]
    at, outward = corners.mean(axis=1), _unit(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]))
    visited, length = [int(random.integers(len(at)))], 0.0
    while length < (count + 2) * STEP_MM:
        away = np.linalg.norm(at - at[visited[-1]], axis=1)
        within = np.flatnonzero((away > REACH_MM[0]) & (away < REACH_MM[1]))
        following = int(random.choice(within)) if len(within) else int(np.argmax(away))
        length += float(away[following])
        visited.append(following)
    heights = random.uniform(*HEIGHT_MM, len(visited))[:, None]
    stops = at[visited] + outward[visited] * heights
    passed = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(stops, axis=0), axis=1))])
    when = np.arange(count) * (min(STEP_MM, passed[-1] / count))
    path = np.stack([np.interp(when, passed, stops[:, a]) for a in range(3)], -1)
    ways = _unit(np.stack([np.interp(when, passed, outward[visited][:, a]) for a in range(3)], -1) + 1e-9)
    lifts = np.where(random.random(len(visited)) < LIFTED_SHARE, random.uniform(0.0, LIFTED_MM, len(visited)), 0.0)
    leg = np.clip(np.searchsorted(passed, when, side="right") - 1, 0, len(visited) - 2)
    height = lifts[leg] * np.sin(np.pi * (when - passed[leg]) / (passed[leg + 1] - passed[leg]))
    return path + ways * height[:, None] + random.normal(0.0, TREMOR_MM, path.shape), ways


def anywhere(surface: Surface, count: int, seed: int) -> F64:
    """(count, 3) points evenly spread in the box round the surface, mm."""
    return np.random.default_rng(seed).uniform(surface.bounds_mm[0], surface.bounds_mm[1], (count, 3))


def pose_of(tip_mm: F64, outward: F64, turn_rad: float) -> Pose:
    """The instrument with its tip there and its shaft along `outward`, turned about it."""
    z = -outward
    x = _unit(np.cross(z, (1.0, 0.0, 0.0) if abs(z[0]) < 0.9 else (0.0, 1.0, 0.0)))
    y = np.cross(z, x)
    rotation = np.stack([np.cos(turn_rad) * x + np.sin(turn_rad) * y, np.cos(turn_rad) * y - np.sin(turn_rad) * x, z], -1)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, tip_mm
    along = SHAFT_MM * rotation[:, 2]
    ends = (*tip_mm.tolist(), *(tip_mm - along).tolist())
    return Pose(Rigid.from_matrix(matrix, target="ct", source="instrument"), rotation, tip_mm.copy(), ends, tip_mm - 0.5 * along)


def poses_apart(surface: Surface, parts: Parts, wanted_mm: float, count: int, seed: int) -> list[Pose]:
    """Slow motion at one place after another of the head's outside, the instrument about `wanted_mm` clear of it (negative: as deep in it)."""
    random = np.random.default_rng(seed)
    found: list[Pose] = []
    while len(found) < count:
        start, outward = _approach(surface, random)
        sideways, lean = _unit(np.cross(outward, random.normal(size=3))), random.normal(0.0, 0.002, 3)
        height = wanted_mm
        for _ in range(SETTLING):
            height += wanted_mm - clearance(surface, parts, pose_of(start + outward * height, outward, 0.0))
        for k in range(STAY):
            tip = start + outward * height + sideways * (0.5 * STEP_MM * (k - STAY / 2)) + random.normal(0.0, TREMOR_MM, 3)
            pose = pose_of(tip, _unit(outward + lean * k), 0.01 * k)
            if abs(clearance(surface, parts, pose) - wanted_mm) < NEAR_ENOUGH * abs(wanted_mm):
                found.append(pose)
    return found[:count]


def _approach(surface: Surface, random: np.random.Generator) -> tuple[F64, F64]:
    """A place that a straight line from outside reaches first, and the direction from which it came."""
    middle, reach = surface.bounds_mm.mean(axis=0), float(np.linalg.norm(surface.bounds_mm[1] - surface.bounds_mm[0]))
    while True:
        outward = _unit(random.normal(size=3))
        start = middle + random.normal(0.0, 0.1 * reach, 3) + outward * reach
        hit = float(surface.first_hit(start, -outward).distance_mm[0])
        if np.isfinite(hit):
            return start - outward * hit, outward


def clearance(surface: Surface, parts: Parts, pose: Pose) -> float:
    """How far the parts (from z, to z, radius; mm) of the instrument are from the surface, mm; negative in contact."""
    z = pose.rotation[:, 2]
    return min(surface.closest_to_capsule(pose.tip_mm + a * z, pose.tip_mm + b * z, radius).distance_mm for a, b, radius in parts)


def _unit(vectors: npt.ArrayLike) -> F64:
    array = np.asarray(vectors, dtype=np.float64)
    unit: F64 = array / np.linalg.norm(array, axis=-1, keepdims=True)
    return unit
