"""Checks of the registration by touching a known point, and what a registration leaves out or refuses to mix."""

from __future__ import annotations

import math
from dataclasses import replace

import msgspec
import pytest

from navtwin.nouns import Accept, Check, Collect, Register, RegistrationRequest, RegistrationResult, Setup, Tick, Undo
from navtwin.scene.model import Landmark
from navtwin.twin.checking import KEPT
from tests.twin.test_setup import point, setup_now
from tests.twin.world import ZERO3, World, registration, small_rig

BALL_MM = 0.5
#: On the bone ball at (30, 0, 0): away from the canal, and towards +y.
FAR_SIDE, TOP = (40.0, 0.0, 0.0), (30.0, 10.0, 0.0)
SD_MM = 0.1


def registered(result: RegistrationResult | None = None) -> World:
    """In navigation, with a calibrated pointer whose tip is its marker's origin, and no error in the registration."""
    rig = small_rig()
    pointer = msgspec.structs.replace(rig.tool[1], tip_mm=(0.0, 0.0, 0.0), tip_covariance=ZERO3)
    w = World(rig=msgspec.structs.replace(rig, tool=(rig.tool[0], pointer)), register=False)
    w.feed(result or registration())
    assert w.order(Accept(result="registration")).ok
    return w


def beyond(place: tuple[float, float, float], off_mm: float, center: tuple[float, float, float] = (30.0, 0.0, 0.0)) -> tuple[float, float, float]:
    """Where the ball's centre is when its surface is `off_mm` off a place on a ball around `center`."""
    way = [p - c for p, c in zip(place, center, strict=True)]
    length = math.hypot(*way)
    x, y, z = (p + (off_mm + BALL_MM) * d / length for p, d in zip(place, way, strict=True))
    return (x, y, z)


def check(w: World, at: tuple[float, float, float], landmark: str = "", dwell_s: float = 1.0) -> Check:
    """Dwell on a place and read the check that came of it."""
    assert w.order(Collect(what="check", tool="pointer", landmark=landmark, action="start", dwell_s=dwell_s)).ok
    for _ in range(80):
        point(w, at)
        if w.memory.collection is None:
            break
    assert w.memory.collection is None
    return setup_now(w).checks[-1]


def test_a_touch_of_bone_is_told_as_the_gap_between_ball_and_surface() -> None:
    found = check(registered(), beyond(FAR_SIDE, 0.15))
    assert (found.what, found.name) == ("bone", "bone")
    # The ball of facets is a little smaller than the ball that they stand for.
    assert found.error_mm == pytest.approx(0.15, abs=0.05)
    assert found.vector_mm == pytest.approx((found.error_mm, 0.0, 0.0), abs=0.02)
    assert found.point_mm == pytest.approx((40.15, 0.0, 0.0), abs=1e-3)
    assert found.expected_mm == pytest.approx(SD_MM)
    assert found.bound_mm == pytest.approx(2.0 * SD_MM)
    assert found.good
    assert not found.failed


def test_a_ball_that_dips_in_is_negative() -> None:
    found = check(registered(), beyond(FAR_SIDE, -1.0))
    assert found.error_mm == pytest.approx(-1.0, abs=0.05)
    assert not found.good


def test_a_landmark_shows_a_shift_along_the_surface_that_bone_does_not() -> None:
    w = registered()
    assert w.scene.landmarks[0].position_mm == (10.0, 0.0, 0.0)
    # Landmark a lies off the bone, in the air: it is touched by the ball's centre.
    found = check(w, (10.0, 3.0, 0.0), "a")
    assert (found.what, found.name) == ("landmark", "a")
    assert found.error_mm == pytest.approx(3.0)
    assert found.vector_mm == pytest.approx((0.0, 3.0, 0.0))
    # Nothing but the hand is uncertain here.
    assert found.expected_mm == pytest.approx(0.4)
    assert found.failed


def test_a_landmark_on_bone_is_touched_by_the_side_of_the_ball() -> None:
    w = registered()
    w.scene = replace(w.scene, landmarks=(Landmark("far side", FAR_SIDE),))
    found = check(w, beyond(FAR_SIDE, 0.0), "far side")
    assert found.error_mm == pytest.approx(0.0, abs=1e-3)
    assert found.expected_mm == pytest.approx(math.hypot(0.4, SD_MM))
    assert found.good


def test_the_prediction_grows_with_the_registrations_error_there() -> None:
    """A turn of 0.01 rad (sd) about the middle of the canal moves the bone's far side by 0.4 mm along y, and not along x."""
    turn_z = [0.0] * 21
    turn_z[11] = 1e-4  # the variance of the turn about z
    w = registered(msgspec.structs.replace(registration(), covariance=tuple(turn_z)))
    assert check(w, beyond(FAR_SIDE, 0.0)).expected_mm == pytest.approx(SD_MM, rel=1e-3)
    top = check(w, beyond(TOP, 0.0))
    assert top.expected_mm == pytest.approx(math.hypot(SD_MM, 0.01 * 30.0), rel=1e-2)


def test_a_failed_check_is_an_alarm_until_a_good_one_at_the_same_place() -> None:
    w = registered()
    assert check(w, beyond(FAR_SIDE, 3.0)).failed
    alarm = w.technical("CHECK_FAILED")
    assert "3.0 mm off" in alarm.text
    assert w.alerts.health.registration == "bad"
    assert check(w, beyond(TOP, 0.0)).good
    assert w.technical("CHECK_FAILED") is not None  # another face: it may have moved along that
    assert check(w, beyond(FAR_SIDE, 0.0)).good
    assert w.technical("CHECK_FAILED") is None
    assert w.alerts.health.registration == "ok"


def test_a_failed_landmark_is_answered_by_itself_alone() -> None:
    """A reference that has turned about b leaves b where it was."""
    w = registered()
    assert check(w, (10.0, 14.0, 0.0), "a").failed
    assert check(w, (0.0, 10.0, 0.0), "b").good
    assert "a: 14.0 mm off" in w.technical("CHECK_FAILED").text
    assert check(w, (10.0, 0.1, 0.0), "a").good
    assert w.technical("CHECK_FAILED") is None


def test_bone_does_not_answer_for_a_landmark_but_a_landmark_for_bone_beside_it() -> None:
    w = registered()
    w.scene = replace(w.scene, landmarks=(Landmark("far side", FAR_SIDE),))
    beside = (40.0, 5.0, 0.0)
    assert check(w, beside, "far side").failed
    assert check(w, beyond(FAR_SIDE, 3.0)).failed
    assert check(w, beyond(FAR_SIDE, 0.0)).good
    assert "far side" in w.technical("CHECK_FAILED").text
    assert check(w, beyond(FAR_SIDE, 3.0)).failed
    assert check(w, beyond(FAR_SIDE, 0.0), "far side").good
    assert w.technical("CHECK_FAILED") is None


def test_a_doubtful_check_neither_alarms_nor_ends_an_alarm() -> None:
    w = registered()
    doubtful = check(w, (10.0, 1.5, 0.0), "a")
    assert not doubtful.good
    assert not doubtful.failed
    assert w.technical("CHECK_FAILED") is None
    assert check(w, (10.0, 4.0, 0.0), "a").failed
    check(w, (10.0, 1.5, 0.0), "a")
    assert w.technical("CHECK_FAILED") is not None


def test_another_registration_forgets_what_was_found_in_the_one_before() -> None:
    w = registered()
    check(w, beyond(FAR_SIDE, 3.0))
    w.feed(registration())
    assert w.technical("CHECK_FAILED") is not None  # computed is not in use
    w.order(Accept(result="registration"))
    assert w.technical("CHECK_FAILED") is None
    assert setup_now(w).checks == ()


def test_checks_are_told_with_the_newest_last_and_no_more_than_a_screen_needs() -> None:
    w = registered()
    for n in range(KEPT + 3):
        check(w, beyond(FAR_SIDE, 0.001 * n), dwell_s=0.4)
    said = setup_now(w).checks
    assert len(said) == KEPT
    assert said[-1].error_mm - said[0].error_mm == pytest.approx(0.001 * (KEPT - 1), abs=1e-6)


def test_a_check_is_no_landmark_and_is_not_undone() -> None:
    w = registered()
    check(w, (10.0, 0.0, 0.0), "a")
    assert not w.memory.touched
    assert not w.order(Undo()).ok
    assert w.memory.checks


def test_checks_that_cannot_be_are_refused() -> None:
    w = World(register=False)
    assert "calibrated" in w.order(Collect(what="check", tool="pointer", action="start")).reason
    assert "no registration" in w.order(Collect(what="check", tool="drill", action="start")).reason
    w = registered()
    assert "no landmark 'z'" in w.order(Collect(what="check", tool="pointer", landmark="z", action="start")).reason


def test_a_check_without_a_dwell_ends_when_it_is_told_to() -> None:
    w = registered()
    start = Collect(what="check", tool="pointer", landmark="a", action="start")
    assert w.order(start).ok
    for _ in range(10):
        point(w, (10.0, 0.0, 0.0))
    stop = msgspec.structs.replace(start, action="stop")
    assert "only 10 good samples" in w.order(stop).reason
    assert w.order(start).ok
    for _ in range(30):
        point(w, (10.0, 0.2, 0.0))
    assert w.order(stop).ok
    assert setup_now(w).checks[-1].error_mm == pytest.approx(0.2)
    assert setup_now(w).checks[-1].samples == 30


def test_a_ball_on_the_surface_itself_still_has_a_way_out() -> None:
    """The centre lies in a face: the face's normal is the way, and the ball dips in by its radius."""
    w = registered()
    bone = w.scene.structure("bone").surface
    middle = tuple(float(v) for v in bone.vertices_mm[bone.faces[100]].mean(axis=0))
    found = check(w, middle)  # type: ignore[arg-type]
    assert found.error_mm == pytest.approx(-BALL_MM, abs=1e-3)
    assert math.hypot(*found.vector_mm) == pytest.approx(BALL_MM, abs=1e-3)


def touch(w: World, name: str, tool: str = "pointer") -> None:
    """A landmark touched by either tool; both stand at the same place."""
    assert w.order(Collect(what="landmark", tool=tool, landmark=name, action="start")).ok
    for _ in range(30):
        point(w, (10.0, 0.0, 0.0)) if tool == "pointer" else w.frame(5.0)
    assert w.order(Collect(what="landmark", tool=tool, landmark=name, action="stop")).ok


def requested(w: World) -> RegistrationRequest:
    return next(m.body for m in w.messages if isinstance(m.body, RegistrationRequest))


def test_a_registration_leaves_out_what_it_is_told_to_and_says_so() -> None:
    w = registered()
    for name in "abc":
        touch(w, name)
    assert "2 landmarks touched, 1 left out" in w.order(Register(method="landmarks", without=("b",))).reason
    assert "no landmark 'z' to leave out" in w.order(Register(method="landmarks", without=("z",))).reason
    assert w.order(Register(method="landmarks")).ok
    assert requested(w).landmarks == ("a", "b", "c")
    assert requested(w).without == ()


def test_a_landmark_that_was_never_touched_is_not_named_as_left_out() -> None:
    w = registered()
    w.scene = replace(w.scene, landmarks=(*w.scene.landmarks, Landmark("d", (1.0, 2.0, 3.0)), Landmark("e", (3.0, 2.0, 1.0))))
    for name in "abcd":
        touch(w, name)
    assert w.order(Register(method="landmarks", without=("d", "e"))).ok
    assert requested(w).landmarks == ("a", "b", "c")
    assert requested(w).without == ("d",)


def test_the_ball_that_touched_is_the_ball_that_counts() -> None:
    """The drill stands first in the rig and is calibrated too; its burr is three times as large as the pointer's ball."""
    w = registered()
    for name in "abc":
        touch(w, name)
    assert w.order(Register(method="landmarks")).ok
    assert requested(w).tip_radius_mm == BALL_MM


def test_touches_of_two_tools_are_not_mixed() -> None:
    w = registered()
    touch(w, "a", "drill")
    for name in "bc":
        touch(w, name)
    assert "touched with drill, pointer" in w.order(Register(method="landmarks")).reason
    w.order(Collect(what="sweep", tool="pointer", action="start"))
    point(w, FAR_SIDE)
    w.order(Collect(what="sweep", tool="pointer", action="stop"))
    assert "swept with 'pointer'" in w.order(Collect(what="sweep", tool="drill", action="start")).reason
    w.order(Undo())
    assert w.order(Collect(what="sweep", tool="drill", action="start")).ok


def test_setup_says_what_the_session_runs_on() -> None:
    w = registered()
    w.memory.setup_changed = True
    w.feed(Tick())
    said: Setup = setup_now(w)
    assert (said.case_hash, said.source) == ("hash", "test")
