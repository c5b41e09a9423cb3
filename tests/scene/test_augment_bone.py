"""Drilled bone through a lens: the hole and what lies under it, against holes and plans whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import pyvista as pv

from navtwin.nouns import Body, RegistrationResult, RigCamera
from navtwin.nouns.base import Pose
from navtwin.rigid import Rigid
from navtwin.scene.augment import Anatomy, Eye, scene_marks
from navtwin.scene.augment_bone import DARKER_MM, Drilled, box_of, look_in, met_mm
from navtwin.scene.bone_picture import grid_of
from navtwin.scene.carvable import Carvable
from navtwin.scene.cover import Cover
from navtwin.scene.lens import Lens
from navtwin.scene.model import Patient, Scene, Structure
from navtwin.scene.removal_view import LEAST_MM, PlannedBone, RemovalMarks, removal_marks
from navtwin.scene.surface import Surface
from navtwin.volumes.volume import VolumeBox

SIDE_MM, FAR_MM = 0.5, 200.0
CAMERA = RigCamera(name="cam", width_px=640, height_px=480, focal_px=(1600.0, 1600.0), centre_px=(320.0, 240.0), distortion=(-0.1, 0.02, 0.0, 0.0))
#: It looks down on the bone's top, z = 0, from FAR_MM.
T_CAMERA_FROM_CT = Rigid.from_matrix([[1, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, FAR_MM], [0, 0, 0, 1]], target="camera", source="ct")
LENS = Lens.of(CAMERA)


def box(low: tuple[float, ...], high: tuple[float, ...]) -> Surface:
    bounds = (low[0], high[0], low[1], high[1], low[2], high[2])
    mesh = pv.Box(bounds, level=6).triangulate().clean()
    return Surface.from_arrays(mesh.points.astype(float), mesh.regular_faces)


def solid(name: str, role: str, surface: Surface, **more: object) -> Structure:
    return Structure(name, role, "ref", surface, None, None, 0.2, 15.0, "#f2c14e", 1.0, False, **more)  # type: ignore[arg-type]


@cache
def bone() -> Structure:
    return solid("bone", "work", box((-18.0, -18.0, -16.0), (18.0, 18.0, 0.0)), carve_mm=SIDE_MM)


@cache
def nerve() -> Structure:
    """Along y, its top 6 mm under the bone's."""
    mesh = pv.Cylinder(center=(0.0, 0.0, -7.0), direction=(0.0, 1.0, 0.0), radius=1.0, height=30.0, resolution=48).triangulate().subdivide(2).clean()
    return solid("nerve", "critical", Surface.from_arrays(mesh.points.astype(float), mesh.regular_faces))


def fresh() -> Carvable:
    return Carvable(bone().surface, SIDE_MM)


def drilled(carvable: Carvable, *plans: PlannedBone) -> Drilled:
    return Drilled(bone(), carvable, box_of(grid_of(carvable), carvable.changed), tuple(plan.left(carvable) for plan in plans))


def at(hole_px: npt.ArrayLike, corner_px: tuple[float, float], cell_px: float) -> tuple[int, int]:
    x, y = (np.asarray(hole_px) - corner_px) / cell_px
    return int(y), int(x)


@pytest.mark.parametrize("radius", [2.0, 5.0])
def test_a_ball_half_sunk_in_a_flat_top_is_seen_as_a_disc_with_the_right_depths(radius: float) -> None:
    carvable = fresh()
    carvable.carve((3.0, -2.0, 0.0), (3.0, -2.0, 0.0), radius)
    hole = look_in(drilled(carvable), LENS, T_CAMERA_FROM_CT, None)
    assert hole is not None
    middle = LENS.project(T_CAMERA_FROM_CT.apply((3.0, -2.0, 0.0)))
    there = at(middle, hole.corner_px, hole.cell_px)
    deepest = np.array((3.0, -2.0, -radius))
    met = met_mm(drilled(carvable), (0.0, 0.0, FAR_MM), deepest[None])
    assert met == pytest.approx((FAR_MM + radius) * np.hypot(np.hypot(3.0, 2.0), FAR_MM + radius) / (FAR_MM + radius), abs=0.1)
    assert hole.brightness[there] == pytest.approx(np.exp(-radius / DARKER_MM), abs=0.03)
    edge = LENS.project(T_CAMERA_FROM_CT.apply(np.array((3.0, -2.0, 0.0)) + radius * np.array(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0)))))
    wide = float(np.linalg.norm(edge - middle, axis=1).mean())
    off = np.linalg.norm(hole.rim.reshape(-1, 2) - middle, axis=1)
    # Its edge is as sharp as the grid allows, and the mask as its cells.
    assert np.abs(off - wide).max() < hole.cell_px + 0.4 * SIDE_MM / FAR_MM * 1600.0
    assert hole.is_open.sum() * hole.cell_px**2 == pytest.approx(np.pi * wide**2, rel=0.08)
    pieces, count = np.unique(hole.rim.round(6).reshape(-1, 2), axis=0, return_counts=True)
    assert len(pieces) > 20 and (count == 2).all(), "the line around it closes"


def test_a_hole_through_the_bone_has_nothing_behind_it() -> None:
    carvable = fresh()
    carvable.carve((0.0, 0.0, 2.0), (0.0, 0.0, -20.0), 3.0)
    hole = look_in(drilled(carvable), LENS, T_CAMERA_FROM_CT, None)
    assert hole is not None
    there = at((320.0, 240.0), hole.corner_px, hole.cell_px)
    assert hole.is_open[there] and hole.brightness[there] == 0.0
    assert np.isinf(met_mm(drilled(carvable), (0.0, 0.0, FAR_MM), np.zeros((1, 3)))).all()


def test_there_is_no_hole_where_nothing_was_drilled_or_it_is_not_in_view() -> None:
    assert look_in(drilled(fresh()), LENS, T_CAMERA_FROM_CT, None) is None
    below = fresh()
    below.carve((0.0, 0.0, -16.0), (0.0, 0.0, -16.0), 3.0)
    assert look_in(drilled(below), LENS, T_CAMERA_FROM_CT, None) is None
    beside = fresh()
    beside.carve((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 3.0)
    away = Rigid.from_matrix([[1, 0, 0, 200], [0, -1, 0, 0], [0, 0, -1, FAR_MM], [0, 0, 0, 1]], target="camera", source="ct")
    assert look_in(drilled(beside), LENS, away, None) is None


def test_other_bone_in_front_hides_it() -> None:
    carvable = fresh()
    carvable.carve((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 4.0)
    in_front = Cover(np.full((120, 160), FAR_MM - 30.0), 4.0)
    assert look_in(drilled(carvable), LENS, T_CAMERA_FROM_CT, in_front) is None
    behind = Cover(np.full((120, 160), FAR_MM + 60.0), 4.0)
    assert look_in(drilled(carvable), LENS, T_CAMERA_FROM_CT, behind) is not None


def scene(*more: Structure) -> Scene:
    volume = VolumeBox(((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)), (1, 1, 1))
    return Scene("block", (bone(), nerve(), *more), (), (), Patient(), volume, Path("ct"), Path(), "block")


def eye() -> Eye:
    ref = Rigid.from_matrix(np.eye(4), target="ct", source="ref")
    result = RegistrationResult(
        request="r", accepted=True, reasons=(), pose=Pose.from_rigid(ref), fre_mm=0.3, landmarks=(), residual_mm=(),
        covariance=tuple(float(v) for v in (np.eye(6) * 0.01)[np.triu_indices(6)]), centroid_mm=(0.0, 0.0, 0.0),
    )  # fmt: skip
    return Eye(LENS, T_CAMERA_FROM_CT, T_CAMERA_FROM_CT @ ref, result, Body(name="ref", sd_mm=0.1, sd_rad=0.001))


def test_depths_are_told_under_the_bone_that_is_left() -> None:
    anatomy = Anatomy.of(scene())
    carvable = fresh()
    whole = scene_marks(anatomy, eye(), drilled(carvable)).structures[0]
    carvable.carve((0.0, -6.0, 0.0), (0.0, 6.0, 0.0), 4.0)
    marks = scene_marks(anatomy, eye(), drilled(carvable))
    cut = marks.structures[0]
    assert marks.hole is not None and marks.has_depths
    rows = np.abs(cut.seen_px[:, 1] - 240.0) / 1600.0 * FAR_MM
    middle = (np.abs(cut.seen_px[:, 0] - 320.0) < 3.0) & (rows < 4.0)
    # The nerve's ridge: 6 mm under the top, 2 mm under the hole's floor.
    assert np.median(whole.seen_below_mm[middle]) == pytest.approx(6.0, abs=0.4)
    assert np.median(cut.seen_below_mm[middle]) == pytest.approx(2.0, abs=0.4)
    away = rows > 12.5
    assert away.any()
    np.testing.assert_allclose(cut.seen_below_mm[away], whole.seen_below_mm[away])


def test_where_the_bone_is_not_known_no_depth_is_told_and_all_is_as_if_it_lay_bare() -> None:
    marks = scene_marks(Anatomy.of(scene()), eye(), None)
    assert not marks.has_depths and marks.hole is None and not marks.removals
    (found,) = marks.structures
    assert (found.seen_below_mm == 0.0).all() and all((loop.below_mm == 0.0).all() for loop in found.loops)


@cache
def planned() -> PlannedBone:
    """Of a box that stands half out of the bone, the lower half: 10 x 8 x 4 mm."""
    return PlannedBone.of(solid("plan", "context", box((-5.0, -4.0, -4.0), (5.0, 4.0, 4.0)), removal_of="bone"), bone())


def marks_of(carvable: Carvable) -> RemovalMarks | None:
    return removal_marks(planned().left(carvable), LENS, T_CAMERA_FROM_CT)


def test_what_is_planned_is_what_lies_in_the_bone_and_as_thick_as_it_is() -> None:
    assert planned().volume_mm3 == pytest.approx(320.0, rel=0.03)
    assert planned().left(fresh()).share == pytest.approx(1.0, abs=0.01)
    marks = marks_of(fresh())
    assert marks is not None
    there = at((320.0, 240.0), marks.corner_px, marks.cell_px)
    assert marks.thickness_mm[there] == pytest.approx(4.0, abs=0.3)
    corners = LENS.project(T_CAMERA_FROM_CT.apply([(-5.0, 4.0, -2.0), (5.0, -4.0, -2.0)]))
    found = marks.outline.reshape(-1, 2)
    np.testing.assert_allclose(found.min(axis=0), corners[0], atol=0.6 * marks.cell_px)
    np.testing.assert_allclose(found.max(axis=0), corners[1], atol=0.6 * marks.cell_px)
    _, count = np.unique(found.round(6), axis=0, return_counts=True)
    assert (count % 2 == 0).all()


def test_what_is_left_shrinks_as_it_is_drilled_down_to_a_skin_that_is_not_drawn() -> None:
    carvable, shares = fresh(), [1.02]
    for x in np.arange(-6.0, 7.0, 1.0):
        for y in np.arange(-4.0, 4.5, 1.0):
            carvable.carve((x, y, 0.0), (x, y, -1.75), 2.0)
        shares.append(planned().left(carvable).share)
    assert (np.diff(shares) <= 1e-9).all()
    # A quarter of a millimetre, and what lies beside the strokes.
    left = planned().left(carvable)
    assert 0.02 < left.share < 0.2
    marks = marks_of(carvable)
    assert marks is None or (marks.thickness_mm[2:-2, 2:-2] < 2.0 * LEAST_MM).all()


def test_where_all_is_gone_nothing_is_outlined() -> None:
    half = fresh()
    half.carve((-5.5, -4.5, 0.0), (-5.5, 4.5, 0.0), 6.0)
    marks = marks_of(half)
    assert marks is not None
    assert marks.outline[:, :, 0].min() > LENS.project(T_CAMERA_FROM_CT.apply((-2.5, 0.0, -4.0)))[0]
    half.carve((5.5, -4.5, 0.0), (5.5, 4.5, 0.0), 8.0)
    assert marks_of(half) is None


def test_what_is_beside_the_picture_has_no_marks() -> None:
    away = Rigid.from_matrix([[1, 0, 0, 200], [0, -1, 0, 0], [0, 0, -1, FAR_MM], [0, 0, 0, 1]], target="camera", source="ct")
    assert removal_marks(planned().left(fresh()), LENS, away) is None


def test_planned_removal_that_misses_the_bone_is_not_kept() -> None:
    beside = solid("beside", "context", box((30.0, 0.0, 0.0), (35.0, 5.0, 5.0)), removal_of="bone")
    of_other = replace(beside, name="other", removal_of="skull")
    assert Anatomy.of(scene(beside, of_other)).removals == ()


def test_a_coarse_mesh_is_not_smoothed_away() -> None:
    tube = pv.Cylinder(center=(0.0, 0.0, -7.0), direction=(0.0, 1.0, 0.0), radius=1.0, height=30.0, resolution=32).triangulate().clean()
    coarse = solid("nerve", "critical", Surface.from_arrays(tube.points.astype(float), tube.regular_faces))
    ((_, shell),) = Anatomy.of(replace(scene(), structures=(bone(), coarse))).critical
    np.testing.assert_allclose(np.ptp(shell.vertices_mm, axis=0), (2.0, 30.0, 2.0), atol=1.25)
