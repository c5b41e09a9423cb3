"""From a pixel of the picture to the patient: the ray under the mouse, and what it meets first. No Qt, no VTK."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from navtwin.rigid import Vec3
from navtwin.scene.model import Structure


@dataclass(frozen=True)
class Eye:
    """A perspective camera in ct, mm; `angle_deg` is what it sees from the lower edge of the picture to the upper."""

    position_mm: Vec3
    focus_mm: Vec3
    up: Vec3
    angle_deg: float


def ray(eye: Eye, x_share: float, y_share: float, width_to_height: float) -> Vec3:
    """Unit direction of what is seen at a place of the picture, told as shares of its width from the left and of its height from the top."""
    ahead = np.subtract(eye.focus_mm, eye.position_mm)
    ahead = ahead / np.linalg.norm(ahead)
    right = np.cross(ahead, eye.up)
    right = right / np.linalg.norm(right)
    up = np.cross(right, ahead)
    half = math.tan(math.radians(eye.angle_deg) / 2.0)
    way = ahead + (2.0 * x_share - 1.0) * half * width_to_height * right + (1.0 - 2.0 * y_share) * half * up
    way = way / np.linalg.norm(way)
    return (float(way[0]), float(way[1]), float(way[2]))


def first_met(structures: Iterable[Structure], from_mm: Vec3, direction: Vec3) -> tuple[str, Vec3] | None:
    """The structure that a ray meets first, and where, ct; None if it meets none. Exact: on the surfaces themselves, not on what is drawn of them."""
    met = [(float(s.surface.first_hit([from_mm], [direction]).distance_mm[0]), s.name) for s in structures]
    near = min(((mm, name) for mm, name in met if math.isfinite(mm)), default=None)
    if near is None:
        return None
    x, y, z = np.array(from_mm) + near[0] * np.array(direction)
    return near[1], (float(x), float(y), float(z))
