"""The impure part of the console: it owns the socket, the clock, the terminal and the journal, and only feeds the model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from navtwin.bus.client import Client
from navtwin.bus.topics import LINK_LOST_MS
from navtwin.bus.words import order_words
from navtwin.console import model, orders
from navtwin.console.changes import Change
from navtwin.console.journal import Journal
from navtwin.console.model import Memory
from navtwin.errors import BusRefused
from navtwin.sound.sounder import Sounder

#: How long one turn may wait for a message: a lost link, a key and a pulse are noticed this fast.
TURN_MS = 20
#: Messages taken in one turn, so that a flood cannot keep keys and clock from being looked at.
MESSAGES_PER_TURN = 64


class Output(Protocol):
    """A screen or lines of text."""

    def show(self, memory: Memory, changes: list[Change], now_ns: int, pulses: int) -> None: ...


@dataclass(frozen=True)
class Manner:
    """How this console behaves.

    Attributes
    ----------
    auto_ack_ns : reaction time of its automatic acknowledgements, None for none
    until_end : it leaves with the session
    bell : there is a terminal to ring
    """

    auto_ack_ns: int | None = None
    until_end: bool = False
    bell: bool = True


def attend(
    client: Client,
    output: Output,
    read_keys: Callable[[], list[str]],
    clock: Callable[[], int],
    manner: Manner,
    journal: Journal | None,
    sounder: Sounder | None = None,
) -> None:
    """Attend to the core until `q`, or until the session ends where `manner.until_end` says so. The bell rings where no loudspeaker plays."""
    memory = Memory(who=client.who, has_bell=manner.bell)
    while not memory.over:
        changes = _take_messages(memory, client, clock, journal)
        now_ns = clock()
        changes += model.passed(memory, now_ns, lost=client.link_lost(now_ns), silence_ns=client.link.silence_ns(now_ns), trouble=client.trouble)
        if sounder:
            changes += model.sound_is(memory, sounder.fault, now_ns)
        for key in read_keys():
            changes += orders.pressed(memory, key, now_ns)
        if manner.auto_ack_ns is not None:
            orders.react(memory, now_ns, manner.auto_ack_ns)
        changes += _send(memory, client, clock, journal)
        pulses = model.pulses(memory, now_ns)
        if sounder:
            sounder.hear(model.to_hear(memory))
        output.show(memory, changes, now_ns, 0 if memory.audio_fault == "" else pulses)
        if memory.ended and manner.until_end:
            return


def _take_messages(memory: Memory, client: Client, clock: Callable[[], int], journal: Journal | None) -> list[Change]:
    changes: list[Change] = []
    for n in range(MESSAGES_PER_TURN):
        message = client.receive(0 if n else _patience_ms(client, clock()))
        if message is None:
            break
        now_ns = clock()
        if journal:
            journal.received(*message, now_ns)
        changes += model.heard(memory, *message, now_ns)
    return changes


def _patience_ms(client: Client, now_ns: int) -> int:
    """One turn, or less where the link would be lost before its end: that is to be said at once."""
    left_ms = LINK_LOST_MS - client.link.silence_ns(now_ns) // 1_000_000
    return min(TURN_MS, left_ms) if left_ms > 0 else TURN_MS


def _send(memory: Memory, client: Client, clock: Callable[[], int], journal: Journal | None) -> list[Change]:
    changes: list[Change] = []
    for order in model.take_orders(memory):
        try:
            ident = client.send(order)
        except BusRefused as refusal:
            changes.append(Change("reply", "NOT SENT", f"{order_words(order)}: {refusal.problem}", "medium"))
            continue
        now_ns = clock()
        model.sent(memory, ident, order, now_ns)
        if journal:
            journal.sent(ident, order, now_ns)
    return changes
