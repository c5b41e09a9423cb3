"""Smoothing: its stated delay is its lag, its covariance is its scatter, and gaps end it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from navtwin.errors import InputRefused
from navtwin.nouns import Smoothing
from navtwin.rigid import Rigid
from tracking.pose.filters import GAP_NS, ConstantVelocity, OneEuro, PoseFilter, filter_of

STEP_NS = 20_000_000
STEP_S = STEP_NS / 1e9
NOISE = np.diag([1e-3, 2e-3, 1e-3, 0.1, 0.2, 0.3]) ** 2
KINDS = (Smoothing(kind="one-euro"), Smoothing(kind="kalman"))


def posed(turn: np.ndarray, t_mm: np.ndarray) -> Rigid:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = Rotation.from_rotvec(turn).as_matrix(), t_mm
    return Rigid.from_matrix(matrix, target="tracker", source="marker/tool")


def moved_mm(pose: Rigid) -> float:
    return pose.t_mm[0]


def steady(filtering: PoseFilter, speed: float, turning: float, steps: int = 400) -> tuple[float, float, float]:
    """Lag of position and of orientation behind a steady motion, ms, and the delay stated."""
    for n in range(steps):
        t_s = n * STEP_S
        given, _, applied = filtering.update(n * STEP_NS, posed(np.array((0.0, 0.0, turning * t_s)), np.array((speed * t_s, 0.0, 0.0))), NOISE)
    behind = Rotation.from_rotvec((0.0, 0.0, turning * t_s)) * Rotation.from_matrix(given.rotation).inv()
    return (t_s - moved_mm(given) / speed) * 1e3, float(behind.as_rotvec()[2]) / turning * 1e3, applied.delay_ms


@pytest.mark.parametrize("speed", [5.0, 50.0, 300.0])
def test_one_euro_lags_by_what_it_says(speed: float) -> None:
    in_position, in_turn, stated = steady(OneEuro(1.0, 0.02), speed, speed / 400.0)
    assert in_position == pytest.approx(stated, rel=1e-3)
    assert in_turn == pytest.approx(stated, rel=1e-3)
    assert stated == pytest.approx(1e3 / (2.0 * math.pi * (1.0 + 0.02 * speed)), rel=1e-3)


def test_kalman_does_not_lag_behind_a_steady_motion() -> None:
    in_position, in_turn, stated = steady(ConstantVelocity(1000.0), 80.0, 0.5)
    assert abs(in_position) < 0.01
    assert abs(in_turn) < 0.01
    assert stated > 0.0


def test_kalman_sees_nothing_of_an_acceleration_for_the_time_it_says() -> None:
    filtering, acceleration = ConstantVelocity(500.0), 800.0
    for n in range(400):
        t_s = n * STEP_S
        given, _, applied = filtering.update(n * STEP_NS, posed(np.zeros(3), np.array((0.0, 0.0, acceleration * t_s**2 / 2.0))), NOISE)
    behind = acceleration * t_s**2 / 2.0 - given.t_mm[2]
    # z has the largest noise, and so the longest delay of the three axes.
    assert math.sqrt(2.0 * behind / acceleration) * 1e3 == pytest.approx(applied.delay_ms, rel=0.02)


@pytest.mark.parametrize("smoothing", [KINDS[0], Smoothing(kind="kalman", acceleration_sd_mm_s2=50.0)], ids=lambda s: s.kind)
def test_what_is_at_rest_scatters_as_the_covariance_says(smoothing: Smoothing) -> None:
    rng, filtering, errors, stated = np.random.default_rng(3), filter_of(smoothing), [], []
    for n in range(1500):
        noise = rng.normal(size=6) * np.sqrt(np.diag(NOISE))
        given, covariance, _ = filtering.update(n * STEP_NS, posed(noise[:3], noise[3:]), NOISE)
        if n > 100:
            assert covariance is not None
            errors.append([*Rotation.from_matrix(given.rotation).as_rotvec(), *given.t_mm])
            stated.append(np.diag(covariance))
    scatter, told = np.var(errors, axis=0), np.mean(stated, axis=0)
    assert (scatter < np.diag(NOISE)).all()
    if smoothing.kind == "one-euro":
        np.testing.assert_allclose(scatter, told, rtol=0.25)
    else:  # which expects the hand to accelerate, and a thing at rest does not
        assert (scatter < told).all()


@pytest.mark.parametrize("smoothing", KINDS, ids=lambda s: s.kind)
@pytest.mark.parametrize("later_ns", [GAP_NS + 1, 0, -STEP_NS], ids=["gap", "same time", "back"])
def test_a_gap_ends_it(smoothing: Smoothing, later_ns: int) -> None:
    filtering = filter_of(smoothing)
    for n in range(5):
        filtering.update(n * STEP_NS, posed(np.zeros(3), np.zeros(3)), NOISE)
    far = posed(np.array((0.0, 0.5, 0.0)), np.array((50.0, 0.0, 0.0)))
    given, covariance, applied = filtering.update(4 * STEP_NS + later_ns, far, NOISE)
    assert given == far
    assert applied.delay_ms == 0.0
    np.testing.assert_array_equal(covariance, NOISE)


@pytest.mark.parametrize("smoothing", KINDS, ids=lambda s: s.kind)
def test_half_a_turn_and_frames_are_kept(smoothing: Smoothing) -> None:
    filtering = filter_of(smoothing)
    for n in range(60):
        given, covariance, _ = filtering.update(n * STEP_NS, posed(np.array((0.0, 3.1 + 0.005 * n, 0.0)), np.zeros(3)), None)
    assert covariance is None
    assert (given.target, given.source) == ("tracker", "marker/tool")
    expected = Rotation.from_rotvec((0.0, 3.1 + 0.005 * 59, 0.0))
    assert (Rotation.from_matrix(given.rotation) * expected.inv()).magnitude() < 0.1


@pytest.mark.parametrize("smoothing", KINDS, ids=lambda s: s.kind)
def test_reset_forgets(smoothing: Smoothing) -> None:
    filtering = filter_of(smoothing)
    filtering.update(0, posed(np.zeros(3), np.zeros(3)), NOISE)
    filtering.reset()
    far = posed(np.zeros(3), np.array((50.0, 0.0, 0.0)))
    assert filtering.update(STEP_NS, far, NOISE)[0] == far


@pytest.mark.parametrize(
    "smoothing",
    [Smoothing(kind="one-euro", min_cutoff_hz=0.0), Smoothing(kind="one-euro", beta=-1.0), Smoothing(kind="kalman", acceleration_sd_mm_s2=0.0)],
)
def test_settings_that_are_no_filter(smoothing: Smoothing) -> None:
    with pytest.raises(InputRefused, match="filter has"):
        filter_of(smoothing)
