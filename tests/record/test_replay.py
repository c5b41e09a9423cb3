"""Replay, verify, diff and summary, with a toy fold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace as dataclass_replace
from pathlib import Path

import msgspec
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.nouns import Event, Header, Message, Reply, State, TrackerFrame, encode
from navtwin.nouns.base import Noun
from navtwin.record import commands
from navtwin.record.diff import ABSENT, first_difference
from navtwin.record.hashes import code_hash, file_hash, rig_hash, session_id, with_session
from navtwin.record.log import LogWriter
from navtwin.record.read import header as read_header
from navtwin.record.recover import recover
from navtwin.record.replay import replay, verify
from navtwin.record.summary import summary
from tests.record.logs import RIG, Case, Memory, events, frame, header, new_memory, step, write_session

CASE = Case()


def test_replay_gives_what_was_logged(session: Path) -> None:
    memory = new_memory(CASE, RIG, header())
    assert list(replay(session, CASE, RIG, step, new_memory)) == [(e, step(CASE, memory, e)) for e in events(70)]


def test_the_same_fold_is_identical(session: Path) -> None:
    verdict = verify(session, CASE, RIG, step, new_memory)
    assert verdict.ok
    assert verdict.identical
    assert (verdict.inputs, verdict.compared, verdict.differing, verdict.notes) == (141, 71, 0, ())


def test_the_first_field_that_differs_is_named(session: Path) -> None:
    def changed(scene: Case, memory: Memory, event: Event) -> Sequence[Message]:
        memory.nudge = 2.0**-50 if memory.frames >= 40 else 0.0
        return step(scene, memory, event)

    verdict = verify(session, CASE, RIG, changed, new_memory)
    assert not verdict.ok
    assert verdict.differing == 30
    assert verdict.first is not None
    assert verdict.first.path == "state.readings[0].distance_mm"
    assert float(verdict.first.logged) != float(verdict.first.now)
    assert verdict.first.text.endswith(f"at seq {verdict.first.seq}, t=0.7 s")
    assert str(10.0 - 0.1 * 41) in verdict.first.text


def test_a_difference_in_a_later_message_is_named(session: Path) -> None:
    def changed(scene: Case, memory: Memory, event: Event) -> Sequence[Message]:
        messages = list(step(scene, memory, event))
        if memory.frames == 30 and isinstance(event.body, TrackerFrame):
            alerts = messages[1].body
            risen = msgspec.structs.replace(alerts.alerts[0], bound_mm=1.26)  # type: ignore[union-attr]
            messages[1] = Message(topic="alerts", body=msgspec.structs.replace(alerts, alerts=(risen,)))
        return messages

    first = verify(session, CASE, RIG, changed, new_memory).first
    assert first is not None
    assert (first.path, first.now) == ("alerts.alerts[0].bound_mm", "1.26")


def test_outputs_that_vanish_or_appear_are_named(session: Path) -> None:
    def silent(scene: Case, memory: Memory, event: Event) -> Sequence[Message]:
        return [m for m in step(scene, memory, event) if m.topic != "reply"]

    def chatty(scene: Case, memory: Memory, event: Event) -> Sequence[Message]:
        return step(scene, memory, event) or [Message(topic="reply", body=Reply(id="", who="", ok=True))]

    gone, new = (verify(session, CASE, RIG, fold, new_memory).first for fold in (silent, chatty))
    assert gone is not None
    assert (gone.path, gone.logged, gone.now) == ("outputs", "reply", "none")
    assert new is not None
    assert (new.path, new.logged, new.now, new.seq) == ("outputs", "none", "reply", 2)


def test_a_difference_in_a_thinned_state_says_that_it_was_not_logged_in_full(tmp_path: Path) -> None:
    path, memory = tmp_path / "fast.mcap", new_memory(CASE, RIG, header())
    with LogWriter(path, live=False) as log:
        log.write_header(header())
        for n in range(20):
            event = Event(seq=n + 1, t_ns=n * 1_000_000, body=frame(n))
            log.write_event(event)
            log.write_outputs(event.seq, event.t_ns, [(m.topic, encode(m.body)) for m in step(CASE, memory, event)])

    def changed(scene: Case, memory: Memory, event: Event) -> Sequence[Message]:
        state, alerts = step(scene, memory, event)
        if memory.frames == 10:
            assert isinstance(state.body, State)
            state = Message(topic="state", body=msgspec.structs.replace(state.body, frame=0))
        return [state, alerts]

    first = verify(path, CASE, RIG, changed, new_memory).first
    assert first is not None
    assert "not logged in full" in first.text
    assert first.seq == 10


def test_another_case_or_rig_fails_and_other_code_is_a_note(tmp_path: Path, session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other_rig = msgspec.structs.replace(RIG, tracker=msgspec.structs.replace(RIG.tracker, latency_ms=20.0))
    elsewhere = verify(session, dataclass_replace(CASE, case_hash="other"), other_rig, step, new_memory)
    assert elsewhere.identical
    assert not elsewhere.ok
    assert elsewhere.changed == ("case", "rig")
    monkeypatch.setattr("navtwin.record.replay.code_hash", lambda: "f" * 64)
    later = verify(session, CASE, RIG, step, new_memory)
    assert later.ok
    assert later.changed == ("code",)
    assert "the code is not the one" in later.notes[0]


def test_a_bare_tracking_stream_cannot_be_verified(tmp_path: Path) -> None:
    path = tmp_path / "bare.mcap"
    with LogWriter(path, live=False) as log:
        log.write_header(header())
        log.write_event(events(1)[0])
    with pytest.raises(InputRefused, match="holds no outputs"):
        verify(path, CASE, RIG, step, new_memory)


def test_a_recovered_log_verifies_up_to_its_cut(session: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(session.read_bytes()[: session.stat().st_size // 2])
    verdict = verify(recover(cut).out, CASE, RIG, step, new_memory)
    assert verdict.identical
    assert verdict.compared > 20


def test_lost_inputs_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "gap.mcap"
    write_session(path, [e for e in events(20) if not 10 <= e.seq <= 15])
    verdict = verify(path, CASE, RIG, step, new_memory)
    assert verdict.notes == ("inputs 10 to 15 are missing: outputs after them may well differ",)


def test_the_summary_adds_up(session: Path) -> None:
    found = summary(session)
    assert found.inputs == {"frame": 70, "tick": 70, "command": 1}
    assert found.sightings == {"drill OK": 70, "ref MISSING": 70}
    assert [(a.alert, a.level, a.limit_mm) for a in found.alerts] == [("canal/drill/burr", "CAUTION", 8.0), ("canal/drill/burr", "DANGER", 4.0)]
    assert [a.distance_mm for a in found.alerts] == [10.0 - 0.1 * 21, 10.0 - 0.1 * 61]
    assert found.alerts[0].t_s == pytest.approx(20 / 60, abs=1e-6)
    assert [(c.who, c.order, c.ok) for c in found.commands] == [("operator", "ack", True)]
    stages = {s.stage: s for s in found.latency}
    assert stages["capture to arrival"].p99_ms == pytest.approx(15.0)
    assert stages["arrival to step done"].max_ms == pytest.approx(0.4)
    assert stages["capture to published"].p50_ms == pytest.approx(15.5)
    # The first frame came in before anything said that navigation had begun.
    assert stages["capture to published"].samples == 69
    assert found.seconds == pytest.approx((69 * 16_666_667 + 5_000_000) * 1e-9)
    assert summary(session, replay(session, CASE, RIG, step, new_memory)) == found


def test_latency_at_another_pace_is_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "fast.mcap"
    with LogWriter(path, live=False) as log:
        log.write_header(msgspec.structs.replace(header(), speed=4.0))
    found = summary(path)
    assert found.latency == ()
    assert not found.latency_measured


def test_the_commands_report_and_leave_with_the_right_code(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commands.verify_command(session, CASE, RIG, step, new_memory, as_json=False)
    assert "identical: 71 outputs of 141 inputs" in capsys.readouterr().out
    commands.replay_command(session, CASE, RIG, step, new_memory, as_json=True)
    assert json.loads(capsys.readouterr().out)["alerts"][1]["level"] == "DANGER"
    commands.replay_command(session, CASE, RIG, step, new_memory, as_json=False)
    said = capsys.readouterr().out
    assert "canal/drill/burr" in said
    assert "capture to published" in said
    with pytest.raises(typer.Exit) as left:
        commands.verify_command(session, CASE, RIG, lambda scene, memory, event: [], new_memory, as_json=False)
    assert left.value.exit_code == 1
    assert "First: outputs: logged state, alerts, now none at seq 1" in capsys.readouterr().out
    with pytest.raises(typer.Exit):
        commands.verify_command(session, CASE, RIG, lambda scene, memory, event: [], new_memory, as_json=True)
    assert json.loads(capsys.readouterr().out)["first"]["seq"] == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=1), inner, max_size=3),
    max_leaves=8,
)


def _at(value: object, path: str) -> object:
    for word in path.replace("[", ".[").strip(".").split("."):
        try:
            value = value[int(word[1:-1])] if word.startswith("[") else value[word]  # type: ignore[index]
        except (IndexError, KeyError):
            return ABSENT
    return value


@given(json_values, json_values)
@settings(max_examples=200, deadline=None)
def test_diff_agrees_with_the_bytes(left: object, right: object) -> None:
    assert first_difference(left, left) is None
    found = first_difference(left, right)
    same = json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
    assert (found is None) == same
    if found is not None and found.path:
        assert (_at(left, found.path), _at(right, found.path)) == (found.left, found.right)


@pytest.mark.parametrize(
    ("left", "right", "path"),
    [
        ({"a": [{"b": 1.25}]}, {"a": [{"b": 1.26}]}, "a[0].b"),
        ({"a": 0.0}, {"a": -0.0}, "a"),
        ({"a": 1}, {"a": 1.0}, "a"),
        ({"a": 1}, {"a": True}, "a"),
        ([1, 2], [1, 2, 3], "[2]"),
        ({"a": 1}, {"a": 1, "b": None}, "b"),
    ],
)
def test_diff_names_the_path(left: object, right: object, path: str) -> None:
    found = first_difference(left, right)
    assert found is not None
    assert found.path == path


def test_hashes_are_derived_from_content(tmp_path: Path) -> None:
    assert code_hash() == code_hash()
    assert len(code_hash()) == len(rig_hash(RIG)) == 64
    (tmp_path / "a").write_bytes(b"abc")
    assert file_hash(tmp_path / "a").startswith("ba7816bf")
    with pytest.raises(InputRefused, match="cannot read"):
        file_hash(tmp_path / "b")
    one: Header = header()
    assert one.session == session_id(one) == session_id(msgspec.structs.replace(one, session="x"))
    assert with_session(msgspec.structs.replace(one, utc_anchor_ns=1)).session != one.session


class OlderPart(Noun, frozen=True):
    name: str


class NewerPart(Noun, frozen=True):
    name: str
    limit_mm: float = 3.0


class OlderRig(Noun, frozen=True):
    name: str
    part: tuple[OlderPart, ...]


class NewerRig(Noun, frozen=True):
    name: str
    part: tuple[NewerPart, ...]
    verify_every_min: float = 20.0


def test_a_key_that_a_later_version_learns_leaves_the_hash_of_a_rig_alone() -> None:
    assert rig_hash(OlderRig(name="a", part=(OlderPart(name="b"),))) == rig_hash(NewerRig(name="a", part=(NewerPart(name="b"),)))  # type: ignore[arg-type]
    wider = NewerRig(name="a", part=(NewerPart(name="b", limit_mm=4.0),))
    assert rig_hash(wider) != rig_hash(NewerRig(name="a", part=(NewerPart(name="b"),))), "what is stated counts, however deep"  # type: ignore[arg-type]
    assert rig_hash(msgspec.structs.replace(RIG, tracker=msgspec.structs.replace(RIG.tracker, rate_hz=61.5))) != rig_hash(RIG)


def test_the_header_says_what_was_run(session: Path) -> None:
    assert read_header(session).session == header().session
