"""A stream of motion as numbers over time, and a smooth curve through it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from navtwin.calibrate.poses import checked_poses
from navtwin.errors import InputRefused

if TYPE_CHECKING:
    from scipy.interpolate import BSpline

Array = npt.NDArray[np.float64]

MIN_SAMPLES, MIN_OVERLAP_S = 60, 3.0
#: Spacing of the spline's knots: a hand moves at up to 5 Hz, and what is faster is noise.
KNOT_S = 0.09
#: Least samples for each knot.
SAMPLES_A_KNOT = 2.5
#: Motion must stand out of the noise by this factor, in variance.
STILL_FACTOR = 2.0


@dataclass(frozen=True)
class Signal:
    """(N, K) values over (N,) times; `t_s` counts from an origin that both streams share."""

    name: str
    t_ns: npt.NDArray[np.int64]
    values: Array
    t_s: Array

    def started(self, origin_ns: int) -> Signal:
        return replace(self, t_s=(self.t_ns - origin_ns) / 1e9)

    @cached_property
    def spline(self) -> BSpline:
        """Cubic least-squares spline; its knots keep clear of gaps in the stream."""
        from scipy.interpolate import make_lsq_spline

        step = max(KNOT_S, SAMPLES_A_KNOT * float(np.median(np.diff(self.t_s))))
        wanted = np.arange(self.t_s[0] + step, self.t_s[-1] - step, step)
        # A knot needs samples on both sides (Schoenberg and Whitney); keep those that have one in each interval.
        count = np.histogram(self.t_s, np.concatenate([[-np.inf], wanted, [np.inf]]))[0]
        inner = wanted[(count[:-1] >= 2) & (count[1:] >= 2)]
        knots = np.concatenate([np.repeat(self.t_s[0], 4), inner, np.repeat(self.t_s[-1], 4)])
        return make_lsq_spline(self.t_s, self.values, knots, k=3)

    @cached_property
    def slope(self) -> BSpline:
        return self.spline.derivative()

    def at(self, t_s: Array) -> tuple[Array, Array]:
        """(n, K) values of the smooth curve, and its slopes per second."""
        return np.asarray(self.spline(t_s)), np.asarray(self.slope(t_s))

    @property
    def is_still(self) -> bool:
        """Whether the smooth curve varies less than what scatters about it."""
        smooth = self.spline(self.t_s)
        noise = float(np.square(self.values - smooth).sum())
        motion = float(np.square(smooth - smooth.mean(axis=0)).sum())
        # A spline takes up noise too: about one part in SAMPLES_A_KNOT of it.
        return motion <= STILL_FACTOR * max(noise, 1e-24 * float(np.square(self.values).sum()))


def read_signal(t_ns: npt.ArrayLike, x: npt.ArrayLike, name: str) -> Signal:
    """Check times and values of one stream, and bring values to a common scale.

    Poses become the nine entries of the rotation and the three of the position; the two kinds are scaled to equal weight.

    Raises
    ------
    InputRefused : unequal lengths, too few samples, times that do not ascend or are no integers, NaN
    """
    times, values = np.asarray(t_ns), np.asarray(x, dtype=np.float64)
    if times.ndim != 1 or times.dtype.kind not in "iu":
        raise InputRefused(f"the times of the {name} stream have shape {times.shape} and type {times.dtype}", "pass (N,) whole nanoseconds")
    if values.ndim not in (1, 2, 3) or len(values) != len(times) or values.size == 0:
        raise InputRefused(f"the {name} stream has {len(times)} times and values of shape {values.shape}", "pass one value or pose for each time")
    if len(times) < MIN_SAMPLES:
        raise InputRefused(f"the {name} stream has {len(times)} samples", f"record at least {MIN_SAMPLES}, better 10 s of brisk motion")
    if (np.diff(times.astype(np.int64)) <= 0).any():
        at = int(np.flatnonzero(np.diff(times.astype(np.int64)) <= 0)[0]) + 1
        raise InputRefused(f"time {at} of the {name} stream is not after the one before", "sort the samples, and leave out repeated ones")
    if values.ndim == 3:
        rotation, t_mm = checked_poses(values, f"{name} stream", MIN_SAMPLES, f"record at least {MIN_SAMPLES}")
        parts = [rotation.reshape(-1, 9), t_mm]
    else:
        bad = np.flatnonzero(~np.isfinite(values.reshape(len(values), -1)).all(axis=1))
        if len(bad):
            raise InputRefused(f"sample {bad[0]} of the {name} stream is NaN or infinite", "leave it out")
        parts = [values.reshape(len(values), -1)]
    scaled = [(p - p.mean(axis=0)) / max(float(np.sqrt(p.var(axis=0).sum())), 1e-12) for p in parts]
    return Signal(name, times.astype(np.int64), np.column_stack(scaled), np.zeros(len(times)))
