"""When does it cut? Only where a drill that is known to turn is seen to go; every other case is a row of a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from navtwin.nouns import Accept, Carved, Check, Collect, Drilling, RegistrationResult, Rig, Spindle, TrackerFrame
from navtwin.twin.spindle_words import KEPT, SpindleWords
from tests.twin.drill_world import AIR, BURR_MM, DrillWorld, bone_scene, drill_rig
from tests.twin.world import MS, registration

IN_BONE = (10.0, 10.0, -1.0)
ABOVE = (10.0, 10.0, 3.0)


def ready(**more: object) -> DrillWorld:
    """A drill that says that it turns, over the bone."""
    w = DrillWorld(**more)  # type: ignore[arg-type]
    w.pedal(True)
    w.hold(ABOVE, 3)
    return w


def test_a_drill_that_turns_cuts_where_it_goes() -> None:
    w = ready()
    assert w.status == "READY"
    w.go(ABOVE, IN_BONE)
    assert (w.status, w.drill.why, w.drill.stretch) == ("CUTTING", "", 1)
    # A ball, and above its middle a shaft as wide: 2/3 pi r^3 + pi r^2 h.
    assert w.bone.removed_mm3 == pytest.approx(3.14159 * (2.0 / 3.0 * BURR_MM**3 + BURR_MM**2), rel=0.01)
    strokes = [c for c in w.carved if isinstance(c, Carved)]
    assert sum(c.removed_mm3 for c in strokes) == pytest.approx(w.bone.removed_mm3)
    assert strokes[-1].hash == w.bone.hash
    assert strokes[-1].now[3::4] == IN_BONE
    assert next(m.topic for m in w.messages if m.topic != "alerts") == "state"


def test_it_says_that_it_cuts_for_a_while_and_then_that_it_is_ready() -> None:
    w = ready()
    w.go(ABOVE, IN_BONE)
    w.hold(IN_BONE, 10)
    assert w.status == "CUTTING"
    w.hold(IN_BONE, 10)
    assert w.status == "READY"


def test_a_new_stretch_begins_where_the_one_before_has_ended() -> None:
    w = ready()
    w.go(ABOVE, IN_BONE)
    w.hold(IN_BONE, 40)
    w.go(IN_BONE, (10.0, 7.0, -1.0))
    assert w.drill.stretch == 2
    assert {c.stretch for c in w.carved if isinstance(c, Carved)} == {1, 2}


def failed_check(w: DrillWorld) -> None:
    w.memory.failed_checks.append(
        Check(
            what="bone", name="bone", point_mm=IN_BONE, error_mm=3.0, vector_mm=(0.0, 0.0, 3.0), expected_mm=0.2, bound_mm=0.4, good=False,
            failed=True, t_ns=w.now_ns, samples=20, spread_mm=0.1,
        )
    )  # fmt: skip


def time_fault(w: DrillWorld) -> None:
    w.feed(TrackerFrame(source="test", number=w.number, t_capture_ns=0, t_arrival_ns=w.now_ns, sightings=()))


def pause(w: DrillWorld) -> None:
    assert w.order(Drilling(action="pause"), who="anna").ok


def silence(w: DrillWorld) -> None:
    w.spindle = None
    for _ in range(40):
        w.frame(ABOVE)


def off(w: DrillWorld) -> None:
    w.pedal(False)


def uncertain(w: DrillWorld) -> None:
    w.memory.tips["drill"] = type(w.memory.tips["drill"])(w.memory.tips["drill"].T_marker_from_tip, (2.0, 0.0, 0.0, 2.0, 0.0, 2.0))


def unregistered(w: DrillWorld) -> None:
    w.memory.registration = None


#: What is done before the drill goes into bone, its status then, and words of why.
ROWS: list[tuple[str, Callable[[DrillWorld], None], dict[str, object], str, str]] = [
    ("it says that it stands", off, {}, "OFF", ""),
    ("it says nothing any more", silence, {}, "UNKNOWN", "has not said so for 500 ms"),
    ("paused", pause, {}, "FROZEN", "paused by anna"),
    ("a check failed", failed_check, {}, "FROZEN", "check of the registration"),
    ("time stamps at fault", time_fault, {}, "FROZEN", "time stamps"),
    ("its place is uncertain", uncertain, {}, "FROZEN", "no better than 1 mm"),
    ("no registration", unregistered, {}, "FROZEN", "not registered"),
    ("frames are too old", lambda w: w.idle(130), {"age_ms": 120.0}, "FROZEN", "no fresh frame"),
    ("the reference is hidden", lambda w: None, {"ref": False}, "FROZEN", "the patient reference is hidden"),
]


@pytest.mark.parametrize(("before", "frame", "status", "why"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_nothing_else_cuts(before: Callable[[DrillWorld], None], frame: dict[str, object], status: str, why: str) -> None:
    w = ready()
    whole = w.bone.hash
    before(w)
    for n in range(20):
        w.frame((10.0, 10.0, 3.0 - 0.2 * n), **frame)  # type: ignore[arg-type]
    assert w.status == status
    assert why in w.drill.why
    assert (w.bone.hash, w.bone.removed_mm3, w.carved) == (whole, 0.0, [])
    alarm = {"OFF": None, "UNKNOWN": "SPINDLE_LOST", "FROZEN": "CARVING_FROZEN"}[status]
    said = [t for t in w.alerts.technical if t.alarm in ("SPINDLE_LOST", "CARVING_FROZEN")]
    assert [(t.alarm, t.subject) for t in said] == ([(alarm, "drill")] if alarm else [])
    assert all(w.drill.why in t.text for t in said)


def test_a_drill_that_never_said_anything_cuts_nothing_and_is_alarmed() -> None:
    w = DrillWorld()
    w.go(ABOVE, IN_BONE)
    assert (w.status, w.drill.why) == ("UNKNOWN", "it has not said whether it turns")
    assert w.bone.removed_mm3 == 0.0
    assert w.technical("SPINDLE_LOST").priority == "medium"


def test_a_silent_drill_near_the_nerve_is_a_high_alarm() -> None:
    w = DrillWorld()
    w.go(AIR, (0.0, 0.0, -5.0))
    assert w.technical("SPINDLE_LOST").priority == "high"


def test_before_the_registration_a_silent_drill_is_no_alarm_but_a_frozen_one_is() -> None:
    w = DrillWorld(register=False)
    w.hold(ABOVE, 3)
    assert w.technical("SPINDLE_LOST") is None
    w.pedal(True)
    w.frame(ABOVE)
    assert "not registered" in w.technical("CARVING_FROZEN").text


def test_a_jump_is_no_way() -> None:
    """Faster than any hand, from one side of the bone to the other, and back."""
    w = ready()
    w.frame((-10.0, -10.0, -10.0))
    assert w.status == "FROZEN"
    assert "leapt" in w.drill.why
    assert w.technical("CARVING_FROZEN") is not None
    w.frame(ABOVE)
    w.frame(ABOVE)
    assert w.bone.removed_mm3 == 0.0
    assert w.bone.doubtful > 0.0


def test_after_a_jump_the_new_place_is_cut_once_a_second_frame_has_it_there() -> None:
    w = ready()
    w.frame((-10.0, -10.0, -10.0))
    w.frame((-10.0, -10.0, -10.0))
    assert w.bone.removed_mm3 == pytest.approx(4.0 / 3.0 * 3.14159 * BURR_MM**3, rel=0.02)


@pytest.mark.parametrize(("hidden_ms", "cuts"), [(80, True), (200, False)])
def test_a_way_is_bridged_as_long_as_a_pose_is_fresh(hidden_ms: int, cuts: bool) -> None:
    w = ready()
    w.frame((10.0, 8.0, 0.0), step_ms=100.0)  # 30 mm/s
    gone = w.bone.removed_mm3
    w.frame(None, step_ms=hidden_ms / 2.0)
    w.frame((10.0, 5.0, 0.0), step_ms=hidden_ms / 2.0)
    assert (w.bone.removed_mm3 > gone) == cuts


def test_hidden_for_a_glance_is_frozen_and_no_alarm_and_for_longer_is() -> None:
    w = ready()
    w.frame(None)
    assert (w.status, w.drill.why) == ("FROZEN", "it is hidden")
    assert w.technical("CARVING_FROZEN") is None
    w.hold(None, 8)
    assert "it is hidden" in w.technical("CARVING_FROZEN").text


def test_frozen_is_told_between_frames_too() -> None:
    w = ready()
    w.idle(300)
    assert "no fresh frame" in w.technical("CARVING_FROZEN").text


def test_whether_it_turned_is_asked_for_the_time_of_the_pose() -> None:
    """A frame that is 30 ms old tells of a drill that turned then, though its pedal was let go 10 ms ago."""
    w = DrillWorld()
    w.pedal(True)
    w.hold((10.0, 10.0, 2.1), 4, age_ms=30.0)
    w.now_ns += 6 * MS
    w.pedal(False)
    w.frame((10.0, 10.0, 1.6), age_ms=30.0, step_ms=10.0)
    assert w.status == "OFF"
    gone = w.bone.removed_mm3
    assert gone > 0.0
    # The way on from the last pose at which it turned is cut; none after it.
    w.frame((10.0, 10.0, 1.1), age_ms=30.0)
    w.frame((10.0, 10.0, 0.6), age_ms=30.0)
    cut = w.bone.removed_mm3
    assert cut > gone
    w.hold((10.0, 10.0, 0.0), 2, age_ms=30.0)
    assert w.bone.removed_mm3 == cut


def test_a_pose_of_another_registration_is_no_beginning_of_a_way() -> None:
    w = ready()
    w.frame((10.0, 10.0, 2.5))
    result: RegistrationResult = registration()
    w.memory.pending_registration = result
    assert w.order(Accept(result="registration")).ok
    w.frame(IN_BONE)
    assert w.bone.removed_mm3 == 0.0


def test_without_a_cutter_or_a_bone_to_drill_nothing_is_said() -> None:
    for w in (DrillWorld(scene=bone_scene(carve_mm=None)), DrillWorld(rig=_without_cutter())):
        w.hold(ABOVE, 2)
        assert (w.state.drills, w.state.bones, w.memory.drilled) == ((), (), None)
        assert not w.order(Drilling(action="undo")).ok
        assert w.technical("SPINDLE_LOST") is None


def _without_cutter() -> Rig:
    rig = drill_rig()
    return msgspec.structs.replace(rig, tool=tuple(msgspec.structs.replace(tool, cutter=None) for tool in rig.tool))


def by_contact(**cutter: Any) -> DrillWorld:
    return DrillWorld(rig=drill_rig(cuts="contact-speed", **cutter))


def test_by_contact_a_slow_drill_in_bone_cuts_and_says_by_what() -> None:
    w = by_contact()
    w.go(ABOVE, IN_BONE)  # 12 mm/s
    assert (w.status, w.drill.by) == ("CUTTING", "contact-speed")
    assert w.bone.removed_mm3 > 0.0
    assert w.technical("SPINDLE_LOST") is None


def test_by_contact_a_fast_one_freezes_in_bone_and_not_in_air() -> None:
    w = by_contact()
    w.go((10.0, 10.0, 8.0), ABOVE, 2)  # 150 mm/s
    assert w.status == "READY"
    w.go(ABOVE, (10.0, 10.0, -1.0), 2)
    assert w.status == "FROZEN"
    assert "faster than the 60 mm/s" in w.drill.why
    assert w.bone.removed_mm3 == 0.0
    assert w.bone.doubtful > 0.0


def test_by_contact_a_jump_cuts_nothing_even_where_it_ends() -> None:
    w = by_contact()
    w.hold(ABOVE, 2)
    w.frame((-10.0, -10.0, -10.0))
    w.frame(ABOVE)
    w.hold(ABOVE, 3)
    assert w.bone.removed_mm3 == 0.0


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (Spindle(on=True, tool="pointer"), "no tool 'pointer' with a cutter; known: drill"),
        (Drilling(action="undo"), "no stretch"),
        (Drilling(action="resume"), "not paused"),
    ],
)
def test_refusals_say_why(order: Spindle | Drilling, why: str) -> None:
    reply = DrillWorld().order(order)
    assert not reply.ok
    assert why in reply.reason


def test_pause_and_resume() -> None:
    w = ready()
    pause(w)
    assert "already" in w.order(Drilling(action="pause")).reason
    w.go(ABOVE, IN_BONE)
    assert w.bone.removed_mm3 == 0.0
    assert w.order(Drilling(action="resume")).ok
    # The way out of the last pose that was not followed is not followed either.
    w.frame((10.0, 9.5, -1.0))
    assert w.bone.removed_mm3 == 0.0
    w.frame((10.0, 9.0, -1.0))
    assert w.bone.removed_mm3 > 0.0
    assert w.status == "CUTTING"


def test_the_word_for_every_drill_is_each_one_s() -> None:
    w = DrillWorld()
    assert w.order(Spindle(on=True)).ok
    w.frame(ABOVE)
    assert w.status == "READY"
    assert w.alerts.health.spindle_on
    w.idle(600)
    assert not w.alerts.health.spindle_on


def test_collecting_goes_on_while_it_drills() -> None:
    w = ready()
    assert w.order(Collect(what="check", tool="pointer", action="start")).ok
    w.go(ABOVE, IN_BONE)
    assert w.bone.removed_mm3 > 0.0


def test_words_hold_for_their_time_and_changes_count_from_when_they_were_said() -> None:
    words = SpindleWords(timeout_ns=100)
    assert words.at(0) == "unknown"
    words.hear(10, on=False)
    words.hear(60, on=False)
    words.hear(80, on=True)
    assert [words.at(t) for t in (9, 10, 79, 80, 179, 180)] == ["unknown", "off", "off", "on", "on", "unknown"]
    assert words.between(10, 79) == "off"
    assert words.between(10, 80) == "on"
    assert words.between(5, 80) == "unknown"
    assert words.between(100, 180) == "unknown"
    words.hear(200, on=True)
    assert words.between(170, 210) == "unknown"
    assert words.between(200, 210) == "on"


def test_words_without_end_are_forgotten_as_unknown() -> None:
    words = SpindleWords(timeout_ns=100)
    for t in range(2 * KEPT):
        words.hear(t, on=bool(t % 2))
    assert words.between(KEPT, 2 * KEPT - 1) == "on"
    assert words.between(KEPT - 1, 2 * KEPT - 1) == "unknown"
