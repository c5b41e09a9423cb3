"""The pose of a marker body, from one camera or several together, with its error; or the reason why there is none.

A flat marker seen from afar has two poses that explain it almost equally well (Schweighofer and Pinz, "Robust pose estimation from a planar
target", IEEE PAMI 2006;28:2024). Both are computed; if neither the image nor the pose a moment ago tells them apart, no pose is given, for nothing
else would betray a flipped one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from navtwin.nouns import TrackerStatus
from navtwin.rigid import Rigid
from tracking.body import MarkerBody
from tracking.camera_model import Camera
from tracking.detect.markers import Markers
from tracking.pose.ambiguity import Choice, chosen
from tracking.pose.candidates import candidates
from tracking.pose.fit import Fit
from tracking.pose.problem import View, problem_of

__all__ = ["PoseEstimate", "View", "estimate_pose", "estimate_pose_views"]

Array = npt.NDArray[np.float64]

#: A misfit beyond this is not noise but a wrong body, a wrong calibration or a bent marker.
RMS_LIMIT_PX = 2.0
#: A misfit beyond this, and so many times the corners' measured noise (as standard deviations), is told though the pose stands.
WORRYING_PX, WORRYING_SDS = 0.5, 10.0
#: Least certain orientation that is still called a pose.
ORIENTATION_SD_LIMIT_DEG = 10.0
#: The measured corner noise is itself an estimate, worth this many degrees of freedom beside those of the residuals.
NOISE_DOF = 8
#: Residuals widen the covariance where they are larger than noise as measured makes them in 95 of 100 frames (quantile of the normal distribution).
BY_CHANCE_SDS = 1.645
MISFIT_REMEDY = "check the body's corners and the camera's calibration, or it moved while it was exposed"
#: A pose further than this from the last one is flagged: no hand does that between two frames.
JUMP_MM, JUMP_DEG = 100.0, 45.0


@dataclass(frozen=True, eq=False)
class PoseEstimate:
    """Where a body is.

    Attributes
    ----------
    T_camera_from_body : target `camera` (`tracker` from `estimate_pose_views`), source `body`, mm; None unless `status` is OK
    covariance : (6, 6) over (rotation vector in rad about the body's origin, translation in mm) in camera (tracker) axes; None without a pose.
        It states the noise of the corners; the calibration's own error is the same in every frame and is not in it
    rms_px : RMS distance between corners seen and corners predicted, each corner weighing as much as it was measured well; None if no pose was found
    ambiguity : 0 (one pose only) to 1 (two different poses fit alike)
    status, reason : PLUS status word, and in words why there is no pose; with a pose, a warning if it jumped or hardly fits
    corners : corners that the pose rests on
    left_out : numbers of the markers that disagreed with the rest in all their corners and were not used
    continued : whether the last pose decided between two that fit alike
    """

    T_camera_from_body: Rigid | None
    covariance: Array | None
    rms_px: float | None
    ambiguity: float
    status: TrackerStatus
    reason: str
    corners: int = 0
    left_out: tuple[int, ...] = ()
    continued: bool = False

    @property
    def orientation_sd_rad(self) -> float | None:
        """Standard deviation of the orientation about its least certain axis."""
        return None if self.covariance is None else _orientation_sd_rad(self.covariance)


def estimate_pose(markers: Markers, body: MarkerBody, camera: Camera, previous: Rigid | None = None) -> PoseEstimate:
    """Find the pose of `body` from the corners of its markers in one image.

    Parameters
    ----------
    markers : as detected, with the measured covariance of their corners
    body, camera : where the markers are on the body, and the calibration
    previous : T_camera_from_body a moment ago, if it may decide between two poses that fit alike (`tracking.pose.ambiguity.Continuity` says when)
    """
    found = estimate_pose_views([View(markers, camera, Rigid.identity("tracker", "camera"))], body, previous)
    pose = found.T_camera_from_body
    return found if pose is None else replace(found, T_camera_from_body=pose.between("camera", pose.source))


def estimate_pose_views(views: Sequence[View], body: MarkerBody, previous: Rigid | None = None) -> PoseEstimate:
    """Find the pose of `body` in tracker axes from all its corners in all views together.

    Starts are both planar poses of every visible marker and the last pose; the best are refined by robust least squares on whitened residuals,
    corners that disagree with the rest are left out, and the pose must beat its mirror image (or continue the last pose where they fit alike).
    The covariance is the inverse information of the fit, widened where the residuals are larger than the measured noise: by the posterior mean
    of the variance, so that few residuals, which tell it badly, widen it more (as Student's t does).

    Parameters
    ----------
    views : one for each camera that has an image
    body : where the markers are on the body
    previous : T_tracker_from_body a moment ago, or None
    """
    problem = problem_of(views, body)
    if problem.reason:
        return PoseEstimate(None, None, None, 0.0, problem.status, problem.reason)
    fits = candidates(problem, previous)
    if not fits:
        return PoseEstimate(None, None, None, 0.0, "INVALID", "no pose in front of the camera explains the corners", 4 * len(problem.ids))
    choice = chosen(fits, previous)
    fit = choice.fit
    covariance = _covariance(fit)
    reason = _doubt(choice, covariance)
    left_out = tuple(fit.problem.ids[~fit.problem.use].tolist())
    if reason:
        return PoseEstimate(None, None, fit.rms_px, choice.ambiguity, "INVALID", reason, fit.corners, left_out)
    warning = "; ".join(filter(None, (_jump(fit, previous), _misfit(fit))))
    return PoseEstimate(fit.rigid(), covariance, fit.rms_px, choice.ambiguity, "OK", warning, fit.corners, left_out, choice.continued)


def _covariance(fit: Fit) -> Array:
    """Inverse information, widened by the residuals: posterior mean of their variance under a scaled inverse chi-squared prior at the measured noise.

    Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.6. Never narrowed: corners that happen to fit well know no more than they measured.
    """
    dof = fit.freedom
    # Wilson and Hilferty's quantile of chi-squared (PNAS 1931;17:684): smaller residuals are what the measured noise makes by chance.
    by_chance = dof * (1.0 - 2.0 / (9.0 * dof) + BY_CHANCE_SDS * math.sqrt(2.0 / (9.0 * dof))) ** 3
    scale = (NOISE_DOF + fit.chi2) / (NOISE_DOF + dof - 2) if fit.chi2 > by_chance else 1.0
    inverse = np.linalg.inv(fit.information)
    return np.asarray((inverse + inverse.T) * (scale / 2.0))


def _orientation_sd_rad(covariance: Array) -> float:
    return math.sqrt(max(0.0, float(np.linalg.eigvalsh(covariance[:3, :3])[-1])))


def _doubt(choice: Choice, covariance: Array) -> str:
    fit = choice.fit
    if fit.rms_px > RMS_LIMIT_PX:
        return f"the corners miss the body by {fit.rms_px:.1f} px: {MISFIT_REMEDY}"
    if choice.reason:
        return choice.reason
    if not np.isfinite(covariance).all():
        return "the corners do not fix the pose: bring the marker nearer"
    sd_deg = math.degrees(_orientation_sd_rad(covariance))
    if sd_deg > ORIENTATION_SD_LIMIT_DEG:
        return f"the orientation is known to {sd_deg:.0f} deg only: bring the marker nearer, or use a body with several markers"
    return ""


def _misfit(fit: Fit) -> str:
    """A calibration that belongs to another camera shows here first: it bends the image far beyond what corners are known to."""
    sds = math.sqrt(fit.excess)
    if fit.rms_px <= WORRYING_PX or sds <= WORRYING_SDS:
        return ""
    return f"the corners miss the body by {fit.rms_px:.1f} px, {sds:.0f} times their noise: {MISFIT_REMEDY}"


def _jump(fit: Fit, previous: Rigid | None) -> str:
    if previous is None:
        return ""
    moved, turned = float(np.linalg.norm(fit.t_mm - previous.t_mm)), math.degrees(fit.turn_from(np.array(previous.rotation)))
    if moved <= JUMP_MM and turned <= JUMP_DEG:
        return ""
    return f"jumped by {moved:.0f} mm and {turned:.0f} deg since the last pose"
