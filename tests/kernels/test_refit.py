from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin import kernels
from navtwin.kernels.refit import REPLANT_RATIO, ready_to_move, refit, refit_near
from tests.kernels import meshes
from tests.kernels.asking import ask
from tests.kernels.trees import faces_below

POINTS = np.random.default_rng(7).uniform(-60, 60, (300, 3))


def bent(vertices: np.ndarray, seed: int, by: float = 3.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return vertices + by * np.sin(vertices @ rng.normal(0, 0.1, (3, 3)) + rng.uniform(0, 6, 3))


def assert_like_planted_anew(forest: kernels.Forest, tree: int, mesh: meshes.Mesh) -> None:
    """Same distances, points and faces, to the bit, as of a fresh forest; the same sides too, unless that one is judged to need another sign rule."""
    anew, _ = kernels.plant(*mesh)
    (distance, *mine), (fresh_distance, *fresh) = ask(forest, tree, POINTS), ask(anew, 0, POINTS)
    assert (np.abs(distance) == np.abs(fresh_distance)).all()
    assert anew.sign_rule[0] != forest.sign_rule[tree] or (distance == fresh_distance).all()
    assert all((one == other).all() for one, other in zip(mine, fresh, strict=True))


def same(one: kernels.Forest, other: kernels.Forest) -> bool:
    return all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


def copied(forest: kernels.Forest) -> kernels.Forest:
    return kernels.Forest(*(a.copy() for a in forest))


@pytest.mark.parametrize("mesh", [meshes.torus(), meshes.sphere(depth=3), meshes.box((10.0, 20.0, 30.0)), meshes.soup(200, 4)])
def test_a_refitted_surface_answers_like_one_planted_anew(mesh: meshes.Mesh) -> None:
    vertices, faces = mesh
    forest, _ = kernels.plant(vertices.copy(), faces)
    tree = ready_to_move(forest, 0)
    for seed in range(3):
        forest.vertices[:] = bent(vertices, seed)
        refit(forest, 0, tree)
        assert sorted(faces_below(forest, 0)) == list(range(len(faces)))
        fresh, _ = kernels.plant(forest.vertices.copy(), faces)
        assert (forest.normals == fresh.normals).all()
        assert (forest.vertex_normals == fresh.vertex_normals).all()
        assert forest.longest == fresh.longest
        assert_like_planted_anew(forest, 0, (forest.vertices.copy(), faces))


def test_refitting_what_did_not_move_changes_no_bit() -> None:
    for mesh in (meshes.torus(), meshes.soup(200, 4)):
        forest, _ = kernels.plant(*mesh)
        fresh = copied(forest)
        tree = ready_to_move(forest, 0)
        assert refit(forest, 0, tree) == pytest.approx(1.0)
        assert refit_near(forest, 0, tree, np.arange(50, dtype=np.int32)) == pytest.approx(1.0)
        np.testing.assert_allclose(forest.reach, fresh.reach, rtol=1e-6)  # read off boxes that are rounded outwards
        np.testing.assert_allclose(forest.far_field, fresh.far_field, rtol=1e-5)  # knows the reach
        assert same(forest._replace(reach=fresh.reach, far_field=fresh.far_field), fresh)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 80), st.sampled_from([0.01, 1.0, 20.0]), st.booleans())
def test_a_partial_refit_leaves_what_a_full_one_would(seed: int, count: int, by: float, is_open: bool) -> None:
    vertices, faces = meshes.torus(nu=30, nv=20)
    forest, _ = kernels.plant(vertices.copy(), np.ascontiguousarray(faces[5:]) if is_open else faces)
    tree, rng = ready_to_move(forest, 0), np.random.default_rng(seed)
    for _ in range(3):
        changed = rng.choice(len(vertices), count, replace=False).astype(np.int32)
        forest.vertices[changed] += rng.normal(0, by, (count, 3))
        if rng.random() < 0.3:
            forest.vertices[changed[0]] = forest.vertices[forest.faces[seed % 100, 0]]  # a flat face
        ratio = refit_near(forest, 0, tree, changed)
        mine, longest = copied(forest), forest.longest.copy()
        assert refit(forest, 0, tree) == pytest.approx(ratio, rel=1e-9)
        assert longest >= forest.longest  # it may lag behind: no answer hangs on it
        mine.longest[:] = forest.longest
        assert same(forest, mine)
    assert_like_planted_anew(forest, 0, (forest.vertices.copy(), forest.faces))


def test_a_structure_moves_among_others() -> None:
    """In a joined forest, with a soup whose vertices are shared by place alone and one whose inside is told by winding number."""
    vertices, faces = meshes.sphere(depth=3)
    apart = np.ascontiguousarray(vertices[faces].reshape(-1, 3)), np.arange(faces.size, dtype=np.int32).reshape(-1, 3)
    open_sphere = vertices * 1.5, np.ascontiguousarray(faces[3:])
    forest = kernels.join([kernels.plant(*mesh)[0] for mesh in (meshes.torus(), apart, open_sphere, meshes.box())])
    first = len(meshes.torus()[0])
    for tree, (v, f) in ((1, apart), (2, open_sphere)):
        before = [ask(forest, s, POINTS) for s in range(4)]
        there, rows = ready_to_move(forest, tree), np.arange(first, first + len(v), dtype=np.int32)
        forest.vertices[rows] = bent(v, 1)
        refit(forest, tree, there)
        assert_like_planted_anew(forest, tree, (bent(v, 1), f))
        forest.vertices[rows] = v
        refit_near(forest, tree, there, rows)
        for s, answers in enumerate(before):
            assert all((a == b).all() for a, b in zip(ask(forest, s, POINTS), answers, strict=True))
        first += len(v)


def test_the_ratio_tells_when_to_plant_anew() -> None:
    vertices, faces = meshes.torus()
    forest, _ = kernels.plant(vertices.copy(), faces)
    tree = ready_to_move(forest, 0)
    forest.vertices[:] = bent(vertices, 0)
    assert refit(forest, 0, tree) < REPLANT_RATIO
    forest.vertices[:] = np.random.default_rng(0).permutation(vertices)
    assert refit(forest, 0, tree) > 2.0 * REPLANT_RATIO
