"""Planes through a scan and the outlines of surfaces in them, against analytic shapes and a linear field."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navtwin.scene.slices import PLANES, Plane, in_plane, outline, slice_of
from navtwin.volumes.volume import Volume
from tests.oracles.shapes import box, sphere

AT = (3.0, -2.0, 5.0)
#: Stacked every way: as usual, left-handed, and with the axes exchanged.
AFFINES = [
    np.diag((0.5, 0.7, 1.5, 1.0)),
    np.diag((-0.5, 0.7, 1.5, 1.0)),
    np.array([[0.0, 0.0, 0.8, 0.0], [0.6, 0.0, 0.0, 0.0], [0.0, -1.1, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]),
]


def ramp(T: np.ndarray) -> Volume:
    """A scan of 100 + 2 x - 3 y + z/2, centred at the origin."""
    shape = (40, 50, 60)
    k, j, i = np.meshgrid(*map(np.arange, shape), indexing="ij")
    placed = T.copy()
    placed[:3, 3] = -T[:3, :3] @ (np.array(shape[::-1]) - 1.0) / 2.0
    points = np.stack((i, j, k), axis=-1) @ placed[:3, :3].T + placed[:3, 3]
    hu = (100.0 + points @ (2.0, -3.0, 0.5)).astype(np.float32)
    sides = np.linalg.norm(T[:3, :3], axis=0)
    return Volume(hu, placed, (float(sides[0]), float(sides[1]), float(sides[2])), Path("ramp"))


@pytest.mark.parametrize("T", AFFINES)
@pytest.mark.parametrize("plane", PLANES)
def test_a_slice_shows_the_scan_where_it_is(T: np.ndarray, plane: Plane) -> None:
    cut = slice_of(ramp(T), plane, AT)
    rows, columns = cut.hu.shape
    left, right, bottom, top = cut.extent_mm
    across = {"axial": 2, "coronal": 1, "sagittal": 0}[plane]
    for row, column in ((rows // 3, columns // 4), (rows // 2, 2 * columns // 3)):
        x = left + (column + 0.5) * (right - left) / columns
        y = top - (row + 0.5) * (top - bottom) / rows
        # Left is +x and back is +y in LPS; pictures have the left, the back and the head on the right, on the right and on top.
        point = {"axial": (x, -y, AT[2]), "coronal": (x, AT[1], y), "sagittal": (AT[0], x, y)}[plane]
        assert point[across] == AT[across]
        assert cut.hu[row, column] == pytest.approx(100.0 + np.dot(point, (2.0, -3.0, 0.5)), abs=1e-3)


def test_beyond_the_scan_nothing_is_shown() -> None:
    cut = slice_of(ramp(AFFINES[0]), "axial", (0.0, 0.0, 500.0))
    assert np.isnan(cut.hu).all()


@pytest.mark.parametrize("plane", PLANES)
def test_the_outline_of_a_ball_is_its_circle(plane: Plane) -> None:
    radius, centre = 10.0, np.array([1.0, 2.0, 3.0])
    ball = sphere(radius, 5)
    pieces = outline(ball.vertices + centre, ball.faces, plane, AT)
    across = {"axial": 2, "coronal": 1, "sagittal": 0}[plane]
    expected = np.sqrt(radius**2 - (AT[across] - centre[across]) ** 2)
    reach = np.linalg.norm(pieces.reshape(-1, 2) - in_plane(centre, plane), axis=1)
    assert reach.max() <= expected + 1e-9
    assert reach.min() >= expected - 0.05
    length = np.linalg.norm(pieces[:, 0] - pieces[:, 1], axis=1).sum()
    assert length == pytest.approx(2.0 * np.pi * expected, rel=2e-3), "the circle is closed, each piece there once"


def test_a_plane_through_vertices_still_gives_a_closed_outline() -> None:
    cube = box((1.0, 1.0, 1.0), 2)
    assert (cube.vertices[:, 0] == 0.0).any()
    pieces = outline(cube.vertices, cube.faces, "sagittal", (0.0, 0.0, 0.0))
    length = np.linalg.norm(pieces[:, 0] - pieces[:, 1], axis=1).sum()
    assert length == pytest.approx(8.0)


def test_a_surface_beyond_the_plane_has_no_outline() -> None:
    ball = sphere(1.0, 2)
    assert outline(ball.vertices, ball.faces, "axial", (0.0, 0.0, 2.0)).shape == (0, 2, 2)
