"""The budget of a session is the fold's own error bar, taken apart; a budget that is foretold is Fitzpatrick's formula, and says what it assumed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from navtwin.errors import InputRefused
from navtwin.nouns import Rig
from navtwin.register import register_landmarks
from navtwin.report.error_budget_command import budget
from navtwin.report.error_budget_expected import Assumed, expected
from navtwin.report.error_budget_log import BudgetNotes
from navtwin.scene.error_budget import LATENCY, at_points
from navtwin.scene.model import Landmark, Scene
from navtwin.twin import step
from navtwin.twin.judge import K_SD
from tests.twin.world import World, small_rig, small_scene

SPREAD = (("a", (20.0, 3.0, 0.0)), ("b", (-15.0, 10.0, 4.0)), ("c", (2.0, -12.0, 18.0)), ("d", (0.0, 5.0, -25.0)))


def noisy_rig() -> Rig:
    rig = small_rig()
    return msgspec.structs.replace(rig, body=tuple(msgspec.structs.replace(b, sd_mm=0.06, sd_rad=0.0005) for b in rig.body))


def spread_scene() -> Scene:
    return replace(small_scene(), landmarks=tuple(Landmark(n, p) for n, p in SPREAD))


def noted(gaps_mm: tuple[float | None, ...]) -> tuple[BudgetNotes, World]:
    """The drill goes from gap to gap, and notes are taken after every frame."""
    world, notes = World(rig=noisy_rig()), BudgetNotes()
    for gap in gaps_mm:
        world.frame(gap)
        notes.take(world.scene, world.memory)
    return notes, world


def test_the_parts_of_a_session_sum_to_the_bar_that_the_fold_told() -> None:
    notes, world = noted((9.0, 8.0, 7.0, 6.0))
    canal = next(b for b in notes.budgets() if b.structure == "canal" and "closest" in b.where)
    pairs = [p for p in world.memory.pairs if world.scene.structures[p.structure].name == "canal" and p.status == "OK"]
    pair = min(pairs, key=lambda p: p.distance_mm)
    assert canal.sd_mm == pytest.approx(pair.sd_mm, rel=1e-12)
    assert canal.allowance_mm == pytest.approx(pair.distance_mm - pair.bound_mm, rel=1e-12)
    assert canal.latency_mm > 0.5, "the drill came at 62 mm/s"
    assert {s.source for s in canal.shares} == {"marker", "reference", "pivot", "axis", "registration", "CT", LATENCY}


def test_every_critical_structure_has_a_row_and_the_others_none() -> None:
    notes, _ = noted((9.0, 6.0))
    assert {b.structure for b in notes.budgets()} == {"canal", "aorta"}
    assert {b.where.split(",")[0] for b in notes.budgets()} == {"closest approach", "whole session"}


def test_frames_in_which_nothing_is_known_are_not_counted_as_safe() -> None:
    notes, _ = noted((9.0, None, None, 8.0))
    assert notes.sums["canal"].frames == 2
    lost, _ = noted((None, None))
    assert lost.budgets() == () and lost.nearest is None


def test_watching_changes_nothing_that_the_fold_says() -> None:
    world, watched = World(rig=noisy_rig()), World(rig=noisy_rig())
    notes = BudgetNotes()
    for gap in (9.0, 7.0, 5.0):
        said = world.frame(gap)
        assert watched.frame(gap) == said
        notes.take(watched.scene, watched.memory)
    assert notes.watching(step) is not step


def test_what_is_foretold_is_the_tre_of_such_landmarks() -> None:
    scene, fle = spread_scene(), 0.9
    found = expected(scene, noisy_rig(), Assumed(fle_mm=fle, pivot_sd_mm=0.0))
    marks = np.array([p for _, p in SPREAD])
    for row in found.budgets:
        point = np.array(row.point_mm)
        told = at_points(np.tile(point, (3, 1)), np.eye(3), 0.0, found.tool, found.sources)["registration"].sum()
        assert np.sqrt(told) == pytest.approx(register_landmarks(marks, marks, fle).tre_mm(point)[0], rel=1e-9)
        assert row.allowance_mm == pytest.approx(K_SD * row.sd_mm + row.latency_mm)


def test_what_is_assumed_is_said_and_what_is_stated_is_not() -> None:
    guessed = " ".join(expected(spread_scene(), noisy_rig(), Assumed()).assumed)
    for word in ("--fle", "--tool", "--pivot-sd", "--reference", "mm/s"):
        assert word in guessed
    stated = expected(spread_scene(), noisy_rig(), Assumed("drill", 0.5, 0.1, 20.0, (0.0, 0.0, 90.0)))
    assert not any(word in " ".join(stated.assumed) for word in ("--fle", "--tool", "--pivot-sd", "--reference"))
    assert stated.budgets[0].latency_mm == pytest.approx(20.0 * (0.015 + 0.005 + 1.0 / 60.0))


def test_landmarks_that_lie_nearer_are_foretold_to_be_better() -> None:
    far = replace(spread_scene(), landmarks=tuple(Landmark(n, (x, y + 300.0, z)) for n, (x, y, z) in SPREAD))
    near_row, far_row = (expected(s, noisy_rig(), Assumed(fle_mm=0.5)).budgets[0] for s in (spread_scene(), far))
    share = [next(s.sd_mm for s in row.shares if s.source == "registration") for row in (near_row, far_row)]
    assert share[1] > 3.0 * share[0]


@pytest.mark.parametrize(
    ("scene", "told", "says"),
    [
        (replace(spread_scene(), landmarks=spread_scene().landmarks[:2]), Assumed(), "landmarks"),
        (replace(spread_scene(), landmarks=tuple(Landmark(str(n), (n, 0.0, 0.0)) for n in range(4))), Assumed(), "one line"),
        (small_scene(critical=False), Assumed(), "critical"),
        (spread_scene(), Assumed(tool="drll"), "drill"),
    ],
)
def test_what_cannot_be_foretold_is_refused_with_the_reason(scene: Scene, told: Assumed, says: str) -> None:
    with pytest.raises(InputRefused, match=says):
        expected(scene, noisy_rig(), told)


@pytest.mark.parametrize("values", [{"fle_mm": 0.0}, {"fle_mm": float("nan")}, {"pivot_sd_mm": -0.1}, {"speed_mm_s": float("inf")}])
def test_errors_that_cannot_be_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(InputRefused, match=r"[Ss]tate"):
        Assumed(**values)  # type: ignore[arg-type]


def command() -> typer.Typer:
    app = typer.Typer()
    app.command()(budget)
    return app


def test_the_command_prints_what_was_assumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rig.toml").touch()
    monkeypatch.setattr("navtwin.scene.case.load_scene", lambda folder: spread_scene())
    monkeypatch.setattr("navtwin.nouns.read_rig", lambda path: noisy_rig())
    found = json.loads(CliRunner().invoke(command(), [str(tmp_path), "--json", "--fle", "0.6"]).stdout)
    assert found["log"] is None and any("--pivot-sd" in words for words in found["assumed"])
    assert [row["structure"] for row in found["budgets"]] == ["canal", "aorta"]
    text = CliRunner().invoke(command(), [str(tmp_path)], env={"COLUMNS": "200"}).stdout
    assert "latency x speed" in text and "foretold" in text and "2 sd + latency x speed" in text


def test_the_command_refuses_guesses_about_a_session(tmp_path: Path) -> None:
    (tmp_path / "rig.toml").touch()
    refused = CliRunner().invoke(command(), [str(tmp_path), "--log", "x.mcap", "--fle", "1"]).exception
    assert isinstance(refused, InputRefused) and "--fle" in str(refused)
    bare = CliRunner().invoke(command(), [str(tmp_path / "nowhere")]).exception
    assert isinstance(bare, InputRefused) and "--rig" in str(bare)
