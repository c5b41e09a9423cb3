"""`navtwin diff` on logs of the toy fold: one part comes nearer by 0.1 mm a frame, and another version of it is off by a nudge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from navtwin.errors import InputRefused
from navtwin.nouns import Header
from navtwin.record.hashes import with_session
from navtwin.report.compare import compare_logs, compare_with_today
from tests.fleet.sessions import moved, toy
from tests.record.logs import RIG, Case, Memory, events, header, new_memory, step

INPUTS = events(90)


def _other(**fields: Any) -> Header:
    return with_session(msgspec.structs.replace(header(), **fields))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return toy(tmp_path / "a.mcap", INPUTS)


def test_a_log_against_itself_is_the_same(log: Path) -> None:
    found = compare_logs(log, log)
    assert found.same_warnings
    assert (found.compared, found.differing, found.first, found.headers) == (len(INPUTS), 0, None, ())


def test_another_version_warns_later_by_so_much(log: Path, tmp_path: Path) -> None:
    """0.2 mm farther off at 0.1 mm a frame: each level two frames later."""
    other = toy(tmp_path / "b.mcap", INPUTS, nudge=0.2, told=_other(code_hash="other"))
    found = compare_logs(log, other)
    (change,) = found.warnings
    assert (change.what, change.before, change.now) == ("later", "DANGER", "DANGER")
    assert change.later_ms == pytest.approx(2 * 16.666667, abs=1e-3)
    assert change.bound_mm == pytest.approx(0.2)
    (pair,) = found.distances
    assert pair.most_mm == pytest.approx(0.2)
    assert found.first is not None
    assert found.first.path == "state.readings[0].distance_mm"
    assert {h.field for h in found.headers} == {"code_hash", "session"}
    assert found.moments[0].seq == change.seq


def test_against_the_fold_of_today(log: Path) -> None:
    def nudged(scene: Any, rig: Any, told: Header) -> Memory:
        return Memory(nudge=-0.3)

    assert compare_with_today(log, Case(), RIG, step, new_memory).same_warnings
    found = compare_with_today(log, Case(), RIG, step, nudged)
    assert [c.what for c in found.warnings] == ["earlier"]
    assert found.warnings[0].later_ms == pytest.approx(-3 * 16.666667, abs=1e-3)
    assert found.now == ""


def test_around_a_moment_both_sides_stand_frame_by_frame(log: Path, tmp_path: Path) -> None:
    other = toy(tmp_path / "b.mcap", INPUTS, nudge=0.2)
    found = compare_logs(log, other, at_s=1.0)
    assert 15 <= len(found.looked) <= 20
    assert all(abs(found.seconds(row.t_ns) - 1.0) <= 0.151 for row in found.looked)
    assert all(row.now_mm == pytest.approx((row.before_mm or 0.0) + 0.2) for row in found.looked)
    assert ("DANGER", "CAUTION") in {(row.before, row.now) for row in found.looked}


def test_the_same_frames_on_another_clock_are_matched_by_frame(log: Path, tmp_path: Path) -> None:
    later = moved(INPUTS, 7_000_000_000, skip=5)
    same = compare_logs(log, toy(tmp_path / "b.mcap", later))
    assert same.same_warnings
    assert "matched by their frames (90 of 90 and 90 frames are the same)" in same.notes[0]
    found = compare_logs(log, toy(tmp_path / "c.mcap", later, nudge=0.5))
    assert [c.what for c in found.warnings] == ["later"]
    assert found.warnings[0].later_ms == pytest.approx(5 * 16.666667, abs=1e-3)


def test_a_log_that_lost_its_end_is_compared_as_far_as_it_goes(log: Path, tmp_path: Path) -> None:
    short = toy(tmp_path / "b.mcap", INPUTS[:100])
    found = compare_logs(log, short)
    assert found.compared == 100
    assert found.notes == (f"{len(INPUTS) - 100} inputs are in a.mcap only",)


def test_another_case_is_refused_by_name(log: Path, tmp_path: Path) -> None:
    other = toy(tmp_path / "b.mcap", INPUTS, told=_other(case_hash="another"))
    with pytest.raises(InputRefused, match=r"a\.mcap and b\.mcap are sessions on different cases \(case and another\)"):
        compare_logs(log, other)


def test_another_session_is_refused_with_what_differs(log: Path, tmp_path: Path) -> None:
    other = toy(tmp_path / "b.mcap", moved(events(30), 5, skip=3))
    with pytest.raises(InputRefused, match=r"not logs of one session: input 1 differs .*30 of 90 and 30 frames are the same"):
        compare_logs(log, other)


def test_exit_codes_and_words(log: Path, tmp_path: Path) -> None:
    from navtwin.cli import app

    other = toy(tmp_path / "b.mcap", INPUTS, nudge=0.2)
    run = CliRunner().invoke
    assert run(app, ["diff", str(log), str(log)]).exit_code == 0
    told = run(app, ["diff", str(log), str(other), "--at", "1"])
    assert told.exit_code == 1
    assert "+33 ms" in told.stdout
    assert f"navtwin diff {log} {other} --at" in told.stdout.replace("\n", "")
    parsed = msgspec.json.decode(run(app, ["diff", str(log), str(other), "--json"]).stdout)
    assert parsed["warnings"][0]["what"] == "later"
    assert isinstance(run(app, ["diff", str(log), str(other), "--now"]).exception, InputRefused)
    assert isinstance(run(app, ["diff", str(log), str(other), "--at", "-1"]).exception, InputRefused)
