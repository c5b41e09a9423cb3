"""Tubes and spheres against the exact shapes: distance by brute force, volume and area by formula, motion and repetition."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from navtwin.scene.author.build import build
from navtwin.scene.author.chain import STRAY_MM, Chain, chain_of
from navtwin.scene.author.recipe import Recipe, Sphere, Tube
from navtwin.volumes.volume import volume_box
from tests.scene.author.scans import SHAPE_IJK, affine, area_mm2, recipe

BOX = volume_box(affine(), SHAPE_IJK)
NERVE = ((-20.0, 3.0, 0.0), (0.0, 15.0, 3.0), (18.0, 5.0, 0.0), (20.0, -25.0, 20.0))


def brute_force(chain: Chain, points: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Distance to the nearest of very many balls along the chain."""
    best = np.full(len(points), np.inf)
    for (a, ra), (b, rb) in pairwise(zip(chain.centres, chain.radii, strict=True)):
        for t in np.linspace(0.0, 1.0, 2001):
            best = np.minimum(best, np.linalg.norm(points - (a + t * (b - a)), axis=1) - (ra + t * (rb - ra)))
    return best


@pytest.mark.parametrize("radii", [(2.0,), (1.0, 4.0), (6.0, 0.5), (12.0, 1.0)])
def test_distance_is_that_of_all_balls_along_the_line(radii: tuple[float, ...]) -> None:
    chain = chain_of(Tube(((-5.0, 1.0, 2.0), (5.0, 6.0, -3.0)), radii))
    points = np.random.default_rng(1).uniform(-15.0, 15.0, (200, 3))
    distance, way = chain.at(points, 100.0)
    expected = brute_force(chain, points)
    outside = expected > 0.0
    assert np.abs(distance[outside] - expected[outside]).max() < 1e-4
    assert ((distance > 0.0) == outside).all()
    assert np.abs(np.linalg.norm(way, axis=1) - 1.0).max() < 1e-9


def test_a_tube_has_the_volume_area_and_distance_of_a_capsule() -> None:
    a, b, radius = np.array((-15.0, 2.0, -4.0)), np.array((18.0, -6.0, 9.0)), 1.5
    length = float(np.linalg.norm(b - a))
    made = build(recipe(Tube((tuple(a), tuple(b)), (radius,))), BOX)
    surface = made.surface
    assert surface.is_watertight and surface.sign.reasons == ()
    assert surface.volume_mm3 == pytest.approx(np.pi * radius**2 * length + 4.0 / 3.0 * np.pi * radius**3, rel=5e-4)
    assert area_mm2(surface) == pytest.approx(2.0 * np.pi * radius * length + 4.0 * np.pi * radius**2, rel=5e-3)
    assert made.off_mm is not None and made.off_mm < 0.012 * radius
    points = np.random.default_rng(2).uniform(-25.0, 25.0, (300, 3))
    along = np.clip((points - a) @ (b - a) / length**2, 0.0, 1.0)
    exact = np.linalg.norm(points - a - along[:, None] * (b - a), axis=1) - radius
    assert np.abs(surface.closest(points).distance_mm - exact).max() < made.off_mm + 1e-9


@pytest.mark.parametrize("radius", [0.75, 8.0, 30.0])
def test_a_sphere_is_one(radius: float) -> None:
    made = build(recipe(Sphere((1.0, -2.0, 3.0), radius)), BOX)
    from_centre = np.linalg.norm(made.surface.vertices_mm - (1.0, -2.0, 3.0), axis=1)
    assert made.off_mm is not None and made.off_mm < 0.05
    assert np.abs(from_centre - radius).max() <= made.off_mm
    assert made.surface.volume_mm3 == pytest.approx(4.0 / 3.0 * np.pi * radius**3, rel=1e-3)


def test_the_error_that_is_stated_is_the_error() -> None:
    made = build(recipe(Tube(((-15.0, 0.0, 0.0), (15.0, 0.0, 0.0)), (2.0,))), BOX)
    exact = np.pi * 4.0 * 30.0 + 4.0 / 3.0 * np.pi * 8.0
    assert made.volume_error == pytest.approx(made.surface.volume_mm3 / exact - 1.0, abs=1e-5)


def test_a_radius_for_each_point_makes_a_cone() -> None:
    made = build(recipe(Tube(((-15.0, 0.0, 0.0), (15.0, 0.0, 0.0)), (1.0, 4.0))), BOX)
    slope = 3.0 / 30.0
    # Two caps and the frustum between the circles where the cone touches the balls.
    ends = [(-15.0 - slope * 1.0, 1.0 * np.sqrt(1 - slope**2)), (15.0 - slope * 4.0, 4.0 * np.sqrt(1 - slope**2))]
    (x0, r0), (x1, r1) = ends
    caps = (1.0 - slope) ** 2 * (2.0 + slope) * np.pi / 3.0 + 64.0 * (1.0 + slope) ** 2 * (2.0 - slope) * np.pi / 3.0
    assert made.surface.volume_mm3 == pytest.approx(np.pi / 3.0 * (x1 - x0) * (r0**2 + r0 * r1 + r1**2) + caps, rel=1e-3)


def test_the_curve_passes_through_every_point_without_loops() -> None:
    chain = chain_of(Tube((*NERVE, (20.5, -25.5, 20.5), (0.0, -30.0, 25.0)), (1.0,)))
    for point in (*NERVE, (20.5, -25.5, 20.5), (0.0, -30.0, 25.0)):
        assert np.linalg.norm(chain.centres - point, axis=1).min() < 1e-9
    steps = np.diff(chain.centres, axis=0)
    ways = steps / np.linalg.norm(steps, axis=1, keepdims=True)
    assert (np.einsum("ij,ij->i", ways[1:], ways[:-1]) > 0.5).all()  # no cusp, although two points lie very near each other


def test_pieces_follow_the_curve() -> None:
    """Against the same curve in pieces a hundred times as fine."""
    from navtwin.scene.author.chain import _catmull_rom

    around = np.array((NERVE[0], NERVE[1], NERVE[2], NERVE[3]))
    fine = _catmull_rom(around, np.linspace(0.0, 1.0, 5000))
    chain = Chain(np.array(chain_of(Tube(NERVE, (1.0,))).centres), np.full(len(chain_of(Tube(NERVE, (1.0,))).radii), 1e-6))
    distance, _ = chain.at(fine, 5.0)
    assert np.abs(distance).max() < STRAY_MM


def test_straight_pieces_are_straight() -> None:
    assert chain_of(Tube(NERVE, (1.0,), straight=True)).centres.tolist() == [list(point) for point in NERVE]


@pytest.mark.parametrize(
    "edit", [Tube(NERVE, (1.0, 1.5, 2.0, 1.0)), Tube(((-20.0, 0.0, 0.0), (0.0, 0.0, 0.0), (-20.0, 3.0, 0.0)), (2.5,), straight=True)]
)
def test_a_surface_is_closed_where_a_tube_bends_or_meets_itself(edit: Tube) -> None:
    surface = build(recipe(edit), BOX).surface
    assert surface.is_watertight and surface.sign.reasons == ()


def test_the_same_recipe_gives_the_same_bits() -> None:
    one, other = (build(recipe(Tube(NERVE[:3], (1.5,)), Sphere((0.0, 15.0, 3.0), 4.0)), BOX).surface for _ in range(2))
    assert one.vertices_mm.tobytes() == other.vertices_mm.tobytes()
    assert one.faces.tobytes() == other.faces.tobytes()


def test_a_moved_recipe_gives_the_moved_surface() -> None:
    turn = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]])
    shift = np.array((3.0, -2.0, 1.0))

    def moved(points: tuple[tuple[float, float, float], ...]) -> tuple[tuple[float, float, float], ...]:
        return tuple(tuple(row) for row in (np.array(points) * 0.6) @ turn.T + shift)  # type: ignore[misc]

    still = tuple(tuple(float(v) * 0.6 for v in point) for point in NERVE)
    one: Recipe = recipe(Tube(still, (2.0,)))  # type: ignore[arg-type]
    at_rest, gone = build(one, BOX), build(recipe(Tube(moved(NERVE), (2.0,))), BOX)
    points = np.random.default_rng(3).uniform(-20.0, 20.0, (200, 3))
    distance = at_rest.surface.closest(points).distance_mm
    assert at_rest.off_mm is not None and gone.off_mm is not None
    assert np.abs(gone.surface.closest(points @ turn.T + shift).distance_mm - distance).max() < at_rest.off_mm + gone.off_mm
    assert gone.surface.volume_mm3 == pytest.approx(at_rest.surface.volume_mm3, rel=1e-3)


def test_what_is_taken_away_is_gone() -> None:
    made = build(recipe(Sphere((0.0, 0.0, 0.0), 10.0), Tube(((0.0, 0.0, -20.0), (0.0, 0.0, 20.0)), (2.0,), subtract=True)), BOX)
    assert made.surface.volume_mm3 == pytest.approx(4.0 / 3.0 * np.pi * (100.0 - 4.0) ** 1.5, rel=2e-3)
    assert made.surface.closest((0.0, 0.0, 0.0)).distance_mm[0] == pytest.approx(2.0, abs=0.05)
    assert made.off_mm is not None and made.off_mm < 0.2


def test_a_step_that_changes_nothing_is_told() -> None:
    ball = Sphere((0.0, 0.0, 0.0), 6.0)
    assert build(recipe(ball, Sphere((15.0, 0.0, 0.0), 3.0, subtract=True)), BOX).said == ("step 2 takes nothing away",)
    assert build(recipe(ball, Sphere((1.0, 0.0, 0.0), 3.0)), BOX).said == ("step 2 adds nothing: it lies within what was there",)
    assert build(recipe(ball, Sphere((5.0, 0.0, 0.0), 3.0)), BOX).said == ()
