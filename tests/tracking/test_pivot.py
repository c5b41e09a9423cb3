"""Pivot calibration against simulated truth, and everything that has to make it refuse."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.accuracy_parts.trials import TIP_MM, pivot_poses
from benchmarks.calibration_cases import unequal
from navtwin.errors import InputRefused
from navtwin.register.touch import rotation_about
from tracking import calibrate_pivot

PIVOT = np.array((20.0, -30.0, -900.0))


def exact_poses(turns: np.ndarray) -> np.ndarray:
    poses = np.tile(np.eye(4), (len(turns), 1, 1))
    for pose, turn in zip(poses, turns, strict=True):
        pose[:3, :3] = rotation_about(turn)
        pose[:3, 3] = PIVOT - pose[:3, :3] @ TIP_MM
    return poses


def test_exact_poses_give_the_exact_tip() -> None:
    found = calibrate_pivot(exact_poses(np.random.default_rng(0).normal(size=(60, 3)) * 0.4))
    np.testing.assert_allclose(found.tip_mm, TIP_MM, atol=1e-8)
    np.testing.assert_allclose(found.pivot_mm, PIVOT, atol=1e-8)
    assert found.accepted
    assert found.reasons == ()
    assert found.rms_mm < 1e-8
    assert found.inliers.all()


@pytest.mark.parametrize(("poses", "correlation"), [(40, 0.0), (200, 0.9)])
def test_truth_lies_in_the_95_percent_interval(poses: int, correlation: float) -> None:
    inside = []
    for seed in range(70):
        found = calibrate_pivot(pivot_poses(np.random.default_rng(seed), poses, correlation))
        inside.append(np.abs(found.tip_mm - TIP_MM) <= 1.96 * np.sqrt(np.diag(found.covariance)))
        assert found.accepted, found.reasons
    assert 0.90 <= np.mean(inside) <= 0.98


def test_sd_is_the_covariances() -> None:
    found = calibrate_pivot(pivot_poses(np.random.default_rng(1), 200, 0.0))
    assert found.tip_sd_mm == pytest.approx(np.sqrt(np.trace(found.covariance) / 3.0))
    np.testing.assert_allclose(found.covariance, found.covariance.T)


def test_bad_poses_are_left_out_and_counted() -> None:
    poses = pivot_poses(np.random.default_rng(2), 200, 0.0)
    poses[10:18, :3, 3] += (30.0, -5.0, 12.0)
    found = calibrate_pivot(poses)
    assert found.accepted, found.reasons
    assert not found.inliers[10:18].any()
    assert found.inliers.sum() >= 190
    assert np.linalg.norm(found.tip_mm - TIP_MM) < 0.15


def unequal_poses(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return unequal(pivot_poses(rng, 200, 0.0), rng, 0.3, 5.0, 3e-4, 0.1)


@pytest.mark.parametrize("weighted", [False, True])
def test_poses_of_unequal_noise_that_agree_on_the_tip_are_accepted(weighted: bool) -> None:
    for seed in range(5):
        poses, covariances = unequal_poses(seed)
        found = calibrate_pivot(poses, covariances if weighted else None)
        assert found.accepted, found.reasons
        assert found.agreeing[found.inliers].all()
        # Unweighted, noisy ones are left out of the fit; weighted, they belong to it.
        assert found.inliers.mean() > 0.99 if weighted else found.inliers.mean() < found.agreeing.mean()


def test_covariances_make_the_tip_better_and_scale_does_not_matter() -> None:
    error: dict[str, list[float]] = {"none": [], "stated": []}
    for seed in range(20):
        poses, covariances = unequal_poses(seed)
        both = {"none": calibrate_pivot(poses), "stated": calibrate_pivot(poses, covariances)}
        for name, found in both.items():
            error[name].append(float(np.square(found.tip_mm - TIP_MM).sum()))
        timid = calibrate_pivot(poses, 100.0 * covariances)
        assert np.linalg.norm(timid.tip_mm - both["stated"].tip_mm) < both["stated"].tip_sd_mm
        assert timid.tip_sd_mm == pytest.approx(both["stated"].tip_sd_mm, rel=0.25)
    assert np.mean(error["stated"]) < 0.85 * np.mean(error["none"])


def test_equal_covariances_change_nothing() -> None:
    poses = pivot_poses(np.random.default_rng(0), 100, 0.0)
    covariances = np.tile(np.diag([0.0] * 3 + [0.01] * 3), (100, 1, 1))
    plain, weighted = calibrate_pivot(poses), calibrate_pivot(poses, covariances)
    np.testing.assert_allclose(weighted.tip_mm, plain.tip_mm, atol=1e-9)
    np.testing.assert_allclose(weighted.covariance, plain.covariance, rtol=1e-6, atol=1e-12)


def test_covariances_that_are_none() -> None:
    poses = pivot_poses(np.random.default_rng(0), 30, 0.0)
    good = np.tile(np.eye(6), (30, 1, 1))
    with pytest.raises(InputRefused, match="shape"):
        calibrate_pivot(poses, good[:29])
    for value, words in ((np.nan, "NaN"), (-1.0, "covariance 4 of the pivot is none")):
        bad = good.copy()
        bad[4, 2, 2] = value
        with pytest.raises(InputRefused, match=words):
            calibrate_pivot(poses, bad)


def test_many_bad_poses_are_refused_not_hidden() -> None:
    poses = pivot_poses(np.random.default_rng(3), 200, 0.0)
    poses[::4, :3, 3] += np.random.default_rng(4).normal(size=(50, 3)) * 8.0
    found = calibrate_pivot(poses)
    assert not found.accepted
    assert any("of 200 poses agree" in reason for reason in found.reasons)


def test_too_few_poses() -> None:
    found = calibrate_pivot(pivot_poses(np.random.default_rng(0), 12, 0.0))
    assert not found.accepted
    assert "only 12 poses" in found.reasons[0]


def test_too_little_rotation() -> None:
    poses = exact_poses(np.random.default_rng(0).normal(size=(100, 3)) * 0.02)
    poses[:, :3, 3] += np.random.default_rng(1).normal(size=(100, 3)) * 0.1
    found = calibrate_pivot(poses)
    assert not found.accepted
    assert "too little rotation" in found.reasons[0]


@pytest.mark.parametrize("axis", [(1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.6, 0.0, 0.8)])
def test_single_axis(axis: tuple[float, float, float]) -> None:
    poses = exact_poses(np.linspace(-0.6, 0.6, 100)[:, None] * np.array(axis))
    poses[:, :3, 3] += np.random.default_rng(1).normal(size=(100, 3)) * 0.1
    found = calibrate_pivot(poses)
    assert not found.accepted
    assert "single axis" in found.reasons[0]
    # What the poses leave open must not look known.
    assert found.tip_sd_mm > 1.0
    assert np.isfinite(found.covariance).all()


def test_a_single_axis_is_named() -> None:
    poses = exact_poses(np.linspace(-0.6, 0.6, 100)[:, None] * np.array((0.6, 0.0, 0.8)))
    poses[:, :3, 3] += np.random.default_rng(1).normal(size=(100, 3)) * 0.1
    assert "(0.60, 0.00, 0.80) in marker axes" in calibrate_pivot(poses).reasons[0]


def test_sphere_and_poses_agree() -> None:
    found = calibrate_pivot(pivot_poses(np.random.default_rng(0), 300, 0.5))
    assert found.sphere.agrees
    assert found.sphere.radius_mm == pytest.approx(np.linalg.norm(TIP_MM), rel=0.01)
    assert found.sphere.apart_mm < 0.3


def test_rotations_that_lie_are_found_out_by_the_sphere() -> None:
    """A tracker that understates every turn by a tenth puts the tip too far out; the marker's positions do not follow it."""
    turns = np.random.default_rng(0).normal(size=(300, 3)) * 0.4
    poses = exact_poses(turns)
    poses[:, :3, :3] = exact_poses(0.9 * turns)[:, :3, :3]
    poses[:, :3, 3] += np.random.default_rng(1).normal(size=(300, 3)) * 0.1
    found = calibrate_pivot(poses)
    assert found.sphere.agrees is False
    assert any("rotations do not belong to the positions" in reason for reason in found.reasons), found.reasons


def test_a_small_cap_gives_the_sphere_no_opinion() -> None:
    poses = exact_poses(np.random.default_rng(0).normal(size=(300, 3)) * 0.05)
    poses[:, :3, 3] += np.random.default_rng(1).normal(size=(300, 3)) * 0.5
    assert calibrate_pivot(poses).sphere.agrees in (None, True)


@pytest.mark.parametrize("jump", [False, True])
def test_slipping_tip(jump: bool) -> None:
    poses = pivot_poses(np.random.default_rng(5), 300, 0.0)
    along = np.linspace(0.0, 1.0, 300)
    poses[:, :3, 3] += np.outer(along > 0.5 if jump else along, (2.0, 1.0, 0.0))
    found = calibrate_pivot(poses)
    assert not found.accepted
    assert any("slid" in reason and "quarter" in reason for reason in found.reasons), found.reasons


def test_vague_tip_is_refused() -> None:
    poses = pivot_poses(np.random.default_rng(6), 25, 0.0)
    poses[:, :3, 3] += np.random.default_rng(7).normal(size=(25, 3)) * 6.0
    found = calibrate_pivot(poses)
    assert not found.accepted
    assert any("sd" in reason for reason in found.reasons)


def _spoilt(kind: str) -> np.ndarray:
    poses = exact_poses(np.random.default_rng(0).normal(size=(30, 3)) * 0.4)
    if kind == "nan":
        poses[7, 0, 3] = np.nan
    elif kind == "scaled":
        poses[7, :3, :3] *= 1.01
    elif kind == "mirror":
        poses[7, :3, 0] *= -1.0
    elif kind == "last row":
        poses[7, 3, 0] = 1.0
    return poses


@pytest.mark.parametrize(("kind", "words"), [("nan", "NaN"), ("scaled", "not rigid"), ("mirror", "left-handed"), ("last row", "not rigid")])
def test_poses_that_are_none(kind: str, words: str) -> None:
    with pytest.raises(InputRefused, match=f"(?i)pose 7.*{words}"):
        calibrate_pivot(_spoilt(kind))


@pytest.mark.parametrize("poses", [np.zeros((0, 4, 4)), np.eye(4), np.zeros((5, 3, 4)), [["a"]]])
def test_no_poses_at_all(poses: object) -> None:
    with pytest.raises(InputRefused):
        calibrate_pivot(poses)  # type: ignore[arg-type]


def test_importing_tracking_loads_no_camera_library() -> None:
    code = "import sys, tracking; from tracking import calibrate_pivot; sys.exit('cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, env=dict(os.environ)).returncode == 0
