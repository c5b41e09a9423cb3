"""The tools without a screen: presses of the mouse become drafts of tubes, spheres, bone and outlines, and every stroke goes back and forth."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gui.case.tools.bone import BoneTool, cut_of, grip
from gui.case.tools.history import History
from gui.case.tools.paint import NORMALS, PaintTool, paint_tool, untangled
from gui.case.tools.sphere import SphereTool
from gui.case.tools.touch import shifted
from gui.case.tools.tube import TubeTool
from navtwin.errors import InputRefused
from navtwin.rigid import Vec3
from navtwin.scene.author.recipe import Outline, Painted, Sphere, Threshold, Tube
from navtwin.scene.slices import ACROSS, PLANES, Plane
from tests.gui.tools_room import click, drag, ring, touch

# --- steps back and forth


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["", "a", "b"]), st.sampled_from(["put", "lift", "undo", "redo"])), max_size=40))
def test_all_that_is_undone_can_be_done_again(steps: list[tuple[int, str, str]]) -> None:
    history = History(0)
    for value, stroke, what in steps:
        if what == "put":
            history.put(value, stroke)
        else:
            getattr(history, what)()
    now, back = history.now, 0
    while history.undo():
        back += 1
    assert history.now == 0 and not history.can_undo
    for _ in range(back):
        assert history.redo()
    assert history.now == now


def test_one_stroke_is_one_step_and_one_that_comes_back_is_none() -> None:
    history = History(1)
    for value in (2, 3, 4):
        history.put(value, "radius")
    history.lift()
    history.put(5, "radius")
    history.put(4, "radius")
    history.lift()
    assert history.undo() and history.now == 1
    assert not history.undo()


# --- tube


def test_clicks_make_a_centre_line_and_drags_move_it_within_the_slice() -> None:
    tool = TubeTool()
    click(tool, touch(10, 10, 5), touch(10, 12, 15), touch(12, 14, 25))
    drag(tool, touch(10.5, 12, 15), touch(13.5, 13, 15))
    assert tool.draft.points_mm == ((10, 10, 5), (13, 13, 15), (12, 14, 25))
    click(tool, touch(12, 13, 20, more=True))
    assert tool.draft.points_mm[2] == (12, 13, 20) and tool.draft.chosen == 2
    assert tool.delete() and len(tool.draft.points_mm) == 3
    assert tool.draft.edit() == Tube(((10, 10, 5), (13, 13, 15), (12, 14, 25)), (2.0,))


def test_a_point_of_another_slice_is_not_taken_hold_of_but_continued() -> None:
    """A vessel that runs through the slices has its points one behind the other."""
    tool = TubeTool()
    click(tool, touch(10, 10, 5), touch(10, 10, 8), touch(10, 10, 11))
    assert len(tool.draft.points_mm) == 3


def test_the_line_goes_on_at_the_end_that_is_chosen() -> None:
    tool = TubeTool()
    click(tool, touch(10, 10, 5), touch(10, 10, 15), touch(10, 10, 5), touch(10, 10, 0))
    assert tool.draft.points_mm == ((10, 10, 0), (10, 10, 5), (10, 10, 15))
    assert "before point 1" in tool.hint


def test_each_point_may_have_its_own_radius() -> None:
    tool = TubeTool()
    click(tool, touch(10, 10, 5), touch(10, 10, 25))
    tool.set_radius(3.0)
    tool.set_each(True)
    tool.set_radius(1.0)
    assert tool.draft.radii_mm == (3.0, 1.0)
    click(tool, touch(10, 10, 15, more=True))
    assert tool.draft.radii_mm == (3.0, 2.0, 1.0)
    tool.choose(0)
    tool.delete()
    assert tool.draft.radii_mm == (2.0, 1.0)
    tool.set_each(False)
    assert len(tool.draft.radii_mm) == 1


def test_a_tube_that_is_none_says_what_is_missing_and_is_kept() -> None:
    tool = TubeTool()
    click(tool, touch(10, 10, 5))
    with pytest.raises(InputRefused, match="1 points"):
        tool.draft.edit()
    assert tool.draft.points_mm == ((10, 10, 5),)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.sampled_from([0, 2, 4, 6])), min_size=1, max_size=12), st.booleans())
def test_whatever_was_clicked_goes_back_and_forth(points: list[tuple[int, int, int]], each: bool) -> None:
    tool = TubeTool()
    for n, (x, y, z) in enumerate(points):
        click(tool, touch(x, y, z, more=n % 3 == 2))
        tool.set_each(each)
        if n % 4 == 3:
            tool.delete()
    last = tool.draft
    assert len(last.radii_mm) in (1, max(1, len(last.points_mm)))
    while tool.history.undo():
        pass
    assert tool.empty
    while tool.history.redo():
        pass
    assert tool.draft == last


# --- sphere


@pytest.mark.parametrize("plane", PLANES)
def test_a_sphere_is_a_centre_and_a_dragged_radius_in_any_plane(plane: Plane) -> None:
    aside: Vec3 = (6.0, 0.0, 0.0) if plane != "sagittal" else (0.0, 6.0, 0.0)
    tool = SphereTool()
    drag(tool, touch(30, 30, 30, plane), touch(*shifted((30, 30, 30), (0, 0, 0), aside), plane))
    assert tool.draft.edit() == Sphere((30, 30, 30), 6.0)
    # On a slice beside the centre the rim is nearer, and what is dragged is still the sphere's radius.
    off = [0.0, 0.0, 0.0]
    off[ACROSS[plane]] = 3.6
    start, end = (shifted((30, 30, 30), (0, 0, 0), tuple(o + f * a for o, a in zip(off, aside, strict=True))) for f in (4.8 / 6, 8.0 / 6))
    drag(tool, touch(*start, plane), touch(*end, plane))
    assert tool.draft.radius_mm == pytest.approx((8.0**2 + 3.6**2) ** 0.5, abs=0.01)
    drag(tool, touch(30, 30, 30, plane), touch(31, 31, 31, plane))
    assert tool.draft.centre_mm == (31, 31, 31)


def test_a_hand_that_only_clicks_means_no_radius_of_nothing() -> None:
    tool = SphereTool()
    drag(tool, touch(30, 30, 30), touch(30.2, 30, 30))
    assert tool.draft.edit() == Sphere((30, 30, 30), 5.0)


# --- bone


def test_two_clicks_and_a_side_make_a_plane_upright_on_the_slice() -> None:
    cut = cut_of(touch(0, 0, 7), touch(10, 0, 7), touch(5, 4, 7))
    assert cut.point_mm == (0, 0, 7) and cut.keep == pytest.approx((0, 1, 0))
    tool = BoneTool()
    tool.do("cut")
    click(tool, touch(5, 0, 10, "sagittal"), touch(5, 10, 10, "sagittal"))
    assert not tool.draft.cut and "side to keep" in tool.hint
    click(tool, touch(5, 3, 2, "sagittal"))
    assert tool.draft.cut[0].keep == pytest.approx((0, 0, -1))
    assert tool.delete() and not tool.draft.cut


def test_clicks_on_bone_pick_islands() -> None:
    tool = BoneTool()
    click(tool, touch(1, 1, 1))
    assert not tool.draft.seeds_mm, "unless the mouse is for islands it is the slices'"
    tool.do("island")
    click(tool, touch(1, 1, 1), touch(20, 1, 1), touch(40, 1, 1, more=True))
    assert tool.draft.seeds_mm == ((20, 1, 1), (40, 1, 1))


def test_a_crop_box_is_dragged_by_edges_corners_and_as_a_whole() -> None:
    tool = BoneTool()
    tool.set_crop((0, 0, 0, 20, 20, 20))
    tool.do("crop")
    drag(tool, touch(20, 10, 5), touch(24, 10, 5))
    assert tool.draft.crop_mm == (0, 0, 0, 24, 20, 20)
    drag(tool, touch(0, 20, 5), touch(-2, 22, 5))
    assert tool.draft.crop_mm == (-2, 0, 0, 24, 22, 20)
    drag(tool, touch(10, 10, 10, "coronal"), touch(11, 10, 12, "coronal"))
    assert tool.draft.crop_mm == (-1, 0, 2, 25, 22, 22)
    drag(tool, touch(-1, 10, 10), touch(60, 10, 10))
    assert tool.draft.crop_mm[0] == 24, "an edge stops before the other one"
    assert grip((0, 0, 0, 20, 20, 20), touch(40, 10, 5)) == ()
    Threshold(300.0, crop_mm=tool.draft.crop_mm)


# --- paint


def test_a_line_by_hand_closes_and_a_new_one_replaces_it() -> None:
    tool = PaintTool()
    drag(tool, *ring(8, 10))
    drag(tool, *ring(9, 14))
    drag(tool, *ring(6, 10))
    assert tool.draft.heights_mm == (10, 14)
    widths = [max(p[0] for p in one.points_mm) - 30 for one in tool.draft.outline]
    assert sorted(widths) == pytest.approx([6, 9], abs=0.2)
    inner = ring(2, 10)
    drag(tool, replace(inner[0], more=True), *inner[1:])
    assert len(tool.draft.on_slice(10)) == 2
    tool.history.undo()
    assert len(tool.draft.on_slice(10)) == 1
    assert tool.clear_slice(10) and tool.draft.heights_mm == (14,)


def test_clicks_set_corners_and_a_click_on_the_first_one_closes() -> None:
    tool = PaintTool()
    click(tool, touch(10, 10, 5), touch(20, 10, 5), touch(20, 20, 5))
    with pytest.raises(InputRefused, match="open on another slice"):
        tool.press(touch(10, 20, 9))
    with pytest.raises(InputRefused, match="still open"):
        tool.draft.edit()
    click(tool, touch(10, 20, 5), touch(10.5, 10, 5))
    assert tool.draft.edit() == Painted((Outline(((10, 10, 5), (20, 10, 5), (20, 20, 5), (10, 20, 5))),))


def test_an_outline_that_crosses_itself_is_refused_and_nothing_is_lost() -> None:
    tool = PaintTool()
    drag(tool, *ring(8, 10))
    click(tool, touch(10, 10, 12), touch(20, 20, 12), touch(20, 10, 12), touch(10, 17, 12))
    with pytest.raises(InputRefused, match="crosses itself"):
        tool.finish()
    assert len(tool.draft.loop_mm) == 4 and len(tool.draft.outline) == 1


def test_a_hand_that_goes_on_beyond_the_start_is_forgiven() -> None:
    over = [replace(t, at_mm=(30 + (t.at_mm[0] - 30) * (1 + 0.002 * n), t.at_mm[1], t.at_mm[2])) for n, t in enumerate(ring(8, 10, 44, 2 * pi + 0.4))]
    tool = PaintTool()
    drag(tool, *over)
    loop = np.array(tool.draft.outline[0].points_mm)[:, :2]
    area = 0.5 * abs(np.sum(loop[:, 0] * np.roll(loop[:, 1], -1) - loop[:, 1] * np.roll(loop[:, 0], -1)))
    assert area == pytest.approx(pi * 64, rel=0.06)
    assert untangled(tuple(t.at_mm for t in ring(8, 10)), "axial") == tuple(t.at_mm for t in ring(8, 10))


@pytest.mark.parametrize("plane", PLANES)
def test_outlines_keep_to_one_plane_and_come_back_from_their_recipe(plane: Plane) -> None:
    tool = PaintTool()
    corners = {
        "axial": [(0, 0, 5), (9, 0, 5), (9, 9, 5)],
        "coronal": [(0, 5, 0), (9, 5, 0), (9, 5, 9)],
        "sagittal": [(5, 0, 0), (5, 9, 0), (5, 9, 9)],
    }
    click(tool, *(touch(*at, plane) for at in corners[plane]))
    tool.finish()
    edit = tool.draft.edit()
    assert edit.normal == NORMALS[plane]
    assert paint_tool(edit).draft == tool.draft
    elsewhere = next(one for one in PLANES if one != plane)
    with pytest.raises(InputRefused, match=f"lie on {plane} slices"):
        tool.press(touch(0, 0, 0, elsewhere))
    with pytest.raises(InputRefused, match="tilted"):
        paint_tool(replace_normal(edit))


def replace_normal(edit: Painted) -> Painted:
    from msgspec.structs import replace as with_fields

    return with_fields(edit, normal=(0.6, 0.8, 0.1))
