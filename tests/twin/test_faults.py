"""A tracker that lies: stamps that repeat, go back, jump; poses that are no poses; frames that come late."""

from __future__ import annotations

import pytest

from navtwin.errors import InputRefused
from navtwin.nouns import Event, Notice, Pose, Sighting, Tick, TrackerFrame
from navtwin.twin import step

from .world import MS, World

BURR = "canal/drill/burr"


def raw(w: World, t_capture_ns: int, gap: float = 20.0) -> TrackerFrame:
    w.number += 1
    return TrackerFrame(source="t", number=w.number, t_capture_ns=t_capture_ns, t_arrival_ns=w.now_ns, sightings=w.sightings(gap))


@pytest.mark.parametrize("shift_ms", [0.0, -16.0, -5000.0, 40.0, 3_600_000.0])
def test_repeated_backward_and_future_stamps_are_not_used_and_are_told_of(shift_ms: float) -> None:
    w = World()
    w.hold(20.0, 10)
    last = w.memory.last_capture_ns
    assert last is not None
    w.now_ns += 16 * MS
    messages = w.feed(raw(w, last + round(shift_ms * MS), gap=1.0))
    assert not [m for m in messages if m.topic == "state"]
    assert w.technical("TIME_FAULT") is not None
    assert w.memory.last_capture_ns == last
    assert w.pair(BURR).level == "CLEAR", "a frame with a bad stamp moves nothing"


def test_time_fault_ends_a_second_after_the_last_bad_stamp() -> None:
    w = World()
    w.hold(20.0, 10)
    w.feed(raw(w, w.memory.last_capture_ns or 0))
    w.hold(20.0, 70)
    assert w.technical("TIME_FAULT") is None


def test_a_jump_forward_is_a_gap_not_a_fault() -> None:
    w = World()
    w.hold(20.0, 10)
    w.now_ns += 2_000 * MS
    w.tick()
    assert w.pair(BURR).status == "STALE"
    w.hold(20.0, 3)
    assert w.pair(BURR).known


def test_frames_that_arrive_too_old_are_stale_and_the_source_is_called_slow() -> None:
    w = World()
    w.hold(20.0, 10)
    w.now_ns += 300 * MS
    for _ in range(6):
        w.frame(20.0, age_ms=180.0)
        assert w.pair(BURR).status == "STALE"
    assert w.technical("SOURCE_SLOW") is not None


def test_a_pose_refused_by_the_source_is_invalid_and_alarmed() -> None:
    w = World()
    w.hold(1.5, 30)
    for _ in range(10):
        w.now_ns += 16 * MS
        w.number += 1
        bad = Sighting(body="drill", status="INVALID", reason="left-handed")
        home = Sighting(body="ref", status="OK", pose=Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0)))
        w.feed(TrackerFrame(source="t", number=w.number, t_capture_ns=w.now_ns - 15 * MS, t_arrival_ns=w.now_ns, sightings=(home, bad)))
    assert w.pair(BURR).status == "INVALID"
    assert w.technical("POSE_REFUSED").priority == "high"
    assert "left-handed" in w.technical("POSE_REFUSED").text


def test_what_the_source_says_of_a_body_that_it_does_not_see_is_told() -> None:
    w = World()
    w.hold(1.5, 30)
    for _ in range(10):
        w.now_ns += 16 * MS
        w.number += 1
        lost = tuple(Sighting(body=body, status="INVALID", reason="the picture is frozen") for body in ("ref", "drill"))
        w.feed(TrackerFrame(source="t", number=w.number, t_capture_ns=w.now_ns - 15 * MS, t_arrival_ns=w.now_ns, sightings=lost))
    assert "the picture is frozen" in w.technical("REFERENCE_LOST").text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_cannot_even_be_said(value: float) -> None:
    with pytest.raises(InputRefused, match="NaN or an infinite"):
        Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(value, 0.0, 0.0))


def test_a_quaternion_that_is_no_rotation_is_refused() -> None:
    with pytest.raises(InputRefused, match="norm"):
        Pose(q_wxyz=(1.0, 0.1, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0))


def test_a_status_that_is_not_ok_carries_no_pose() -> None:
    with pytest.raises(InputRefused, match="Only OK carries a pose"):
        Sighting(body="drill", status="MISSING", pose=Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0)))


def test_the_fold_refuses_time_that_goes_back_and_unknown_alarms() -> None:
    w = World()
    w.hold(20.0, 2)
    with pytest.raises(InputRefused, match="back in time"):
        step(w.scene, w.memory, Event(seq=99, t_ns=w.now_ns - 1, body=Tick()))
    with pytest.raises(InputRefused, match="no technical alarm"):
        w.feed(Notice(alarm="TEAPOT", active=True))


def test_disk_full_is_a_high_alarm_and_turns_the_recording_lamp() -> None:
    w = World()
    w.notice("DISK_FULL")
    w.tick()
    assert w.technical("DISK_FULL").priority == "high"
    assert w.alerts.health.recording == "bad"
    w.notice("DISK_FULL", active=False)
    w.tick()
    assert w.alerts.health.recording == "ok"
