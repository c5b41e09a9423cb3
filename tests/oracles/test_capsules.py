"""`Surface.closest_to_capsule` against every triangle, and the semantics of depth (DESIGN section 6)."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from navtwin import Surface
from tests.oracles import judge, queries, shapes

KINDS = [kind for kind, make in shapes.KINDS.items() if len(make().faces) <= 400]


def surface_of(shape: shapes.Shape) -> Surface:
    return Surface.from_arrays(shape.vertices, shape.faces)


def ask(kind: str, n: int, seed: int, **place: object) -> judge.Findings:
    shape = shapes.KINDS[kind]().moved(**place)  # type: ignore[arg-type]
    return judge.capsules(shape, surface_of(shape), *queries.axes(shape, n, np.random.default_rng(seed)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_capsules_of_every_kind(kind: str) -> None:
    found = ask(kind, 60, 0)
    assert not found.wrong, "\n".join(found.wrong[:5])


@pytest.mark.heavy
@pytest.mark.parametrize("kind", KINDS)
def test_many_capsules_of_every_kind(kind: str) -> None:
    for seed, place in enumerate(({"turn": 4}, {"turn": 5, "scale": 1e-3, "shift": (50.0, 1.0, 2.0)}, {"turn": 6, "scale": 20.0})):
        found = ask(kind, 60, 10 + seed, **place)
        assert not found.wrong, "\n".join(found.wrong[:5])


@pytest.mark.parametrize("kind", ["torus", "turned plate", "soup", "hollow", "repeated"])
def test_its_ends_may_be_swapped(kind: str) -> None:
    shape = shapes.KINDS[kind]()
    surface, allowed = surface_of(shape), 1e-12 * 200.0
    for a, b, r in zip(*queries.axes(shape, 150, np.random.default_rng(3)), strict=True):
        one, other = surface.closest_to_capsule(a, b, r), surface.closest_to_capsule(b, a, r)
        assert one.distance_mm == pytest.approx(other.distance_mm, abs=allowed)
        assert one.depth_is_bound == other.depth_is_bound


@pytest.mark.parametrize("kind", ["torus", "turned plate", "needles", "hollow", "inverted", "lattice"])
def test_a_ball_is_a_point_less_its_radius_to_the_bit(kind: str) -> None:
    shape = shapes.KINDS[kind]()
    surface, asked = surface_of(shape), queries.around(shape, 100, np.random.default_rng(1))
    points = surface.closest(asked)
    for k, p in enumerate(asked):
        ball = surface.closest_to_capsule(p, p, 1.5)
        assert ball.distance_mm == points.distance_mm[k] - 1.5
        assert ball.face == points.face[k]
        assert (ball.point_mm == points.point_mm[k]).all() and (ball.axis_point_mm == p).all()


@pytest.mark.parametrize("turn", [None, 1, 2])
def test_through_a_plate_of_half_a_millimetre(turn: int | None) -> None:
    """Both ends outside, no end near, the whole plate between two samples a millimetre apart: still a contact."""
    shape = shapes.plate().moved(turn=turn)
    surface, rng = surface_of(shape), np.random.default_rng(0)
    faces = shape.vertices[shape.faces]
    normal = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
    large = np.flatnonzero(np.linalg.norm(normal, axis=1) > 100.0)
    for f in rng.choice(large, 60):
        through = rng.dirichlet((1.0, 1.0, 1.0)) @ faces[f]
        way = normal[f] / np.linalg.norm(normal[f]) + 0.3 * rng.normal(0, 1, 3)
        got = surface.closest_to_capsule(through + 20 * way, through - 20 * way, 0.5)
        assert got.distance_mm <= -0.5 and got.depth_is_bound


@pytest.mark.parametrize("depth", [1, 2])
def test_no_axis_slips_in_through_an_edge_or_a_vertex(depth: int) -> None:
    shape = shapes.sphere(20.0, depth).moved(turn=depth)
    surface, rng = surface_of(shape), np.random.default_rng(depth)
    corners = shape.vertices[shape.faces].reshape(-1, 3)
    middles = (shape.vertices[shape.faces] + np.roll(shape.vertices[shape.faces], 1, axis=1)).reshape(-1, 3) / 2
    for through in np.concatenate([corners, middles]):
        inside = rng.uniform(-3, 3, 3)
        got = surface.closest_to_capsule(through * rng.uniform(1.5, 3), inside, 0.0)
        assert got.distance_mm <= surface.closest(inside).distance_mm[0] + 1e-12 * 80


def test_an_axis_that_crosses_the_line_of_a_collapsed_face_does_not_touch_it() -> None:
    """Three corners in a row leave a face whose plane is rounding: what crosses its line far off is far off."""
    rng = np.random.default_rng(0)
    for _ in range(100):
        along, start = rng.normal(0, 1, 3), rng.normal(0, 5, 3)
        corners = np.stack([start + t * along for t in (0.1, 0.3, 0.7)])
        surface = Surface.from_arrays(corners, [[0, 1, 2]])
        for _ in range(5):
            through, way = start + along * rng.uniform(-20, 20), rng.normal(0, 3, 3)
            a, b = through - way, through + way * rng.random()
            exact = judge.root(judge.rational.segment_triangle(a.tolist(), b.tolist(), corners.tolist()))
            assert surface.closest_to_capsule(a, b, 0.0).distance_mm == pytest.approx(exact, abs=1e-10)


def test_depth_straight_in_is_certain_and_right() -> None:
    surface = surface_of(shapes.box((4.0, 5.0, 6.0), 2))
    got = surface.closest_to_capsule([30.0, 0.3, 0.2], [2.5, 0.3, 0.2], 1.0)
    assert got.distance_mm == -2.5 and not got.depth_is_bound
    assert got.axis_point_mm.tolist() == [2.5, 0.3, 0.2]
    np.testing.assert_allclose(got.point_mm, [4.0, 0.3, 0.2], rtol=0, atol=1e-15)


def test_a_tie_of_faces_that_share_nothing_goes_to_the_lowest() -> None:
    """Whole numbers, so float64 is exact: two sheets, as far above the axis as below."""
    vertices = np.array([[-8.0, -8, 2], [8, -8, 2], [0, 8, 2], [-8, -8, -2], [8, -8, -2], [0, 8, -2]])
    for faces in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        got = Surface.from_arrays(vertices, faces).closest_to_capsule([-1.0, 0, 0], [1.0, 0, 0], 0.5)
        assert (got.face, got.distance_mm) == (0, 1.5)
    assert judge.rational.segment_triangle((-1, 0, 0), (1, 0, 0), vertices[:3].tolist()) == Fraction(4)
