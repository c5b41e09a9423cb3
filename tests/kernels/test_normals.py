from __future__ import annotations

import numpy as np
import pytest

from navtwin import kernels
from navtwin.kernels.normals import _angle, edge_mates, welded
from tests.kernels import meshes


@pytest.mark.parametrize("mesh", [meshes.torus(), meshes.sphere(depth=3), meshes.box()])
def test_the_mate_of_a_mate_is_oneself(mesh: meshes.Mesh) -> None:
    _, faces = mesh
    mates, open_edges = edge_mates(faces, len(mesh[0]))
    assert open_edges == 0
    for f in range(len(faces)):
        for e in range(3):
            other = mates[f, e]
            assert f in mates[other]
            assert {faces[f, e], faces[f, (e + 1) % 3]} <= set(faces[other])


def test_open_doubled_and_flipped_faces_are_counted() -> None:
    vertices, faces = meshes.sphere(depth=2)
    n = len(vertices)
    assert edge_mates(faces[1:], n)[1] == 3
    assert edge_mates(np.concatenate([faces, faces[:1]]), n)[1] > 0
    flipped = faces.copy()
    flipped[5] = flipped[5, ::-1]
    assert edge_mates(flipped, n)[1] > 0


def test_a_soup_is_joined_by_place() -> None:
    vertices, faces = meshes.sphere(depth=3)
    apart = np.arange(faces.size, dtype=np.int32).reshape(-1, 3)
    forest, open_edges = kernels.plant(np.ascontiguousarray(vertices[faces].reshape(-1, 3)), apart)
    assert open_edges == 0
    assert (forest.mates >= 0).all()
    assert len(np.unique(welded(vertices[faces].reshape(-1, 3), apart))) == len(vertices)


@pytest.mark.parametrize("angle", [1e-9, 1e-3, 0.3, 1.0, np.pi / 2, 2.0, 3.0, np.pi - 1e-3, np.pi - 1e-9])
def test_the_angle_is_the_angle(angle: float) -> None:
    assert _angle(7.0 * np.cos(angle), 7.0 * np.sin(angle)) == pytest.approx(angle, rel=1e-8)


def test_volumes() -> None:
    assert kernels.signed_volume(*meshes.box((1.0, 2.0, 3.0))) == pytest.approx(48.0, rel=1e-14)
    vertices, faces = meshes.torus(30.0, 10.0, 400, 200)
    assert kernels.signed_volume(vertices + 500.0, faces) == pytest.approx(2 * np.pi**2 * 30 * 100, rel=1e-3)
    assert kernels.signed_volume(vertices, np.ascontiguousarray(faces[:, ::-1])) < 0.0


def test_one_vertex_names_each_part() -> None:
    (v, f), n = meshes.sphere(depth=1), 18
    both = np.concatenate([f + n, f]).astype(np.int32)
    assert len(v) == n
    assert kernels.component_vertices(both, 2 * n + 5).tolist() == [0, n]
