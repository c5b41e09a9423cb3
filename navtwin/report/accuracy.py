"""Calibration, registration and tip position beside the truth.

A small residual is not accuracy: TRE is uncorrelated with FRE (Fitzpatrick 2009, "Fiducial registration error and target registration error are
uncorrelated"), so predictions from covariances stand beside observed errors, and FRE is only quoted with that caution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.nouns import PivotResult, RegistrationResult, TrueSetup, symmetric
from navtwin.report.judge import Floats
from navtwin.report.session import Session, TipSeries
from navtwin.rigid import Vec3


@dataclass(frozen=True)
class PivotAccuracy:
    """One pivot calibration; the true error and its verdict are None where no truth is known."""

    tool: str
    samples: int
    rms_mm: float
    predicted_rms_mm: float
    bound95_mm: float
    error_mm: float | None
    inside95: bool | None


@dataclass(frozen=True)
class TargetAccuracy:
    """Predicted and observed registration error at one point of ct."""

    name: str
    predicted_rms_mm: float
    bound95_mm: float
    observed_mm: float | None
    inside95: bool | None


@dataclass(frozen=True)
class RegistrationAccuracy:
    """One registration.

    Attributes
    ----------
    pose_inside95 : whether the true pose lies in the 95 % region of the stated six-parameter covariance
    pose_chi2 : its squared Mahalanobis distance (95 % of chi-squared with 6 degrees: 12.59)
    """

    fre_mm: float
    surface_rms_mm: float | None
    landmarks: tuple[tuple[str, float], ...]
    targets: tuple[TargetAccuracy, ...]
    pose_chi2: float | None
    pose_inside95: bool | None


@dataclass(frozen=True)
class TipAccuracy:
    """Error of one instrument in navigation: of its tip, mm, of its axis (trajectory), deg, and apart from both how far the true tip moved while the
    frame was under way.
    """

    tool: str
    frames: int
    mean_mm: float
    p95_mm: float
    max_mm: float
    moved_mean_mm: float
    moved_p95_mm: float
    moved_max_mm: float
    delay_ms: float
    angle_mean_deg: float
    angle_p95_deg: float
    angle_max_deg: float


def chi2_quantile(p: float, degrees: float) -> float:
    """Quantile of the chi-squared distribution, by the inverse of the regularised lower incomplete gamma function."""
    from scipy.special import gammaincinv

    return float(2.0 * gammaincinv(degrees / 2.0, p))


def bound95(covariance: npt.ArrayLike) -> float:
    """The length (mm) that a zero-mean normal vector of the given (3, 3) covariance stays below 95 % of the time.

    Its squared length is a weighted sum of chi-squared variables, approximated by one of equal mean and variance (Satterthwaite 1946; Box 1954).
    """
    c = np.asarray(covariance, dtype=np.float64)
    trace, trace2 = float(np.trace(c)), float(np.trace(c @ c))
    if trace2 <= 0.0:
        return 0.0
    return float(np.sqrt(trace2 / trace * chi2_quantile(0.95, trace**2 / trace2)))


def mahalanobis2(error: npt.ArrayLike, covariance: npt.ArrayLike) -> float:
    """e' S^+ e, the squared Mahalanobis distance; directions without variance are left out."""
    e = np.asarray(error, dtype=np.float64)
    return float(e @ np.linalg.pinv(np.asarray(covariance, dtype=np.float64), hermitian=True) @ e)


def pivot_accuracy(result: PivotResult, truth: TrueSetup | None) -> PivotAccuracy:
    """One pivot calibration beside the tip that the source knows (marker axes)."""
    covariance = symmetric(result.covariance, 3)
    bound = bound95(covariance)
    true_tip = next((t.tip_mm for t in truth.tools if t.tool == result.tool), None) if truth else None
    error = None if true_tip is None else float(np.linalg.norm(np.subtract(result.tip_mm, true_tip)))
    inside = None if error is None else error <= bound
    return PivotAccuracy(result.tool, result.samples, result.rms_mm, float(np.sqrt(np.trace(covariance))), bound, error, inside)


def point_covariance(result: RegistrationResult, point_mm: Vec3) -> Floats:
    """(3, 3) covariance (mm^2) of the error at a point of ct: J S J', J = [-[p - c]x, I] over (rotation about the centroid c, translation)."""
    x, y, z = np.subtract(point_mm, result.centroid_mm)
    jacobian = np.hstack((-np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]]), np.eye(3)))
    covariance: Floats = jacobian @ symmetric(result.covariance, 6) @ jacobian.T
    return covariance


def registration_accuracy(result: RegistrationResult, truth: TrueSetup | None, targets: dict[str, Vec3]) -> RegistrationAccuracy:
    """One registration beside the truth, predicted and observed at the same points of ct (`targets`, mm)."""
    error = None
    if truth is not None:
        estimated = result.pose.rigid(target="ct", source="ref").matrix()
        true = truth.T_ct_from_ref.rigid(target="ct", source="ref").matrix()
        error = estimated @ np.linalg.inv(true)
    chi2 = None if error is None else mahalanobis2(_motion(error, result.centroid_mm), symmetric(result.covariance, 6))
    return RegistrationAccuracy(
        fre_mm=result.fre_mm,
        surface_rms_mm=result.surface_rms_mm,
        landmarks=tuple(zip(result.landmarks, result.residual_mm, strict=True)),
        targets=tuple(_target(name, point, result, error) for name, point in targets.items()),
        pose_chi2=chi2,
        pose_inside95=None if chi2 is None else chi2 <= chi2_quantile(0.95, 6.0),
    )


def _target(name: str, point_mm: Vec3, result: RegistrationResult, error: Floats | None) -> TargetAccuracy:
    covariance = point_covariance(result, point_mm)
    bound = bound95(covariance)
    if error is None:
        return TargetAccuracy(name, float(np.sqrt(np.trace(covariance))), bound, None, None)
    p = np.asarray(point_mm)
    observed = float(np.linalg.norm(error[:3, :3] @ p + error[:3, 3] - p))
    return TargetAccuracy(name, float(np.sqrt(np.trace(covariance))), bound, observed, observed <= bound)


def _motion(error: Floats, centroid_mm: Vec3) -> Floats:
    """A (4, 4) motion of ct as (rotation vector, translation of the centroid)."""
    from scipy.spatial.transform import Rotation

    c = np.asarray(centroid_mm)
    return np.concatenate((Rotation.from_matrix(error[:3, :3]).as_rotvec(), error[:3, :3] @ c + error[:3, 3] - c))


def tip_accuracy(session: Session, output_delay_ms: float) -> list[TipAccuracy]:
    """Tip error at the instant of capture, and the true tip's travel from there until the frame's result reaches the operator."""
    found = []
    for tool, measured in sorted(session.tips.items()):
        truth = session.true_tips.get(tool)
        if truth is not None:
            accuracy = _tip(tool, measured, truth, output_delay_ms)
            if accuracy is not None:
                found.append(accuracy)
    return found


def _tip(tool: str, measured: TipSeries, truth: TipSeries, output_delay_ms: float) -> TipAccuracy | None:
    at_truth = {int(number): at for at, number in enumerate(truth.frame)}
    both = [(m, at_truth[int(number)]) for m, number in enumerate(measured.frame) if int(number) in at_truth]
    if not both:
        return None
    m, t = np.array(both, dtype=np.int64).T
    error = np.linalg.norm(measured.position_mm[m] - truth.position_mm[t], axis=1)
    shown_ns = measured.t_event_ns[m] + round(output_delay_ms * 1e6)
    later = np.stack([np.interp(shown_ns, truth.t_ns, truth.position_mm[:, axis]) for axis in range(3)], axis=1)
    moved = np.linalg.norm(later - truth.position_mm[t], axis=1)
    delay_ms = float(np.mean(shown_ns - truth.t_ns[t])) * 1e-6
    turned = angle_deg(measured.axis[m], truth.axis[t])
    return TipAccuracy(tool, len(both), *_mean_p95_max(error), *_mean_p95_max(moved), delay_ms, *_mean_p95_max(turned))


def angle_deg(a: Floats, b: Floats) -> Floats:
    """(N,) angle between unit vectors (N, 3): by sine and cosine, for an arc cosine alone knows small angles badly."""
    sine = np.linalg.norm(np.cross(a, b), axis=1)
    return np.asarray(np.degrees(np.arctan2(sine, np.einsum("ni,ni->n", a, b))))


def _mean_p95_max(values: Floats) -> tuple[float, float, float]:
    return float(values.mean()), float(np.percentile(values, 95.0)), float(values.max())
