"""Calibration and registration on the wire: what the fold asks its workers for, and what they answer."""

from __future__ import annotations

from typing import Literal

from navtwin.nouns.base import Covariance3, Covariance6, Noun, Pose
from navtwin.rigid import Vec3


class PivotRequest(Noun, frozen=True, tag_field="kind", tag="pivot-request"):
    """Calibrate a tool's tip from poses T_tracker_from_marker collected while the tip stood still.

    Attributes
    ----------
    covariances : one per pose, where the source has measured that of every pose; else none
    """

    request: str
    tool: str
    poses: tuple[Pose, ...]
    covariances: tuple[Covariance6, ...] = ()


class RegistrationRequest(Noun, frozen=True, tag_field="kind", tag="registration-request"):
    """Register the reference body to the CT from touched landmarks and, if any, points swept over bone.

    Attributes
    ----------
    landmarks, ct_mm, ref_mm : names and matching positions in ct and ref
    sweep_ref_mm : touched surface points in ref (the tip ball's centre)
    tip_radius_mm : radius of the pointer's ball
    tip_sd_mm : standard deviation of the calibrated tip, per axis: an error that all touches share
    """

    request: str
    method: Literal["landmarks", "landmarks+surface"]
    landmarks: tuple[str, ...]
    ct_mm: tuple[Vec3, ...]
    ref_mm: tuple[Vec3, ...]
    sweep_ref_mm: tuple[Vec3, ...] = ()
    tip_radius_mm: float = 0.0
    tip_sd_mm: float = 0.0


class PivotResult(Noun, frozen=True, tag_field="kind", tag="pivot-result"):
    """Tip in marker axes (mm), with covariance; the gate's verdict and reasons."""

    request: str
    tool: str
    accepted: bool
    reasons: tuple[str, ...]
    tip_mm: Vec3
    covariance: Covariance3
    rms_mm: float
    samples: int


class RegistrationResult(Noun, frozen=True, tag_field="kind", tag="registration-result"):
    """T_ct_from_ref with what is known of its error.

    Attributes
    ----------
    fre_mm : RMS of the landmark residuals. Not accuracy: see `tre_mm`
    residual_mm : one per landmark
    covariance, centroid_mm : of a small motion in ct axes, rotation taken about `centroid_mm`
    tre_mm : predicted RMS error at each structure named in `tre_at`
    surface_rms_mm : RMS distance of the swept points to the surface, None without a sweep
    """

    request: str
    accepted: bool
    reasons: tuple[str, ...]
    pose: Pose
    fre_mm: float
    landmarks: tuple[str, ...]
    residual_mm: tuple[float, ...]
    covariance: Covariance6
    centroid_mm: Vec3
    tre_at: tuple[str, ...] = ()
    tre_mm: tuple[float, ...] = ()
    surface_rms_mm: float | None = None


class WorkFailed(Noun, frozen=True, tag_field="kind", tag="work-failed"):
    """A worker could not answer a request."""

    request: str
    reason: str


class Setup(Noun, frozen=True, tag_field="kind", tag="setup"):
    """How far calibration and registration have come (topic `setup`, on change and every second: who joins late knows too).

    Attributes
    ----------
    landmarks, spread_mm, landmark_samples : touched so far: name, RMS distance of the samples from their mean, how many
    computing : what workers are at: `pivot/<tool>`, `registration`
    dwell_share : how much of the dwell on a landmark has passed, 0 to 1; back to 0 when the tip moves or is hidden
    """

    collecting: str
    samples: int
    calibrated: tuple[str, ...]
    landmarks: tuple[str, ...]
    spread_mm: tuple[float, ...]
    sweep_points: int
    pending: tuple[str, ...]
    pivots: tuple[PivotResult, ...] = ()
    registration: RegistrationResult | None = None
    landmark_samples: tuple[int, ...] = ()
    dwell_share: float = 0.0
    computing: tuple[str, ...] = ()
    message: str = ""
