"""Which of two poses that look alike, if any: by how well they fit, or by where the body was a moment ago.

The fit decides if one pose misfits clearly more than the other. If both fit alike, the last pose may decide, but only while it is recent and
itself rests on a fit that decided shortly before: a chain of poses each vouching for the next would carry a flip for ever.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from navtwin.rigid import Rigid
from tracking.pose.fit import Fit

if TYPE_CHECKING:
    from tracking.pose.estimate import PoseEstimate

Array = npt.NDArray[np.float64]

#: The better pose's misfit over the worse one's, above which they count as alike.
AMBIGUITY_LIMIT = 0.5
#: Above this, a pose that breaks with the last one is not believed if its rival continues it.
SUSPICIOUS_AMBIGUITY = 0.2
#: What no measured noise covers (calibration, print, shadows), px: misfits below it tell nothing of which pose is right.
UNMEASURED_PX = 0.05
#: Two poses whose turn is within this many standard deviations are one.
SAME_SDS = 3.0
#: A pose continues the last one if it turned and moved by no more than this ...
CONTINUES_RAD, CONTINUES_MM = math.radians(12.0), 40.0
#: ... and the rival turned by at least this, and by this many times more.
BREAKS_RAD, BREAKS_TIMES = math.radians(25.0), 3.0
#: A corner known worse than this was not measured but is taken to be where the detector had it: something hides an edge that leads to it, px.
MEASURED_PX = 0.5
#: Two measured corners, with the directions of the edges that meet in them, are the fewest that fix a pose. On fewer, a pose may only continue
#: the last one, turned and moved by no more than this: what was not measured may be off by several times its 1.5 px.
FEWEST_MEASURED, UNMEASURED_RAD, UNMEASURED_MM = 2, math.radians(7.0), 25.0
#: A last pose may decide for this long after it was seen, and for this long after a pose that needed no such help.
RECENT_NS, VOUCHED_NS = 120_000_000, 500_000_000
#: Least certain orientation that may vouch for the next, rad (standard deviation).
VOUCHING_SD_RAD = math.radians(2.0)


@dataclass(frozen=True, eq=False)
class Choice:
    """A pose chosen among candidates.

    Attributes
    ----------
    fit : the chosen one, or the best if none could be chosen
    ambiguity : 0 (one pose only) to 1 (two different poses fit alike)
    continued : whether the last pose decided
    reason : why none could be chosen; empty if one was
    """

    fit: Fit
    ambiguity: float
    continued: bool
    reason: str


def chosen(fits: Sequence[Fit], previous: Rigid | None) -> Choice:
    """Choose among different poses, best first, by fit and else by continuity with `previous` (tracker from body).

    A pose that rests on next to nothing measured must continue the last one, whatever fits: observations that no others check reveal no error
    (Baarda, A testing procedure for use in geodetic networks, Netherlands Geodetic Commission 1968;2(5); Förstner, CVGIP 1987;40:273).
    """
    choice = _by_fit(fits, previous)
    problem = choice.fit.problem
    measured = int((problem.sd_px[problem.kept] <= MEASURED_PX).sum())
    if choice.reason or measured >= FEWEST_MEASURED:
        return choice
    if previous is not None and _is_near(choice.fit, np.array(previous.rotation), np.array(previous.t_mm), UNMEASURED_RAD, UNMEASURED_MM):
        return replace(choice, continued=True)
    return replace(choice, reason=f"the edges of the markers are covered or blurred ({measured} corners measured): clear the view of them")


def _by_fit(fits: Sequence[Fit], previous: Rigid | None) -> Choice:
    best = fits[0]
    rivals = [(likeness(best, other), other) for other in fits[1:]]
    ambiguity = max((alike for alike, _ in rivals), default=0.0)
    if previous is not None:
        rotation, t_mm = np.array(previous.rotation), np.array(previous.t_mm)
        strong = [other for alike, other in rivals if alike > SUSPICIOUS_AMBIGUITY]
        if ambiguity > AMBIGUITY_LIMIT:
            alike = [best, *(other for likeness_, other in rivals if likeness_ > AMBIGUITY_LIMIT)]
            for fit in alike:
                if all(other is fit or _continues(fit, other, rotation, t_mm) for other in [best, *strong]):
                    return Choice(fit, ambiguity, True, "")
        elif any(_continues(other, best, rotation, t_mm) for other in strong):
            return Choice(
                best, ambiguity, False, f"the pose jumped while another that fits nearly as well (ambiguity {ambiguity:.2f}) continues the last"
            )
    if ambiguity > AMBIGUITY_LIMIT:
        reason = f"two poses fit alike (ambiguity {ambiguity:.2f}): bring the marker nearer, tilt it, or use a body with several markers"
        return Choice(best, ambiguity, False, reason)
    return Choice(best, ambiguity, False, "")


def likeness(best: Fit, other: Fit) -> float:
    """How nearly `other` fits as well as `best`, 0..1; 0 if it is the same pose within its own error.

    Misfits are compared in units of the measured noise and in pixels, and the more doubtful of the two comparisons counts. Misfits below the
    noise tell nothing, so each counts as at least that.
    """
    # Within its error bar a pose's misfit grows by no more than the bar's square; what has grown more need not be looked at.
    if other.chi2 - best.chi2 < 2.0 * SAME_SDS**2 * best.excess and _same(best, other):
        return 0.0
    noise, floor = 2.0 * best.corners, math.sqrt(2.0) * UNMEASURED_PX
    by_noise = math.sqrt(max(best.chi2, noise) / max(other.chi2, noise))
    by_pixels = max(best.rms_px, floor) / max(other.rms_px, floor)
    return min(1.0, max(by_noise, by_pixels))


def _same(best: Fit, other: Fit) -> bool:
    covariance = best.excess * np.linalg.inv(best.information)[:3, :3]
    # The small-angle rotation vector between them: a large one is not small, but then it is not the same pose either.
    difference = other.rotation @ best.rotation.T
    turn = np.array((difference[2, 1] - difference[1, 2], difference[0, 2] - difference[2, 0], difference[1, 0] - difference[0, 1])) / 2.0
    turn *= best.turn_from(other.rotation) / max(float(np.linalg.norm(turn)), 1e-12)
    return float(turn @ np.linalg.solve(covariance, turn)) < SAME_SDS**2


def _continues(fit: Fit, rival: Fit, rotation: Array, t_mm: Array) -> bool:
    """Whether `fit` follows from the last pose and `rival` clearly does not."""
    breaks_rad = max(BREAKS_RAD, BREAKS_TIMES * fit.turn_from(rotation))
    return _is_near(fit, rotation, t_mm, CONTINUES_RAD, CONTINUES_MM) and rival.turn_from(rotation) >= breaks_rad


def _is_near(fit: Fit, rotation: Array, t_mm: Array, turn_rad: float, move_mm: float) -> bool:
    return fit.turn_from(rotation) <= turn_rad and float(np.linalg.norm(fit.t_mm - t_mm)) <= move_mm


class Continuity:
    """The last pose of one body, given out only as long as it may decide between two.

    Examples
    --------
    ``estimate = estimate_pose_views(views, body, memory.at(t_capture_ns)); memory.took(t_capture_ns, estimate)``
    """

    def __init__(self) -> None:
        self._pose: Rigid | None = None
        self._seen_ns, self._vouched_ns = 0, 0

    def at(self, t_capture_ns: int) -> Rigid | None:
        """The pose that may decide at this moment, or None."""
        recent = 0 <= t_capture_ns - self._seen_ns <= RECENT_NS and t_capture_ns - self._vouched_ns <= VOUCHED_NS
        return self._pose if recent else None

    def took(self, t_capture_ns: int, estimate: PoseEstimate) -> None:
        """Remember what came of a frame. A frame without a pose changes nothing: the memory ages by itself."""
        pose, sd_rad = estimate.T_camera_from_body, estimate.orientation_sd_rad
        if pose is None or sd_rad is None:
            return
        if not estimate.continued and sd_rad <= VOUCHING_SD_RAD:
            self._vouched_ns = t_capture_ns
        self._pose, self._seen_ns = pose, t_capture_ns

    def reset(self) -> None:
        """Forget: after a gap, a seek, or a change of the body."""
        self._pose, self._seen_ns, self._vouched_ns = None, 0, 0
