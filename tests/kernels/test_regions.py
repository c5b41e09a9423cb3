from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin import kernels
from navtwin.kernels.plots import Regions, in_forest, new_regions, with_room
from navtwin.kernels.point import nearest
from navtwin.kernels.regions import face_place, replace_region
from tests.kernels import meshes
from tests.kernels.asking import ask
from tests.kernels.bricks import Bricks, cells, cut, own_number
from tests.kernels.trees import faces_below

LOW, HIGH, N = -30.0, 30.0, 3
POINTS = np.concatenate([np.random.default_rng(3).uniform(-40, 40, (300, 3)), meshes.sphere(20.0, 3)[0][::5] * 1.01, np.zeros((1, 3))])


def dented(seed: int) -> meshes.Mesh:
    """A sphere, another one for each seed, with the same faces."""
    vertices, faces = meshes.sphere(1.0, 4)
    rng = np.random.default_rng(seed)
    return vertices * (20.0 + 3.0 * np.sin(vertices @ rng.normal(0, 4, 3) + rng.uniform(0, 6)))[:, None], faces


@cache
def cut_dented(seed: int) -> Bricks:
    return cut(dented(seed), LOW, HIGH, N)


def filled(bricks: Bricks, spare: int = 20_000) -> tuple[kernels.Forest, Regions]:
    forest, regions = new_regions(cells(LOW, HIGH, N), spare, spare)
    for region, part in enumerate(bricks.parts):
        assert replace_region(forest, 0, regions, region, *part)
    return forest, regions


def assert_like_planted(forest: kernels.Forest, tree: int, regions: Regions, mesh: meshes.Mesh, bricks: Bricks) -> None:
    """Same distances, signs, points and faces, to the bit, as of the whole surface planted afresh."""
    fresh, _ = kernels.plant(mesh[0], bricks.faces)
    distance, point, face = ask(forest, tree, POINTS)
    expected = ask(fresh, 0, POINTS)
    assert (distance == expected[0]).all()
    assert (point == expected[1]).all()
    named = own_number(regions, bricks, face)
    if (np.diff(regions.plots[regions.counts[:, 0] > 0, 2]) > 0).all():  # else another of several equally near stands first
        assert (named == expected[2]).all()
    to_faces = meshes.brute_points(point, (mesh[0], bricks.faces))
    assert (to_faces[np.arange(len(point)), named] < 1e-9).all()
    assert len(faces_below(forest, tree)) == len(bricks.faces)
    assert forest.longest[tree] == fresh.longest[0]
    assert (regions.open_edges == 0).all()


def test_a_surface_in_regions_answers_like_one_in_one_piece() -> None:
    mesh = meshes.sphere(20.0, 4)
    bricks = cut(mesh, LOW, HIGH, N)
    forest, regions = filled(bricks)
    assert_like_planted(forest, 0, regions, mesh, bricks)
    assert (ask(forest, 0, np.zeros((1, 3)))[0] < 0.0).all()


def test_regions_are_replaced_again_and_again() -> None:
    """More and fewer triangles each time, and back: nothing is left of what was there before."""
    rough, fine = meshes.sphere(20.0, 3), dented(1)
    forest, regions = filled(cut(rough, LOW, HIGH, N))
    for mesh in (fine, dented(2), rough, fine, meshes.sphere(12.0, 4)):
        bricks = cut(mesh, LOW, HIGH, N)
        for region in np.random.default_rng(len(mesh[1])).permutation(N**3):
            assert replace_region(forest, 0, regions, region, *bricks.parts[region])
        assert_like_planted(forest, 0, regions, mesh, bricks)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, N**3 - 1), st.integers(0, 3)), min_size=1, max_size=12))
def test_any_regions_may_be_emptied_and_filled(steps: list[tuple[int, int]]) -> None:
    """What is in no region is not found; what is comes out as in a mesh of just that."""
    choices = [cut_dented(seed) for seed in range(3)]
    nothing = np.empty((0, 3)), np.empty((0, 3), np.int32), 0
    forest, regions = filled(choices[0])
    now = {region: choices[0].parts[region] for region in range(N**3)}
    for region, choice in steps:
        now[region] = choices[choice].parts[region] if choice < 3 else nothing
        assert replace_region(forest, 0, regions, region, *now[region])
    corners = [v[f[:own]] for v, f, own in now.values() if own > 0]
    faces_found = faces_below(forest, 0)
    assert len(faces_found) == len(set(faces_found)) == sum(own for _, _, own in now.values())
    soup = np.ascontiguousarray(np.concatenate(corners).reshape(-1, 3))
    fresh, _ = kernels.plant(soup, np.arange(len(soup), dtype=np.int32).reshape(-1, 3))
    assert (np.abs(ask(forest, 0, POINTS)[0]) == np.abs(ask(fresh, 0, POINTS)[0])).all()


def test_one_region_more_or_less_touches_no_other() -> None:
    bricks = cut_dented(0)
    forest, regions = filled(bricks)
    before = kernels.Forest(*(a.copy() for a in forest))
    region = int(np.argmax(regions.counts[:, 0]))
    first, count = regions.plots[region, 2], regions.counts[region, 0]
    assert replace_region(forest, 0, regions, region, np.empty((0, 3)), np.empty((0, 3), np.int32), 0)
    assert regions.open_edges[region] == 0
    mine = np.arange(len(forest.faces))
    others = (mine < first) | (mine >= first + count)
    for name in ("faces", "mates", "normals"):
        assert (getattr(forest, name)[others] == getattr(before, name)[others]).all()
    assert replace_region(forest, 0, regions, region, *bricks.parts[region])
    assert all(a.tobytes() == b.tobytes() for a, b in zip(forest, before, strict=True))


def test_a_hint_from_before_is_harmless() -> None:
    old, new = cut(meshes.sphere(25.0, 4), LOW, HIGH, N), cut(meshes.sphere(8.0, 2), LOW, HIGH, N)
    forest, regions = filled(old)
    hints = ask(forest, 0, POINTS)[2]
    for region, part in enumerate(new.parts):
        assert replace_region(forest, 0, regions, region, *part)
    work = kernels.workspace()
    for (x, y, z), hint in zip(POINTS.tolist(), hints.tolist(), strict=True):
        assert nearest(forest, 0, x, y, z, hint, np.inf, work) == nearest(forest, 0, x, y, z, -1, np.inf, work)


def test_without_room_nothing_changes_and_with_room_all_is_well() -> None:
    small, large = cut(meshes.sphere(20.0, 2), LOW, HIGH, N), cut(meshes.sphere(20.0, 4), LOW, HIGH, N)
    forest, regions = filled(small, spare=4000)
    refused = 0
    for region, part in enumerate(large.parts):
        before = [a.copy() for a in (*forest, *regions)]
        if not replace_region(forest, 0, regions, region, *part):
            refused += 1
            assert all(a.tobytes() == b.tobytes() for a, b in zip((*forest, *regions), before, strict=True))
            forest, regions = with_room(forest, regions, 2000, 1500)
            assert replace_region(forest, 0, regions, region, *part)
    assert refused > 0
    assert_like_planted(forest, 0, regions, meshes.sphere(20.0, 4), large)


def test_regions_among_other_structures() -> None:
    others = [kernels.plant(*mesh)[0] for mesh in (meshes.torus(), meshes.box())]
    bricks = cut_dented(0)
    alone, regions = filled(bricks)
    forest, there = kernels.join([others[0], alone, others[1]]), in_forest(regions, others[:1])
    assert_like_planted(forest, 1, there, dented(0), bricks)
    torus = ask(forest, 0, POINTS)
    for seed in (4, 5):
        bricks = cut(dented(seed), LOW, HIGH, N)
        for region, part in enumerate(bricks.parts):
            assert replace_region(forest, 1, there, region, *part)
        assert_like_planted(forest, 1, there, dented(seed), bricks)
    for mine, before in zip(ask(forest, 0, POINTS), torus, strict=True):
        assert (mine == before).all()


def test_rays_and_capsules_find_regions_too() -> None:
    mesh = dented(3)
    bricks = cut(mesh, LOW, HIGH, N)
    forest, _ = filled(bricks)
    fresh, _ = kernels.plant(mesh[0], bricks.faces)
    origins, directions = POINTS[:100], np.random.default_rng(0).normal(size=(100, 3))
    hits = []
    for f in (forest, fresh):
        distance, face = np.empty(100), np.empty(100, np.int32)
        kernels.first_hits(f, 0, origins, directions, distance, face, kernels.workspace())
        capsules = [
            kernels.capsule(f, 0, *p, *q, 1.5, -1, np.inf, kernels.workspace()).distance for p, q in zip(origins, POINTS[100:200], strict=True)
        ]
        hits.append((distance, np.array(capsules)))
    assert (hits[0][0] == hits[1][0]).all()
    assert (hits[0][1] == hits[1][1]).all()


def test_a_face_is_told_by_region_and_number() -> None:
    bricks = cut_dented(0)
    forest, regions = filled(bricks)
    _, point, faces = ask(forest, 0, POINTS)
    for face, at in zip(faces.tolist(), point, strict=True):
        region, number = face_place(regions, face)
        vertices, corners, own = bricks.parts[region]
        assert number < own
        assert meshes.brute_points(at[None], (vertices, corners[number : number + 1]))[0, 0] < 1e-9


def test_an_open_region_is_counted() -> None:
    bricks = cut_dented(0)
    forest, regions = filled(bricks)
    region = int(np.argmax(regions.counts[:, 0]))
    vertices, faces, own = bricks.parts[region]
    assert replace_region(forest, 0, regions, region, vertices, faces[:own], own)  # without its rim
    assert regions.open_edges[region] > 0


def test_bad_input_is_refused_and_changes_nothing() -> None:
    bricks = cut_dented(0)
    forest, regions = filled(bricks)
    vertices, faces, own = bricks.parts[int(np.argmax(regions.counts[:, 0]))]
    nan, astray = vertices.copy(), faces.copy()
    nan[0, 1], astray[0, 0] = np.nan, len(vertices)
    before = [a.copy() for a in (*forest, *regions)]
    for bad in ((nan, faces, own), (vertices, astray, own), (vertices, -faces, own), (vertices, faces, len(faces) + 1)):
        with pytest.raises(ValueError, match="region 4"):
            replace_region(forest, 0, regions, 4, *bad)
    assert all(a.tobytes() == b.tobytes() for a, b in zip((*forest, *regions), before, strict=True))


def test_nothing_is_found_where_all_regions_are_empty() -> None:
    forest, _ = new_regions(cells(LOW, HIGH, N), 1000, 1000)
    assert nearest(forest, 0, 1.0, 2.0, 3.0, -1, np.inf, kernels.workspace())[0] == -1
    assert nearest(forest, 0, 1.0, 2.0, 3.0, -1, 10.0, kernels.workspace())[0] == -1
