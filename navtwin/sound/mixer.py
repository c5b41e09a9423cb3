"""From the cue to samples, block by block as the device asks: no gap, no click, one alarm at a time."""

from __future__ import annotations

from typing import Final

import numpy as np

from navtwin.sound.choice import Cue, Key
from navtwin.sound.pulses import RATE_HZ, Samples, burst, period

#: What is broken off fades over this long, s: too short to be heard as a tone, too long to click.
FADE_S: Final = 0.008
_FADE: Final = (0.5 + 0.5 * np.cos(np.pi * np.arange(round(FADE_S * RATE_HZ)) / round(FADE_S * RATE_HZ))).astype(np.float32)
_NOTHING: Final = np.zeros(0, np.float32)


class Mixer:
    """Plays the newest cue. `play` may be called from any thread, `fill` from the device's alone."""

    def __init__(self) -> None:
        self._cue = Cue()
        self._again = False
        # The device's own from here on.
        self._number = 0
        self._turn = 0
        self._owner: Key | None = None
        self._burst, self._period, self._at = _NOTHING, 0, 0
        self._tail = _NOTHING

    def play(self, cue: Cue) -> None:
        """From the next block on."""
        self._cue = cue

    def begin_again(self) -> None:
        """Begin the cue's burst anew: what has been played was not heard."""
        self._again = True

    def fill(self, count: int) -> Samples:
        """The next `count` samples, (count,) float32 at 48 kHz."""
        cue = self._cue
        owner_left = self._owner is not None and all(part.key != self._owner for part in cue.parts)
        if cue.number != self._number or owner_left:
            self._break_off(cue)
        if self._again:
            self._again, self._tail = False, _NOTHING
            self._begin(cue, 0)
        block = np.zeros(count, np.float32)
        done = 0
        while done < count and self._owner is not None:
            if self._at >= self._period:
                self._begin(cue, self._turn + 1)
            some = min(count - done, (self._burst.size if self._at < self._burst.size else self._period) - self._at)
            if self._at < self._burst.size:
                block[done : done + some] = self._burst[self._at : self._at + some]
            self._at += some
            done += some
        fading = min(count, self._tail.size)
        block[:fading] += self._tail[:fading]
        self._tail = self._tail[fading:]
        return block

    def _break_off(self, cue: Cue) -> None:
        """Let what sounds fade, and begin the cue's first burst."""
        rest = self._burst[self._at : self._at + _FADE.size]
        self._tail = rest * _FADE[: rest.size]
        self._number = cue.number
        self._begin(cue, 0)

    def _begin(self, cue: Cue, turn: int) -> None:
        self._turn, self._at = turn, 0
        if not cue.parts:
            self._owner, self._burst, self._period = None, _NOTHING, 0
            return
        part = cue.parts[turn % len(cue.parts)]
        self._owner, self._burst, self._period = part.key, burst(part.priority, part.voice), period(part.priority)
