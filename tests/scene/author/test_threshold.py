"""Bone by threshold, on scans whose level is known exactly."""

from __future__ import annotations

import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.scene.author.build import build
from navtwin.scene.author.recipe import Cut, Sphere, Threshold, Tube
from navtwin.volumes.volume import placed
from tests.scene.author.scans import ball_scan, recipe

MIDDLE, SMALL = ((0.0, 0.0, 0.0), 18.0), ((28.0, 0.0, 0.0), 5.0)
BALL = 4.0 / 3.0 * np.pi * 18.0**3


def test_the_surface_lies_on_the_level_between_voxels() -> None:
    made = build(recipe(Threshold(300.0)), ball_scan(MIDDLE))
    assert np.abs(np.linalg.norm(made.surface.vertices_mm, axis=1) - 18.0).max() < 0.06  # by linear interpolation over 2 mm
    assert made.surface.volume_mm3 == pytest.approx(BALL, rel=0.01)
    assert made.surface.is_watertight and made.surface.normals_are_outward
    assert not made.capped


def test_an_upper_threshold_makes_a_shell() -> None:
    made = build(recipe(Threshold(300.0, upper_hu=1000.0)), ball_scan(MIDDLE))
    assert made.surface.volume_mm3 == pytest.approx(BALL - 4.0 / 3.0 * np.pi * 11.0**3, rel=0.01)


def test_crop_and_cut_are_planes_between_voxels() -> None:
    scan = ball_scan(MIDDLE)
    cut = build(recipe(Threshold(300.0, cut=(Cut((0.0, 0.0, 3.3), (0.0, 0.0, 2.0)),))), scan)
    height = 18.0 - 3.3
    assert cut.surface.bounds_mm[0][2] == pytest.approx(3.3, abs=1e-3)
    assert cut.surface.volume_mm3 == pytest.approx(np.pi * height**2 * (18.0 - height / 3.0), rel=0.01)
    cropped = build(recipe(Threshold(300.0, crop_mm=(-50.0, -50.0, -50.0, 4.3, 50.0, 50.0))), scan)
    assert cropped.surface.bounds_mm[1][0] == pytest.approx(4.3, abs=1e-3)


def test_a_seed_picks_its_island() -> None:
    scan = ball_scan(MIDDLE, SMALL)
    assert build(recipe(Threshold(300.0)), scan).surface.volume_mm3 == pytest.approx(BALL + 4.0 / 3.0 * np.pi * 125.0, rel=0.01)
    small = build(recipe(Threshold(300.0, seeds_mm=((28.0, 1.0, 1.0),))), scan)
    assert small.surface.volume_mm3 == pytest.approx(4.0 / 3.0 * np.pi * 125.0, rel=0.05)  # 2 mm slices
    assert small.said == ("1 of 2 islands kept",)
    both = build(recipe(Threshold(300.0, seeds_mm=((28.0, 1.0, 1.0), (0.0, 0.0, 0.0)))), scan)
    assert both.surface.bounds_mm[1][0] == pytest.approx(33.0, abs=0.1)


def test_a_seed_beside_the_bone_takes_the_nearest_within_reach_and_says_so() -> None:
    scan = ball_scan(MIDDLE, SMALL)
    beside = build(recipe(Threshold(300.0, seeds_mm=((28.0, 7.0, 0.0),))), scan)
    assert beside.surface.bounds_mm[0][0] > 20.0
    assert beside.said[0].startswith("seed 1 lies beside the structure: the island 2.")
    with pytest.raises(InputRefused, match=r"seed 1 at 28\.0 12\.0 0\.0 lies in no island .* the nearest is 7\.\d mm away, at 28\.0 5\.0"):
        build(recipe(Threshold(300.0, seeds_mm=((28.0, 12.0, 0.0),))), scan)
    with pytest.raises(InputRefused, match="none is near"):
        build(recipe(Threshold(300.0, seeds_mm=((-33.0, -33.0, -30.0),), reach_mm=1.0)), scan)


def test_closed_cavities_are_filled_up_to_their_size() -> None:
    hollow = ball_scan(MIDDLE)
    hu = np.array(hollow.hu)
    hu[np.where(hu > 1300.0)] = 0.0  # a cavity of 8 mm radius
    scan = placed(hu, hollow.T_ct_from_ijk.copy(), hollow.path)
    cavity = 4.0 / 3.0 * np.pi * 8.0**3
    assert build(recipe(Threshold(300.0, fill_mm3=1000.0)), scan).surface.volume_mm3 < BALL - 0.8 * cavity
    filled = build(recipe(Threshold(300.0, fill_mm3=3000.0)), scan)
    assert filled.surface.volume_mm3 == pytest.approx(BALL, rel=0.01)
    assert filled.said[0].startswith("closed cavities filled: 1, ")


def test_two_large_parts_are_told() -> None:
    made = build(recipe(Threshold(300.0)), ball_scan(((-15.0, 0.0, 0.0), 12.0), ((20.0, 0.0, 0.0), 9.0)))
    assert "falls into 2 large parts (of 7 and 3 ml)" in made.said[-1]


def test_a_structure_that_leaves_the_scan_is_closed_and_said_to_be_capped() -> None:
    made = build(recipe(Threshold(300.0)), ball_scan(((34.0, 0.0, 0.0), 12.0)))
    assert made.capped and made.surface.is_watertight
    assert made.surface.bounds_mm[1][0] == pytest.approx(35.5, abs=1e-2)


def test_a_tube_joins_a_threshold_on_divided_voxels() -> None:
    scan = ball_scan(MIDDLE)
    made = build(recipe(Threshold(300.0), Tube(((0.0, 0.0, 0.0), (0.0, 0.0, 34.0)), (2.0,))), scan)
    beyond = np.pi * 4.0 * (34.0 - 18.0) + 2.0 / 3.0 * np.pi * 8.0
    assert made.surface.volume_mm3 == pytest.approx(BALL + beyond, rel=0.01)
    assert made.surface.closest((2.5, 0.0, 28.0)).distance_mm[0] == pytest.approx(0.5, abs=0.03)
    less = build(recipe(Threshold(300.0), Sphere((18.0, 0.0, 0.0), 6.0, subtract=True)), scan)
    assert less.surface.closest((13.0, 0.0, 0.0)).distance_mm[0] == pytest.approx(1.0, abs=0.05)


def test_the_same_recipe_gives_the_same_bits() -> None:
    asked = recipe(Threshold(300.0, seeds_mm=((0.0, 0.0, 0.0),), fill_mm3=10.0), Sphere((10.0, 0.0, 0.0), 12.0))
    one, other = (build(asked, ball_scan(MIDDLE)).surface for _ in range(2))
    assert one.vertices_mm.tobytes() == other.vertices_mm.tobytes()
    assert one.faces.tobytes() == other.faces.tobytes()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (recipe(Threshold(2900.0)), "no voxel of the CT belongs to the threshold of 2900 HU"),
        (recipe(Threshold(300.0, crop_mm=(60.0, 0.0, 0.0, 70.0, 1.0, 1.0))), "the crop box lies outside the CT"),
        (recipe(Threshold(300.0, cut=(Cut((0.0, 0.0, 30.0), (0.0, 0.0, 1.0)),))), "within crop and cut"),
        (recipe(Threshold(300.0, seeds_mm=((0.0, 0.0, 90.0),))), "seed 1 at 0.0 0.0 90.0 mm lies outside the CT"),
        (recipe(Sphere((0.0, 90.0, 0.0), 3.0)), "the centre at 0.0 90.0 0.0 mm lies outside the CT"),
        (recipe(Tube(((0.0, 0.0, 0.0), (0.0, 0.0, -41.5)), (3.0,))), "point 2 at 0.0 0.0 -41.5 mm lies outside the CT"),
        (recipe(Sphere((0.0, 0.0, 0.0), 3.0), Sphere((0.0, 0.0, 0.0), 5.0, subtract=True)), "nothing is left"),
        (
            recipe(Sphere((-30.0, -30.0, -30.0), 0.1), Sphere((30.0, 30.0, 30.0), 0.1), Sphere((30.0, -30.0, 0.0), 0.1)),
            r"so fine for its size that it would take \d+\.\d GiB",
        ),
    ],
)
def test_what_cannot_be_built_is_refused_by_name(asked: object, words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        build(asked, ball_scan(MIDDLE))  # type: ignore[arg-type]


def test_a_threshold_needs_the_ct() -> None:
    with pytest.raises(InputRefused, match="needs the CT"):
        build(recipe(Threshold(300.0)), ball_scan(MIDDLE).box)
