"""Hand-eye calibration: the transform between two things that are fixed to each other, from the motions (or the poses) of each.

A X = X B, with A and B motions of the two; and A X = Y B ("robot-world"), with A and B their poses in two spaces, each unknown to the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.calibrate.hand_eye_fit import Fit, closed_form, moved, robust_fit
from navtwin.calibrate.poses import axis_words, checked_poses, vectors_of
from navtwin.errors import InputRefused

Array = npt.NDArray[np.float64]

MIN_MOTIONS, MIN_SHARE = 8, 0.8
#: Least root-mean-square turn, about the second best direction (which every hand-eye calibration needs).
MIN_TURN_RAD, MIN_SECOND_SHARE = 0.12, 0.15
#: How many poses each pose is paired with for the start, and the widest turn between the two.
PAIRINGS, WIDEST_TURN_RAD = 8, 2.6
MAX_SD_MM, MAX_SD_RAD = 1.0, 0.009
#: A and B must turn by the same angle: the median difference that noise may make.
MAX_ANGLE_DIFFERENCE_RAD = 0.05
#: Median misfit beyond which A and B do not describe the same motion, although they turn by the same angles.
MAX_MISFIT_RAD = 0.05


@dataclass(frozen=True)
class HandEye:
    """X of A X = X B, and whether to believe it.

    Attributes
    ----------
    X : (4, 4), mm: takes coordinates in B's moving axes to coordinates in A's
    covariance : (6, 6) over (rotation vector in rad about X's origin, translation in mm), in A's axes
    sd_rad, sd_mm : standard deviations per axis (RMS over the three)
    rms_rad, rms_mm : misfit of the motions kept, per axis
    held_out_rad, held_out_mm : misfit per axis of motions that the fit has not seen
    accepted, reasons : the verdict
    inliers : (N,) which motions the result rests on
    angle_deg : largest turn of A
    """

    X: Array
    covariance: Array
    sd_rad: float
    sd_mm: float
    rms_rad: float
    rms_mm: float
    held_out_rad: float
    held_out_mm: float
    accepted: bool
    reasons: tuple[str, ...]
    inliers: npt.NDArray[np.bool_]
    angle_deg: float


@dataclass(frozen=True)
class RobotWorld(HandEye):
    """X and Y of A X = Y B. `covariance` is X's; `Y_covariance` is Y's, in A's space."""

    Y: Array
    Y_covariance: Array


def calibrate_hand_eye(A: npt.ArrayLike, B: npt.ArrayLike) -> HandEye:
    """Solve A X = X B.

    The start is the closed form of Park and Martin (IEEE Trans. Robotics and Automation 1994;10:717); it is refined by robust least squares over
    rotation and translation together, each weighted by its own misfit. The covariance is a jackknife over motions (over runs of neighbours in a
    long stream).

    Parameters
    ----------
    A, B : (N, 4, 4) rigid, mm: matching motions, for instance A = T_marker_before_from_marker_after, B = T_camera_before_from_camera_after;
        they must be independent of each other (from consecutive, not overlapping, pairs); for poses use `calibrate_robot_world`

    Raises
    ------
    InputRefused : other shapes, unequal numbers, fewer than three, NaN, not rigid
    """
    a, b = _pair(A, B)
    fit = robust_fit(a, b, closed_form(a, b), None)
    return _report(a, b, fit, vectors_of(a[:, :3, :3]), vectors_of(b[:, :3, :3]))


def calibrate_robot_world(A: npt.ArrayLike, B: npt.ArrayLike) -> RobotWorld:
    """Solve A X = Y B: both streams are poses, each in a space of its own.

    X starts from all motions between the poses (Park and Martin), Y from X; both are refined together as in `calibrate_hand_eye`.

    Parameters
    ----------
    A, B : (N, 4, 4) rigid, mm, taken at the same instants: for instance A = T_tracker_from_marker (of the marker on a camera) and
        B = T_board_from_camera; then X = T_marker_from_camera and Y = T_tracker_from_board
    """
    a, b = _pair(A, B)
    first, second = _pairs(a)
    motions_a = np.linalg.inv(a[first]) @ a[second]
    motions_b = np.linalg.inv(b[first]) @ b[second]
    X = closed_form(motions_a, motions_b)
    at = a @ X @ np.linalg.inv(b)
    fit = robust_fit(a, b, X, moved(np.median(at, axis=0)))
    report = _report(a, b, fit, vectors_of(motions_a[:, :3, :3]), vectors_of(motions_b[:, :3, :3]))
    assert fit.Y is not None
    return RobotWorld(**vars(report), Y=fit.Y, Y_covariance=fit.covariance[6:, 6:])


def _pair(A: npt.ArrayLike, B: npt.ArrayLike) -> tuple[Array, Array]:
    remedy = f"collect at least {MIN_MOTIONS}, turned about different axes"
    for poses in (A, B):
        checked_poses(poses, "hand-eye calibration", 3, remedy)
    a, b = np.asarray(A, dtype=np.float64), np.asarray(B, dtype=np.float64)
    if len(a) != len(b):
        raise InputRefused(
            f"{len(a)} poses of one body stand against {len(b)} of the other", "pass those taken at the same instants, in the same order"
        )
    return a, b


def _pairs(poses: Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs of poses at several distances in the stream, turned from each other by less than nearly half a turn, where the axis is lost."""
    count = len(poses)
    shifts = np.unique(np.linspace(1, count // 2, min(PAIRINGS, count // 2)).astype(np.int64))
    first = np.tile(np.arange(count), len(shifts))
    second = (first + np.repeat(shifts, count)) % count
    cosine = (np.einsum("nij,nij->n", poses[first, :3, :3], poses[second, :3, :3]) - 1.0) / 2.0
    near = cosine > np.cos(WIDEST_TURN_RAD)
    return (first[near], second[near]) if near.sum() >= 3 else (first, second)


def _report(a: Array, b: Array, fit: Fit, turns_a: Array, turns_b: Array) -> HandEye:
    sd_rad, sd_mm = (float(np.sqrt(np.trace(fit.covariance[k : k + 3, k : k + 3]) / 3.0)) for k in (0, 3))
    reasons = _motion_reasons(len(a), turns_a, turns_b, fit)
    if not reasons:
        reasons = _trust_reasons(fit, sd_rad, sd_mm)
    return HandEye(
        X=fit.X,
        covariance=fit.covariance[:6, :6],
        sd_rad=sd_rad,
        sd_mm=sd_mm,
        rms_rad=fit.rms[0],
        rms_mm=fit.rms[1],
        held_out_rad=fit.held_out[0],
        held_out_mm=fit.held_out[1],
        accepted=not reasons,
        reasons=tuple(reasons),
        inliers=fit.kept,
        angle_deg=float(np.degrees(np.linalg.norm(turns_a, axis=1).max())),
    )


def _motion_reasons(count: int, turns_a: Array, turns_b: Array, fit: Fit) -> list[str]:
    if count < MIN_MOTIONS:
        return [f"only {count} poses or motions: collect at least {MIN_MOTIONS}, better 20, turned about different axes"]
    angle_a, angle_b = np.linalg.norm(turns_a, axis=1), np.linalg.norm(turns_b, axis=1)
    values, directions = np.linalg.eigh(turns_a.T @ turns_a / len(turns_a))
    spread = np.sqrt(np.maximum(values, 0.0))
    if spread[2] < MIN_TURN_RAD:
        return [f"too little rotation ({np.degrees(angle_a.max()):.0f} deg at most): turn the bodies by 30 deg and more, about two different axes"]
    if spread[1] < MIN_SECOND_SHARE * spread[2]:
        axis = axis_words(directions[:, 2])
        return [
            f"all motions turn about one axis, {axis} in the first body's axes, which leaves the offset along it open: turn about another axis too"
        ]
    apart = float(np.median(np.abs(angle_a - angle_b)))
    if apart > MAX_ANGLE_DIFFERENCE_RAD:
        return [
            f"the two bodies do not turn alike (their turns differ by {np.degrees(apart):.1f} deg): they are not fixed to each other, or the "
            "poses are not of "
            "the same instants (find the time offset first)"
        ]
    if fit.median_rad > MAX_MISFIT_RAD:
        return [
            f"the bodies turn by the same angles but about axes that do not match (by {np.degrees(fit.median_rad):.0f} deg): one of the two "
            "streams is probably "
            "inverted (T_a_from_b for T_b_from_a)"
        ]
    return []


def _trust_reasons(fit: Fit, sd_rad: float, sd_mm: float) -> list[str]:
    reasons = []
    if fit.kept.mean() < MIN_SHARE:
        reasons.append(f"only {int(fit.kept.sum())} of {len(fit.kept)} poses or motions agree: check that nothing came loose, and collect again")
    if sd_mm > MAX_SD_MM or sd_rad > MAX_SD_RAD:
        reasons.append(
            f"the transform is known to {sd_mm:.2f} mm and {np.degrees(sd_rad):.2f} deg (sd) only, {MAX_SD_MM:g} mm and "
            f"{np.degrees(MAX_SD_RAD):.1f} deg are "
            "allowed: collect more poses, with larger turns"
        )
    return reasons
