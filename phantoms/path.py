"""How a hand moves: legs from stance to stance with minimum jerk, and tremor on top."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from phantoms.shapes import Array

#: Peak over mean speed of a minimum-jerk movement.
PEAK_OVER_MEAN = 1.875


def minimum_jerk(u: Array) -> Array:
    """Progress 0..1 at time 0..1 (Flash & Hogan, J. Neurosci. 5, 1985)."""
    u = np.clip(u, 0.0, 1.0)
    return np.asarray(u**3 * (10.0 - 15.0 * u + 6.0 * u * u))


def unit(v: Array) -> Array:
    return np.asarray(v / np.sqrt(np.einsum("...i,...i->...", v, v))[..., None])


def turn_between(a: Array, b: Array, share: Array) -> Array:
    """Unit vectors (N, 3) on the great circle from `a` (share 0) to `b` (share 1)."""
    angle = float(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b))
    if angle < 1e-9:
        return np.broadcast_to(a, (len(share), 3)).copy()
    side = unit(b - (a @ b) * a)
    return np.cos(share * angle)[:, None] * a + np.sin(share * angle)[:, None] * side


@dataclass(frozen=True)
class Stance:
    """Where a tool is: its tip (mm) and its axis, from the handle out through the tip."""

    tip_mm: Array
    axis: Array

    def back(self, distance_mm: float) -> Stance:
        """The same aim, drawn back along the axis."""
        return Stance(self.tip_mm - distance_mm * self.axis, self.axis)


@dataclass(frozen=True)
class Leg:
    """One movement. With a `pivot_mm` the axis keeps running through that point, as a drill's does in its hole; without, the tip goes straight."""

    duration_s: float
    end: Stance
    pivot_mm: Array | None = None


@dataclass
class Track:
    """A tool's movement, leg after leg, from a first stance on. Times are seconds on the rehearsal's clock."""

    start_s: float
    stance: Stance
    legs: list[tuple[float, Stance, Leg]] = field(default_factory=list)
    end_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.end_s = self.start_s

    def go(self, end: Stance, *, peak_mm_s: float | None = None, duration_s: float | None = None, pivot_mm: Array | None = None) -> float:
        """Move to `end` at a peak speed or in a time; returns when it is there, s."""
        if duration_s is None:
            assert peak_mm_s is not None
            duration_s = max(0.25, PEAK_OVER_MEAN * float(np.linalg.norm(end.tip_mm - self.stance.tip_mm)) / peak_mm_s)
        self.legs.append((self.end_s, self.stance, Leg(duration_s, end, pivot_mm)))
        self.stance, self.end_s = end, self.end_s + duration_s
        return self.end_s

    def hold(self, duration_s: float) -> float:
        """Stay where it is."""
        return self.go(self.stance, duration_s=duration_s)

    def sample(self, times_s: Array) -> tuple[Array, Array]:
        """Tip (N, 3), mm, and axis (N, 3) at times (N,), s; before and after the legs it stands at their ends."""
        tips = np.tile(self.legs[0][1].tip_mm, (len(times_s), 1))
        axes = np.tile(self.legs[0][1].axis, (len(times_s), 1))
        for start_s, stance, leg in self.legs:
            on = times_s >= start_s
            share = minimum_jerk((times_s[on] - start_s) / leg.duration_s)
            axes[on] = turn_between(stance.axis, leg.end.axis, share)
            if leg.pivot_mm is None:
                tips[on] = stance.tip_mm + share[:, None] * (leg.end.tip_mm - stance.tip_mm)
            else:
                depths = [float(np.dot(s.tip_mm - leg.pivot_mm, s.axis)) for s in (stance, leg.end)]
                tips[on] = leg.pivot_mm + (depths[0] + share * (depths[1] - depths[0]))[:, None] * axes[on]
        return tips, axes


def tremor(times_s: Array, rms: float, rng: np.random.Generator, *, band_hz: tuple[float, float] = (0.8, 6.0), waves: int = 7) -> Array:
    """Smooth hand tremor (N, 3) with the given RMS length: a few sines per axis, weaker the faster they are."""
    frequency = rng.uniform(*band_hz, (waves, 3))
    phase = rng.uniform(0.0, 2.0 * np.pi, (waves, 3))
    weight = 1.0 / frequency
    weight *= np.sqrt(2.0 / 3.0) * rms / np.sqrt((weight**2).sum(axis=0))
    return np.asarray((weight * np.sin(2.0 * np.pi * frequency * times_s[:, None, None] + phase)).sum(axis=1))


def frames(axes: Array, facing: Array) -> Array:
    """Rotations T_._from_tip (N, 3, 3): z along the tool's axis, x turned towards `facing` (3,) so that its markers look there."""
    x = unit(facing - np.einsum("ni,i->n", axes, facing)[:, None] * axes)
    return np.stack([x, np.cross(axes, x), axes], axis=2)
