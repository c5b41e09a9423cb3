"""Figures beside the truth, against closed forms and against drawing errors at random."""

from __future__ import annotations

import math

import numpy as np
import pytest
from made_up import pose

from navtwin.nouns import PivotResult, Pose, RegistrationResult, TrueSetup, TrueTool
from navtwin.report.accuracy import (
    bound95,
    chi2_quantile,
    mahalanobis2,
    pivot_accuracy,
    point_covariance,
    registration_accuracy,
)
from navtwin.rigid import Rigid

UPPER6 = [(i, j) for i in range(6) for j in range(i, 6)]


def _registration(covariance: np.ndarray, T: Pose, centroid: tuple[float, float, float]) -> RegistrationResult:  # type: ignore[type-arg]
    return RegistrationResult(
        request="r",
        accepted=True,
        reasons=(),
        pose=T,
        fre_mm=0.4,
        landmarks=("a",),
        residual_mm=(0.4,),
        covariance=tuple(float(covariance[i, j]) for i, j in UPPER6),  # type: ignore[arg-type]
        centroid_mm=centroid,
    )


@pytest.mark.parametrize(("degrees", "quantile"), [(1, 3.841), (3, 7.815), (6, 12.592)])
def test_chi2_quantile_is_the_table_s(degrees: int, quantile: float) -> None:
    assert chi2_quantile(0.95, degrees) == pytest.approx(quantile, abs=5e-4)


def test_bound95_in_closed_form() -> None:
    """One direction: 1.96 sd. All alike: the chi distribution of three degrees."""
    assert bound95(np.diag([0.25, 0.0, 0.0])) == pytest.approx(0.5 * 1.95996, rel=1e-4)
    assert bound95(0.04 * np.eye(3)) == pytest.approx(0.2 * math.sqrt(7.8147), rel=1e-4)
    assert bound95(np.zeros((3, 3))) == 0.0


@pytest.mark.parametrize("sd", [(1.0, 0.5, 0.2), (1.0, 1.0, 0.05), (0.3, 0.2, 0.2)])
def test_bound95_holds_for_unequal_directions(sd: tuple[float, float, float]) -> None:
    draws = np.random.default_rng(1).normal(size=(200_000, 3)) * sd
    assert np.mean(np.linalg.norm(draws, axis=1) <= bound95(np.diag(np.square(sd)))) == pytest.approx(0.95, abs=0.006)


def test_mahalanobis_leaves_out_directions_without_variance() -> None:
    assert mahalanobis2((2.0, 0.0, 5.0), np.diag([4.0, 1.0, 0.0])) == pytest.approx(1.0)


def test_registration_error_is_predicted_and_observed_at_the_same_point() -> None:
    """Small motions drawn from the covariance: their RMS at a point is the one predicted, and 95 % are inside both bounds."""
    rng = np.random.default_rng(3)
    root = np.diag([0.004, 0.006, 0.005, 0.2, 0.3, 0.25]) @ (np.eye(6) + 0.3 * np.tri(6, k=-1))
    covariance = root @ root.T
    centroid, point = (10.0, -5.0, 30.0), (40.0, 20.0, -10.0)
    estimate = Rigid.from_quaternion((0.8, 0.0, 0.6, 0.0), (100.0, -20.0, 5.0), target="ct", source="ref")
    errors, inside, pose_inside = [], [], []
    for draw in rng.normal(size=(400, 6)) @ root.T:
        # x_estimated = c + R (x_true - c) + t, so the truth is the inverse motion of the estimate.
        angle = float(np.linalg.norm(draw[:3]))
        axis = draw[:3] / angle
        q = (math.cos(angle / 2), *(float(v) for v in math.sin(angle / 2) * axis))
        turn = Rigid.from_quaternion(q, (0.0, 0.0, 0.0), target="ct", source="ct")  # type: ignore[arg-type]
        t = np.array(centroid) + draw[3:] - turn.point(centroid)
        motion = Rigid.from_quaternion(q, tuple(float(v) for v in t), target="ct", source="ct")  # type: ignore[arg-type]
        truth = TrueSetup(tools=(), T_ct_from_ref=Pose.from_rigid(motion.inverse() @ estimate))
        result = registration_accuracy(_registration(covariance, Pose.from_rigid(estimate), centroid), truth, {"here": point})
        (target,) = result.targets
        assert target.observed_mm is not None
        errors.append(target.observed_mm)
        inside.append(target.inside95)
        pose_inside.append(result.pose_inside95)
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(target.predicted_rms_mm, rel=0.08)
    assert 0.92 < np.mean(inside) < 0.98
    assert 0.92 < np.mean(pose_inside) < 0.98


def test_point_covariance_at_the_centroid_is_the_translation_s() -> None:
    covariance = np.diag([0.01, 0.01, 0.01, 0.04, 0.09, 0.16])
    result = _registration(covariance, pose(0.0), (1.0, 2.0, 3.0))
    np.testing.assert_allclose(point_covariance(result, (1.0, 2.0, 3.0)), np.diag([0.04, 0.09, 0.16]), atol=1e-12)
    # 100 mm along x: rotations about y and z move it by 100 mm x angle.
    np.testing.assert_allclose(np.diag(point_covariance(result, (101.0, 2.0, 3.0))), [0.04, 100.09, 100.16], rtol=1e-9)


def test_pivot_beside_its_truth_and_without() -> None:
    result = PivotResult(
        request="p", tool="drill", accepted=True, reasons=(), tip_mm=(0.0, 0.0, 150.0), covariance=(0.01, 0, 0, 0.01, 0, 0.01), rms_mm=0.2, samples=9
    )
    truth = TrueSetup(tools=(TrueTool(tool="drill", tip_mm=(0.0, 0.2, 150.0)),), T_ct_from_ref=pose(0.0))
    near = pivot_accuracy(result, truth)
    assert (near.error_mm, near.inside95) == (pytest.approx(0.2), True)
    assert near.bound95_mm == pytest.approx(0.2795, abs=1e-3)
    assert pivot_accuracy(result, None).error_mm is None
    assert pivot_accuracy(result, TrueSetup(tools=(), T_ct_from_ref=pose(0.0))).inside95 is None
