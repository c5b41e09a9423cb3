from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin import kernels
from navtwin.kernels.adjacency import edge_mates, welded
from navtwin.kernels.angle import angle
from navtwin.kernels.normals import angles_between
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


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=1, max_size=25))
def test_mates_are_found_among_any_faces(corners: list[tuple[int, int, int]]) -> None:
    """Also where faces are doubled, name a vertex twice, or meet in threes."""
    halves = defaultdict(list)
    for f, face in enumerate(corners):
        for e in range(3):
            halves[face[e], face[(e + 1) % 3]].append(f)
    expected = np.full((len(corners), 3), -1)
    for f, face in enumerate(corners):
        for e in range(3):
            u, v = face[e], face[(e + 1) % 3]
            if u != v and len(halves[u, v]) == len(halves[v, u]) == 1 and halves[v, u] != [f]:
                expected[f, e] = halves[v, u][0]
    mates, open_edges = edge_mates(np.array(corners, np.int32), 7)
    assert (mates == expected).all()
    assert open_edges == (expected < 0).sum()


def test_a_hub_of_a_hundred_thousand_faces_is_no_trouble() -> None:
    n = 100_000
    rim = np.arange(n, dtype=np.int32)
    mates, open_edges = edge_mates(np.stack([np.full(n, n, np.int32), rim, np.roll(rim, -1)], 1), n + 1)
    assert open_edges == n
    assert (mates[:, 2] == np.roll(rim, -1)).all()


def test_zeros_of_both_signs_are_one_place() -> None:
    vertices = np.array([[0.0, 1, 2], [-0.0, 1, 2], [3, 4, 5], [0, 1, 2]])
    assert welded(vertices, np.array([[0, 1, 2], [3, 2, 1]], np.int32)).tolist() == [[0, 0, 2], [0, 2, 0]]


def test_a_soup_is_joined_by_place() -> None:
    vertices, faces = meshes.sphere(depth=3)
    apart = np.arange(faces.size, dtype=np.int32).reshape(-1, 3)
    forest, open_edges = kernels.plant(np.ascontiguousarray(vertices[faces].reshape(-1, 3)), apart)
    assert open_edges == 0
    assert (forest.mates >= 0).all()
    assert len(np.unique(welded(vertices[faces].reshape(-1, 3), apart))) == len(vertices)


@pytest.mark.parametrize("expected", [0.0, 1e-9, 1e-3, 0.3, 1.0, np.pi / 2, 2.0, 3.0, np.pi - 1e-3, np.pi - 1e-9, -1e-3, -1.0, -2.0, -3.0])
def test_the_angle_is_the_angle(expected: float) -> None:
    assert angle(7.0 * np.cos(expected), 7.0 * np.sin(expected)) == pytest.approx(expected, rel=1e-8)


def test_angles_of_triangles_are_angles() -> None:
    expected = np.concatenate([np.linspace(1e-9, np.pi - 1e-9, 997), [np.pi / 8, np.pi / 4, np.pi / 2]])
    cosines = 3.0 * np.cos(expected)
    angles_between(cosines, 3.0 * np.sin(expected))
    np.testing.assert_allclose(cosines, expected, rtol=0, atol=1e-10)


def test_normals_are_the_formula() -> None:
    vertices, faces = meshes.torus()
    forest, _ = kernels.plant(vertices, faces)
    a, b, c = vertices[faces].transpose(1, 0, 2)
    n = np.cross(b - a, c - a)
    n /= np.linalg.norm(n, axis=1, keepdims=True)
    np.testing.assert_allclose(forest.normals, n, rtol=0, atol=1e-13)
    expected = np.zeros_like(vertices)
    for corner, (p, q, r) in enumerate(((a, b, c), (b, c, a), (c, a, b))):
        u, v = q - p, r - p
        weight = np.arccos((u * v).sum(axis=1) / np.linalg.norm(u, axis=1) / np.linalg.norm(v, axis=1))
        np.add.at(expected, faces[:, corner], weight[:, None] * n)
    np.testing.assert_allclose(forest.vertex_normals, expected, rtol=0, atol=1e-9)


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
