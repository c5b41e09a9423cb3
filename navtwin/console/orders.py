"""From a pressed key, or from a scripted reaction, to an order."""

from __future__ import annotations

from navtwin.bus.words import subject_words
from navtwin.console.changes import Change
from navtwin.console.model import Memory
from navtwin.console.view import ordered_alarms, ordered_alerts
from navtwin.nouns import Ack, Alert, AudioPause, Freeze, Mark, Mute, TechnicalAlarm

AUDIO_PAUSE_S = 30.0
#: What came or rose within this time before the key was pressed cannot have been read: it is not what the operator meant.
MEANT_NS = 300_000_000
KEYS_LINE = "1-9 select  a acknowledge  m mute  p audio pause  k mark  f freeze  q quit"


def pressed(memory: Memory, key: str, now_ns: int) -> list[Change]:
    """Act on one key: orders go to the memory's outbox, what cannot be done is returned in words."""
    if key == "q":
        memory.over = True
    elif key in "123456789" and key:
        return _select(memory, int(key))
    elif key in ("a", "m", "p", "k", "f"):
        if memory.link != "up" or memory.alerts is None:
            memory.link_silenced = memory.link_silenced or key == "a"
            return [_note("the link is down: no order can be given" + ("; its bell is silenced" if key == "a" else ""))]
        return {"a": _acknowledge, "m": _mute, "p": _pause, "k": _mark, "f": _freeze}[key](memory, now_ns)
    return []


def react(memory: Memory, now_ns: int, after_ns: int) -> None:
    """Acknowledge what has been seen, at its present level, for `after_ns`: an operator with a fixed reaction time."""
    if memory.link != "up":
        return
    for (ident, level), seen_ns in memory.first_seen_ns.items():
        asked = any(isinstance(p.order, Ack) and p.order.alert == ident for p in memory.pending.values())
        if now_ns - seen_ns >= after_ns and not asked:
            memory.outbox.append(_ack(memory, ident, level))
            # Asked again only after another reaction time, should the answer be a refusal.
            memory.first_seen_ns[ident, level] = now_ns


def _ack(memory: Memory, ident: str, level: str) -> Ack:
    return Ack(epoch=memory.epoch, alert=ident, level=level or None)  # type: ignore[arg-type]


def _select(memory: Memory, number: int) -> list[Change]:
    ident = next((ident for ident, n in memory.numbers.items() if n == number), None)
    if ident is None:
        return [_note(f"nothing has the number {number}")]
    memory.selected = "" if memory.selected == ident else ident
    return []


def _acknowledge(memory: Memory, now_ns: int) -> list[Change]:
    assert memory.alerts is not None
    rows: list[Alert | TechnicalAlarm] = [*ordered_alerts(memory.alerts), *ordered_alarms(memory.alerts)]
    if memory.selected:
        row = next(row for row in rows if row.id == memory.selected)
    else:
        waiting = [row for row in rows if not row.acked_by]
        if not waiting:
            return [_note("nothing waits to be acknowledged")]
        # Stable: where priorities are equal, an alert comes before a technical alarm.
        row = min(waiting, key=lambda r: ("high", "medium", "low", "none").index(r.priority))
    level = row.level if isinstance(row, Alert) else ""
    if now_ns - memory.first_seen_ns.get((row.id, level), now_ns - MEANT_NS) < MEANT_NS:
        return [_note(f"{subject_words(row.id)} has only just come{f' to {level}' if level else ''}: press again")]
    memory.outbox.append(_ack(memory, row.id, level))
    memory.selected = ""
    return []


def _mute(memory: Memory, now_ns: int) -> list[Change]:
    assert memory.alerts is not None
    rows = [row for row in ordered_alerts(memory.alerts) if (row.id == memory.selected if memory.selected else row.level == "CAUTION")]
    if not rows:
        return [_note("technical alarms cannot be muted" if memory.selected else "nothing is at CAUTION; DANGER and CONTACT cannot be muted")]
    if rows[0].level != "CAUTION":
        return [_note(f"{subject_words(rows[0].id)} is at {rows[0].level}: only CAUTION can be muted")]
    memory.outbox.append(Mute(structure=rows[0].structure))
    return []


def _pause(memory: Memory, now_ns: int) -> list[Change]:
    assert memory.alerts is not None
    memory.outbox.append(AudioPause(seconds=AUDIO_PAUSE_S if memory.alerts.health.audio_paused_until_ns is None else 0.0))
    return []


def _mark(memory: Memory, now_ns: int) -> list[Change]:
    memory.marks += 1
    memory.outbox.append(Mark(label=f"mark {memory.marks}"))
    return []


def _freeze(memory: Memory, now_ns: int) -> list[Change]:
    assert memory.alerts is not None
    memory.frozen = None if memory.frozen else (memory.alerts, now_ns)
    memory.outbox.append(Freeze(on=memory.frozen is not None))
    return []


def _note(words: str) -> Change:
    return Change("reply", "NOTE", words, "none")
