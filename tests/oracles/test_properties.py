"""What must hold of any mesh and any question, without knowing the answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from navtwin import Rigid, Surface
from tests.oracles import brute, queries, shapes

KINDS = [kind for kind, make in shapes.KINDS.items() if len(make().faces) <= 400]
SEEDS = st.integers(0, 2**31)
FEW = settings(max_examples=25, deadline=None)


def surface_of(shape: shapes.Shape) -> Surface:
    return Surface.from_arrays(shape.vertices, shape.faces)


def pose(seed: int, reach: float) -> Rigid:
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = Rotation.random(random_state=seed).as_matrix(), np.random.default_rng(seed).uniform(-reach, reach, 3)
    return Rigid.from_matrix(T, target="ct", source="tip/drill")


@FEW
@given(kind=st.sampled_from([k for k in KINDS if k != "lattice"]), seed=SEEDS)
def test_a_rigid_motion_changes_no_distance(kind: str, seed: int) -> None:
    """Of points, capsules and rays. Signs too, but within rounding of the surface; rays but for those that a rounding takes past an edge."""
    shape, T, rng = shapes.KINDS[kind](), pose(seed, 200.0), np.random.default_rng(seed)
    still, moved = surface_of(shape), Surface.from_arrays(T.apply(shape.vertices), shape.faces)
    points = queries.around(shape, 40, rng)
    np.testing.assert_allclose(moved.closest(T.apply(points)).distance_mm, still.closest(points).distance_mm, rtol=0, atol=1e-9)
    for a, b in zip(points[::8], points[4::8], strict=True):
        one, other = still.closest_to_capsule(a, b, 1.0), moved.closest_to_capsule(*T.apply(np.array([a, b])), 1.0)
        assert one.distance_mm == pytest.approx(other.distance_mm, abs=1e-9)
        assert one.depth_is_bound == other.depth_is_bound


@FEW
@given(one=st.sampled_from(KINDS), other=st.sampled_from(KINDS), seed=SEEDS)
def test_two_surfaces_are_as_far_from_each_other_both_ways(one: str, other: str, seed: int) -> None:
    mine, theirs, T = surface_of(shapes.KINDS[one]()), surface_of(shapes.KINDS[other]()), pose(seed, 80.0)
    there, back = mine.closest_to_surface(theirs, T), theirs.closest_to_surface(mine, T.inverse())
    assert there.intersects == back.intersects
    assert there.distance_mm == pytest.approx(back.distance_mm, abs=1e-9)


@FEW
@given(kind=st.sampled_from(KINDS), seed=SEEDS, share=st.floats(0.05, 0.95))
def test_taking_faces_away_brings_nothing_nearer(kind: str, seed: int, share: float) -> None:
    """Carving: what is left is as far or farther, and exactly as far where the nearest face is left. Of the unsigned distance, to the last bit."""
    shape, rng = shapes.KINDS[kind](), np.random.default_rng(seed)
    left = np.flatnonzero(rng.random(len(shape.faces)) < share)
    if len(left) == 0:
        left = np.array([0])
    points = queries.around(shape, 60, rng)
    whole, carved = surface_of(shape).closest(points), Surface.from_arrays(shape.vertices, shape.faces[left]).closest(points)
    allowed = brute.Features.of(shape.vertices, shape.faces).rounding(points)
    assert (np.abs(carved.distance_mm) >= np.abs(whole.distance_mm) - allowed).all()
    kept = np.isin(whole.face, left)
    np.testing.assert_array_less(np.abs(np.abs(carved.distance_mm[kept]) - np.abs(whole.distance_mm[kept])), allowed[kept])
    assert (left[carved.face[kept]] == whole.face[kept]).mean() > 0.99 if kept.any() else True


@FEW
@given(kind=st.sampled_from(KINDS), seed=SEEDS)
def test_the_order_of_the_faces_names_another_face_but_moves_nothing(kind: str, seed: int) -> None:
    shape, rng = shapes.KINDS[kind](), np.random.default_rng(seed)
    order = rng.permutation(len(shape.faces))
    points = queries.around(shape, 60, rng)
    one, other = surface_of(shape).closest(points), Surface.from_arrays(shape.vertices, shape.faces[order]).closest(points)
    allowed = brute.Features.of(shape.vertices, shape.faces).rounding(points)
    assert (np.abs(one.distance_mm - other.distance_mm) <= allowed).all()


@FEW
@given(kind=st.sampled_from(KINDS), seed=SEEDS)
def test_a_distance_grows_no_faster_than_one_walks(kind: str, seed: int) -> None:
    """Lipschitz: of the unsigned distance on any mesh; of the signed one where there is an inside."""
    shape, rng = shapes.KINDS[kind](), np.random.default_rng(seed)
    points = queries.around(shape, 60, rng)
    steps = rng.normal(0, 1, points.shape) * 10.0 ** rng.uniform(-12, 1, (60, 1))
    here, there = surface_of(shape).closest(points).distance_mm, surface_of(shape).closest(points + steps).distance_mm
    if not shape.solid:
        here, there = np.abs(here), np.abs(there)
    walked = np.linalg.norm((points + steps) - points, axis=1)
    assert (np.abs(there - here) <= walked + 2 * brute.Features.of(shape.vertices, shape.faces).rounding(points + steps)).all()


@FEW
@given(kind=st.sampled_from(KINDS), seed=SEEDS)
def test_many_points_are_single_points_to_the_bit(kind: str, seed: int) -> None:
    """In a batch, alone, in another order, and after whatever was asked before."""
    shape, rng = shapes.KINDS[kind](), np.random.default_rng(seed)
    surface, fresh = surface_of(shape), surface_of(shape)
    points = np.concatenate([queries.around(shape, 20, rng), queries.close_by(shape, 20, rng), queries.exactly_on(shape, 10, rng)])
    batch, order = surface.closest(points), rng.permutation(50)
    shuffled = surface.closest(points[order])
    assert shuffled.distance_mm.tobytes() == batch.distance_mm[order].tobytes() and (shuffled.face == batch.face[order]).all()
    assert shuffled.point_mm.tobytes() == batch.point_mm[order].tobytes()
    for k in order[:25]:
        one = fresh.closest(points[k])
        assert (one.distance_mm[0], one.face[0]) == (batch.distance_mm[k], batch.face[k])
        assert one.point_mm.tobytes() == batch.point_mm[k].tobytes()


def path(shape: shapes.Shape, n: int, rng: np.random.Generator) -> np.ndarray:
    """A tool's path along the surface, with leaps and stops."""
    steps = rng.normal(0, 0.2, (n, 3))
    steps[rng.random(n) < 0.1] = 0.0
    walk = queries.on_faces(shape, 1, rng) + np.cumsum(steps, axis=0)
    leaps = rng.random(n) < 0.1
    walk[leaps] = queries.around(shape, int(leaps.sum()), rng)
    return np.asarray(walk)


@FEW
@given(kind=st.sampled_from(KINDS), seed=SEEDS)
def test_a_probe_gives_the_same_bits_whatever_it_was_asked_before(kind: str, seed: int) -> None:
    shape = shapes.KINDS[kind]()
    surface = surface_of(shape)
    warm, walk = surface.probe(), path(shape, 60, np.random.default_rng(seed))
    cold = surface.closest(walk)
    for k, p in enumerate(walk.tolist()):
        assert warm(*p) == cold.distance_mm[k]
        assert warm.face == cold.face[k]
        assert np.asarray(warm.point_mm).tobytes() == cold.point_mm[k].tobytes()
        if k % 20 == 0:
            assert np.isnan(warm(p[0], float("nan"), p[2])) and warm.face == -1


@FEW
@given(kind=st.sampled_from(KINDS), seed=SEEDS, size=st.sampled_from([0.0, 1e-6, 0.01, 0.1, 1.0, 10.0]))
def test_a_cap_changes_only_what_lies_beyond_it(kind: str, seed: int, size: float) -> None:
    """Within it: the exact answer, to the bit; so inside a solid, however deep. Beyond: the cap itself, no face and no point."""
    shape, rng = shapes.KINDS[kind](), np.random.default_rng(seed)
    surface = surface_of(shape)
    points = np.concatenate([queries.around(shape, 40, rng), queries.close_by(shape, 20, rng)])
    exact = surface.closest(points)
    cap = size * float(np.abs(exact.distance_mm).max())
    for within in (cap, float(np.abs(exact.distance_mm[0]))):
        got = surface.closest(points, within_mm=within)
        near = exact.distance_mm <= within
        for ours, whole in ((got.distance_mm, exact.distance_mm), (got.point_mm, exact.point_mm), (got.face, exact.face)):
            assert ours[near].tobytes() == whole[near].tobytes()
        assert (got.distance_mm[~near] == within).all()
        assert (got.face[~near] == -1).all() and np.isnan(got.point_mm[~near]).all()


@FEW
@given(kind=st.sampled_from(KINDS), seed=SEEDS, size=st.sampled_from([0.0, 0.01, 0.1, 1.0]))
def test_a_cap_on_a_capsule_changes_only_what_lies_beyond_it(kind: str, seed: int, size: float) -> None:
    shape, rng = shapes.KINDS[kind](), np.random.default_rng(seed)
    surface = surface_of(shape)
    for a, b, r in zip(*queries.axes(shape, 30, rng), strict=True):
        exact = surface.closest_to_capsule(a, b, r)
        within = size * 40.0
        got = surface.closest_to_capsule(a, b, r, within_mm=within)
        if exact.distance_mm <= within:
            assert (got.distance_mm, got.face, got.depth_is_bound) == (exact.distance_mm, exact.face, exact.depth_is_bound)
            assert got.point_mm.tobytes() == exact.point_mm.tobytes() and got.axis_point_mm.tobytes() == exact.axis_point_mm.tobytes()
        else:
            assert (got.distance_mm, got.face) == (within, -1) and np.isnan(got.point_mm).all()


@FEW
@given(one=st.sampled_from(KINDS), other=st.sampled_from(KINDS), seed=SEEDS, size=st.sampled_from([0.0, 0.1, 10.0, 1000.0]))
def test_a_cap_on_two_surfaces_changes_only_what_lies_beyond_it(one: str, other: str, seed: int, size: float) -> None:
    mine, theirs, T = surface_of(shapes.KINDS[one]()), surface_of(shapes.KINDS[other]()), pose(seed, 80.0)
    exact, got = mine.closest_to_surface(theirs, T), mine.closest_to_surface(theirs, T, within_mm=size)
    if exact.distance_mm <= size:
        assert (got.distance_mm, got.face, got.other_face, got.intersects) == (exact.distance_mm, exact.face, exact.other_face, exact.intersects)
        assert got.point_mm.tobytes() == exact.point_mm.tobytes()
    else:
        assert (got.distance_mm, got.face, got.intersects) == (size, -1, False)
