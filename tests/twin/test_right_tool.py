"""A tool that was taken for another is followed as well as ever: its tip, its checks and what else is seen give it away."""

from __future__ import annotations

import msgspec
import pytest

from navtwin.nouns import Accept, Collect, PivotResult, Pose, Sighting, ToolSelect, TrackerFrame
from tests.twin.test_checking import FAR_SIDE, TOP, beyond, check, registered
from tests.twin.test_setup import setup_now
from tests.twin.world import MS, ZERO3, World


def pivot(tip_mm: tuple[float, float, float], sd_mm: float = 0.05) -> PivotResult:
    v = sd_mm * sd_mm
    covariance = (v, 0.0, 0.0, v, 0.0, v)
    return PivotResult(
        request="pivot/pointer/1", tool="pointer", accepted=True, reasons=(), tip_mm=tip_mm, covariance=covariance, rms_mm=0.2, samples=300
    )


def test_a_tip_that_lies_elsewhere_is_asked_about_and_not_taken() -> None:
    w = registered()
    w.feed(pivot((0.0, 0.0, 4.0)))
    assert setup_now(w).other_tips == ("pointer",)
    reply = w.order(Accept(result="pivot/pointer"))
    assert not reply.ok
    assert "4.0 mm" in reply.reason
    assert "is it the right tool?" in reply.reason
    assert w.memory.tips["pointer"].T_marker_from_tip.t_mm == (0.0, 0.0, 0.0)
    assert w.order(Accept(result="pivot/pointer", changed_tool=True)).ok
    assert w.memory.tips["pointer"].T_marker_from_tip.t_mm == (0.0, 0.0, 4.0)


@pytest.mark.parametrize(("tip", "sd_mm"), [((0.0, 0.0, 2.9), 0.05), ((0.0, 0.0, 5.0), 1.0)])
def test_what_both_errors_allow_is_taken_without_a_question(tip: tuple[float, float, float], sd_mm: float) -> None:
    w = registered()
    w.feed(pivot(tip, sd_mm))
    assert setup_now(w).other_tips == ()
    assert w.order(Accept(result="pivot/pointer")).ok


def test_a_first_tip_has_nothing_to_differ_from() -> None:
    w = World(register=False)
    w.feed(pivot((50.0, 0.0, 4.0)))
    assert w.order(Accept(result="pivot/pointer")).ok


def with_drill(w: World, at: tuple[float, float, float]) -> None:
    """A check of the bone with the drill, whose burr's centre is its marker's origin here."""
    assert w.order(Collect(what="check", tool="drill", action="start", dwell_s=1.0)).ok
    home = Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0))
    for _ in range(80):
        w.now_ns, w.number = w.now_ns + 16 * MS, w.number + 1
        seen = (Sighting(body="ref", status="OK", pose=home), Sighting(body="drill", status="OK", pose=msgspec.structs.replace(home, t_mm=at)))
        w.feed(TrackerFrame(source="test", number=w.number, t_capture_ns=w.now_ns - 15 * MS, t_arrival_ns=w.now_ns, sightings=seen))
        if w.memory.collection is None:
            return
    raise AssertionError("the dwell did not end")


def test_where_another_tool_passes_the_tool_is_in_doubt_and_not_the_patient() -> None:
    w = registered()
    with_drill(w, beyond(FAR_SIDE, 4.0))  # its burr, 1 mm larger than the ball, stands 3 mm off
    assert w.technical("CHECK_FAILED").subject == "patient"
    assert check(w, beyond(FAR_SIDE, 0.0)).good
    alarm = w.technical("CHECK_FAILED")
    assert alarm.subject == "drill"
    assert "the tool drill is in doubt" in alarm.text
    assert "pointer passes" in alarm.text
    assert w.alerts.health.registration == "ok"
    w.feed(msgspec.structs.replace(pivot((0.0, 0.0, 0.5)), request="pivot/drill/1", tool="drill", covariance=ZERO3))
    assert w.order(Accept(result="pivot/drill")).ok
    w.tick()
    assert w.technical("CHECK_FAILED") is None


def test_a_failure_after_another_tool_passed_may_be_the_patients_until_that_one_passes_again() -> None:
    w = registered()
    assert check(w, beyond(FAR_SIDE, 0.0)).good
    with_drill(w, beyond(FAR_SIDE, 4.0))
    alarm = w.technical("CHECK_FAILED")
    assert alarm.subject == "patient"
    assert "pointer passed there before: check again with it" in alarm.text
    assert check(w, beyond(FAR_SIDE, 0.0)).good
    assert w.technical("CHECK_FAILED").subject == "drill"


def test_a_pass_at_another_place_does_not_blame_the_tool() -> None:
    w = registered()
    with_drill(w, beyond(FAR_SIDE, 4.0))
    assert check(w, beyond(TOP, 0.0)).good
    assert w.technical("CHECK_FAILED").subject == "patient"


def without_the_drill(w: World, other: str) -> str:
    assert w.order(ToolSelect(tools=("drill",))).ok
    home = Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0))
    for _ in range(20):
        w.now_ns, w.number = w.now_ns + 16 * MS, w.number + 1
        beside = msgspec.structs.replace(home, t_mm=(90.0 + 0.01 * w.number, 0.0, 0.0))
        seen = [Sighting(body="ref", status="OK", pose=home), Sighting(body="drill", status="MISSING")]
        seen += [Sighting(body=other, status="OK", pose=beside)] if other else []
        w.feed(TrackerFrame(source="test", number=w.number, t_capture_ns=w.now_ns - 15 * MS, t_arrival_ns=w.now_ns, sightings=tuple(seen)))
    return w.technical("TRACKING_LOST").text


def test_a_lost_tool_says_what_is_seen_instead() -> None:
    assert "but 'pointer' is seen: is it the right tool?" in without_the_drill(registered(), "pointer")
    assert "a body 'probe 7' that the rig does not know is seen" in without_the_drill(registered(), "probe 7")
    assert "right tool" not in without_the_drill(registered(), "")
