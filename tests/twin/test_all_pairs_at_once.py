"""Judging all pairs at once says what judging each by itself says, to the bit."""

from __future__ import annotations

import copy
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.nouns import State
from navtwin.twin.judge import K_SD, bounds_mm, statuses
from navtwin.twin.levels import LevelState
from navtwin.volumes.volume import VolumeBox
from tests.twin.world import MS, World

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


@given(good=st.integers(0, 5), falls_since=st.none() | st.integers(0, 100 * MS), fresh=st.booleans())
@settings(max_examples=40, deadline=None)
def test_staying_clear_is_what_seeing_clear_does(good: int, falls_since: int | None, fresh: bool) -> None:
    one = LevelState(level="CLEAR", known=True, since_ns=7, good_frames=good, fall_since_ns=falls_since)
    other = copy.copy(one)
    one.see(500 * MS, "CLEAR", "CLEAR", fresh_frame=fresh)
    other.stay_clear(fresh_frame=fresh)
    assert one == other


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
