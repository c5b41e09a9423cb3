from __future__ import annotations

import numpy as np
import pytest

from navtwin import kernels
from navtwin.kernels.ray import first_hit, first_hits
from tests.kernels import meshes


def shoot(forest: kernels.Forest, origins: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    out = np.empty(len(origins)), np.empty(len(origins), np.int32)
    first_hits(forest, 0, np.ascontiguousarray(origins, dtype=float), np.ascontiguousarray(directions, dtype=float), *out, kernels.workspace())
    return out


def brute_rays(origins: np.ndarray, directions: np.ndarray, mesh: meshes.Mesh) -> np.ndarray:
    """(N, F) distances along rays, inf where a triangle is missed: by Cramer's rule (Moeller & Trumbore 1997)."""
    a, b, c = (mesh[0][mesh[1][:, i]][None] for i in range(3))
    way = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    d, s, u, v = way[:, None], origins[:, None] - a, b - a, c - a
    with np.errstate(divide="ignore", invalid="ignore"):
        area = (np.cross(d, v) * u).sum(-1)
        p, q = (np.cross(d, v) * s).sum(-1) / area, (np.cross(s, u) * d).sum(-1) / area
        t = (np.cross(s, u) * v).sum(-1) / area
        return np.where((p >= 0) & (q >= 0) & (p + q <= 1) & (t >= 0), t, np.inf)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e3])
@pytest.mark.parametrize("shift", [0.0, 1e4])
def test_rays_are_brute_force(scale: float, shift: float) -> None:
    vertices, faces = meshes.soup(300, 4)
    rng = np.random.default_rng(7)
    origins, directions = rng.uniform(-60, 60, (1500, 3)), rng.normal(size=(1500, 3)) * np.exp(rng.uniform(-9, 9, (1500, 1)))
    directions[::5, 0] = 0.0
    directions[::10, 1] *= 1e-30
    mesh = vertices * scale + shift, faces
    brute = brute_rays(origins * scale + shift, directions, mesh)
    distance, face = shoot(kernels.plant(*mesh)[0], origins * scale + shift, directions)
    nearest = brute.min(axis=1)
    # Through an edge, Cramer's rule may see neither face.
    assert ((distance == np.inf) == (nearest == np.inf)).mean() > 0.998
    both = np.isfinite(distance) & np.isfinite(nearest)
    assert both.sum() > 300
    assert np.isclose(distance[both], nearest[both], rtol=1e-9, atol=1e-9 * scale + 1e-10 * (shift > 0.0)).mean() > 0.998
    np.testing.assert_array_equal(face >= 0, np.isfinite(distance))


def test_a_ray_from_far_away_hits() -> None:
    vertices, faces = meshes.sphere(20.0, 3)
    way = np.random.default_rng(0).normal(size=(100, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    distance, _ = shoot(kernels.plant(vertices, faces)[0], way * 1e6, -way)
    assert (np.abs(distance - (1e6 - 20.0)) < 0.3).all()


def test_a_ray_ends_at_t_max() -> None:
    forest, work = kernels.plant(*meshes.box((1.0, 1.0, 1.0)))[0], kernels.workspace()
    assert first_hit(forest, 0, 5.0, 0.3, 0.1, -2.0, 0.0, 0.0, 1.9, work) == (np.inf, -1)
    assert first_hit(forest, 0, 5.0, 0.3, 0.1, -2.0, 0.0, 0.0, 2.0, work)[0] == 2.0


def test_the_second_structure_is_hit_by_its_own_faces() -> None:
    forest = kernels.join([kernels.plant(*meshes.box((9.0, 9.0, 9.0)))[0], kernels.plant(*meshes.box((1.0, 1.0, 1.0)))[0]])
    t, face = first_hit(forest, 1, 5.0, 0.3, 0.1, -1.0, 0.0, 0.0, np.inf, kernels.workspace())
    assert t == 4.0
    assert (meshes.box((1.0, 1.0, 1.0))[0][meshes.box((1.0, 1.0, 1.0))[1][face], 0] == 1.0).all()


def test_a_box_is_hit_where_it_stands() -> None:
    half = np.array([1.0, 2.0, 3.0])
    rng = np.random.default_rng(0)
    origins = rng.normal(size=(2000, 3)) * 20
    directions = rng.uniform(-2, 2, (2000, 3)) - origins
    with np.errstate(divide="ignore"):
        t0, t1 = (-half - origins) / directions, (half - origins) / directions
    enter, leave = np.minimum(t0, t1).max(axis=1), np.maximum(t0, t1).min(axis=1)
    expected = np.where((enter <= leave) & (enter >= 0), enter * np.linalg.norm(directions, axis=1), np.inf)
    outside = (np.abs(origins) > half).any(axis=1)
    distance, face = shoot(kernels.plant(*meshes.box(tuple(half)))[0], origins, directions)
    np.testing.assert_allclose(distance[outside], expected[outside], rtol=0, atol=1e-9)
    assert ((face >= 0) == np.isfinite(distance)).all()


def test_no_ray_slips_between_faces() -> None:
    """From inside, through every vertex and every middle of an edge."""
    vertices, faces = meshes.sphere(20.0, 3)
    targets = np.concatenate([vertices, (vertices[faces[:, 0]] + vertices[faces[:, 1]]) / 2])
    for origin in np.random.default_rng(0).uniform(-5, 5, (5, 3)):
        distance, face = shoot(kernels.plant(vertices, faces)[0], np.broadcast_to(origin, targets.shape), targets - origin)
        np.testing.assert_allclose(distance, np.linalg.norm(targets - origin, axis=1), rtol=0, atol=1e-9)
        assert (face >= 0).all()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_rays_along_an_axis(axis: int) -> None:
    origin, direction = np.full((1, 3), 0.25), np.zeros((1, 3))
    origin[0, axis], direction[0, axis] = -10.0, 4.0
    distance, _ = shoot(kernels.plant(*meshes.box((1.0, 1.0, 1.0)))[0], origin, direction)
    assert distance[0] == pytest.approx(9.0, abs=1e-12)
    assert shoot(kernels.plant(*meshes.box((1.0, 1.0, 1.0)))[0], origin, -direction)[0][0] == np.inf


def test_unknown_rays_and_misses() -> None:
    forest = kernels.plant(*meshes.box())[0]
    origins = np.array([[np.nan, 0, 0], [9, 0, 0], [9, 0, 0], [9, 0, 0]])
    distance, face = shoot(forest, origins, np.array([[1, 0, 0], [0, 0, 0], [np.inf, 0, 0], [1, 0, 0]]))
    assert np.isnan(distance[:3]).all()
    assert distance[3] == np.inf
    assert (face == -1).all()


def test_ties_go_to_the_lowest_face() -> None:
    vertices, faces = meshes.box((1.0, 1.0, 1.0))
    twice = np.concatenate([faces, faces])
    _, face = shoot(kernels.plant(vertices, twice)[0], np.array([[5, 0.3, 0.1], [0.3, 0.1, -5]]), np.array([[-1, 0, 0], [0, 0, 1]]))
    assert (face < 12).all()
