"""Tool axis by spinning: against simulated truth, and what has to make it refuse."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.calibration_cases import spin_poses, spoilt, unequal
from navtwin.calibrate import calibrate_spin
from navtwin.calibrate.poses import rotations_about
from navtwin.errors import InputRefused


def test_exact_spin_gives_the_exact_axis() -> None:
    angles, axis, point = np.linspace(0.0, 5.0, 60), np.array([0.36, -0.48, 0.8]), np.array([10.0, 4.0, 7.0])
    poses = np.tile(np.eye(4), (60, 1, 1))
    poses[:, :3, :3] = rotations_about(angles[:, None] * axis)
    poses[:, :3, 3] = np.array([1.0, 2.0, 3.0]) - poses[:, :3, :3] @ point
    found = calibrate_spin(poses, point + 50.0 * axis)
    np.testing.assert_allclose(found.axis_in_marker, axis, atol=1e-12)
    np.testing.assert_allclose(np.cross(found.point_mm - point, axis), 0.0, atol=1e-9)
    assert found.accepted
    assert found.signed
    assert found.tip_off_axis_mm == pytest.approx(0.0, abs=1e-9)
    assert found.angle_deg == pytest.approx(np.degrees(5.0))


def test_the_tip_says_which_end_is_the_front() -> None:
    poses, axis, tip = spin_poses(np.random.default_rng(0), 200)
    for end in (1.0, -1.0):
        found = calibrate_spin(poses, tip + (end - 1.0) * 90.0 * axis)
        assert found.axis_in_marker @ (end * axis) > 0.9999
    assert not calibrate_spin(poses).signed


@pytest.mark.parametrize(("correlation", "turn_deg"), [(0.0, 360.0), (0.9, 120.0)])
def test_truth_lies_in_the_95_percent_interval(correlation: float, turn_deg: float) -> None:
    inside = []
    for seed in range(120):
        poses, axis, tip = spin_poses(np.random.default_rng(seed), 150, correlation, turn_deg)
        found = calibrate_spin(poses, tip)
        across = np.linalg.svd(axis[None])[2][1:]
        inside.append(np.abs(across @ found.axis_in_marker) <= 1.96 * np.sqrt(np.diag(across @ found.covariance @ across.T)))
    assert 0.88 <= np.mean(inside) <= 0.99


def test_bad_poses_are_left_out() -> None:
    rng = np.random.default_rng(3)
    poses, axis, tip = spin_poses(rng, 300)
    found = calibrate_spin(spoilt(poses, rng, 0.05), tip)
    assert found.accepted, found.reasons
    assert found.inliers.sum() <= 290
    assert np.arccos(found.axis_in_marker @ axis) < 5e-4


def test_poses_of_unequal_noise_that_agree_on_the_axis_are_accepted() -> None:
    """A cube shows one face at times, two at others: 30 % of the poses are eight times as noisy as the rest."""
    for seed in range(5):
        rng = np.random.default_rng(seed)
        poses, axis, tip = spin_poses(rng, 300, sd_rad=1e-4)
        found = calibrate_spin(unequal(poses, rng, 0.3, 8.0, 1e-4, 0.1)[0], tip)
        assert found.accepted, found.reasons
        assert found.inliers.mean() < 0.9 < found.agreeing.mean()
        assert np.arccos(found.axis_in_marker @ axis) < 1e-4


def _faulty(kind: str) -> tuple[np.ndarray, np.ndarray]:
    poses, axis, tip = spin_poses(np.random.default_rng(1), 20 if kind == "few" else 300, turn_deg=40.0 if kind == "short" else 360.0)
    along = np.linspace(0.0, 1.0, len(poses))
    if kind == "wobble":
        poses[:, :3, :3] = rotations_about(np.outer(0.03 * np.sin(6.0 * along), (1.0, 0.3, 0.0))) @ poses[:, :3, :3]
    elif kind == "wander":
        across = np.linalg.svd((poses[0, :3, :3] @ axis)[None])[2][1]
        poses[:, :3, 3] += np.outer(3.0 * along, across)
    elif kind == "slide":
        poses[:, :3, 3] += np.outer(20.0 * along, poses[0, :3, :3] @ axis)
    elif kind == "wrong tip":
        tip = calibrate_spin(poses).point_mm + 40.0 * np.linalg.svd(axis[None])[2][1]
    return poses, tip


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("few", "only 20 poses"),
        ("short", "too little spin"),
        ("wobble", "wobbled"),
        ("wander", "across its axis"),
        ("slide", "along its axis"),
        ("wrong tip", "which end is the front"),
    ],
)
def test_refusals_say_why(kind: str, words: str) -> None:
    poses, tip = _faulty(kind)
    found = calibrate_spin(poses, tip)
    assert not found.accepted
    assert any(words in reason for reason in found.reasons), found.reasons


def test_poses_that_are_none() -> None:
    poses, _, _ = spin_poses(np.random.default_rng(0), 50)
    poses[3, 0, 3] = np.nan
    with pytest.raises(InputRefused, match="pose 3 of the axis calibration holds NaN"):
        calibrate_spin(poses)
    with pytest.raises(InputRefused, match="shape"):
        calibrate_spin(np.eye(4))
