from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin import kernels
from navtwin.kernels.segment import CapsuleHit, box_distance2, nearest_to_segment, segment
from tests.kernels import meshes

HALF = (4.0, 5.0, 6.0)


def ask(forest: kernels.Forest, a: np.ndarray, b: np.ndarray, radius: float, hint: int = -1) -> CapsuleHit:
    return kernels.capsule(forest, 0, *map(float, a), *map(float, b), radius, hint, kernels.workspace())


@pytest.mark.parametrize("seed", range(6))
def test_distance_is_brute_force(seed: int) -> None:
    mesh = meshes.soup(40, seed, size=4.0)
    forest, work = kernels.plant(*mesh)[0], kernels.workspace()
    rng = np.random.default_rng(seed)
    for _ in range(6):
        a, b = rng.uniform(-50, 50, (2, 3))
        slot, hit = nearest_to_segment(forest, 0, segment(*a, *b), -1, work)
        brute = meshes.brute_segments(a[None], b[None], mesh)[0]
        assert np.sqrt(hit[0]) == pytest.approx(brute.min(), abs=1e-7)
        assert brute[forest.face[slot]] == pytest.approx(brute.min(), abs=1e-7)
        on_axis = a + hit[1] * (b - a)
        assert np.linalg.norm(on_axis - hit[2:5]) == pytest.approx(np.sqrt(hit[0]), abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 100_000), flat=st.sampled_from([(1, 1, 1), (1, 0, 1), (0, 0, 1), (0, 1, 0)]))
def test_distance_to_a_box_is_exact(seed: int, flat: tuple[int, int, int]) -> None:
    """The bound that prunes: against a fine walk along the segment."""
    rng = np.random.default_rng(seed)
    a, d = rng.uniform(-9, 9, 3), rng.uniform(-15, 15, 3) * flat
    low = rng.uniform(-4, 0, 3)
    boxes = np.concatenate([low, low + rng.uniform(0, 5, 3)])[None]
    s, facing = segment(*a, *(a + d)), np.inf
    walk = a + np.linspace(0, 1, 4001)[:, None] * d
    brute = (np.maximum(np.maximum(boxes[0, :3] - walk, walk - boxes[0, 3:]), 0.0) ** 2).sum(axis=1).min()
    exact = box_distance2(boxes, 0, s, facing)
    assert exact <= brute + 1e-12
    assert np.sqrt(exact) == pytest.approx(np.sqrt(brute), abs=np.linalg.norm(d) / 4000)


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
        assert np.linalg.norm(np.subtract(hit[4:7], hit[7:10])) == pytest.approx(hit.distance + 3.0, abs=1e-12)


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
        out = np.empty(1), np.empty((1, 3)), np.empty(1, np.int32)
        kernels.closest_points(forest, 0, p[None], *out, kernels.workspace())
        ball = ask(forest, p, p, 1.5)
        assert ball.distance == out[0][0] - 1.5
        assert (ball.x, ball.y, ball.z) == tuple(out[1][0])
        assert forest.face[ball.slot] == out[2][0]
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
