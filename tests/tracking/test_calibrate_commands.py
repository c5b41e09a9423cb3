"""The calibration commands on a recorded log: results, pictures, the rig, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.accuracy_parts.trials import TIP_MM, pivot_poses
from benchmarks.calibration_cases import rigid, smooth_motion, spin_poses
from navtwin.errors import InputRefused
from navtwin.nouns import Event, Pose, Sighting, TrackerFrame, read_rig
from navtwin.record.log import LogWriter
from navtwin.rigid import Rigid
from tests.record.logs import header
from tracking.commands.calibrate import calibrate_app

RIG = Path(__file__).resolve().parents[2] / "docs" / "examples" / "rig.toml"
X = rigid(np.array([0.4, -1.1, 0.7]), np.array([30.0, -50.0, 80.0]))
Y = rigid(np.array([-0.9, 0.2, 0.3]), np.array([-200.0, 90.0, 700.0]))


def write_log(path: Path, streams: dict[str, tuple[np.ndarray, np.ndarray]]) -> Path:
    """A log of bodies, each with its times (ns) and poses; one body a frame."""
    frames = sorted(
        ((int(t), body, pose) for body, (times, poses) in streams.items() for t, pose in zip(times, poses, strict=True)), key=lambda f: f[0]
    )
    with LogWriter(path, live=False) as log:
        log.write_header(header())
        for n, (t_ns, body, matrix) in enumerate(frames):
            pose = Pose.from_rigid(Rigid.from_matrix(matrix, target="tracker", source=body))
            frame = TrackerFrame("made", n, t_ns, t_ns, (Sighting(body, "OK", pose),))
            log.write_event(Event(n + 1, t_ns, frame))
    return path


def times(count: int, rate_hz: float = 50.0) -> np.ndarray:
    return (1_000_000_000 + np.arange(count) * 1e9 / rate_hz).astype(np.int64)


def run(*words: object) -> tuple[int, dict[str, object]]:
    done = CliRunner().invoke(calibrate_app, [*map(str, words), "--json"])
    if isinstance(done.exception, InputRefused):
        raise done.exception
    return done.exit_code, json.loads(done.stdout)


def test_tip_then_axis_are_found_and_stored(tmp_path: Path) -> None:
    rig = tmp_path / "rig.toml"
    rig.write_text(RIG.read_text(encoding="utf-8"), encoding="utf-8")
    rng = np.random.default_rng(0)
    pivot = write_log(tmp_path / "pivot.mcap", {"drill": (times(200), pivot_poses(rng, 200, 0.3))})
    code, report = run("tool", pivot, "--tool", "drill", "--rig", rig, "--whole", "--write")
    assert code == 0, report
    np.testing.assert_allclose(read_rig(rig).tool[1].tip_mm, TIP_MM, atol=0.3)
    assert Path(str(report["result"])).with_suffix(".png").stat().st_size > 10_000
    # The same by its address, and only what comes in its first second.
    code, again = run("tool", f"log:{pivot}", "--tool", "drill", "--rig", rig, "--whole", "--seconds", 1.0)
    assert again["poses"] == 51
    # Nothing in it was collected for a pivot, so nothing is used unasked.
    with pytest.raises(InputRefused, match="holds no pivot of 'drill'"):
        run("tool", pivot, "--tool", "drill", "--rig", rig)
    poses, axis, _ = spin_poses(rng, 200)
    spin = write_log(tmp_path / "spin.mcap", {"drill": (times(200), poses)})
    code, report = run("axis", spin, "--tool", "drill", "--rig", rig)
    assert report["axis_sd_rad"] < 1e-3  # type: ignore[operator]
    assert abs(np.array(report["axis_in_marker"]) @ axis) > 0.99999
    # A pivot is no spin, and the exit code says so.
    assert run("axis", pivot, "--tool", "drill", "--rig", rig)[0] == 1


def test_time_then_hand_eye(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    motion, t = smooth_motion(rng), times(500)
    later = t[::2] + 7_000_000
    seconds = [(t - t[0]) / 1e9, (later - t[0]) / 1e9]
    body, eye = (rigid(0.3 * motion(s)[:, :3], 40.0 * motion(s)[:, 3:]) for s in seconds)
    seen = np.linalg.inv(np.linalg.inv(Y) @ eye @ X)
    log = write_log(tmp_path / "both.mcap", {"camera": (t, body), "board": (later - 40_000_000, seen)})
    code, report = run("time", log, "--body", "camera", "--against", "board", "--out", tmp_path)
    assert code == 0, report
    assert report["offset_ns"] == pytest.approx(40_000_000, abs=300_000)
    code, report = run("hand-eye", log, "--body", "camera", "--against", "board", "--offset-ms", float(report["offset_ns"]) / 1e6, "--out", tmp_path)  # type: ignore[arg-type]
    assert code == 0, report
    np.testing.assert_allclose(np.array(report["T_body_from_eye"]), X, atol=0.3)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.mcap", {"ref": (times(70), np.tile(np.eye(4), (70, 1, 1)))})
    with pytest.raises(InputRefused, match=r"'drill' was never seen.*Seen: ref"):
        run("time", log, "--body", "drill", "--against", "ref", "--out", tmp_path)
    with pytest.raises(InputRefused, match="no tool 'saw'"):
        run("axis", log, "--tool", "saw", "--rig", RIG)
    with pytest.raises(InputRefused, match="no folder"):
        run("time", log, "--body", "ref", "--against", "ref", "--out", tmp_path / "none")
