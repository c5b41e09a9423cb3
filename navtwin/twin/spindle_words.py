"""What a drill has said of itself: that it turns, or that it stands. Each word holds for a while; after that nobody knows.

A frame is older than the words that come with it: whether the drill turned is asked for the time at which its pose was taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

#: `on`: it turned for some of the time, and there is none of which it is not known. `unknown`: for some of the time nothing is known.
Turning = Literal["on", "off", "unknown"]
#: Changes of the word that are remembered: more than anybody's foot makes between two known poses.
KEPT = 64


@dataclass(slots=True)
class _Span:
    """One word, said from `begun_ns` to `last_ns` without a gap."""

    on: bool
    begun_ns: int
    last_ns: int


@dataclass(slots=True)
class SpindleWords:
    """The words of one drill, in logical time."""

    timeout_ns: int
    _spans: list[_Span] = field(default_factory=list)

    def hear(self, now_ns: int, *, on: bool) -> None:
        newest = self._spans[-1] if self._spans else None
        if newest is not None and newest.on == on and now_ns < newest.last_ns + self.timeout_ns:
            newest.last_ns = now_ns
        else:
            self._spans = [*self._spans[-KEPT + 1 :], _Span(on, now_ns, now_ns)]

    def at(self, t_ns: int) -> Turning:
        return self.between(t_ns, t_ns)

    def between(self, begin_ns: int, end_ns: int) -> Turning:
        """Of all the time from `begin_ns` to `end_ns`, both included."""
        known_until_ns, turning = begin_ns, False
        for n, span in enumerate(self._spans):
            until_ns = span.last_ns + self.timeout_ns
            if n + 1 < len(self._spans):
                until_ns = min(until_ns, self._spans[n + 1].begun_ns)
            if until_ns <= begin_ns:
                continue
            if span.begun_ns > known_until_ns:
                return "unknown"
            known_until_ns, turning = until_ns, turning or (span.on and span.begun_ns <= end_ns)
            if known_until_ns > end_ns:
                return "on" if turning else "off"
        return "unknown"

    @property
    def last_ns(self) -> int | None:
        """When it said anything last; None: never."""
        return self._spans[-1].last_ns if self._spans else None
