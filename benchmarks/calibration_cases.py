"""Simulated collections for each calibration, with their truths: what `benchmarks/calibration.py` measures and the tests draw from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.calibrate.poses import rotations_about

Array = npt.NDArray[np.float64]


def rigid(turn_rad: Array, t_mm: Array) -> Array:
    """(..., 4, 4) matrices of rotation vectors and translations."""
    turn = np.asarray(turn_rad, dtype=np.float64)
    found = np.zeros((*turn.shape[:-1], 4, 4))
    found[..., :3, :3], found[..., :3, 3], found[..., 3, 3] = rotations_about(turn), t_mm, 1.0
    return found


def noise(rng: np.random.Generator, count: int, correlation: float = 0.0) -> Array:
    """(N, 6) normal errors, each correlated with the one before."""
    found = rng.normal(size=(count, 6))
    for n in range(1, count):
        found[n] = correlation * found[n - 1] + np.sqrt(1.0 - correlation**2) * found[n]
    return found


def disturbed(poses: Array, errors: Array, sd_rad: float, sd_mm: float) -> Array:
    """Poses with (N, 6) unit errors scaled to a tracker's."""
    found = poses.copy()
    found[:, :3, :3] = rotations_about(sd_rad * errors[:, :3]) @ poses[:, :3, :3]
    found[:, :3, 3] += sd_mm * errors[:, 3:]
    return found


def spoilt(poses: Array, rng: np.random.Generator, share: float) -> Array:
    """Poses of which a share are wrong by centimetres and tens of degrees: misread or mirrored markers."""
    found = poses.copy()
    bad = rng.choice(len(poses), round(share * len(poses)), replace=False)
    found[bad, :3, :3] = rotations_about(rng.normal(size=(len(bad), 3)) * 0.4) @ found[bad, :3, :3]
    found[bad, :3, 3] += rng.normal(size=(len(bad), 3)) * 20.0
    return found


def unequal(poses: Array, rng: np.random.Generator, share: float, times: float, sd_rad: float, sd_mm: float) -> tuple[Array, Array]:
    """Poses of which a share are `times` noisier than the rest (few markers seen, or aslant); and the (N, 6, 6) covariances of all."""
    found, sd = poses.copy(), np.repeat([sd_rad, sd_mm], 3)
    noisy = rng.choice(len(poses), round(share * len(poses)), replace=False)
    found[noisy] = disturbed(poses[noisy], np.sqrt(times**2 - 1.0) * rng.normal(size=(len(noisy), 6)), sd_rad, sd_mm)
    covariances = np.tile(np.diag(sd**2), (len(poses), 1, 1))
    covariances[noisy] *= times**2
    return found, covariances


def spin_poses(
    rng: np.random.Generator, count: int, correlation: float = 0.0, turn_deg: float = 360.0, sd_rad: float = 1e-3
) -> tuple[Array, Array, Array]:
    """(N, 4, 4) poses of a tool spun in a V-block; its axis and the tip that lies on it, marker axes."""
    base = rotations_about(rng.normal(size=3))
    axis = rotations_about(rng.normal(size=3)) @ np.array([0.0, 0.0, 1.0])
    point, fixed = rng.normal(size=3) * 20.0, base @ axis
    angles = np.radians(turn_deg) * np.linspace(0.0, 1.0, count)
    poses = np.tile(np.eye(4), (count, 1, 1))
    poses[:, :3, :3] = rotations_about(angles[:, None] * fixed) @ base
    poses[:, :3, 3] = np.array([5.0, 6.0, -300.0]) - poses[:, :3, :3] @ point
    return disturbed(poses, noise(rng, count, correlation), sd_rad, 0.1), axis, point + 90.0 * axis


@dataclass(frozen=True)
class HandEyeCase:
    """Motions or poses A and B, and the truth X and Y of A X = Y B (Y is X for motions)."""

    A: Array
    B: Array
    X: Array
    Y: Array


def hand_eye_case(rng: np.random.Generator, count: int, *, world: bool, correlation: float = 0.0) -> HandEyeCase:
    X = rigid(rng.normal(size=3), rng.normal(size=3) * 60.0)
    Y = rigid(rng.normal(size=3), rng.normal(size=3) * 300.0) if world else X
    if correlation:
        phase = np.linspace(0.0, 2.0 * np.pi, count)
        turns = 0.5 * np.stack([np.cos(3.0 * phase), np.sin(4.0 * phase), np.sin(phase)], axis=1)
        places = 80.0 * np.stack([np.sin(2.0 * phase), np.cos(5.0 * phase), np.cos(phase)], axis=1)
    else:
        turns, places = 0.5 * rng.normal(size=(count, 3)), 100.0 * rng.normal(size=(count, 3))
    A = rigid(turns, places)
    if world:
        A = rigid(rng.normal(size=3), rng.normal(size=3) * 100.0) @ A
    B = np.linalg.inv(Y) @ A @ X
    return HandEyeCase(disturbed(A, noise(rng, count, correlation), 1e-3, 0.2), disturbed(B, noise(rng, count, correlation), 2e-3, 0.1), X, Y)


@dataclass(frozen=True)
class TwoStreams:
    """Two streams of one motion; `offset_ns` is to be added to the second's times."""

    t_first_ns: npt.NDArray[np.int64]
    x_first: Array
    t_second_ns: npt.NDArray[np.int64]
    x_second: Array
    offset_ns: float


def smooth_motion(rng: np.random.Generator) -> Callable[[Array], Array]:
    """(N,) seconds -> (N, 6) sums of eight waves of 0.2 to 2 Hz, of unit variance."""
    hz, phase, size = rng.uniform(0.2, 2.0, 8), rng.uniform(0.0, 2.0 * np.pi, (8, 6)), rng.normal(size=(8, 6)) / 2.0
    return lambda t: np.asarray((np.sin(2.0 * np.pi * t[:, None, None] * hz[:, None] + phase) * size).sum(axis=1))


def two_streams(rng: np.random.Generator, kind: str, rate_first_hz: float, rate_second_hz: float, seconds: float = 15.0) -> TwoStreams:
    """Poses (noise 3 mrad, 0.5 mm, in frames of their own), points (1 mm) or speeds (5 %), with 0.2 ms of jitter, up to 0.5 s apart."""
    motion, offset_s = smooth_motion(rng), rng.uniform(-0.5, 0.5)
    times = [np.arange(0.0, seconds, 1.0 / r) + rng.uniform(0.0, 1.0 / r) for r in (rate_first_hz, rate_second_hz)]
    times = [t + rng.normal(size=len(t)) * 2e-4 for t in times]
    if kind == "poses":
        eye, world = rigid(rng.normal(size=3), rng.normal(size=3) * 50.0), rigid(rng.normal(size=3), rng.normal(size=3) * 300.0)
        clean = [rigid(0.3 * motion(t)[:, :3], 40.0 * motion(t)[:, 3:]) for t in times]
        clean[1] = world @ clean[1] @ eye
        values = [disturbed(c, noise(rng, len(c)), 3e-3, 0.5) for c in clean]
    elif kind == "points":
        turn = rotations_about(rng.normal(size=3))
        values = [40.0 * motion(t)[:, :3] + rng.normal(size=(len(t), 3)) for t in times]
        values[1] = values[1] @ turn.T
    else:
        clean = [np.linalg.norm(40.0 * (motion(t + 1e-3) - motion(t - 1e-3))[:, :3] / 2e-3, axis=1) for t in times]
        values = [(1.0 + 2.0 * n) * (c + 0.05 * c.std() * rng.normal(size=len(c))) for n, c in enumerate(clean)]
    t1, t2 = (np.round(t * 1e9).astype(np.int64) for t in (times[0], times[1] - offset_s))
    return TwoStreams(t1, values[0], t2, values[1], offset_s * 1e9)
