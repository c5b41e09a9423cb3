"""Level lines of rasters: where they run, and that they close."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from navtwin.scene.contours import level_lines


def test_a_circle_is_found_again() -> None:
    y, x = np.mgrid[0:41, 0:61]
    lines = level_lines(12.0 - np.hypot(x - 27.3, y - 18.9), 0.0)
    off = np.hypot(*(lines.reshape(-1, 2) - (27.3, 18.9)).T)
    assert np.abs(off - 12.0).max() < 0.02
    assert np.hypot(*(lines[:, 1] - lines[:, 0]).T).sum() == pytest.approx(2.0 * np.pi * 12.0, rel=2e-3)


@given(st.lists(st.lists(st.sampled_from((0.0, 0.3, 0.7, 1.0)), min_size=6, max_size=6), min_size=1, max_size=7))
def test_every_line_closes_even_at_the_edge_of_the_raster(rows: list[list[float]]) -> None:
    values = np.array(rows)
    lines = level_lines(values, 0.5)
    _, count = np.unique(lines.round(9).reshape(-1, 2), axis=0, return_counts=True)
    assert (count % 2 == 0).all()
    assert (len(lines) == 0) == (not (values > 0.5).any())


def test_corners_that_only_touch_stay_apart() -> None:
    lines = level_lines(np.eye(2), 0.5)
    assert len(lines) == 8
