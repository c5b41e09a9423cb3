"""Collecting: hidden frames are never samples, moving tips are refused, requests carry what was touched."""

from __future__ import annotations

from typing import cast

import pytest

from navtwin.nouns import (
    Accept,
    Collect,
    Covariance6,
    PivotRequest,
    PivotResult,
    Pose,
    Register,
    RegistrationRequest,
    Setup,
    Sighting,
    TrackerFrame,
    Undo,
    WorkFailed,
)

from .world import MS, World


def point(w: World, position: tuple[float, float, float] | None, covariance: Covariance6 | None = None) -> None:
    """One frame with the pointer's marker at `position` (its tip is its origin once calibrated so)."""
    w.now_ns += 16 * MS
    w.number += 1
    home = Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0))
    seen = (
        Sighting(body="pointer", status="OK", pose=Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=position), covariance=covariance)
        if position
        else Sighting(body="pointer", status="MISSING")
    )
    sightings = (Sighting(body="ref", status="OK", pose=home), seen)
    w.feed(TrackerFrame(source="t", number=w.number, t_capture_ns=w.now_ns - 15 * MS, t_arrival_ns=w.now_ns, sightings=sightings))


def calibrated() -> World:
    w = World(register=False)
    result = PivotResult(
        request="pivot/pointer/1", tool="pointer", accepted=True, reasons=(), tip_mm=(0.0, 0.0, 0.0), covariance=(0.0,) * 6, rms_mm=0.1, samples=100
    )
    w.feed(result)
    assert w.order(Accept(result="pivot/pointer")).ok
    return w


def touch(w: World, name: str, at: tuple[float, float, float], frames: int = 30, wobble: float = 0.0) -> str:
    assert w.order(Collect(what="landmark", tool="pointer", landmark=name, action="start")).ok
    for k in range(frames):
        point(w, (at[0] + wobble * (k % 2), at[1], at[2]))
    return w.order(Collect(what="landmark", tool="pointer", landmark=name, action="stop")).reason


def setup_now(w: World) -> Setup:
    return next(m.body for m in reversed(w.messages) if isinstance(m.body, Setup))


def test_pivot_request_holds_the_poses_seen_and_no_others() -> None:
    w = World(register=False)
    w.order(Collect(what="pivot", tool="pointer", action="start"))
    for k in range(40):
        point(w, None if k % 4 == 0 else (float(k), 0.0, 0.0))
    w.order(Collect(what="pivot", tool="pointer", action="stop"))
    request = next(m.body for m in w.messages if isinstance(m.body, PivotRequest))
    assert request.tool == "pointer"
    assert [p.t_mm[0] for p in request.poses] == [float(k) for k in range(40) if k % 4]


@pytest.mark.parametrize("unmeasured", [(), (7,)])
def test_pivot_request_says_how_well_poses_are_known_where_all_are(unmeasured: tuple[int, ...]) -> None:
    w = World(register=False)
    w.order(Collect(what="pivot", tool="pointer", action="start"))
    measured = [(float(k),) + (0.0,) * 20 for k in range(1, 21)]
    for k, covariance in enumerate(measured):
        point(w, (1.0, 2.0, 3.0), None if k in unmeasured else cast(Covariance6, covariance))
    w.order(Collect(what="pivot", tool="pointer", action="stop"))
    request = next(m.body for m in w.messages if isinstance(m.body, PivotRequest))
    assert len(request.poses) == 20
    assert list(request.covariances) == ([] if unmeasured else measured)


def test_landmark_is_the_mean_of_a_still_tip() -> None:
    w = calibrated()
    assert touch(w, "a", (10.0, 0.0, 0.0)) == ""
    assert w.memory.touched["a"].position_ref_mm == (10.0, 0.0, 0.0)
    assert setup_now(w).landmarks == ("a",)


def test_moving_or_hidden_landmarks_are_refused_aloud() -> None:
    w = calibrated()
    assert "moved by" in touch(w, "a", (10.0, 0.0, 0.0), wobble=4.0)
    assert "only 5 good samples" in touch(w, "b", (0.0, 10.0, 0.0), frames=5)
    assert not w.memory.touched


def test_registration_request_pairs_what_was_touched_in_the_cases_order() -> None:
    w = calibrated()
    for name, at in (("c", (0.0, 0.0, 11.0)), ("a", (11.0, 0.0, 0.0)), ("b", (0.0, 11.0, 0.0))):
        touch(w, name, at)
    assert "sweep" in w.order(Register()).reason
    assert w.order(Register(method="landmarks")).ok
    request = next(m.body for m in w.messages if isinstance(m.body, RegistrationRequest))
    assert request.landmarks == ("a", "b", "c")
    assert request.ref_mm == ((11.0, 0.0, 0.0), (0.0, 11.0, 0.0), (0.0, 0.0, 11.0))
    assert request.ct_mm == ((10.0, 0.0, 0.0), (0.0, 10.0, 0.0), (0.0, 0.0, 10.0))


def test_undo_takes_back_the_last_landmark_and_sweep() -> None:
    w = calibrated()
    touch(w, "a", (10.0, 0.0, 0.0))
    w.order(Collect(what="sweep", tool="pointer", action="start"))
    for k in range(5):
        point(w, (10.0, float(k), 0.0))
    w.order(Collect(what="sweep", tool="pointer", action="stop"))
    assert len(w.memory.sweep) == 5
    assert w.order(Undo()).ok
    assert w.memory.sweep == []
    assert w.order(Undo()).ok
    assert not w.memory.touched


def test_cancel_and_double_start() -> None:
    w = calibrated()
    start = Collect(what="landmark", tool="pointer", landmark="a", action="start")
    assert w.order(start).ok
    assert "already collecting" in w.order(start).reason
    assert w.order(Collect(what="landmark", tool="pointer", landmark="a", action="cancel")).ok
    assert w.memory.collection is None


def test_failed_work_is_an_alarm_with_its_reason() -> None:
    w = World(register=False)
    w.feed(WorkFailed(request="pivot/drill/3", reason="too little rotation"))
    alarm = w.technical("WORKER_FAILED")
    assert alarm is not None
    assert "too little rotation" in alarm.text
