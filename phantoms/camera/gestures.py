"""How things are shown to the camera for calibration: as poses T_tracker_from_body, one for each exposure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from phantoms.camera.lens import Lens
from phantoms.motion import Poses, turns
from phantoms.path import frames, unit
from phantoms.rig import FACING, MadeTool

Array = npt.NDArray[np.float64]

#: Turned so that a body's front (+z) looks at the camera, its top (+y) up.
FACING_CAMERA = np.diag((1.0, -1.0, -1.0))


def board_views(lens: Lens, several: bool, rng: np.random.Generator, count: int = 40) -> Poses:
    """A board held all over the picture, near and far, turned and tilted up to 42 deg; where several cameras look, all of them see most of it."""
    reach, far, near = (0.2, 620.0, 480.0) if several else (0.36, 470.0, 260.0)
    # Spread evenly over picture and depth, in a sequence that leaves no gaps (Roberts' R3).
    step = 1.0 / 1.2207440846057596 ** np.arange(1, 4)
    places = (0.5 + np.arange(count)[:, None] * step) % 1.0
    pixels = (0.5 + reach * 2.0 * (places[:, :2] - 0.5)) * (lens.width_px, lens.height_px)
    depth = near + places[:, 2] * (far - near)
    rays = (pixels - lens.matrix[:2, 2]) / lens.matrix[[0, 1], [0, 1]]
    t_mm = depth[:, None] * np.column_stack([rays, np.ones(count)])
    tilt, towards, roll = np.radians(42.0) * np.sqrt(rng.random(count)), rng.uniform(0.0, 2.0 * np.pi, count), rng.normal(0.0, 0.35, count)
    tilts = turns(tilt[:, None] * np.stack([np.cos(towards), np.sin(towards), np.zeros(count)], axis=1))
    rolls = turns(roll[:, None] * np.array([0.0, 0.0, 1.0]))
    return Poses(np.matmul(tilts, np.matmul(rolls, np.tile(FACING_CAMERA, (count, 1, 1)))), t_mm)


def turned_about(corners_mm: Array, times_s: Array) -> Poses:
    """A body turned before the camera in a spiral: from its mean front outwards, to the far side if it is solid, to 62 deg if it is flat.

    Parameters
    ----------
    corners_mm : (N, 4, 3) of its markers; their fronts say what has to be seen
    """
    normals = unit(np.cross(corners_mm[:, 3] - corners_mm[:, 0], corners_mm[:, 1] - corners_mm[:, 0]))
    mean = normals.mean(axis=0)
    front = unit(mean) if np.linalg.norm(mean) > 0.05 else np.array([0.0, 0.0, 1.0])
    widest = min(float(np.arccos(np.clip((normals @ front).min(), -1.0, 1.0))) + np.radians(62.0), np.pi)
    share = (times_s - times_s[0]) / (times_s[-1] - times_s[0])
    # An even turn about the front and an even turn away from it: never fast enough to smear the print.
    polar = widest * share
    azimuth = 2.0 * np.pi * max(round(widest / np.radians(30.0)), 2) * share
    side = unit(np.cross(front, np.eye(3)[int(np.argmin(np.abs(front)))]))
    other = np.cross(front, side)
    radial = np.cos(azimuth)[:, None] * side + np.sin(azimuth)[:, None] * other
    tangent = -np.sin(azimuth)[:, None] * side + np.cos(azimuth)[:, None] * other
    towards = np.cos(polar)[:, None] * front + np.sin(polar)[:, None] * radial
    # Rows: camera axes in body axes. The camera looks against `towards`.
    rotation = np.stack([tangent, np.cross(-towards, tangent), -towards], axis=1)
    reach = 4.0 * np.abs(corners_mm - corners_mm.mean(axis=(0, 1))).max()
    place = np.array([0.0, 0.0, max(330.0, reach)]) + np.stack(
        [60.0 * np.sin(7.0 * share), 35.0 * np.cos(11.0 * share), 50.0 * np.sin(5.0 * share)], axis=1
    )
    centre = corners_mm.reshape(-1, 3).mean(axis=0)
    return Poses(rotation, place - rotation @ centre)


def pivoted(made: MadeTool, divot_mm: Array, times_s: Array, half_angle_rad: float = 0.55) -> Poses:
    """A tool's marker while its tip rests in a divot (tracker axes) and its handle swings on a rose of directions about straight up."""
    phase = 2.0 * np.pi * (times_s - times_s[0]) / (times_s[-1] - times_s[0])
    lean = np.tan(half_angle_rad * (0.55 + 0.45 * np.sin(3.0 * phase)))
    # Down in the picture is +y: the tool points down, its handle is above.
    axes = unit(np.array([0.0, 1.0, 0.0]) + lean[:, None] * np.stack([np.cos(5.0 * phase), np.zeros(len(phase)), np.sin(5.0 * phase)], axis=1))
    return marker_from(made, Poses(frames(axes, np.array([0.0, 0.0, -1.0])), np.tile(divot_mm, (len(phase), 1))))


def spun(made: MadeTool, divot_mm: Array, times_s: Array) -> Poses:
    """A tool's marker while the tool turns about its own axis, to and fro by 55 deg, its tip in a divot."""
    phase = 2.0 * np.pi * (times_s - times_s[0]) / (times_s[-1] - times_s[0])
    axes = np.tile(unit(np.array([0.15, 1.0, 0.1])), (len(phase), 1))
    upright = frames(axes, np.array([0.0, 0.0, -1.0]))
    about = turns(np.radians(55.0) * np.sin(2.0 * phase)[:, None] * np.array([0.0, 0.0, 1.0]))
    return marker_from(made, Poses(np.matmul(upright, about), np.tile(divot_mm, (len(phase), 1))))


def marker_from(made: MadeTool, tips: Poses) -> Poses:
    """T_tracker_from_marker of a tool as it was made, from T_tracker_from_tip."""
    count = len(tips)
    inner = Poses(np.tile(frames(made.axis[None], np.array(FACING)), (count, 1, 1)), np.tile(made.tip_mm, (count, 1)))
    return tips.then(inner.inverse())
