"""The benchmark on real pictures: its error bars against brute force, its verdicts, and what it says without its data."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

# As where a benchmark is started as a script: its folder comes first.
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from benchmarks import recorded
from benchmarks.recorded_parts import films
from benchmarks.recorded_parts.definitions import board, one_file_camera, rig_of, square
from benchmarks.recorded_parts.rows import ROUNDED_PX, compared, limited
from tracking.opencv import cv2

ARUCO = recorded.DATA / "aruco"


def turned_and_moved(turn_rad: np.ndarray, place_mm: tuple[float, float, float]) -> np.ndarray:
    found = np.eye(4)
    found[:3, :3], found[:3, 3] = Rotation.from_rotvec(turn_rad).as_matrix(), place_mm
    return found


def moved_by(pose: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Turned about the body's origin, in camera axes, and shifted."""
    found = pose.copy()
    found[:3, :3] = Rotation.from_rotvec(step[:3]).as_matrix() @ pose[:3, :3]
    found[:3, 3] += step[3:]
    return found


def write_camera(path: Path) -> Path:
    path.write_text("560 0 320\n0 560 240\n0 0 1\n0 0 0 0 0\n", encoding="utf-8")
    return path


def test_the_sd_of_rounded_corners_is_that_of_poses_fitted_to_them(tmp_path: Path) -> None:
    rig = rig_of(one_file_camera(write_camera(tmp_path / "c.txt")), (square("tag", "4X4_50", 0, 50.0),))
    corners = np.array(rig.body[0].marker[0].corners_mm)
    pose = turned_and_moved(np.array([2.6, 0.3, 0.2]), (20.0, -15.0, 210.0))
    matrix = np.array([[560.0, 0.0, 320.0], [0.0, 560.0, 240.0], [0.0, 0.0, 1.0]])
    start = cv2.Rodrigues(pose[:3, :3])[0], pose[:3, 3, None]
    exact = cv2.projectPoints(corners, *start, matrix, None)[0].reshape(-1, 2)
    rng, steps = np.random.default_rng(0), []
    for _ in range(600):
        turn, place = cv2.solvePnPRefineLM(corners, exact + ROUNDED_PX * rng.normal(size=exact.shape), matrix, None, start[0].copy(), start[1].copy())
        w = Rotation.from_matrix(cv2.Rodrigues(turn)[0] @ pose[:3, :3].T).as_rotvec()
        steps.append(np.concatenate([w, place.ravel() - pose[:3, 3]]))
    stated = np.sqrt(np.diag(films._rounding(rig, [(exact, corners)], pose)))
    np.testing.assert_allclose(np.std(steps, axis=0), stated, rtol=0.15)


def test_the_tip_and_its_covariance_follow_both_poses() -> None:
    base, pointer = (
        turned_and_moved(np.array([0.3, 2.0, 0.1]), (-80.0, 50.0, 250.0)),
        turned_and_moved(np.array([0.1, -0.4, 2.5]), (-24.0, 75.0, 260.0)),
    )
    tip, rng = np.array([-100.0, 5.0, 3.0]), np.random.default_rng(1)
    a, b = (s @ s.T for s in rng.normal(size=(2, 6, 6)) * np.array([1e-4] * 3 + [1e-2] * 3)[:, None])
    found, covariance = films._tip(base, pointer, a, b, tip)
    np.testing.assert_allclose(found, (np.linalg.inv(base) @ pointer @ np.append(tip, 1.0))[:3])
    many = [
        (np.linalg.inv(moved_by(base, p)) @ moved_by(pointer, q) @ np.append(tip, 1.0))[:3]
        for p, q in zip(rng.multivariate_normal(np.zeros(6), a, 4000), rng.multivariate_normal(np.zeros(6), b, 4000), strict=True)
    ]
    np.testing.assert_allclose(np.cov(np.array(many).T), covariance, rtol=0.1, atol=0.05 * covariance.diagonal().max())


@pytest.mark.parametrize(("off", "passed"), [(14.9, True), (15.1, False)])
def test_verdicts_count_both_sds(off: float, passed: bool) -> None:
    row = compared(
        "film", "what", "A", np.array([100.0, 7.0]), np.array([100.0 - off, 7.0]), np.array([3.0, 1.0]), np.array([4.0, 1.0]), "mm", (3, 4)
    )
    assert row.passed is passed
    assert row.sds == pytest.approx(off / 5.0)
    assert not limited("film", "what", "D", 0.9, 0.91, "px", (1, 1)).passed


def test_without_its_data_it_says_what_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["recorded", "--data", str(tmp_path), "--json", str(tmp_path / "f.json")])
    assert recorded.main() == 0
    assert capsys.readouterr().out.count("skipped") == len(recorded.PARTS)
    told = json.loads((tmp_path / "f.json").read_text(encoding="utf-8"))
    assert told["figures"] == told["tables"] == []
    assert len(told["notes"]) == len(recorded.PARTS)


def test_definitions_are_read_as_their_makers_mean_them(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("7\t5 5 0\t0 0 0\t10 0 0\t10 10 0\t0 10 0\n9\t25 5 0\t20 0 0\t30 0 0\t30 10 0\t20 10 0\n", encoding="utf-8")
    markers = {m.id: m.corners_mm for m in board(tmp_path / "b.txt", "ARUCO_ORIGINAL").marker}
    assert markers[9] == ((20.0, 0.0, 0.0), (30.0, 0.0, 0.0), (30.0, 10.0, 0.0), (20.0, 10.0, 0.0))
    assert set(markers) == {7, 9}
    assert one_file_camera(write_camera(tmp_path / "c.txt")).centre_px == (320.0, 240.0)


@pytest.mark.heavy
@pytest.mark.skipif(not ARUCO.is_dir(), reason="the data pack with the ArUco videos is not here")
def test_every_film_is_where_its_makers_have_it() -> None:
    found = list(films.rows(ARUCO))
    assert len(found) > 20
    assert [f"{r.film}, {r.what}: {r.verdict}" for r in found if r.passed is False] == []
