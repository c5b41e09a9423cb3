"""Smoothing of poses, for those who ask for it; each says by how much what it gives out lags.

Both work on position and on orientation (small turns, SO(3) logarithm) at once, forget everything at a gap, and carry the covariance along.
That covariance states the noise left, not the lag: a body that moves is behind by its speed times the delay.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from navtwin.errors import InputRefused
from navtwin.nouns import AppliedFilter, Smoothing
from navtwin.rigid import Rigid

Array = npt.NDArray[np.float64]

#: A body not seen for this long is met afresh.
GAP_NS = 200_000_000
#: A turn counts as what it moves at this distance from the body's origin, mm: about where a tool's tip is.
LEVER_MM = 100.0
#: One-Euro: cut-off for the speed, Hz (Casiez et al. leave it at 1).
SPEED_CUTOFF_HZ = 1.0
#: Kalman: how fast a body may be when it is first seen (standard deviation, mm/s).
FIRST_SPEED_SD = 300.0
#: Kalman: noise of a pose whose source does not state it (standard deviations per axis, mm and rad).
UNSTATED_SD_MM, UNSTATED_SD_RAD = 0.3, 0.005


class PoseFilter(Protocol):
    """What smooths the poses of one body."""

    def update(self, t_capture_ns: int, pose: Rigid, covariance: Array | None) -> tuple[Rigid, Array | None, AppliedFilter]:
        """Take a pose and its (6, 6) covariance (turn in rad, shift in mm, target axes); give the smoothed ones, and what the smoothing costs."""
        ...

    def reset(self) -> None:
        """Forget all that was seen."""
        ...


def filter_of(smoothing: Smoothing) -> PoseFilter:
    """The filter that the rig asks for, for one body.

    Raises
    ------
    InputRefused : settings that are no filter
    """
    if smoothing.kind == "one-euro":
        return OneEuro(smoothing.min_cutoff_hz, smoothing.beta)
    return ConstantVelocity(smoothing.acceleration_sd_mm_s2)


class OneEuro:
    """A low pass that opens with speed (Casiez, Roussel and Vogel, "1 Euro filter", CHI 2012).

    Position and orientation share one cut-off, from the speed of a point `LEVER_MM` from the origin, so that the pose stays that of one rigid body at
    one moment. A first-order low pass follows a steady motion exactly one time constant late, and that is the delay it states.

    Parameters
    ----------
    min_cutoff_hz : cut-off at rest
    beta : how fast the cut-off opens, Hz per mm/s
    """

    def __init__(self, min_cutoff_hz: float, beta: float) -> None:
        if not (min_cutoff_hz > 0.0 and beta >= 0.0):
            raise InputRefused(
                f"the One-Euro filter has min_cutoff_hz = {min_cutoff_hz:g} and beta = {beta:g}", "give a cut-off above 0 and a beta of 0 or more"
            )
        self._min_cutoff_hz, self._beta = min_cutoff_hz, beta
        self.reset()

    def reset(self) -> None:
        self._last_ns: int | None = None
        self._turn, self._t_mm = Rotation.identity(), np.zeros(3)
        self._raw_turn, self._raw_t_mm = Rotation.identity(), np.zeros(3)
        self._speed = np.zeros(6)
        self._covariance: Array | None = None

    def update(self, t_capture_ns: int, pose: Rigid, covariance: Array | None) -> tuple[Rigid, Array | None, AppliedFilter]:
        turn, t_mm = Rotation.from_matrix(pose.rotation), np.array(pose.t_mm)
        step_s = _step_s(self._last_ns, t_capture_ns)
        self._last_ns = t_capture_ns
        if step_s is None:
            self._turn, self._t_mm, self._speed, self._covariance = turn, t_mm, np.zeros(6), covariance
            self._raw_turn, self._raw_t_mm = turn, t_mm
            return pose, covariance, AppliedFilter(name="one-euro", delay_ms=0.0)
        speed = np.concatenate([(turn * self._raw_turn.inv()).as_rotvec(), t_mm - self._raw_t_mm]) / step_s
        self._raw_turn, self._raw_t_mm = turn, t_mm
        self._speed = self._speed + _share(SPEED_CUTOFF_HZ, step_s) * (speed - self._speed)
        fastest = max(float(np.linalg.norm(self._speed[3:])), LEVER_MM * float(np.linalg.norm(self._speed[:3])))
        cutoff_hz = self._min_cutoff_hz + self._beta * fastest
        a = _share(cutoff_hz, step_s)
        self._turn = Rotation.from_rotvec(a * (turn * self._turn.inv()).as_rotvec()) * self._turn
        self._t_mm = self._t_mm + a * (t_mm - self._t_mm)
        before = self._covariance
        self._covariance = None if covariance is None or before is None else a * a * covariance + (1.0 - a) ** 2 * before
        delay_ms = 1000.0 / (2.0 * math.pi * cutoff_hz)
        return _rigid(self._turn, self._t_mm, pose), self._covariance, AppliedFilter(name="one-euro", delay_ms=delay_ms)


class ConstantVelocity:
    """A Kalman filter whose body keeps its velocity but for white accelerations (Bar-Shalom et al., Estimation with Applications, 2001, section 6.3).

    State: pose and (angular) velocity in target axes; errors are small turns about the body's origin and shifts. A steady motion is followed
    without lag. A motion that begins is seen late: under a constant acceleration a the pose is behind by a T^2 (1 - alpha) / beta (T the period;
    alpha, beta the gains on position and velocity times T), so that nothing of it is seen for T sqrt(2 (1 - alpha) / beta). That time is the delay
    it states; the lag falls from there.

    Parameters
    ----------
    acceleration_sd_mm_s2 : how hard the hand accelerates, mm/s^2; for turns, the same at `LEVER_MM`
    """

    def __init__(self, acceleration_sd_mm_s2: float) -> None:
        if not acceleration_sd_mm_s2 > 0.0:
            raise InputRefused(
                f"the Kalman filter has acceleration_sd_mm_s2 = {acceleration_sd_mm_s2:g}", "give the hand's acceleration in mm/s^2, above 0"
            )
        self._acceleration_var = np.repeat([(acceleration_sd_mm_s2 / LEVER_MM) ** 2, acceleration_sd_mm_s2**2], 3)
        self.reset()

    def reset(self) -> None:
        self._last_ns: int | None = None
        self._turn, self._t_mm, self._speed = Rotation.identity(), np.zeros(3), np.zeros(6)
        self._covariance = np.zeros((12, 12))

    def update(self, t_capture_ns: int, pose: Rigid, covariance: Array | None) -> tuple[Rigid, Array | None, AppliedFilter]:
        turn, t_mm = Rotation.from_matrix(pose.rotation), np.array(pose.t_mm)
        noise = np.diag(np.repeat([UNSTATED_SD_RAD**2, UNSTATED_SD_MM**2], 3)) if covariance is None else covariance
        step_s = _step_s(self._last_ns, t_capture_ns)
        self._last_ns = t_capture_ns
        if step_s is None:
            self._turn, self._t_mm, self._speed = turn, t_mm, np.zeros(6)
            self._covariance = np.zeros((12, 12))
            self._covariance[:6, :6] = noise
            self._covariance[6:, 6:] = np.diag(np.repeat([(FIRST_SPEED_SD / LEVER_MM) ** 2, FIRST_SPEED_SD**2], 3))
            return pose, covariance, AppliedFilter(name="kalman", delay_ms=0.0)
        self._predict(step_s)
        missed = np.concatenate([(turn * self._turn.inv()).as_rotvec(), t_mm - self._t_mm])
        gain = np.asarray(np.linalg.solve(self._covariance[:6, :6] + noise, self._covariance[:6]).T, dtype=np.float64)
        moved = gain @ missed
        self._turn = Rotation.from_rotvec(moved[:3]) * self._turn
        self._t_mm, self._speed = self._t_mm + moved[3:6], self._speed + moved[6:]
        # Joseph's form stays positive definite.
        left = np.eye(12)
        left[:, :6] -= gain
        self._covariance = left @ self._covariance @ left.T + gain @ noise @ gain.T
        smoothed = None if covariance is None else self._covariance[:6, :6].copy()
        return _rigid(self._turn, self._t_mm, pose), smoothed, AppliedFilter(name="kalman", delay_ms=1000.0 * _unseen_s(gain, step_s))

    def _predict(self, step_s: float) -> None:
        step = Rotation.from_rotvec(self._speed[:3] * step_s)
        self._turn, self._t_mm = step * self._turn, self._t_mm + self._speed[3:] * step_s
        onward = np.eye(12)
        onward[:3, :3] = step.as_matrix()
        onward[:6, 6:] = step_s * np.eye(6)
        pushed = np.concatenate([np.diag(np.full(6, step_s**2 / 2.0)), np.diag(np.full(6, step_s))])
        self._covariance = onward @ self._covariance @ onward.T + (pushed * self._acceleration_var) @ pushed.T


def _step_s(last_ns: int | None, t_capture_ns: int) -> float | None:
    """Time since the last pose; None where there is none, after a gap, or where time has gone back."""
    if last_ns is None or not 0 < t_capture_ns - last_ns <= GAP_NS:
        return None
    return (t_capture_ns - last_ns) / 1e9


def _share(cutoff_hz: float, step_s: float) -> float:
    """Weight of the new value in a first-order low pass."""
    return 1.0 / (1.0 + 1.0 / (2.0 * math.pi * cutoff_hz * step_s))


def _unseen_s(gain: Array, step_s: float) -> float:
    """For how long a motion that begins with a constant acceleration goes unseen, along the axis where that is longest."""
    longest = 0.0
    for axes in (slice(0, 3), slice(3, 6)):
        position, velocity = gain[:6][axes, axes], gain[6:][axes, axes]
        lag_s2 = step_s * np.linalg.norm(np.linalg.solve(velocity, np.eye(3) - position), 2)
        longest = max(longest, math.sqrt(2.0 * float(lag_s2)))
    return longest


def _rigid(turn: Rotation, t_mm: Array, like: Rigid) -> Rigid:
    x, y, z, w = turn.as_quat().tolist()
    a, b, c = t_mm.tolist()
    return Rigid.from_quaternion((w, x, y, z), (a, b, c), target=like.target, source=like.source)
