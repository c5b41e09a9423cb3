from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin import kernels
from navtwin.kernels import normals
from navtwin.kernels.simd import FAR, WIDTH
from navtwin.kernels.tree import NODE, STACK_SIZE
from tests.kernels import meshes
from tests.kernels.asking import ask
from tests.kernels.trees import faces_below


def same(one: kernels.Forest, other: kernels.Forest) -> bool:
    return all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


def shrinking(n: int) -> meshes.Mesh:
    """Triangles whose sizes halve: bins peel them off one at a time."""
    scale = 0.5 ** np.arange(n)
    return (np.array([[1.0, 0, 0], [1.1, 0, 0], [1.0, 0.1, 0]])[None] * scale[:, None, None]).reshape(-1, 3), np.arange(
        3 * n, dtype=np.int32
    ).reshape(n, 3)


MESHES = {
    "torus": meshes.torus(),
    "soup": meshes.soup(300, 1),
    "box": meshes.box(),
    "one triangle": (np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), np.array([[0, 1, 2]], np.int32)),
    "nine": meshes.soup(9, 2),
    "all in one point": (np.zeros((3, 3)), np.zeros((500, 3), np.int32)),
    "around one point": (
        np.random.default_rng(0).normal(size=(600, 3)),
        np.stack([np.arange(300), 299 - np.arange(300), 300 + np.arange(300)], 1).astype(np.int32),
    ),
    "shrinking": shrinking(900),
    "micrometres": (meshes.torus()[0] * 1e-6, meshes.torus()[1]),
    "far from the origin": (meshes.torus()[0] + 9e4, meshes.torus()[1]),
}


@pytest.mark.parametrize("name", MESHES)
def test_every_face_is_in_one_leaf_and_every_box_holds_what_is_below(name: str) -> None:
    forest, _ = kernels.plant(*MESHES[name])
    assert sorted(faces_below(forest, 0)) == list(range(len(forest.faces)))


@pytest.mark.parametrize("name", MESHES)
def test_nodes_stand_before_their_children_and_are_shallow(name: str) -> None:
    """A walk keeps seven siblings a level on its stack, one over pairs of trees seven of both."""
    forest, _ = kernels.plant(*MESHES[name])
    used = forest.boxes.reshape(-1, NODE)[:, :WIDTH] < 0.5 * FAR
    depth = np.zeros(len(used), int)
    for node, children in enumerate(forest.children.reshape(-1, WIDTH)):
        inner = children[used[node] & (children >= 0)]
        assert (inner > node).all()
        depth[inner] = depth[node] + 1
    assert 2 * 7 * (depth.max() + 1) < STACK_SIZE


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 200), st.integers(0, 1000), st.sampled_from([1e-6, 1.0, 1e4]))
def test_any_soup_makes_a_tree(count: int, seed: int, scale: float) -> None:
    vertices, faces = meshes.soup(count, seed)
    forest, _ = kernels.plant(vertices * scale, faces)
    assert sorted(faces_below(forest, 0)) == list(range(count))


def test_a_hundred_thousand_duplicates_are_no_trouble() -> None:
    vertices, _ = meshes.soup(1, 5)
    forest, open_edges = kernels.plant(vertices, np.tile(np.array([[0, 1, 2]], np.int32), (100_000, 1)))
    assert open_edges == 300_000
    assert np.array_equal(np.sort(forest.leaf_faces[forest.leaf_faces >= 0]), np.arange(100_000))
    assert ask(forest, 0, np.zeros((1, 3)))[2][0] == 0  # the lowest of the equals


def test_leaves_are_full() -> None:
    forest, _ = kernels.plant(*meshes.torus(nu=200, nv=100))
    assert (forest.leaf_faces >= 0).mean() > 0.88


def test_the_same_mesh_gives_the_same_forest_on_one_thread_or_many(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = meshes.torus(nu=120, nv=80)
    alone, _ = kernels.plant(*mesh)
    monkeypatch.setattr(normals, "THREADED_FACES", 0)
    with ThreadPoolExecutor(4) as pool:
        assert all(same(alone, forest) for forest, _ in pool.map(lambda _: kernels.plant(*mesh), range(8)))


def test_a_joined_forest_answers_like_its_trees_to_the_bit() -> None:
    parts = [kernels.plant(*mesh)[0] for mesh in (meshes.torus(), meshes.soup(50, 3), meshes.sphere(depth=2), meshes.box())]
    forest = kernels.join(parts)
    points = np.random.default_rng(0).uniform(-60, 60, (200, 3))
    for s, part in enumerate(parts):
        for answers in zip(ask(part, 0, points), ask(forest, s, points), strict=True):
            assert (answers[0] == answers[1]).all()


def test_a_forest_takes_less_than_200_bytes_a_triangle() -> None:
    forest, _ = kernels.plant(*meshes.torus(nu=300, nv=200))
    assert sum(a.nbytes for a in forest) < 200 * len(forest.faces)
