"""What three slices look at, where a click on the picture is in the patient, and plans by hand. No window."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui.case.parts import parsed_point
from gui.case.plan_hand import Hand, along, clearance_words, crossing, dragged_to, end_near, figures, new_plan, share_of
from gui.case.ray import Eye, first_met, ray
from gui.case.sights import WINDOW_NAMES, Sights, hu_at
from gui.case.ways_out import refusal_words, ways_out
from gui.slices.painting import to_px
from navtwin.rigid import Vec3
from navtwin.scene.model import Plan
from navtwin.scene.plan_facts import Clearance, PlanFacts
from navtwin.scene.slices import ACROSS, PLANES, Plane
from navtwin.volumes.volume import placed, volume_box
from tests.scene.test_plan_facts import ball

px = st.floats(0.0, 300.0)


def sights(flip: float = 1.0) -> Sights:
    """Voxels of 1 x 2 x 3 mm, 100 x 60 x 40 of them; the third axis up or down."""
    T = np.diag((1.0, 2.0, 3.0 * flip, 1.0))
    T[:3, 3] = (-50.0, -60.0, -20.0)
    made = Sights(volume_box(T, (100, 60, 40)))
    for plane in PLANES:
        made.resize(plane, 300, 220)
    return made


@given(st.sampled_from(PLANES), px, st.floats(0.0, 220.0), st.floats(-6.0, 10.0))
def test_a_pixel_is_where_its_point_is_drawn(plane: Plane, x: float, y: float, steps: float) -> None:
    seen = sights()
    seen.zoom(plane, steps, 40.0, 70.0)
    seen.pan(plane, 13.0, -8.0)
    point = seen.point_at(plane, x, y)
    assert to_px(point, seen.field(plane)) == pytest.approx((x, y), abs=1e-6)
    assert point[ACROSS[plane]] == seen.cursor_mm[ACROSS[plane]]


@given(st.sampled_from(PLANES), st.floats(20.0, 280.0), st.floats(20.0, 200.0))
def test_what_is_under_the_mouse_stays_there_when_it_comes_nearer(plane: Plane, x: float, y: float) -> None:
    seen = sights()
    under = seen.point_at(plane, x, y)
    low, high = seen.box.bounds_mm()
    seen.zoom(plane, 3, x, y)
    if (np.array(under) > low).all() and (np.array(under) < high).all():
        assert seen.point_at(plane, x, y) == pytest.approx(under, abs=1e-6)


@pytest.mark.parametrize("flip", [1.0, -1.0])
@pytest.mark.parametrize(("plane", "count", "way"), [("axial", 40, (0, 0, 1)), ("coronal", 60, (0, 1, 0)), ("sagittal", 100, (-1, 0, 0))])
def test_the_wheel_goes_slice_by_slice_away_from_the_viewer(plane: Plane, count: int, way: Vec3, flip: float) -> None:
    seen = sights(flip)
    before = np.array(seen.cursor_mm)
    seen.scroll(plane, 1)
    first = np.array(seen.cursor_mm)
    assert (first - before) @ way > 0.0
    seen.scroll(plane, 1)
    side = (1.0, 2.0, 3.0)[ACROSS[plane]]
    assert np.array(seen.cursor_mm) - first == pytest.approx(side * np.array(way))
    # It stops in the last slice, and each is met in its middle.
    seen.scroll(plane, 1000)
    number, of = seen.slice_number(plane)
    assert of == count and number in (1, count)
    T = np.array(seen.box.T_ijk_from_ct)
    assert (T @ (*seen.cursor_mm, 1.0))[ACROSS[plane]] == pytest.approx(number - 1, abs=1e-9)


def test_a_cursor_that_would_not_be_seen_moves_the_picture() -> None:
    seen = sights()
    seen.zoom("axial", 10)
    seen.go_to((45.0, 50.0, 90.0))
    x, y = to_px(seen.cursor_mm, seen.field("axial"))
    assert 0.0 <= x <= 300.0 and 0.0 <= y <= 220.0
    seen.go_to((999.0, 0.0, 0.0))
    assert seen.cursor_mm[0] == pytest.approx(seen.box.bounds_mm()[1][0])


def test_grey_windows_have_names_until_they_are_dragged() -> None:
    seen = sights()
    names = []
    for _ in WINDOW_NAMES:
        names.append(seen.window_words)
        seen.turn_window()
    assert tuple(names) == WINDOW_NAMES and seen.window_words == names[0]
    seen.drag_window(0.0, 10.0)
    assert seen.window_name is None and seen.window_words == "C 580 W 2000"
    seen.drag_window(-1e6, 0.0)
    assert seen.window_hu[1] == 10.0


def test_the_value_of_the_voxel_that_holds_a_point() -> None:
    hu = np.arange(4 * 3 * 2, dtype=np.int16).reshape(2, 3, 4)
    volume = placed(hu, np.diag((1.0, 1.0, 2.0, 1.0)), Path("ct.nii.gz"))
    assert hu_at(volume, (2.4, 1.4, 2.9)) == hu[1, 1, 2]
    assert hu_at(volume, (3.6, 0.0, 0.0)) is None


EYE = Eye((0.0, 100.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 1.0), 30.0)


def test_a_ray_through_a_pixel_goes_where_a_camera_looks() -> None:
    """From behind: the middle straight on, the upper edge half the angle up, the right edge to the patient's right."""
    assert ray(EYE, 0.5, 0.5, 1.6) == pytest.approx((0.0, -1.0, 0.0))
    up = ray(EYE, 0.5, 0.0, 1.6)
    assert math.degrees(math.asin(up[2])) == pytest.approx(15.0)
    right = ray(EYE, 1.0, 0.5, 2.0)
    assert right[0] / -right[1] == pytest.approx(-2.0 * math.tan(math.radians(15.0)))


def test_a_click_meets_the_nearest_surface_exactly() -> None:
    near, far = ball((0.0, 20.0, 0.0), name="near"), ball((0.0, -20.0, 0.0), name="far")
    found = first_met([far, near], EYE.position_mm, ray(EYE, 0.5, 0.5, 1.0))
    assert found is not None and found[0] == "near"
    assert found[1] == pytest.approx((0.0, 25.0, 0.0), abs=0.01)
    assert first_met([near], EYE.position_mm, ray(EYE, 0.0, 0.0, 1.0)) is None


PLANS = (Plan("a", (0.0, 0.0, 0.0), (0.0, 40.0, 10.0), 3.0, 1.0), Plan("b", (2.0, 0.0, 0.0), (30.0, 40.0, 0.0), 3.0, 1.0))


def test_a_press_holds_the_end_it_is_near_to() -> None:
    assert end_near(PLANS, "a", "axial", (1.6, 0.0, 0.0), 0.2) == ("a", "entry")
    assert end_near(PLANS, "b", "axial", (0.4, 0.0, 0.0), 0.2) == ("b", "entry")
    assert end_near(PLANS, "a", "axial", (0.0, 20.0, 0.0), 0.2) is None
    # Its target lies 10 mm off this slice: near enough; 20 mm off it is not meant.
    assert end_near(PLANS, "a", "axial", (0.0, 40.0, 0.0), 0.2) == ("a", "target")
    assert end_near(PLANS, "a", "axial", (0.0, 40.0, -10.0), 0.2) is None


def test_an_end_that_is_dragged_stays_in_its_own_plane() -> None:
    assert dragged_to((1.0, 2.0, 3.0), "axial", (7.00049, 8.0, 99.0)) == (7.0, 8.0, 3.0)
    assert dragged_to((1.0, 2.0, 3.0), "sagittal", (99.0, 8.0, 9.0)) == (1.0, 8.0, 9.0)


def test_two_clicks_make_a_plan_with_a_free_name() -> None:
    hand = Hand()
    hand.begin()
    assert hand.placing == "entry" and "enters bone" in hand.words
    made = new_plan(PLANS, (1.00004, 2.0, 3.0), (4.0, 5.0, 6.0))
    assert (made.name, made.entry_mm, made.diameter_mm) == ("plan 1", (1.0, 2.0, 3.0), 3.0)
    assert new_plan((made,), made.entry_mm, made.target_mm).name == "plan 2"


def test_walking_along_a_path() -> None:
    plan = PLANS[0]
    assert along(plan, 0.5) == (0.0, 20.0, 5.0)
    assert share_of(plan, (9.0, 20.0, 5.0)) == pytest.approx(0.5) and share_of(plan, (0.0, -99.0, 0.0)) == 0.0
    assert crossing(plan, "coronal", 10.0) == (0.0, 10.0, 2.5) and crossing(plan, "coronal", 41.0) is None
    assert crossing(plan, "sagittal", 0.0) is None


def test_figures_in_words() -> None:
    assert figures(PlanFacts(41.23, 14.93, -4.4, ())) == (
        ("Length", "41.2 mm"), ("To the sagittal plane", "14.9° to the left"), ("To the axial plane", "4.4° to the feet"),
    )  # fmt: skip
    assert figures(PlanFacts(0.0, None, None, ()))[1] == ("To the sagittal plane", "—")
    near = Clearance("c", 1.94, 1.34, (0, 0, 0), (0, 0, 0), "CAUTION", False)
    assert clearance_words(near) == "1.9 mm, less its error bar 1.3 mm: inside its caution limit"
    cut = Clearance("c", -2.0, -2.6, (0, 0, 0), (0, 0, 0), "CONTACT", True)
    assert clearance_words(cut) == "the path cuts it, at least 2.0 mm deep"


@pytest.mark.parametrize(("text", "point"), [("1 2 -3.5", (1.0, 2.0, -3.5)), ("[1.0, 2,3]", (1.0, 2.0, 3.0)), ("1;2; 3", (1.0, 2.0, 3.0)),
                                            ("1 2", None), ("1 2 x", None), ("1 2 nan", None), ("", None)])  # fmt: skip
def test_a_point_as_it_is_typed(text: str, point: Vec3 | None) -> None:
    assert parsed_point(text) == point


def test_a_refusal_that_names_choices_gives_them() -> None:
    series = "/x holds 2 CT series. Choose with --series N: 1: CT 'HEAD' (512 x 512 x 28, 0.45 x 0.45 x 5 mm); 2: CT 'BODY' (9 x 9 x 9)."
    assert [way.arguments for way in ways_out(series)] == [("--series", "1"), ("--series", "2")]
    assert ways_out(series)[1].words == "Series 2: CT 'BODY' (9 x 9 x 9)"
    space = "a.nrrd does not say whether its axes are LPS or RAS. Pass --space LPS or --space RAS."
    assert [way.arguments for way in ways_out(space)] == [("--space", "LPS"), ("--space", "RAS")]
    assert ways_out("a says that its axes are RAS, --space says LPS. Leave out --space: the file says it.") == ()
    unit = "a is not in millimetres but says m. Pass --unit m if that is so, --unit mm if its numbers are mm all the same."
    assert [way.arguments for way in ways_out(unit)] == [("--unit", "m"), ("--unit", "mm")]
    assert ways_out("the gantry is tilted by 12 deg. Pass --resample to put it onto a square grid.")[0].arguments == ("--resample",)
    assert ways_out("what was not scanned is never made up, --resample or not.") == ()
    assert refusal_words("navtwin: there is no file /x. Check the path.\n") == "there is no file /x. Check the path."
