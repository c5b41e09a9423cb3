"""Calibration and registration on the wire: what the fold asks its workers for, and what they answer."""

from __future__ import annotations

import math
from typing import Literal

from navtwin.nouns.base import Covariance3, Covariance6, Noun, Pose
from navtwin.nouns.drilling import BoneState
from navtwin.rigid import Vec3

#: A landmark on bone is not touched better than this (RMS in 3D, mm), whatever six residuals happen to say; the surface's own error is added.
HAND_FLE_MM = 0.4
#: A landmark no further than this from the surface, mm, was meant to lie on it.
NEAR_SURFACE_MM = 2.0


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
    without : landmarks that were touched and are left out, for the result to name
    bone : the drilled bone as it was when this was asked for, whose walls were swept too; None where nothing was drilled
    wall_sd_mm : standard deviation, per axis, of where the twin has those walls: they lie where the registration of that time put the cutter
    in_use : T_ct_from_ref of the registration in use, for the result to say how far the touches stood off under it
    """

    request: str
    method: Literal["landmarks", "landmarks+surface"]
    landmarks: tuple[str, ...]
    ct_mm: tuple[Vec3, ...]
    ref_mm: tuple[Vec3, ...]
    sweep_ref_mm: tuple[Vec3, ...] = ()
    tip_radius_mm: float = 0.0
    tip_sd_mm: float = 0.0
    without: tuple[str, ...] = ()
    bone: BoneState | None = None
    wall_sd_mm: float = 0.0
    in_use: Pose | None = None


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


class Rival(Noun, frozen=True):
    """Another level at which the same touches lie about as well: a small residual does not tell which of the two was touched.

    Attributes
    ----------
    level : the bone that most touches would lie on there, or, where it is the same bone, the shift: `29 mm to the head of T12`
    pose : T_ct_from_ref there
    shift_mm : from where the touches lie by the result to where they would lie, ct
    misfit_mm : RMS of the touches there, swept points and landmarks alike
    found_misfit_mm : the same by the result
    """

    level: str
    pose: Pose
    shift_mm: Vec3
    misfit_mm: float
    found_misfit_mm: float


class RegistrationResult(Noun, frozen=True, tag_field="kind", tag="registration-result"):
    """T_ct_from_ref with what is known of its error.

    Attributes
    ----------
    fre_mm : RMS of the landmark residuals. Not accuracy: see `tre_mm`
    residual_mm : one per landmark
    covariance, centroid_mm : of a small motion in ct axes, rotation taken about `centroid_mm`
    tre_mm : predicted RMS error at each structure named in `tre_at`
    surface_rms_mm : RMS distance of the swept points to the surface, None without a sweep
    surface_rms_before_mm : the same of the same points under the registration that was in use; None where there was none
    left_out_mm : one per landmark: how far it lies from where the other landmarks alone put it, None where they do not fix that; empty for fewer
        than 4. A better sign of a bad touch than its residual: a fit leans towards each of its points, most towards the outlying ones, where it
        errs most, so that the residual of a point is small where the error is large (Fitzpatrick, West and Maurer, IEEE Trans Med Imaging
        1998;17:694; Fitzpatrick, Proc SPIE 2009;7261:726102: residuals and target errors are uncorrelated). A point that was left out does
        not pull
    without : landmarks that were touched and left out of the registration
    level : the bone that most touches lie on, where there are rivals; "" else
    rivals : other levels that explain the touches about as well, the best first
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
    left_out_mm: tuple[float | None, ...] = ()
    without: tuple[str, ...] = ()
    surface_rms_before_mm: float | None = None
    level: str = ""
    rivals: tuple[Rival, ...] = ()

    @property
    def level_question(self) -> str:
        """`Which level was touched? It is registered to T12, and the touches fit T11 (29 mm to the head) as well.`; "" where no other fits."""
        if not self.rivals:
            return ""
        fits = ", ".join(f"{rival.level} ({way_words(rival.shift_mm)})" for rival in self.rivals)
        return f"Which level was touched? It is registered to {self.level}, and the touches fit {fits} as well."


def way_words(shift_mm: Vec3) -> str:
    """`29 mm to the head`, from the largest part of a shift in LPS."""
    sizes = [abs(v) for v in shift_mm]
    axis = sizes.index(max(sizes))
    way = (("left", "right"), ("back", "front"), ("head", "feet"))[axis][int(shift_mm[axis] < 0.0)]
    x, y, z = shift_mm
    return f"{math.sqrt(x * x + y * y + z * z):.0f} mm to the {way}"


class Check(Noun, frozen=True):
    """One touch of something whose place is known, in navigation: how far off the registration in use is there.

    Attributes
    ----------
    what, name : a landmark's name, or that of the bone that was touched anywhere
    point_mm : where it was touched, ct: the point of the pointer's ball that is nearest to the bone
    error_mm : of a landmark, how far from it; of bone, how far the ball stands off its surface, negative where it dips in. A shift of the patient
        along the surface shows at a landmark only
    vector_mm : from where it should have been touched to `point_mm`, ct
    expected_mm : RMS of the error that registration, tip, segmentation and, at a landmark, the hand predict
    bound_mm : twice that, which 95 of 100 touches keep to
    good : the error is within the bound
    failed : it is so far beyond that the technical alarm CHECK_FAILED is raised
    t_ns : when, logical time
    samples, spread_mm : what the touch rests on, and the RMS distance of the samples from their mean
    tool : that touched, "" in a log of before this was noted
    """

    what: Literal["landmark", "bone"]
    name: str
    point_mm: Vec3
    error_mm: float
    vector_mm: Vec3
    expected_mm: float
    bound_mm: float
    good: bool
    failed: bool
    t_ns: int
    samples: int
    spread_mm: float
    tool: str = ""


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
    case_path, case_hash, rig_path, source : of the session, as its log's header has them: no screen may draw it over another case's anatomy
    checks : touches of known points since the registration was taken into use, the newest last; the 20 newest
    other_tips : tools whose pending tip lies elsewhere than the one known, by more than both errors allow: `accept` asks whether the tool was changed
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
    case_path: str = ""
    case_hash: str = ""
    rig_path: str = ""
    source: str = ""
    checks: tuple[Check, ...] = ()
    other_tips: tuple[str, ...] = ()
