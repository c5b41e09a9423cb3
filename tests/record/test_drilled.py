"""The bone of any moment of a session: as the session had it, to the bit, whichever way one came there; damage is named, or refused."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused, LogDamaged
from navtwin.nouns import BoneState, BoneUndone, encode
from navtwin.record import mcap_file
from navtwin.record.chunks import check
from navtwin.record.drilled import DrilledLog
from navtwin.record.export import export
from navtwin.record.format import Record
from navtwin.record.look import look
from navtwin.record.read import header, read_log
from navtwin.record.recover import recover
from navtwin.record.replay import replay, verify
from navtwin.record.seek import Seeker, Stopped, cutters_of
from navtwin.scene.carvable import Carvable
from navtwin.twin import new_memory, step
from tests.record.drilling import Drilled, drill, recorded, strokes_of
from tests.record.logs import events, write_session
from tests.twin.drill_world import DrillWorld


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Drilled:
    """Four stretches, the third taken back; the bone kept three times, once in the midst of that stretch, and at the end."""
    world = DrillWorld(register=False)
    drill(world)
    midst = next(e.seq for e in world.events if e.seq > len(world.events) * 0.56)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mcap_file, "CHUNK_BYTES", 3000)
        return recorded(world, tmp_path_factory.mktemp("drilled") / "session.mcap", kept=(60, midst, len(world.events)))


@pytest.fixture(scope="module")
def whole(session: Drilled) -> Carvable:
    """The bone of the case; tests put it back as it was."""
    return Carvable.of(session.world.scene.structures[1], session.world.scene.case_hash)


@pytest.fixture(scope="module")
def untouched(whole: Carvable) -> BoneState:
    return whole.state()


@pytest.fixture
def bone(whole: Carvable, untouched: BoneState) -> Carvable:
    whole.take(untouched)
    return whole


def seeker(session: Drilled, bone: Carvable, records: Iterable[Record] | None = None) -> Seeker:
    told = DrilledLog.of(read_log(session.log) if records is None else records, session.log.name)
    return Seeker(told, bone, bone.state(), cutters_of(session.world.rig))


def test_what_was_drilled_stands_in_the_log(session: Drilled) -> None:
    told = DrilledLog.read(session.log)
    assert told.structure == "bone"
    assert len(told.seq) == len(strokes_of(session.world)) > 30
    assert [kept.state for kept in told.kept] == [session.states[kept.seq] for kept in told.kept]
    assert [turn.seq for turn in told.turns] == list(session.changes)
    (undo,) = (turn for turn in told.turns if turn.undone is not None)
    assert set(told.stretch[told.undone == undo.seq].tolist()) == {undo.undone} == {3}
    # Of the bone that is kept in the midst of a stretch that was then taken back, nothing later can be made by cutting.
    midst = told.kept[1].seq
    assert told.left_to_cut(midst, undo.seq) is None
    assert told.left_to_cut(midst, midst + 1) is not None


def test_every_moment_is_found_forwards_and_backwards(session: Drilled, bone: Carvable) -> None:
    found = seeker(session, bone)
    for seq in (*session.changes, *reversed(session.changes)):
        assert found.seek(session.t_ns(seq)).seq == seq
        assert bone.hash == session.states[seq].hash
    assert found.seek(session.t_ns(1)).t_ns is None
    assert bone.removed_mm3 == 0.0
    assert len(bone.changed) == 0


@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_the_bone_is_the_same_whatever_was_kept_and_wherever_one_came_from(
    session: Drilled, whole: Carvable, untouched: BoneState, data: st.DataObject
) -> None:
    whole.take(untouched)
    kept = data.draw(st.sets(st.sampled_from(sorted(session.states)), max_size=4))
    records = [r for r in read_log(session.log) if r.channel != "/bone"]
    records += [Record("/bone", seq, session.t_ns(seq), encode(session.states[seq])) for seq in sorted(kept)]
    found = seeker(session, whole, records)
    for seq in data.draw(st.lists(st.sampled_from(sorted(session.states)), min_size=1, max_size=5)):
        found.seek(session.t_ns(seq))
        then = session.state_at(session.t_ns(seq))
        assert whole.hash == then.hash
        assert whole.removed_mm3 == pytest.approx(then.removed_mm3, abs=1e-3)


def test_replayed_twice_and_sought_the_hash_is_the_same(session: Drilled, bone: Carvable) -> None:
    world = session.world
    ends = []
    for _ in range(2):
        memory = new_memory(world.scene, world.rig, header(session.log))
        assert len(list(replay(session.log, world.scene, world.rig, step, lambda *_, fresh=memory: fresh))) == len(world.events)
        assert memory.drilled is not None
        ends.append(memory.drilled.bone.hash)
    seeker(session, bone).seek(session.t_ns(len(world.events)))
    assert ends == [bone.hash] * 2 == [session.states[len(world.events)].hash] * 2


def test_few_strokes_are_cut_to_get_somewhere(session: Drilled, bone: Carvable) -> None:
    found = seeker(session, bone)
    last = session.changes[-1]
    assert found.seek(session.t_ns(last)).strokes <= len(session.changes) // 2
    assert found.seek(session.t_ns(last)).strokes == 0
    assert found.seek(session.t_ns(len(session.states))).strokes == 0
    found.seek(session.t_ns(session.changes[3]))
    assert found.seek(session.t_ns(session.changes[5])).strokes == 2


def spoilt(session: Drilled, change: Callable[[Record], bytes | None], which: int = -1) -> list[Record]:
    """The log's records, one of the kept bones changed; None leaves it out."""
    records = list(read_log(session.log))
    at = [n for n, r in enumerate(records) if r.channel == "/bone"][which]
    data = change(records[at])
    return [*records[:at], *([] if data is None else [records[at]._replace(data=data)]), *records[at + 1 :]]


def with_state(record: Record, **changes: object) -> bytes:
    return encode(msgspec.structs.replace(msgspec.json.decode(record.data, type=BoneState), **changes))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda r: with_state(r, cells=b"junk"), "cannot be unpacked"),
        (lambda r: with_state(r, hash="0123456789abcdef"), "hash"),
        (lambda r: with_state(r, bricks=(10**9,)), "bricks"),
        (lambda r: r.data[:-40], "cannot be read"),
        (lambda r: b"\xff" + r.data, "cannot be read"),
    ],
)
def test_kept_bone_that_is_damaged_is_named_and_passed_over(session: Drilled, bone: Carvable, change: Callable[[Record], bytes], word: str) -> None:
    found = seeker(session, bone, spoilt(session, change))
    sought = found.seek(session.t_ns(len(session.states)))
    assert bone.hash == session.states[len(session.states)].hash
    assert any(word in note and str(len(session.states)) in note for note in sought.notes)


def test_a_log_that_was_cut_in_its_middle_gives_what_it_has(session: Drilled, bone: Carvable, tmp_path: Path) -> None:
    data = session.log.read_bytes()
    cut = tmp_path / "cut.mcap"
    chunks = check(memoryview(data))
    cut.write_bytes(data[: chunks[len(chunks) * 3 // 4].start + 100])
    rescued = Path(recover(cut, tmp_path / "rescued.mcap").out)
    told = DrilledLog.read(rescued)
    assert len(told.kept) == 2
    found = Seeker(told, bone, bone.state(), cutters_of(session.world.rig))
    found.seek(told.last_ns)
    assert bone.hash == told.turns[-1].hash == session.states[told.turns[-1].seq].hash


def test_strokes_that_are_lost_are_not_made_up_for(session: Drilled, bone: Carvable) -> None:
    lost = session.changes[4]
    records = [r for r in read_log(session.log) if r.channel != "/output/carved" or r.seq != lost]
    found = seeker(session, bone, records)
    found.seek(session.t_ns(session.changes[3]))
    with pytest.raises(LogDamaged, match=r"cut again, the bone after input \d+ is not as it was"):
        found.seek(session.t_ns(session.changes[5]))
    # Bone that was kept later is as good as before, and so is what comes before the loss.
    found.seek(session.t_ns(len(session.states)))
    assert bone.hash == session.states[len(session.states)].hash
    found.seek(session.t_ns(session.changes[3]))
    assert bone.hash == session.states[session.changes[3]].hash


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"structure": "skull"}, "drilled 'skull', and here 'bone' can be drilled.*Pass the case"),
        ({"side_mm": 0.4}, "grid of 0.4 mm, and here its grid is of 0.5 mm.*Set carve_mm = 0.4"),
        ({"case_hash": "other"}, "another case"),
    ],
)
def test_other_bone_is_refused_in_words(session: Drilled, bone: Carvable, changes: dict[str, object], word: str) -> None:
    told = DrilledLog.read(session.log)
    kept = tuple(msgspec.structs.replace(k.state, **changes) for k in told.kept)
    other = dataclasses.replace(told, kept=tuple(dataclasses.replace(k, state=s) for k, s in zip(told.kept, kept, strict=True)))
    with pytest.raises(InputRefused, match=word):
        Seeker(other, bone, bone.state(), cutters_of(session.world.rig))


def test_another_cutter_is_found_out_and_none_is_refused(session: Drilled, bone: Carvable, untouched: BoneState) -> None:
    told = DrilledLog.of((r for r in read_log(session.log) if r.channel != "/bone"), "session.mcap")
    cutter = cutters_of(session.world.rig)["drill"]
    wider = Seeker(told, bone, bone.state(), {"drill": msgspec.structs.replace(cutter, radius_mm=2.5)})
    with pytest.raises(LogDamaged, match="another cutter"):
        wider.seek(told.last_ns)
    bone.take(untouched)
    with pytest.raises(InputRefused, match="'drill', which has no cutter in this rig"):
        Seeker(told, bone, bone.state(), {}).seek(told.last_ns)


def test_one_may_stop_on_the_way_and_go_on_elsewhere(session: Drilled, bone: Carvable) -> None:
    found = seeker(session, bone, (r for r in read_log(session.log) if r.channel != "/bone"))
    with pytest.raises(Stopped):
        found.seek(session.t_ns(len(session.states)), lambda: False)
    found.seek(session.t_ns(session.changes[2]))
    assert bone.hash == session.states[session.changes[2]].hash


def test_a_session_that_began_drilled_goes_on_from_there(session: Drilled, bone: Carvable, tmp_path: Path) -> None:
    world = DrillWorld(register=False)
    world.feed(session.states[session.changes[4]])
    drill(world, 2)
    later = recorded(world, tmp_path / "later.mcap")
    found = seeker(later, bone)
    assert found.log.brought_by(5) is not None
    for seq in (later.changes[-1], 1, later.changes[4]):
        found.seek(later.t_ns(seq))
        assert bone.hash == later.states[seq].hash
    assert later.states[1].hash == session.states[session.changes[4]].hash


def test_verify_holds_kept_bone_against_the_fold(session: Drilled, tmp_path: Path) -> None:
    world = session.world
    sound = verify(session.log, world.scene, world.rig, step, new_memory)
    assert sound.identical, sound.first
    wrong = tmp_path / "wrong.mcap"
    file = mcap_file.McapFile(wrong)
    for record in spoilt(session, lambda r: with_state(r, hash="0123456789abcdef"), which=0):
        file.add(record)
    file.finish()
    found = verify(wrong, world.scene, world.rig, step, new_memory)
    assert not found.identical
    assert found.first is not None
    assert found.first.text.startswith("kept bone: logged 0123456789abcdef")
    unread = tmp_path / "unread.mcap"
    file = mcap_file.McapFile(unread)
    for record in spoilt(session, lambda r: b"{}", which=0):
        file.add(record)
    file.finish()
    found = verify(unread, world.scene, world.rig, step, new_memory)
    assert found.identical
    assert any("bone kept with input 60 cannot be read" in note for note in found.notes)


def test_a_session_without_drilling_has_no_bone(tmp_path: Path) -> None:
    path = tmp_path / "plain.mcap"
    write_session(path, events(5))
    with pytest.raises(InputRefused, match=r"nothing was drilled in plain\.mcap"):
        DrilledLog.read(path)


def test_seconds_count_from_the_first_input_and_stand_still_where_the_clock_was_set() -> None:
    undo = encode(BoneUndone(structure="bone", stretch=1, hash="00"))
    beat = 1_000_000_000
    times = [5 * beat, 6 * beat, 1000 * beat, 1001 * beat]
    records = [Record("/input", n + 1, t, b"{}") for n, t in enumerate(times)]
    told = DrilledLog.of([*records, Record("/output/carved", 4, times[-1], undo)], "log")
    assert [told.seconds(t) for t in times] == [0.0, 1.0, 1.0, 2.0]
    assert [told.at_seconds(s) for s in (0.0, 0.5, 1.0, 2.0)] == [times[0], round(5.5 * beat), times[2], times[3]]


def test_a_log_with_bone_is_inspected_and_exported_as_any_other(session: Drilled, tmp_path: Path) -> None:
    facts = dict(look(session.log).facts)
    assert "3 /bone" in facts["records"]
    assert f"{len(session.changes)} /output/carved" in facts["records"]
    export(session.log, tmp_path / "log.json")
    kept = [r["data"] for r in json.loads((tmp_path / "log.json").read_text()) if r["channel"] == "/bone"]
    assert [msgspec.convert(data, BoneState) for data in kept] == [k.state for k in DrilledLog.read(session.log).kept]
