"""The hand that drills: legs of movement, the pedal under its foot, and what is said of the pedal on the bus."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from navtwin.nouns import Mark, Spindle
from phantoms.drilling.cuts import Cuts
from phantoms.path import Stance, Track, tremor
from phantoms.script import Script
from phantoms.shapes import Array

TREMOR_MM: Final = 0.08
#: How often the pedal says whether the drill turns, s.
SAID_EVERY_S: Final = 0.1
#: The true movement is cut along in steps of this, s: within a hundredth of a millimetre of the way between them.
CUT_EVERY_S: Final = 1.0 / 60.0
#: From one row to the next.
TURN_S: Final = 0.18


@dataclass(frozen=True)
class Shaken:
    """A movement with the tremor of the hand in it: the same at the same instant, however it is sampled."""

    track: Track
    seed: tuple[int, ...]

    @property
    def start_s(self) -> float:
        return self.track.start_s

    @property
    def end_s(self) -> float:
        return self.track.end_s

    def sample(self, times_s: Array) -> tuple[Array, Array]:
        """Tip (N, 3), mm, and axis (N, 3)."""
        tips, axes = self.track.sample(times_s)
        return tips + tremor(times_s, TREMOR_MM, np.random.default_rng(self.seed)), axes


@dataclass
class Hand:
    """Moves the drill through the script, leg after leg.

    Attributes
    ----------
    turning : stretches in which the drill truly turns
    claimed : stretches in which it is said to turn though it stands
    silent : stretches in which nothing is said of it
    """

    script: Script
    track: Track
    seed: tuple[int, ...]
    turning: list[tuple[float, float]] = field(default_factory=list)
    claimed: list[tuple[float, float]] = field(default_factory=list)
    silent: list[tuple[float, float]] = field(default_factory=list)
    _on_s: float | None = None

    @property
    def now_s(self) -> float:
        return self.track.end_s

    @property
    def piece(self) -> Shaken:
        return Shaken(self.track, self.seed)

    def go(self, tip_mm: Array, *, peak_mm_s: float | None = None, duration_s: float | None = None, axis: Array | None = None) -> float:
        """Move the tip in a straight line; returns when it is there, s."""
        stance = Stance(tip_mm, self.track.stance.axis if axis is None else axis)
        return self.track.go(stance, peak_mm_s=peak_mm_s, duration_s=duration_s)

    def back(self, distance_mm: float, peak_mm_s: float = 60.0) -> float:
        """Draw the drill back along its axis."""
        return self.track.go(self.track.stance.back(distance_mm), peak_mm_s=peak_mm_s)

    def spin(self, on: bool) -> None:
        """Press the pedal or let it go, and wait for the drill to follow."""
        if on and self._on_s is None:
            self._on_s = self.now_s
        elif not on and self._on_s is not None:
            self.turning.append((self._on_s, self.now_s))
            self._on_s = None
        self.track.hold(0.15)

    def rows(self, rows: list[tuple[Array, Array]], peak_mm_s: float) -> None:
        """Mill to and fro along rows, each from a point to a point."""
        for start_mm, end_mm in rows:
            near = float(np.linalg.norm(start_mm - self.track.stance.tip_mm))
            self.go(start_mm, duration_s=max(TURN_S, 1.875 * near / 90.0))
            self.go(end_mm, duration_s=max(TURN_S, 1.875 * float(np.linalg.norm(end_mm - start_mm)) / peak_mm_s))

    def scene(self, name: str, start_s: float) -> None:
        """What happened from then until now has this name, in the script and as a mark in the log."""
        self.script.scenes[name] = (start_s, self.now_s)
        self.script.orders.append((start_s, Mark(label=name)))

    def speak(self) -> None:
        """Say on the bus, all along and at once on every change, whether the drill turns."""
        on = [*self.turning, *self.claimed]
        end_s = self.script.end_s
        times = [*np.arange(self.script.navigation_s, end_s, SAID_EVERY_S).tolist(), *(t for span in on for t in span)]
        for time_s in sorted(times):
            if not any(a <= time_s < b for a, b in self.silent):
                self.script.orders.append((time_s, Spindle(on=any(a <= time_s < b for a, b in on), tool="drill")))

    def cuts(self, radius_mm: float) -> Cuts:
        """Everything that the burr goes through while it turns."""
        starts, ends, times = [], [], []
        for begun_s, ended_s in self.turning:
            at_s = np.linspace(begun_s, ended_s, max(2, int(np.ceil((ended_s - begun_s) / CUT_EVERY_S)) + 1))
            tips, _ = self.piece.sample(at_s)
            starts.append(tips[:-1])
            ends.append(tips[1:])
            times.append(at_s[1:])
        return Cuts(np.concatenate(starts), np.concatenate(ends), np.concatenate(times), radius_mm)
