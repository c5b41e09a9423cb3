"""Offset, angle and depth against a planned path, by constructions whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from navtwin.nouns import InstrumentState, Pose, Reading, State
from navtwin.rigid import Rigid
from navtwin.scene.aim import aim_of, path_axes, picture_letters, plan_in_reach, sides, tip_sd_mm
from navtwin.scene.model import Plan
from tests.gui.room import rig, scene

#: From the back to the front, 40 mm, as into a pedicle.
PATH = Plan("p", (10.0, 50.0, -20.0), (10.0, 10.0, -20.0), 3.0, 1.0)


def pose(at: tuple[float, float, float], along: tuple[float, float, float]) -> Rigid:
    """A tip whose +Z runs along a direction."""
    z = np.array(along) / np.linalg.norm(along)
    x = np.cross((0.3, 0.5, 0.8), z)
    x /= np.linalg.norm(x)
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = np.stack((x, np.cross(z, x), z), axis=1), at
    return Rigid.from_matrix(matrix, target="ct", source="tip")


def test_seen_from_behind_the_patients_left_is_on_the_left_and_his_head_is_up():
    assert picture_letters(path_axes(PATH)) == ("L", "R", "I", "S")


def test_a_path_along_the_spine_has_the_front_on_top():
    assert picture_letters(path_axes(Plan("p", (0, 0, 0), (0, 0, 30), 3, 1)))[3] == "A"


def test_offset_and_depth_are_those_of_the_construction():
    aim = aim_of(PATH, pose((12.0, 35.0, -21.5), (0.0, -1.0, 0.0)))
    assert aim.offset_mm == pytest.approx((-2.0, -1.5))
    assert aim.off_mm == pytest.approx(2.5)
    assert aim.toward == ("L", "I")
    assert (aim.depth_mm, aim.to_target_mm) == pytest.approx((15.0, 25.0))
    assert aim.angle_deg == pytest.approx(0.0, abs=1e-6)
    assert aim.landing_mm == pytest.approx((-2.0, -1.5))


@pytest.mark.parametrize("degrees", [0.5, 5.0, 30.0, 70.0])
def test_a_tilted_axis_lands_where_trigonometry_says(degrees: float):
    tilt = math.radians(degrees)
    aim = aim_of(PATH, pose((10.0, 30.0, -20.0), (0.0, -math.cos(tilt), math.sin(tilt))))
    assert aim.angle_deg == pytest.approx(degrees)
    assert aim.landing_mm == pytest.approx((0.0, 20.0 * math.tan(tilt)), abs=1e-9)
    assert aim.off_mm == pytest.approx(0.0, abs=1e-9)


def test_an_oblique_or_passed_axis_lands_nowhere():
    assert aim_of(PATH, pose((10.0, 30.0, -20.0), (1.0, 0.0, 0.0))).landing_mm is None
    past = aim_of(PATH, pose((10.0, 7.0, -20.0), (0.0, -1.0, 0.0)), 0.1, 0.0)
    assert (past.landing_mm, past.verdict) == (None, "past")
    assert past.to_target_mm == pytest.approx(-3.0)


def test_numbers_do_not_depend_on_where_the_patient_lies():
    """Turning and shifting plan and pose alike changes neither offset, angle nor depth."""
    turn = pose((5.0, -3.0, 8.0), (0.4, 0.5, 0.2))
    tip = pose((11.0, 33.0, -19.0), (0.1, -1.0, 0.05))
    moved = Plan("p", turn.point(PATH.entry_mm), turn.point(PATH.target_mm), 3.0, 1.0)
    moved_tip = Rigid.from_matrix(turn.matrix() @ tip.matrix(), target="ct", source="tip")
    one, other = aim_of(PATH, tip), aim_of(moved, moved_tip)
    assert (other.off_mm, other.angle_deg, other.depth_mm) == pytest.approx((one.off_mm, one.angle_deg, one.depth_mm))
    assert other.landing_off_mm == pytest.approx(one.landing_off_mm)


@pytest.mark.parametrize(
    ("x", "tip_sd", "axis_sd", "verdict"),
    [
        (10.3, 0.3, 0.001, "inside"),
        (10.5, 0.3, 0.001, "unsure"),  # the middle is inside, the error bar is not
        (10.3, None, 0.001, "unsure"),  # no error is known
        (10.3, 0.3, None, "unsure"),
        (10.3, 0.3, 0.05, "unsure"),  # the axis may land elsewhere
        (11.1, 0.01, 0.001, "outside"),
    ],
)
def test_inside_is_said_by_the_bound_and_not_by_the_mean(x: float, tip_sd: float | None, axis_sd: float | None, verdict: str):
    assert aim_of(PATH, pose((x, 40.0, -20.0), (0.0, -1.0, 0.0)), tip_sd, axis_sd).verdict == verdict


def test_a_tip_on_the_path_that_points_elsewhere_is_not_inside():
    assert aim_of(PATH, pose((10.0, 48.0, -20.0), (0.0, -1.0, 0.3)), 0.01, 0.0001).verdict == "outside"


def test_sides_name_the_second_only_where_it_matters():
    assert sides((0.0, -3.0, 1.5)) == ("A", "S")
    assert sides((2.0, 0.1, 0.0)) == ("L",)
    assert sides((0.0, 0.0, 0.0)) == ()


def test_between_two_plans_the_choice_does_not_flicker():
    other = Plan("q", (20.0, 50.0, -20.0), (20.0, 10.0, -20.0), 3.0, 1.0)
    plans = (PATH, other)
    near_middle = pose((15.5, 30.0, -20.0), (0.0, -1.0, 0.0))
    assert plan_in_reach(plans, near_middle, None) is other
    assert plan_in_reach(plans, near_middle, PATH) is PATH
    assert plan_in_reach(plans, pose((18.0, 30.0, -20.0), (0.0, -1.0, 0.0)), PATH) is other
    assert plan_in_reach((), near_middle, None) is None


def test_the_tips_error_is_its_largest_without_the_segmentations_share():
    here = Pose(q_wxyz=(1, 0, 0, 0), t_mm=(0, 0, 0))
    # Structures of the scene have 0.3 mm of segmentation error.
    rows = [("spinal_canal", "burr", 0.5), ("aorta", "burr", 0.34), ("aorta", "handpiece", 2.0)]
    readings = tuple(Reading(structure=s, instrument="drill", part=p, role="critical", status="OK", distance_mm=5.0, sd_mm=sd) for s, p, sd in rows)
    state = State(phase="navigation", frame=1, instruments=(InstrumentState(instrument="drill", status="OK", pose=here),), readings=readings)
    assert tip_sd_mm(scene(), rig(), state, "drill") == pytest.approx(0.4)
    assert tip_sd_mm(scene(), rig(), state, "pointer") is None
    assert tip_sd_mm(scene(), rig(), None, "drill") is None
