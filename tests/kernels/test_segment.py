from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin import kernels
from navtwin.kernels.jit import kernel
from navtwin.kernels.rough import vector
from navtwin.kernels.segment import Axis, CapsuleHit, box_gaps2, capsule, leaf_gaps, nearest_to_segment
from navtwin.kernels.segment_triangle import segment
from navtwin.kernels.simd import splat, store
from navtwin.kernels.tree import LEAF, NODE
from tests.kernels import meshes
from tests.kernels.asking import ask as ask_points

HALF = (4.0, 5.0, 6.0)


def ask(forest: kernels.Forest, a: np.ndarray, b: np.ndarray, radius: float, hint: int = -1, within: float = np.inf) -> CapsuleHit:
    return capsule(forest, 0, *map(float, a), *map(float, b), radius, hint, within, kernels.workspace())


@pytest.mark.parametrize("seed", range(6))
def test_distance_is_brute_force(seed: int) -> None:
    mesh = meshes.soup(40, seed, size=4.0)
    forest, work = kernels.plant(*mesh)[0], kernels.workspace()
    rng = np.random.default_rng(seed)
    for _ in range(6):
        a, b = rng.uniform(-50, 50, (2, 3))
        face, hit = nearest_to_segment(forest, 0, segment(*a, *b), -1, np.inf, work)
        brute = meshes.brute_segments(a[None], b[None], mesh)[0]
        assert np.sqrt(hit[0]) == pytest.approx(brute.min(), abs=1e-7)
        assert brute[face] == pytest.approx(brute.min(), abs=1e-7)
        on_axis = a + hit[1] * (b - a)
        assert np.linalg.norm(on_axis - hit[2:5]) == pytest.approx(np.sqrt(hit[0]), abs=1e-12)


@kernel
def _axis(a: np.ndarray, b: np.ndarray) -> Axis:
    d = b - a
    return Axis(
        vector(a[0], a[1], a[2]),
        vector(d[0], d[1], d[2]),
        vector(d[0] * d[0], d[1] * d[1], d[2] * d[2]),
        splat(1.0 / (d[0] * d[0] + d[1] * d[1] + d[2] * d[2])),
    )


@kernel
def _box_gaps(forest: kernels.Forest, node: int, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
    store(out, 0, box_gaps2(forest.boxes, NODE * node, _axis(a, b)))


@kernel
def _leaf_gaps(forest: kernels.Forest, leaf: int, a: np.ndarray, b: np.ndarray, high2: np.ndarray, low: np.ndarray) -> None:
    upper, lower = leaf_gaps(forest.leaf_corners, LEAF * leaf, _axis(a, b))
    store(high2, 0, upper)
    store(low, 0, lower)


@pytest.mark.parametrize("flat", [(1, 1, 1), (1, 0, 1), (0, 0, 1), (0, 1, 0)])
def test_bounds_of_boxes_hold_and_are_tight(flat: tuple[int, int, int]) -> None:
    """Against a fine walk along the segment."""
    rng, out, tight = np.random.default_rng(0), np.empty(8, np.float32), []
    forest = kernels.plant(*meshes.torus(nu=24, nv=16))[0]
    for _ in range(25):
        a, d = rng.uniform(-60, 60, 3), rng.uniform(-150, 150, 3) * flat
        walk = a + np.linspace(0, 1, 4001)[:, None] * d
        for node in range(len(forest.children) // 8):
            low, high = forest.boxes[NODE * node : NODE * (node + 1)].reshape(2, 3, 8).astype(np.float64)
            used = np.abs(low[0]) < 1e10
            _box_gaps(forest, node, a, a + d, out)
            beyond = np.maximum(np.maximum(low[None] - walk[:, :, None], walk[:, :, None] - high[None]), 0.0)
            brute = np.linalg.norm(beyond, axis=1).min(axis=0)
            assert (np.sqrt(out[used]) <= brute[used] + 1e-3).all()
            assert (out[~used] > 1e20).all()
            tight += list(np.sqrt(out[used]) - brute[used])
    assert np.mean(np.array(tight) > -0.05) > 0.8


@pytest.mark.parametrize("seed", range(6))
def test_bounds_of_triangles_hold(seed: int) -> None:
    vertices, faces = meshes.soup(64, seed, size=3.0)
    forest, rng = kernels.plant(vertices, faces)[0], np.random.default_rng(seed)
    high2, low = np.empty(8, np.float32), np.empty(8, np.float32)
    for _ in range(10):
        a, b = rng.uniform(-60, 60, (2, 3))
        brute = meshes.brute_segments((forest.centre[0] + a)[None], (forest.centre[0] + b)[None], (vertices, faces))[0]
        for leaf in range(len(forest.leaf_faces) // 8):
            face = forest.leaf_faces[8 * leaf : 8 * (leaf + 1)]
            used = face >= 0
            _leaf_gaps(forest, leaf, a, b, high2, low)
            assert (low[used] <= brute[face[used]] + 1e-3).all()
            assert (np.sqrt(high2[used]) >= brute[face[used]] - 1e-3).all()
            assert (low[~used] > 1e10).all()


def test_a_shaft_beside_a_sphere() -> None:
    radius, mesh = 20.0, meshes.sphere(20.0, 5)
    forest = kernels.plant(*mesh)[0]
    rng = np.random.default_rng(0)
    for _ in range(50):
        way = rng.normal(size=3)
        way /= np.linalg.norm(way)
        side = np.cross(way, rng.normal(size=3))
        side /= np.linalg.norm(side)
        middle = side * rng.uniform(21, 80)
        hit = ask(forest, middle - way * rng.uniform(1, 90), middle + way * rng.uniform(1, 90), 3.0)
        assert hit.distance == pytest.approx(np.linalg.norm(middle) - radius - 3.0, abs=0.03)
        assert not hit.depth_is_bound
        assert np.linalg.norm(np.subtract(hit[5:8], hit[8:11])) == pytest.approx(hit.distance + 3.0, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_contact_is_exact_and_the_depth_is_at_least_what_is_said(seed: int) -> None:
    """Against a box, whose depth along the axis is known everywhere."""
    rng = np.random.default_rng(seed)
    forest = kernels.plant(*meshes.box(HALF))[0]
    a, b = rng.uniform(-9, 9, (2, 3))
    along = meshes.box_distance(a + np.linspace(0, 1, 20_001)[:, None] * (b - a), HALF)
    hit = ask(forest, a, b, 1.5)
    fineness = np.linalg.norm(b - a) / 20_000
    if along.min() > 2 * fineness:
        assert hit.distance == pytest.approx(along.min() - 1.5, abs=fineness)
        assert not hit.depth_is_bound
    elif along.min() < -2 * fineness:
        assert hit.distance <= min(along[0], along[-1], 0.0) - 1.5 + 1e-9
        assert hit.distance >= along.min() - 1.5 - fineness
        if not hit.depth_is_bound:
            assert hit.distance == pytest.approx(along.min() - 1.5, abs=fineness)


def test_a_shaft_through_a_box_is_a_contact_at_the_skin() -> None:
    hit = ask(kernels.plant(*meshes.box(HALF))[0], np.array([-20, 0.3, 0.2]), np.array([20, 0.1, 0.4]), 2.0)
    assert hit.distance == -2.0
    assert hit.depth_is_bound
    assert np.abs(np.abs(hit.x) - 4.0) < 1e-12
    assert (hit.x, hit.y, hit.z) == (hit.axis_x, hit.axis_y, hit.axis_z)


def test_straight_in_is_certified() -> None:
    hit = ask(kernels.plant(*meshes.box(HALF))[0], np.array([30, 0.0, 0.0]), np.array([2.5, 0.0, 0.0]), 1.0)
    assert hit.distance == pytest.approx(-2.5, abs=1e-12)
    assert not hit.depth_is_bound
    assert (hit.axis_x, hit.x) == (2.5, 4.0)


def test_wholly_inside_is_negative() -> None:
    hit = ask(kernels.plant(*meshes.box(HALF))[0], np.array([-2, 1, 0.0]), np.array([3.5, 1, 0.0]), 0.25)
    assert hit.distance == pytest.approx(-2.25, abs=1e-12)
    assert hit.depth_is_bound


@pytest.mark.parametrize("radius", [0.0, 1e-3])
def test_through_an_edge_or_a_vertex_is_a_contact(radius: float) -> None:
    """Where rounding could let the axis slip between two faces."""
    vertices, faces = meshes.sphere(20.0, 3)
    forest = kernels.plant(vertices, faces)[0]
    rng = np.random.default_rng(0)
    for _ in range(300):
        corners = vertices[faces[rng.integers(len(faces))]]
        through = corners[0] if rng.random() < 0.5 else corners[0] + rng.random() * (corners[1] - corners[0])
        outside, inside = through * rng.uniform(1.2, 3.0), rng.uniform(-4, 4, 3)
        hit = ask(forest, outside, inside, radius)
        assert hit.distance <= -10.0


def test_a_ball_is_a_point_less_its_radius_to_the_bit() -> None:
    forest = kernels.plant(*meshes.torus())[0]
    for p in np.random.default_rng(0).uniform(-50, 50, (100, 3)):
        distance, on_surface, face = ask_points(forest, 0, p[None])
        ball = ask(forest, p, p, 1.5)
        assert ball.distance == distance[0] - 1.5
        assert (ball.x, ball.y, ball.z) == tuple(on_surface[0])
        assert ball.face == face[0]
        assert ask(forest, p, p + 1e-160, 1.5).distance == pytest.approx(ball.distance, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 100_000), hints=st.lists(st.integers(-5, 10_000), min_size=4, max_size=4))
def test_hints_never_change_a_bit(seed: int, hints: list[int]) -> None:
    forest = kernels.plant(*meshes.torus(nu=24, nv=16))[0]
    a, b = np.random.default_rng(seed).uniform(-60, 60, (2, 3))
    assert len({ask(forest, a, b, 2.0, hint) for hint in (-1, *hints)}) == 1


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_a_rigid_motion_changes_nothing(seed: int) -> None:
    vertices, faces = meshes.torus(nu=24, nv=16)
    R, t = meshes.placed(seed)
    a, b = np.random.default_rng(seed).uniform(-60, 60, (2, 3))
    still = ask(kernels.plant(vertices, faces)[0], a, b, 2.0)
    moved = ask(kernels.plant(np.ascontiguousarray(vertices @ R.T + t), faces)[0], R @ a + t, R @ b + t, 2.0)
    assert moved.distance == pytest.approx(still.distance, abs=1e-9)
    assert moved.depth_is_bound == still.depth_is_bound


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 100_000), within=st.floats(0.0, 30.0), ball=st.booleans(), hint=st.integers(-1, 767))
def test_a_cap_never_changes_a_bit_of_what_it_lets_through(seed: int, within: float, ball: bool, hint: int) -> None:
    forest = kernels.plant(*meshes.torus(nu=24, nv=16))[0]
    rng = np.random.default_rng(seed)
    a = rng.uniform(-60, 60, 3) * (1, 1, 0.3)
    b = a if ball else a + rng.normal(0, 15, 3)
    exact, capped = ask(forest, a, b, 2.0), ask(forest, a, b, 2.0, hint, within)
    assert capped.farther == (exact.distance > within)
    if capped.farther:
        assert (capped.distance, capped.face, capped.depth_is_bound) == (within, -1, False)
        assert np.isnan(capped[5:]).all()
    else:
        assert capped == exact


def test_inside_is_never_answered_by_the_cap() -> None:
    """Deep in a cube whose faces are far away, where no box of the root's children may be."""
    forest = kernels.plant(*meshes.box((50.0, 50.0, 50.0)))[0]
    for a, b in ((np.zeros(3), np.zeros(3)), (np.array([-9.0, 3, 2]), np.array([5.0, 1, -2])), (np.zeros(3), np.array([0, 0, 49.5]))):
        hit = ask(forest, a, b, 1.0, -1, 0.25)
        assert hit == ask(forest, a, b, 1.0)
        assert not hit.farther
        assert hit.distance <= -40.0


def test_unknown_stays_unknown() -> None:
    forest = kernels.plant(*meshes.box(HALF))[0]
    p, q = np.array([9.0, 0, 0]), np.array([np.nan, 0, 0])
    for a, b, radius, within in (
        (p, q, 1.0, 5.0),
        (q, p, 1.0, 5.0),
        (p, p, -1.0, 5.0),
        (p, p, np.nan, 5.0),
        (p, p, 1.0, np.nan),
        (p, p * 1e300, 1.0, 5.0),
    ):
        hit = ask(forest, a, b, radius, -1, within)
        assert np.isnan(hit.distance)
        assert (hit.face, hit.farther) == (-1, False)


def test_ties_go_to_the_lowest_face() -> None:
    vertices, faces = meshes.box((1.0, 1.0, 1.0))
    for shuffle in range(8):
        shuffled = np.ascontiguousarray(faces[np.random.default_rng(shuffle).permutation(12)])
        for a, b in (((2, -3, 0), (2, 3, 0)), ((3, 3, 0.5), (1.5, 1.5, 0.5)), ((-1, -1, 2), (-1, -1, 3)), ((-9, 0.2, 0.3), (9, 0.2, 0.3))):
            start, end = np.array(a, float), np.array(b, float)
            brute = meshes.brute_segments(start[None], end[None], (vertices, shuffled))[0]
            face, _ = nearest_to_segment(kernels.plant(vertices, shuffled)[0], 0, segment(*start, *end), -1, np.inf, kernels.workspace())
            assert face == np.flatnonzero(brute - brute.min() < 1e-9)[0]


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1e2, 1e4])
def test_any_scale_and_far_from_the_origin(scale: float) -> None:
    vertices, faces = meshes.torus(nu=24, nv=16)
    rng = np.random.default_rng(0)
    away = np.array([3.0, -5.0, 2.0]) * scale * 100
    still, moved = kernels.plant(vertices, faces)[0], kernels.plant(vertices * scale + away, faces)[0]
    for a, b in rng.uniform(-60, 60, (20, 2, 3)):
        expected, hit = ask(still, a, b, 2.0), ask(moved, a * scale + away, b * scale + away, 2.0 * scale)
        assert hit.distance == pytest.approx(expected.distance * scale, abs=1e-10 * scale)


def test_an_open_sheet_has_no_back() -> None:
    """Nearest, unsigned, from either side."""
    forest = kernels.plant(np.array([[-10.0, -10, 0], [10, -10, 0], [0, 15, 0]]), np.array([[0, 1, 2]], np.int32))[0]
    for up in (1.0, -1.0):
        hit = ask(forest, np.array([0, 0, 3.0 * up]), np.array([1, 0, 9.0 * up]), 1.0)
        assert hit.distance == pytest.approx(2.0, abs=1e-12)
        assert not hit.depth_is_bound


@pytest.mark.parametrize("lift", [0.0, 1e-14, 1e-7, 1e-4])
def test_degenerate_triangles_act_as_their_longest_edge(lift: float) -> None:
    forest = kernels.plant(np.array([[0.0, 0, 0], [10, 0, 0], [4, lift, 0]]), np.array([[2, 0, 1]], np.int32))[0]
    for a, b in np.random.default_rng(0).uniform(-8, 15, (100, 2, 3)):
        edge = np.linspace(0, 1, 2001)[:, None] * [10.0, 0, 0]
        d = b - a
        foot = np.clip(((edge - a) @ d) / (d @ d), 0, 1)[:, None]
        brute = np.linalg.norm(edge - a - foot * d, axis=1).min()
        assert ask(forest, a, b, 0.0).distance == pytest.approx(brute, abs=1e-3)


def test_parallel_and_touching_segments_give_numbers() -> None:
    forest = kernels.plant(*meshes.box(HALF))[0]
    assert ask(forest, np.array([6.0, -3, 0]), np.array([6.0, 3, 0]), 0.5).distance == 1.5
    assert ask(forest, np.array([4.0, -9, 6]), np.array([4.0, 9, 6]), 0.5).distance == pytest.approx(-0.5, abs=1e-12)
    assert ask(forest, np.array([4.0, 5, 6]), np.array([8.0, 9, 9]), 0.0).distance == 0.0
