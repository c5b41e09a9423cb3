"""Bone left behind points of a drilled wall, against shapes whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import pyvista as pv
from hypothesis import given
from hypothesis import strategies as st

from navtwin.scene.carvable import Carvable
from navtwin.scene.palette import BANDS_MM
from navtwin.scene.surface import Surface
from navtwin.scene.thickness import REACH_MM, Thickness, bone_left, critical_surfaces
from tests.scene.bone_room import NERVE_DEPTH_MM, NERVE_RADIUS_MM, block, nerve, scene, whole

SIDE_MM = 0.5
#: A groove along the nerve, whose floor lies 5 mm under the block's top.
FLOOR_MM = -5.0


@pytest.fixture(scope="module")
def bone() -> Carvable:
    made = Carvable(whole(), SIDE_MM)
    made.carve((0.0, -8.0, FLOOR_MM + 3.0), (0.0, 8.0, FLOOR_MM + 3.0), 3.0)
    return made


def ball(at: tuple[float, float, float], radius_mm: float = 0.8) -> Surface:
    mesh = pv.Sphere(center=at, radius=radius_mm, theta_resolution=40, phi_resolution=40).triangulate().clean()
    return Surface.from_arrays(mesh.points, mesh.regular_faces)


def test_above_the_nerve_it_is_what_is_left_of_the_groove(bone: Carvable):
    floor = np.array([(0.0, y, FLOOR_MM) for y in np.linspace(-6.0, 6.0, 13)])
    left = bone_left(floor, bone, [nerve()])
    assert np.abs(left.bone_mm - (NERVE_DEPTH_MM - NERVE_RADIUS_MM + FLOOR_MM)).max() < 0.1
    assert (left.band == 0).all() or (np.abs(left.bone_mm - 1.0) < 0.1).all()
    assert not left.doubtful.any()


@given(st.floats(-3.0, 3.0), st.floats(-5.0, 5.0))
def test_on_the_whole_floor_it_is_the_way_to_the_nerve_and_never_overestimated(bone: Carvable, x: float, y: float):
    z = FLOOR_MM + 3.0 - np.sqrt(9.0 - x * x)
    away = float(np.hypot(x, z + NERVE_DEPTH_MM)) - NERVE_RADIUS_MM
    left = bone_left(np.array([(x, y, z)]), bone, [nerve()])
    if away < REACH_MM - 0.1:
        # The groove is round about an axis above the nerve's: the way to the nerve never leaves the bone.
        assert away - 0.1 <= left.bone_mm[0] <= away + 0.1
    elif away > REACH_MM + 0.1:
        assert left.bone_mm[0] == np.inf
        assert left.band[0] == -1


def test_air_is_not_bone_and_what_lies_beyond_it_counts_only_as_thick_as_its_bone(bone: Carvable):
    behind_a_sheet = ball((0.0, 0.0, FLOOR_MM - 1.5))
    half_way_up = np.array([(0.0, 0.0, FLOOR_MM + 1.0)])
    left = bone_left(half_way_up, bone, [behind_a_sheet])
    assert left.bone_mm[0] == pytest.approx(0.7, abs=0.1)
    in_the_air = ball((0.0, 0.0, FLOOR_MM + 3.0))
    assert bone_left(half_way_up, bone, [in_the_air]).bone_mm[0] == np.inf


def test_a_bare_structure_hides_none_behind_a_thin_wall(bone: Carvable):
    floor = np.array([(0.0, 0.0, FLOOR_MM)])
    bare, behind = ball((0.0, 0.0, FLOOR_MM + 2.0)), ball((0.0, 0.0, FLOOR_MM - 1.3))
    for order in ([bare, behind], [behind, bare]):
        assert bone_left(floor, bone, order).bone_mm[0] == pytest.approx(0.5, abs=0.1)


def test_a_wall_within_what_must_not_be_cut_has_nothing_left(bone: Carvable):
    left = bone_left(np.array([(0.0, 0.0, FLOOR_MM)]), bone, [ball((0.0, 0.0, FLOOR_MM - 0.2))])
    assert left.bone_mm[0] == 0.0
    assert left.band[0] == 0


def test_doubtful_bone_on_the_way_is_told_and_elsewhere_none():
    bone = Carvable(whole(), SIDE_MM)
    bone.carve((0.0, -8.0, FLOOR_MM + 3.0), (0.0, 8.0, FLOOR_MM + 3.0), 3.0)
    bone.doubt((0.0, -6.0, FLOOR_MM), (0.0, -5.0, FLOOR_MM), 1.0)
    left = bone_left(np.array([(0.0, -5.5, FLOOR_MM), (0.0, 6.0, FLOOR_MM)]), bone, [nerve()])
    assert left.doubtful.tolist() == [True, False]


@given(st.lists(st.floats(0.0, 9.0), min_size=1, max_size=20))
def test_bands_hold_what_they_say(mm: list[float]):
    thickness = Thickness(np.array(mm), np.zeros(len(mm), np.bool_))
    for bone_mm, band in zip(mm, thickness.band.tolist(), strict=True):
        lower = (0.0, *BANDS_MM)[band]
        assert (bone_mm > BANDS_MM[-1]) if band < 0 else lower <= bone_mm <= BANDS_MM[band]


def test_only_critical_structures_near_the_bone_are_asked():
    case = scene()
    far = replace(case.structures[1], name="far", surface=ball((90.0, 0.0, 0.0)))
    context = replace(case.structures[1], name="context", role="context", caution_mm=None, danger_mm=None)
    case = replace(case, structures=(*case.structures, far, context))
    assert critical_surfaces(case, near=case.structures[0].surface) == (case.structures[1].surface,)


def test_the_block_is_what_it_says():
    assert np.abs(block(np.asarray(whole().vertices_mm))).max() < 0.1
