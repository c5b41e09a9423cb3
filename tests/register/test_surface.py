"""Surface registration on a vertebra whose true surface differs from the extracted one by a smooth field."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.accuracy_parts.study import study
from benchmarks.accuracy_parts.trials import CASES, TARGETS_MM, TIP_RADIUS_MM, Case, Touched, phantom_bone, register, touch, trial
from navtwin.errors import FrameMismatch, InputRefused
from navtwin.register import Registration, register_surface
from navtwin.register.touch import rotation_about
from navtwin.rigid import Rigid
from navtwin.scene.surface import Surface
from tests.register.points import observed_over_predicted

EXACT = Case("exact", surface=True, fle_mm=1e-3, sd_mm=1e-3, noise_mm=1e-3, points=120)
USUAL = Case("usual", surface=True, points=120)


def shaken(T_ct_from_ref: Rigid, degrees: float, shift_mm: float, centre_mm: np.ndarray) -> Rigid:
    """The pose, turned about (1, 1, -1) through `centre_mm` and shifted along x."""
    turn = np.eye(4)
    turn[:3, :3] = rotation_about(np.radians(degrees) * np.array((1.0, 1.0, -1.0)) / np.sqrt(3.0))
    turn[:3, 3] = centre_mm - turn[:3, :3] @ centre_mm + (shift_mm, 0.0, 0.0)
    return Rigid.from_matrix(turn @ T_ct_from_ref.matrix(), target="ct", source="ref")


def error_mm(found: Registration, touched: Touched) -> float:
    targets = phantom_bone()[1] + TARGETS_MM
    back = touched.T_ct_from_ref.inverse().apply(targets)
    return float(np.linalg.norm(found.T_ct_from_ref.apply(back) - targets, axis=1).max())


def sweep_only(touched: Touched, initial: Rigid, **options: float) -> Registration:
    return register_surface(phantom_bone()[0], touched.sweep_ref_mm, initial, tip_radius_mm=TIP_RADIUS_MM, **options)


def test_exact_touches_give_the_exact_pose_from_afar() -> None:
    touched = touch(EXACT, 0)
    middle = phantom_bone()[1] + (0.0, 40.0, 0.0)
    found = sweep_only(touched, shaken(touched.T_ct_from_ref, 4.0, 4.0, middle))
    assert found.accepted, found.reasons
    assert error_mm(found, touched) < 0.05
    assert found.surface_rms_mm is not None
    assert found.surface_rms_mm < 0.02
    assert np.isnan(found.fre_mm)
    assert found.residual_mm.shape == (0,)


@pytest.mark.parametrize("case", [replace(CASES[2], points=120), replace(CASES[4], points=120)], ids=lambda c: c.name)
def test_observed_over_predicted_error(case: Case) -> None:
    found = study(case, 40, quiet=True)
    assert 0.8 <= observed_over_predicted(found) <= 1.25
    assert found.accepted.mean() >= 0.95


def test_the_sweep_improves_on_the_landmarks() -> None:
    with_sweep = np.mean([trial(USUAL, seed)[0] for seed in range(15)])
    without = np.mean([trial(replace(USUAL, surface=False), seed)[0] for seed in range(15)])
    assert with_sweep < 0.3 * without


def test_the_same_data_give_the_same_bits() -> None:
    one, two = (trial(USUAL, 3)[2] for _ in range(2))
    np.testing.assert_array_equal(one.T_ct_from_ref.matrix(), two.T_ct_from_ref.matrix())
    np.testing.assert_array_equal(one.covariance, two.covariance)


def test_points_lifted_off_the_bone_are_left_out() -> None:
    touched = touch(USUAL, 1)
    back = np.array(touched.T_ct_from_ref.inverse().direction((0.0, 1.0, 0.0)))
    touched.sweep_ref_mm[40:55] += 6.0 * back
    found = register(USUAL, touched)
    assert found.accepted, found.reasons
    assert found.sweep_kept[40:55].mean() < 0.2  # one may come to lie on another process
    assert found.sweep_kept.sum() >= 100
    assert error_mm(found, touched) < 1.5


def test_a_sweep_largely_off_the_bone_is_refused() -> None:
    touched = touch(USUAL, 1)
    touched.sweep_ref_mm[:50] += 8.0 * np.array(touched.T_ct_from_ref.inverse().direction((0.0, 1.0, 0.0)))
    found = register(USUAL, touched)
    assert not found.accepted
    assert any("lie off the surface" in reason for reason in found.reasons)


def test_few_points_are_refused() -> None:
    touched = touch(replace(USUAL, points=12), 1)
    found = register(USUAL, touched)
    assert any("only" in reason and "swept points" in reason for reason in found.reasons)


def test_a_small_patch_is_refused() -> None:
    touched = touch(replace(USUAL, points=1500), 1)
    distance = np.linalg.norm(touched.sweep_ref_mm - touched.sweep_ref_mm[0], axis=1)
    found = sweep_only(replace(touched, sweep_ref_mm=touched.sweep_ref_mm[np.argsort(distance)[:60]]), touched.T_ct_from_ref)
    assert not found.accepted


def test_a_sphere_holds_no_rotation() -> None:
    golden = np.arange(400) + 0.5
    polar, azimuth = np.arccos(1.0 - 2.0 * golden / 400), np.pi * (1.0 + 5.0**0.5) * golden
    directions = np.stack([np.cos(azimuth) * np.sin(polar), np.sin(azimuth) * np.sin(polar), np.cos(polar)], axis=1)
    from scipy.spatial import ConvexHull

    hull = ConvexHull(directions)
    faces = hull.simplices.copy()
    inward = np.einsum("ij,ij->i", np.cross(*(directions[faces[:, k]] - directions[faces[:, 0]] for k in (1, 2))), directions[faces[:, 0]]) < 0.0
    faces[inward] = faces[inward][:, ::-1]
    ball = Surface.from_arrays(directions * 20.0, faces)
    found = register_surface(ball, directions[:200] * 20.0, Rigid.identity("ct", "ref"))
    assert not found.accepted
    assert any("another pose" in reason for reason in found.reasons)


def test_a_wrong_tip_radius_shows_as_misfit() -> None:
    touched = touch(USUAL, 2)
    found = register_surface(phantom_bone()[0], touched.sweep_ref_mm, touched.T_ct_from_ref, tip_radius_mm=TIP_RADIUS_MM + 4.0)
    assert not found.accepted


def test_landmarks_read_as_ras_are_recognised() -> None:
    touched = touch(USUAL, 2)
    flipped = touched.ct_mm * (-1.0, -1.0, 1.0)
    wrong = replace(touched, ct_mm=flipped)
    found = register(USUAL, wrong)
    assert not found.accepted
    assert any("RAS" in reason for reason in found.reasons)


def test_targets_reach_the_gate() -> None:
    touched = touch(USUAL, 2)
    from navtwin.register import Target

    target = Target("aorta", tuple(phantom_bone()[1]), (1.0, 0.0, 0.0), 0.5, 0.4)  # type: ignore[arg-type]
    found = sweep_only(touched, touched.T_ct_from_ref)
    assert found.accepted, found.reasons
    found = register_surface(phantom_bone()[0], touched.sweep_ref_mm, touched.T_ct_from_ref, tip_radius_mm=TIP_RADIUS_MM, targets=(target,))
    assert any("'aorta'" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("points", "options", "words"),
    [
        (np.zeros((3, 3)), {}, "3 swept point"),
        (np.full((40, 3), np.nan), {}, "NaN"),
        (np.zeros((40, 2)), {}, "shape"),
        (np.zeros((40, 3)), {"sd_mm": 0.0}, "sd_mm"),
        (np.zeros((40, 3)), {"correlation_mm": -1.0}, "correlation_mm"),
        (np.zeros((40, 3)), {"tip_radius_mm": float("nan")}, "tip_radius_mm"),
    ],
)
def test_input_that_cannot_be_used(points: np.ndarray, options: dict[str, float], words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        register_surface(phantom_bone()[0], points, Rigid.identity("ct", "ref"), **options)


def test_the_initial_pose_must_be_of_the_right_frames() -> None:
    with pytest.raises(FrameMismatch, match="T_ref_from_ct"):
        register_surface(phantom_bone()[0], np.zeros((40, 3)), Rigid.identity("ref", "ct"))
