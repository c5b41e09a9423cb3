"""Drilling in the report: every figure against how the session was made, and a breach that nobody can overlook."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
from rich.console import Console

from navtwin.report import html as page_module
from navtwin.report import print_summary, write_report
from navtwin.report.drill_notes import DrillNotes
from navtwin.report.drilled_bone import drilled_in
from navtwin.report.drilling import DrillingFigures
from navtwin.report.drilling_truth import spells
from navtwin.report.gather import load_session
from navtwin.report.summary import Summary, summarise
from navtwin.scene.carvable import Carvable
from tests.report.made_drilling import (
    FROZEN_S,
    FROZEN_WHY,
    NERVE_Z_MM,
    OFF_MM,
    SIDE_MM,
    TURNING_S,
    UNDONE_S,
    UNKNOWN_S,
    Told,
    drilled_rig,
    drilled_scene,
    write_drilling,
)
from tests.report.test_page import text_of

FRAME_S = 1.0 / 60.0


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    """No test reads or writes the user's cache."""
    patch = pytest.MonkeyPatch()
    patch.setenv("NAVTWIN_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield patch
    patch.undo()


@pytest.fixture(scope="module")
def breached(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Told]:
    path = tmp_path_factory.mktemp("drilling") / "breach.mcap"
    return path, write_drilling(path)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Told]:
    """Without the fourth stretch."""
    path = tmp_path_factory.mktemp("drilling") / "clean.mcap"
    return path, write_drilling(path, breach=False)


@pytest.fixture(scope="module")
def summary(breached: tuple[Path, Told]) -> Summary:
    return _summary(breached[0])


@pytest.fixture(scope="module")
def figures(summary: Summary) -> DrillingFigures:
    assert summary.drilling is not None
    return summary.drilling


def _summary(log: Path) -> Summary:
    session, scene, rig = load_session(log), drilled_scene(), drilled_rig()
    return summarise(session, scene, rig, drilled=drilled_in(log, session, scene, rig))


@pytest.fixture
def no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_module, "closest_pictures", lambda *_: ([], "this machine cannot draw the scene (no display)"))
    monkeypatch.setattr(page_module, "drilling_pictures", lambda *_: ({}, "this machine cannot draw the bone (no display)"))


def test_stretches_are_those_that_were_cut(figures: DrillingFigures, breached: tuple[Path, Told]) -> None:
    assert [row.number for row in figures.stretches] == [1, 2, 3, 4]
    for row, (start_s, end_s) in zip(figures.stretches, TURNING_S, strict=True):
        assert start_s <= row.from_s < row.to_s <= end_s + FRAME_S
    assert [row.undone_s is not None for row in figures.stretches] == [False, False, True, False]
    assert figures.stretches[2].undone_s == pytest.approx(UNDONE_S, abs=2 * FRAME_S)
    assert figures.undone == 1
    kept = sum(row.removed_mm3 for row in figures.stretches if row.undone_s is None)
    assert figures.removed_mm3 == breached[1].removed_mm3[-1] == pytest.approx(kept, abs=0.5)
    assert 3.0 < figures.cutting_s < sum(end - start for start, end in TURNING_S)


def test_bone_is_graded_against_its_plan(figures: DrillingFigures) -> None:
    """The trough is 14 x 16 x 3.5 mm; it was cut to -3 mm, so half a millimetre of it stays, and the hole goes to -7 + 0.03 mm."""
    found = figures.removal
    assert figures.plans == ("planned_trough",) and found is not None
    assert found.planned_mm3 == pytest.approx(14.0 * 16.0 * 3.5, rel=0.01)
    assert found.drilled_mm3 == figures.removed_mm3
    assert found.over.depth_mm == pytest.approx(7.0 - OFF_MM[2] - 3.5, abs=0.05)
    assert found.over.at_mm == pytest.approx((0.0, 3.0, NERVE_Z_MM), abs=0.6)
    assert found.under.volume_mm3 > 14.0 * 16.0 * 0.5 * 0.9
    assert found.dice == pytest.approx(2.0 * found.both_mm3 / (found.planned_mm3 + found.drilled_mm3), abs=1e-9)


def test_walls_are_told_with_when_and_whether_known(clean: tuple[Path, Told], breached: tuple[Path, Told], figures: DrillingFigures) -> None:
    told = _summary(clean[0]).drilling
    assert told is not None
    (wall,) = told.walls
    assert (wall.structure, wall.instrument) == ("facial_nerve", "drill")
    assert wall.least_mm == clean[1].least_wall_mm
    assert wall.at_s == pytest.approx(4.6, abs=0.21)
    # The hole's bottom is at -5.4 + 0.03 mm, the nerve's top at -6 mm.
    assert wall.end_mm == pytest.approx(0.63, abs=0.05)
    assert wall.end_at_mm == pytest.approx((0.05, -0.04, -5.37), abs=0.5)
    assert wall.unknown_s == pytest.approx(sum(end - start for start, end in (FROZEN_S, UNKNOWN_S)), abs=3 * FRAME_S)
    assert wall.bare_s == 0.0 and figures.walls[0].bare_s > 0.0
    assert figures.walls[0].end_mm == 0.0


def test_a_breach_is_said_first_and_with_its_volume(breached: tuple[Path, Told], clean: tuple[Path, Told], figures: DrillingFigures) -> None:
    (breach,) = figures.breaches
    assert breach.structure == "facial_nerve"
    assert breach.volume_mm3 == breached[1].breach_mm3 > 0.0
    assert 7.4 < breach.since_s < 7.8
    spared = _summary(clean[0]).drilling
    assert spared is not None and spared.breaches == ()


@pytest.mark.usefixtures("no_picture")
def test_the_page_has_the_same_figures(breached: tuple[Path, Told], tmp_path: Path) -> None:
    summary = write_report(breached[0], drilled_scene(), drilled_rig(), tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    text = text_of(page)
    assert summary.drilling is not None and summary.drilling.removal is not None
    breach = "Breach: a drill cut into facial nerve (3.5 mm³)"
    assert breach in text and text.index(breach) < text.index("Every true crossing") < text.index("What was used")
    for words in (
        "facial nerve was cut into, 3.5 mm³ of it",
        f"{summary.drilling.removed_mm3:.0f} mm³",
        f"{summary.drilling.removal.dice:.3f}",
        f"{summary.drilling.removal.over.depth_mm:.2f}",
        "taken back at 6.00 s",
        FROZEN_WHY,
        "the drill has not said for 0.5 s whether it turns",
        "no: bone may be gone",
        "this machine cannot draw the bone (no display)",
        "28 fps",
        "1.39 mm (Shu et al., Int J CARS 2023; 18:1077)",
        "published and not measured here",
    ):
        assert words in text
    assert "<touch>" not in page


def test_terminal_and_json_say_the_same(summary: Summary) -> None:
    console = Console(width=100, record=True, file=io.StringIO())
    print_summary(summary, console)
    shown = console.export_text()
    assert "BREACH: facial nerve was cut into, 3.5 mm³ of it" in shown
    assert summary.drilling is not None and summary.drilling.removal is not None
    assert f"Dice {summary.drilling.removal.dice:.3f}" in shown
    assert "1 taken back" in shown and "1 of 1 warned of in time" in shown
    decoded = msgspec.json.decode(msgspec.json.encode(summary))["drilling"]
    assert decoded["breaches"][0]["volume_mm3"] == 3.5
    assert decoded["removal"]["over"]["depth_mm"] == summary.drilling.removal.over.depth_mm


def test_the_drilled_wall_is_compared_with_the_true_one(tmp_path: Path) -> None:
    """The twin's tip is 0.07 mm off: so is its wall, and what was told of the wall is short by the error bar, less that offset."""
    write_drilling(tmp_path / "s.mcap", breach=False)
    session = load_session(tmp_path / "s.mcap")
    scene, rig = drilled_scene(), drilled_rig()
    drilled = drilled_in(tmp_path / "s.mcap", session, scene, rig)
    assert drilled.bone is not None and drilled.true is not None
    found = summarise(session, scene, rig, drilled=drilled).drilling
    assert found is not None and found.truth is not None
    # The third stretch was taken back in the twin only.
    truly = found.truth.true_mm3
    assert truly == pytest.approx(drilled.true.removed_mm3)
    assert found.truth.volume_error == pytest.approx((found.removed_mm3 - truly) / truly)
    assert found.truth.mean_mm is not None and found.truth.worst_mm is not None and found.truth.worst_mm > 1.5
    (wall,) = found.truth.walls
    assert wall.most_mm < 0.0 and -0.25 < wall.mean_mm < -0.1
    # As if it had not been taken back: the wall is off by no more than the tip, but for the creases.
    drilled.bone.left.carve((9.5 + OFF_MM[0], 4.0 + OFF_MM[1], -0.5 + OFF_MM[2]), (9.5 + OFF_MM[0], 7.0 + OFF_MM[1], -0.5 + OFF_MM[2]), 2.0)
    again = replace(drilled, bone=replace(drilled.bone, surface=drilled.bone.left.surface()))
    whole = summarise(session, scene, rig, drilled=again).drilling
    assert whole is not None and whole.truth is not None and whole.truth.mean_mm is not None and whole.truth.p99_mm is not None
    off = float(np.linalg.norm(OFF_MM))
    assert 0.3 * off < whole.truth.mean_mm < off
    assert whole.truth.p99_mm < off + 0.2 * SIDE_MM * np.sqrt(3.0)


def test_alarms_that_the_truth_demands_are_counted(summary: Summary, tmp_path: Path, figures: DrillingFigures) -> None:
    assert summary.verdict == "good" and figures.truth is not None
    assert (figures.truth.thin_demanded, figures.truth.thin_raised) == (1, 1)
    assert figures.demanded == figures.in_time == 5
    assert figures.thin_wall_alerts >= 1
    assert dict(figures.alerts_cutting)["CONTACT"] == 1
    write_drilling(tmp_path / "s.mcap", breach=False, warned=False)
    unwarned = _summary(tmp_path / "s.mcap")
    assert unwarned.verdict == "bad" and "missed: 1 of 1 times that a drill truly cut before a thin wall" in unwarned.faults[0]
    silent = unwarned.drilling
    assert silent is not None and silent.truth is not None
    assert (silent.truth.thin_demanded, silent.truth.thin_raised, silent.thin_wall_alerts) == (1, 0, 0)


def test_where_doubt_is_not_placed_no_wall_is_called_known(breached: tuple[Path, Told], figures: DrillingFigures) -> None:
    assert figures.doubtful_share > 0.0
    assert figures.doubt_unplaced and all(wall.end_doubtful for wall in figures.walls if wall.end_mm is not None)
    # A replay's own bone knows: what was taken back lies far from the nerve.
    session, scene, rig = load_session(breached[0]), drilled_scene(), drilled_rig()
    bone = drilled_in(breached[0], session, scene, rig).bone
    assert bone is not None
    bone.left.doubt((9.5, 4.0, -0.5), (9.5, 7.0, -0.5), 2.0)
    known = summarise(session, scene, rig, drilled=drilled_in(breached[0], session, scene, rig, bone.left)).drilling
    assert known is not None
    assert not known.doubt_unplaced and not any(wall.end_doubtful for wall in known.walls)
    other = Carvable.of(scene.structures[0], scene.case_hash)
    again = summarise(session, scene, rig, drilled=drilled_in(breached[0], session, scene, rig, other)).drilling
    assert again is not None and again.doubt_unplaced, "bone that is not the session's is not taken"


@pytest.mark.usefixtures("no_picture")
def test_bone_that_cannot_be_made_again_is_said(breached: tuple[Path, Told], tmp_path: Path) -> None:
    rig = drilled_rig()
    bare = msgspec.structs.replace(rig, tool=(msgspec.structs.replace(rig.tool[0], cutter=None),))
    found = write_report(breached[0], drilled_scene(), bare, tmp_path / "r.html").drilling
    assert found is not None
    assert found.removal is None and "has no cutter in this rig" in found.missing
    text = text_of((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "the drilled bone cannot be made again" in text and "Breach: a drill cut into facial nerve" in text


def test_a_session_that_began_drilled_says_so(tmp_path: Path) -> None:
    write_drilling(tmp_path / "s.mcap", breach=False, begun_from="ab12cd34")
    found = _summary(tmp_path / "s.mcap").drilling
    assert found is not None and found.begun_from == "ab12cd34"
    assert found.truth is not None and found.truth.mean_mm is None, "what was truly gone before is not known"


def test_a_session_without_a_drill_has_no_section(good_log: Path, tmp_path: Path, no_picture: None) -> None:
    from tests.report.made_up import made_rig, made_scene

    assert write_report(good_log, made_scene(), made_rig(), tmp_path / "r.html").drilling is None
    assert "Drilling" not in text_of((tmp_path / "r.html").read_text(encoding="utf-8"))


def test_spindle_is_a_command_only_when_it_changes(breached: tuple[Path, Told]) -> None:
    given = [c for c in load_session(breached[0]).commands if c.text.startswith("spindle")]
    assert len(given) == 2 * len(TURNING_S) + 1


def test_true_spells_are_joined_and_short_ones_left_out() -> None:
    ms = 1_000_000
    times = np.array([0, 20, 40, 200, 400, 2000, 2010, 5000, 5200]) * ms
    assert spells(times) == [(0, 400 * ms), (5000 * ms, 5200 * ms)]
    assert spells(times[:0]) == []


def test_nothing_noted_is_no_drilling() -> None:
    assert DrillNotes().finish() is None
