"""The report's pictures of drilled bone: each colour where it has to be, all from one place."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageColor

from navtwin.scene import palette
from navtwin.scene.bone_views import AS_PLANNED, BANDS, BARE, DOUBTFUL, OVER, UNDER, DrilledBone, bone_views, place_of, thickness_colors
from navtwin.scene.carvable import Carvable
from navtwin.scene.removal import Planned
from tests.report.made_drilling import drilled_scene

SIZE = (360, 288)


def drilled() -> DrilledBone:
    """The trough to z = -3 of 3.5 mm planned on its left half, beyond the plan in a hole to 0.6 mm above the nerve, and down to the nerve aside."""
    structure = drilled_scene().structures[0]
    assert structure.carve_mm is not None
    whole, left = (Carvable(structure.surface, structure.carve_mm) for _ in range(2))
    for x in np.arange(-5.0, 1.01, 1.0):
        left.carve((x, -6.0, -1.5), (x, 6.0, -1.5), 2.0)
    left.carve((0.0, -4.0, -1.0), (0.0, -4.0, -3.4), 2.0)
    left.carve((0.0, 4.0, -1.0), (0.0, 4.0, -7.0), 2.0)
    left.doubt((-4.0, 0.0, -4.0), (-4.0, 0.0, -4.0), 1.5)
    return DrilledBone(structure, whole, left, left.surface(), Planned.of([drilled_scene().structures[2]], whole))


@pytest.fixture(scope="module")
def bone() -> DrilledBone:
    return drilled()


@pytest.fixture(scope="module")
def views(bone: DrilledBone) -> dict[str, np.ndarray]:
    return bone_views(bone, drilled_scene(), SIZE)


def seen(image: np.ndarray, color: str) -> int:
    """Pixels of a colour's hue, in whatever light."""
    wanted = np.array(ImageColor.getrgb(color), dtype=float)
    pixels = image.reshape(-1, 3).astype(float)
    bright = pixels.sum(axis=1) > 90.0
    cosine = (pixels @ wanted) / np.maximum(np.linalg.norm(pixels, axis=1) * np.linalg.norm(wanted), 1e-9)
    return int(np.count_nonzero(bright & (cosine > 0.998)))


def test_before_and_after_are_one_place(views: dict[str, np.ndarray]) -> None:
    assert list(views) == ["before", "after", "plan", "thickness"]
    before, after = (views[name].astype(int) for name in ("before", "after"))
    changed = np.abs(before - after).max(axis=2) > 12
    rows, columns = np.nonzero(changed)
    assert changed.mean() > 0.02
    # The bone's edge and all that lies about it are the same in both.
    assert not changed[:, 0].any() and not changed[0].any()
    assert rows.max() - rows.min() < 0.75 * SIZE[1] and columns.max() - columns.min() < 0.6 * SIZE[0]


def test_over_and_under_are_told_apart(views: dict[str, np.ndarray]) -> None:
    assert seen(views["plan"], OVER[-1]) > 20
    assert seen(views["plan"], AS_PLANNED) > 200
    # The half that was planned and not drilled: its top is as far from the planned wall as it is deep.
    assert seen(views["plan"], UNDER[-1]) > 500
    assert seen(views["after"], UNDER[-1]) == seen(views["after"], OVER[-1]) == 0


def test_bone_that_is_left_has_its_bands(views: dict[str, np.ndarray]) -> None:
    assert seen(views["thickness"], BANDS[0]) > 10
    assert seen(views["thickness"], BANDS[1]) > 10
    assert seen(views["thickness"], BARE) > 5
    assert seen(views["after"], BANDS[0]) == 0


def test_doubtful_bone_is_no_band(bone: DrilledBone) -> None:
    """All bone about the hole may be gone: no colour there says how much is left."""
    unsure = drilled()
    unsure.left.doubt((0.0, -4.0, -5.0), (0.0, -4.0, -5.0), 4.0)

    def count(of: DrilledBone, color: str) -> int:
        about_hole = of.surface.vertices_mm[:, 1] < 0.0
        return int((thickness_colors(of, drilled_scene())[about_hole] == ImageColor.getrgb(color)).all(axis=1).sum())

    assert count(bone, BANDS[0]) > 5 and count(bone, DOUBTFUL) == 0
    assert count(unsure, BANDS[0]) == 0 and count(unsure, DOUBTFUL) > count(bone, BANDS[0])


def test_one_looks_into_the_opening(bone: DrilledBone) -> None:
    place = place_of(bone)
    way = np.subtract(place.eye_mm, place.focus_mm)
    assert way[2] / np.linalg.norm(way) > 0.95
    assert np.abs(np.array(place.focus_mm)[:2]).max() < 3.0
    whole = DrilledBone(bone.structure, bone.whole, bone.whole, bone.whole.surface(), None)
    still = np.subtract(place_of(whole).eye_mm, place_of(whole).focus_mm)
    assert still / np.linalg.norm(still) == pytest.approx((0.0, 1.0, 0.0)), "from the back where nothing was drilled"


def test_without_a_plan_there_is_no_picture_of_it(bone: DrilledBone) -> None:
    bare = DrilledBone(bone.structure, bone.whole, bone.left, bone.surface, None)
    assert list(bone_views(bare, drilled_scene(), (64, 48))) == ["before", "after", "thickness"]


def test_no_colour_is_used_for_two_things() -> None:
    plan, thickness = (AS_PLANNED, *OVER, *UNDER), (*BANDS, palette.CUT_BONE, BARE, DOUBTFUL)
    for colors in (plan, thickness):
        rgb = np.array([ImageColor.getrgb(color) for color in colors], dtype=float)
        apart = np.linalg.norm(rgb[:, None] - rgb[None, :], axis=2) + 1e3 * np.eye(len(rgb))
        assert apart.min() > 40.0
