"""Hand-eye calibration against simulated truth, and what has to make it refuse."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks.calibration_cases import disturbed, hand_eye_case, noise, rigid, spoilt
from navtwin.calibrate import calibrate_hand_eye, calibrate_robot_world
from navtwin.calibrate.poses import vectors_of
from navtwin.errors import InputRefused

X = rigid(np.array([0.4, -1.1, 0.7]), np.array([30.0, -50.0, 80.0]))
Y = rigid(np.array([-0.9, 0.2, 0.3]), np.array([-200.0, 90.0, 700.0]))


def exact(count: int = 20, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rigid(0.5 * rng.normal(size=(count, 3)), 100.0 * rng.normal(size=(count, 3)))


def test_exact_motions_give_the_exact_transform() -> None:
    A = exact()
    found = calibrate_hand_eye(A, np.linalg.inv(X) @ A @ X)
    np.testing.assert_allclose(found.X, X, atol=1e-7)
    assert found.accepted, found.reasons


def test_exact_poses_give_both_transforms() -> None:
    A = exact()
    found = calibrate_robot_world(A, np.linalg.inv(Y) @ A @ X)
    np.testing.assert_allclose(found.X, X, atol=1e-6)
    np.testing.assert_allclose(found.Y, Y, atol=1e-6)
    assert found.accepted, found.reasons


@pytest.mark.parametrize("world", [False, True])
def test_truth_lies_in_the_95_percent_interval(world: bool) -> None:
    inside = []
    for seed in range(50):
        case = hand_eye_case(np.random.default_rng(seed), 20, world=world)
        found = calibrate_robot_world(case.A, case.B) if world else calibrate_hand_eye(case.A, case.B)
        turn = vectors_of((found.X[:3, :3] @ case.X[:3, :3].T)[None])[0]
        error = np.concatenate([turn, found.X[:3, 3] - case.X[:3, 3]])
        inside.append(np.abs(error) <= 1.96 * np.sqrt(np.diag(found.covariance)))
        assert found.accepted, found.reasons
    assert 0.88 <= np.mean(inside) <= 0.99


def test_held_out_misfit_is_no_smaller_than_the_fit() -> None:
    case = hand_eye_case(np.random.default_rng(1), 12, world=True)
    found = calibrate_robot_world(case.A, case.B)
    assert found.held_out_mm > found.rms_mm
    assert found.held_out_rad > found.rms_rad


def test_bad_poses_are_left_out() -> None:
    case = hand_eye_case(np.random.default_rng(2), 60, world=True)
    found = calibrate_robot_world(spoilt(case.A, np.random.default_rng(3), 0.1), case.B)
    assert found.accepted, found.reasons
    assert 50 <= found.inliers.sum() <= 55
    assert np.linalg.norm(found.X[:3, 3] - case.X[:3, 3]) < 0.5


def _faulty(kind: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    A = exact(6 if kind == "few" else 30)
    if kind == "small":
        A = rigid(0.02 * rng.normal(size=(30, 3)), 100.0 * rng.normal(size=(30, 3)))
    elif kind == "axis":
        A = rigid(rng.normal(size=(30, 1)) * np.array([0.0, 0.6, 0.8]), 100.0 * rng.normal(size=(30, 3)))
    B = np.linalg.inv(Y) @ A @ X
    if kind == "loose":
        B = np.linalg.inv(Y) @ exact(30, seed=9) @ X
    elif kind == "inverted":
        B = np.linalg.inv(B)
    elif kind == "vague":
        A = disturbed(A, noise(rng, 30), 0.02, 15.0)
    return disturbed(A, noise(rng, len(A)), 1e-3, 0.2), B


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("few", "only 6 poses"),
        ("small", "too little rotation"),
        ("axis", r"about one axis, \(0.00, 0.60, 0.80\)"),
        ("loose", "do not turn alike"),
        ("inverted", "inverted"),
        ("vague", "sd"),
    ],
)
def test_refusals_say_why(kind: str, words: str) -> None:
    found = calibrate_robot_world(*_faulty(kind))
    assert not found.accepted
    assert any(re.search(words, reason) for reason in found.reasons), found.reasons


def test_poses_that_are_none() -> None:
    A = exact()
    with pytest.raises(InputRefused, match="20 poses of one body stand against 19"):
        calibrate_hand_eye(A, A[:-1])
    B = A.copy()
    B[4, :3, 0] *= -1.0
    with pytest.raises(InputRefused, match=r"pose 4.*left-handed"):
        calibrate_robot_world(A, B)
