"""The lens model against other ways to work it out."""

from __future__ import annotations

from decimal import Decimal, getcontext

import cv2
import numpy as np
import pytest

from navtwin.errors import InputRefused
from phantoms.camera import Lens, project

MATRIX = np.array([[1402.6, 0.0, 968.3], [0.0, 1399.1, 533.7], [0.0, 0.0, 1.0]])
BROWN = np.array([-0.118, 0.062, 7e-4, -4e-4, -0.011])
RATIONAL = np.array([0.31, -0.12, 1.1e-3, -6e-4, 0.02, 0.44, -0.05, 0.013])


def points(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    depth = rng.uniform(250.0, 800.0, count)
    return np.column_stack([depth * rng.uniform(-0.7, 0.7, count), depth * rng.uniform(-0.4, 0.4, count), depth])


def exact(lens: Lens, p: np.ndarray) -> tuple[float, float]:
    """The published formulae (Brown 1971; Claus and Fitzgibbon's rational form) in 40 decimal digits."""
    getcontext().prec = 40
    x, y = Decimal(float(p[0])) / Decimal(float(p[2])), Decimal(float(p[1])) / Decimal(float(p[2]))
    k1, k2, p1, p2, k3, k4, k5, k6 = (Decimal(float(k)) for k in lens.distortion)
    s = x**2 + y**2
    radial = (1 + k1 * s + k2 * s**2 + k3 * s**3) / (1 + k4 * s + k5 * s**2 + k6 * s**3)
    u = x * radial + 2 * p1 * x * y + p2 * (s + 2 * x**2)
    v = y * radial + p1 * (s + 2 * y**2) + 2 * p2 * x * y
    fx, fy, cx, cy = (Decimal(float(lens.matrix[i])) for i in ((0, 0), (1, 1), (0, 2), (1, 2)))
    return float(fx * u + cx), float(fy * v + cy)


@pytest.mark.parametrize("distortion", [np.zeros(0), BROWN, RATIONAL], ids=["pinhole", "brown", "rational"])
def test_projection_is_the_formula(distortion: np.ndarray) -> None:
    lens = Lens(MATRIX, distortion, 1920, 1080)
    seen = points(60, 1)
    assert project(lens, seen) == pytest.approx(np.array([exact(lens, p) for p in seen]), abs=1e-9)
    theirs = cv2.projectPoints(seen, np.zeros(3), np.zeros(3), MATRIX, lens.distortion)[0].reshape(-1, 2)
    assert project(lens, seen) == pytest.approx(theirs, abs=1e-8)


def test_shapes_and_what_cannot_be_seen() -> None:
    lens = Lens(MATRIX, BROWN, 1920, 1080)
    assert project(lens, np.ones((3, 4, 3))).shape == (3, 4, 2)
    behind = project(lens, [[0.0, 0.0, -100.0], [10.0, 0.0, 0.0], [0.0, 0.0, 100.0]])
    assert np.isnan(behind[:2]).all()
    assert behind[2] == pytest.approx([968.3, 533.7])


def test_nothing_folds_back_into_the_image() -> None:
    """A polynomial turns round far out: beyond that there is no image, and not a second one inside."""
    lens = Lens(MATRIX, np.array([-0.3, 0.0, 0.0, 0.0]), 1920, 1080)
    # u = x - 0.3 x^3 turns round where 1 = 0.9 x^2.
    limit = 1.0 / np.sqrt(0.9)
    assert lens.packed[12] == pytest.approx(limit, abs=1e-3)
    seen = project(lens, [[limit - 0.01, 0.0, 1.0], [limit + 0.01, 0.0, 1.0]])
    assert np.isfinite(seen[0]).all() and np.isnan(seen[1]).all()


@pytest.mark.parametrize(
    ("matrix", "distortion"),
    [(np.eye(4), BROWN), (np.diag([-1.0, 1.0, 1.0]), BROWN), (MATRIX, np.array([np.nan])), (MATRIX, np.arange(12.0))],
    ids=["shape", "focal length", "nan", "thin prism"],
)
def test_lenses_that_are_none_are_refused(matrix: np.ndarray, distortion: np.ndarray) -> None:
    with pytest.raises(InputRefused):
        Lens(matrix, distortion, 1920, 1080)
