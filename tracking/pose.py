"""The pose of a marker body in one image, with its error, or the reason why there is none.

A flat marker seen from afar has two poses that explain it almost equally well (Schweighofer and Pinz, "Robust pose estimation from a planar target",
IEEE PAMI 2006;28:2024). Both are computed; if the image does not tell them apart, no pose is given, for nothing else would betray a flipped one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from navtwin.nouns import TrackerStatus
from navtwin.rigid import Rigid
from tracking.body import MarkerBody
from tracking.camera_model import Camera
from tracking.markers import Markers
from tracking.opencv import cv2

Array = npt.NDArray[np.float64]

#: Standard deviation of a refined corner, px, per axis; larger residuals widen it.
CORNER_SD_PX = 0.1
#: The better pose's misfit over the worse one's, above which they count as alike.
AMBIGUITY_LIMIT = 0.5
#: A misfit beyond this is not noise but a wrong body, a wrong calibration or a bent marker.
RMS_LIMIT_PX = 2.0
#: Least certain orientation that is still called a pose.
ORIENTATION_SD_LIMIT_DEG = 10.0
#: Residuals beyond this many corner sds lose weight (Huber's constant times a margin for what calibration leaves).
HUBER_SDS = 4.0


@dataclass(frozen=True, eq=False)
class PoseEstimate:
    """Where a body is.

    Attributes
    ----------
    T_camera_from_body : target `camera`, source `body`, mm; None unless `status` is OK
    covariance : (6, 6) over (rotation vector in rad about the body's origin, translation in mm) in camera axes; None without a pose
    rms_px : RMS distance between corners seen and corners predicted; None if no pose was found
    ambiguity : 0 (one pose only) to 1 (two different poses fit alike)
    status, reason : PLUS status word, and in words why there is no pose
    """

    T_camera_from_body: Rigid | None
    covariance: Array | None
    rms_px: float | None
    ambiguity: float
    status: TrackerStatus
    reason: str


@dataclass(frozen=True, eq=False)
class _Solution:
    rotation: Array
    t_mm: Array
    rms_px: float
    covariance: Array


def estimate_pose(markers: Markers, body: MarkerBody, camera: Camera) -> PoseEstimate:
    """Find the pose of `body` from the corners of its markers.

    The start is SQPnP's (Terzakis and Lourakis, "A consistently fast and globally optimal solution to the perspective-n-point problem", ECCV 2020);
    it and its reversal are refined by robust least squares (Levenberg-Marquardt, Huber weights) on the distance in pixels. The covariance is that of
    the refined fit.
    """
    seen_px, corners_mm, problem = _matched(markers, body)
    if problem:
        return _no_pose("OUT_OF_VIEW", problem)
    if not np.isfinite(seen_px).all():
        return _no_pose("INVALID", "a corner is not finite")
    solutions = [s for start in _starts(seen_px, corners_mm, camera) if (s := _refined(seen_px, corners_mm, camera, *start)) is not None]
    if not solutions:
        return _no_pose("INVALID", "no pose in front of the camera explains the corners")
    solutions.sort(key=lambda s: s.rms_px)
    best = solutions[0]
    ambiguity = max((_alike(best, other) for other in solutions[1:]), default=0.0)
    reason = _doubt(best, ambiguity)
    if reason:
        return PoseEstimate(None, None, best.rms_px, ambiguity, "INVALID", reason)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = best.rotation, best.t_mm
    return PoseEstimate(Rigid.from_matrix(matrix, target="camera", source="body"), best.covariance, best.rms_px, ambiguity, "OK", "")


def _no_pose(status: TrackerStatus, reason: str) -> PoseEstimate:
    return PoseEstimate(None, None, None, 0.0, status, reason)


def _matched(markers: Markers, body: MarkerBody) -> tuple[Array, Array, str]:
    """(4M, 2) corners seen and (4M, 3) the body's, of markers seen once; and what is wrong if there are none."""
    values, counts = np.unique(markers.ids, return_counts=True)
    once = set(values[counts == 1].tolist())
    where = {int(number): row for row, number in enumerate(markers.ids)}
    rows = [(where[number], row) for row, number in enumerate(body.ids.tolist()) if number in once]
    if rows:
        seen, own = zip(*rows, strict=True)
        return markers.corners_px[list(seen)].reshape(-1, 2), body.corners_mm[list(own)].reshape(-1, 3), ""
    twice = sorted(set(values[counts > 1].tolist()) & set(body.ids.tolist()))
    problem = f"marker {twice[0]} is in the image more than once" if twice else "none of the body's markers is seen"
    return np.zeros((0, 2)), np.zeros((0, 3)), problem


def _starts(seen_px: Array, corners_mm: Array, camera: Camera) -> list[tuple[Array, Array]]:
    """Rotation and translation of each candidate pose: the best one, and its reversal.

    Seen from afar, a flat body mirrored at its own plane and then at the plane across the line of sight looks the same: that is the second pose.
    (OpenCV's IPPE would give both, but its version 5.0 loses them for half turns, and a marker that squarely faces the camera is one.)
    """
    try:
        found, turn, shift = cv2.solvePnP(corners_mm, seen_px, camera.matrix, _coefficients(camera), flags=cv2.SOLVEPNP_SQPNP)
    except cv2.error:
        return []  # degenerate corners, for instance all in one place
    if not found or not (np.isfinite(turn).all() and np.isfinite(shift).all()):
        return []
    rotation, t = np.asarray(cv2.Rodrigues(turn)[0]), np.asarray(shift).ravel()
    middle = corners_mm.mean(axis=0)
    normal = np.linalg.svd(corners_mm - middle)[2][2]
    sight = rotation @ middle + t
    if not np.linalg.norm(sight) > 0.0:
        return []
    along = sight / np.linalg.norm(sight)
    reversal = (np.eye(3) - 2.0 * np.outer(along, along)) @ rotation @ (np.eye(3) - 2.0 * np.outer(normal, normal))
    return [(rotation, t), (reversal, sight - reversal @ middle)]


def _coefficients(camera: Camera) -> Any:
    return camera.distortion if camera.distortion.size else None


def _projected(corners_mm: Array, camera: Camera, rotation: Array, t_mm: Array) -> tuple[Array, Array]:
    """(K, 2) pixels, and their derivatives (K, 2, 6) by a small turn about the body's origin and a shift, camera axes."""
    arms = corners_mm @ rotation.T
    pixels, slopes = cv2.projectPoints(arms, np.zeros(3), t_mm, camera.matrix, _coefficients(camera))
    by_shift = slopes[:, 3:6].reshape(-1, 2, 3)
    x, y, z = arms.T
    zero = np.zeros_like(x)
    by_turn = np.stack([np.stack([zero, z, -y], 1), np.stack([-z, zero, x], 1), np.stack([y, -x, zero], 1)], 1)
    return pixels.reshape(-1, 2), np.concatenate([by_shift @ by_turn, by_shift], axis=2)


def _refined(seen_px: Array, corners_mm: Array, camera: Camera, rotation: Array, t_mm: Array) -> _Solution | None:
    """Robust least squares from one candidate; None if it ends behind the camera or nowhere."""
    pixels, slopes = _projected(corners_mm, camera, rotation, t_mm)
    residuals, damping = seen_px - pixels, 1e-3
    for _ in range(30):
        length = np.linalg.norm(residuals, axis=1)
        weights = np.minimum(1.0, HUBER_SDS * CORNER_SD_PX / np.maximum(length, 1e-12))
        normal = np.einsum("k,kij,kil->jl", weights, slopes, slopes)
        ridge = damping * np.diag(np.diag(normal)) + 1e-12 * np.trace(normal) * np.eye(6)
        step = np.linalg.solve(normal + ridge, np.einsum("k,kij,ki->j", weights, slopes, residuals))
        turned, shifted = cv2.Rodrigues(step[:3])[0] @ rotation, t_mm + step[3:]
        new_pixels, new_slopes = _projected(corners_mm, camera, turned, shifted)
        if not np.isfinite(new_pixels).all():
            return None
        new_residuals = seen_px - new_pixels
        if _huber(new_residuals) <= _huber(residuals):
            rotation, t_mm, residuals, slopes, damping = turned, shifted, new_residuals, new_slopes, damping / 10.0
        else:
            damping *= 10.0
        if np.abs(step[:3]).max() < 1e-8 and np.abs(step[3:]).max() < 1e-6:
            break
    if not ((corners_mm @ rotation.T + t_mm)[:, 2] > 0.0).all():
        return None
    squares = float(np.square(residuals).sum())
    variance = max(CORNER_SD_PX**2, squares / max(residuals.size - 6, 1) if residuals.size > 8 else 0.0)
    information = np.einsum("kij,kil->jl", slopes, slopes)
    covariance = np.linalg.pinv(information, hermitian=True) * variance
    if np.linalg.matrix_rank(information, hermitian=True) < 6 or not np.isfinite(covariance).all():
        return None
    return _Solution(rotation, t_mm, float(np.sqrt(squares / len(residuals))), covariance)


def _huber(residuals: Array) -> float:
    length, knee = np.linalg.norm(residuals, axis=1), HUBER_SDS * CORNER_SD_PX
    return float(np.where(length <= knee, length**2, knee * (2.0 * length - knee)).sum())


def _alike(best: _Solution, other: _Solution) -> float:
    """How nearly `other` fits as well as `best`, 0..1; 0 if it is the same pose within its own error.

    Misfits below the corners' noise tell nothing, so each counts as at least that.
    """
    turn = cv2.Rodrigues(other.rotation @ best.rotation.T)[0].ravel()
    if float(turn @ np.linalg.solve(best.covariance[:3, :3], turn)) < 9.0:
        return 0.0
    floor = float(np.sqrt(2.0)) * CORNER_SD_PX
    return max(best.rms_px, floor) / max(other.rms_px, floor)


def _doubt(best: _Solution, ambiguity: float) -> str:
    if best.rms_px > RMS_LIMIT_PX:
        return f"the corners miss the body by {best.rms_px:.1f} px: check the body's corners and the camera's calibration"
    if ambiguity > AMBIGUITY_LIMIT:
        return f"two poses fit alike (ambiguity {ambiguity:.2f}): bring the marker nearer, tilt it, or use a body with several markers"
    sd_deg = float(np.degrees(np.sqrt(np.linalg.eigvalsh(best.covariance[:3, :3])[-1])))
    if sd_deg > ORIENTATION_SD_LIMIT_DEG:
        return f"the orientation is known to {sd_deg:.0f} deg only: bring the marker nearer, or use a body with several markers"
    return ""
