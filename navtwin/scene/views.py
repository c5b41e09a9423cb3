"""Where the viewer stands: named views of the patient in LPS, and one that follows the instrument's tip."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused, nearest
from navtwin.nouns import Reading, State
from navtwin.rigid import Vec3
from navtwin.scene.model import Scene

ViewName = Literal["posterior", "left", "axial", "tip"]
VIEWS: tuple[ViewName, ...] = get_args(ViewName)
#: What each view is called on a button or under a picture.
VIEW_TITLES: dict[ViewName, str] = {"posterior": "Posterior", "left": "Left lateral", "axial": "Axial, from the head", "tip": "Follow tip"}
VIEW_ANGLE_DEG = 24.0
TIP_RADIUS_MM = 26.0
#: Where along an instrument its handle is.
HANDLE_MM = 60.0
#: From the head one would see only the vertebra above: it is cut away a little above the plans.
AXIAL_CUT_MM = 14.0
#: Direction from the patient to the viewer, and what points up on the screen. LPS: +x left, +y posterior, +z superior.
_STANDPOINTS: dict[str, tuple[Vec3, Vec3]] = {
    "posterior": ((0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "left": ((1.0, 0.0, 0.0), (0.0, 0.0, 1.0)),
    "axial": ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0)),
}
_LETTERS = (("R", "L"), ("A", "P"), ("I", "S"))


@dataclass(frozen=True)
class Standpoint:
    """A camera in ct, mm. `cut_mm`: what lies more than this in front of the focus is cut away; None cuts nothing."""

    position_mm: Vec3
    focus_mm: Vec3
    up: Vec3
    cut_mm: float | None = None

    def right(self) -> npt.NDArray[np.float64]:
        """Unit vector to the right of the screen."""
        right = np.cross(np.subtract(self.focus_mm, self.position_mm), self.up)
        return np.asarray(right / np.linalg.norm(right))


def check_view(name: str) -> ViewName:
    """`name` as a view; InputRefused names the nearest one otherwise."""
    for view in VIEWS:
        if name == view:
            return view
    raise InputRefused(f"unknown view '{name}'", nearest(name, VIEWS))


def standpoint(view: ViewName, scene: Scene, state: State | None) -> Standpoint | None:
    """Where to stand for a view; None if it follows a tip and no instrument is known (the viewer then stays where he is)."""
    if view == "tip":
        return _behind_tip(scene, state)
    focus, radius = region(scene)
    direction, up = _STANDPOINTS[view]
    return _stand(focus, np.array(direction), np.array(up), radius, AXIAL_CUT_MM if view == "axial" else None)


def region(scene: Scene) -> tuple[npt.NDArray[np.float64], float]:
    """Centre and radius (mm, ct) of what the rehearsal is about: the planned paths, or else the bone to be worked on, or everything.

    A case without structures has nothing but its scan.
    """
    if scene.plans:
        points = np.array([p for plan in scene.plans for p in (plan.entry_mm, plan.target_mm)])
        margin_mm = 28.0
    elif not scene.structures:
        points = np.array(scene.volume.bounds_mm())
        margin_mm = 5.0
    else:
        shown = [s for s in scene.structures if s.role == "work"] or list(scene.structures)
        points = np.concatenate([np.asarray(s.surface.vertices_mm) for s in shown])
        margin_mm = 5.0
    low, high = points.min(axis=0), points.max(axis=0)
    return (low + high) / 2.0, float(np.linalg.norm(high - low)) / 2.0 + margin_mm


def nearest_critical(state: State | None, structure: str | None = None) -> Reading | None:
    """The smallest known distance to a critical structure (or to the one named); None if none is known."""
    known = [
        (r.distance_mm, r)
        for r in (state.readings if state else ())
        if r.role == "critical" and r.status == "OK" and r.distance_mm is not None and structure in (None, r.structure)
    ]
    return min(known, key=lambda pair: pair[0])[1] if known else None


def edge_letters(stand: Standpoint) -> tuple[str, str]:
    """The patient's side at the left and at the right edge of the picture, as a letter of L R A P S I."""
    right = stand.right()
    axis = int(np.argmax(np.abs(right)))
    low, high = _LETTERS[axis]
    return (low, high) if right[axis] > 0.0 else (high, low)


def _behind_tip(scene: Scene, state: State | None) -> Standpoint | None:
    poses = {i.instrument: i.pose for i in (state.instruments if state else ()) if i.status == "OK" and i.pose is not None}
    if not poses:
        return None
    near = nearest_critical(state)
    pose = poses.get(near.instrument) if near else None
    T_ct_from_tip = (pose or next(iter(poses.values()))).rigid(target="ct", source="tip")
    back = np.array(T_ct_from_tip.direction((0.0, 0.0, -1.0)))
    superior = np.array((0.0, 0.0, 1.0))
    aside = np.cross(back, superior)
    if np.linalg.norm(aside) < 0.1:
        aside = np.array((1.0, 0.0, 0.0))
    tip = np.array(T_ct_from_tip.t_mm)
    # On the side of the patient that the instrument comes from, so that nothing stands between; its handle tells it more calmly than its tip.
    if np.dot(tip + HANDLE_MM * back - region(scene)[0], aside) < 0.0:
        aside = -aside
    # Over the shoulder: the shaft leads into the picture instead of hiding its own tip.
    direction = 0.62 * back + 0.78 * aside / np.linalg.norm(aside)
    return _stand(tip, direction / np.linalg.norm(direction), superior, TIP_RADIUS_MM)


def _stand(
    focus: npt.NDArray[np.float64], direction: npt.NDArray[np.float64], up: npt.NDArray[np.float64], radius_mm: float, cut_mm: float | None = None
) -> Standpoint:
    position = focus + direction * (radius_mm / math.sin(math.radians(VIEW_ANGLE_DEG / 2.0)))
    return Standpoint(_vec(position), _vec(focus), _vec(up), cut_mm)


def _vec(v: npt.NDArray[np.float64]) -> Vec3:
    return (float(v[0]), float(v[1]), float(v[2]))
