"""State, bound, unknown, staleness: what the operator is told, and when."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.nouns import LEVELS, AlertSet, Rig
from navtwin.twin.levels import rank

from .world import HEADER, MS, World, registration, small_rig, small_scene

BURR = "canal/drill/burr"


def test_start_is_unknown_and_says_so() -> None:
    w = World(register=False)
    w.tick()
    assert {p.level for p in w.alerts.pairs} == {None}
    assert not any(p.known for p in w.alerts.pairs)
    assert w.technical("NOT_REGISTERED") is not None
    assert w.technical("SOURCE_STALE") is not None


def test_clear_is_known_after_three_frames() -> None:
    w = World()
    w.hold(20.0, 2)
    assert not w.pair(BURR).known
    w.frame(20.0)
    assert w.pair(BURR).known
    assert w.pair(BURR).level == "CLEAR"


@pytest.mark.parametrize(("gap", "level"), [(3.0, "CAUTION"), (1.5, "DANGER"), (-0.5, "CONTACT")])
def test_levels_by_distance(gap: float, level: str) -> None:
    w = World()
    w.hold(gap, 40)
    alert = w.alert(BURR)
    assert alert.level == level
    assert alert.known
    assert alert.distance_mm == pytest.approx(gap, abs=0.05)
    assert alert.bound_mm < alert.distance_mm
    assert alert.limit_mm == {"CAUTION": 4.0, "DANGER": 2.0, "CONTACT": 0.0}[level]


def test_one_structure_never_masks_another() -> None:
    w = World(scene=small_scene(caution_mm=100.0, danger_mm=90.0))
    w.hold(1.0, 10)
    assert {a.structure for a in w.alerts.alerts} == {"canal"}
    near_both = World(scene=small_scene())
    from navtwin.nouns import SetLimits

    assert near_both.order(SetLimits(structure="aorta", caution_mm=80.0, danger_mm=70.0)).ok
    near_both.hold(1.0, 10)
    assert {a.structure for a in near_both.alerts.alerts} == {"canal", "aorta"}


def test_rise_is_said_in_the_frame_that_shows_it() -> None:
    w = World()
    w.hold(20.0, 30)
    messages = w.frame(3.0)
    assert messages[0].topic == "alerts", "warnings leave before anything else"
    said = messages[0].body
    assert isinstance(said, AlertSet)
    assert BURR in {a.id for a in said.alerts}


def test_approach_speed_raises_early() -> None:
    """At 20 mm/s towards, the bound is 20 mm/s x (age + output delay + the fit's own delay) nearer than the error bar alone."""
    w = World()
    gap = 12.0
    while gap > 6.0:
        w.frame(gap)
        gap -= 0.32
    r = next(r for r in w.state.readings if (r.structure, r.part) == ("canal", "burr"))
    assert r.speed_mm_s == pytest.approx(20.0, rel=0.02)
    seen, bound, sd, speed = r.distance_mm, r.bound_mm, r.sd_mm, r.speed_mm_s
    assert seen is not None and bound is not None and sd is not None and speed is not None
    horizon = (seen - 2.0 * sd - bound) / speed
    assert horizon == pytest.approx(0.015 + 0.005 + 0.056, abs=0.004)


def test_time_alone_raises_a_level() -> None:
    """Between frames the bound goes on shrinking with age: a tick may raise."""
    w = World()
    gap = 12.0
    while w.alert(BURR) is None and gap > 4.2:
        w.frame(gap)
        gap -= 0.8
    w2 = World()
    gap = 12.0
    for _ in range(7):
        w2.frame(gap)
        gap -= 0.8
    levels = [rank(w2.pair(BURR).level)]
    for _ in range(8):
        w2.tick()
        levels.append(rank(w2.pair(BURR).level))
    assert levels[-1] > levels[0]
    assert levels == sorted(levels)


def test_hidden_holds_the_level_and_shows_no_number() -> None:
    w = World()
    w.hold(1.5, 30)
    w.frame(None)
    alert = w.alert(BURR)
    assert (alert.level, alert.known, alert.status) == ("DANGER", False, "HIDDEN")
    assert alert.distance_mm is None
    assert alert.bound_mm is None
    assert all(r.distance_mm is None for r in w.state.readings if r.instrument == "drill")


def test_loss_near_a_structure_is_a_high_alarm_and_far_away_is_medium_until_a_hand_could_be_there() -> None:
    near = World()
    near.hold(1.5, 30)
    near.hold(None, 8)
    assert near.technical("TRACKING_LOST").priority == "high"
    far = World()
    far.hold(60.0, 30)
    far.hold(None, 8)
    assert far.technical("TRACKING_LOST").priority == "medium"
    far.hold(None, 80)
    assert far.technical("TRACKING_LOST").priority == "high"


def test_one_lost_frame_is_unknown_but_no_technical_alarm() -> None:
    w = World()
    w.hold(3.0, 30)
    w.frame(None)
    assert not w.alert(BURR).known
    assert w.technical("TRACKING_LOST") is None
    w.frame(3.0)
    assert w.alert(BURR).known


def test_reference_lost_makes_everything_unknown_and_names_the_cause_once() -> None:
    w = World()
    w.hold(1.5, 30)
    w.hold(1.5, 8, ref=False)
    assert not any(p.known for p in w.alerts.pairs)
    assert w.technical("REFERENCE_LOST").priority == "high"
    assert w.technical("TRACKING_LOST") is None


@pytest.mark.parametrize("max_age_ms", [60.0, 100.0, 250.0])
def test_stale_is_signalled_within_one_tick_of_max_age(max_age_ms: float) -> None:
    w = World(rig=small_rig(max_age_ms=max_age_ms))
    w.hold(20.0, 10)
    captured = w.now_ns - 15 * MS
    while w.technical("SOURCE_STALE") is None:
        w.tick()
        assert w.now_ns - captured < (max_age_ms + 100.0) * MS
    late_ms = (w.now_ns - captured) / MS - max_age_ms
    assert 0.0 < late_ms <= 10.0
    assert not any(p.known for p in w.alerts.pairs)
    assert {p.status for p in w.alerts.pairs if "drill" in p.id} == {"STALE"}


def test_return_is_judged_afresh() -> None:
    w = World()
    w.hold(1.5, 30)
    w.hold(None, 20)
    w.frame(3.2)
    assert w.alert(BURR).level == "CAUTION"
    w.hold(None, 5)
    w.hold(30.0, 2)
    assert w.alert(BURR) is not None, "CLEAR needs three good frames"
    w.frame(30.0)
    assert w.alert(BURR) is None


def test_outside_the_scan_is_unknown() -> None:
    w = World()
    w.hold(20.0, 10)
    w.hold(250.0, 10)
    assert w.pair(BURR).status == "OUT_OF_SCAN"
    assert not w.pair(BURR).known
    assert w.technical("OUT_OF_SCAN").priority == "low"


def test_complete_set_every_50_ms_without_frames() -> None:
    w = World()
    w.hold(20.0, 10)
    w.idle(300)
    said = []
    for _ in range(40):
        w.tick()
        said += [w.now_ns for m in w.messages if m.topic == "alerts"]
    gaps = [b - a for a, b in itertools.pairwise(said)]
    assert max(gaps) <= 50 * MS


def test_nothing_watched_is_said() -> None:
    w = World(scene=small_scene(critical=False))
    w.hold(1.0, 10)
    assert w.technical("NOTHING_WATCHED") is not None
    assert w.alerts.health.watched == 0


def test_new_registration_forgets_what_was_known_in_the_old_one() -> None:
    from navtwin.nouns import Accept

    w = World()
    w.hold(20.0, 10)
    w.feed(registration())
    w.order(Accept(result="registration"))
    assert not any(p.known for p in w.alerts.pairs)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(-3.0, 30.0)), min_size=1, max_size=40), st.integers(1, 3))
def test_nothing_unknown_is_ever_shown_as_safe(gaps: list[float | None], repeat: int) -> None:
    """Any hand, any dropouts: a known level is never below what measured distance and limits demand; unknown carries no number."""
    w = World()
    for gap in gaps:
        for _ in range(repeat):
            w.frame(gap)
            pair = w.pair(BURR)
            if gap is None:
                assert not pair.known
            elif pair.known:
                demanded = "CONTACT" if gap <= -0.1 else "DANGER" if gap <= 2.0 else "CAUTION" if gap <= 4.0 else "CLEAR"
                assert rank(pair.level) >= LEVELS.index(demanded)  # type: ignore[arg-type]
            for alert in w.alerts.alerts:
                assert alert.known == (alert.distance_mm is not None)


def test_same_events_same_bits() -> None:
    from navtwin.nouns import encode

    def run(rig: Rig) -> list[bytes]:
        w, out = World(rig=rig), []
        for k in range(200):
            w.frame(None if k % 37 == 0 else 8.0 - 0.05 * k)
            out += [encode(m.body) for m in w.messages]
        return out

    assert run(small_rig()) == run(small_rig())
    assert HEADER.session == "test-session"
