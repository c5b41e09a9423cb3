from __future__ import annotations

import numpy as np
import pytest

from navtwin import kernels
from navtwin.kernels.tree import LEAF_SIZE, STACK_SIZE, build_tree
from tests.kernels import meshes


def depth_of(links: np.ndarray) -> int:
    deepest, todo = 0, [(0, 1)]
    while todo:
        node, depth = todo.pop()
        deepest = max(deepest, depth)
        if links[node, 1] == 0:
            todo += [(links[node, 0], depth + 1), (links[node, 0] + 1, depth + 1)]
    return deepest


@pytest.mark.parametrize("mesh", [meshes.torus(), meshes.soup(300, 1), meshes.box(), (np.zeros((3, 3)), np.zeros((500, 3), np.int32))])
def test_every_face_is_in_one_leaf_and_every_box_is_tight(mesh: meshes.Mesh) -> None:
    vertices, faces = mesh
    boxes, links, order = build_tree(vertices, faces)
    assert sorted(order) == list(range(len(faces)))
    slots = np.zeros(len(faces), int)
    for node in range(len(boxes)):
        first, count = links[node]
        if count:
            slots[first : first + count] += 1
            assert count <= LEAF_SIZE
            corners = vertices[faces[order[first : first + count]]].reshape(-1, 3)
            assert (boxes[node] == np.concatenate([corners.min(0), corners.max(0)])).all()
        else:
            children = boxes[first : first + 2]
            assert (boxes[node] == np.concatenate([children[:, :3].min(0), children[:, 3:].max(0)])).all()
    assert (slots == 1).all()


def test_the_same_mesh_gives_the_same_tree() -> None:
    mesh = meshes.torus()
    for once, again in zip(build_tree(*mesh), build_tree(*mesh), strict=True):
        assert (once == again).all()


def test_a_hostile_mesh_cannot_overflow_the_stack() -> None:
    """Sizes that halve: binned splits would peel one triangle at a time."""
    n = 900
    scale = 0.5 ** np.arange(n)
    vertices = (np.array([[1.0, 0, 0], [1.1, 0, 0], [1.0, 0.1, 0]])[None] * scale[:, None, None]).reshape(-1, 3)
    _, links, _ = build_tree(vertices, np.arange(3 * n, dtype=np.int32).reshape(n, 3))
    assert 2 * depth_of(links) < STACK_SIZE


def test_a_joined_forest_answers_like_its_trees_to_the_bit() -> None:
    parts = [kernels.plant(*mesh)[0] for mesh in (meshes.torus(), meshes.soup(50, 3), meshes.sphere(depth=2), meshes.box())]
    forest = kernels.join(parts)
    points = np.random.default_rng(0).uniform(-60, 60, (200, 3))
    for s, part in enumerate(parts):
        for answers in zip(query(part, 0, points), query(forest, s, points), strict=True):
            assert (answers[0] == answers[1]).all()


def query(forest: kernels.Forest, tree: int, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    out = np.empty(len(points)), np.empty((len(points), 3)), np.empty(len(points), np.int32)
    kernels.closest_points(forest, tree, points, *out, kernels.workspace())
    return out
