"""The whole pipeline in one process with no clock: for tests, benchmarks and everything that wants the fold flat out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from navtwin.nouns import (
    Event,
    EventBody,
    Header,
    Message,
    Notice,
    PivotRequest,
    RegistrationRequest,
    Rig,
    SourceItem,
    Tick,
    TrackerFrame,
    TrueSetup,
    Truth,
)
from navtwin.register.worker import answer
from navtwin.scene.model import Scene
from navtwin.twin import Memory, new_memory, step

TICK_NS = 10_000_000


def with_ticks(items: Iterable[SourceItem]) -> Iterator[tuple[int, EventBody]]:
    """The inputs of a recorded stream in session time, with a tick every 10 ms in between; truth is left out."""
    now: int | None = None
    next_tick = 0
    for item in items:
        if isinstance(item, Truth | TrueSetup):
            continue
        if isinstance(item, TrackerFrame):
            if now is None:
                next_tick = item.t_arrival_ns + TICK_NS
            while next_tick < item.t_arrival_ns:
                yield next_tick, Tick()
                next_tick += TICK_NS
            now = max(now if now is not None else item.t_arrival_ns, item.t_arrival_ns)
        yield now or 0, item


def simulate(
    scene: Scene, rig: Rig, items: Iterable[SourceItem], header: Header, look: Callable[[Memory, Event], None] = lambda memory, event: None
) -> Iterator[tuple[Event, list[Message]]]:
    """Run a recorded or scripted stream through the fold, answering its requests at once.

    Parameters
    ----------
    items : in time order; their own times are the session's
    look : called after each step with what the fold remembers then; it must change nothing
    """
    memory = new_memory(scene, rig, header)
    seq = 0
    t_ns = 0

    def feed(t_ns: int, body: EventBody) -> tuple[Event, list[Message]]:
        nonlocal seq
        seq += 1
        event = Event(seq=seq, t_ns=t_ns, body=body)
        messages = step(scene, memory, event)
        look(memory, event)
        return event, messages

    for at_ns, body in with_ticks(items):
        t_ns = max(t_ns, at_ns)
        event, messages = feed(t_ns, body)
        yield event, messages
        for message in messages:
            if isinstance(message.body, PivotRequest | RegistrationRequest):
                yield feed(t_ns, answer(message.body, scene))
    yield feed(t_ns, Notice(alarm="SOURCE_ENDED", active=True))
