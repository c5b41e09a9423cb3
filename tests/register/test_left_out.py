"""Each landmark against where the others put it: by brute force, against theory, and as the worker tells it."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from navtwin.nouns import RegistrationResult
from navtwin.register import register_landmarks
from navtwin.register.landmarks import landmark_error
from navtwin.register.worker import answer
from tests.register.points import CT, pose
from tests.register.test_worker import NAMES, request, scene


def by_brute_force(ct: np.ndarray, ref: np.ndarray) -> list[float]:
    """Fit the others with SciPy, and measure."""
    found = []
    for left in range(len(ct)):
        rest = [n for n in range(len(ct)) if n != left]
        ct_mean, ref_mean = ct[rest].mean(axis=0), ref[rest].mean(axis=0)
        rotation, _ = Rotation.align_vectors(ct[rest] - ct_mean, ref[rest] - ref_mean)
        found.append(float(np.linalg.norm(ct[left] - (rotation.apply(ref[left] - ref_mean) + ct_mean))))
    return found


@pytest.mark.parametrize("count", [4, 5, 6])
def test_left_out_errors_are_those_of_a_fit_without_the_landmark(count: int) -> None:
    rng = np.random.default_rng(count)
    ct = CT[:count]
    ref = pose(count).inverse().apply(ct) + rng.normal(size=ct.shape)
    np.testing.assert_allclose(register_landmarks(ct, ref).leave_one_out_mm, by_brute_force(ct, ref), rtol=1e-6)


def test_a_residual_shrinks_where_the_error_grows_and_a_left_out_error_does_not() -> None:
    """Fitzpatrick, West and Maurer 1998: a landmark's squared residual is FLE^2 - TRE^2 on average; left out, the two errors add."""
    fle, runs, rng = 0.8, 600, np.random.default_rng(3)
    ref = pose(4).inverse().apply(CT)
    residual2, left_out2 = np.zeros(len(CT)), np.zeros(len(CT))
    for _ in range(runs):
        found = register_landmarks(CT, ref + rng.normal(size=CT.shape) * fle / np.sqrt(3.0), fle)
        residual2 += found.residual_mm**2 / runs
        left_out2 += found.leave_one_out_mm**2 / runs
    tre2 = found.tre_mm(CT) ** 2
    others2 = np.array([landmark_error(np.delete(CT, n, axis=0), fle).tre_mm(CT[n])[0] ** 2 for n in range(len(CT))])
    np.testing.assert_allclose(residual2, fle**2 - tre2, rtol=0.2)
    np.testing.assert_allclose(left_out2, fle**2 + others2, rtol=0.2)
    assert np.corrcoef(residual2, tre2)[0, 1] < -0.9
    assert np.corrcoef(left_out2, tre2)[0, 1] > 0.9


@pytest.mark.parametrize("method", ["landmarks", "landmarks+surface"])
def test_the_worker_tells_each_landmarks_left_out_error(method: str) -> None:
    asked = request(method)
    found = answer(asked, scene())
    assert isinstance(found, RegistrationResult)
    assert len(found.left_out_mm) == len(NAMES)
    moved = (asked.ref_mm[2][0] + 4.0, *asked.ref_mm[2][1:])
    worse = answer(msgspec.structs.replace(asked, ref_mm=(*asked.ref_mm[:2], moved, *asked.ref_mm[3:])), scene())
    assert isinstance(worse, RegistrationResult)
    told = [v for v in worse.left_out_mm if v is not None]
    assert len(told) == len(NAMES)
    assert int(np.argmax(told)) == 2
    # By landmarks alone the fit leans towards the bad one: its residual is the smaller sign.
    assert told[2] > worse.residual_mm[2] or method != "landmarks"


def test_three_landmarks_have_no_others_to_speak_of() -> None:
    asked = request("landmarks")
    three = msgspec.structs.replace(asked, landmarks=asked.landmarks[:3], ct_mm=asked.ct_mm[:3], ref_mm=asked.ref_mm[:3], without=("base",))
    found = answer(three, scene())
    assert isinstance(found, RegistrationResult)
    assert found.left_out_mm == ()
    assert found.without == ("base",)


def test_a_landmark_whose_others_lie_on_a_line_has_none() -> None:
    asked = request("landmarks")
    line = np.array([(0.0, 0.0, 0.0), (30.0, 0.0, 0.0), (60.0, 0.0, 0.0), (20.0, 25.0, 0.0)]) + np.array((0.0, 900.0, 0.0))
    points = tuple(tuple(float(v) for v in p) for p in line)
    found = answer(msgspec.structs.replace(asked, landmarks=asked.landmarks[:4], ct_mm=points, ref_mm=points), scene())  # type: ignore[arg-type]
    assert isinstance(found, RegistrationResult)
    assert found.left_out_mm[3] is None
    assert found.left_out_mm[0] == pytest.approx(0.0, abs=1e-6)
