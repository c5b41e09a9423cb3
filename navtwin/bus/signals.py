"""What each priority looks and sounds like: pure functions of time.

Modelled on IEC 60601-1-8:2006+A1 (clause 6.3.2 indicator lights: colour, flash rate, duty; clause 6.3.3 auditory signals: pulses in a burst, their
spacing, time between bursts). A model of its patterns, no claim to meet it.
"""

from __future__ import annotations

from dataclasses import dataclass

from navtwin.nouns import Alert, AlertSet, Priority

MS = 1_000_000


@dataclass(frozen=True)
class Signal:
    """One priority.

    Attributes
    ----------
    color : name of the indicator's colour; rgb : the same as #rrggbb
    flash_hz : 0 is steady; duty : share of the period in which it is lit
    pulses_ms : onsets of the pulses within one burst; repeat_ms : from one burst's begin to the next
    """

    color: str
    rgb: str
    flash_hz: float
    duty: float
    pulses_ms: tuple[int, ...]
    repeat_ms: int


SIGNALS: dict[Priority, Signal] = {
    # Twice "three, then two", as the standard groups the ten.
    "high": Signal("red", "#ff3b30", 2.0, 0.5, (0, 250, 500, 1000, 1250, 1900, 2150, 2400, 2900, 3150), 7000),
    "medium": Signal("yellow", "#ffd60a", 0.6, 0.5, (0, 400, 800), 10_000),
    "low": Signal("cyan", "#32d0ff", 0.0, 1.0, (0,), 20_000),
    "none": Signal("white", "#c8c8c8", 0.0, 1.0, (), 0),
}
_RANK: dict[Priority, int] = {"none": 0, "low": 1, "medium": 2, "high": 3}


def rank(priority: Priority) -> int:
    """0 for none to 3 for high."""
    return _RANK[priority]


def flash_on(priority: Priority, t_ns: int) -> bool:
    """Whether the indicator of `priority` is lit at `t_ns`; all of one priority flash together."""
    signal = SIGNALS[priority]
    if signal.flash_hz == 0.0:
        return True
    return (t_ns * signal.flash_hz / 1e9) % 1.0 < signal.duty


def pulses_between(priority: Priority, begun_ns: int, after_ns: int, until_ns: int) -> int:
    """How many sound pulses fall into (after, until], for a signal whose first pulse is at `begun_ns`."""
    return _pulses_until(priority, until_ns - begun_ns) - _pulses_until(priority, after_ns - begun_ns)


def _pulses_until(priority: Priority, elapsed_ns: int) -> int:
    signal = SIGNALS[priority]
    if elapsed_ns < 0 or not signal.pulses_ms:
        return 0
    bursts, rest_ns = divmod(elapsed_ns, signal.repeat_ms * MS)
    return bursts * len(signal.pulses_ms) + sum(1 for pulse_ms in signal.pulses_ms if pulse_ms * MS <= rest_ns)


def breaks_through(alert: Alert, pause_began_ns: int) -> bool:
    """True for a CONTACT, not acknowledged, that is new or has risen since an audio pause began: no pause silences it."""
    return alert.level == "CONTACT" and not alert.acked_by and alert.since_ns >= pause_began_ns


def sounding(alerts: AlertSet, pause_began_ns: int | None) -> dict[tuple[str, str], Priority]:
    """What is to be heard: {(id, level): priority}. Silenced alerts are not, unless they break through the pause (`pause_began_ns`, logical time)."""
    heard: dict[tuple[str, str], Priority] = {}
    for alert in alerts.alerts:
        if not alert.silenced or (pause_began_ns is not None and breaks_through(alert, pause_began_ns)):
            heard[alert.id, alert.level] = alert.priority
    for alarm in alerts.technical:
        if not alarm.silenced:
            heard[alarm.id, ""] = alarm.priority
    return {key: priority for key, priority in heard.items() if priority != "none"}


@dataclass
class Bell:
    """When pulses are due, given what is to be heard: a fold of its own that every client may use.

    A burst begins anew when something is heard that was not heard before and that weighs as much as all else, or when the top priority changes.
    """

    priority: Priority = "none"
    begun_ns: int = 0
    last_ns: int = 0
    keys: frozenset[tuple[str, str]] = frozenset()

    def due(self, heard: dict[tuple[str, str], Priority], now_ns: int) -> int:
        """The pulses due since the last call."""
        top: Priority = max(heard.values(), key=rank, default="none")
        fresh = any(priority == top for key, priority in heard.items() if key not in self.keys)
        if fresh or top != self.priority:
            self.priority, self.begun_ns, self.last_ns = top, now_ns, now_ns - 1
        count = pulses_between(self.priority, self.begun_ns, self.last_ns, now_ns)
        self.keys, self.last_ns = frozenset(heard), now_ns
        return count
