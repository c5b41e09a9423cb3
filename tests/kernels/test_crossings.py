from __future__ import annotations

import numpy as np
import pytest

from navtwin import kernels
from navtwin.kernels.crossings import crossings
from tests.kernels import meshes


def found(mesh: meshes.Mesh, most: int = 10_000) -> set[tuple[int, int]]:
    forest, pairs = kernels.plant(*mesh)[0], np.empty((most, 2), np.int32)
    count = crossings(forest, 0, len(forest.children) // 8, pairs, kernels.workspace())
    assert len({tuple(p) for p in pairs[:count].tolist()}) == count
    return {tuple(p) for p in pairs[:count].tolist()}


@pytest.mark.parametrize(("seed", "shift"), [(0, 0.0), (1, 1e3)])
def test_crossings_of_a_soup_are_brute_force(seed: int, shift: float) -> None:
    """Two triangles cross where an edge of one touches the other."""
    vertices, faces = meshes.soup(120, seed, 16.0)
    a, b = vertices[faces].reshape(-1, 3), vertices[np.roll(faces, -1, axis=1)].reshape(-1, 3)
    touch = meshes.brute_segments(a, b, (vertices, faces)).reshape(120, 3, 120).min(axis=1) < 1e-7
    expected = {(f, g) for f, g in zip(*np.nonzero(touch | touch.T), strict=True) if f < g}
    assert len(expected) > 50
    assert found((vertices + shift, faces)) == expected


@pytest.mark.parametrize("mesh", [meshes.sphere(20.0, 4), meshes.torus(), meshes.box((1.0, 2.0, 3.0)), meshes.torus(1e-5, 3e-6)])
def test_a_solid_does_not_cross_itself(mesh: meshes.Mesh) -> None:
    assert found(mesh) == set()


def test_faces_that_share_a_vertex_may_cross() -> None:
    vertices = np.array([[0.0, 0, 0], [4, 1, 0], [4, -1, 0], [3, 0, -1], [5, 0, 2]])
    assert found((vertices, np.array([[0, 1, 2], [0, 3, 4]], np.int32))) == {(0, 1)}
    vertices[4] = (5, 0, -2)
    assert found((vertices, np.array([[0, 1, 2], [0, 3, 4]], np.int32))) == set()


def test_parts_find_together_what_one_walk_finds() -> None:
    vertices, faces = meshes.soup(300, 5, 8.0)
    forest, pairs = kernels.plant(vertices, faces)[0], np.empty((10_000, 2), np.int32)
    nodes, count, work = len(forest.children) // 8, 0, kernels.workspace()
    for part in range(nodes):
        count += crossings(forest, part, part + 1, pairs[count:], work)
    assert {tuple(p) for p in pairs[:count].tolist()} == found((vertices, faces))


def test_no_more_are_told_than_fit() -> None:
    assert len(found(meshes.soup(300, 5, 8.0), 7)) == 7
