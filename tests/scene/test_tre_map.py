"""The map of predicted error: against the propagation that the registration itself uses, and its bands."""

from __future__ import annotations

import numpy as np
import pytest

from navtwin.register.model import PoseError
from navtwin.scene.tre_map import COLORS, EDGES_MM, band, band_words, scale_position, tre_mm


def a_covariance(seed: int) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(6, 6)) * np.array((0.01, 0.02, 0.005, 0.3, 0.2, 0.4))[:, None]
    return root @ root.T


@pytest.mark.parametrize("seed", range(5))
def test_the_error_is_that_of_the_full_propagation(seed: int) -> None:
    full, rng = a_covariance(seed), np.random.default_rng(seed + 50)
    centre, points = rng.normal(size=3) * 30.0, rng.normal(size=(40, 3)) * 100.0
    upper = tuple(float(v) for v in full[np.triu_indices(6)])
    found = tre_mm(upper, tuple(float(v) for v in centre), points)  # type: ignore[arg-type]
    np.testing.assert_allclose(found, PoseError(full, centre).tre_mm(points), rtol=1e-10)


def test_the_error_is_what_small_motions_do() -> None:
    full = a_covariance(9) * 1e-4
    points = np.array([(50.0, -20.0, 10.0), (0.0, 0.0, 0.0)])
    motions = np.random.default_rng(1).multivariate_normal(np.zeros(6), full, size=40_000)
    moved = np.cross(motions[:, None, :3], points[None]) + motions[:, None, 3:]
    upper = tuple(float(v) for v in full[np.triu_indices(6)])
    rms = np.sqrt(np.square(moved).sum(axis=2).mean(axis=0))
    np.testing.assert_allclose(tre_mm(upper, (0.0, 0.0, 0.0), points), rms, rtol=0.02)  # type: ignore[arg-type]


def test_every_band_has_its_colour_and_its_words() -> None:
    assert len(COLORS) == len(band_words()) == len(EDGES_MM) + 1
    assert band_words()[0] == "up to 0.25"
    assert band_words()[-1] == "over 3"


@pytest.mark.parametrize(("error_mm", "number"), [(0.0, 0), (0.25, 0), (0.26, 1), (0.99, 2), (2.5, 5), (3.5, 6), (1e4, 6)])
def test_an_error_lies_in_its_band_on_the_scale_too(error_mm: float, number: int) -> None:
    assert band(error_mm) == number
    position = float(scale_position([error_mm])[0])
    assert number <= position <= number + 1


def test_the_scale_grows_with_the_error() -> None:
    position = scale_position(np.linspace(0.0, 8.0, 200))
    assert (np.diff(position) >= 0.0).all()
    # By lightness alone, as in print: relative luminance of sRGB colours.
    grey = [sum(w * int(c[k : k + 2], 16) for w, k in ((0.2126, 1), (0.7152, 3), (0.0722, 5))) for c in COLORS]
    assert grey == sorted(grey)
    assert min(np.diff(grey)) > 15.0
