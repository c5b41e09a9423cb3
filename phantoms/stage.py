"""Where things stand in the room: the camera, the reference on the patient, and the knock that moves both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from navtwin.rigid import Rigid
from phantoms.motion import Poses, turns
from phantoms.path import minimum_jerk, unit
from phantoms.shapes import Array

if TYPE_CHECKING:
    from phantoms.script import Bump
    from phantoms.touch import Approach

CAMERA_DISTANCE_MM = 1300.0


@dataclass(frozen=True)
class Stage:
    """The room before anything moves.

    Attributes
    ----------
    T_tracker_from_ct : the tracker's z looks away from it, at the patient
    T_ct_from_ref : the reference is clamped to the patient and never moves against it
    to_camera : unit vector in ct from the patient to the tracker
    """

    T_tracker_from_ct: Rigid
    T_ct_from_ref: Rigid
    to_camera: Array

    @classmethod
    def around(cls, view: Approach, rng: np.random.Generator) -> Stage:
        """Set up a room about a level: the tracker towards the patient's feet, the reference 85 mm towards the head, both not quite as planned."""
        to_camera = unit(0.55 * view.back - 0.8 * view.head + rng.normal(0.0, 0.05, 3))
        z = -to_camera
        x = unit(np.cross(view.head, z))
        rows = np.array([x, np.cross(z, x), z])
        camera = view.middle_mm + (CAMERA_DISTANCE_MM + rng.uniform(-100.0, 100.0)) * to_camera
        normal = unit(to_camera + rng.normal(0.0, 0.1, 3))
        side = unit(np.cross(view.head, normal))
        columns = np.stack([side, np.cross(normal, side), normal], axis=1)
        seat = view.out(60.0, head_mm=85.0) + rng.normal(0.0, 5.0, 3)
        return cls(_rigid(rows, -rows @ camera, "tracker", "ct"), _rigid(columns, seat, "ct", "ref"), to_camera)

    def T_tracker_from_ct_at(self, times_s: Array, bump: Bump | None, about_mm: Array) -> Poses:
        """Where the patient is at times (N,), s: knocked once, about a point (3,) of ct, and left there; or never."""
        if bump is None:
            return constant(self.T_tracker_from_ct, len(times_s))
        share = minimum_jerk((times_s - bump.start_s) / bump.duration_s)
        turned = turns(share[:, None] * bump.turn_rad)
        moved = Poses(turned, about_mm - turned @ about_mm + share[:, None] * bump.shift_mm)
        return constant(self.T_tracker_from_ct, len(times_s)).then(moved)


def constant(transform: Rigid, count: int) -> Poses:
    """One transform, `count` times over."""
    return Poses(np.tile(np.array(transform.rotation), (count, 1, 1)), np.tile(np.array(transform.t_mm), (count, 1)))


def _rigid(rotation: Array, t_mm: Array, target: str, source: str) -> Rigid:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, t_mm
    return Rigid.from_matrix(matrix, target=target, source=source)
