"""From sightings one by one to frames: poses of one instant belong together, and no frame waits once it is complete.

A TDATA is a frame by itself. TRANSFORMs and POSITIONs come one body at a time and are gathered by these rules:

1. Those with equal time stamps are of one instant; so are those whose stamps lie within half a period (at most 5 ms), for senders that stamp each
   message by itself. A body's second pose begins the next instant.
2. An instant is complete when every body has come that is awaited: all that came in one of the last three. Then it is handed on at once.
3. What is not complete is handed on when the next instant begins, or 10 ms after its first pose came: what had not come is MISSING.
4. A pose that comes for an instant that has been handed on is dropped, and its body is awaited from then on.
5. Poses that repeat with the same time stamp are a sender that stands still: they are no news, and make no frame.

The sender's clock is compared with itself only; times and order are those of arrival. But a pose that comes later behind its stamp than others of the
connection did has waited on the way: its capture lies so much further back (`Delay`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from navtwin.nouns import Rig, Sighting, TrackerFrame
from tracking.igtl.delay import Delay
from tracking.igtl.sightings import Seen

#: Long enough for a sender that is interrupted between two tools: it is waited for only where the next instant does not come first.
WAIT_NS: Final = 10_000_000
WIDEST_INSTANT_NS: Final = 5_000_000
#: A body that was missing so many times in a row is not awaited any more.
MISSED_OFTEN: Final = 3


@dataclass(slots=True)
class _Instant:
    stamp_ns: int = 0
    first_ns: int = 0
    last_ns: int = 0
    seen: dict[str, Sighting] = field(default_factory=dict)
    waited_ns: int = 0


class Gatherer:
    """Makes frames of what one sender sends.

    Parameters
    ----------
    name : what the frames' source is to be called
    wait_ns : how long an incomplete instant waits

    Attributes
    ----------
    repeats : poses in a row that were no news
    late : poses that came after their instant was handed on
    apart_ns : the widest difference of stamps within one instant so far
    delay : how long poses have waited on the way
    """

    def __init__(self, rig: Rig, name: str, wait_ns: int = WAIT_NS) -> None:
        self.repeats = self.late = self.apart_ns = 0
        self._bodies = tuple(body.name for body in rig.body)
        self._name, self._latency_ns = name, round(rig.tracker.latency_ms * 1e6)
        self._wait_ns = wait_ns
        self._widest_ns = min(round(0.5e9 / rig.tracker.rate_hz), WIDEST_INSTANT_NS)
        self._number, self._capture_ns = 0, -(2**63)
        self.delay = Delay()
        self._open = _Instant()
        self._last = _Instant()
        self._missed = dict.fromkeys(self._bodies, 0)

    @property
    def due_ns(self) -> int | None:
        """When the instant that is being gathered must be handed on; None while there is none."""
        return self._open.first_ns + self._wait_ns if self._open.seen else None

    @property
    def number(self) -> int:
        """How many frames have been made."""
        return self._number

    def begin_anew(self) -> None:
        """A new connection: nothing of the one before belongs to it."""
        self.delay = Delay()
        self._open, self._last, self._missed = _Instant(), _Instant(), dict.fromkeys(self._bodies, 0)

    def take(self, seen: Seen, arrival_ns: int) -> list[TrackerFrame]:
        """The frames that are ready with this message: none, one, or the one before and this."""
        if not seen.sightings and not seen.whole:
            return []
        if seen.whole:
            return self._take_whole(seen, arrival_ns)
        ready = list[TrackerFrame]()
        ((body, sighting),) = seen.sightings.items()
        if self._open.seen and self._is_repeat(self._open, seen.stamp_ns, body, sighting):
            self.repeats += 1
            return ready
        if self._open.seen and (body in self._open.seen or not self._is_near(self._open, seen.stamp_ns)):
            ready.append(self.hand_on())
        if not self._open.seen:
            if self._is_repeat(self._last, seen.stamp_ns, body, sighting):
                self.repeats += 1
                return ready
            if self._is_late(seen.stamp_ns, body, arrival_ns):
                self.late += 1
                self._missed[body] = 0
                return ready
            self._open = _Instant(seen.stamp_ns, arrival_ns, waited_ns=self.delay.waited_ns(seen.stamp_ns, arrival_ns))
        self._open.seen[body], self._open.last_ns = sighting, arrival_ns
        self.apart_ns = max(self.apart_ns, abs(seen.stamp_ns - self._open.stamp_ns))
        if all(body in self._open.seen or times >= MISSED_OFTEN for body, times in self._missed.items()):
            ready.append(self.hand_on())
        return ready

    def hand_on(self, status_of_absent: str = "MISSING", reason: str = "not sent for this instant") -> TrackerFrame:
        """The instant that is being gathered, as it is."""
        self._last, self._open = self._open, _Instant()
        self._missed = {body: 0 if body in self._last.seen else times + 1 for body, times in self._missed.items()}
        self._number += 1
        self.repeats = 0
        absent = {"status": status_of_absent, "reason": reason}
        # A jump of the delay takes no capture back before the one that was told already.
        self._capture_ns = max(self._capture_ns, self._last.first_ns - self._latency_ns - self._last.waited_ns)
        return TrackerFrame(
            source=self._name,
            number=self._number,
            t_capture_ns=self._capture_ns,
            t_arrival_ns=self._last.last_ns,
            sightings=tuple(self._last.seen.get(body) or Sighting(body=body, **absent) for body in self._bodies),  # type: ignore[arg-type]
            stamp="assumed",
            t_device_ns=self._last.stamp_ns or None,
        )

    def _take_whole(self, seen: Seen, arrival_ns: int) -> list[TrackerFrame]:
        if seen.stamp_ns and seen.stamp_ns == self._last.stamp_ns and seen.sightings == self._last.seen:
            self.repeats += 1
            return []
        ready = [self.hand_on()] if self._open.seen else []
        waited_ns = self.delay.waited_ns(seen.stamp_ns, arrival_ns)
        self._open = _Instant(seen.stamp_ns, arrival_ns, arrival_ns, dict(seen.sightings), waited_ns)
        ready.append(self.hand_on("OUT_OF_VIEW", "left out of the sender's tracking data: out of view"))
        return ready

    def _is_near(self, instant: _Instant, stamp_ns: int) -> bool:
        return abs(stamp_ns - instant.stamp_ns) <= self._widest_ns

    def _is_repeat(self, instant: _Instant, stamp_ns: int, body: str, sighting: Sighting) -> bool:
        return stamp_ns != 0 and stamp_ns == instant.stamp_ns and instant.seen.get(body) == sighting

    def _is_late(self, stamp_ns: int, body: str, arrival_ns: int) -> bool:
        """Whether a pose belongs to the instant handed on last. Where the sender does not stamp, only the time of arrival can tell."""
        if not self._last.seen or body in self._last.seen or not self._is_near(self._last, stamp_ns):
            return False
        return stamp_ns != 0 or arrival_ns - self._last.first_ns <= self._widest_ns
