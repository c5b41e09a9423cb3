from __future__ import annotations

import numpy as np
import pytest

from navtwin import kernels
from navtwin.kernels.mesh_mesh import PairHit
from tests.kernels import meshes


def ask(one: meshes.Mesh, other: meshes.Mesh, T: np.ndarray) -> tuple[PairHit, kernels.Forest, kernels.Forest]:
    a, b = kernels.plant(*one)[0], kernels.plant(*other)[0]
    return kernels.closest_surfaces(a, b, T, np.empty((len(other[1]), 9)), kernels.workspace()), a, b


def rigid(seed: int, reach: float) -> np.ndarray:
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = meshes.placed(seed, reach)
    return T


@pytest.mark.parametrize("seed", range(8))
def test_every_pair_of_triangles_by_brute_force(seed: int) -> None:
    one, other, T = meshes.soup(12, seed, 3.0), meshes.soup(12, seed + 50, 3.0), rigid(seed, 60.0)
    hit, _, _ = ask(one, other, T)
    moved = other[0] @ T[:3, :3].T + T[:3, 3]
    brute = np.inf
    for mesh, (vertices, faces) in ((one, (moved, other[1])), ((moved, other[1]), one)):
        for a, b in ((0, 1), (1, 2), (2, 0)):
            brute = min(brute, meshes.brute_segments(vertices[faces[:, a]], vertices[faces[:, b]], mesh).min())
    assert np.sqrt(hit.distance2) == pytest.approx(brute, abs=1e-6)
    assert np.linalg.norm(np.subtract(hit[3:6], hit[6:9])) == pytest.approx(np.sqrt(hit.distance2), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_two_spheres(seed: int) -> None:
    T = rigid(seed, 100.0)
    T[:3, 3] += 60.0 * np.sign(T[:3, 3])
    hit, _, _ = ask(meshes.sphere(20.0, 4), meshes.sphere(5.0, 3), T)
    assert np.sqrt(hit.distance2) == pytest.approx(np.linalg.norm(T[:3, 3]) - 25.0, abs=0.2)
    back, _, _ = ask(meshes.sphere(5.0, 3), meshes.sphere(20.0, 4), np.linalg.inv(T))
    assert np.sqrt(back.distance2) == pytest.approx(np.sqrt(hit.distance2), abs=1e-9)


def test_surfaces_that_cross_meet() -> None:
    T = np.eye(4)
    T[0, 3] = 22.0
    hit, _, _ = ask(meshes.sphere(20.0, 3), meshes.sphere(5.0, 2), T)
    assert hit.distance2 == 0.0
    assert hit[3:6] == hit[6:9]


def test_ties_go_to_the_lowest_faces() -> None:
    T = np.eye(4)
    T[0, 3] = 5.0
    cube = meshes.box((1.0, 1.0, 1.0))
    hit, a, b = ask(cube, cube, T)
    assert hit.distance2 == 9.0
    near = [f for f in range(12) if (cube[0][cube[1][f]][:, 0] == 1.0).any()]
    facing = cube[1][(cube[0][cube[1]][:, :, 0] == -1.0).any(axis=1)]
    corners = cube[0][cube[1][near]].reshape(-1, 3)
    after = cube[0][np.roll(cube[1][near], -1, axis=1)].reshape(-1, 3)
    gaps = meshes.brute_segments(corners, after, (cube[0] + [5.0, 0, 0], facing)).reshape(len(near), 3, -1).min(axis=1)
    row, column = np.argwhere(np.abs(gaps - 3.0) < 1e-6)[0]
    assert a.face[hit.slot] == near[row]
    assert (cube[1][b.face[hit.other_slot]] == facing[column]).all()


def test_degenerate_triangles_give_numbers() -> None:
    flat = (np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [5, 5, 5]]), np.array([[0, 1, 2], [3, 3, 3], [0, 0, 1]], np.int32))
    T = np.eye(4)
    T[2, 3] = 7.0
    assert ask(flat, flat, T)[0].distance2 == pytest.approx(4.0 + 25.0 + 9.0)
    assert ask(meshes.box((1.0, 1.0, 1.0)), flat, T)[0].distance2 == 36.0
