"""What the operator's console knows: a fold of received messages and the receiver's own time. No socket, no clock, no terminal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from navtwin.bus.signals import Bell, rank, sounding
from navtwin.bus.words import duration_words, name_words, order_words, printable
from navtwin.console.changes import Change, between
from navtwin.nouns import AlertSet, Audio, Envelope, Freeze, Order, Priority, Reply, Setup, Topic
from navtwin.sound.choice import LINK_LOST, Wanted, wanted
from navtwin.sound.report import Report

MS = 1_000_000
#: An order that is not answered by then is reported.
ANSWER_WITHIN_NS = 1000 * MS
#: The core's last words.
SESSION_ENDED = "session ended"
LINK_ALARM = ("link", "")


@dataclass
class Pending:
    """An order that waits for its answer."""

    order: Order
    sent_ns: int


@dataclass
class Memory:
    """All that the console remembers.

    Attributes
    ----------
    link : `waiting` until the core is first heard, then `up` or `lost`
    alerts : the last set received, at `received_ns` (receiver's clock)
    frozen : the set shown while the picture is frozen, with the receiver's time of freezing
    numbers : which digit selects which alert; kept while the alert lasts, so that no digit changes its meaning under the finger
    has_bell : whether there is a terminal to ring where no loudspeaker plays
    audio_fault : why this console cannot be heard, "" if it can, None where it plays no sounds of its own
    outbox : orders to send
    """

    who: str
    link: Literal["waiting", "up", "lost"] = "waiting"
    trouble: str = ""
    silent_since_ns: int = 0
    link_silenced: bool = False
    warned: bool = False
    epoch: str = ""
    alerts: AlertSet | None = None
    received_ns: int = 0
    setup: Setup | None = None
    pause_began_ns: int | None = None
    frozen: tuple[AlertSet, int] | None = None
    numbers: dict[str, int] = field(default_factory=dict)
    selected: str = ""
    marks: int = 0
    first_seen_ns: dict[tuple[str, str], int] = field(default_factory=dict)
    pending: dict[str, Pending] = field(default_factory=dict)
    outbox: list[Order] = field(default_factory=list)
    bell: Bell = field(default_factory=Bell)
    has_bell: bool = True
    audio_fault: str | None = None
    audio_report: Report = field(default_factory=Report)
    ended: bool = False
    over: bool = False

    def logical_ns(self, now_ns: int) -> int:
        """The twin's time at the receiver's `now_ns`, as far as the last set tells."""
        return 0 if self.alerts is None else self.alerts.t_ns + now_ns - self.received_ns


def heard(memory: Memory, topic: Topic, envelope: Envelope, now_ns: int) -> list[Change]:
    """Take in one message; returns what changed, in words."""
    body = envelope.body
    changes: list[Change] = []
    if topic != "reply" and envelope.epoch != memory.epoch:
        changes += _new_session(memory, envelope.epoch)
    if isinstance(body, AlertSet):
        changes += _take_alerts(memory, body, now_ns)
    elif isinstance(body, Setup):
        changes += _take_setup(memory, body)
    elif isinstance(body, Reply):
        changes += _take_reply(memory, body)
    return changes


def passed(memory: Memory, now_ns: int, *, lost: bool, silence_ns: int, trouble: str = "") -> list[Change]:
    """Let time pass: judge the link, and orders without an answer."""
    changes: list[Change] = []
    if trouble and trouble != memory.trouble:
        changes.append(Change("link", "REFUSED", trouble, "high"))
    memory.trouble = trouble
    if lost and memory.ended and memory.link == "up":
        memory.link, memory.frozen = "waiting", None
        changes.append(Change("link", "LINK CLOSED", "the session has ended", "none"))
    elif lost and memory.link == "up":
        memory.link, memory.silent_since_ns, memory.link_silenced = "lost", now_ns - silence_ns, False
        memory.frozen = None
        words = f"nothing from the core for {duration_words(silence_ns)}: every distance is unknown"
        changes.append(Change("link", "LINK LOST", words, "high"))
    elif lost and memory.link == "waiting" and not memory.warned:
        memory.warned = True
        changes.append(Change("link", "NO LINK", "no core has been heard yet: every distance is unknown", "medium"))
    elif not lost and memory.link != "up" and memory.alerts is not None:
        words = "the core is heard" if memory.link == "waiting" else f"after {duration_words(now_ns - memory.silent_since_ns)} of silence"
        memory.link = "up"
        changes.append(Change("link", "LINK UP", words, "none"))
    for ident, pending in list(memory.pending.items()):
        if now_ns - pending.sent_ns > ANSWER_WITHIN_NS:
            del memory.pending[ident]
            changes.append(Change("reply", "NO ANSWER", f"to: {order_words(pending.order)}", "medium"))
    return changes


def sent(memory: Memory, ident: str, order: Order, now_ns: int) -> None:
    """Note an order that has left, so that its answer can be told."""
    memory.pending[ident] = Pending(order, now_ns)


def take_orders(memory: Memory) -> list[Order]:
    """The orders to send now."""
    orders, memory.outbox = memory.outbox, []
    return orders


def pulses(memory: Memory, now_ns: int) -> int:
    """Bell pulses due since the last call. A lost link sounds by itself; over it nothing else is known to sound."""
    if memory.link == "lost":
        lost: dict[tuple[str, str], Priority] = {} if memory.link_silenced else {LINK_ALARM: "high"}
        return memory.bell.due(lost, now_ns)
    return memory.bell.due(sounding(memory.alerts, memory.pause_began_ns) if memory.alerts else {}, now_ns)


def to_hear(memory: Memory) -> tuple[Wanted, ...]:
    """What the loudspeaker has to play: the same that the bell rings."""
    if memory.link == "lost":
        return () if memory.link_silenced else LINK_LOST
    return wanted(memory.alerts, memory.pause_began_ns) if memory.alerts else ()


def sound_is(memory: Memory, fault: str | None, now_ns: int) -> list[Change]:
    """Note whether the loudspeaker can be heard, and see that the core knows of it where it cannot."""
    old, memory.audio_fault = memory.audio_fault, fault
    order = memory.audio_report.due(fault, now_ns) if memory.link == "up" else None
    if order is not None:
        memory.outbox.append(order)
    if fault is None or fault == old:
        return []
    if fault:
        instead = "the terminal's bell rings instead" if memory.has_bell else "no alarm can be heard here"
        return [Change("switch", "NO SOUND", f"{printable(fault)}: {instead}", "medium", worsens=True)]
    return [Change("switch", "SOUND", "alarms are played by the loudspeaker", "none")]


def _new_session(memory: Memory, epoch: str) -> list[Change]:
    known = memory.epoch != ""
    memory.epoch = epoch
    memory.alerts = memory.setup = memory.frozen = memory.pause_began_ns = None
    memory.numbers, memory.first_seen_ns, memory.selected = {}, {}, ""
    memory.ended = False
    # Another core knows nothing of what the last one was told.
    memory.audio_report = Report()
    return [Change("session", "NEW SESSION" if known else "SESSION", printable(epoch), "low" if known else "none")]


def _take_alerts(memory: Memory, new: AlertSet, now_ns: int) -> list[Change]:
    old, memory.alerts, memory.received_ns = memory.alerts, new, now_ns
    changes = between(old, new)
    if new.health.audio_paused_until_ns is None:
        memory.pause_began_ns = None
    elif memory.pause_began_ns is None:
        memory.pause_began_ns = new.t_ns
    if memory.frozen and any(change.worsens for change in changes):
        # A frozen picture must not hide something new.
        memory.frozen = None
        memory.outbox.append(Freeze(on=False))
        changes.append(Change("switch", "UNFROZEN", "because of what is new", "none"))
    _number(memory, new)
    _note_reactions(memory, new, now_ns)
    return changes


def _number(memory: Memory, new: AlertSet) -> None:
    present = [alert.id for alert in sorted(new.alerts, key=lambda a: -rank(a.priority))] + [alarm.id for alarm in new.technical]
    memory.numbers = {ident: number for ident, number in memory.numbers.items() if ident in present}
    free = iter(sorted(set(range(1, 10)) - set(memory.numbers.values())))
    for ident in present:
        if ident not in memory.numbers and (number := next(free, None)) is not None:
            memory.numbers[ident] = number
    if memory.selected not in present:
        memory.selected = ""


def _note_reactions(memory: Memory, new: AlertSet, now_ns: int) -> None:
    """Since when each alert that waits for an answer has been seen at its level."""
    waiting: set[tuple[str, str]] = {(alert.id, alert.level) for alert in new.alerts if not alert.acked_by}
    waiting |= {(alarm.id, "") for alarm in new.technical if not alarm.acked_by and alarm.priority == "high"}
    memory.first_seen_ns = {key: memory.first_seen_ns.get(key, now_ns) for key in sorted(waiting)}


def _take_setup(memory: Memory, new: Setup) -> list[Change]:
    old, memory.setup = memory.setup, new
    if new.message == SESSION_ENDED:
        memory.ended = True
    if new.message and (old is None or old.message != new.message):
        return [Change("session", "SETUP", printable(new.message), "none")]
    return []


def _take_reply(memory: Memory, reply: Reply) -> list[Change]:
    pending = memory.pending.pop(reply.id, None)
    if pending is not None and isinstance(pending.order, Audio) and reply.ok:
        # Not the operator's own doing, and said every 2 s.
        return []
    what = order_words(pending.order) if pending else name_words(reply.id)
    if reply.ok:
        return [Change("reply", "DONE", what, "none")]
    return [Change("reply", "REFUSED", f"{what}: {printable(reply.reason)}", "low")]
