"""Landmarks by dwell: taken when the tip was seen and still, refused aloud when it was not."""

from __future__ import annotations

import math

import pytest

from navtwin.nouns import AppliedFilter, Collect, Pose, Setup, Sighting, Tick, TrackerFrame
from navtwin.twin.dwell import PATIENCE_NS

from .test_alerts import BURR
from .test_setup import calibrated, point, setup_now
from .world import MS, World

AT = (10.0, 0.0, 0.0)


def dwelling(dwell_s: float = 1.0) -> World:
    w = calibrated()
    assert w.order(Collect(what="landmark", tool="pointer", landmark="a", action="start", dwell_s=dwell_s)).ok
    return w


def due_setup_now(w: World) -> Setup:
    """Progress as it would be said now."""
    w.memory.setup_changed = True
    w.feed(Tick())
    return setup_now(w)


def test_a_landmark_is_taken_without_a_key_once_the_tip_was_still_long_enough() -> None:
    w = dwelling()
    for _ in range(62):
        point(w, AT)
    assert "a" not in w.memory.touched  # 61 steps of 16 ms: not yet a second
    assert due_setup_now(w).dwell_share == pytest.approx(61 * 0.016)
    for _ in range(3):
        point(w, AT)
    taken = w.memory.touched["a"]
    assert taken.position_ref_mm == AT
    assert taken.points_ref_mm == (AT,) * len(taken.points_ref_mm)
    assert due_setup_now(w).landmark_samples == (len(taken.points_ref_mm),)
    assert w.memory.collection is None


def test_what_came_before_a_move_does_not_count() -> None:
    w = dwelling()
    for _ in range(50):
        point(w, (0.0, 20.0, 0.0))
    for _ in range(70):
        point(w, AT)
    assert w.memory.touched["a"].position_ref_mm == AT


def test_a_hidden_pointer_starts_the_dwell_again_and_is_told() -> None:
    w = dwelling()
    for _ in range(50):
        point(w, AT)
    point(w, None)
    assert "pointer is hidden" in setup_now(w).message
    for _ in range(50):
        point(w, AT)
    assert "a" not in w.memory.touched
    for _ in range(20):
        point(w, AT)
    assert "a" in w.memory.touched


def test_a_hidden_reference_is_named() -> None:
    w = dwelling()
    w.now_ns += 16 * MS
    seen = Sighting(body="pointer", status="OK", pose=Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=AT))
    hidden = Sighting(body="ref", status="MISSING")
    w.feed(TrackerFrame(source="t", number=1, t_capture_ns=w.now_ns - 15 * MS, t_arrival_ns=w.now_ns, sightings=(hidden, seen)))
    assert "the reference is hidden" in setup_now(w).message


def test_a_slow_drift_is_not_a_dwell() -> None:
    w = dwelling()
    for k in range(200):
        point(w, (10.0 + 0.02 * k, 0.0, 0.0))
    assert "a" not in w.memory.touched


def test_noise_of_a_tracker_does_not_prevent_a_dwell() -> None:
    w = dwelling()
    for k in range(70):
        point(w, (10.0 + 0.4 * math.sin(11.0 * k), 0.4 * math.cos(17.0 * k), 0.0))
    assert math.dist(w.memory.touched["a"].position_ref_mm, AT) < 0.1
    assert 0.3 < w.memory.touched["a"].spread_mm < 0.5


def test_frames_that_were_missing_start_the_dwell_again() -> None:
    w = dwelling()
    for _ in range(50):
        point(w, AT)
    w.now_ns += 300 * MS
    for _ in range(50):
        point(w, AT)
    assert "a" not in w.memory.touched


@pytest.mark.parametrize("seen", [True, False])
def test_a_dwell_that_never_comes_to_rest_is_given_up_with_an_alarm(seen: bool) -> None:
    w = dwelling()
    end_ns = w.now_ns + PATIENCE_NS + 100 * MS
    k = 0
    while w.now_ns < end_ns:
        k += 1
        if seen:
            point(w, (10.0 * (k % 2), 0.0, 0.0))
        else:
            w.now_ns += 100 * MS
            w.feed(Tick())
    assert w.memory.collection is None
    assert not w.memory.touched
    refused = w.technical("LANDMARK_REFUSED")
    assert ("the tip moves" if seen else "no frame came") in refused.text
    assert w.order(Collect(what="landmark", tool="pointer", landmark="a", action="start", dwell_s=1.0)).ok
    w.feed(Tick())
    assert w.technical("LANDMARK_REFUSED") is None


@pytest.mark.parametrize(("what", "dwell_s"), [("pivot", 1.0), ("sweep", 1.0), ("landmark", 0.1), ("landmark", 60.0), ("landmark", -1.0)])
def test_a_dwell_that_makes_no_sense_is_refused(what: str, dwell_s: float) -> None:
    w = calibrated()
    order = Collect(what=what, tool="pointer", landmark="a", action="start", dwell_s=dwell_s)  # type: ignore[arg-type]
    assert "dwell" in w.order(order).reason


def test_the_delay_of_a_filter_counts_against_the_bound() -> None:
    """A smoothed pose is an older pose: the operator must not be told of room that is already used up."""

    def bound(delay_ms: float) -> tuple[float, float]:
        w = World(smoothing=AppliedFilter(name="one-euro", delay_ms=delay_ms))
        for k in range(30):
            w.frame(20.0 - 0.2 * k)
        pair = next(q for q in w.memory.pairs if q.id == BURR)
        return pair.bound_mm, pair.speed_mm_s

    plain, speed = bound(0.0)
    smoothed, _ = bound(50.0)
    assert speed > 1.0
    assert plain - smoothed == pytest.approx(speed * 0.05, rel=1e-6)
