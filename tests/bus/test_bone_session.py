"""A session's bone beside its loop: a client's is the core's to the bit, whatever it missed; the loop copies little, and waits for nobody."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.bus.bone import PERIOD_S, WHOLE_S, BoneClient, BonePatch, BoneServer, unpack_bone
from navtwin.errors import BusRefused
from navtwin.nouns import Drilling, Rig, encode
from navtwin.nouns.bone_stream import BoneBricks
from navtwin.record.drilled import DrilledLog
from navtwin.record.log import LogWriter
from navtwin.run import bone as bone_module
from navtwin.run.bone import BACKLOG, BoneWatch
from navtwin.run.bone_mirror import Copied, Mirror
from navtwin.run.core import Core
from navtwin.run.drilled import watch_of
from navtwin.run.launch import Settings, open_bone
from navtwin.scene.carvable import Carvable
from tests.record.drilling import WAYS, drill
from tests.twin.drill_world import DrillWorld, bone_scene, drill_rig
from tests.twin.world import HEADER, MS, small_rig


class Room:
    """A world that is drilled, with its watch, whose thread a test plays by hand; and a client with whole bone of its own."""

    def __init__(self, *, watched: bool = True) -> None:
        self.world = DrillWorld()
        drilled = self.world.memory.drilled
        assert drilled is not None
        self.drilled = drilled
        core: Any = SimpleNamespace(
            memory=self.world.memory, scene=self.world.scene, header=HEADER, seq=1, last_ns=None, recording=False, keep_bone=lambda *_: None
        )
        server: Any = SimpleNamespace(port=0, watched=watched, publish=self._publish)
        self.core = core
        self.watch = BoneWatch(server, core, drilled, print)
        self.watch._is_watched = watched
        self.mine = Carvable.of(self.world.scene.structures[1], self.world.scene.case_hash)
        self.sent: list[BonePatch] = []

    def _publish(self, header: BoneBricks, cells: bytes) -> int:
        frames = [b"bone", encode(header), cells]
        self.sent.append(unpack_bone(frames))
        return sum(map(len, frames))

    def look(self) -> None:
        """A turn of the loop, 50 ms on."""
        self.watch._next_ns = 0
        self.watch.look()

    def turn(self) -> BonePatch:
        """A turn of the loop and one of the thread: the message that goes out."""
        self.look()
        self.watch._take()
        assert self.watch._last is not None
        self.watch._publish(self.watch._last)
        return self.sent[-1]

    def receive(self, patch: BonePatch) -> bool:
        """Lay a message over the client's bone; whether that is now the core's."""
        self.mine.put(np.array(patch.header.bricks, np.int64), patch.cells, patch.doubts)
        return self.mine.hash == patch.header.hash and self.mine.doubtful == patch.header.doubtful

    def drill(self, way: int, frames: int = 10) -> Iterator[None]:
        start, end = WAYS[way]
        self.world.pedal(True)
        for n in range(frames + 1):
            self.world.frame(tuple(a + (b - a) * n / frames for a, b in zip(start, end, strict=True)))  # type: ignore[arg-type]
            yield

    def is_the_same(self) -> bool:
        core = self.drilled.bone
        bricks = np.arange(core.bricks.table.size)
        return self.mine.hash == core.hash and bool((self.mine.doubts(bricks) == core.doubts(bricks)).all())


@pytest.fixture
def room() -> Room:
    return Room()


def test_a_client_that_hears_all_has_the_bone_after_every_message(room: Room) -> None:
    assert room.receive(room.turn())
    for _ in room.drill(0):
        assert room.receive(room.turn())
    assert len(room.mine.changed) > 3
    assert room.sent[-1].header.changed == len(room.mine.changed)
    assert room.sent[-1].header.revision == room.drilled.bone.revision
    assert (room.sent[-1].header.epoch, room.sent[-1].header.structure, room.sent[-1].header.side_mm) == ("test-session", "bone", 0.5)


def test_doubt_is_told_as_bone_is_and_so_is_its_end(room: Room) -> None:
    for _ in room.drill(0):
        room.receive(room.turn())
    bone = room.drilled.bone
    bone.doubt((0.0, 0.0, -5.0), (0.0, 0.0, -5.0), 3.0)
    room.receive(room.turn())
    assert room.is_the_same()
    assert bone.doubtful > 0.0
    bone.settle((0.0, 0.0, -5.0), 6.0)
    room.receive(room.turn())
    assert room.is_the_same()
    assert bone.doubtful == 0.0


def test_what_is_taken_back_is_sent_as_it_was(room: Room) -> None:
    for way in (0, 1):
        for _ in room.drill(way):
            room.receive(room.turn())
        room.world.pedal(False)
        room.world.hold(None, 5)
        room.world.idle(600.0)
    many = len(room.drilled.bone.changed)
    assert room.world.order(Drilling(action="undo")).ok
    assert room.receive(room.turn())
    assert len(room.mine.changed) < many
    # Who missed it is told again: such bricks go round with those that differ.
    late = Carvable.of(room.world.scene.structures[1], room.world.scene.case_hash)
    bricks = {brick for _ in range(round(WHOLE_S / PERIOD_S)) for brick in room.turn().header.bricks}
    assert len(bricks) >= many > len(late.changed)


def test_who_comes_late_has_all_of_it_within_so_many_messages(room: Room) -> None:
    for way in (0, 1, 3):
        for _ in room.drill(way):
            room.turn()
    assert not any(room.receive(room.turn()) for _ in range(3))
    known = [room.receive(room.turn()) for _ in range(round(WHOLE_S / PERIOD_S))]
    assert known[-1]
    assert room.is_the_same()


@given(heard=st.lists(st.booleans(), min_size=1, max_size=40))
@settings(max_examples=25, deadline=None)
def test_lost_messages_are_made_up_for(heard: list[bool]) -> None:
    """On the mirror alone: bricks of one byte each, which change while messages are lost, then stay."""
    mirror, core, client = Mirror(), dict[int, int](), dict[int, int]()

    def send() -> dict[int, int]:
        return {brick: core[brick] for brick in mirror.next_bricks()}

    for n, is_heard in enumerate(heard):
        bricks = np.unique([n % 7, n % 5 + 3, n])
        core.update(dict.fromkeys(bricks.tolist(), n))
        count = len(bricks)
        cells, doubts = np.zeros((count, 16, 16, 16), np.int8), np.zeros(count, np.uint64)
        mirror.take(Copied(n, "", n, 0.0, bricks, cells, doubts, np.ones(count, np.bool_), None))
        message = send()
        client.update(message if is_heard else {})
    for _ in range(round(WHOLE_S / PERIOD_S)):
        client.update(send())
    assert client == core


def test_a_large_change_is_copied_over_several_turns_and_believed_at_its_end(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bone_module, "MOST_COPIED", 4)
    source = DrillWorld(register=False)
    drill(source, 2)
    assert source.memory.drilled is not None
    room.drilled.bone.take(source.memory.drilled.bone.state())
    many = len(room.drilled.bone.touched)
    known = list[bool]()
    while not known or not known[-1]:
        patch = room.turn()
        known.append(room.receive(patch))
        assert len(known) < 99
        assert patch.header.hash == room.drilled.bone.hash
    assert len(known) == -(-many // 4) > 2
    assert room.is_the_same()


def test_nothing_is_copied_while_nobody_looks_and_nothing_is_recorded() -> None:
    room = Room(watched=False)
    for _ in room.drill(0):
        room.look()
    assert not room.watch._handed
    room.watch._is_watched = True
    assert room.receive(room.turn())


def test_a_thread_that_hangs_is_handed_no_more_than_a_little(room: Room) -> None:
    for way in (0, 1, 3):
        for _ in room.drill(way, 30):
            room.look()
    assert len(room.watch._handed) == BACKLOG
    room.receive(room.turn())
    assert room.receive(room.turn())


def test_the_loop_looks_no_more_than_every_50_ms(room: Room) -> None:
    room.watch.look()
    for _ in room.drill(0, 3):
        room.watch.look()
    assert len(room.watch._handed) == 1


def test_bone_that_is_still_costs_a_header(room: Room) -> None:
    room.turn()
    patch = room.turn()
    assert patch.header.bricks == ()
    assert not room.watch._handed
    assert room.receive(patch)


# In the log


def test_the_bone_is_kept_every_half_minute_of_the_session_and_at_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bone_module, "KEEP_NS", 1_000 * MS)
    source = DrillWorld(register=False)
    drill(source)
    log = LogWriter(tmp_path / "kept.mcap", live=False)
    core = Core(source.scene, source.rig, HEADER, publish=lambda *_: None, answer=lambda *_: None, log=log)
    server: Any = SimpleNamespace(port=0, watched=False)
    watch = watch_of(core, server, print)
    assert watch is not None
    assert core.memory.drilled is not None
    hashes = {}
    for event in source.events:
        core.take(event.t_ns, event.body)
        hashes[core.seq] = core.memory.drilled.bone.hash
        watch._next_ns = 0
        watch.look()
        watch._take()
    before_ns = source.events[-1].t_ns - source.events[0].t_ns
    watch._drilled.bone.doubt((0.0, 0.0, -5.0), (0.0, 0.0, -5.0), 3.0)
    watch.finish()
    # The thread was played by hand, and so is its last turn.
    watch._take()
    watch._deliver()
    log.finish()
    told = DrilledLog.read(tmp_path / "kept.mcap")
    assert len(told.kept) in (round(before_ns / (1_000 * MS)), round(before_ns / (1_000 * MS)) + 1)
    assert [kept.state.hash for kept in told.kept] == [hashes[kept.seq] for kept in told.kept]
    assert told.kept[-1].seq == told.last_seq
    last = core.memory.drilled.bone.state(HEADER.session, stretch=4, undone=1, trespasses=core.memory.drilled.trespasses())
    assert told.kept[-1].state == last


def test_a_disk_that_fails_ends_neither_the_session_nor_the_stream(room: Room) -> None:
    room.core.recording, room.core.last_ns = True, 1
    for _ in room.drill(0):
        room.look()
    room.core.recording = False
    room.watch.finish()
    assert room.receive(room.turn())


# Over real sockets


def until(found: Callable[[], bool]) -> None:
    end = time.monotonic() + 10.0
    while not found():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.005)


def test_a_screen_that_joins_in_the_midst_of_drilling_has_the_cores_bone() -> None:
    room = Room(watched=False)
    server = BoneServer(port=0)
    said = list[str]()
    watch = BoneWatch(server, room.core, room.drilled, said.append)
    client = None
    try:
        port = watch.begin()
        for _ in room.drill(0):
            watch.look()
        client = BoneClient(port=port)
        drilling = room.drill(1, 40)

        def is_mirrored() -> bool:
            next(drilling, None)
            watch.look()
            assert client is not None
            return [room.receive(patch) for patch in client.take(10)][-1:] == [True] and room.is_the_same() and next(drilling, "over") == "over"

        until(is_mirrored)
        assert (client.malformed, said) == (0, [])
        client.close()
        until(lambda: not watch._is_watched)
    finally:
        watch.close()
        server.close()
        if client is not None:
            client.close()


# The port


def opened(rig: Rig | None = None, carve_mm: float | None = 0.5, **given: Any) -> BoneServer | None:
    wanted = Settings(case=Path("case"), source="camera:0", **{"pub_port": 0, "command_port": 0, **given})
    return open_bone(wanted, bone_scene(carve_mm=carve_mm), rig or drill_rig())


def test_where_nothing_can_be_drilled_no_port_is_opened() -> None:
    assert opened(small_rig()) is None
    assert opened(carve_mm=None) is None
    assert watch_of(SimpleNamespace(memory=SimpleNamespace(drilled=None)), None, print) is None  # type: ignore[arg-type]


def test_the_port_lies_three_above_where_alerts_are_published() -> None:
    held = BoneServer(port=0)
    try:
        with pytest.raises(BusRefused, match=f"port {held.port} on 127.0.0.1 is in use.*--bone-port N"):
            opened(pub_port=held.port - 3)
        with pytest.raises(BusRefused, match="--bone-port N"):
            opened(bone_port=held.port)
        free = opened()
        assert free is not None
        assert free.port not in (0, held.port)
        free.close()
    finally:
        held.close()


def test_beyond_this_machine_bone_needs_keys_as_warnings_do() -> None:
    with pytest.raises(BusRefused, match="navtwin keys new core"):
        opened(bind="0.0.0.0")
