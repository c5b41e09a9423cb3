"""Sessions with drilling to test with: the world of a block of bone, recorded as a core does."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import msgspec

from navtwin.nouns import Accept, BoneState, Carved, Drilling, Header, ToolSelect, encode
from navtwin.record.log import LogWriter
from navtwin.twin import new_memory, step
from tests.twin.drill_world import DrillWorld
from tests.twin.world import HEADER

#: A drill's ways through the top of the block, mm: each is a stretch.
WAYS = (
    ((-8.0, -6.0, 0.5), (8.0, -6.0, 0.0)),
    ((-8.0, 0.0, 0.5), (8.0, 1.0, -1.0)),
    ((8.0, 6.0, 0.0), (-8.0, 5.0, -0.5)),
    ((0.0, -9.0, 0.0), (0.0, 9.0, 0.5)),
)
#: After how many ways the last of them is taken back.
TAKEN_BACK_AFTER = 3


@dataclass(frozen=True, repr=False)
class Drilled:
    """A session that was recorded.

    Attributes
    ----------
    states : the bone after each input
    changes : `seq` of the inputs that changed it
    """

    world: DrillWorld
    states: dict[int, BoneState]
    changes: tuple[int, ...]
    log: Path

    def t_ns(self, seq: int) -> int:
        return self.world.events[seq - 1].t_ns

    def state_at(self, t_ns: int) -> BoneState:
        """The bone after the last input up to a time: an order may come at the same time as a frame."""
        return self.states[max(event.seq for event in self.world.events if event.t_ns <= t_ns)]


def drill(world: DrillWorld, ways: int = len(WAYS)) -> None:
    """Register, and drill along `WAYS`; one is taken back on the way."""
    world.feed(world.result)
    assert world.order(Accept(result="registration")).ok
    assert world.order(ToolSelect(tools=("drill",))).ok
    for n, (start, end) in enumerate(WAYS[:ways], start=1):
        world.pedal(True)
        world.go(start, end, 10)
        world.pedal(False)
        world.go(end, (end[0], end[1], 20.0), 6)
        world.idle(600.0)
        if n == TAKEN_BACK_AFTER:
            assert world.order(Drilling(action="undo")).ok


def recorded(world: DrillWorld, log: Path, kept: Collection[int] = (), header: Header = HEADER) -> Drilled:
    """Play a world's inputs again into a log, with the bone kept after those inputs whose numbers are named."""
    header = msgspec.structs.replace(header, case_hash=world.scene.case_hash)
    memory = new_memory(world.scene, world.rig, header)
    states: dict[int, BoneState] = {}
    changes = []
    with LogWriter(log, live=False) as writer:
        writer.write_header(header)
        for event in world.events:
            messages = step(world.scene, memory, event)
            writer.write_event(event)
            writer.write_outputs(event.seq, event.t_ns, [(m.topic, encode(m.body)) for m in messages])
            drilled = memory.drilled
            assert drilled is not None
            if isinstance(event.body, BoneState) or any(m.topic == "carved" for m in messages):
                changes.append(event.seq)
            states[event.seq] = drilled.bone.state(header.session, stretch=drilled.stretch, undone=drilled.undone, trespasses=drilled.trespasses())
            if event.seq in kept:
                writer.write_bone(event.seq, event.t_ns, states[event.seq])
    return Drilled(world, states, tuple(changes), log)


def strokes_of(world: DrillWorld) -> list[Carved]:
    return [body for body in world.carved if isinstance(body, Carved)]
