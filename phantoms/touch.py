"""The pointer on the patient: a ball that rests on true bone, at a landmark or along a sweep of the posterior elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from phantoms.path import Stance, unit
from phantoms.shapes import Array
from phantoms.truth import Bone, nearest_distance

if TYPE_CHECKING:
    from navtwin.scene.model import Plan

#: What is swept: so far to either side and to head and feet of the level's middle, in rows so far apart, sampled so finely.
SWEEP_HALF_MM = (21.0, 12.5)
ROW_MM = 5.0
#: Bone deeper than this below the planned entries is not of the posterior elements, and out of the pointer's reach.
DEEPEST_MM = 10.0
STEP_MM = 0.3
SWEEP_MM_S = 20.0
#: Steeper than this (height over way) the ball would fall, not slide: the stroke ends there. Shorter strokes are not worth setting down for.
STEEPEST = 3.0
SHORTEST_MM = 4.0


@dataclass(frozen=True)
class Approach:
    """The surgeon's view of the level that is operated on: its middle (mm) and unit directions to the left, to the head and out of the back."""

    middle_mm: Array
    left: Array
    head: Array
    back: Array

    @classmethod
    def over(cls, left: Plan, right: Plan) -> Approach:
        """From the two plans: both drill inwards, so their mean runs straight in."""
        entries, targets = np.array([left.entry_mm, right.entry_mm]), np.array([left.target_mm, right.target_mm])
        back = unit(unit(entries - targets).sum(axis=0))
        across = entries[0] - entries[1]
        lateral = unit(across - (across @ back) * back)
        # ct is right-handed: left x back of the patient points to the head.
        return cls(entries.mean(axis=0), lateral, np.cross(lateral, back), back)

    def out(self, depth_mm: float, left_mm: float = 0.0, head_mm: float = 0.0) -> Array:
        """A point over the level."""
        return self.middle_mm + depth_mm * self.back + left_mm * self.left + head_mm * self.head


def rest_ball(bone: Sequence[Bone], centre_mm: Array, radius_mm: float) -> Array:
    """Move a ball's centre (3,) along the nearest direction until the ball just touches bone from outside."""
    for _ in range(3):
        hits = [surface.closest(centre_mm[None]) for surface in bone]
        nearest = min(hits, key=lambda hit: float(hit.distance_mm[0]))
        distance = float(nearest.distance_mm[0])
        away = centre_mm - nearest.point_mm[0]
        length = float(np.linalg.norm(away))
        if length < 1e-9 or abs(distance - radius_mm) < 1e-4:
            break
        centre_mm = nearest.point_mm[0] + (radius_mm / length if distance > 0.0 else -radius_mm / length) * away
    return centre_mm


def touch(bone: Sequence[Bone], landmark_mm: Array, radius_mm: float, fle_mm: float, rng: np.random.Generator) -> Array:
    """Where the ball's centre comes to rest when a hand aims at a landmark and misses by `fle_mm` (RMS length)."""
    return rest_ball(bone, landmark_mm + rng.normal(0.0, fle_mm / np.sqrt(3.0), 3), radius_mm)


def drop_ball(bone: Sequence[Bone], starts_mm: Array, way: Array, radius_mm: float, reach_mm: float) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Lower balls from starts (N, 3), mm, along a unit vector until each first touches bone (sphere tracing); centres (N, 3), and which did touch."""
    centres, room = starts_mm.copy(), np.full(len(starts_mm), np.inf)
    for _ in range(80):
        falling = (room > 2e-3) & ((centres - starts_mm) @ way < reach_mm)
        if not falling.any():
            break
        room[falling] = nearest_distance(bone, centres[falling]) - radius_mm
        centres[falling] += np.maximum(room[falling], 0.0)[:, None] * way
    return centres, (room < 0.02) & ((centres - starts_mm) @ way < reach_mm)


def strokes(bone: Sequence[Bone], view: Approach, radius_mm: float) -> list[Array]:
    """Ball centres (N, 3), mm, of strokes over the bone that faces the surgeon: rows from side to side, to and fro, broken where bone falls away."""
    vertices = np.concatenate([surface.vertices_mm for surface in bone]) - view.middle_mm
    u, w = vertices @ view.left, vertices @ view.head
    near = (np.abs(u) < SWEEP_HALF_MM[0] + 5.0) & (np.abs(w) < SWEEP_HALF_MM[1] + 5.0)
    top_mm = float((vertices[near] @ view.back).max()) + 5.0
    across = np.arange(-SWEEP_HALF_MM[0], SWEEP_HALF_MM[0] + 1e-9, STEP_MM)
    found = []
    for row, head_mm in enumerate(np.arange(-SWEEP_HALF_MM[1], SWEEP_HALF_MM[1] + 1e-9, ROW_MM)):
        way = across if row % 2 == 0 else across[::-1]
        starts = view.out(top_mm, head_mm=float(head_mm)) + way[:, None] * view.left
        centres, touched = drop_ball(bone, starts, -view.back, radius_mm, top_mm + DEEPEST_MM)
        steep = np.abs(np.diff(centres @ view.back)) > STEEPEST * STEP_MM
        breaks = np.flatnonzero(steep | ~touched[1:] | ~touched[:-1]) + 1
        found += [stroke for stroke in np.split(centres, breaks) if (len(stroke) - 1) * STEP_MM >= SHORTEST_MM]
    return found


@dataclass(frozen=True)
class Stroke:
    """A ball slid over bone at an even pace: its centres and when it is at each."""

    at_s: Array
    centres_mm: Array
    axis: Array

    @classmethod
    def along(cls, centres_mm: Array, start_s: float, axis: Array) -> Stroke:
        way_mm = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(centres_mm, axis=0), axis=1))])
        return cls(start_s + way_mm / SWEEP_MM_S, centres_mm, axis)

    @property
    def start_s(self) -> float:
        return float(self.at_s[0])

    @property
    def end_s(self) -> float:
        return float(self.at_s[-1])

    @property
    def last(self) -> Stance:
        return Stance(self.centres_mm[-1], self.axis)

    def sample(self, times_s: Array) -> tuple[Array, Array]:
        """Tip (N, 3), mm, and axis (N, 3)."""
        tips = np.stack([np.interp(times_s, self.at_s, self.centres_mm[:, d]) for d in range(3)], axis=1)
        return tips, np.tile(self.axis, (len(times_s), 1))


@dataclass(frozen=True)
class Cone:
    """A pivot: the tip sits in a divot while the handle swings round it on a rose of directions."""

    start_s: float
    end_s: float
    divot_mm: Array
    view: Approach
    half_angle_rad: float = 0.5

    def sample(self, times_s: Array) -> tuple[Array, Array]:
        """Tip (N, 3), mm, and axis (N, 3)."""
        phase = 2.0 * np.pi * (times_s - self.start_s) / (self.end_s - self.start_s)
        lean = np.tan(self.half_angle_rad * (0.55 + 0.45 * np.sin(3.0 * phase)))
        aside = np.cos(5.0 * phase)[:, None] * self.view.left + np.sin(5.0 * phase)[:, None] * self.view.head
        return np.tile(self.divot_mm, (len(times_s), 1)), unit(lean[:, None] * aside - self.view.back)
