"""What the console shows, as plain values: everything but colours and columns."""

from __future__ import annotations

from dataclasses import dataclass

from navtwin.bus.signals import rank
from navtwin.bus.words import distance_words, duration_words, level_words, passing_words, printable, speed_words, subject_words, verified_words
from navtwin.console.model import Memory
from navtwin.nouns import LEVELS, Alert, AlertSet, Lamp, PairSummary, Priority, TechnicalAlarm


@dataclass(frozen=True)
class Row:
    """One alert or technical alarm, in words.

    Attributes
    ----------
    number : the digit that selects it, None beyond nine
    limit, distance, speed : empty where unknown
    answer : who acknowledged it, or why it is silent
    """

    number: int | None
    priority: Priority
    level: str
    subject: str
    distance: str
    limit: str
    speed: str
    since: str
    answer: str
    selected: bool
    waiting: bool
    text: str = ""


@dataclass(frozen=True)
class View:
    """One screenful.

    Attributes
    ----------
    lamps : (name, state, detail); state None is unknown
    link : waiting, up or lost, with `silence` in words
    watched, unknown : how many pairs of instruments in use there are, and of how many of them the distance is not known
    put_away : instruments that are neither selected nor seen near anything
    """

    who: str
    epoch: str
    phase: str
    link: str
    silence: str
    trouble: str
    lamps: tuple[tuple[str, Lamp | None, str], ...]
    technical: tuple[Row, ...]
    alerts: tuple[Row, ...]
    watched: int
    unknown: int
    paused: str
    muted: tuple[str, ...]
    frozen: str
    setup: str
    put_away: tuple[str, ...] = ()


def ordered_alerts(alerts: AlertSet) -> list[Alert]:
    """By priority, then level, then whether known, then id."""
    return sorted(alerts.alerts, key=lambda a: (-rank(a.priority), -LEVELS.index(a.level), a.known, a.id))


def ordered_alarms(alerts: AlertSet) -> list[TechnicalAlarm]:
    """By priority, then id."""
    return sorted(alerts.technical, key=lambda a: (-rank(a.priority), a.id))


def view(memory: Memory, now_ns: int) -> View:
    """The screen at the receiver's `now_ns`. A lost link turns every alert into what it was last, and every lamp dark."""
    lost = memory.link != "up"
    shown, shown_ns = memory.frozen if memory.frozen else (memory.alerts, now_ns)
    alerts = ordered_alerts(shown) if shown else []
    technical = ordered_alarms(memory.alerts) if memory.alerts else []
    live_ns = memory.logical_ns(now_ns)
    t_ns = shown.t_ns if shown and memory.frozen else live_ns
    health = memory.alerts.health if memory.alerts else None
    pairs = memory.alerts.pairs if memory.alerts else ()
    selected = health.selected if health else ()
    in_use = [pair for pair in pairs if pair.known or pair.level not in (None, "CLEAR") or instrument_of(pair) in selected]
    paused_until = health.audio_paused_until_ns if health else None
    return View(
        who=memory.who,
        epoch=printable(memory.epoch),
        phase=memory.alerts.phase if memory.alerts else "",
        link=memory.link,
        silence=duration_words(now_ns - memory.silent_since_ns),
        trouble=memory.trouble,
        lamps=_lamps(memory, live_ns, lost=lost),
        technical=tuple(_technical_row(memory, alarm, live_ns, lost=lost) for alarm in technical),
        alerts=tuple(_alert_row(memory, alert, t_ns, lost=lost) for alert in alerts),
        watched=len(in_use),
        unknown=sum(1 for pair in in_use if lost or not pair.known),
        put_away=tuple(sorted({instrument_of(pair) for pair in pairs if pair not in in_use})),
        paused="" if paused_until is None or lost else duration_words(paused_until - live_ns),
        muted=tuple(printable(name) for name in health.muted) if health and not lost else (),
        frozen=duration_words(now_ns - shown_ns) if memory.frozen else "",
        setup=printable(memory.setup.message) if memory.setup else "",
    )


def _lamps(memory: Memory, t_ns: int, *, lost: bool) -> tuple[tuple[str, Lamp | None, str], ...]:
    health = memory.alerts.health if memory.alerts and not lost else None
    details = {"registration": verified_words(health, t_ns) if health else ""}
    details["latency"] = "" if health is None or health.frame_age_ms is None else f"{health.frame_age_ms:.0f} ms"
    link: Lamp = "bad" if memory.link == "lost" else "ok" if memory.link == "up" else "off"
    others = ("tracker", "reference", "registration", "latency", "recording")
    fault = memory.audio_fault
    audio: Lamp = "bad" if fault else "ok"
    return (
        ("link", link, ""),
        *((("audio", audio, "(bell)" if fault else ""),) if fault is not None else ()),
        *((name, getattr(health, name) if health else None, details.get(name, "")) for name in others),
    )


def _alert_row(memory: Memory, alert: Alert, t_ns: int, *, lost: bool) -> Row:
    known = alert.known and not lost
    return Row(
        number=memory.numbers.get(alert.id),
        priority=alert.priority,
        level=level_words(alert, link_lost=lost),
        subject=subject_words(alert.id),
        distance=", ".join(w for w in (passing_words(alert.passed_mm), distance_words(alert.distance_mm, alert.sd_mm)) if w) if known else "",
        limit=f"limit {alert.limit_mm:.1f} mm" if known else "",
        speed=speed_words(alert.speed_mm_s) if known else "",
        since=duration_words(t_ns - alert.since_ns),
        answer=f"acked by {printable(alert.acked_by)}" if alert.acked_by else "silenced" if alert.silenced else "",
        selected=alert.id == memory.selected,
        waiting=not alert.silenced,
    )


def _technical_row(memory: Memory, alarm: TechnicalAlarm, t_ns: int, *, lost: bool) -> Row:
    return Row(
        number=memory.numbers.get(alarm.id),
        priority=alarm.priority,
        level="was" if lost else alarm.priority.upper(),
        subject=subject_words(alarm.id),
        distance="",
        limit="",
        speed="",
        since=duration_words(t_ns - alarm.since_ns),
        answer=f"acked by {printable(alarm.acked_by)}" if alarm.acked_by else "silenced" if alarm.silenced else "",
        selected=alarm.id == memory.selected,
        waiting=not alarm.silenced,
        text=f"{printable(alarm.text)}; {printable(alarm.remedy)}" if alarm.remedy else printable(alarm.text),
    )


def instrument_of(pair: PairSummary) -> str:
    """The instrument in a pair's id `structure/instrument/part`."""
    return printable(pair.id.split("/")[1])
