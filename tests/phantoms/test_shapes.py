from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phantoms.patient import shapes
from phantoms.shapes import Box, Cylinder, Ellipsoid, Shape, Sphere, Tube, Union
from phantoms.volume import Grid, Tissue, rasterise

SHAPES: dict[str, Shape] = {
    "sphere": Sphere((1.0, -2.0, 3.0), 6.0),
    "tube": Tube(((-6.0, 0.0, 0.0), (2.0, 3.0, -4.0), (7.0, -2.0, 5.0)), 3.0),
    "cylinder": Cylinder((-5.0, 1.0, 2.0), (4.0, -3.0, 6.0), 5.0, 1.5),
    "box": Box((1.0, 2.0, -1.0), (6.0, 4.0, 5.0), 1.0),
    "ellipsoid": Ellipsoid((0.5, 0.0, -0.5), (9.0, 6.0, 3.5)),
}
points = st.tuples(*[st.floats(-14.0, 14.0)] * 3)


def surface_points(shape: Shape, count: int) -> np.ndarray:
    """Points of the surface, found by bisection along rays: needs only the sign of the distance."""
    rng = np.random.default_rng(3)
    low, high = shape.bounds_mm()
    seeds = rng.uniform(low, high, (8 * count, 3))
    inside = seeds[shape.distance_mm(seeds) < 0.0][:count]
    way = rng.standard_normal(inside.shape)
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    near, far = np.zeros(len(inside)), np.full(len(inside), 60.0)
    for _ in range(28):
        middle = 0.5 * (near + far)
        out = shape.distance_mm(inside + middle[:, None] * way) > 0.0
        near, far = np.where(out, near, middle), np.where(out, middle, far)
    return inside + far[:, None] * way


@pytest.mark.parametrize("name", SHAPES)
def test_distance_is_to_the_nearest_surface_point(name: str) -> None:
    shape = SHAPES[name]
    surface = surface_points(shape, 6_000 if name == "ellipsoid" else 30_000)
    queries = np.random.default_rng(4).uniform(-12.0, 12.0, (60, 3))
    brute = np.array([np.linalg.norm(surface - q, axis=1).min() for q in queries])
    if name == "tube":  # inside, where its capsules overlap, a chain's depth is a bound
        outside = shape.distance_mm(queries) > 0.0
        queries, brute = queries[outside], brute[outside]
    assert np.abs(np.abs(shape.distance_mm(queries)) - brute).max() < 0.4
    assert (np.abs(shape.distance_mm(queries)) <= brute + 1e-9).all()


@pytest.mark.parametrize("name", SHAPES)
@given(a=points, b=points)
@settings(max_examples=60, deadline=None)
def test_distance_never_changes_faster_than_the_point_moves(name: str, a: tuple[float, float, float], b: tuple[float, float, float]) -> None:
    change = SHAPES[name].distance_mm([a])[0] - SHAPES[name].distance_mm([b])[0]
    assert abs(change) <= np.linalg.norm(np.subtract(a, b)) + 1e-6


@given(q=st.floats(0.0, 2.0 * np.pi), z=st.floats(-1.0, 1.0), depth=st.floats(-1.0, 20.0))
@settings(max_examples=80, deadline=None)
def test_ellipsoid_is_exact_along_its_normals(q: float, z: float, depth: float) -> None:
    e = np.array(SHAPES["ellipsoid"].radii_mm)  # type: ignore[attr-defined]
    unit = np.array([np.sqrt(1.0 - z * z) * np.cos(q), np.sqrt(1.0 - z * z) * np.sin(q), z])
    foot, normal = e * unit, unit / e
    normal /= np.linalg.norm(normal)
    p = np.array((0.5, 0.0, -0.5)) + foot + depth * normal  # 1 mm deep is well within the smallest radius of curvature, 1.36 mm
    assert SHAPES["ellipsoid"].distance_mm([p])[0] == pytest.approx(depth, abs=1e-6)


@pytest.mark.parametrize("p, expected", [((0.5, 0.0, -0.5), -3.5), ((0.5, 0.0, 3.0), 0.0), ((9.5, 0.0, -0.5), 0.0), ((0.5, 16.0, -0.5), 10.0)])
def test_ellipsoid_on_its_axes(p: tuple[float, float, float], expected: float) -> None:
    assert SHAPES["ellipsoid"].distance_mm([p])[0] == pytest.approx(expected, abs=1e-6)


def test_union_is_the_nearest_member_and_its_box_holds_all() -> None:
    union = Union(tuple(SHAPES.values()))
    p = np.random.default_rng(1).uniform(-15.0, 15.0, (500, 3))
    assert (union.distance_mm(p) == np.min([s.distance_mm(p) for s in SHAPES.values()], axis=0)).all()
    low, high = union.bounds_mm()
    inside = p[union.distance_mm(p) < 0.0]
    assert (inside >= low).all() and (inside <= high).all()


@pytest.mark.parametrize("name", SHAPES)
def test_rasterised_volume_and_partial_volumes(name: str) -> None:
    shape = SHAPES[name]
    grid = Grid((-16.0, -16.0, -16.0), (0.8, 0.8, 0.8), (41, 41, 41))
    hu, labels = rasterise([Tissue("one", 7, shape, hu=100.0)], grid, air_hu=-900.0)
    centres = grid.block(np.array(grid.origin_mm), np.array((16.0, 16.0, 16.0)))
    assert centres is not None
    distance = shape.distance_mm(centres[1]).reshape(grid.shape_ijk)
    assert ((labels == 7) == (distance <= 0.0)).all()
    assert (hu[distance < -0.8] == 100.0).all() and (hu[distance > 0.8] == -900.0).all()
    # Partial volumes carry the volume further than counting voxels does.
    share = (hu + 900.0) / 1000.0
    fine = np.random.default_rng(2).uniform(-16.0, 16.0, (60_000, 3))
    true = float((shape.distance_mm(fine) < 0.0).mean()) * 32.0**3
    assert share.sum() * 0.8**3 == pytest.approx(true, rel=0.06)


def test_rim_and_order_of_tissues() -> None:
    grid = Grid((-10.0, -10.0, -10.0), (0.5, 0.5, 0.5), (41, 41, 41))
    bone = Tissue("bone", 1, Sphere((0.0, 0.0, 0.0), 8.0), 300.0, rim_hu=900.0, rim_mm=2.0)
    marrow = Tissue("hole", 2, Sphere((0.0, 0.0, 0.0), 2.0), 40.0)
    hu, labels = rasterise([bone, marrow], grid)
    assert hu[20, 20, 20] == 40.0 and labels[20, 20, 20] == 2
    assert hu[20, 20, 30] == 300.0 and hu[20, 20, 34] == 900.0 and labels[20, 20, 34] == 1


def test_the_patient_is_as_narrow_as_a_spine() -> None:
    parts = shapes()
    rng = np.random.default_rng(0)
    for name in ("vertebrae_T11", "vertebrae_T12"):
        low, high = parts[name].bounds_mm()
        p = rng.uniform(low, high, (150_000, 3))
        skin = p[np.abs(parts[name].distance_mm(p)) < 0.2]
        assert 0.5 < parts["spinal_canal"].distance_mm(skin).min() < 1.1
        assert 2.0 < parts["aorta"].distance_mm(skin).min() < 4.0
        assert min(parts[other].distance_mm(skin).min() for other in parts if other.startswith("vertebrae") and other != name) > 1.5
