from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phantoms.drilling.meshed import gradient, meshed
from phantoms.drilling.solids import Balls, Blend, Common, Difference, Ring, Tapered, nearest_of, spiral
from phantoms.shapes import Box, Shape, Sphere, Tube

EXACT: dict[str, Shape] = {
    "ring": Ring((1.0, 0.5, -1.0), (0.3, -0.5, 0.8), 5.0, 1.3),
    "tapered": Tapered((-4.0, 1.0, 0.0), (5.0, -2.0, 3.0), 4.0, 1.5),
    "balls": Balls(((-5.0, 0.0, 0.0), (4.0, 3.0, -2.0)), (2.0, 3.0)),
}
CARVED: dict[str, Shape] = {
    "blend": Blend((Sphere((-3.0, 0.0, 0.0), 4.0), Box((3.0, 0.0, 0.0), (4.0, 3.0, 3.0), 1.0)), 2.0),
    "difference": Difference(Sphere((0.0, 0.0, 0.0), 8.0), (Tube(((0.0, 0.0, -9.0), (0.0, 0.0, 9.0)), 2.0),)),
    "margin": Difference(Sphere((0.0, 0.0, 0.0), 8.0), (Tube(((0.0, 0.0, -9.0), (0.0, 0.0, 9.0)), 2.0),), 1.0, 1.0),
    "common": Common(Sphere((-2.0, 0.0, 0.0), 6.0), Sphere((3.0, 0.0, 0.0), 6.0), 0.5, 1.0),
}
points = st.tuples(*[st.floats(-12.0, 12.0)] * 3)


def surface_points(shape: Shape, count: int) -> np.ndarray:
    """Points of the surface by bisection between inside and outside: needs only the sign."""
    rng = np.random.default_rng(5)
    low, high = shape.bounds_mm()
    p = rng.uniform(low - 1.0, high + 1.0, (20 * count, 3))
    d = shape.distance_mm(p)
    inside, outside = p[d < 0.0], p[d > 0.0]
    n = min(len(inside), len(outside), count)
    near, far = inside[rng.integers(0, len(inside), n)], outside[rng.integers(0, len(outside), n)]
    for _ in range(30):
        middle = 0.5 * (near + far)
        out = shape.distance_mm(middle)[:, None] > 0.0
        near, far = np.where(out, near, middle), np.where(out, middle, far)
    return far


@pytest.mark.parametrize("name", EXACT)
def test_distance_is_to_the_nearest_surface_point(name: str) -> None:
    shape = EXACT[name]
    surface = surface_points(shape, 12_000)
    queries = np.random.default_rng(4).uniform(-9.0, 9.0, (60, 3))
    brute = np.array([np.linalg.norm(surface - q, axis=1).min() for q in queries])
    assert np.abs(np.abs(shape.distance_mm(queries)) - brute).max() < 0.4
    assert (np.abs(shape.distance_mm(queries)) <= brute + 1e-6).all()


@pytest.mark.parametrize("name", CARVED)
def test_distance_is_never_too_large(name: str) -> None:
    shape = CARVED[name]
    surface = surface_points(shape, 6_000)
    queries = np.random.default_rng(4).uniform(-9.0, 9.0, (60, 3))
    brute = np.array([np.linalg.norm(surface - q, axis=1).min() for q in queries])
    assert (np.abs(shape.distance_mm(queries)) <= brute + 1e-6).all()


@pytest.mark.parametrize("name", [*EXACT, *CARVED])
@given(a=points, b=points)
@settings(max_examples=50, deadline=None)
def test_distance_never_changes_faster_than_the_point_moves(name: str, a: tuple[float, float, float], b: tuple[float, float, float]) -> None:
    shape = {**EXACT, **CARVED}[name]
    assert abs(shape.distance_mm([a])[0] - shape.distance_mm([b])[0]) <= np.linalg.norm(np.subtract(a, b)) + 1e-6


@pytest.mark.parametrize("name", [*EXACT, *CARVED])
def test_box_holds_the_shape(name: str) -> None:
    shape = {**EXACT, **CARVED}[name]
    p = np.random.default_rng(1).uniform(-12.0, 12.0, (8000, 3))
    low, high = shape.bounds_mm()
    inside = p[shape.distance_mm(p) < 0.0]
    assert len(inside) > 50 and (inside > low).all() and (inside < high).all()


def test_a_tapered_limb_of_equal_ends_is_a_capsule() -> None:
    a, b = (-3.0, 1.0, 2.0), (4.0, -2.0, 0.0)
    p = np.random.default_rng(2).uniform(-9.0, 9.0, (500, 3))
    assert Tapered(a, b, 1.5, 1.5).distance_mm(p) == pytest.approx(Tube((a, b), 1.5).distance_mm(p), abs=1e-12)


def test_what_is_kept_off_is_kept_off_and_rounding_only_takes_away() -> None:
    whole, tube = Sphere((0.0, 0.0, 0.0), 8.0), Tube(((0.0, 0.0, -9.0), (0.0, 0.0, 9.0)), 2.0)
    p = np.random.default_rng(3).uniform(-8.0, 8.0, (20_000, 3))
    kept = p[Difference(whole, (tube,), 1.0, 1.0).distance_mm(p) < 0.0]
    assert len(kept) > 1000 and tube.distance_mm(kept).min() >= 1.0
    sharp, rounded = Difference(whole, (tube,), 1.0).distance_mm(p), Difference(whole, (tube,), 1.0, 1.0).distance_mm(p)
    assert (rounded >= sharp).all() and (rounded > sharp).any()


def test_spiral_turns_and_rises_as_told() -> None:
    line = np.array(spiral((1.0, 2.0, 3.0), (0.0, 0.0, 2.0), (1.0, 0.0, 5.0), turns=2.5, radii_mm=(4.0, 1.0), height_mm=6.0, steps=101))
    radius = np.hypot(line[:, 0] - 1.0, line[:, 1] - 2.0)
    assert radius == pytest.approx(np.linspace(4.0, 1.0, 101))
    assert line[0] == pytest.approx((5.0, 2.0, 3.0)) and line[-1] == pytest.approx((0.0, 2.0, 9.0))
    turned = np.unwrap(np.arctan2(line[:, 1] - 2.0, line[:, 0] - 1.0))
    assert turned[-1] - turned[0] == pytest.approx(5.0 * np.pi)


def test_meshed_shape_lies_on_the_shape() -> None:
    shape = EXACT["tapered"]
    surface = meshed(shape, 0.4)
    assert surface.is_watertight and surface.normals_are_outward
    assert np.abs(shape.distance_mm(surface.vertices_mm)).max() < 1e-3
    p = np.random.default_rng(4).uniform(-8.0, 8.0, (200, 3))
    assert surface.closest(p).distance_mm == pytest.approx(shape.distance_mm(p), abs=0.05)


def test_gradient_and_nearest() -> None:
    p = np.array([(10.0, 0.0, 0.0), (0.0, 0.0, -7.0)])
    ball = Sphere((0.0, 0.0, 0.0), 2.0)
    assert gradient(ball, p) == pytest.approx(np.array([(1.0, 0.0, 0.0), (0.0, 0.0, -1.0)]), abs=1e-6)
    assert nearest_of([ball, Sphere((9.0, 0.0, 0.0), 0.5)], p) == pytest.approx([0.5, 5.0])
