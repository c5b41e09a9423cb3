"""Pivot calibration: where the tip is, from the poses of a marker while the tip stands still.

Plain arrays in, numbers out. The public face is `tracking.calibrate_pivot`; registration's worker calls the same function.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.calibrate.noise import at_least, autocorrelation
from navtwin.calibrate.pivot_gate import DIVOT_MM, MIN_POSES, agreement_reasons, largest_angle_deg, orientation_reasons, orientation_spread, slip_of
from navtwin.calibrate.pivot_weights import checked_covariances, whiteners
from navtwin.calibrate.poses import checked_poses
from navtwin.calibrate.sphere import SphereFit, disagreement, fit_sphere

Array = npt.NDArray[np.float64]

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
    agreeing : (N,) those, and the ones that were left out as noisier than the rest although they put the tip within a divot's play of the pivot
    angle_deg : largest turn between two poses
    slid : the tip left its place meanwhile (told only where the poses are turned widely enough)
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
    agreeing: npt.NDArray[np.bool_]
    angle_deg: float
    slid: bool
    sphere: SphereFit


def calibrate_pivot(T_tracker_from_marker: npt.ArrayLike, covariances: npt.ArrayLike | None = None) -> PivotCalibration:
    """Find the tip that stood still while the tool was turned about it.

    Least squares of R_i tip + t_i = pivot over all poses (the algebraic one-step method of Yaniv, Proc. SPIE 2015;9415:941527), after
    rejecting poses whose residual is out of keeping with the rest. Given covariances, each residual is weighted by its own: that of the pose
    carried to the tip, and a part common to all that the residuals tell. The covariance of the tip follows from the residuals and their
    correlation in time, not from what is stated of the poses.

    Parameters
    ----------
    T_tracker_from_marker : (N, 4, 4) rigid poses in the order of capture, mm
    covariances : (N, 6, 6) of each pose, over (rotation vector in rad about the marker's origin, translation in mm), tracker axes

    Returns
    -------
    PivotCalibration

    Raises
    ------
    InputRefused : no (N, 4, 4) array, fewer than three poses, NaN, a matrix that is not rigid or is left-handed; covariances of another shape,
        or that are none
    """
    rotation, t = checked_poses(T_tracker_from_marker, "pivot calibration", 3, f"collect at least {MIN_POSES} while turning the tool about its tip")
    solution, kept = _robust_fit(_system(rotation), t)
    whiten = None
    if covariances is not None:
        stated = checked_covariances(covariances, len(t))
        whiten = whiteners(stated, rotation @ solution[:3], _residuals(rotation, t, solution))
        solution, kept = _robust_fit(whiten @ _system(rotation), np.einsum("nij,nj->ni", whiten, t))
    residuals = _residuals(rotation, t, solution)
    off_mm = np.linalg.norm(residuals, axis=1)
    agreeing = kept | (off_mm <= DIVOT_MM)
    rows = _system(rotation[kept])
    try:
        if whiten is None:
            both = _covariance(rows, residuals[kept])
        else:
            both = _covariance(whiten[kept] @ rows, np.einsum("nij,nj->ni", whiten[kept], residuals[kept]))
    except np.linalg.LinAlgError:
        # Poses that are all the same leave nothing to estimate from; the gate below says so in words.
        both = OPEN_SD_MM**2 * np.eye(6)
    covariance = both[:3, :3]
    sphere = fit_sphere(t[kept], solution[3:], both[3:, 3:])
    tip_sd = float(np.sqrt(np.trace(covariance) / 3.0))
    slid, reasons = False, orientation_reasons(rotation, *orientation_spread(rotation))
    if not reasons:
        slip = slip_of(rotation[kept], t[kept], None if whiten is None else whiten[kept])
        slid = slip.significant
        reasons = agreement_reasons(agreeing, slip, tip_sd) + disagreement(sphere)
    return PivotCalibration(
        tip_mm=solution[:3],
        pivot_mm=solution[3:],
        rms_mm=float(np.sqrt(np.square(off_mm[kept]).mean())),
        tip_sd_mm=tip_sd,
        covariance=covariance,
        accepted=not reasons,
        reasons=tuple(reasons),
        inliers=kept,
        agreeing=agreeing,
        angle_deg=largest_angle_deg(rotation),
        slid=slid,
        sphere=sphere,
    )


def _system(rotation: Array) -> Array:
    """(N, 3, 6) rows [R_i, -I] over (tip, pivot)."""
    return np.concatenate([rotation, np.broadcast_to(-np.eye(3), rotation.shape)], axis=2)


def _solve(rows: Array, t_mm: Array) -> Array:
    """(6,) least-squares tip and pivot; the shortest one where the poses leave a direction open."""
    return np.asarray(np.linalg.lstsq(rows.reshape(-1, 6), -t_mm.ravel(), rcond=1e-9)[0], dtype=np.float64)


def _residuals(rotation: Array, t_mm: Array, solution: Array) -> Array:
    return np.asarray(rotation @ solution[:3] + t_mm - solution[3:])


def _robust_fit(rows: Array, t: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Least squares over the poses that agree; rows and right sides may be weighted.

    The start is an L1 fit (reweighted least squares), which bad poses pull little; from it the spread is taken by the median, so that they cannot
    hide themselves. What is dropped is reported, not hidden.
    """
    solution = _solve(rows, t)
    for _ in range(20):
        length = np.linalg.norm(rows @ solution + t, axis=1)
        root = 1.0 / np.sqrt(np.maximum(length, 0.1 * np.median(length) + 1e-9))
        solution = _solve(rows * root[:, None, None], t * root[:, None])
    kept = np.ones(len(t), dtype=np.bool_)
    for _ in range(10):
        length = np.linalg.norm(rows @ solution + t, axis=1)
        # The median of a 3D normal error's length is 1.538 standard deviations per axis.
        chosen = length <= REJECT_SDS * max(float(np.median(length)) / 1.538, 1e-6)
        if chosen.sum() < 3:
            return solution, kept
        solution = _solve(rows[chosen], t[chosen])
        if np.array_equal(chosen, kept):
            break
        kept = chosen
    return solution, kept


def _covariance(a: Array, residuals: Array) -> Array:
    """(6, 6) of tip and pivot, from (N, 3, 6) rows and (N, 3) residuals, both weighted alike.

    Sandwich over residuals whose correlation in time is read from the data: neighbouring poses share the tracker's slow errors, and counting them as
    independent is how a pivot calibration comes to look ten times better than it is.
    """
    count = len(residuals)
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
