"""Whether the source still sees: a stream that sends the same poses again and again, to the bit, shows the past and calls it now.

A tracker's noise alone changes every pose of every frame. Where all bodies that are seen have been the same for longer than the rig's `repeats_ms`,
something between the markers and here repeats what it had: a driver that hangs, a relay whose sender is gone, a file that stands.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from navtwin.nouns import Sighting, TrackerFrame

#: So often at least: of a slow source one repetition says nothing.
FEWEST = 3

WHY = "the tracker repeats itself"


@dataclass(slots=True)
class Repeats:
    """Takes the frames in order.

    Attributes
    ----------
    repeats_ns : how long nothing may change; 0: not judged
    since_ns, times : when what is seen now was captured first, and how often it has been repeated since
    """

    repeats_ns: int
    last: tuple[Sighting, ...] = ()
    since_ns: int = 0
    times: int = 0
    is_frozen: bool = False

    def take(self, frame: TrackerFrame) -> TrackerFrame:
        """The frame; where the stream is frozen, without a pose."""
        if not self.repeats_ns:
            return frame
        if _same(self.last, frame.sightings):
            self.times += 1
        else:
            self.since_ns, self.times = frame.t_capture_ns, 0
        self.last = frame.sightings
        self.is_frozen = self.times >= FEWEST and frame.t_capture_ns - self.since_ns >= self.repeats_ns
        if not self.is_frozen:
            return frame
        blind = tuple(s if s.pose is None else Sighting(body=s.body, status="INVALID", reason=WHY) for s in frame.sightings)
        return msgspec.structs.replace(frame, sightings=blind)


def _same(before: tuple[Sighting, ...], now: tuple[Sighting, ...]) -> bool:
    """Whether the same bodies are seen, at least one, each in the very same pose."""
    if len(before) != len(now):
        return False
    any_seen = False
    for a, b in zip(before, now, strict=True):
        if a.pose != b.pose or a.body != b.body:
            return False
        any_seen = any_seen or b.pose is not None
    return any_seen
