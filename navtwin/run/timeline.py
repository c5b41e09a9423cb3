"""From recorded time to session time: which instant of the host's clock an item belongs to, and when it is due.

A live source needs none of this: its items carry host stamps and are due at once. A recording keeps its intervals but moves onto the host's
clock. Its setup is played as fast as it goes, on stamps before the present; from the start of navigation the stamps are the present.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from navtwin.nouns import SourceItem, TrackerFrame, Truth


def recorded_ns(item: SourceItem, last_ns: int) -> int:
    """When an item entered the recorded session: its arrival; commands and truth go with the item before them."""
    return item.t_arrival_ns if isinstance(item, TrackerFrame) else last_ns


@dataclass(slots=True)
class Timeline:
    """Maps recorded times to session times.

    Attributes
    ----------
    speed : 1 for real time; N for N times faster; 0 for as fast as it goes. Session time runs at the recording's own pace in every case
    """

    speed: float
    offset_ns: int | None = None
    anchor_host_ns: int | None = None
    anchor_session_ns: int = 0

    @property
    def flat_out(self) -> bool:
        return self.anchor_host_ns is None

    def begin(self, first_recorded_ns: int, session_ns: int) -> None:
        """The recording starts at this session time: so far before the present that its setup, played fast, does not run ahead of the clock."""
        self.offset_ns = session_ns - first_recorded_ns

    def go_live(self, recorded: int, host_ns: int) -> None:
        """From here on the recording is played at `speed`, starting now."""
        self.offset_ns = host_ns - recorded
        if self.speed > 0.0:
            self.anchor_host_ns, self.anchor_session_ns = host_ns, host_ns

    def session_ns(self, recorded: int) -> int:
        return recorded + (self.offset_ns or 0)

    def due_host_ns(self, recorded: int) -> int:
        """When, on the host's clock, the item is due; 0 while playing flat out."""
        if self.anchor_host_ns is None:
            return 0
        return self.anchor_host_ns + round((self.session_ns(recorded) - self.anchor_session_ns) / self.speed)

    def now_ns(self, host_ns: int) -> int:
        """Session time at a host instant, once live."""
        if self.anchor_host_ns is None:
            return host_ns
        return self.anchor_session_ns + round((host_ns - self.anchor_host_ns) * self.speed)

    def restamp(self, item: SourceItem) -> SourceItem:
        shift = self.offset_ns or 0
        if isinstance(item, TrackerFrame):
            return msgspec.structs.replace(item, t_capture_ns=item.t_capture_ns + shift, t_arrival_ns=item.t_arrival_ns + shift)
        if isinstance(item, Truth):
            return msgspec.structs.replace(item, t_capture_ns=item.t_capture_ns + shift)
        return item
