"""Whether the clock of the stamps keeps pace with the host's.

A frame is on its way for at least as long as tracker and link need; what comes on top is chance. So the least delay of many frames stays the same,
unless the clock that stamps the captures runs slow or fast: then it grows or shrinks, and with it the error of every frame's age.
"""

from __future__ import annotations

from dataclasses import dataclass

from navtwin.nouns import TrackerFrame

#: The least delay is taken over so long.
WINDOW_NS = 250_000_000
#: The session's first window is not taken for its pace: sources and compilers warm up in it.
FIRST_WINDOW = 1
#: The least delay must be off in so many windows running: a machine that is busy for a moment is no clock.
OFF_WINDOWS = 3
#: It is off from this share of the rig's max_age on: told of long before the age itself is wrong by as much.
SHARE_OF_MAX_AGE = 0.25
#: After so long without a frame the source may be another one: its pace is learnt anew.
SILENCE_NS = 1_000_000_000


@dataclass(slots=True)
class Drift:
    """Takes the frames in order; `why` says in words by how much the stamps have drifted, "" where they have not.

    Attributes
    ----------
    limit_ns : how far the least delay may move
    pace_ns : the least delay of the window that all others are compared with
    """

    limit_ns: int
    pace_ns: int | None = None
    why: str = ""
    _begun_ns: int | None = None
    _last_ns: int = 0
    _least_ns: int = 0
    _windows: int = 0
    _off: int = 0

    def take(self, frame: TrackerFrame) -> None:
        arrival_ns, delay_ns = frame.t_arrival_ns, frame.t_arrival_ns - frame.t_capture_ns
        if self._begun_ns is None or not 0 <= arrival_ns - self._last_ns < SILENCE_NS:
            self.pace_ns, self.why, self._windows, self._off = None, "", 0, 0
            self._begun_ns, self._least_ns = arrival_ns, delay_ns
        elif arrival_ns - self._begun_ns >= WINDOW_NS:
            self._close()
            self._begun_ns, self._least_ns = arrival_ns, delay_ns
        elif delay_ns < self._least_ns:
            self._least_ns = delay_ns
        self._last_ns = arrival_ns

    def _close(self) -> None:
        """Judge a window that is full."""
        self._windows += 1
        if self._windows <= FIRST_WINDOW:
            return
        if self.pace_ns is None:
            self.pace_ns = self._least_ns
        off_ns = self._least_ns - self.pace_ns
        self._off = self._off + 1 if abs(off_ns) >= self.limit_ns else 0
        if self._off >= OFF_WINDOWS:
            later = "later" if off_ns > 0 else "earlier"
            self.why = f"against their stamps frames arrive {abs(off_ns) * 1e-6:.0f} ms {later} than at first"
        else:
            self.why = ""
