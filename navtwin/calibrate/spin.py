"""Tool axis by spinning: the direction that stood still while the tool was turned about itself in a V-block or holder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from navtwin.calibrate.noise import autocorrelation, student_factor
from navtwin.calibrate.poses import checked_poses

Array = npt.NDArray[np.float64]

#: Fewest poses, least share of them that must agree, and how far the tool has to be spun.
MIN_POSES, MIN_SHARE, MIN_SPIN_DEG = 30, 0.9, 90.0
#: Largest standard deviation of the axis, per direction across it.
MAX_AXIS_SD_RAD = 0.005
#: How far the axis may tilt, move across itself and slide along itself while the tool is spun.
MAX_WOBBLE_RAD, MAX_WANDER_MM, MAX_SLIDE_MM = 0.006, 0.6, 5.0
REJECT_SDS = 4.5
#: How far a tool may tilt in its block. A pose that points the axis no further off than this agrees, even where it was too noisy for the fit.
BLOCK_RAD = 0.005
#: The tip must lie further along the axis than this, from the marker, to tell its two ends apart.
MIN_TIP_ALONG_MM = 5.0
PARTS = 8


Unsteadiness = Literal["wobbled", "moved", "slid"]


@dataclass(frozen=True)
class SpinCalibration:
    """The tool's own axis, and whether to believe it.

    Attributes
    ----------
    axis_in_marker : (3,) unit vector in marker axes; from the handle out through the tip if the tip was given
    axis_sd_rad : standard deviation of its direction, per direction across it
    covariance : (3, 3) of the unit vector, marker axes; it has no extent along the axis
    point_mm : (3,) the point of the axis nearest to the marker's origin, marker axes
    angle_deg : how far round the tool was spun, 0 to 360
    rms_mm : RMS distance of `point_mm` from where the fit puts it, across the axis
    unsteady : what it did besides spinning; none of it is looked for before it was spun far enough
    tip_off_axis_mm : distance of the tip from the axis; None without a tip. A straight tool has it near 0, a bent one has not
    signed : whether the tip told the two ends of the axis apart
    accepted, reasons : the verdict
    inliers : (N,) which poses the result rests on
    agreeing : (N,) those, and the ones that were left out as noisier than the rest although they point the axis where it stays
    """

    axis_in_marker: Array
    axis_sd_rad: float
    covariance: Array
    point_mm: Array
    angle_deg: float
    rms_mm: float
    unsteady: tuple[Unsteadiness, ...]
    tip_off_axis_mm: float | None
    signed: bool
    accepted: bool
    reasons: tuple[str, ...]
    inliers: npt.NDArray[np.bool_]
    agreeing: npt.NDArray[np.bool_]


def calibrate_spin(T_ref_from_marker: npt.ArrayLike, tip_mm: npt.ArrayLike | None = None) -> SpinCalibration:
    """Find the axis that a tool was spun about.

    The direction a that minimises the sum of |R_i a - b|^2 over unit vectors a, b is the principal right singular vector of the mean rotation.
    Poses out of keeping are dropped; the covariance is a sandwich whose correlation in time is read from the residuals.

    Parameters
    ----------
    T_ref_from_marker : (N, 4, 4) rigid poses in the order of capture, mm, of the marker in the axes of whatever held still (reference or tracker)
    tip_mm : (3,) the tool's tip in marker axes, from a pivot calibration: it says which end of the axis is the front

    Raises
    ------
    InputRefused : no (N, 4, 4) array, fewer than three poses, NaN, poses that are not rigid
    """
    rotation, t = checked_poses(T_ref_from_marker, "axis calibration", 3, f"collect at least {MIN_POSES} while spinning the tool in a V-block")
    axis, fixed, kept = _robust_axis(rotation)
    agreeing = kept | (np.linalg.norm(rotation @ axis - fixed, axis=1) <= BLOCK_RAD)
    rotation, t = rotation[kept], t[kept]
    across = _across(axis)
    residuals = _tilts(rotation, axis, fixed)
    angle, angles = _spun(rotation, axis, fixed)
    covariance2 = _covariance(angles, residuals)
    covariance = across @ covariance2 @ across.T
    sd = float(np.sqrt(np.trace(covariance2) / 2.0))
    point, wander = _axis_point(rotation, t, axis, fixed)
    reasons, unsteady = _spin_reasons(agreeing, angle), dict[Unsteadiness, str]()
    if not reasons:
        unsteady = _unsteadiness(angles, residuals, wander)
        reasons = [*unsteady.values(), *_doubts(sd)]
    off, signed = None, False
    if tip_mm is not None:
        tip = np.asarray(tip_mm, dtype=np.float64).reshape(3)
        along = float((tip - point) @ axis)
        off = float(np.linalg.norm(tip - point - along * axis))
        signed = abs(along) > max(MIN_TIP_ALONG_MM, off)
        axis, fixed = (axis, fixed) if along >= 0.0 else (-axis, -fixed)
        if not signed:
            reasons.append(
                f"the tip lies {off:.0f} mm beside the axis and {abs(along):.0f} mm along it: it does not say which end is the front; check "
                "which tool was spun"
            )
    return SpinCalibration(
        axis_in_marker=axis,
        axis_sd_rad=sd,
        covariance=covariance,
        point_mm=point,
        angle_deg=float(np.degrees(angle)),
        rms_mm=float(np.sqrt(np.square(wander[:, :2]).sum(axis=1).mean())),
        unsteady=tuple(unsteady),
        tip_off_axis_mm=off,
        signed=signed,
        accepted=not reasons,
        reasons=tuple(reasons),
        inliers=kept,
        agreeing=agreeing,
    )


def _axis(rotation: Array) -> tuple[Array, Array]:
    """The direction in marker axes that stayed, and where it points in the axes of the reference."""
    left, _, right = np.linalg.svd(rotation.mean(axis=0))
    return right[0], left[:, 0]


def _robust_axis(rotation: Array) -> tuple[Array, Array, npt.NDArray[np.bool_]]:
    kept = np.ones(len(rotation), dtype=np.bool_)
    axis, fixed = _axis(rotation)
    for _ in range(10):
        off = np.linalg.norm(rotation @ axis - fixed, axis=1)
        # The median of a 2D normal error's length is 1.177 standard deviations per axis.
        chosen = off <= REJECT_SDS * max(float(np.median(off)) / 1.177, 1e-9)
        if chosen.sum() < 3 or np.array_equal(chosen, kept):
            break
        kept = chosen
        axis, fixed = _axis(rotation[kept])
    return axis, fixed, kept


def _across(axis: Array) -> Array:
    """(3, 2) two directions across an axis."""
    return np.linalg.svd(axis[None])[2][1:].T


def _tilts(rotation: Array, axis: Array, fixed: Array) -> Array:
    """(N, 2) how far each pose points the axis beside where it stays, rad."""
    return np.asarray((rotation @ axis - fixed) @ _across(fixed))


def _spun(rotation: Array, axis: Array, fixed: Array) -> tuple[float, Array]:
    """How far round, rad (the circle less its widest gap), and (N,) the angle of each pose."""
    mark = rotation @ _across(axis)[:, 0] @ _across(fixed)
    angles = np.arctan2(mark[:, 1], mark[:, 0])
    ordered = np.sort(angles)
    gaps = np.diff(np.append(ordered, ordered[0] + 2.0 * np.pi))
    return float(2.0 * np.pi - gaps.max()), angles


def _covariance(angles: Array, residuals: Array) -> Array:
    """(2, 2) of the axis across itself, rad^2.

    To first order a pose turned by angle w sees an error (x, y) of the axis turned by w, less one common error of where it points.
    """
    count = len(angles)
    c, s = np.cos(angles), np.sin(angles)
    rows = np.zeros((count, 2, 4))
    rows[:, 0, 0], rows[:, 0, 1], rows[:, 1, 0], rows[:, 1, 1] = c, -s, s, c
    rows[:, 0, 2] = rows[:, 1, 3] = -1.0
    rho = autocorrelation(residuals)
    freedom = max(2.0 * count / (1.0 + 2.0 * float(rho[1:].sum())) - 4.0, 1.0)
    noise = float(np.square(residuals).sum()) / (2.0 * count) * (freedom + 4.0) / freedom * student_factor(freedom) ** 2 + 1e-18
    bread = np.linalg.inv(np.einsum("nji,njk->ik", rows, rows) + 1e-9 * np.eye(4))
    meat = np.einsum("nji,njk->ik", rows, rows)
    for lag in range(1, len(rho)):
        cross = np.einsum("nji,njk->ik", rows[lag:], rows[:-lag])
        meat += rho[lag] * (cross + cross.T)
    # Samples turned against one another cancel slow errors; that is not relied on.
    white = np.einsum("nji,njk->ik", rows, rows)
    widest = np.maximum(np.diag(bread @ meat @ bread), np.diag(bread @ white @ bread))[:2].max()
    return np.asarray(noise * widest * np.eye(2))


def _axis_point(rotation: Array, t_mm: Array, axis: Array, fixed: Array) -> tuple[Array, Array]:
    """The axis's point nearest to the marker's origin, and (N, 3) how far each pose puts it from the mean: across (two directions) and along the
    axis."""
    across, still = _across(axis), _across(fixed)
    # Across the axis: still' (R_i across p + t_i) = q.
    rows = np.zeros((len(t_mm), 2, 4))
    rows[:, :, :2] = still.T @ rotation @ across
    rows[:, 0, 2] = rows[:, 1, 3] = -1.0
    place = np.linalg.lstsq(rows.reshape(-1, 4), -(t_mm @ still).ravel(), rcond=1e-9)[0]
    point = across @ place[:2]
    at = rotation @ point + t_mm
    return point, np.column_stack([at @ still - place[2:], at @ fixed - np.mean(at @ fixed)])


def _spin_reasons(agreeing: npt.NDArray[np.bool_], angle_rad: float) -> list[str]:
    if len(agreeing) < MIN_POSES:
        return [f"only {len(agreeing)} poses: collect at least {MIN_POSES}, better 300, while spinning the tool slowly"]
    if np.degrees(angle_rad) < MIN_SPIN_DEG:
        return [
            f"too little spin ({np.degrees(angle_rad):.0f} deg): turn the tool by at least {MIN_SPIN_DEG:.0f} deg about its own axis, better "
            "a whole turn"
        ]
    if agreeing.mean() < MIN_SHARE:
        return [f"only {int(agreeing.sum())} of {len(agreeing)} poses agree on one axis: hold the tool in a V-block and spin it again"]
    return []


def _unsteadiness(angles: Array, residuals: Array, wander_mm: Array) -> dict[Unsteadiness, str]:
    """What the tool did besides spinning, and what to say of it."""
    found: dict[Unsteadiness, str] = {}
    order = np.arange(len(angles))
    tilt = max(_largest_step(residuals, order), _largest_step(residuals, np.argsort(angles)))
    if tilt > MAX_WOBBLE_RAD:
        found["wobbled"] = f"the tool wobbled by {np.degrees(tilt):.1f} deg while it was spun: press it into the V-block"
    across = _largest_step(wander_mm[:, :2], order)
    if across > MAX_WANDER_MM:
        found["moved"] = (
            f"the tool moved {across:.1f} mm across its axis while it was spun: fix the block, and check that the reference is not touched"
        )
    slide = _largest_step(wander_mm[:, 2:], order)
    if slide > MAX_SLIDE_MM:
        found["slid"] = f"the tool slid {slide:.1f} mm along its axis: push it against a stop while spinning"
    return found


def _doubts(sd_rad: float) -> list[str]:
    if sd_rad <= MAX_AXIS_SD_RAD:
        return []
    allowed = np.degrees(MAX_AXIS_SD_RAD)
    return [f"the axis is known to {np.degrees(sd_rad):.2f} deg (sd) only, {allowed:.2f} deg is allowed: collect a whole turn, slowly"]


def _largest_step(values: Array, order: npt.NDArray[np.int64]) -> float:
    """Largest distance between the means of parts of a collection, beyond what noise alone makes it (4 sd)."""
    parts = np.array_split(values[order], PARTS)
    means = np.array([p.mean(axis=0) for p in parts])
    noise = float(np.sqrt(np.mean([p.var(axis=0, ddof=1).sum() for p in parts]) * 2.0 / (len(values) / PARTS)))
    apart = float(np.linalg.norm(means[:, None] - means[None], axis=2).max())
    return apart if apart > 4.0 * noise else 0.0
