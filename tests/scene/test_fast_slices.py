"""The fast slices and joined outlines against the slow ones, and against analytic shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from navtwin.scene.crossings import Crossings
from navtwin.scene.reslice import DARKEST, Field, Reslicer
from navtwin.scene.slices import PLANES, Plane, in_plane, outline
from navtwin.volumes.volume import Volume
from tests.oracles.shapes import box, sphere

AT = (3.0, -2.0, 5.0)
AFFINES = [
    np.diag((0.5, 0.7, 1.5, 1.0)),
    np.diag((-0.5, 0.7, 1.5, 1.0)),
    np.array([[0.0, 0.0, 0.8, 0.0], [0.6, 0.0, 0.0, 0.0], [0.0, -1.1, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]),
]
SIZE = (90, 60)


def ramp(T: np.ndarray, dtype: type = np.float32) -> Volume:
    """A scan of 100 + 2 x - 3 y + z/2, centred at the origin."""
    shape = (40, 50, 60)
    k, j, i = np.meshgrid(*map(np.arange, shape), indexing="ij")
    placed = T.copy()
    placed[:3, 3] = -T[:3, :3] @ (np.array(shape[::-1]) - 1.0) / 2.0
    points = np.stack((i, j, k), axis=-1) @ placed[:3, :3].T + placed[:3, 3]
    sides = np.linalg.norm(T[:3, :3], axis=0)
    return Volume((100.0 + points @ (2.0, -3.0, 0.5)).astype(dtype), placed, (float(sides[0]), float(sides[1]), float(sides[2])), Path("ramp"))


def points_of(field: Field) -> np.ndarray:
    """The points of ct at the pixels of a field, from the meaning of a picture: right and up as `in_plane` says."""
    across = {"axial": 2, "coronal": 1, "sagittal": 0}[field.plane]
    column = (np.arange(field.width_px) - (field.width_px - 1) / 2) * field.mm_per_px
    row = -(np.arange(field.height_px) - (field.height_px - 1) / 2) * field.mm_per_px
    flat = np.stack(np.broadcast_arrays(column[None, :], row[:, None]), axis=-1) + in_plane(field.at_mm, field.plane)
    points = np.empty((*flat.shape[:2], 3))
    points[..., across] = field.at_mm[across]
    points[..., {"axial": 0, "coronal": 0, "sagittal": 1}[field.plane]] = flat[..., 0]
    axis, sign = {"axial": (1, -1.0), "coronal": (2, 1.0), "sagittal": (2, 1.0)}[field.plane]
    points[..., axis] = sign * flat[..., 1]
    return points


def expected(field: Field, centre: float, width: float) -> np.ndarray:
    hu = 100.0 + points_of(field) @ (2.0, -3.0, 0.5)
    return np.clip((hu - centre + width / 2) * (255 - DARKEST) / width + DARKEST, DARKEST, 255)


@pytest.mark.parametrize("T", AFFINES)
@pytest.mark.parametrize("plane", PLANES)
def test_a_field_within_the_scan_has_the_grey_of_its_points(T: np.ndarray, plane: Plane):
    reslicer, field = Reslicer(ramp(T)), Field(plane, (1.0, -1.0, 2.0), 0.2, *SIZE)
    assert reslicer.interpolates
    grey = reslicer.grey(field, 100.0, 120.0)
    assert grey.shape == (SIZE[1], SIZE[0])
    assert grey == pytest.approx(expected(field, 100.0, 120.0), abs=1.01)


@pytest.mark.parametrize("plane", PLANES)
def test_a_turned_scan_shows_its_nearest_voxels(plane: Plane):
    turn, c, s = np.eye(4), np.cos(0.3), np.sin(0.3)
    turn[:3, :3] = [[c, -s, 0], [s, c, 0], [0, 0, 1]]
    reslicer, field = Reslicer(ramp(turn @ AFFINES[0])), Field(plane, (1.0, -1.0, 2.0), 0.2, *SIZE)
    assert not reslicer.interpolates
    # No voxel's corner is farther from its middle than this many HU.
    most_hu = 0.5 * (0.5 * 2.0 + 0.7 * 3.0 + 1.5 * 0.5) * 1.5
    assert reslicer.grey(field, 100.0, 255.0 - DARKEST) == pytest.approx(expected(field, 100.0, 255.0 - DARKEST), abs=most_hu + 1)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_beyond_the_scan_is_black_and_the_scan_never_is(dtype: type):
    volume = ramp(AFFINES[0], dtype)
    grey = Reslicer(volume).grey(Field("axial", (15.0, 0.0, 0.0), 0.5, 80, 40), 5000.0, 100.0)
    outside = points_of(Field("axial", (15.0, 0.0, 0.0), 0.5, 80, 40))[..., 0] > 15.0
    assert (grey[outside] == 0).all()
    assert (grey[~outside] == DARKEST).all()
    assert (Reslicer(volume).grey(Field("axial", (0.0, 0.0, 500.0), 0.5, 8, 8), 0.0, 100.0) == 0).all()


@pytest.mark.parametrize("plane", PLANES)
def test_a_ball_has_one_closed_circle(plane: Plane):
    ball, centre = sphere(10.0, 4), np.array([1.0, 2.0, 3.0])
    lines = Crossings(ball.vertices + centre, ball.faces).lines(plane, AT)
    assert len(lines) == 1
    assert np.allclose(lines[0][0], lines[0][-1])
    across = {"axial": 2, "coronal": 1, "sagittal": 0}[plane]
    radius = np.sqrt(100.0 - (AT[across] - centre[across]) ** 2)
    assert np.linalg.norm(lines[0] - in_plane(centre, plane), axis=1) == pytest.approx(radius, abs=0.05)


@pytest.mark.parametrize("plane", PLANES)
def test_joined_lines_are_the_pieces_of_the_slow_outline(plane: Plane):
    ball = sphere(10.0, 3)
    pieces = outline(ball.vertices, ball.faces, plane, (0.3, 0.2, 0.1))
    lines = Crossings(ball.vertices, ball.faces).lines(plane, (0.3, 0.2, 0.1))
    assert sum(len(line) - 1 for line in lines) == len(pieces)
    length = sum(np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in lines)
    assert length == pytest.approx(np.linalg.norm(pieces[:, 1] - pieces[:, 0], axis=1).sum())


def test_planes_through_vertices_beyond_and_through_nothing():
    cube = box((10.0, 10.0, 10.0))
    assert sum(len(line) for line in Crossings(cube.vertices, cube.faces).lines("sagittal", (0.0, 0.0, 0.0))) > 4
    assert Crossings(cube.vertices, cube.faces).lines("sagittal", (50.0, 0.0, 0.0)) == []
    assert Crossings(np.zeros((0, 3)), np.zeros((0, 3), int)).lines("axial", (0.0, 0.0, 0.0)) == []


def test_what_is_out_of_reach_is_left_out():
    ball = sphere(10.0, 4)
    near = Crossings(ball.vertices, ball.faces).lines("axial", (10.0, 0.0, 0.1), 4.0)
    assert near
    assert all((line[:, 0] > 4.0).all() for line in near)
