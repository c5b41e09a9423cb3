from __future__ import annotations

import numpy as np
import pytest

from navtwin import kernels
from tests.kernels import meshes


def shoot(forest: kernels.Forest, origins: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    out = np.empty(len(origins)), np.empty(len(origins), np.int32)
    kernels.first_hits(
        forest, 0, np.ascontiguousarray(origins, dtype=float), np.ascontiguousarray(directions, dtype=float), *out, kernels.workspace()
    )
    return out


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
