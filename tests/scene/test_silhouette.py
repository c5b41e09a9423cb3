"""Silhouettes of shapes whose outline is known."""

from __future__ import annotations

import numpy as np
import pytest
import pyvista as pv
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from navtwin.scene.silhouette import Shell

CUBE = ConvexHull(np.array([(x, y, z) for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)]) * 10.0)


def outward(hull: ConvexHull) -> Shell:
    """Qhull's triangles, turned so that they run counter-clockwise seen from outside."""
    faces = hull.simplices.copy()
    a, b, c = hull.points[faces].swapaxes(0, 1)
    wrong = np.einsum("ij,ij->i", np.cross(b - a, c - a), hull.equations[:, :3]) < 0.0
    faces[wrong] = faces[wrong][:, ::-1]
    return Shell.of(hull.points, faces)


def area(loop: np.ndarray) -> float:
    """Signed area of a polygon in the plane, positive where it runs counter-clockwise."""
    x, y = loop.T
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2.0)


def test_a_cube_over_its_corner_is_a_hexagon_and_over_its_face_a_square() -> None:
    shell = outward(CUBE)
    (hexagon,) = shell.rim(shell.facing((1000.0, 1000.0, 1000.0)))
    assert len(hexagon) == 6
    (square,) = shell.rim(shell.facing((5.0, 5.0, 1000.0)))
    assert sorted(map(tuple, shell.vertices_mm[square].tolist())) == [(0.0, 0.0, 10.0), (0.0, 10.0, 10.0), (10.0, 0.0, 10.0), (10.0, 10.0, 10.0)]
    # Seen from above, what faces the eye lies to the left.
    assert area(shell.vertices_mm[square][:, :2]) == 100.0


def test_a_ball_seen_from_afar_shows_its_disc_and_from_near_less_than_half() -> None:
    ball = pv.Icosphere(radius=10.0, nsub=5)
    shell = Shell.of(ball.points, ball.regular_faces)
    assert (shell.twins >= 0).all()
    for away, radius in ((1e6, 10.0), (20.0, 10.0 * np.sqrt(1.0 - 0.25))):
        (loop,) = shell.rim(shell.facing((0.0, 0.0, away)))
        rim = shell.vertices_mm[loop]
        assert np.hypot(rim[:, 0], rim[:, 1]) == pytest.approx(radius, abs=0.35)
        assert rim[:, 2] == pytest.approx(100.0 / away, abs=0.6)


def test_a_ring_seen_from_above_has_an_inner_rim_that_runs_the_other_way() -> None:
    ring = pv.ParametricTorus(ringradius=20.0, crosssectionradius=5.0, u_res=80, v_res=40).triangulate().clean(tolerance=1e-6)
    shell = Shell.of(ring.points, ring.regular_faces)
    loops = shell.rim(shell.facing((0.0, 0.0, 1e6)) if shell.facing((0.0, 0.0, 1e6)).mean() > 0.3 else ~shell.facing((0.0, 0.0, 1e6)))
    areas = sorted(area(shell.vertices_mm[loop][:, :2]) for loop in loops)
    assert len(areas) == 2
    assert sorted(map(abs, areas)) == pytest.approx([np.pi * 15.0**2, np.pi * 25.0**2], rel=0.02)
    assert areas[0] * areas[1] < 0.0


def test_an_open_sheet_is_outlined_by_its_border() -> None:
    shell = Shell.of([(0, 0, 0), (10, 0, 0), (10, 10, 0), (0, 10, 0)], [(0, 1, 2), (0, 2, 3)])
    (loop,) = shell.rim(shell.facing((3.0, 3.0, 50.0)))
    assert sorted(loop.tolist()) == [0, 1, 2, 3]
    assert shell.rim(shell.facing((3.0, 3.0, -50.0))) == []


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(4, 60))
def test_whatever_faces_are_chosen_every_loop_closes_and_each_side_is_used_once(seed: int, count: int) -> None:
    """Even of a heap of triangles in which an edge has any number of faces."""
    rng = np.random.default_rng(seed)
    faces = np.array([rng.choice(12, 3, replace=False) for _ in range(count)])
    shell = Shell.of(rng.normal(size=(12, 3)), faces)
    paired = np.flatnonzero(shell.twins >= 0)
    assert (shell.twins[shell.twins[paired]] == paired).all()
    chosen = rng.random(count) < 0.5
    loops = shell.rim(chosen)
    sides = np.repeat(chosen, 3)
    alone = sides & ~((shell.twins >= 0) & sides[shell.twins])
    start, end = faces.ravel()[alone], faces[:, (1, 2, 0)].ravel()[alone]
    ours = [pair for loop in loops for pair in zip(loop.tolist(), np.roll(loop, -1).tolist(), strict=True)]
    assert sorted(ours) == sorted(zip(start.tolist(), end.tolist(), strict=True))
