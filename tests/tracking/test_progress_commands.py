"""The calibration commands as a screen runs them: every line parses, the rig is changed by its consent only."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from benchmarks.accuracy_parts.trials import TIP_MM, pivot_poses
from benchmarks.calibration_cases import spin_poses
from navtwin.bus.video import VideoServer
from navtwin.errors import InputRefused
from navtwin.nouns import read_rig
from navtwin.nouns.calibration import CalibrationEnded, CalibrationVerdict, Progress, decode_line
from tests.tracking.test_calibrate_commands import times, write_log
from tests.tracking.test_progress_result import RIG
from tests.tracking.test_progress_screen import Port, Said
from tracking.calibration import screen as screens
from tracking.commands.calibrate import calibrate_app
from tracking.pictures import devices as machine

Run = Callable[..., tuple[int, list[Any]]]


@pytest.fixture
def rig(tmp_path: Path) -> Path:
    path = tmp_path / "rig.toml"
    path.write_text(RIG.read_text(encoding="utf-8"), encoding="utf-8")
    return path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def done(*words: object, orders: tuple[str, ...] = (), later: tuple[str, ...] = (), port: Port | None = None) -> tuple[int, list[Any]]:
        monkeypatch.setattr(screens, "Orders", lambda: Said(*orders, later=later))
        video = [] if port is None else ["--video-port", "0"]
        result = CliRunner().invoke(calibrate_app, [*map(str, words), "--progress", *video], obj=lambda number: port)
        if isinstance(result.exception, InputRefused):
            raise result.exception
        assert result.stderr == ""
        return result.exit_code, [decode_line(line) for line in result.stdout.splitlines()]

    return done


def pivot_log(tmp_path: Path, count: int = 200) -> Path:
    return write_log(tmp_path / "pivot.mcap", {"drill": (times(count), pivot_poses(np.random.default_rng(0), count, 0.3))})


@pytest.mark.parametrize(("orders", "stored"), [(("accept",), True), (("reject",), False), ((), False)])
def test_a_tip_is_stored_by_the_screens_consent(tmp_path: Path, rig: Path, run: Run, orders: tuple[str, ...], stored: bool) -> None:
    before = rig.read_bytes()
    code, lines = run("tool", pivot_log(tmp_path), "--tool", "drill", "--rig", rig, "--whole", "--write", later=orders)
    assert code == 0
    assert (lines[0].phase, lines[0].what) == ("opening", "tool")
    assert [line.phase for line in lines if isinstance(line, Progress)][-1] == "computing"
    *_, verdict, ended = lines
    assert isinstance(verdict, CalibrationVerdict)
    assert verdict.accepted
    assert verdict.waits
    assert any(line.startswith("tool drill: tip_mm = [") for line in verdict.writes)
    tip = np.array([figure.value for figure in verdict.figures if re.fullmatch("tip [xyz]", figure.name)])
    np.testing.assert_allclose(tip, TIP_MM, atol=0.3)
    assert Path(verdict.result).is_file()
    assert Path(verdict.picture).stat().st_size > 10_000
    assert isinstance(ended, CalibrationEnded)
    assert ended.stored is stored
    assert (rig.read_bytes() != before) is stored
    if stored:
        np.testing.assert_allclose(np.array(read_rig(rig).tool[1].tip_mm), TIP_MM, atol=0.3)


def test_without_write_there_is_nothing_to_consent_to(tmp_path: Path, rig: Path, run: Run) -> None:
    code, lines = run("tool", pivot_log(tmp_path), "--tool", "drill", "--rig", rig, "--whole", later=("accept",))
    *_, verdict, ended = lines
    assert (code, verdict.waits, verdict.writes, ended.stored, ended.words) == (0, False, (), False, "nothing to store")


def test_what_the_gate_refuses_cannot_be_accepted(tmp_path: Path, rig: Path, run: Run) -> None:
    before = rig.read_bytes()
    # A drill that was only spun tells no tip.
    poses, _, _ = spin_poses(np.random.default_rng(1), 200)
    spin = write_log(tmp_path / "spin.mcap", {"drill": (times(200), poses)})
    code, lines = run("tool", spin, "--tool", "drill", "--rig", rig, "--whole", "--write", later=("accept",))
    *_, verdict, ended = lines
    assert (code, verdict.accepted, verdict.waits, ended.stored) == (1, False, False, False)
    assert verdict.reasons
    assert rig.read_bytes() == before


def test_cancelling_leaves_nothing(tmp_path: Path, rig: Path, run: Run) -> None:
    log = pivot_log(tmp_path)
    code, lines = run("tool", log, "--tool", "drill", "--rig", rig, "--whole", "--write", orders=("", "cancel"))
    assert code == 0
    assert lines[-1] == CalibrationEnded(what="tool", stored=False, words="cancelled: nothing was stored")
    assert {path.name for path in tmp_path.iterdir()} == {"rig.toml", "pivot.mcap"}


@pytest.mark.heavy
def test_a_rendered_board_is_followed_to_its_verdict(tmp_path: Path, run: Run) -> None:
    rig, port = tmp_path / "rig.toml", Port()
    # A rig that has a tracker and bodies, and no camera yet.
    rig.write_text(RIG.read_text(encoding="utf-8").split("[[camera]]", maxsplit=1)[0], encoding="utf-8")
    code, lines = run("camera", "camera:phantom:board?height=360", "--size", "640x360", "--rig", rig, "--write", later=("accept",), port=port)
    *told, verdict, ended = lines
    assert (code, verdict.accepted, ended.stored) == (0, True, True)
    assert read_rig(rig).camera[0].width_px == 640
    collecting = [line for line in told if line.phase == "collecting"]
    shares = [line.done_share for line in collecting]
    assert shares == sorted(shares)
    assert shares[0] < 0.2
    assert shares[-1] > 0.9
    assert collecting[-1].views >= 20
    assert sum(map(sum, collecting[-1].coverage[0].cells_share)) > 30.0
    # The glance at the fit agrees with the calibration.
    so_far = {figure.name: figure.value for figure in collecting[-1].figures}
    found = {figure.name: figure.value for figure in verdict.figures}
    assert 0.0 < so_far["fit so far"] < 0.5
    assert so_far["focal length so far"] == pytest.approx(found["focal x"], rel=0.01)
    assert told[-1].phase == "computing"
    assert told[-1].coverage == collecting[-1].coverage or told[-1].views > collecting[-1].views
    assert port.published
    assert any(frame.points_px for frame, _ in port.published)
    assert all((frame.full_width_px, frame.camera) == (640, "camera") for frame, _ in port.published)
    assert port.closed


@pytest.mark.heavy
def test_bodies_are_watched_until_the_screen_has_seen_enough(tmp_path: Path, run: Run) -> None:
    port = Port()
    rig = made_rig(tmp_path)
    code, lines = run("look", "camera:phantom:body:pointer?height=480&lens=rig", "--rig", rig, orders=(*[""] * 40, "finish"), port=port)
    *told, verdict, ended = lines
    assert (code, verdict.accepted, ended.stored) == (0, True, False)
    assert verdict.lines[0] == "seen: pointer"
    assert "pointer: OK" in told[-1].words
    assert any(body.body == "pointer" and body.pose is not None for frame, _ in port.published for body in frame.bodies)
    assert any(frame.markers for frame, _ in port.published)


def made_rig(tmp_path: Path) -> Path:
    """The printed kit's rig, with a camera of 854 x 480 px."""
    from tracking.kit.sheet import make_sheet, write_sheet

    path = tmp_path / "rig.toml"
    write_sheet(make_sheet("A4", "APRILTAG_36h11", ["ref", "pointer"], 0), tmp_path / "sheet.pdf", path, force=False)
    camera = '\n[[camera]]\nname = "webcam"\nwidth_px = 854\nheight_px = 480\nfocal_px = [620.0, 620.0]\ncentre_px = [426.5, 239.5]\n'
    path.write_text(path.read_text(encoding="utf-8") + camera, encoding="utf-8")
    return path


def test_the_command_line_hands_its_rooms_the_bus_own_server() -> None:
    from navtwin import cli

    context = typer.Context(typer.main.get_command(cli.app))
    cli._main(context)
    server = context.obj(0)
    try:
        assert isinstance(server, VideoServer)
        assert server.port > 0
    finally:
        server.close()


def test_cameras_can_be_listed_for_a_menu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "cameras_there", lambda: {0: "Integrated Camera", 2: "USB"})
    shown = CliRunner().invoke(calibrate_app, ["devices", "--json"])
    rows = [{"address": "camera:0", "name": "Integrated Camera"}, {"address": "camera:2", "name": "USB"}]
    assert json.loads(shown.stdout)["cameras"] == rows
