"""`navtwin case view`: bone as deep as it was drilled at that moment of the session, and refusals in words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from navtwin.cli import app
from navtwin.errors import InputRefused
from tests.report.made_drilling import ABOVE_MM, drilled_rig, drilled_scene, write_drilling

#: What floats and a trough's scallops may differ by, mm.
CLOSE_MM = 0.06


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("view")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAVTWIN_CACHE", str(folder / "cache"))
        write_drilling(folder / "s.mcap", breach=False)
    return folder / "s.mcap"


@pytest.fixture(autouse=True)
def made_up_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("navtwin.scene.case.load_scene", lambda _: drilled_scene())
    monkeypatch.setattr("navtwin.nouns.read_rig", lambda _: drilled_rig())


def run(*words: object) -> str:
    result = CliRunner().invoke(app, ["case", "view", *(str(word) for word in words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(("at_s", "below_mm"), [(0.1, 0.0), (3.6, 2.97), (5.0, 5.37)])
def test_bone_is_as_deep_as_it_was_drilled_then(log: Path, at_s: float, below_mm: float, tmp_path: Path) -> None:
    depth, labels, facts = tmp_path / "d.npy", tmp_path / "s.png", tmp_path / "f.json"
    said = run("CASE", "--log", log, "--at", at_s, "--depth", depth, "--labels", labels, "--facts", facts)
    assert "1 temporal_bone, 2 facial_nerve" in said, "a plan of a removal is nothing to be seen"
    deep = np.load(depth)
    # The burr's lowest points, 0.05 mm aside of the middle.
    assert np.nanmax(deep[43:46, 58:62]) == pytest.approx(ABOVE_MM + below_mm, abs=CLOSE_MM)
    # Beside the trough its top is as it was.
    assert deep[44, 59 - 27] == pytest.approx(ABOVE_MM, abs=CLOSE_MM)
    with Image.open(labels) as image:
        seen = np.asarray(image)
    assert seen[44, 59] == 1 and seen[2, 59] == 2 and seen[2, 2] == 0
    told = json.loads(facts.read_text())
    assert told["drilled"] == ["temporal_bone"] and told["camera_name"] == "above"
    assert np.allclose(told["T_camera_from_ct"], np.diag((1.0, -1.0, -1.0, 1.0)) + ABOVE_MM * np.eye(4)[[2]].T @ np.eye(4)[[3]])


def test_bone_of_a_session_is_seen_from_elsewhere_and_by_default_as_it_was_last(log: Path, tmp_path: Path) -> None:
    run("CASE", "--log", log, "--eye", 0, 0, 2 * ABOVE_MM, "--towards", 0, 0, 0, "--up", 0, 1, 0, "--depth", tmp_path / "d.npy")
    assert np.nanmax(np.load(tmp_path / "d.npy")[43:47, 58:62]) == pytest.approx(2 * ABOVE_MM + 5.37, abs=2 * CLOSE_MM)
    run("CASE", "--log", log, "--depth", tmp_path / "e.npy")
    assert np.nanmax(np.load(tmp_path / "e.npy")[43:46, 58:62]) == pytest.approx(ABOVE_MM + 5.37, abs=CLOSE_MM)


def test_without_a_session_the_bone_is_whole_and_stands_where_it_is_asked_for(tmp_path: Path) -> None:
    run("CASE", "--eye", 0, 0, ABOVE_MM, "--towards", 0, 0, 0, "--up", 0, 1, 0, "--depth", tmp_path / "d.npy", "--without", "facial_nerve")
    deep = np.load(tmp_path / "d.npy")
    assert deep[44, 59] == pytest.approx(ABOVE_MM, abs=1e-3)
    assert np.isnan(deep[2, 59]), "the nerve was left out"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--eye", 0, 0, 9, "--towards", 0, 0, 0), "nothing to write"),
        (("--depth", "d.png"), "where the camera stands is not said"),
        (("--depth", "d.png", "--eye", 0, 0, 9), "where the camera stands is not said"),
        (("--depth", "d.png", "--eye", 0, 0, 9, "--towards", 0, 0, 0, "--at", 3), "--at is a moment of a session"),
        (("--depth", "d.png", "--eye", 0, 0, 9, "--towards", 0, 0, 0, "--without", "facial"), "no structure 'facial'"),
        (("--depth", "d.png", "--eye", 0, 0, 9, "--towards", 0, 0, 0, "--camera", "right"), "no camera 'right'"),
    ],
)
def test_what_is_not_clear_is_refused(words: tuple[object, ...], problem: str) -> None:
    with pytest.raises(InputRefused, match=problem):
        run("CASE", *words)
