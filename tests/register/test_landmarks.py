"""Landmark registration: exact on exact data, and its predicted error against formula and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from benchmarks.accuracy_parts.study import study
from benchmarks.accuracy_parts.trials import CASES, Case
from navtwin.errors import InputRefused
from navtwin.register import register_landmarks
from tests.register.points import CT, NAMES, observed_over_predicted, pose


@given(st.integers(0, 10_000), st.integers(3, 12))
@settings(max_examples=40, deadline=None)
def test_exact_landmarks_give_the_exact_pose(seed: int, count: int) -> None:
    truth = pose(seed)
    ct = np.random.default_rng(seed + 1).normal(size=(count, 3)) * 40.0
    found = register_landmarks(ct, truth.inverse().apply(ct), 0.5)
    np.testing.assert_allclose(found.T_ct_from_ref.matrix(), truth.matrix(), atol=1e-8)
    assert found.fre_mm < 1e-8
    assert (found.T_ct_from_ref.target, found.T_ct_from_ref.source) == ("ct", "ref")


def test_a_flat_set_of_landmarks_is_never_mirrored() -> None:
    truth, flat = pose(3), CT * (1.0, 1.0, 0.0)
    ref = truth.inverse().apply(flat) + np.random.default_rng(0).normal(size=flat.shape) * 0.3
    found = register_landmarks(flat, ref, 0.6)
    assert np.linalg.det(np.array(found.T_ct_from_ref.rotation)) == pytest.approx(1.0)
    np.testing.assert_allclose(found.T_ct_from_ref.apply(truth.inverse().apply(CT)), CT, atol=2.0)


def test_agrees_with_scipys_rotation_fit() -> None:
    ref = pose(5).inverse().apply(CT) + np.random.default_rng(1).normal(size=CT.shape)
    rotation, _ = Rotation.align_vectors(CT - CT.mean(axis=0), ref - ref.mean(axis=0))
    np.testing.assert_allclose(np.array(register_landmarks(CT, ref).T_ct_from_ref.rotation), rotation.as_matrix(), atol=1e-9)


def test_predicted_tre_is_fitzpatricks() -> None:
    """<TRE^2(r)> = FLE^2/N (1 + 1/3 sum d_k^2/f_k^2), with d and f the distances from the principal axes k."""
    fle, target = 0.9, np.array((80.0, -20.0, 60.0))
    centred = CT - CT.mean(axis=0)
    axes = np.linalg.svd(centred)[2]
    ratios = []
    for axis in axes:
        f2 = np.square(centred - np.outer(centred @ axis, axis)).sum(axis=1).mean()
        d = target - CT.mean(axis=0)
        ratios.append((d @ d - (d @ axis) ** 2) / f2)
    expected = fle * np.sqrt((1.0 + sum(ratios) / 3.0) / len(CT))
    found = register_landmarks(CT, pose(1).inverse().apply(CT), fle)
    assert found.tre_mm([target])[0] == pytest.approx(expected, rel=1e-12)
    assert found.tre_mm(target).shape == (1,)


def test_predicted_covariance_matches_simulation() -> None:
    fle, count, target = 0.9, 800, np.array((80.0, -20.0, 60.0))
    truth, rng = pose(7), np.random.default_rng(8)
    ref, errors, fres = truth.inverse().apply(CT), [], []
    for _ in range(count):
        found = register_landmarks(CT, ref + rng.normal(size=CT.shape) * fle / np.sqrt(3.0), fle)
        errors.append(found.T_ct_from_ref.apply(truth.inverse().apply([target]))[0] - target)
        fres.append(found.fre_mm)
    observed = np.sqrt(np.square(errors).sum(axis=1).mean())
    assert observed / found.tre_mm(target)[0] == pytest.approx(1.0, abs=0.06)
    # <FRE^2> = (1 - 2/N) FLE^2
    assert np.sqrt(np.square(fres).mean()) == pytest.approx(fle * np.sqrt(1.0 - 2.0 / len(CT)), rel=0.05)


@pytest.mark.parametrize("case", [c for c in CASES if not c.surface], ids=lambda c: c.name)
def test_observed_over_predicted_error(case: Case) -> None:
    found = study(case, 150, quiet=True)
    assert 0.8 <= observed_over_predicted(found) <= 1.25
    assert found.accepted.mean() >= 0.98


def test_leave_one_out_finds_the_moved_landmark() -> None:
    ref = pose(2).inverse().apply(CT)
    ref[3] += (0.0, 6.0, 0.0)
    found = register_landmarks(CT, ref, names=NAMES)
    assert found.leave_one_out_mm.argmax() == 3
    assert found.leave_one_out_mm[3] == pytest.approx(6.0, abs=1e-9)
    assert not found.accepted
    assert any("'upper'" in reason for reason in found.reasons)


def test_three_landmarks_have_no_leave_one_out() -> None:
    assert np.isnan(register_landmarks(CT[:3], CT[:3], 0.5).leave_one_out_mm).all()


@pytest.mark.parametrize(
    ("ct", "ref", "words"),
    [
        (CT[:2], CT[:2], "cannot fix a pose"),
        (CT, CT[:5], "6 landmarks in the scan but 5 touched"),
        (np.where(CT == 45.0, np.nan, CT), CT, "NaN"),
        (CT, np.where(CT == 45.0, np.inf, CT), "NaN or infinite"),
        (CT[:, :2], CT, "shape"),
        ([["a", "b", "c"]], CT, "numbers"),
        (np.outer(range(4), (1.0, 2.0, 3.0)), CT[:4], "'1', '2', '3', '4' lie on one line in the scan"),
        (CT[:4], np.outer(range(4), (10.0, 2.0, 3.0)), "lie on one line as touched"),
        (np.ones((4, 3)), CT[:4], "coincide"),
    ],
)
def test_landmarks_that_cannot_be_used(ct: object, ref: object, words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        register_landmarks(ct, ref)  # type: ignore[arg-type]


@pytest.mark.parametrize("fle", [0.0, -1.0, float("nan")])
def test_an_impossible_fle(fle: float) -> None:
    with pytest.raises(InputRefused, match="FLE"):
        register_landmarks(CT, CT, fle)


def test_names_must_match() -> None:
    with pytest.raises(InputRefused, match="2 names for 6 landmarks"):
        register_landmarks(CT, CT, names=("a", "b"))
