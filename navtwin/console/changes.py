"""What differs between two alert sets, one line each: the console's news."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from navtwin.bus.words import alert_words, duration_words, name_words, printable, subject_words, technical_words
from navtwin.nouns import LEVELS, Alert, AlertSet, Lamp, Priority, TechnicalAlarm

LAMP_PRIORITY: dict[Lamp, Priority] = {"ok": "none", "off": "low", "warn": "low", "bad": "medium"}
LAMP_WORDS: dict[Lamp, str] = {"ok": "good", "off": "off", "warn": "poor", "bad": "BAD"}


@dataclass(frozen=True)
class Change:
    """One line of news.

    Attributes
    ----------
    verb : RAISED, RISEN, FELL, CLEARED ...; words : the rest of the line
    worsens : something the operator had not been told before and must see
    """

    kind: Literal["alert", "technical", "link", "switch", "reply", "session"]
    verb: str
    words: str
    priority: Priority
    worsens: bool = False


def between(old: AlertSet | None, new: AlertSet) -> list[Change]:
    """The news in `new` against `old` (None: everything in it is news)."""
    before = {alert.id: alert for alert in old.alerts} if old else {}
    now = {alert.id: alert for alert in new.alerts}
    changes = [change for ident, alert in now.items() for change in _alert_changes(before.get(ident), alert, new.t_ns)]
    changes += [_cleared(alert, new) for ident, alert in before.items() if ident not in now]
    alarms_before = {alarm.id: alarm for alarm in old.technical} if old else {}
    alarms_now = {alarm.id: alarm for alarm in new.technical}
    changes += [change for ident, alarm in alarms_now.items() for change in _alarm_changes(alarms_before.get(ident), alarm, new.t_ns)]
    for ident, alarm in alarms_before.items():
        if ident not in alarms_now:
            words = f"{subject_words(ident)}, after {duration_words(new.t_ns - alarm.since_ns)}"
            changes.append(Change("technical", "ENDED", words, "none"))
    return changes + _switch_changes(old, new)


def _alert_changes(old: Alert | None, new: Alert, t_ns: int) -> list[Change]:
    words = alert_words(new, t_ns)
    changes: list[Change] = []
    if old is None:
        changes.append(Change("alert", "RAISED", words, new.priority, worsens=True))
    elif LEVELS.index(new.level) > LEVELS.index(old.level):
        changes.append(Change("alert", "RISEN", f"{words}, was {old.level}", new.priority, worsens=True))
    elif LEVELS.index(new.level) < LEVELS.index(old.level):
        changes.append(Change("alert", "FELL", f"{words}, was {old.level}", new.priority))
    if old is not None and old.known and not new.known:
        changes.append(Change("alert", "UNKNOWN", words, new.priority, worsens=True))
    elif old is not None and new.known and not old.known and not changes:
        changes.append(Change("alert", "KNOWN", words, new.priority))
    if new.acked_by and (old is None or old.acked_by != new.acked_by or old.level != new.level):
        changes.append(Change("alert", "ACKED", f"{subject_words(new.id)} at {new.level}, by {printable(new.acked_by)}", "none"))
    elif old is not None and old.acked_by and not new.acked_by and old.level == new.level:
        changes.append(Change("alert", "ACK ENDED", words, new.priority, worsens=True))
    return changes


def _cleared(old: Alert, new: AlertSet) -> Change:
    pair = next((pair for pair in new.pairs if pair.id == old.id), None)
    if pair is not None and (not pair.known or pair.level is None):
        return Change("alert", "DROPPED", f"{subject_words(old.id)}: UNKNOWN, was {old.level}", old.priority, worsens=True)
    return Change("alert", "CLEARED", f"{subject_words(old.id)}, was {old.level} for {duration_words(new.t_ns - old.since_ns)}", "none")


def _alarm_changes(old: TechnicalAlarm | None, new: TechnicalAlarm, t_ns: int) -> list[Change]:
    changes: list[Change] = []
    if old is None or old.priority != new.priority:
        changes.append(Change("technical", "ALARM", technical_words(new, t_ns), new.priority, worsens=True))
    if new.acked_by and (old is None or old.acked_by != new.acked_by):
        changes.append(Change("technical", "ACKED", f"{subject_words(new.id)}, by {printable(new.acked_by)}", "none"))
    return changes


def _switch_changes(old: AlertSet | None, new: AlertSet) -> list[Change]:
    changes: list[Change] = []
    if old is None or old.phase != new.phase:
        changes.append(Change("switch", "PHASE", new.phase, "none"))
    paused_before = old.health.audio_paused_until_ns if old else None
    if new.health.audio_paused_until_ns is not None and new.health.audio_paused_until_ns != paused_before:
        changes.append(Change("switch", "AUDIO PAUSED", f"for {duration_words(new.health.audio_paused_until_ns - new.t_ns)}", "low"))
    elif new.health.audio_paused_until_ns is None and paused_before is not None:
        changes.append(Change("switch", "AUDIO ON", "the pause is over", "none"))
    muted_before = old.health.muted if old else ()
    changes += [Change("switch", "MUTED", f"CAUTION at {name_words(name)}", "low") for name in new.health.muted if name not in muted_before]
    changes += [Change("switch", "UNMUTED", name_words(name), "none") for name in muted_before if name not in new.health.muted]
    for name in ("tracker", "reference", "registration", "latency", "recording"):
        lamp: Lamp = getattr(new.health, name)
        if lamp != (getattr(old.health, name) if old else "ok"):
            # A registration lamp that warns is no fault: a result is there and waits to be accepted.
            words = "registration: waiting to be accepted" if (name, lamp) == ("registration", "warn") else f"{name}: {LAMP_WORDS[lamp]}"
            changes.append(Change("switch", "LAMP", words, LAMP_PRIORITY[lamp]))
    return changes
