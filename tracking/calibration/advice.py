"""What to do next while poses are collected, from the poses so far; and whether they suffice, with a margin over what the gates ask."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.nouns.calibration import Figure, Goal
from tracking.calibration.changes import figure_rows
from tracking.calibration.streams import Gathered, PoseStream, paired

Array = npt.NDArray[np.float64]

#: What is aimed at, over the gates: poses, how far the handle is tilted to each of four sides, the share of an sd that the gate allows.
PIVOT_POSES, SIDE_DEG, SD_SHARE = 150, 20.0, 0.3
#: Until the tool was turned this far (RMS), or the tip is this well known, it is not known which way its handle points.
KNOWN_TURN_RAD, KNOWN_TIP_MM = 0.06, 20.0
SPIN_POSES, SPIN_DEG, SPIN_SD_SHARE = 90, 120.0, 0.6
HAND_EYE_POSES, TURN_DEG, SECOND_SHARE, HAND_EYE_SD_SHARE = 60, 40.0, 0.3, 0.5
TIME_S, TIME_SD_SHARE = 10.0, 0.5
#: Which way a handle is tilted, as the camera shows it: along its x, y and z, backwards and forwards.
WAYS = (
    ("left in the picture", "right in the picture"),
    ("up in the picture", "down in the picture"),
    ("towards the camera", "away from the camera"),
)


@dataclass(frozen=True)
class Advice:
    """What to do next.

    Attributes
    ----------
    text : for the operator
    share : how much of what is aimed at is there, 0 to 1
    enough : the gate would accept with a margin
    anew : what was collected is spoilt, and to be forgotten
    goals : what is aimed at, and how far each is
    figures : quality so far
    """

    text: str
    share: float
    enough: bool = False
    anew: bool = False
    goals: tuple[Goal, ...] = ()
    figures: tuple[Figure, ...] = ()


def pivot_advice(stream: PoseStream) -> Advice:
    """For a pivot: seat the tip, tilt the handle to all sides, go on until the tip is known well."""
    from navtwin.calibrate import calibrate_pivot
    from navtwin.calibrate.pivot_gate import MAX_TIP_SD_MM, MIN_POSES, orientation_spread

    count = len(stream)
    if count < MIN_POSES:
        return Advice("tip in the divot: tilt the tool slowly", 0.2 * count / PIVOT_POSES, goals=(Goal("poses", count, PIVOT_POSES),))
    found = calibrate_pivot(stream.poses, stream.covariances)
    if found.slid:
        return Advice("the tip slides: seat it again", 0.0, anew=True)
    rotation = stream.poses[:, :3, :3]
    if orientation_spread(rotation)[0][1] < KNOWN_TURN_RAD or found.tip_sd_mm > KNOWN_TIP_MM:
        wanted = 2.0 * SIDE_DEG
        angle = min(found.angle_deg, wanted)
        first = (Goal("poses", count, PIVOT_POSES), Goal("tilt", round(angle, 1), wanted, "deg"))
        return Advice(f"tilt it further: {angle:.0f} of {wanted:.0f} deg", 0.2 * angle / wanted, goals=first)
    sides = handle_reach(-rotation @ found.tip_mm)
    reached = min(reach for _, reach in sides)
    sd_wanted = SD_SHARE * MAX_TIP_SD_MM
    share = float(np.mean([min(count / PIVOT_POSES, 1.0), *(min(r / SIDE_DEG, 1.0) for _, r in sides), min(sd_wanted / found.tip_sd_mm, 1.0)]))
    goals = (Goal("poses", count, PIVOT_POSES), *(Goal(f"handle {way}", round(reach, 1), SIDE_DEG, "deg") for way, reach in sides))
    figures = figure_rows({"tip_sd_mm": found.tip_sd_mm, "tip_sd_wanted_mm": sd_wanted, "residual_mm": found.rms_mm})
    told = partial(Advice, goals=goals, figures=figures)
    if reached < SIDE_DEG:
        way = min(sides, key=lambda side: side[1])[0]
        return told(f"tilt the handle {way}: {reached:.0f} of {SIDE_DEG:.0f} deg", share)
    if not found.accepted:
        return told(found.reasons[0], share)
    if found.tip_sd_mm > sd_wanted:
        return told(f"tilt on to all sides: tip known to {found.tip_sd_mm:.2f} mm", share)
    if count < PIVOT_POSES:
        return told(f"tilt on to all sides: {count} of {PIVOT_POSES} poses", share)
    return told("that is enough", 1.0, enough=True)


def handle_reach(handles: Array) -> list[tuple[str, float]]:
    """How far a handle was tilted to each of four sides, deg, in words of the camera's picture.

    Counted from where it was held first; a side that was not reached counts as reached where the other one makes up for it.

    Parameters
    ----------
    handles : (N, 3) directions from the tip to the handle, in the axes of the tracker (x right, y down, z away from the camera)
    """
    unit = handles / np.linalg.norm(handles, axis=1)[:, None]
    across = np.argsort(np.abs(unit.mean(axis=0)))[:2]
    found = []
    for axis in sorted(int(a) for a in across):
        angle = np.degrees(np.arcsin(np.clip(unit[:, axis], -1.0, 1.0)))
        start = float(np.median(angle[:10]))
        low, high = (float(v) for v in np.percentile(angle, (1.0, 99.0)))
        less, more = max(start - low, 0.0), max(high - start, 0.0)
        for way, reach, other in zip(WAYS[axis], (less, more), (more, less), strict=True):
            found.append((way, max(reach, min(SIDE_DEG, reach + other - SIDE_DEG))))
    return found


def spin_advice(poses: Array, tip_mm: npt.ArrayLike | None) -> Advice:
    """For a spin: turn it on, steadily. Poses (N, 4, 4) in the axes of what holds still; the tip in marker axes, if it is known."""
    from navtwin.calibrate import calibrate_spin
    from navtwin.calibrate.spin import MAX_AXIS_SD_RAD, MIN_POSES

    count = len(poses)
    if count < MIN_POSES:
        return Advice("tool in its V-block: turn it slowly", 0.2 * count / SPIN_POSES, goals=(Goal("poses", count, SPIN_POSES),))
    found = calibrate_spin(poses, tip_mm)
    if found.unsteady:
        words = {"wobbled": "it wobbles: press it into the V-block", "moved": "the block moves: fix it", "slid": "it slides: push it against a stop"}
        return Advice(f"{words[found.unsteady[0]]}, and turn it again", 0.0, anew=True)
    sd_wanted = SPIN_SD_SHARE * MAX_AXIS_SD_RAD
    parts = (count / SPIN_POSES, found.angle_deg / SPIN_DEG, sd_wanted / found.axis_sd_rad)
    share = float(np.mean([min(p, 1.0) for p in parts]))
    told = partial(
        Advice,
        goals=(Goal("poses", count, SPIN_POSES), Goal("turned", round(found.angle_deg, 1), SPIN_DEG, "deg")),
        figures=figure_rows({"axis_sd_deg": np.degrees(found.axis_sd_rad), "axis_sd_wanted_deg": np.degrees(sd_wanted)}),
    )
    if found.angle_deg < SPIN_DEG:
        return told(f"turn it further: {found.angle_deg:.0f} of {SPIN_DEG:.0f} deg", share)
    if not found.accepted:
        return told(found.reasons[0], share)
    if found.axis_sd_rad > sd_wanted:
        return told(f"turn on: axis known to {np.degrees(found.axis_sd_rad):.2f} deg", share)
    if count < SPIN_POSES:
        return told(f"turn on: {count} of {SPIN_POSES} poses", share)
    return told("that is enough", 1.0, enough=True)


def hand_eye_advice(first: PoseStream, second: PoseStream, offset_ns: int) -> Advice:
    """For hand-eye: turn it widely, about two axes, both bodies in view."""
    from navtwin.calibrate import calibrate_robot_world
    from navtwin.calibrate.hand_eye import MAX_SD_MM, MAX_SD_RAD, MIN_MOTIONS
    from navtwin.calibrate.poses import nearest_rotation, vectors_of

    try:
        a, seen = paired(first, second, offset_ns)
    except InputRefused:
        return Advice(f"show '{first.body}' and '{second.body}' at the same time", 0.0)
    if len(a) < MIN_MOTIONS:
        return Advice("turn it slowly to all sides", 0.2 * len(a) / HAND_EYE_POSES)
    turns = vectors_of(nearest_rotation(a[:, :3, :3].mean(axis=0)).T @ a[:, :3, :3])
    spread = np.sqrt(np.maximum(np.linalg.eigvalsh(turns.T @ turns / len(turns)), 0.0))
    angle = 2.0 * float(np.degrees(np.percentile(np.linalg.norm(turns, axis=1), 98.0)))
    second_share = float(spread[1] / max(spread[2], 1e-9))
    parts = [len(a) / HAND_EYE_POSES, angle / TURN_DEG, second_share / SECOND_SHARE]
    share = 0.8 * float(np.mean([min(p, 1.0) for p in parts]))
    goals = (
        Goal("poses", len(a), HAND_EYE_POSES),
        Goal("turned", round(angle, 1), TURN_DEG, "deg"),
        Goal("about a second axis", round(100.0 * second_share, 1), 100.0 * SECOND_SHARE, "%"),
    )
    told = partial(Advice, goals=goals)
    if angle < TURN_DEG:
        return told(f"turn it further: {angle:.0f} of {TURN_DEG:.0f} deg", share)
    if second_share < SECOND_SHARE:
        return told("turn it about another axis too", share)
    if len(a) < HAND_EYE_POSES:
        return told(f"turn on to all sides: {len(a)} of {HAND_EYE_POSES} poses", share)
    found = calibrate_robot_world(a, np.linalg.inv(seen))
    if not found.accepted:
        return told(found.reasons[0], share)
    if found.sd_mm > HAND_EYE_SD_SHARE * MAX_SD_MM or found.sd_rad > HAND_EYE_SD_SHARE * MAX_SD_RAD:
        return told(f"turn on: place known to {found.sd_mm:.2f} mm, {np.degrees(found.sd_rad):.2f} deg", share)
    return told("that is enough", 1.0, enough=True)


def time_advice(first: PoseStream, second: PoseStream) -> Advice:
    """For a time offset: move both briskly, with changing speed, for long enough."""
    from navtwin.calibrate import time_offset
    from navtwin.calibrate.time_offset import MAX_SD_NS

    spans = [float(s.t_ns[-1] - s.t_ns[0]) / 1e9 if len(s) else 0.0 for s in (first, second)]
    share = 0.8 * min(min(spans) / TIME_S, 1.0)
    told = partial(Advice, goals=(Goal("motion", round(min(spans), 1), TIME_S, "s"),))
    if min(spans) < TIME_S:
        return told(f"move and turn it briskly, unevenly: {min(spans):.0f} of {TIME_S:.0f} s", share)
    try:
        found = time_offset(first.t_ns - first.t_ns[0], first.poses, second.t_ns - second.t_ns[0], second.poses)
    except InputRefused as refused:
        return told(refused.problem, share)
    if not found.accepted:
        return told(found.reasons[0], share)
    if found.sd_ns > TIME_SD_SHARE * MAX_SD_NS:
        return told(f"move on: offset known to {found.sd_ns / 1e6:.1f} ms", share)
    return told("that is enough", 1.0, enough=True)


def hidden_words(gathered: Gathered, least: int) -> str:
    """Which body has been hidden for at least so many frames, and why; nothing where none is."""
    body, frames, reason = gathered.hidden()
    if frames < least:
        return ""
    return f"'{body}' is hidden: {frames} frames" + (f" ({reason})" if reason else "")
