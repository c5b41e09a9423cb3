"""A model of an optical tracker: markers seen with noise, poses solved from them, frames that come late or not at all.

Marker noise is white and Gaussian, worse along the line of sight than across it, as stereo triangulation makes it (Wiles, Thompson & Frantz,
"Accuracy assessment and interpretation for optical tracking systems", Proc. SPIE 5367, 2004).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.nouns import Body, Tracker
from navtwin.rigid import Vec3
from phantoms.motion import Poses, rotations
from phantoms.shapes import Array

NS_PER_S = 1_000_000_000


@dataclass(frozen=True)
class MarkerNoise:
    """One standard deviation of a marker's position along each of two directions across the line of sight, and along it."""

    across_mm: float = 0.03
    along_mm: float = 0.075

    @property
    def rms_mm(self) -> float:
        """RMS length of a marker's error."""
        return float(np.sqrt(2.0 * self.across_mm**2 + self.along_mm**2))


@dataclass(frozen=True)
class Timing:
    """Irregularities of a real device. Late frames hold up those behind them, as an ordered transport does."""

    capture_jitter_ms: float = 0.15
    arrival_jitter_ms: float = 0.5
    late_share: float = 0.002
    late_ms: tuple[float, float] = (15.0, 40.0)
    lost_share: float = 0.001
    unseen_share: float = 0.001


@dataclass(frozen=True)
class Fits:
    """Poses solved from noisy markers, with covariances (N, 6, 6) over (rotation about the body's origin, translation) and RMS residuals (N,), mm."""

    poses: Poses
    covariance: Array
    rms_mm: Array


def capture_times(duration_s: float, tracker: Tracker, timing: Timing, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Instants of exposure (N,), ns, from 0 on; the frame's number is its index."""
    count = int(duration_s * tracker.rate_hz) + 1
    jitter_s = np.clip(rng.normal(0.0, timing.capture_jitter_ms, count), -1.0, 1.0) / 1e3
    return np.asarray(np.maximum((np.arange(count) / tracker.rate_hz + jitter_s) * NS_PER_S, 0.0)).astype(np.int64)


def arrival_times(capture_ns: npt.NDArray[np.int64], tracker: Tracker, timing: Timing, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """When each frame reaches the host (N,), ns: after the latency, some of it random, strictly in order."""
    count = len(capture_ns)
    late = np.where(rng.random(count) < timing.late_share, rng.uniform(*timing.late_ms, count), 0.0)
    delay_ms = tracker.latency_ms + np.clip(rng.normal(0.0, timing.arrival_jitter_ms, count), -2.0, 2.0) + late
    arrival = capture_ns + (delay_ms * 1e6).astype(np.int64)
    # A frame that was held up lets the next one follow 0.1 ms behind it.
    ladder = np.arange(count) * 100_000
    return np.asarray(np.maximum.accumulate(arrival - ladder) + ladder)


def observe(
    true: Poses, markers_mm: npt.ArrayLike, noise: MarkerNoise, rng: np.random.Generator, bias: Callable[[Array], Array] | None = None
) -> Fits:
    """See a body's markers and solve its pose from them.

    Parameters
    ----------
    true : T_tracker_from_marker, N samples; the camera sits at the tracker's origin
    markers_mm : (M, 3) in marker axes, M >= 3
    bias : by how much markers at (..., 3), tracker axes, are seen off, the same every time; the covariances know nothing of it
    """
    markers = np.asarray(markers_mm, dtype=np.float64)
    sight = true.t_mm / np.linalg.norm(true.t_mm, axis=1, keepdims=True)
    error = noise.across_mm * rng.standard_normal((len(true), len(markers), 3))
    along = np.einsum("nmi,ni->nm", error, sight)
    error += (noise.along_mm / noise.across_mm - 1.0) * along[..., None] * sight[:, None, :]
    stand = np.einsum("nij,mj->nmi", true.rotation, markers) + true.t_mm[:, None, :]
    seen = stand + error + (bias(stand) if bias is not None else 0.0)
    poses = solve_poses(markers, seen)
    fitted = np.einsum("nij,mj->nmi", poses.rotation, markers)
    residual = seen - fitted - poses.t_mm[:, None, :]
    rms = np.sqrt((residual**2).sum(axis=2).mean(axis=1))
    return Fits(poses, pose_covariance(fitted, sight, noise), rms)


def solve_poses(markers_mm: Array, seen_mm: Array) -> Poses:
    """Least-squares rigid fit of markers (M, 3) to what was seen of them (N, M, 3).

    Horn, "Closed-form solution of absolute orientation using unit quaternions", J. Opt. Soc. Am. A 4, 1987: the rotation is the eigenvector of
    the largest eigenvalue of a symmetric 4x4 matrix built from the cross-covariance.
    """
    centre, seen_centre = markers_mm.mean(axis=0), seen_mm.mean(axis=1)
    s = np.einsum("mi,nmj->nij", markers_mm - centre, seen_mm - seen_centre[:, None, :])
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = (tuple(s[:, i, j] for j in range(3)) for i in range(3))
    n = np.empty((len(s), 4, 4))
    n[:, 0] = np.stack([xx + yy + zz, yz - zy, zx - xz, xy - yx], axis=1)
    n[:, 1] = np.stack([yz - zy, xx - yy - zz, xy + yx, zx + xz], axis=1)
    n[:, 2] = np.stack([zx - xz, xy + yx, yy - xx - zz, yz + zy], axis=1)
    n[:, 3] = np.stack([xy - yx, zx + xz, yz + zy, zz - xx - yy], axis=1)
    rotation = rotations(np.linalg.eigh(n)[1][:, :, 3])
    return Poses(rotation, seen_centre - rotation @ centre)


def cross_matrices(v: Array) -> Array:
    """[v]x, so that [v]x u = v x u: (..., 3) -> (..., 3, 3)."""
    x, y, z = np.moveaxis(v, -1, 0)
    zero = np.zeros_like(x)
    return np.stack([np.stack([zero, -z, y], -1), np.stack([z, zero, -x], -1), np.stack([-y, x, zero], -1)], -2)


def pose_covariance(arms_mm: Array, sight: Array, noise: MarkerNoise) -> Array:
    """Covariance (N, 6, 6) of the least-squares pose, in tracker axes.

    A marker at arm a from the body's origin moves by dtheta x a + dt, so its Jacobian is J = [-[a]x, I]. The fit weighs all markers alike, whatever
    the shape S of their noise, hence the sandwich (J'J)^-1 J' S J (J'J)^-1.

    Parameters
    ----------
    arms_mm : (N, M, 3), from the body's origin to its markers
    sight : (N, 3), unit line of sight
    """
    jacobian = np.concatenate([-cross_matrices(arms_mm), np.broadcast_to(np.eye(3), (*arms_mm.shape, 3))], axis=-1)
    spread = noise.along_mm**2 - noise.across_mm**2
    shape = noise.across_mm**2 * np.eye(3) + spread * sight[:, :, None] * sight[:, None, :]
    bread = np.linalg.inv(np.einsum("nmki,nmkj->nij", jacobian, jacobian))
    projected = np.einsum("nmki,nkl->nmil", jacobian, shape)
    meat = np.einsum("nmil,nmlj->nij", projected, jacobian)
    return np.asarray(bread @ meat @ bread)


def declared_body(name: str, markers_mm: tuple[Vec3, ...], noise: MarkerNoise) -> Body:
    """A rig's entry for a body: the pose noise that this tracker gives it, averaged over views and axes."""
    views = np.random.default_rng(0).standard_normal((400, 3))
    arms = np.broadcast_to(np.array(markers_mm), (400, len(markers_mm), 3))
    covariance = pose_covariance(arms, views / np.linalg.norm(views, axis=1, keepdims=True), noise)
    variance = np.einsum("nii->ni", covariance).mean(axis=0)
    return Body(
        name=name,
        sd_mm=round(float(np.sqrt(variance[3:].mean())), 4),
        sd_rad=round(float(np.sqrt(variance[:3].mean())), 6),
        markers_mm=markers_mm,
    )
