"""What a screen may show at one moment: a fold of received messages and the screen's own clock. No Qt, no socket."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from navtwin.bus.link import Link
from navtwin.bus.signals import rank
from navtwin.bus.words import order_words, printable
from navtwin.nouns import LEVELS, Alert, AlertSet, Envelope, Order, Reply, Setup, State, TechnicalAlarm, Topic

MS = 1_000_000
#: The core's last words.
SESSION_ENDED = "session ended"
#: An order that is not answered by then is reported.
ANSWER_WITHIN_NS = 1000 * MS
#: An alert that came to the top within this time before the operator acted was not the one he meant.
MEANT_NS = 300 * MS

LinkState = Literal["waiting", "up", "lost", "ended"]


@dataclass(frozen=True)
class Moment:
    """All that may be shown now.

    Attributes
    ----------
    link : `waiting` until the core is first heard; `ended` when it said goodbye before it fell silent
    silence_ns : how long no fresh alert set has come
    alerts : the last set heard; over a lost link each of its alerts is unknown and says so
    t_ns : the twin's logical time now, as far as the last set tells
    state : the newest state, None as soon as it is too old to be trusted
    audio : why no alarm of this screen can be heard, "" if they can, None where that is not known or no sound is wanted
    state_ns : when that state came, by the screen's clock, less what it waited on the way
    """

    link: LinkState
    silence_ns: int
    epoch: str
    alerts: AlertSet | None
    t_ns: int
    state: State | None
    setup: Setup | None
    audio: str | None = None
    state_ns: int = 0

    @property
    def link_lost(self) -> bool:
        return self.link != "up"


@dataclass(frozen=True)
class Word:
    """A line about an order: what became of it."""

    text: str
    good: bool
    at_ns: int


@dataclass
class Board:
    """Takes in messages from the receiving thread, gives moments to the drawing one.

    Parameters
    ----------
    link : the receiver's bookkeeping, which this only reads
    clock : the receiver's monotonic clock, ns
    max_age_ms : a state older than this is not shown

    Attributes
    ----------
    audio : as in `Moment`; set by whoever plays the sounds, from any thread
    """

    link: Link
    clock: Callable[[], int]
    max_age_ms: float = 100.0
    words: deque[Word] = field(default_factory=lambda: deque(maxlen=20))
    audio: str | None = None
    _alerts: AlertSet | None = None
    _alerts_ns: int = 0
    _state: State | None = None
    _state_ns: int = 0
    _setup: Setup | None = None
    _epoch: str = ""
    _pending: dict[str, tuple[Order, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, topic: Topic, envelope: Envelope) -> None:
        """Note one message."""
        now_ns, body = self.clock(), envelope.body
        with self._lock:
            if topic != "reply" and envelope.epoch != self._epoch:
                # Another session: nothing that the last one said holds any longer.
                self._epoch, self._alerts, self._state, self._setup = envelope.epoch, None, None, None
            age_ns = 0 if topic == "reply" else self.link.age_ns(envelope, now_ns)
            if isinstance(body, AlertSet):
                self._alerts, self._alerts_ns = body, now_ns - age_ns
            elif isinstance(body, State):
                self._state, self._state_ns = body, now_ns - age_ns
            elif isinstance(body, Setup):
                self._setup = body
            elif isinstance(body, Reply):
                self._answered(body, now_ns)

    def sent(self, ident: str, order: Order) -> None:
        """Note an order that has left."""
        with self._lock:
            self._pending[ident] = (order, self.clock())

    def not_sent(self, order: Order, reason: str) -> None:
        """Note an order that could not leave."""
        with self._lock:
            self.words.append(Word(f"not sent: {order_words(order)} ({printable(reason)})", False, self.clock()))

    def moment(self) -> Moment:
        """What may be shown now."""
        with self._lock:
            now_ns = self.clock()
            self._report_unanswered(now_ns)
            link = self._link_state(now_ns)
            up = link == "up"
            return Moment(
                link=link,
                silence_ns=self.link.silence_ns(now_ns),
                epoch=self._epoch,
                alerts=self._alerts if up or self._alerts is None else _unknown(self._alerts),
                t_ns=0 if self._alerts is None else self._alerts.t_ns + now_ns - self._alerts_ns,
                state=self._state if up and self._fresh(now_ns) else None,
                setup=self._setup,
                audio=self.audio,
                state_ns=self._state_ns,
            )

    def _link_state(self, now_ns: int) -> LinkState:
        if not self.link.ever:
            return "waiting"
        if not self.link.lost(now_ns) and self._alerts is not None:
            return "up"
        return "ended" if self._setup is not None and self._setup.message == SESSION_ENDED else "lost"

    def _fresh(self, now_ns: int) -> bool:
        """By the screen's own clock since the state came, and by what the core says of the age of its frames."""
        limit_ms = self.max_age_ms
        said_ms = self._alerts.health.frame_age_ms if self._alerts else None
        return now_ns - self._state_ns <= limit_ms * MS and (said_ms is None or said_ms <= limit_ms)

    def _answered(self, reply: Reply, now_ns: int) -> None:
        order = self._pending.pop(reply.id, (None, 0))[0]
        what = order_words(order) if order else printable(reply.id)
        text = f"done: {what}" if reply.ok else f"refused: {what} ({printable(reply.reason)})"
        self.words.append(Word(text, reply.ok, now_ns))

    def _report_unanswered(self, now_ns: int) -> None:
        late = [ident for ident, (_, sent_ns) in self._pending.items() if now_ns - sent_ns > ANSWER_WITHIN_NS]
        for ident in late:
            order, _ = self._pending.pop(ident)
            self.words.append(Word(f"no answer to: {order_words(order)}", False, now_ns))


def ordered(alerts: AlertSet | None) -> list[Alert | TechnicalAlarm]:
    """Alerts and technical alarms, the most pressing first; where priorities are equal, alerts before alarms, higher levels and older ones first."""
    if alerts is None:
        return []
    rows: list[Alert | TechnicalAlarm] = [
        *sorted(alerts.alerts, key=lambda a: (-rank(a.priority), -LEVELS.index(a.level), a.since_ns, a.id)),
        *sorted(alerts.technical, key=lambda a: (-rank(a.priority), a.since_ns, a.id)),
    ]
    return sorted(rows, key=lambda a: -rank(a.priority))


@dataclass
class Meant:
    """Which alert an operator means who presses a button without naming one: the top one, unless it got there too lately to have been read."""

    top: Alert | TechnicalAlarm | None = None
    before: Alert | TechnicalAlarm | None = None
    since_ns: int = 0

    def show(self, top: Alert | TechnicalAlarm | None, now_ns: int) -> None:
        """Note what is on top of the screen now."""
        if _identity(top) != _identity(self.top):
            self.before, self.since_ns = self.top, now_ns
        self.top = top

    def pick(self, now_ns: int) -> Alert | TechnicalAlarm | None:
        """The alert that is meant by an act at `now_ns`."""
        return self.before if self.before is not None and now_ns - self.since_ns < MEANT_NS else self.top


def _identity(row: Alert | TechnicalAlarm | None) -> tuple[str, str]:
    return ("", "") if row is None else (row.id, row.level if isinstance(row, Alert) else "")


def _unknown(alerts: AlertSet) -> AlertSet:
    """The set as it stands over a lost link: every number gone, every pair unknown, every lamp out."""
    health = alerts.health
    return msgspec.structs.replace(
        alerts,
        alerts=tuple(
            msgspec.structs.replace(a, known=False, status="STALE", distance_mm=None, bound_mm=None, sd_mm=None, speed_mm_s=None, passed_mm=None)
            for a in alerts.alerts
        ),
        pairs=tuple(msgspec.structs.replace(p, known=False, status="STALE") for p in alerts.pairs),
        health=msgspec.structs.replace(
            health, tracker="off", reference="off", registration="off", latency="off", recording="off", frame_age_ms=None, audio_paused_until_ns=None
        ),
    )
