"""Looking back at drilling: the bone of the time under the playhead, or words that say it is not there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from gui.link.shared_bone import SharedBone
from gui.review.bone import TOLD_S, BoneSought
from navtwin.scene.case import load_scene
from tests.record.drilled_case import drilled_session, make_case
from tests.record.drilling import Drilled


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Drilled:
    folder = tmp_path_factory.mktemp("drilled")
    make_case(folder / "case")
    return drilled_session(folder / "case", folder / "session.mcap")


@pytest.fixture
def sought(session: Drilled) -> Any:
    scene = load_scene(session.log.parent / "case")
    made = BoneSought.of(scene, session.log, session.world.rig)
    assert made is not None
    made.start()
    yield made
    made.stop()


def settle(sought: BoneSought, at_ns: int) -> SharedBone:
    """Ask for a time, and wait until it is there."""
    until = time.monotonic() + 20.0
    shared = sought._shared
    while True:
        sought.ask(at_ns)
        if sought._asked is None and shared.standing.kind not in ("making", "waiting", "seeking"):
            return shared
        assert time.monotonic() < until
        time.sleep(0.01)


def times(session: Drilled) -> list[int]:
    """Since the first input: the end, the beginning, and after each fifth change."""
    first = session.world.events[0].t_ns
    changed = [session.t_ns(seq) - first for seq in session.changes]
    return [session.world.events[-1].t_ns - first, 0, *changed[::5]]


def test_the_bone_of_any_time_is_that_of_the_session(session: Drilled, sought: BoneSought):
    first = session.world.events[0].t_ns
    for at_ns in times(session):
        shared = settle(sought, at_ns)
        assert (shared.standing.kind, sought.words) == ("whole", "")
        with shared.lock:
            assert shared.bone is not None
            assert shared.bone.hash == session.state_at(first + at_ns).hash


def test_what_has_changed_is_told_to_who_paints(session: Drilled, sought: BoneSought):
    end, beginning = times(session)[:2]
    settle(sought, beginning)
    seen, _ = sought._shared.news(0)
    shared = settle(sought, end)
    assert shared.bone is not None
    assert shared.news(seen)[1] >= set(shared.bone.changed.tolist())
    until = time.monotonic() + 20.0
    while not set(shared.bone.changed.tolist()) <= sought.dresser.dressed.looks.keys():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_while_it_is_not_there_the_picture_says_so(session: Drilled, sought: BoneSought):
    settle(sought, 0)
    with sought._shared.lock:  # the search cannot begin
        sought.ask(times(session)[0])
        until = time.monotonic() + 20.0
        while not sought.words:
            assert time.monotonic() < until
            time.sleep(TOLD_S / 10.0)
            sought.ask(times(session)[0])
        assert "being sought" in sought.words
    settle(sought, times(session)[0])
    assert sought.words == ""


def test_the_last_time_asked_for_wins(session: Drilled, sought: BoneSought):
    settle(sought, 0)
    first = session.world.events[0].t_ns
    for at_ns in (*times(session), times(session)[-1]):
        sought.ask(at_ns)
    last = times(session)[-1]
    shared = settle(sought, last)
    assert shared.bone is not None
    assert shared.bone.hash == session.state_at(first + last).hash


def test_a_log_that_cannot_be_read_says_why(session: Drilled, tmp_path: Path):
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(session.log.read_bytes()[:2000])
    sought = BoneSought.of(load_scene(session.log.parent / "case"), cut, session.world.rig)
    assert sought is not None
    sought._run()
    assert sought._shared.standing.kind == "failed"
    assert sought.words.startswith("no drilled bone: ")


def test_without_its_cutter_a_stroke_is_not_made_up(session: Drilled):
    sought = BoneSought.of(load_scene(session.log.parent / "case"), session.log, None)
    assert sought is not None
    sought.start()
    shared = settle(sought, session.t_ns(session.changes[3]) - session.world.events[0].t_ns)
    sought.stop()
    assert shared.standing.kind == "failed"
    assert "cutter" in sought.words
