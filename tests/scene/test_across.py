"""Looking along a path: a scan whose value is its place, and a ball whose outline is a circle of known size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navtwin.scene.across import Across, Window
from navtwin.scene.model import Plan
from navtwin.volumes.volume import placed
from tests.scene.test_plan_facts import ball

PLAN = Plan("p", (10.0, 12.0, 8.0), (22.0, 30.0, 14.0), 3.0, 1.0)
WINDOW = Window(41, 0.5)


def test_grey_comes_from_where_it_is_said_to_come_from() -> None:
    """A scan that is linear in x, y and z is met exactly by trilinear interpolation."""
    k, j, i = np.meshgrid(np.arange(30), np.arange(50), np.arange(50), indexing="ij")
    volume = placed((10 * i + 3 * j - 4 * k).astype(np.int16), np.eye(4), Path("ct.nii.gz"))
    across = Across(PLAN, (), WINDOW)
    at = (16.0, 21.0, 11.0)
    hu = across.hu(volume, at)
    assert hu.shape == (41, 41)
    for row, column in ((20, 20), (0, 0), (5, 33)):
        x, y, z = np.array(at) + (column - 20) * 0.5 * across.axes.right - (row - 20) * 0.5 * across.axes.up
        assert hu[row, column] == pytest.approx(10 * x + 3 * y - 4 * z, abs=1e-3)
    assert np.isnan(across.hu(volume, (1.0, 21.0, 11.0))).any()


@pytest.mark.parametrize("off", [0.0, 3.0])
def test_a_ball_beside_the_path_is_a_circle_there(off: float) -> None:
    """Its middle 4 mm to the right and 2 mm up of the path: seen so, and smaller where the plane passes it at a distance."""
    axes = Across(PLAN, (), WINDOW).axes
    middle = np.array((16.0, 21.0, 11.0))
    beside = middle + 4.0 * axes.right + 2.0 * axes.up
    across = Across(PLAN, [ball((float(beside[0]), float(beside[1]), float(beside[2])))], WINDOW)
    x, y, z = middle + off * axes.along
    pieces = across.outlines((float(x), float(y), float(z)))["ball"].reshape(-1, 2)
    assert len(pieces) > 100
    radii = np.linalg.norm(pieces - (4.0, 2.0), axis=1)
    assert radii == pytest.approx(np.full(len(radii), np.sqrt(25.0 - off**2)), abs=0.02)
