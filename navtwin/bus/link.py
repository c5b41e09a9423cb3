"""What a receiver knows of its link: pure bookkeeping over received envelopes and the receiver's own clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from navtwin.bus.topics import ALERT_PERIOD_MS, LINK_LOST_MS
from navtwin.nouns import AlertSet, Envelope

MS = 1_000_000
#: The fastest transport seen is remembered over this long (twice), so that the drift between two hosts' clocks cannot pile up.
WINDOW_NS = 30_000 * MS


@dataclass
class Link:
    """Freshness, epoch and losses, as one receiver sees them.

    Silence is measured on `alerts` alone: a state stream that goes on says nothing about warnings that do not.

    Attributes
    ----------
    heard_ns : receiver's time at which the newest alert set was still fresh; starts at `started_ns`, so a core that never speaks is lost too
    ever : whether any alert set has come
    epoch : the session, "" before the first message
    epochs : how many sessions have been seen
    skipped : states passed over for newer ones
    late_alerts : gaps between alert sets of more than twice their period, by the publisher's stamps
    backwards : messages whose seq lies before one already seen
    malformed : messages that could not be read; `last_fault` says why
    """

    started_ns: int
    heard_ns: int = field(init=False)
    ever: bool = False
    epoch: str = ""
    epochs: int = 0
    skipped: int = 0
    late_alerts: int = 0
    backwards: int = 0
    malformed: int = 0
    last_fault: str = ""
    _seq: dict[type, int] = field(default_factory=dict)
    _alerts_published_ns: int | None = None
    _window_ns: int | None = None
    _fastest: int | None = None
    _fastest_before: int | None = None

    def __post_init__(self) -> None:
        self.heard_ns = self.started_ns

    def lost(self, now_ns: int) -> bool:
        """True when `now_ns` is `LINK_LOST_MS` or more past the newest fresh alert set."""
        return self.silence_ns(now_ns) >= LINK_LOST_MS * MS

    def silence_ns(self, now_ns: int) -> int:
        """How long ago the newest alert set was fresh."""
        return now_ns - self.heard_ns

    def heard(self, envelope: Envelope, now_ns: int) -> None:
        """Take note of one published message, received at `now_ns`."""
        if envelope.epoch != self.epoch:
            self._begin(envelope.epoch)
        age_ns = self._note_transport(now_ns - envelope.t_publish_ns, now_ns)
        body = envelope.body
        if envelope.seq < self._seq.get(type(body), 0):
            self.backwards += 1
        self._seq[type(body)] = max(envelope.seq, self._seq.get(type(body), 0))
        if isinstance(body, AlertSet):
            # What waited in a queue was fresh when it should have come, not when it was read.
            self.heard_ns = max(self.heard_ns, now_ns - age_ns)
            self.ever = True
            if self._alerts_published_ns is not None and envelope.t_publish_ns - self._alerts_published_ns > 2 * ALERT_PERIOD_MS * MS:
                self.late_alerts += 1
            self._alerts_published_ns = envelope.t_publish_ns

    def age_ns(self, envelope: Envelope, now_ns: int) -> int:
        """How much longer ago `envelope` was published than the fastest transport explains.

        The two hosts' clocks share no zero, so only the excess over the smallest difference seen lately is known; never negative.
        """
        best = min((b for b in (self._fastest, self._fastest_before) if b is not None), default=now_ns - envelope.t_publish_ns)
        return max(0, now_ns - envelope.t_publish_ns - best)

    def _note_transport(self, difference_ns: int, now_ns: int) -> int:
        if self._window_ns is None or now_ns - self._window_ns > WINDOW_NS:
            self._fastest_before, self._fastest, self._window_ns = self._fastest, difference_ns, now_ns
        elif self._fastest is None or difference_ns < self._fastest:
            self._fastest = difference_ns
        best = min(b for b in (self._fastest, self._fastest_before) if b is not None)
        return difference_ns - best

    def _begin(self, epoch: str) -> None:
        """A new session: another process, perhaps another host, whose numbers and clock start anew."""
        self.epoch = epoch
        self.epochs += 1
        self._alerts_published_ns = self._window_ns = self._fastest = self._fastest_before = None
        self._seq = {}
