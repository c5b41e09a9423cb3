"""Where an instrument points, measured against a planned path: offset, angle and depth. Geometry of one pose and one plan, and of nothing else.

The picture's plane is square to the path and is looked at along it, from entry to target; its up is the patient's head, or his front for a path
that runs along the spine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from navtwin.bus.words import ERROR_BAR_SD
from navtwin.nouns import Rig, State
from navtwin.rigid import Rigid
from navtwin.scene.model import Plan, Scene

F64 = npt.NDArray[np.float64]
Pair = tuple[float, float]
#: `inside` only where the whole error bar is; `unsure` where the middle is but the bar is not, or where the error is not known.
Verdict = Literal["inside", "unsure", "outside", "past"]
#: Nearer to square than this an axis meets the target's plane nowhere that could be drawn.
MOST_ANGLE_DEG = 75.0
#: Another plan must be nearer by so much before it takes over: between two paths the choice must not flicker.
STAY_MM = 3.0
#: Paths within this of the patient's long axis have his front as their up.
ALONG_SPINE = 0.9
_LETTERS = ("RL", "AP", "IS")


@dataclass(frozen=True)
class PathAxes:
    """Unit vectors in ct of a path's picture: right, up, and along the path."""

    right: F64
    up: F64
    along: F64


@dataclass(frozen=True)
class Aim:
    """An instrument against a path.

    Attributes
    ----------
    offset_mm : of the tip from the path at the tip's depth, (right, up) in the path's picture
    toward : letters of the patient's sides that the tip is off to, largest first
    depth_mm, to_target_mm : along the path from its entry to the tip, and from the tip to the target (negative: past it)
    angle_deg : between the instrument's axis and the path
    landing_mm : where the axis, prolonged, meets the target's plane, (right, up); None past the target or too oblique
    error_mm : error bar of the tip, None where it is not known
    landing_error_mm : error bar of `landing_mm`
    """

    plan: Plan
    offset_mm: Pair
    toward: tuple[str, ...]
    depth_mm: float
    to_target_mm: float
    angle_deg: float
    landing_mm: Pair | None
    error_mm: float | None
    landing_error_mm: float | None

    @property
    def off_mm(self) -> float:
        return math.hypot(*self.offset_mm)

    @property
    def landing_off_mm(self) -> float | None:
        return None if self.landing_mm is None else math.hypot(*self.landing_mm)

    @property
    def verdict(self) -> Verdict:
        """By the bound and never by the mean: tip and landing must be within the tolerance with their whole error bars."""
        tolerance, error = self.plan.tolerance_mm, self.error_mm
        if self.to_target_mm < -(error or 0.0):
            return "past"
        landing = self.landing_off_mm
        if self.off_mm > tolerance or (self.to_target_mm > 0.0 and (landing is None or landing > tolerance)):
            return "outside"
        if error is None or self.off_mm + error > tolerance:
            return "unsure"
        if landing is not None and (self.landing_error_mm is None or landing + self.landing_error_mm > tolerance):
            return "unsure"
        return "inside"


def path_axes(plan: Plan) -> PathAxes:
    """The picture's axes of a planned path."""
    along = np.subtract(plan.target_mm, plan.entry_mm)
    along = along / np.linalg.norm(along)
    head = np.array((0.0, 0.0, 1.0)) if abs(along[2]) < ALONG_SPINE else np.array((0.0, -1.0, 0.0))
    up = head - np.dot(head, along) * along
    up = up / np.linalg.norm(up)
    return PathAxes(np.cross(along, up), up, along)


def picture_letters(axes: PathAxes) -> tuple[str, str, str, str]:
    """The patient's side at the left, right, lower and upper edge of the path's picture."""
    return (_letter(-axes.right), _letter(axes.right), _letter(-axes.up), _letter(axes.up))


def aim_of(plan: Plan, T_ct_from_tip: Rigid, tip_sd_mm: float | None = None, axis_sd_rad: float | None = None) -> Aim:
    """Measure one instrument against one path.

    Parameters
    ----------
    T_ct_from_tip : its pose; the axis runs along the tip's +Z
    tip_sd_mm : standard deviation of the tip's place; None where it is not known
    axis_sd_rad : of the axis; None where it is not known
    """
    axes = path_axes(plan)
    tip, axis = np.array(T_ct_from_tip.t_mm), np.array(T_ct_from_tip.direction((0.0, 0.0, 1.0)))
    from_entry = tip - plan.entry_mm
    depth = float(from_entry @ axes.along)
    to_target = math.dist(plan.entry_mm, plan.target_mm) - depth
    aside = from_entry - depth * axes.along
    forward = float(axis @ axes.along)
    angle = math.degrees(math.atan2(float(np.linalg.norm(np.cross(axis, axes.along))), forward))
    landing = None
    landing_sd = None
    if to_target > 0.0 and angle < MOST_ANGLE_DEG:
        run = to_target / forward
        met = from_entry + run * axis
        landing = (float(met @ axes.right), float(met @ axes.up))
        if tip_sd_mm is not None and axis_sd_rad is not None:
            landing_sd = math.hypot(tip_sd_mm, axis_sd_rad * run / forward)
    return Aim(
        plan=plan,
        offset_mm=(float(from_entry @ axes.right), float(from_entry @ axes.up)),
        toward=sides(aside),
        depth_mm=depth,
        to_target_mm=to_target,
        angle_deg=angle,
        landing_mm=landing,
        error_mm=_bar(tip_sd_mm),
        landing_error_mm=_bar(landing_sd),
    )


def sides(aside: npt.ArrayLike) -> tuple[str, ...]:
    """Letters of the patient's sides that a vector of ct points to: the largest, and the second if it is at least 0.4 of that."""
    vector = np.asarray(aside, dtype=np.float64)
    order = np.argsort(-np.abs(vector))
    largest = abs(vector[order[0]])
    if largest < 1e-9:
        return ()
    named = [axis for axis in order[:2] if abs(vector[axis]) >= 0.4 * largest]
    return tuple(_LETTERS[axis][int(vector[axis] > 0.0)] for axis in named)


def plan_in_reach(plans: Sequence[Plan], T_ct_from_tip: Rigid, now: Plan | None) -> Plan | None:
    """The plan whose path is nearest to the tip; the one of `now` stays until another is clearly nearer."""
    usable = [plan for plan in plans if math.dist(plan.entry_mm, plan.target_mm) > 0.0]
    if not usable:
        return None
    away = {plan.name: _path_distance(plan, np.array(T_ct_from_tip.t_mm)) for plan in usable}
    nearest = min(usable, key=lambda plan: away[plan.name])
    return now if now in usable and away[now.name] < away[nearest.name] + STAY_MM else nearest


def tip_sd_mm(scene: Scene, rig: Rig | None, state: State | None, instrument: str) -> float | None:
    """One standard deviation of a tip's place: the largest that the twin states for it along any direction in this frame.

    A reading's error is that of the pose along the distance's own direction and that of the segmentation, squares added. A plan has no segmentation:
    that share is taken out again. Directions without a structure are not asked for, so across all of them it may be larger.
    None where no distance of the tip is known.
    """
    tool = next((t for t in rig.tool if t.name == instrument), None) if rig else None
    at_tip = {p.name for p in tool.part if p.from_mm == p.to_mm} if tool else set()
    segmentation = {s.name: s.sd_mm for s in scene.structures}
    variances = [
        max(0.0, r.sd_mm**2 - segmentation.get(r.structure, 0.0) ** 2)
        for r in (state.readings if state else ())
        if r.instrument == instrument and r.status == "OK" and r.sd_mm is not None and (not at_tip or r.part in at_tip)
    ]
    return math.sqrt(max(variances)) if variances else None


def axis_sd_rad(rig: Rig | None, instrument: str) -> float | None:
    """One standard deviation of an instrument's axis, from the rig: calibration, its marker and the patient's reference."""
    tool = next((t for t in rig.tool if t.name == instrument), None) if rig else None
    if rig is None or tool is None:
        return None
    bodies = {b.name: b.sd_rad for b in rig.body}
    return math.hypot(tool.axis_sd_rad, bodies[tool.body], bodies[rig.reference])


def _path_distance(plan: Plan, point: F64) -> float:
    entry, run = np.array(plan.entry_mm), np.subtract(plan.target_mm, plan.entry_mm)
    share = min(1.0, max(0.0, float((point - entry) @ run / (run @ run))))
    return float(np.linalg.norm(point - entry - share * run))


def _bar(sd: float | None) -> float | None:
    return None if sd is None else ERROR_BAR_SD * sd


def _letter(direction: F64) -> str:
    axis = int(np.argmax(np.abs(direction)))
    return _LETTERS[axis][int(direction[axis] > 0.0)]
