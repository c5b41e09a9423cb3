"""Judging all pairs at once says what judging each by itself says, to the bit."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.kernels.known import MEASURED, OUT_OF_SCAN, UNMEASURED, tell_known
from navtwin.nouns import Accept, Ack, AlertSet, EventBody, Message, Mute, SetLimits, State
from navtwin.twin.judge import K_SD, bounds_mm, statuses
from navtwin.volumes.volume import VolumeBox
from tests.twin.world import World, registration, small_rig

NUMBERS = st.floats(-1e4, 1e4) | st.just(math.nan)


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_many_points_are_in_the_scan_exactly_where_each_is(points: list[tuple[float, float, float]]) -> None:
    affine = ((0.7, 0.1, -0.03, 12.0), (-0.1, 0.9, 0.2, 40.5), (0.02, -0.2, 1.3, -3.25), (0.0, 0.0, 0.0, 1.0))
    box = VolumeBox(affine, (120, 90, 61))
    assert box.contain(np.array(points)).tolist() == [box.contains(p) for p in points]


def test_a_point_on_the_scan_s_edge_is_inside_by_either_way() -> None:
    box = VolumeBox(((1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0)), (3, 3, 3))
    edge = [(-0.5, 2.5, 0.0), (np.nextafter(-0.5, -1.0), 0.0, 0.0), (0.0, np.nextafter(2.5, 3.0), 0.0)]
    assert box.contain(np.array(edge)).tolist() == [True, False, False] == [box.contains(tuple(map(float, p))) for p in edge]  # type: ignore[arg-type]


@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_a_distance_is_told_as_measured_exactly_where_it_is_known_and_its_point_in_the_scan(rows: list[tuple[float, ...]]) -> None:
    affine = ((0.7, 0.1, -0.03, 12.0), (-0.1, 0.9, 0.2, 40.5), (0.02, -0.2, 1.3, -3.25))
    shape, told = (120, 90, 61), np.zeros((1, len(rows)), dtype=np.uint8)
    points, distance, sd = (np.array([[row[columns] for row in rows]]) for columns in (slice(3), 3, 4))
    tell_known(points, distance, sd, np.array(affine), np.array(shape), told)
    box = VolumeBox((*affine, (0.0, 0.0, 0.0, 1.0)), shape)
    measured = [MEASURED if math.isfinite(row[3]) and math.isfinite(row[4]) else UNMEASURED for row in rows]
    inside = [box.contains((row[0], row[1], row[2])) for row in rows]
    assert told[0].tolist() == [m if i else OUT_OF_SCAN for m, i in zip(measured, inside, strict=True)]


EVENTS = st.one_of(
    st.tuples(st.just("frame"), st.none() | st.floats(-1.0, 12.0) | st.floats(12.0, 120.0)),
    st.tuples(st.sampled_from(("tick", "no reference", "stale", "ack", "mute", "accept", "caution")), st.floats(0.5, 12.0)),
)


@dataclass
class Heard(World):
    """Keeps all that was said, of the alert sets of one event the last; a thorough one has every pair measured first and judged at every event."""

    thorough: bool = False
    said: list[Message] = field(default_factory=list)

    def feed(self, body: EventBody) -> list[Message]:
        if self.thorough:
            self.memory.unsettled = list(self.memory.pairs)
        sets = [m for m in super().feed(body) if m.topic == "alerts"]
        self.said += [m for m in self.messages if m.topic != "alerts" or m is sets[-1]]
        return self.messages


def _happen(w: Heard, kind: str, number: float | None) -> None:
    if kind in ("frame", "no reference"):
        w.frame(number, ref=kind == "frame")
    elif kind == "stale":
        w.idle(150.0)
    elif kind == "ack":
        for alert in w.alerts.alerts[:1]:
            w.order(Ack(epoch="test-session", alert=alert.id, level=alert.level))
    elif kind == "mute":
        w.order(Mute(structure="canal"))
    elif kind == "accept":
        w.feed(registration())
        w.order(Accept(result="registration"))
    elif kind == "caution":
        w.order(SetLimits(structure="canal", caution_mm=number or 4.0, danger_mm=0.4))
    else:
        w.tick()


@given(st.lists(EVENTS, min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_judging_the_unsettled_pairs_says_what_judging_every_pair_says(events: list[tuple[str, float | None]]) -> None:
    few, every = Heard(), Heard(thorough=True)
    for kind, number in events:
        for w in (few, every):
            _happen(w, kind, number)
        assert few.said == every.said
        assert few.memory.summaries == [pair.summary for pair in few.memory.pairs]


@given(st.lists(st.tuples(st.floats(-90.0, 90.0), st.booleans()), min_size=5, max_size=25))
@settings(max_examples=60, deadline=None)
def test_what_is_far_and_put_off_says_what_measuring_all_at_once_says(steps: list[tuple[float, bool]]) -> None:
    few, every = Heard(), Heard(thorough=True)
    gap = 60.0
    for way, is_seen in steps:
        gap = min(max(gap + way, 1.0), 150.0)
        for w in (few, every):
            w.frame(gap if is_seen else None, age_ms=90.0)
        assert few.said == every.said
        assert few.memory.tool_known_ns == every.memory.tool_known_ns
        assert not few.memory.proximity.put_off.any()


def test_a_far_pair_whose_bound_crosses_its_limit_is_warned_of_in_the_same_frame() -> None:
    """It is put off by where it is; what its speed takes off while the frame is late is only known once it is measured."""
    w = World(rig=small_rig(max_age_ms=200.0))
    for gap in (140.0, 130.0, 120.0, 110.0, 100.0, 90.0, 80.0, 70.0):
        w.frame(gap)
    assert w.pair("canal/drill/burr").level == "CLEAR"
    w.frame(60.0, age_ms=100.0, step_ms=101.0)
    topics = [m.topic for m in w.messages if m.topic in ("alerts", "state")]
    last = [m.body for m in w.messages if isinstance(m.body, AlertSet)][-1]
    assert topics[-2:] == ["alerts", "state"]
    assert {a.id: a.level for a in last.alerts}["canal/drill/burr"] == "DANGER"


def test_a_clear_pair_is_settled_and_one_that_comes_near_or_is_lost_is_not() -> None:
    w = World()
    w.hold(20.0, 5)
    assert [pair.id for pair in w.memory.unsettled] == [pair.id for pair in w.memory.pairs if "/pointer/" in pair.id]
    w.frame(3.0)
    assert "canal/drill/burr" in [pair.id for pair in w.memory.unsettled]
    w.frame(None)
    assert len(w.memory.unsettled) == len(w.memory.pairs)


def test_bounds_are_the_formula_of_each_pair_and_the_state_carries_them() -> None:
    w = World()
    for n in range(20):
        w.frame(8.0 - 0.3 * n)
        p, m = w.memory.proximity, w.memory
        assert m.frame is not None
        age_s = (m.now_ns - m.frame.t_capture_ns) * 1e-9
        found = bounds_mm(m)
        readings = {(r.part, r.structure): r for m in w.messages if isinstance(m.body, State) for r in m.body.readings}
        for part, structure in np.ndindex(*found.shape):
            horizon_s = max(0.0, age_s) + 0.0 + m.rig.tracker.output_delay_ms * 1e-3 + float(p.lag_s[part, structure])
            distance, sd, speed = (float(a[part, structure]) for a in (p.distance, p.sd, p.speed))
            expected = distance - K_SD * sd - max(0.0, speed) * horizon_s
            assert found[part, structure] == expected or (math.isnan(expected) and math.isnan(found[part, structure]))
            reading = readings[p.part_names[part], p.structures[structure].name]
            if p.tool_names[p.tool_of_part[part]] == "drill":
                assert reading.bound_mm == expected
                assert reading.distance_mm == distance


def test_a_tool_that_is_not_seen_is_so_against_every_structure_and_the_others_are_not_touched() -> None:
    w = World()
    w.frame(5.0)
    rows = statuses(w.memory, stale=False)
    tools = [w.memory.proximity.tool_names[t] for t in w.memory.proximity.tool_of_part]
    assert {status for tool, row in zip(tools, rows, strict=True) for status in row if tool == "drill"} == {"OK"}
    assert {status for tool, row in zip(tools, rows, strict=True) for status in row if tool == "pointer"} == {"HIDDEN"}
    assert {status for row in statuses(w.memory, stale=True) for status in row} == {"STALE"}
    w.memory.registration = None
    assert {status for row in statuses(w.memory, stale=True) for status in row} == {"UNREGISTERED"}
