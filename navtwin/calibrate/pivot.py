"""Pivot calibration: where the tip is, from the poses of a marker while the tip stands still.

Plain arrays in, numbers out. The public face is `tracking.calibrate_pivot`; registration's worker calls the same function.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.calibrate.noise import at_least, autocorrelation
from navtwin.calibrate.poses import axis_words, checked_poses
from navtwin.calibrate.sphere import SphereFit, disagreement, fit_sphere

Array = npt.NDArray[np.float64]

#: Fewest poses, least share of them that must agree on one tip.
MIN_POSES, MIN_SHARE = 20, 0.9
#: Least spread of orientation (see `_turns`): about any axis, and about the axis that the tool turned least across.
MIN_SPREAD_RAD, MIN_SECOND_AXIS_RAD = 0.12, 0.06
#: How far the tip may slide between quarters of the collection, and the largest standard deviation of the tip, per axis.
MAX_SLIP_MM, MAX_TIP_SD_MM = 0.5, 0.5
#: Residuals beyond this many robust standard deviations are outliers.
REJECT_SDS = 4.5
#: Standard deviation of a tip of which nothing is known.
OPEN_SD_MM = 1e3


@dataclass(frozen=True)
class PivotCalibration:
    """The tip of a tool, and whether to believe it.

    Attributes
    ----------
    tip_mm : (3,) tip in marker axes
    pivot_mm : (3,) where it stood, in tracker axes
    rms_mm : RMS distance of the tip from the pivot over the poses kept. Small is not accurate: see `tip_sd_mm`
    tip_sd_mm : standard deviation of the tip, per axis (the RMS over the three axes)
    covariance : (3, 3) of the tip, mm^2, marker axes
    accepted, reasons : the verdict; every reason says what is wrong and what to do
    inliers : (N,) which poses the result rests on
    angle_deg : largest turn between two poses
    sphere : the independent second opinion, from the marker's positions alone
    """

    tip_mm: Array
    pivot_mm: Array
    rms_mm: float
    tip_sd_mm: float
    covariance: Array
    accepted: bool
    reasons: tuple[str, ...]
    inliers: npt.NDArray[np.bool_]
    angle_deg: float
    sphere: SphereFit


def calibrate_pivot(T_tracker_from_marker: npt.ArrayLike) -> PivotCalibration:
    """Find the tip that stood still while the tool was turned about it.

    Least squares of R_i tip + t_i = pivot over all poses (the algebraic one-step method of Yaniv, Proc. SPIE 2015;9415:941527), after
    rejecting poses whose residual is out of keeping with the rest. The covariance follows from the residuals and their correlation in time.

    Parameters
    ----------
    T_tracker_from_marker : (N, 4, 4) rigid poses in the order of capture, mm

    Returns
    -------
    PivotCalibration

    Raises
    ------
    InputRefused : no (N, 4, 4) array, fewer than three poses, NaN, a matrix that is not rigid or is left-handed
    """
    rotation, t = checked_poses(T_tracker_from_marker, "pivot calibration", 3, f"collect at least {MIN_POSES} while turning the tool about its tip")
    solution, kept = _robust_fit(rotation, t)
    residuals = _residuals(rotation, t, solution)[kept]
    try:
        both = _covariance(rotation[kept], residuals)
    except np.linalg.LinAlgError:
        # Poses that are all the same leave nothing to estimate from; the gate below says so in words.
        both = OPEN_SD_MM**2 * np.eye(6)
    covariance = both[:3, :3]
    sphere = fit_sphere(t[kept], solution[3:], both[3:, 3:])
    tip_sd = float(np.sqrt(np.trace(covariance) / 3.0))
    reasons = _orientation_reasons(rotation, *_turns(rotation))
    if not reasons:
        reasons = _agreement_reasons(rotation[kept], t[kept], kept, tip_sd) + disagreement(sphere)
    return PivotCalibration(
        tip_mm=solution[:3],
        pivot_mm=solution[3:],
        rms_mm=float(np.sqrt(np.square(residuals).sum(axis=1).mean())),
        tip_sd_mm=tip_sd,
        covariance=covariance,
        accepted=not reasons,
        reasons=tuple(reasons),
        inliers=kept,
        angle_deg=_largest_angle_deg(rotation),
        sphere=sphere,
    )


def _system(rotation: Array) -> Array:
    """(N, 3, 6) rows [R_i, -I] over (tip, pivot)."""
    return np.concatenate([rotation, np.broadcast_to(-np.eye(3), rotation.shape)], axis=2)


def _solve(rotation: Array, t_mm: Array) -> Array:
    """(6,) least-squares tip and pivot; the shortest one where the poses leave a direction open."""
    return np.asarray(np.linalg.lstsq(_system(rotation).reshape(-1, 6), -t_mm.ravel(), rcond=1e-9)[0], dtype=np.float64)


def _residuals(rotation: Array, t_mm: Array, solution: Array) -> Array:
    return np.asarray(rotation @ solution[:3] + t_mm - solution[3:])


def _robust_fit(rotation: Array, t_mm: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Least squares over the poses that agree.

    The start is an L1 fit (reweighted least squares), which bad poses pull little; from it the spread is taken by the median, so that they cannot
    hide themselves. What is dropped is reported, not hidden.
    """
    solution = _solve(rotation, t_mm)
    a = _system(rotation)
    for _ in range(20):
        length = np.linalg.norm(_residuals(rotation, t_mm, solution), axis=1)
        root = 1.0 / np.sqrt(np.maximum(length, 0.1 * np.median(length) + 1e-9))
        solution = np.linalg.lstsq((a * root[:, None, None]).reshape(-1, 6), -(t_mm * root[:, None]).ravel(), rcond=1e-9)[0]
    kept = np.ones(len(t_mm), dtype=np.bool_)
    for _ in range(10):
        length = np.linalg.norm(_residuals(rotation, t_mm, solution), axis=1)
        # The median of a 3D normal error's length is 1.538 standard deviations per axis.
        chosen = length <= REJECT_SDS * max(float(np.median(length)) / 1.538, 1e-6)
        if chosen.sum() < 3:
            return solution, kept
        solution = _solve(rotation[chosen], t_mm[chosen])
        if np.array_equal(chosen, kept):
            break
        kept = chosen
    return solution, kept


def _turns(rotation: Array) -> tuple[Array, Array]:
    """(3,) ascending: how widely the orientation spread across each principal direction of the tool, rad; and (3, 3) those directions, in columns.

    The tip's information matrix is N (I - M'M) with M the mean rotation; its eigenvalues are the mean squared turn across each direction.
    Turning about one axis leaves the tip's place along that axis open, and the first of them is zero.
    """
    mean = rotation.mean(axis=0)
    values, directions = np.linalg.eigh(np.eye(3) - mean.T @ mean)
    return np.sqrt(np.maximum(values, 0.0)), directions


def _largest_angle_deg(rotation: Array) -> float:
    some = rotation[:: max(1, len(rotation) // 500)].reshape(-1, 9)
    cosine = (float((some @ some.T).min()) - 1.0) / 2.0
    return float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))))


def _covariance(rotation: Array, residuals: Array) -> Array:
    """(6, 6) of tip and pivot.

    Sandwich over residuals whose correlation in time is read from the data: neighbouring poses share the tracker's slow errors, and counting them as
    independent is how a pivot calibration comes to look ten times better than it is.
    """
    count = len(residuals)
    a = _system(rotation)
    rho = autocorrelation(residuals)
    inflation = 1.0 + 2.0 * float(rho[1:].sum())
    freedom = max(3.0 * count / inflation - 6.0, 1.0)
    # Few independent residuals know their own spread badly: widened so that 1.96 sd still hold 95 % (Student's t, first order of its expansion).
    student = 1.0 + (1.96**2 + 1.0) / (4.0 * freedom)
    noise = residuals.T @ residuals / count * (freedom + 6.0) / freedom * student**2
    meat = np.einsum("nji,jk,nkl->il", a, noise, a, optimize=True)
    white = meat.copy()
    for lag in range(1, len(rho)):
        cross = np.einsum("nji,jk,nkl->il", a[lag:], noise, a[:-lag], optimize=True)
        meat += rho[lag] * (cross + cross.T)
    # What is known before any pose: a tip within OPEN_SD_MM. Without it, directions that the poses leave open would look exactly known.
    variance = float(np.trace(noise)) / 3.0 + 1e-12
    ridge = variance / OPEN_SD_MM**2 * np.eye(6)
    bread = np.linalg.inv(np.einsum("nij,nik->jk", a, a) + ridge)
    prior = variance * ridge
    return np.asarray(bread @ at_least(meat + prior, white + prior) @ bread)


def _orientation_reasons(rotation: Array, spread: Array, directions: Array) -> list[str]:
    count = len(rotation)
    if count < MIN_POSES:
        return [f"only {count} poses: collect at least {MIN_POSES}, better 300, while turning the tool about its tip"]
    if spread[1] < MIN_SPREAD_RAD:
        angle = _largest_angle_deg(rotation)
        return [f"too little rotation (the poses differ by {angle:.0f} deg at most): keep the tip still and tilt the tool by 30 deg to all sides"]
    if spread[0] < max(MIN_SECOND_AXIS_RAD, 0.1 * spread[1]):
        axis = axis_words(directions[:, 0])
        return [
            f"the tool turned about a single axis, {axis} in marker axes, so the tip's place along that axis is unknown: tilt it across that "
            "axis too, as if "
            "drawing a cone"
        ]
    return []


def _agreement_reasons(rotation: Array, t_mm: Array, kept: npt.NDArray[np.bool_], tip_sd_mm: float) -> list[str]:
    reasons = []
    if kept.mean() < MIN_SHARE:
        reasons.append(f"only {int(kept.sum())} of {len(kept)} poses agree on one tip: seat the tip in its divot and collect again")
    slip, doubt, (first, last) = _slip_mm(rotation, t_mm)
    if slip > max(MAX_SLIP_MM, 4.0 * doubt):
        when = f"between quarter {first} and quarter {last} of the collection"
        reasons.append(f"the tip slid by {slip:.1f} mm {when}: hold it in a divot, and check that the reference is not touched")
    if tip_sd_mm > MAX_TIP_SD_MM:
        reasons.append(f"the tip is known to {tip_sd_mm:.2f} mm (sd) only, {MAX_TIP_SD_MM:g} mm is allowed: collect longer, with wider tilts")
    return reasons


def _slip_mm(rotation: Array, t_mm: Array, parts: int = 4) -> tuple[float, float, tuple[int, int]]:
    """Largest distance between the pivots of the quarters of the collection, given one tip for all; its standard deviation; and which two, from 1."""
    count = len(t_mm)
    part = np.arange(count) * parts // count
    a = np.zeros((count, 3, 3 + 3 * parts))
    a[:, :, :3] = rotation
    for axis in range(3):
        a[np.arange(count), axis, 3 + 3 * part + axis] = -1.0
    flat = a.reshape(3 * count, -1)
    solution, *_ = np.linalg.lstsq(flat, -t_mm.ravel(), rcond=1e-9)
    residual = flat @ solution + t_mm.ravel()
    noise = float(np.square(residual).sum()) / (3.0 * count)
    # Correlation is read from what is left here: in the residuals of one pivot for all, a slip would look like slow noise and excuse itself.
    inflation = 2.0 * float(autocorrelation(residual.reshape(count, 3)).sum()) - 1.0
    covariance = np.linalg.pinv(flat.T @ flat) * noise * inflation
    slip, doubt, between = 0.0, 0.0, (1, 1)
    for one in range(parts):
        for other in range(one):
            pick = np.zeros((3, 3 + 3 * parts))
            pick[:, 3 + 3 * one : 6 + 3 * one], pick[:, 3 + 3 * other : 6 + 3 * other] = np.eye(3), -np.eye(3)
            moved = float(np.linalg.norm(pick @ solution))
            if moved > slip:
                slip, doubt, between = moved, float(np.sqrt(np.trace(pick @ covariance @ pick.T))), (other + 1, one + 1)
    return slip, doubt, between
