"""Figures of positional accuracy: against answers worked out by hand, and unchanged by where everything stands."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.assess.f2554 import length_error, placed, point_error, pooled_lengths, pooled_precision, scale_error, tilt_error
from navtwin.errors import InputRefused
from navtwin.register.touch import rotation_about

Array = npt.NDArray[np.float64]
GRID = np.array([(x, y, z) for x in (0.0, 50.0, 100.0) for y in (0.0, 60.0) for z in (0.0, 80.0)])

vectors = st.tuples(*[st.floats(-3.0, 3.0)] * 3)
places = st.tuples(*[st.floats(-2000.0, 2000.0)] * 3)


def moved(points: Array, turn: tuple[float, ...], by: tuple[float, ...]) -> Array:
    return np.asarray(points @ rotation_about(np.array(turn)).T + np.array(by))


def noisy(seed: int, sd: float = 0.2) -> Array:
    return np.asarray(GRID + np.random.default_rng(seed).normal(0.0, sd, GRID.shape))


def test_bias_and_precision_are_told_apart() -> None:
    """Four touches at the corners of a square of half diagonal 1 about a point that is 3, 4, 0 off: bias 5, precision sqrt(4 / 3)."""
    square = np.array([(1.0, 0.0, 0.0), (-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, -1.0, 0.0)]) + np.array((3.0, 4.0, 0.0))
    error = point_error(square, np.zeros(3))
    assert error.bias_mm == pytest.approx((3.0, 4.0, 0.0)) and error.bias_length_mm == pytest.approx(5.0)
    assert error.precision_mm == pytest.approx(np.sqrt(4.0 / 3.0))
    assert error.rms_mm == pytest.approx(np.sqrt(26.0))
    assert error.max_mm == error.p95_mm == pytest.approx(np.hypot(3.0, 5.0))


def test_more_touches_lessen_neither_bias_nor_precision() -> None:
    rng = np.random.default_rng(1)
    error = point_error(rng.normal(0.0, 0.1, (20_000, 3)) + np.array((0.3, 0.0, 0.0)), np.zeros(3))
    assert error.bias_length_mm == pytest.approx(0.3, abs=0.005)
    assert error.precision_mm == pytest.approx(0.1 * np.sqrt(3.0), rel=0.02)


def test_one_touch_has_no_precision() -> None:
    assert point_error(np.zeros((1, 3)), np.zeros(3)).precision_mm is None
    assert pooled_precision([point_error(np.zeros((1, 3)), np.zeros(3))]) is None


def test_pooled_precision_knows_nothing_of_the_places_biases() -> None:
    """Two places that scatter alike and are biased by a centimetre each way: pooled as each alone, together ten times as much."""
    rng = np.random.default_rng(2)
    scatter, aside = rng.normal(0.0, 0.5, (50, 3)), np.array((10.0, 0.0, 0.0))
    here, there = point_error(scatter + aside, np.zeros(3)), point_error(scatter - aside, np.zeros(3))
    pooled = pooled_precision([here, there])
    assert here.precision_mm is not None and pooled == pytest.approx(here.precision_mm)
    together = point_error(np.concatenate([scatter + aside, scatter - aside]), np.zeros(3))
    assert together.precision_mm is not None and together.precision_mm > 10.0 * here.precision_mm


def test_a_tip_on_a_straight_line_against_its_lean() -> None:
    """A tip that is taken for 0.5 mm beside where it is, square to the axis, moves by that at a right angle: here 0.01 mm a degree along x."""
    angles = np.array([-30.0, 0.0, 30.0])
    error = tilt_error(np.outer(0.01 * angles, (1.0, 0.0, 0.0)) + np.array((7.0, 8.0, 9.0)), angles)
    assert error.span_mm == pytest.approx(0.6) and error.max_mm == pytest.approx(0.3) and error.slope_mm_deg == pytest.approx(0.01)
    assert tilt_error(np.eye(3)[:2], [5.0, 5.0]).slope_mm_deg is None


def test_a_print_that_is_too_large_shows_in_distances_and_in_scale() -> None:
    """A sheet 1.002 times as large: every distance 0.2 % too long, the scale 2000 ppm, without doubt."""
    error = length_error(moved(1.002 * GRID, (0.3, -1.0, 0.4), (5.0, 6.0, -7.0)), GRID)
    assert error.scale_ppm == pytest.approx(2000.0) and error.scale_sd_ppm < 1e-3
    assert error.errors_mm == pytest.approx(0.002 * np.array(error.lengths_mm))
    assert error.pairs == 66 and error.bias_mm == pytest.approx(0.002 * np.mean(error.lengths_mm))


def test_the_scales_error_bar_is_honest() -> None:
    """Over many sets of noisy points the scale scatters by what its error bar says."""
    found = np.array([scale_error(noisy(seed), GRID) for seed in range(400)])
    assert found[:, 0].std() == pytest.approx(float(np.sqrt(np.mean(found[:, 1] ** 2))), rel=0.12)
    assert abs(found[:, 0].mean()) < 4.0 * found[:, 0].std() / np.sqrt(len(found))


def test_pooled_scale_is_weighted_by_how_well_it_is_known() -> None:
    good, bad = length_error(1.001 * GRID + noisy(1, 0.01) - GRID, GRID), length_error(noisy(2, 2.0), GRID)
    pooled = pooled_lengths([good, bad])
    assert pooled.scale_ppm == pytest.approx(1000.0, abs=4.0 * good.scale_sd_ppm) and pooled.pairs == 132
    assert pooled.scale_sd_ppm < good.scale_sd_ppm


@settings(max_examples=60, deadline=None)
@given(vectors, places, st.integers(0, 20))
def test_distances_do_not_depend_on_where_the_artefact_stands(turn: tuple[float, ...], by: tuple[float, ...], seed: int) -> None:
    here, there = length_error(noisy(seed), GRID), length_error(moved(noisy(seed), turn, by), GRID)
    assert there.errors_mm == pytest.approx(here.errors_mm, abs=1e-8)
    assert there.scale_ppm == pytest.approx(here.scale_ppm, abs=1e-3)


@settings(max_examples=60, deadline=None)
@given(vectors, places, st.integers(0, 20))
def test_errors_after_the_fit_do_not_depend_on_where_the_artefact_stands(turn: tuple[float, ...], by: tuple[float, ...], seed: int) -> None:
    """Touches and truth moved alike: the residuals are the same, in the artefact's axes."""
    here, there = noisy(seed), moved(noisy(seed), turn, by)
    left = [placed(GRID, points).inverse().apply(points) for points in (here, there)]
    assert left[1] == pytest.approx(left[0], abs=1e-8)


def test_a_fit_hides_the_bias_that_all_points_share() -> None:
    shifted = GRID + np.array((4.0, -2.0, 1.0))
    assert point_error(shifted, GRID).bias_length_mm == pytest.approx(np.sqrt(21.0))
    assert point_error(placed(GRID, shifted).inverse().apply(shifted), GRID).rms_mm < 1e-9


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: point_error(np.zeros((0, 3)), np.zeros(3)), "shape"),
        (lambda: point_error(np.full((2, 3), np.nan), np.zeros(3)), "NaN"),
        (lambda: tilt_error(np.zeros((3, 3)), [0.0, np.nan, 1.0]), "not finite"),
        (lambda: length_error(GRID[:4], GRID[:5]), "same points"),
        (lambda: length_error(np.zeros((4, 3)), np.zeros((4, 3))), "one place"),
        (lambda: placed(GRID[:1] * [[1.0], [2.0], [3.0]] + np.arange(3)[:, None], np.zeros((3, 3))), "one line"),
    ],
)
def test_what_says_nothing_is_refused(call: object, words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        call()  # type: ignore[operator]
