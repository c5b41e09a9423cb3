"""Painted slices against shapes with a formula: cylinders, cones, rings."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from msgspec.structs import replace as changed

from navtwin.errors import InputRefused
from navtwin.scene.author import painted as painted_module
from navtwin.scene.author.build import build
from navtwin.scene.author.painted import slices_of
from navtwin.scene.author.recipe import Outline, Painted
from navtwin.volumes.volume import volume_box
from tests.scene.author.scans import SHAPE_IJK, affine, circle, recipe

BOX = volume_box(affine(), SHAPE_IJK)


def volume_of(painted: Painted) -> float:
    made = build(recipe(painted), BOX)
    assert made.surface.is_watertight and made.surface.sign.reasons == ()
    return made.surface.volume_mm3


def test_a_cylinder_ends_half_a_slice_on() -> None:
    made = build(recipe(Painted(tuple(circle(8.0, z) for z in (0.0, 4.0, 10.0, 12.0)))), BOX)
    assert made.surface.bounds_mm[:, 2] == pytest.approx((-1.0, 13.0), abs=0.02)  # the thinnest slice is 2 mm
    assert made.surface.volume_mm3 == pytest.approx(np.pi * 64.0 * 14.0, rel=0.01)
    thick = volume_of(Painted(tuple(circle(8.0, z) for z in (0.0, 10.0)), thickness_mm=5.0))
    assert thick == pytest.approx(np.pi * 64.0 * 15.0, rel=0.01)


def test_between_two_circles_lies_a_cone() -> None:
    """Distances from concentric circles are linear in the radius: what is interpolated is the frustum itself."""
    made = build(recipe(Painted((circle(4.0, -10.0), circle(12.0, 10.0)), thickness_mm=1.0)), BOX)
    exact = np.pi * 20.0 / 3.0 * (16.0 + 48.0 + 144.0) + np.pi * (16.0 + 144.0) * 0.5
    assert made.surface.volume_mm3 == pytest.approx(exact, rel=0.005)
    middle = made.surface.vertices_mm[np.abs(made.surface.vertices_mm[:, 2]) < 8.0]
    assert np.abs(np.linalg.norm(middle[:, :2], axis=1) - (8.0 + 0.4 * middle[:, 2])).max() < 0.05


def test_the_map_is_the_distance_to_the_outline() -> None:
    found = slices_of(Painted((circle(8.0, 0.0, corners=720),), thickness_mm=2.0))
    nv, nu = found.maps.shape[1:]
    u = found.origin_mm[0] + found.side_mm * np.arange(nu)[None, :]
    v = found.origin_mm[1] + found.side_mm * np.arange(nv)[:, None]
    assert np.abs(found.maps[0] - (np.hypot(u, v) - 8.0)).max() < 1e-3


def test_an_outline_in_another_is_a_hole() -> None:
    ring = Painted(tuple(circle(radius, z) for z in (0.0, 6.0) for radius in (10.0, 5.0)))
    assert volume_of(ring) == pytest.approx(np.pi * 75.0 * 12.0, rel=0.01)


def test_the_order_of_slices_and_the_way_round_say_nothing() -> None:
    loops = (circle(6.0, 0.0), circle(8.0, 5.0), circle(5.0, 12.0))
    first = build(recipe(Painted(loops)), BOX).surface
    for order in permutations(loops):
        turned = tuple(Outline(one.points_mm[::-1]) for one in order)
        assert build(recipe(Painted(order)), BOX).surface.vertices_mm.tobytes() == first.vertices_mm.tobytes()
        assert build(recipe(Painted(turned)), BOX).surface.volume_mm3 == pytest.approx(first.volume_mm3, rel=1e-9)


def test_slices_may_lean() -> None:
    turn = np.array([[0.36, 0.48, -0.8], [-0.8, 0.6, 0.0], [0.48, 0.64, 0.6]])
    loops = (circle(6.0, 0.0), circle(8.0, 5.0), circle(5.0, 12.0))
    leaning = tuple(Outline(tuple(tuple(turn @ p) for p in one.points_mm)) for one in loops)  # type: ignore[arg-type]
    moved = build(recipe(Painted(leaning, normal=tuple(turn[:, 2]))), BOX).surface  # type: ignore[arg-type]
    still = build(recipe(Painted(loops)), BOX).surface
    points = np.random.default_rng(1).uniform(-12.0, 16.0, (200, 3))
    apart = moved.closest(points @ turn.T).distance_mm - still.closest(points).distance_mm
    assert np.abs(apart).max() < 0.35  # at the rims of the flat ends; elsewhere far less
    assert np.median(np.abs(apart)) < 0.02


def test_a_figure_of_two_outlines_splits_between_slices() -> None:
    fork = Painted((circle(8.0, 0.0), circle(4.0, 6.0, (-5.0, 0.0)), circle(4.0, 6.0, (5.0, 0.0))))
    made = build(recipe(fork), BOX)
    assert made.surface.closest([(5.0, 0.0, 6.0), (-5.0, 0.0, 6.0), (0.0, 0.0, 0.0), (0.0, 0.0, 6.0)]).distance_mm[:3].max() < 0.0
    assert made.surface.closest((0.0, 0.0, 6.0)).distance_mm[0] > 0.5


SQUARE = Outline(((0.0, 0.0, 0.0), (10.0, 0.0, 0.0), (10.0, 10.0, 0.0), (0.0, 10.0, 0.0)))
BOW = Outline(((0.0, 0.0, 0.0), (10.0, 10.0, 0.0), (10.0, 0.0, 0.0), (0.0, 6.0, 0.0)))


@pytest.mark.parametrize(
    ("painted", "words"),
    [
        (Painted((BOW, circle(3.0, 5.0))), "outline 1 crosses itself at 0.0 mm"),
        (Painted((SQUARE, circle(3.0, 5.0), circle(6.0, 0.0))), "outlines 1 and 3 cross each other at 0.0 mm"),
        (
            Painted((circle(3.0, 0.0, (-15.0, 0.0)), circle(3.0, 8.0, (15.0, 0.0)))),
            "at 0.0 and 8.0 mm do not overlap.*Paint a slice between",
        ),
        (Painted((SQUARE,)), "one slice, and nobody states how thick it is"),
        (Painted((changed(SQUARE, points_mm=(*SQUARE.points_mm[:3], (0.0, 10.0, 0.4))), circle(3.0, 5.0))), "outline 1 strays 0.3 mm from its slice"),
        (Painted((Outline(((0.0, 0.0, 0.0), (5.0, 0.0, 0.0), (10.0, 0.0, 0.0))), circle(3.0, 5.0))), "outline 1 at 0.0 mm holds nothing"),
    ],
)
def test_what_is_drawn_wrongly_is_refused_by_name(painted: Painted, words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        build(recipe(painted), BOX)


def test_outlines_too_fine_for_their_size_are_refused_before_they_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(painted_module, "_MOST_NODES", 2000)
    with pytest.raises(InputRefused, match="too fine for their size"):
        slices_of(Painted((circle(8.0, 0.0), circle(8.0, 4.0))))


def test_a_slice_in_another_place_moves_the_surface() -> None:
    one = slices_of(Painted((circle(8.0, 0.0), circle(8.0, 4.0))))
    assert one.heights_mm.tolist() == [0.0, 4.0] and one.half_mm == 2.0
    assert replace(one, half_mm=1.0).high[2] == 5.0
