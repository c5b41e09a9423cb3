"""What the fold says of a tracker that lies: at once, by name, and never with a level that is known."""

from __future__ import annotations

import math

import pytest

from navtwin.errors import InputRefused
from navtwin.nouns import Collect, Pose, Sighting, TrackerFrame
from navtwin.twin.drift import OFF_WINDOWS, WINDOW_NS
from navtwin.twin.plausible import SHOWN_NS

from .liar import seen, then, turn
from .world import LATENCY_NS, MS, PERIOD_NS, World, small_rig

BURR = "canal/drill/burr"
HOME = seen("ref", (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0))
NEAR_MM, FAR_MM = 1.5, 40.0


def send(w: World, *sightings: Sighting, age_ns: int = LATENCY_NS) -> None:
    w.now_ns += PERIOD_NS
    w.number += 1
    w.feed(TrackerFrame(source="t", number=w.number, t_capture_ns=w.now_ns - age_ns, t_arrival_ns=w.now_ns, sightings=sightings))


def placed(gap_mm: float = NEAR_MM) -> tuple[World, Sighting]:
    w = World()
    w.hold(gap_mm, 30)
    return w, w.sightings(gap_mm)[1]


def flipped(s: Sighting) -> Sighting:
    assert s.pose is not None
    return seen(s.body, s.pose.t_mm, then(s.pose.q_wxyz, turn((0.0, 1.0, 0.0), math.radians(50.0))))


def moved(s: Sighting, y_mm: float) -> Sighting:
    assert s.pose is not None
    x, y, z = s.pose.t_mm
    return seen(s.body, (x, y + y_mm, z), s.pose.q_wxyz)


def assert_unknown(w: World, status: str) -> None:
    """Every pair of the drill: not known, no number, and no level that has fallen."""
    drill = [p for p in w.alerts.pairs if "/drill/" in p.id]
    assert drill
    assert all(not p.known and p.status == status for p in drill)
    assert all(a.distance_mm is None for a in w.alerts.alerts)


@pytest.mark.parametrize(("gap_mm", "priority"), [(NEAR_MM, "high"), (FAR_MM, "medium")])
def test_a_flip_is_told_of_in_the_same_frame(gap_mm: float, priority: str) -> None:
    w, drill = placed(gap_mm)
    before = w.pair(BURR).level
    send(w, HOME, flipped(drill))
    assert_unknown(w, "INVALID")
    assert w.pair(BURR).level == before, "held"
    told = w.technical("POSE_REFUSED")
    assert (told.subject, told.priority) == ("drill", priority)
    assert "as a flipped marker does" in told.text
    for _ in range(50):
        send(w, HOME, flipped(drill))
        assert_unknown(w, "INVALID")
    w.hold(gap_mm, 3)
    assert w.pair(BURR).known
    assert w.technical("POSE_REFUSED") is not None, "one frame is too short for an eye"
    w.hold(gap_mm, SHOWN_NS // PERIOD_NS + 1)
    assert w.technical("POSE_REFUSED") is None


def test_a_reference_that_leaps_makes_everything_unknown_under_its_own_name() -> None:
    w, drill = placed()
    for n in range(20):
        send(w, flipped(HOME), drill)
        assert_unknown(w, "INVALID")
        told = [t for t in w.alerts.technical if t.alarm in ("POSE_REFUSED", "REFERENCE_LOST", "TRACKING_LOST")]
        assert [(t.alarm, t.subject, t.priority) for t in told] == [("POSE_REFUSED", "ref", "high")], n
        assert w.alerts.health.reference == "bad"


def test_a_leap_near_a_structure_is_unknown_and_not_clear_then_believed_where_it_stays() -> None:
    w, drill = placed()
    away = moved(drill, 100.0)
    levels = []
    for _ in range(40):
        send(w, HOME, away)
        levels.append((w.pair(BURR).known, w.pair(BURR).level))
    first = next(n for n, (known, _) in enumerate(levels) if known)
    assert 6 <= first <= 9, "100 ms"
    assert {level for _, level in levels[:first]} == {"DANGER"}
    assert w.pair(BURR).level == "CLEAR"


def test_an_exchange_is_an_alarm_of_its_own_for_both() -> None:
    w, drill = placed(FAR_MM)
    assert drill.pose is not None
    assert HOME.pose is not None
    swapped = (seen("ref", drill.pose.t_mm, drill.pose.q_wxyz), seen("drill", HOME.pose.t_mm, HOME.pose.q_wxyz))
    for _ in range(100):
        send(w, *swapped)
        assert_unknown(w, "INVALID")
        assert [t.subject for t in w.alerts.technical if t.alarm == "BODIES_EXCHANGED"] == ["drill+ref"]
        assert w.technical("POSE_REFUSED") is None
        assert w.technical("REFERENCE_LOST") is None
    w.hold(FAR_MM, 3)
    assert w.pair(BURR).known
    w.hold(FAR_MM, SHOWN_NS // PERIOD_NS + 1)
    assert w.technical("BODIES_EXCHANGED") is None


def test_what_is_refused_is_not_collected() -> None:
    w, drill = placed()
    assert w.order(Collect(what="pivot", tool="drill", action="start")).ok
    send(w, HOME, drill)
    send(w, HOME, flipped(drill))
    assert w.memory.collection is not None
    assert (len(w.memory.collection.poses), w.memory.collection.refused) == (1, 1)


def frozen_world() -> World:
    return World(rig=small_rig(repeats_ms=300.0))


def test_a_stream_that_repeats_itself_is_frozen_and_everything_stale_until_something_changes() -> None:
    w = frozen_world()
    for n in range(40):
        w.frame(NEAR_MM + 1e-9 * n)
    assert w.technical("SOURCE_FROZEN") is None
    begun = w.memory.last_capture_ns
    told_ns = None
    for _ in range(60):
        w.frame(NEAR_MM + 39e-9)
        if w.technical("SOURCE_FROZEN") is not None:
            told_ns = told_ns or w.memory.last_capture_ns
            assert_unknown(w, "STALE")
            assert w.technical("SOURCE_FROZEN").priority == "high"
            assert {i.status for i in w.state.instruments} == {"STALE"}
            assert not any(t.alarm in ("REFERENCE_LOST", "TRACKING_LOST") for t in w.alerts.technical)
            assert (w.alerts.health.tracker, w.alerts.health.reference) == ("bad", "bad")
    assert told_ns is not None
    assert begun is not None
    assert 300 * MS <= told_ns - begun < 300 * MS + PERIOD_NS
    w.frame(NEAR_MM)
    assert w.pair(BURR).known
    assert w.pair(BURR).level == "DANGER"
    assert w.technical("SOURCE_FROZEN") is None


def test_one_body_that_trembles_is_enough_and_seeing_nothing_is_no_repetition() -> None:
    w = frozen_world()
    for n in range(60):
        w.frame(NEAR_MM + 1e-9 * (n % 2))
        assert w.technical("SOURCE_FROZEN") is None
    for _ in range(60):
        send(w, Sighting(body="ref", status="OUT_OF_VIEW"), Sighting(body="drill", status="OUT_OF_VIEW"))
        assert w.technical("SOURCE_FROZEN") is None


@pytest.mark.parametrize("per_s", [0.05, 0.01, 0.002, -0.002, -0.01])
def test_stamps_that_drift_are_told_of_before_the_error_is_half_of_max_age(per_s: float) -> None:
    w = World()
    begun = w.now_ns
    for _ in range(1500):
        drifted_ns = int(per_s * (w.now_ns + PERIOD_NS - begun))
        send(w, *w.sightings(NEAR_MM), age_ns=40 * MS + drifted_ns)
        if w.technical("TIME_FAULT") is not None:
            break
    told = w.technical("TIME_FAULT")
    assert told is not None
    assert told.priority == "high"
    assert abs(drifted_ns) <= 0.25 * 100 * MS + abs(per_s) * (OFF_WINDOWS + 2) * WINDOW_NS + 2 * MS
    assert ("later" if per_s > 0 else "earlier") in told.text


def test_a_busy_second_is_no_drift() -> None:
    w = World()
    for n in range(400):
        # Late for 0.6 s on end, and every other frame always: the least delay of a window tells.
        late_ms = min(45, 10 * (n - 99)) if 100 <= n < 137 else n % 2 * 10
        send(w, *w.sightings(NEAR_MM), age_ns=(15 + late_ms) * MS)
        assert w.technical("TIME_FAULT") is None, n


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_nothing_of_a_sighting_can_be_no_number(bad: float) -> None:
    pose = Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0))
    with pytest.raises(InputRefused, match="covariance"):
        Sighting(body="drill", status="OK", pose=pose, covariance=(*(0.0,) * 20, bad))  # type: ignore[arg-type]
    for name in ("rms_mm", "rms_px", "ambiguity"):
        with pytest.raises(InputRefused, match=name):
            Sighting(body="drill", status="OK", pose=pose, **{name: bad})
    with pytest.raises(InputRefused, match="q_wxyz"):
        Pose(q_wxyz=(bad, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0))
    with pytest.raises(InputRefused, match="norm"):
        Pose(q_wxyz=(0.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 0.0))


def test_a_covariance_that_is_none_makes_the_distance_unknown() -> None:
    w, drill = placed()
    negative = tuple(-1.0 if n in (0, 6, 11, 15, 18, 20) else 0.0 for n in range(21))
    send(w, HOME, Sighting(body="drill", status="OK", pose=drill.pose, covariance=negative))  # type: ignore[arg-type]
    assert_unknown(w, "INVALID")
