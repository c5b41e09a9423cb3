"""The pointer on the patient: a ball that rests on true bone, at a landmark or along a sweep of the posterior elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from phantoms.path import Stance, unit
from phantoms.shapes import Array

if TYPE_CHECKING:
    from navtwin.scene.model import Plan
    from navtwin.scene.surface import Surface

CELL_MM = 1.5
ROW_MM = 4.0
SWEEP_HALF_MM = (21.0, 14.0)
SLIDE_MM_S = 35.0


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


def rest_ball(bone: Sequence[Surface], centre_mm: Array, radius_mm: float) -> Array:
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


def touch(bone: Sequence[Surface], landmark_mm: Array, radius_mm: float, fle_mm: float, rng: np.random.Generator) -> Array:
    """Where the ball's centre comes to rest when a hand aims at a landmark and misses by `fle_mm` (RMS length)."""
    return rest_ball(bone, landmark_mm + rng.normal(0.0, fle_mm / np.sqrt(3.0), 3), radius_mm)


def posterior_rows(bone: Sequence[Surface], view: Approach) -> Array:
    """Points (N, 3) of the bone that faces the surgeon, in rows from side to side, to and fro."""
    vertices = np.concatenate([surface.vertices_mm for surface in bone]) - view.middle_mm
    u, w, out = vertices @ view.left, vertices @ view.head, vertices @ view.back
    kept = (np.abs(u) < SWEEP_HALF_MM[0]) & (np.abs(w) < SWEEP_HALF_MM[1])
    columns, rows = np.floor(u[kept] / CELL_MM).astype(int), np.floor(w[kept] / ROW_MM).astype(int)
    points, height = vertices[kept], out[kept]
    order = np.lexsort((-height, columns, rows))
    _, first = np.unique(np.stack([rows[order], columns[order]], axis=1), axis=0, return_index=True)
    top = order[first]
    forth = np.where(rows[top] % 2 == 0, 1, -1)
    path = top[np.lexsort((columns[top] * forth, rows[top]))]
    return np.asarray(points[path] + view.middle_mm)


@dataclass(frozen=True)
class Sweep:
    """A ball slid over bone: its centre at even steps of time."""

    start_s: float
    end_s: float
    centres_mm: Array
    axis: Array

    @classmethod
    def over(cls, bone: Sequence[Surface], view: Approach, radius_mm: float, start_s: float, duration_s: float, rate_hz: float, axis: Array) -> Sweep:
        """Follow the rows at an even pace; where bone falls away the ball slides after them no faster than a hand does, and never leaves it."""
        rows = posterior_rows(bone, view)
        pace = np.concatenate([[0.0], np.cumsum(np.minimum(np.linalg.norm(np.diff(rows, axis=0), axis=1), 3.0 * CELL_MM))])
        steps = int(duration_s * rate_hz) + 1
        goals = np.stack([np.interp(np.linspace(0.0, pace[-1], steps), pace, rows[:, d]) for d in range(3)], axis=1)
        centre = rest_ball(bone, rows[0] + radius_mm * view.back, radius_mm)
        centres = np.empty((steps, 3))
        for n, goal in enumerate(goals):
            step = goal + radius_mm * view.back - centre
            length = float(np.linalg.norm(step))
            centre = rest_ball(bone, centre + step * min(1.0, SLIDE_MM_S / rate_hz / max(length, 1e-9)), radius_mm)
            centres[n] = centre
        return cls(start_s, start_s + duration_s, centres, axis)

    def starting(self, start_s: float) -> Sweep:
        """The same sweep at another time."""
        return replace(self, start_s=start_s, end_s=start_s + self.end_s - self.start_s)

    @property
    def first(self) -> Stance:
        return Stance(self.centres_mm[0], self.axis)

    @property
    def last(self) -> Stance:
        return Stance(self.centres_mm[-1], self.axis)

    def sample(self, times_s: Array) -> tuple[Array, Array]:
        """Tip (N, 3), mm, and axis (N, 3)."""
        at = np.linspace(self.start_s, self.end_s, len(self.centres_mm))
        tips = np.stack([np.interp(times_s, at, self.centres_mm[:, d]) for d in range(3)], axis=1)
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
