"""The error budget before anything is touched: what the case's landmarks and the rig's stated noise let expect. Whatever is assumed is told."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.calibrate.pivot_gate import MAX_TIP_SD_MM
from navtwin.errors import InputRefused, nearest
from navtwin.kernels.errorbar import ErrorSources
from navtwin.nouns import HAND_FLE_MM, Body, Rig, Tool, symmetric
from navtwin.register.landmarks import COLLINEAR_RATIO, landmark_error
from navtwin.register.model import Target
from navtwin.register.touch import rotation_about
from navtwin.register.worker import critical_targets
from navtwin.rigid import Vec3
from navtwin.scene.error_budget import Budget, at_points, budget_of, focal_share
from navtwin.scene.model import Scene
from navtwin.twin.judge import K_SD, UNSEEN_SPEED_MM_S

Array = npt.NDArray[np.float64]
#: Where the reference is clamped if nobody says: so far from the middle of the landmarks towards the patient's head, mm.
REFERENCE_AWAY_MM = 100.0


@dataclass(frozen=True)
class Assumed:
    """What the user states of a session that has not been; None: as `expected` says it assumes.

    Attributes
    ----------
    tool : whose tip follows the plan
    fle_mm : RMS landmark error, everything counted
    pivot_sd_mm : of the tip calibration, per axis
    speed_mm_s : of the approach
    reference_mm : where the patient's marker body is clamped, ct
    """

    tool: str | None = None
    fle_mm: float | None = None
    pivot_sd_mm: float | None = None
    speed_mm_s: float = UNSEEN_SPEED_MM_S
    reference_mm: Vec3 | None = None

    def __post_init__(self) -> None:
        for what, value in (("--fle", self.fle_mm), ("--pivot-sd", self.pivot_sd_mm), ("--speed", self.speed_mm_s)):
            if value is not None and not (math.isfinite(value) and (value > 0.0 or (value == 0.0 and what != "--fle"))):
                raise InputRefused(f"{what} is {value:g}", "state an error in mm, or a speed in mm/s, that can be")


@dataclass(frozen=True)
class Expected:
    """A budget of what has not been yet, the sources that it is made of, and in words what was assumed."""

    budgets: tuple[Budget, ...]
    sources: ErrorSources
    tool: int
    assumed: tuple[str, ...]


def expected(scene: Scene, rig: Rig, told: Assumed) -> Expected:
    """The budget at each critical structure, where a plan comes nearest to it, the tool's tip there.

    Raises
    ------
    InputRefused : fewer than three landmarks or all on a line, no critical structure, an unknown tool
    """
    marks = np.array([m.position_mm for m in scene.landmarks], dtype=np.float64).reshape(-1, 3)
    _check(scene, marks)
    assumed: list[str] = []
    tool = _tool(rig, told, assumed)
    targets = critical_targets(scene, marks)
    sources = _sources(scene, rig, told, tool, marks, assumed)
    horizon_s = (rig.tracker.latency_ms + rig.tracker.output_delay_ms) * 1e-3 + 1.0 / rig.tracker.rate_hz
    assumed.append(f"approach at {told.speed_mm_s:g} mm/s, told {horizon_s * 1e3:.0f} ms later: latency, one frame and the way to the operator")
    share = focal_share(rig)
    if share is None:
        assumed.append("the rig states no uncertainty of a camera's focal length: not counted")
    budgets = tuple(_budget(target, rig.tool[tool], tool, sources, told.speed_mm_s * horizon_s, share) for target in targets)
    return Expected(budgets, sources, tool, tuple(assumed))


def _check(scene: Scene, marks: Array) -> None:
    if len(marks) < 3:
        raise InputRefused(
            f"the case has {len(marks)} landmarks, so no registration can be foretold",
            "place three or more with `navtwin case landmark`, or pass the --log of a session",
        )
    across = np.linalg.svd(marks - marks.mean(axis=0), compute_uv=False)
    if across[1] < COLLINEAR_RATIO * across[0]:
        raise InputRefused("the landmarks lie on one line", "the turn about it would be unknown: place one well off it")
    if not any(s.role == "critical" for s in scene.structures):
        raise InputRefused("the case has no critical structure to keep a distance from", "give one that role and limits in case.toml")


def _tool(rig: Rig, told: Assumed, assumed: list[str]) -> int:
    names = [t.name for t in rig.tool]
    if not names:
        raise InputRefused("the rig has no tool", "add a [[tool]] to rig.toml")
    if told.tool is not None:
        if told.tool not in names:
            raise InputRefused(f"the rig has no tool '{told.tool}'", nearest(told.tool, names))
        return names.index(told.tool)
    chosen = next((n for n, t in enumerate(rig.tool) if t.cutter is not None), len(names) - 1)
    assumed.append(f"the tool on the plan is '{names[chosen]}' (--tool says otherwise)")
    return chosen


def _sources(scene: Scene, rig: Rig, told: Assumed, tool: int, marks: Array, assumed: list[str]) -> ErrorSources:
    """One frame with the tool's tip at the middle of the landmarks: `at_points` brings it elsewhere."""
    one, bodies, middle = rig.tool[tool], {b.name: b for b in rig.body}, marks.mean(axis=0)
    held, lever_mm = _held(scene, one, assumed)
    tip_cov = _tip_covariance(one, told, assumed)
    bone_sd = max((s.sd_mm for s in scene.structures if s.role == "work"), default=0.0)
    fle = told.fle_mm
    if fle is None:
        fle = math.hypot(HAND_FLE_MM, bone_sd)
        assumed.append(f"landmark error (FLE) {fle:.2f} mm: the least that a registration is believed, of hand and scan (--fle says otherwise)")
    assumed.append(f"registered by the {len(marks)} landmarks alone, each touched once; a sweep of bone makes it better")
    reference = np.array(told.reference_mm) if told.reference_mm is not None else middle + np.array((0.0, 0.0, REFERENCE_AWAY_MM))
    if told.reference_mm is None:
        assumed.append(
            f"reference clamped {REFERENCE_AWAY_MM:g} mm from the middle of the landmarks, towards the head (--reference X Y Z says otherwise)"
        )
    assumed.append("markers where the rig draws them, and their poses as noisy as it states; how they bend or were made otherwise is not counted")
    # The pointer's tip shifts all touches alike; it is calibrated as the tool is.
    registered = landmark_error(marks, fle).widened(math.sqrt(float(np.trace(tip_cov)) / 3.0))
    count = len(rig.tool)
    return ErrorSources(
        # The stated noise is alike along all axes, so it does not matter which way the tracker looks.
        R_ct_from_tracker=np.eye(3),
        body_origin=np.tile(middle - lever_mm * held[:, 2], (count, 1)),
        body_cov=np.tile(_declared(bodies[one.body]), (count, 1, 1)),
        ref_origin=reference,
        ref_cov=_declared(bodies[rig.reference]),
        R_ct_from_marker=np.tile(held @ _tip_axes(one).T, (count, 1, 1)),
        tip=np.tile(middle, (count, 1)),
        tip_cov=np.tile(tip_cov, (count, 1, 1)),
        axis_sd=np.array([t.axis_sd_rad for t in rig.tool]),
        registration_origin=registered.centroid_mm,
        registration_cov=registered.covariance,
        structure_sd=np.zeros(1),
    )


def _held(scene: Scene, tool: Tool, assumed: list[str]) -> tuple[Array, float]:
    """(3, 3) the tip's axes in ct, its z along the first plan, and how far behind the tip the marker body is, mm."""
    if scene.plans:
        way = np.subtract(scene.plans[0].target_mm, scene.plans[0].entry_mm)
    else:
        way = np.array((0.0, -1.0, 0.0))
        assumed.append("the case has no plan: the tool points to the front of the patient, and each structure is met nearest to the landmarks")
    if tool.tip_mm is not None:
        lever = float(np.linalg.norm(tool.tip_mm))
    else:
        lever = max(float(np.linalg.norm(end)) for part in tool.part for end in (part.from_mm, part.to_mm))
        assumed.append(f"marker body of '{tool.name}' {lever:.0f} mm behind its tip, at the end of its last part: no tip is stored")
    return _onto(way / np.linalg.norm(way)), lever


def _tip_covariance(tool: Tool, told: Assumed, assumed: list[str]) -> Array:
    if told.pivot_sd_mm is None and tool.tip_covariance is not None:
        return symmetric(tool.tip_covariance, 3)
    sd = told.pivot_sd_mm
    if sd is None:
        sd = MAX_TIP_SD_MM
        assumed.append(f"tip of '{tool.name}' known to {sd:g} mm per axis: the worst calibration that is accepted (--pivot-sd says otherwise)")
    return np.eye(3) * sd**2


def _declared(body: Body) -> Array:
    return np.diag((body.sd_rad**2,) * 3 + (body.sd_mm**2,) * 3)


def _tip_axes(tool: Tool) -> Array:
    """(3, 3) R_marker_from_tip, but for the turn about the axis, which no covariance here depends on."""
    return _onto(np.array(tool.axis_in_marker))


def _onto(axis: Array) -> Array:
    """(3, 3) a rotation that takes z onto a unit vector."""
    turn = np.cross((0.0, 0.0, 1.0), axis)
    sine, cosine = float(np.linalg.norm(turn)), float(axis[2])
    if sine < 1e-12:
        return np.diag((1.0, math.copysign(1.0, cosine), math.copysign(1.0, cosine)))
    return np.asarray(rotation_about(turn / sine * math.atan2(sine, cosine)))


def _budget(target: Target, tool: Tool, number: int, sources: ErrorSources, latency_mm: float, share: float | None) -> Budget:
    point, outward = np.array([target.point_mm]), -np.array([target.direction])
    variances = {name: float(v[0]) for name, v in at_points(point, outward, target.sd_mm, number, sources).items()}
    if share is not None:
        # Which way the tracker will look is not known: the worst of all, half way between the arm and the direction.
        arm = point[0] - sources.ref_origin
        variances["camera"] = (share * 0.5 * float(np.linalg.norm(arm) + abs(arm @ outward[0]))) ** 2
    return budget_of(target.name, "planned path, nearest", tool.name, point[0], variances, latency_mm, K_SD)
