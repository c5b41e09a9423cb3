"""The log alone rebuilds the drilled bone, to the bit; what is taken back is marked; a session may begin with the bone of another."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from navtwin.nouns import BoneState, BoneUndone, Carved, Drilling, Event, Part, decode_event, encode
from navtwin.scene.carvable import Carvable
from navtwin.twin import new_memory, step
from tests.twin.drill_world import BURR_MM, DrillWorld, bone_scene, drill_rig
from tests.twin.world import HEADER

START = (0.0, 0.0, 3.0)


def session(rig=None, seed: int = 7) -> DrillWorld:  # type: ignore[no-untyped-def]
    """A minute in short: strokes with a trembling hand, glances away, a jump, silences, a pause, an undo."""
    w = DrillWorld(rig=rig or drill_rig())
    chance = random.Random(seed)
    w.pedal(True)
    w.hold(START, 2)
    at = list(START)
    for n in range(240):
        for k in range(3):
            at[k] += chance.gauss(0.0, 0.3)
        at[2] = min(3.0, max(-5.0, at[2] - 0.05))
        w.frame(None if n % 37 == 5 or 100 < n < 112 else (at[0], at[1], at[2]))
        if n == 60:
            w.frame((9.0, 9.0, -9.0))
        elif n == 130:
            assert w.order(Drilling(action="pause")).ok
        elif n == 140:
            assert w.order(Drilling(action="resume")).ok
        elif n in (170, 200):
            w.pedal(n == 200)
        elif n == 190:
            assert w.order(Drilling(action="undo")).ok
    return w


def replayed(w: DrillWorld, events: list[Event]) -> list[bytes]:
    memory = new_memory(w.scene, w.rig, HEADER)
    return [encode(m) for event in events for m in step(w.scene, memory, event)]


def test_the_same_events_give_the_same_bone_and_the_same_words_to_the_bit() -> None:
    w = session()
    assert len(w.carved) > 50
    once, twice = replayed(w, w.events), replayed(w, [decode_event(encode(event)) for event in w.events])
    assert once == twice
    assert w.bone.hash.encode() in once[-1] or any(w.bone.hash.encode() in said for said in once[-3:])


def test_two_sessions_side_by_side_share_no_bone() -> None:
    w = session()
    a, b = new_memory(w.scene, w.rig, HEADER), new_memory(w.scene, w.rig, HEADER)
    said: tuple[list[bytes], list[bytes]] = ([], [])
    for event in w.events:
        for memory, heard in zip((a, b), said, strict=True):
            heard += [encode(m) for m in step(w.scene, memory, event)]
    assert said[0] == said[1] == replayed(w, w.events)


CUTTERS: dict[str, dict[str, Any]] = {
    "sphere": {},
    "pear": {"profile": "pear", "length_mm": 3.0, "neck_radius_mm": 1.0},
    "cylinder": {"profile": "cylinder", "length_mm": 2.0},
}


@pytest.mark.parametrize("cutter", CUTTERS.values(), ids=CUTTERS)
def test_its_strokes_cut_again_give_the_same_bone(cutter: dict[str, Any]) -> None:
    w = session(drill_rig(**cutter))
    bone = Carvable.of(w.scene.structure("bone"), w.scene.case_hash)
    tool = w.rig.tool[0].cutter
    assert tool is not None
    stretch = 0
    undone = 0
    for said in w.carved:
        if isinstance(said, BoneUndone):
            assert bone.undo_stretch()
            undone += 1
        else:
            if said.stretch != stretch:
                bone.begin_stretch()
                stretch = said.stretch
            bone.sweep(tool, said.earlier, said.now)
        assert bone.hash == said.hash
    assert undone == 1
    assert bone.hash == w.bone.hash


def test_every_frame_tells_the_hash_of_the_bone_as_it_is_then() -> None:
    w = DrillWorld()
    w.pedal(True)
    w.hold(START, 2)
    hashes = [w.bone.hash]
    for n in range(20):
        w.frame((0.0, 0.0, 3.0 - 0.2 * n))
        if any(isinstance(m.body, Carved) for m in w.messages):
            assert w.bone.hash not in hashes
        hashes.append(w.bone.hash)
    assert len(set(hashes)) > 5


def two_stretches() -> tuple[DrillWorld, str, str]:
    """Two holes; the hashes of whole bone and of that with one hole."""
    w = DrillWorld()
    w.pedal(True)
    w.hold((-8.0, 0.0, 3.0), 2)
    whole = w.bone.hash
    w.go((-8.0, 0.0, 3.0), (-8.0, 0.0, -1.0))
    w.go((-8.0, 0.0, -1.0), (-8.0, 0.0, 3.0))
    w.hold((-8.0, 0.0, 3.0), 40)
    one = w.bone.hash
    w.go((-8.0, 0.0, 3.0), (8.0, 0.0, 3.0))
    w.go((8.0, 0.0, 3.0), (8.0, 0.0, -1.0))
    w.go((8.0, 0.0, -1.0), (8.0, 0.0, 3.0))
    w.hold((8.0, 0.0, 3.0), 40)
    return w, whole, one


def test_a_stretch_is_taken_back_marked_and_in_doubt() -> None:
    w, whole, one = two_stretches()
    assert w.bone.doubtful == 0.0
    assert w.order(Drilling(action="undo")).ok
    undone = w.carved[-1]
    assert undone == BoneUndone(structure="bone", stretch=2, hash=one)
    assert "stretch 2 taken back" in w.memory.setup_message
    w.frame((8.0, 0.0, 3.0))
    assert (w.bone.hash, w.bone.undone) == (one, 1)
    assert w.bone.doubtful > 0.0
    assert w.order(Drilling(action="undo")).ok
    w.frame((8.0, 0.0, 3.0))
    assert (w.bone.hash, w.bone.undone) == (whole, 2)
    reply = w.order(Drilling(action="undo"))
    assert not reply.ok
    assert "no stretch" in reply.reason
    # The next stretch has a number of its own: two of the same could not be told apart in the log.
    w.go((8.0, 0.0, 3.0), (8.0, 0.0, -1.0))
    assert w.drill.stretch == 3


def test_a_stretch_begun_in_air_is_no_stretch_to_take_back() -> None:
    w, _, one = two_stretches()
    w.hold((8.0, 0.0, 5.0), 60)
    assert w.order(Drilling(action="undo")).ok
    w.frame((8.0, 0.0, 5.0))
    assert w.bone.hash == one


def test_nothing_is_taken_back_while_a_drill_cuts() -> None:
    w, _, _ = two_stretches()
    w.go((8.0, 0.0, 3.0), (8.0, 3.0, -1.0))
    reply = w.order(Drilling(action="undo"))
    assert not reply.ok
    assert "lift it first" in reply.reason


def drilled_state(w: DrillWorld) -> BoneState:
    assert w.memory.drilled is not None
    d = w.memory.drilled
    return d.bone.state("earlier", stretch=d.stretch, undone=d.undone, trespasses=d.trespasses())


def test_a_session_may_begin_with_drilled_bone() -> None:
    w, _, _ = two_stretches()
    state: BoneState = decode_event(encode(Event(seq=1, t_ns=0, body=drilled_state(w)))).body  # type: ignore[assignment]
    later = DrillWorld()
    later.feed(state)
    assert "as it was drilled in session earlier" in later.memory.setup_message
    later.frame(START)
    assert (later.bone.hash, later.bone.removed_mm3, later.bone.changed) == (w.bone.hash, w.bone.removed_mm3, w.bone.changed)
    reading = next(r for r in later.state.readings if r.structure == "bone")
    assert reading.status == "OK"
    later.pedal(True)
    later.go(START, (0.0, 0.0, 0.0))
    assert later.drill.stretch == 3
    again = replayed(later, later.events)
    assert any(later.bone.hash.encode() in said for said in again[-3:])


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ({"case_hash": "another"}, "not taken"),
        ({"structure": "femur"}, "not taken"),
        ({"side_mm": 0.25}, "not taken"),
        ({"cells": b"no zlib"}, "not taken"),
        ({"hash": "0" * 16}, "not taken"),
    ],
)
def test_the_bone_of_another_case_is_not_taken(spoil: dict[str, object], words: str) -> None:
    w, _, _ = two_stretches()
    later = DrillWorld()
    later.frame(START)
    whole = later.bone.hash
    later.feed(msgspec.structs.replace(drilled_state(w), **spoil))
    assert words in later.memory.setup_message
    later.frame(START)
    assert later.bone.hash == whole


def test_no_bone_is_taken_once_something_was_cut() -> None:
    w, _, _ = two_stretches()
    before = w.bone.hash
    w.feed(drilled_state(DrillWorld()))
    assert "has begun to drill" in w.memory.setup_message
    w.frame(START)
    assert w.bone.hash == before


def test_where_nothing_can_be_drilled_no_bone_is_taken() -> None:
    state = drilled_state(DrillWorld())
    w = DrillWorld(scene=bone_scene(carve_mm=None))
    w.feed(state)
    assert "nothing can be drilled" in w.memory.setup_message


def test_all_bone_may_go() -> None:
    """A cutter larger than the bone: distances to what is not there are unknown, and everything else goes on."""
    rig = drill_rig()
    huge = Part(name="burr", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=40.0)
    tool = rig.tool[0]
    assert tool.cutter is not None
    giant = msgspec.structs.replace(tool, part=(huge,), cutter=msgspec.structs.replace(tool.cutter, radius_mm=40.0))
    w = DrillWorld(rig=msgspec.structs.replace(rig, tool=(giant, rig.tool[1])))
    w.pedal(True)
    w.hold((0.0, 0.0, 0.0), 4)
    assert w.bone.removed_mm3 == pytest.approx(30.0 * 30.0 * 20.0, rel=0.01)
    assert next(r for r in w.state.readings if (r.structure, r.part) == ("bone", "burr")).status != "OK"
    assert next(r for r in w.state.readings if (r.structure, r.part) == ("nerve", "burr")).status == "OK"
    w.pedal(False)
    w.hold(None, 10)
    w.touch((0.0, 0.0, 12.0), drill=(0.0, 0.0, BURR_MM))
    assert "too far from any bone" in w.memory.setup_message
