from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin import kernels
from navtwin.kernels.point import nearest
from tests.kernels import meshes
from tests.kernels.asking import ask


@pytest.mark.parametrize("seed", range(4))
def test_distance_is_brute_force(seed: int) -> None:
    mesh = meshes.soup(400, seed)
    points = np.random.default_rng(seed + 100).uniform(-60, 60, (300, 3))
    distance, on_surface, face = ask(kernels.plant(*mesh)[0], 0, points)
    brute = meshes.brute_points(points, mesh)
    np.testing.assert_allclose(np.abs(distance), brute.min(axis=1), rtol=0, atol=1e-9)
    np.testing.assert_allclose(brute[np.arange(300), face], brute.min(axis=1), rtol=0, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(points - on_surface, axis=1), np.abs(distance), rtol=0, atol=1e-12)


def test_box_is_exact_and_signed() -> None:
    half = (1.0, 2.0, 3.0)
    points = np.random.default_rng(0).uniform(-5, 5, (3000, 3))
    distance, _, _ = ask(kernels.plant(*meshes.box(half))[0], 0, points)
    np.testing.assert_allclose(distance, meshes.box_distance(points, half), rtol=0, atol=1e-12)


def test_torus_is_signed_within_its_sagitta() -> None:
    mesh = meshes.torus(30.0, 10.0, 240, 120)
    points = np.random.default_rng(1).uniform(-45, 45, (3000, 3))
    points[:, 2] /= 3.0
    distance, _, _ = ask(kernels.plant(*mesh)[0], 0, points)
    np.testing.assert_allclose(
        distance, meshes.torus_distance(points, 30.0, 10.0), rtol=0, atol=40 * (1 - np.cos(np.pi / 240)) + 10 * (1 - np.cos(np.pi / 120))
    )


def test_sign_holds_at_sharp_corners_and_edges() -> None:
    """Points whose nearest feature is a vertex or an edge of a spike: the face normals alone disagree there."""
    vertices = np.array([[0, 0, 10.0], [1, 0, 0], [-0.5, 0.8, 0], [-0.5, -0.8, 0]])
    faces = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]], np.int32)
    rng = np.random.default_rng(2)
    tip = vertices[0] + np.array([0, 0, 1.0]) + rng.normal(0, 0.5, (200, 3))
    distance, _, _ = ask(kernels.plant(vertices, faces)[0], 0, tip)
    weights = np.linalg.solve(np.vstack([vertices.T, np.ones(4)]), np.vstack([tip.T, np.ones(200)]))
    assert ((distance < 0.0) == (weights > 0.0).all(axis=0)).all()


def test_ties_go_to_the_lowest_face() -> None:
    vertices, faces = meshes.box((1.0, 1.0, 1.0))
    for shuffle in range(8):
        order = np.random.default_rng(shuffle).permutation(12)
        shuffled = np.ascontiguousarray(faces[order])
        points = np.array([[2, 2, 2], [-3, 2, 0.3], [0, 0, 0], [2.0, 0.25, 0.25], [-2, -2, -2]], float)
        distance, _, face = ask(kernels.plant(vertices, shuffled)[0], 0, points)
        brute = meshes.brute_points(points, (vertices, shuffled))
        assert face.tolist() == [int(np.flatnonzero(np.abs(row - row.min()) < 1e-12)[0]) for row in brute]
        assert distance[2] == -1.0


def test_two_faces_of_one_edge_tie_to_the_bit() -> None:
    """Whatever the slope, a point whose nearest feature is an edge gives both faces the same distance, and the lower one wins."""
    rng = np.random.default_rng(5)
    for _ in range(200):
        a, b = rng.normal(0, 20, (2, 3))
        side = np.cross(b - a, rng.normal(0, 1, 3))
        up = np.cross(b - a, side)
        side, up = side / np.linalg.norm(side), up / np.linalg.norm(up)
        vertices = np.array([a, b, a + side - up, b - side - up])
        point = np.array([a + (b - a) * rng.uniform(0.1, 0.9) + 3 * up])
        for faces in ([[0, 1, 2], [1, 0, 3]], [[1, 0, 3], [0, 1, 2]], [[2, 0, 1], [0, 3, 1]]):
            assert ask(kernels.plant(vertices, np.array(faces, np.int32))[0], 0, point)[2][0] == 0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), hints=st.lists(st.integers(-5, 10_000), min_size=5, max_size=5))
def test_hints_never_change_a_bit(seed: int, hints: list[int]) -> None:
    forest, work = kernels.plant(*meshes.torus(nu=24, nv=16))[0], kernels.workspace()
    for p in np.random.default_rng(seed).uniform(-50, 50, (5, 3)):
        answers = {nearest(forest, 0, p[0], p[1], p[2], hint, np.inf, work) for hint in (-1, *hints)}
        assert len(answers) == 1


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_rigid_motion_changes_nothing(seed: int) -> None:
    vertices, faces = meshes.torus(nu=24, nv=16)
    R, t = meshes.placed(seed)
    points = np.random.default_rng(seed).uniform(-50, 50, (40, 3))
    still = ask(kernels.plant(vertices, faces)[0], 0, points)[0]
    moved = ask(kernels.plant(np.ascontiguousarray(vertices @ R.T + t), faces)[0], 0, np.ascontiguousarray(points @ R.T + t))[0]
    np.testing.assert_allclose(moved, still, rtol=0, atol=1e-9)


@pytest.mark.parametrize("lift", [0.0, 1e-300, 1e-14, 1e-9, 1e-7, 1e-6, 1e-4])
def test_a_needle_or_flat_triangle_acts_as_its_longest_edge(lift: float) -> None:
    vertices = np.array([[0.0, 0, 0], [10, 0, 0], [4, lift, 0]])
    points = np.random.default_rng(3).uniform(-5, 15, (200, 3))
    distance, _, face = ask(kernels.plant(vertices, np.array([[2, 0, 1]], np.int32))[0], 0, points)
    t = np.clip(points[:, :1] / 10, 0, 1) * [10, 0, 0]
    np.testing.assert_allclose(np.abs(distance), np.linalg.norm(points - t, axis=1), rtol=0, atol=1e-9 + lift)
    assert (face == 0).all()


def test_a_point_for_a_triangle() -> None:
    distance, on_surface, _ = ask(kernels.plant(np.full((3, 3), 2.0), np.array([[0, 1, 2]], np.int32))[0], 0, np.array([[2.0, 2, 5], [2, 2, 2]]))
    assert distance.tolist() == [3.0, 0.0]
    assert (on_surface == 2.0).all()


def test_flat_triangles_do_not_spoil_the_sign() -> None:
    """A sliver in each edge of a box: the corner in the middle of an edge belongs to flat faces."""
    vertices, faces = meshes.box((1.0, 1.0, 1.0))
    a, b = faces[0, 0], faces[0, 1]
    vertices = np.concatenate([vertices, [(vertices[a] + vertices[b]) / 2]])
    middle, opposite = len(vertices) - 1, faces[0, 2]
    faces = np.concatenate([faces[1:], [[a, middle, opposite], [middle, b, opposite], [a, b, middle]]]).astype(np.int32)
    forest, open_edges = kernels.plant(vertices, faces)
    points = np.random.default_rng(4).uniform(-2, 2, (3000, 3))
    assert open_edges == 0
    np.testing.assert_allclose(ask(forest, 0, points)[0], meshes.box_distance(points, (1.0, 1.0, 1.0)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_unknown(bad: float) -> None:
    points = np.array([[0, 0, 50.0], [0, bad, 0], [0, 0, 50.0]])
    distance, on_surface, face = ask(kernels.plant(*meshes.sphere(depth=2))[0], 0, points)
    assert np.isnan(distance[1])
    assert np.isnan(on_surface[1]).all()
    assert face[1] == -1
    assert distance[0] == distance[2] == 30.0


@pytest.mark.parametrize("spoil", ["open", "inverted"])
def test_a_spoilt_sign_leaves_the_distance(spoil: str) -> None:
    vertices, faces = meshes.box((1.0, 2.0, 3.0))
    faces = faces[2:] if spoil == "open" else np.ascontiguousarray(faces[:, ::-1])
    points = np.random.default_rng(0).uniform(-5, 5, (500, 3))
    distance, _, _ = ask(kernels.plant(vertices, np.ascontiguousarray(faces))[0], 0, points)
    np.testing.assert_allclose(np.abs(distance), meshes.brute_points(points, (vertices, faces)).min(axis=1), rtol=0, atol=1e-12)


def test_equidistant_faces_are_all_looked_at() -> None:
    distance, _, face = ask(kernels.plant(*meshes.sphere(20.0, 4))[0], 0, np.zeros((1, 3)))
    brute = meshes.brute_points(np.zeros((1, 3)), meshes.sphere(20.0, 4))[0]
    assert -distance[0] == pytest.approx(brute.min(), abs=1e-12)
    assert brute[face[0]] == pytest.approx(brute.min(), abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), within=st.floats(0.0, 60.0))
def test_a_cap_changes_nothing_within_it_and_never_hides_depth(seed: int, within: float) -> None:
    forest = kernels.plant(*meshes.torus(nu=24, nv=16))[0]
    points = np.random.default_rng(seed).uniform(-50, 50, (60, 3))
    distance, on_surface, face = ask(forest, 0, points)
    capped, capped_on, capped_face = ask(forest, 0, points, within)
    near = distance <= within
    assert (capped[near] == distance[near]).all()
    assert (capped_on[near] == on_surface[near]).all()
    assert (capped_face[near] == face[near]).all()
    assert (capped[~near] == within).all()
    assert np.isnan(capped_on[~near]).all()
    assert (capped_face[~near] == -1).all()


def test_deep_inside_is_deep_whatever_the_cap() -> None:
    forest = kernels.plant(*meshes.box((10.0, 10.0, 10.0)))[0]
    assert ask(forest, 0, np.zeros((1, 3)), 1.0)[0][0] == -10.0


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e3])
@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_any_scale_and_place(scale: float, shift: float) -> None:
    vertices, faces = meshes.torus(nu=24, nv=16)
    points = np.random.default_rng(1).uniform(-60, 60, (200, 3))
    brute = meshes.brute_points(points, (vertices, faces)).min(axis=1)
    distance, _, _ = ask(kernels.plant(vertices * scale + shift, faces)[0], 0, points * scale + shift)
    np.testing.assert_allclose(np.abs(distance), brute * scale, rtol=0, atol=1e-12 * scale + 1e-15 * shift * 10)


def test_far_away() -> None:
    forest = kernels.plant(*meshes.box((1.0, 1.0, 1.0)))[0]
    points = np.array([[1e6, 0.0, 0.0], [0.0, -1e9, 0.0], [0.0, 0.0, 2e9]])
    distance, _, face = ask(forest, 0, points)
    assert distance[:2].tolist() == [1e6 - 1.0, 1e9 - 1.0]
    assert np.isnan(distance[2])
    assert face[2] == -1
