from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.kernels.jit import query
from navtwin.kernels.mesh_mesh import PairHit, closest_surfaces
from navtwin.kernels.normals import plant
from navtwin.kernels.tree import F64, Forest, join, workspace
from navtwin.kernels.triangle import triangle
from navtwin.kernels.triangles import closest_triangles, moved_triangle
from tests.kernels import meshes

UNHINTED = (-1, -1)


def ask(one: Forest, other: Forest, T: np.ndarray, hint: tuple[int, int] = UNHINTED, within: float = np.inf) -> PairHit:
    return closest_surfaces(one, 0, other, 0, T, *hint, within, workspace())


def between(one: meshes.Mesh, other: meshes.Mesh, T: np.ndarray | None = None) -> PairHit:
    return ask(plant(*one)[0], plant(*other)[0], np.eye(4) if T is None else T)


def rigid(seed: int, reach: float) -> np.ndarray:
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = meshes.placed(seed, reach)
    return T


def shifted(x: float, y: float = 0.0, z: float = 0.0) -> np.ndarray:
    T = np.eye(4)
    T[:3, 3] = x, y, z
    return T


def moved(vertices: np.ndarray, T: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(vertices @ T[:3, :3].T + T[:3, 3])


def brute(one: meshes.Mesh, other: meshes.Mesh, T: np.ndarray) -> float:
    """Every edge of one against every triangle of the other, by golden section."""
    there, nearest = (moved(other[0], T), other[1]), np.inf
    for mesh, (vertices, faces) in ((one, there), (there, one)):
        for a, b in ((0, 1), (1, 2), (2, 0)):
            nearest = min(nearest, meshes.brute_segments(vertices[faces[:, a]], vertices[faces[:, b]], mesh).min())
    return nearest


@query
def referee_of_all(forest: Forest, other: Forest, T: F64) -> tuple[float, int, int]:
    """Every pair of triangles, asked of the referee in the order of ties."""
    best, face, other_face = np.inf, -1, -1
    for i in range(forest.faces.shape[0]):
        one = triangle(forest, i)
        for j in range(other.faces.shape[0]):
            d2 = closest_triangles(one, moved_triangle(other, j, T))[0]
            if d2 < best:
                best, face, other_face = d2, i, j
    return np.sqrt(best), face, other_face


def same(a: PairHit, b: PairHit) -> bool:
    """To the last bit; NaN is NaN."""
    return repr(a) == repr(b)


@pytest.mark.parametrize("seed", range(12))
def test_every_pair_of_triangles_by_brute_force(seed: int) -> None:
    one, other, T = meshes.soup(12, seed, 3.0), meshes.soup(12, seed + 50, 3.0), rigid(seed, 60.0 if seed % 2 else 15.0)
    hit = between(one, other, T)
    assert hit.distance == pytest.approx(brute(one, other, T), abs=1e-6)
    assert np.linalg.norm(np.subtract(hit.point, hit.other_point)) == pytest.approx(hit.distance, abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_the_filter_leaves_out_nothing_that_wins(seed: int) -> None:
    """The referee alone, asked about every pair, names the same faces and the same bits."""
    forest, other = plant(*meshes.torus(nu=48, nv=30))[0], plant(*meshes.sphere(6.0, 3))[0]
    T = rigid(seed, 1.0)
    T[:3, 3] += (30.0, 0.0, (18.0, 25.0, 50.0)[seed % 3])
    hit = ask(forest, other, T)
    assert (hit.distance, hit.face, hit.other_face) == referee_of_all(forest, other, T)


@pytest.mark.parametrize("seed", range(5))
def test_two_spheres(seed: int) -> None:
    T = rigid(seed, 100.0)
    T[:3, 3] += 60.0 * np.sign(T[:3, 3])
    hit = between(meshes.sphere(20.0, 4), meshes.sphere(5.0, 3), T)
    assert hit.distance == pytest.approx(np.linalg.norm(T[:3, 3]) - 25.0, abs=0.2)
    assert not hit.farther


def test_two_boxes() -> None:
    T = rigid(3, 0.0)
    half = np.abs(T[:3, :3]) @ (1.0, 1.0, 1.0)
    for axis in range(3):
        T[:3, 3] = 0.0
        T[axis, 3] = half[axis] + 8.0  # a corner of the turned box stands before the face, 3 mm away
        assert between(meshes.box((5.0, 5.0, 5.0)), meshes.box((1.0, 1.0, 1.0)), T).distance == pytest.approx(3.0, abs=1e-12)


def test_ties_go_to_the_lowest_faces() -> None:
    vertices, faces = meshes.box((1.0, 1.0, 1.0))
    for shuffle in range(5):
        order = np.random.default_rng(shuffle).permutation(12)
        forest, other = plant(vertices, np.ascontiguousarray(faces[order]))[0], plant(vertices, np.ascontiguousarray(faces[order[::-1]]))[0]
        for T in (shifted(5.0), shifted(5.0, 5.0), shifted(5.0, -5.0, 5.0), shifted(0.0, 0.25, -4.0)):
            hit = ask(forest, other, T)
            assert (hit.distance, hit.face, hit.other_face) == referee_of_all(forest, other, T)


def test_duplicate_faces_tie_to_the_first() -> None:
    vertices, faces = meshes.sphere(3.0, 2)
    twice = np.concatenate([faces, faces])
    hit, back = between((vertices, twice), (vertices, faces), shifted(20.0)), between((vertices, faces), (vertices, twice), shifted(20.0))
    once = between((vertices, faces), (vertices, faces), shifted(20.0))
    assert same(hit, once)
    assert same(back, once)


def test_surfaces_that_cross_meet() -> None:
    for x in (16.0, 18.0, 22.0):
        hit = between(meshes.sphere(20.0, 3), meshes.sphere(5.0, 2), shifted(x))
        assert hit.distance == 0.0
        assert hit.point == hit.other_point
        assert min(hit.face, hit.other_face) >= 0


def test_one_inside_the_other_does_not_meet_it() -> None:
    hit = between(meshes.box((5.0, 6.0, 7.0)), meshes.box((1.0, 1.0, 1.0)), shifted(2.0))
    assert hit.distance == pytest.approx(2.0, abs=1e-12)
    assert between(meshes.box((1.0, 1.0, 1.0)), meshes.box((5.0, 6.0, 7.0)), shifted(-2.0)).distance == hit.distance


FLAT = np.array([[0, 1, 2]], np.int32)
AT_ORIGIN = np.array([[0.0, 0, 0], [4, 0, 0], [0, 4, 0]])


@pytest.mark.parametrize(
    ("corners", "distance"),
    [
        ([[1, 1, -1], [1, 1, 1], [9, 9, 1]], 0.0),  # an edge passes through the inside
        ([[-1, -1, 2], [9, -1, -2], [-1, 9, -2]], 0.0),  # planes cross, and an edge of each passes through the other
        ([[2, 0, 0], [2, -3, 0], [5, -3, 0]], 0.0),  # in one plane, a corner on an edge
        ([[4, 0, 0], [0, 4, 0], [4, 4, 0]], 0.0),  # in one plane, an edge shared
        ([[1, 1, 0], [2, 1, 0], [1, 2, 0]], 0.0),  # in one plane, inside
        ([[-1, 1, 0], [9, 1, 0], [-1, 2, 0]], 0.0),  # in one plane, no corner inside
        ([[4, 0, 0], [9, 0, 3], [9, 0, -3]], 0.0),  # corner on corner
        ([[7, 0, 0], [9, 2, 0], [9, -2, 0]], 3.0),  # in one plane, apart
        ([[1, 1, 3], [2, 1, 3], [1, 2, 3]], 3.0),  # parallel planes
        ([[1, 1, 3], [2, 1, 9], [1, 2, 9]], 3.0),  # corner over the inside
        ([[2, -3, 4], [2, 3, 4], [2, 0, 9]], 4.0),  # edge over the inside
        ([[2, -2, -5], [2, -2, 5], [2, -9, 0]], 2.0),  # edge beside an edge
    ],
)
def test_two_triangles(corners: list[list[float]], distance: float) -> None:
    one, other = (AT_ORIGIN, FLAT), (np.array(corners, float), FLAT)
    for seed in range(10):
        turn = rigid(seed, 30.0 if seed else 0.0)
        there = (moved(other[0], turn), FLAT)
        hit, back = between((moved(one[0], turn), FLAT), there), between(there, (moved(one[0], turn), FLAT))
        assert hit.distance == pytest.approx(distance, abs=1e-12)
        assert back.distance == pytest.approx(distance, abs=1e-12)
        assert (hit.distance == 0.0) == (distance == 0.0)


def test_degenerate_triangles_give_numbers() -> None:
    flat = (np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [5, 5, 5]]), np.array([[0, 1, 2], [3, 3, 3], [0, 0, 1]], np.int32))
    assert between(flat, flat, shifted(0.0, 0.0, 7.0)).distance == pytest.approx(np.sqrt(4.0 + 25.0 + 9.0))  # sqrt(38) from (5, 5, 5) to (2, 0, 7)
    assert between(meshes.box((1.0, 1.0, 1.0)), flat, shifted(0.0, 0.0, 7.0)).distance == 6.0
    point = (np.full((3, 3), 2.0), FLAT)
    assert between(point, point, shifted(3.0, 4.0)).distance == 5.0
    assert between(point, point).distance == 0.0


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e4])
def test_every_scale(scale: float) -> None:
    (a, f), (b, g), T = meshes.torus(nu=24, nv=16), meshes.sphere(5.0, 2), rigid(1, 10.0)
    T[0, 3] += 60.0
    hit = between((a, f), (b, g), T)
    T[:3, 3] *= scale
    scaled = between((a * scale, f), (b * scale, g), T)
    assert scaled.distance == pytest.approx(hit.distance * scale, rel=1e-9)


def test_far_from_the_origin() -> None:
    (a, f), (b, g), T = meshes.torus(nu=24, nv=16), meshes.sphere(5.0, 2), rigid(1, 10.0)
    T[0, 3] += 60.0
    away = np.array([4e4, -3e4, 2e4])
    assert between((a + away, f), (b, g), shifted(*away) @ T).distance == pytest.approx(between((a, f), (b, g), T).distance, abs=1e-8)
    back = T @ shifted(*-away)
    assert between((a, f), (b + away, g), back).distance == pytest.approx(between((a, f), (b, g), T).distance, abs=1e-8)


@pytest.mark.parametrize("spoiled", [np.nan, np.inf, 1e30])
def test_a_pose_that_is_none_is_unknown(spoiled: float) -> None:
    forest = plant(*meshes.box())[0]
    for row in range(3):
        for column in range(4):
            T = np.eye(4)
            T[row, column] = spoiled
            hit = ask(forest, forest, T)
            assert np.isnan(hit.distance)
            assert (hit.face, hit.other_face, hit.farther) == (-1, -1, False)
    assert np.isnan(ask(forest, forest, np.eye(4), within=np.nan).distance)
    assert np.isnan(ask(forest, forest, np.eye(4), within=-1.0).distance)


def test_structures_of_a_joined_forest_answer_as_alone() -> None:
    cube, ring, ball = (plant(*mesh)[0] for mesh in (meshes.box(), meshes.torus(nu=24, nv=16), meshes.sphere(5.0, 2)))
    together, T = join([cube, ball, ring]), rigid(4, 60.0)
    alone = ask(ring, ball, T)
    assert same(closest_surfaces(together, 2, together, 1, T, *UNHINTED, np.inf, workspace()), alone)
    assert same(closest_surfaces(together, 2, ball, 0, T, alone.face, alone.other_face, np.inf, workspace()), alone)


poses = st.tuples(st.integers(0, 10_000), st.sampled_from([5.0, 30.0, 60.0]))


@settings(max_examples=40, deadline=None)
@given(pose=poses, hints=st.lists(st.tuples(st.integers(-5, 900), st.integers(-5, 200)), min_size=4, max_size=4))
def test_hints_never_change_a_bit(pose: tuple[int, float], hints: list[tuple[int, int]]) -> None:
    """Not even which pair is named when the surfaces cross."""
    forest, other, T = plant(*meshes.torus(nu=24, nv=16))[0], plant(*meshes.sphere(6.0, 2))[0], rigid(*pose)
    hit = ask(forest, other, T)
    assert all(same(ask(forest, other, T, hint), hit) for hint in (*hints, (hit.face, hit.other_face)))


@settings(max_examples=40, deadline=None)
@given(pose=poses, within=st.floats(0.0, 80.0))
def test_a_cap_agrees_with_the_exact_answer(pose: tuple[int, float], within: float) -> None:
    forest, other, T = plant(*meshes.torus(nu=24, nv=16))[0], plant(*meshes.sphere(6.0, 2))[0], rigid(*pose)
    hit = ask(forest, other, T)
    for cap in (within, hit.distance, np.nextafter(hit.distance, 0.0)):
        capped = ask(forest, other, T, within=cap)
        if hit.distance <= cap:
            assert same(capped, hit)
        else:
            assert (capped.distance, capped.face, capped.other_face, capped.farther) == (cap, -1, -1, True)
            assert np.isnan((*capped.point, *capped.other_point)).all()


@settings(max_examples=40, deadline=None)
@given(pose=poses, motion=st.integers(0, 10_000))
def test_swapping_or_moving_both_changes_nothing(pose: tuple[int, float], motion: int) -> None:
    (a, f), (b, g), T, M = meshes.torus(nu=24, nv=16), meshes.sphere(6.0, 2), rigid(*pose), rigid(motion, 100.0)
    distance = between((a, f), (b, g), T).distance
    assert between((b, g), (a, f), np.linalg.inv(T)).distance == pytest.approx(distance, abs=1e-9)
    assert between((moved(a, M), f), (b, g), M @ T).distance == pytest.approx(distance, abs=1e-9)
