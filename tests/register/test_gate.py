"""The gate's reasons: each mistake is named, and good data pass."""

from __future__ import annotations

import numpy as np
import pytest

from navtwin.register import Target, register_landmarks
from tests.register.points import CT, NAMES, pose

REF = pose(11).inverse().apply(CT) + np.random.default_rng(12).normal(size=CT.shape) * 0.3


def reasons(ct: np.ndarray, ref: np.ndarray, fle_mm: float | None = None, targets: tuple[Target, ...] = ()) -> str:
    found = register_landmarks(ct, ref, fle_mm, names=NAMES[: len(ct)], targets=targets)
    assert found.accepted == (not found.reasons)
    return " | ".join(found.reasons)


@pytest.mark.parametrize("fle", [None, 0.6])
def test_good_landmarks_pass(fle: float | None) -> None:
    assert reasons(CT, REF, fle) == ""


@pytest.mark.parametrize("fle", [None, 0.6])
def test_exchanged_landmarks_are_named(fle: float | None) -> None:
    order = [0, 2, 1, 3, 4, 5]
    assert "'left tip' and 'right tip' look exchanged" in reasons(CT, REF[order], fle)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirrored_set_is_called_so(axis: int) -> None:
    flip = np.ones(3)
    flip[axis] = -1.0
    assert "mirror image" in reasons(CT * flip, REF, 0.6)


@pytest.mark.parametrize(("ct", "ref", "words"), [(CT, REF / 1000.0, "touched points look like metres"), (CT / 10.0, REF, "centimetres")])
def test_wrong_units_are_named(ct: np.ndarray, ref: np.ndarray, words: str) -> None:
    assert words in reasons(ct, ref)


def test_fre_against_the_stated_error() -> None:
    noisy = REF + np.random.default_rng(3).normal(size=CT.shape) * 1.5
    assert "too large for a landmark error of 0.30 mm" in reasons(CT, noisy, 0.3)


def test_a_large_fre_without_a_stated_error() -> None:
    noisy = REF + np.random.default_rng(3).normal(size=CT.shape) * 6.0
    assert "FRE" in reasons(CT, noisy)


def test_three_landmarks_cannot_measure_their_own_error() -> None:
    assert "too few to measure their own error" in reasons(CT[:3], REF[:3])
    assert reasons(CT[:3], REF[:3], 0.6) == ""


def test_poor_spread() -> None:
    narrow = CT * (1.0, 0.05, 0.05)
    assert "of one line" in reasons(narrow, pose(1).inverse().apply(narrow), 0.6)


def test_poor_accuracy() -> None:
    assert "even amid the touched points" in reasons(CT, REF, 6.0)


@pytest.mark.parametrize(("danger", "supported"), [(4.0, True), (0.8, False)])
def test_limits_that_the_error_bar_reaches(danger: float, supported: bool) -> None:
    target = Target("spinal_canal", (20.0, 10.0, 10.0), (0.0, 1.0, 0.0), danger, 0.4)
    words = reasons(CT, REF, 0.6, (target,))
    assert (words == "") is supported
    assert supported or "cannot support the limits of 'spinal_canal'" in words


def test_false_alarms_are_rare() -> None:
    rng, refused = np.random.default_rng(0), 0
    ref = pose(4).inverse().apply(CT)
    for _ in range(300):
        touched = ref + rng.normal(size=CT.shape) * 0.4
        refused += not register_landmarks(CT, touched).accepted
        refused += not register_landmarks(CT, touched, 0.4 * np.sqrt(3.0)).accepted
    assert refused <= 6
