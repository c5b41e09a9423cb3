"""Each verdict against hand-made series whose answer is plain, then properties over random ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.report.judge import (
    CAUTION,
    CONTACT,
    DANGER,
    Finding,
    Levels,
    Rules,
    Times,
    TrueSeries,
    active_spans,
    judge,
    judge_crossings,
    judge_rises,
    mark_masked,
)

MS = 1_000_000
FRAME, TRANSPORT = 16 * MS, 20 * MS
ALLOWED = FRAME + TRANSPORT
RULES = Rules(FRAME, TRANSPORT, 0, 10_000 * MS)
NO_ALARM = np.empty((0, 2), np.int64)


def levels(*steps: tuple[int, int] | tuple[int, int, bool]) -> Levels:
    """(ms, rank[, known]) steps."""
    return Levels(
        np.array([s[0] * MS for s in steps], np.int64),
        np.array([s[1] for s in steps], np.int8),
        np.array([s[2] if len(s) > 2 else True for s in steps], np.bool_),
    )


def truth(*points: tuple[float, float], step_ms: int = 10) -> TrueSeries:
    """Straight lines between (ms, mm) points, sampled every `step_ms`."""
    t = np.arange(points[0][0], points[-1][0] + 1, step_ms)
    return TrueSeries((t * MS).astype(np.int64), np.interp(t, [p[0] for p in points], [p[1] for p in points]))


def crossings(said: Levels, true: TrueSeries, needed: int = CAUTION, limit: float = 2.0, alarm: Times = NO_ALARM) -> list[Finding]:
    return judge_crossings("canal/drill/neck", said, true, np.full(true.t_ns.shape, limit), needed, RULES, alarm)


#: Down through 2 mm at 1000 ms, to 1 mm, up through 2 mm at 3000 ms.
DIP = truth((0, 4.0), (500, 3.0), (1000, 2.0), (1500, 1.0), (2500, 1.0), (3000, 2.0), (3500, 3.0), (9900, 5.0))


def test_raised_before_the_crossing_is_in_time_with_its_lead() -> None:
    (found,) = crossings(levels((0, 0), (900, 1), (3600, 0)), DIP)
    assert found.verdict == "in time"
    assert found.t_ns == 1000 * MS
    assert found.raised_ns == 900 * MS
    assert found.late_ns == -100 * MS - ALLOWED
    assert found.nearest_mm == pytest.approx(1.0)


@pytest.mark.parametrize(("at_ms", "verdict"), [(1036, "in time"), (1037, "late"), (2990, "late"), (3001, "missed")])
def test_the_time_allowed_is_one_frame_and_transport(at_ms: int, verdict: str) -> None:
    (found,) = crossings(levels((0, 0), (at_ms, 1)), DIP)
    assert found.verdict == verdict
    if verdict == "late":
        assert found.late_ns == (at_ms - 1036) * MS


def test_never_raised_is_missed() -> None:
    (found,) = crossings(levels((0, 0)), DIP)
    assert (found.verdict, found.raised_ns, found.late_ns) == ("missed", None, None)


def test_a_lower_level_is_not_enough() -> None:
    (found,) = crossings(levels((0, 0), (900, CAUTION)), DIP, needed=DANGER)
    assert found.verdict == "missed"


def test_a_pair_that_the_twin_does_not_list_is_missed() -> None:
    assert [f.verdict for f in crossings(levels(), DIP)] == ["missed"]


def test_each_dip_is_judged_by_itself() -> None:
    twice = truth((0, 3.0), (1000, 1.0), (2000, 3.0), (3000, 1.0), (4000, 3.0))
    assert [f.verdict for f in crossings(levels((0, 0), (450, 1), (1600, 0), (2700, 1)), twice)] == ["in time", "late"]


def test_held_level_counts_as_raised_only_if_it_was() -> None:
    alarm = np.array([[800 * MS, 4000 * MS]])
    assert [f.verdict for f in crossings(levels((0, 0), (700, 1), (800, 1, False), (3800, 0)), DIP, alarm=alarm)] == ["in time"]
    assert [f.verdict for f in crossings(levels((0, 0), (800, 0, False), (3800, 0)), DIP, alarm=alarm)] == ["unknown"]
    assert [f.verdict for f in crossings(levels((0, 0), (800, 0, False), (3800, 0)), DIP)] == ["missed"]


def test_on_return_the_clock_starts_again() -> None:
    alarm = np.array([[800 * MS, 2000 * MS]])
    lost = levels((0, 0), (800, 0, False), (2000, 0), (2030, 1), (3500, 0))
    assert [f.verdict for f in crossings(lost, DIP, alarm=alarm)] == ["unknown", "in time"]
    never = levels((0, 0), (800, 0, False), (2000, 0))
    assert [f.verdict for f in crossings(never, DIP, alarm=alarm)] == ["unknown", "missed"]


def test_an_alarm_that_came_after_the_time_allowed_does_not_excuse() -> None:
    assert [f.verdict for f in crossings(levels((0, 0), (800, 0, False)), DIP, alarm=np.array([[1037 * MS, 4000 * MS]]))] == ["missed"]


def test_known_and_alarmed_is_still_missed() -> None:
    """A high technical alarm about nothing that concerns this distance excuses nothing."""
    assert [f.verdict for f in crossings(levels((0, 0)), DIP, alarm=np.array([[0, 9000 * MS]]))] == ["missed"]


def test_lowered_while_the_truth_is_inside_is_told() -> None:
    assert [f.verdict for f in crossings(levels((0, 0), (900, 1), (2000, 0)), DIP)] == ["in time", "dropped"]
    assert [f.verdict for f in crossings(levels((0, 0), (900, 1), (2980, 0)), DIP)] == ["in time"]


def test_inside_from_the_start_is_a_crossing() -> None:
    assert [f.verdict for f in crossings(levels((0, 0)), truth((0, 1.0), (3000, 1.0)))] == ["missed"]


def test_a_crossing_too_near_the_end_is_not_judged() -> None:
    assert crossings(levels((0, 0)), truth((0, 4.0), (9970, 2.1), (9990, 1.0))) == []


def test_limits_may_change_in_a_session() -> None:
    flat = truth((0, 3.0), (5000, 3.0))
    limit = np.where(flat.t_ns < 2000 * MS, 2.0, 4.0)
    found = judge_crossings("a/b/c", levels((0, 0)), flat, limit, CAUTION, RULES, NO_ALARM)
    assert [(f.verdict, f.limit_mm) for f in found] == [("missed", 4.0)]
    assert 1990 * MS <= found[0].t_ns <= 2000 * MS


def rises(said: Levels, true: TrueSeries, allowance_mm: float) -> list[Finding]:
    flat = [np.full(true.t_ns.shape, limit) for limit in (2.0, 1.0, 0.0)]
    t = true.t_ns
    return judge_rises("a/b/c", said, true, flat, t, np.full(t.shape, allowance_mm), RULES)


def test_spurious_needs_the_truth_beyond_limit_and_twice_the_allowance() -> None:
    far = truth((0, 4.0), (9000, 4.0))
    said = levels((0, 0), (2000, CAUTION), (3000, 0))
    assert [f.verdict for f in rises(said, far, 0.9)] == ["spurious"]
    assert rises(said, far, 1.0) == []
    assert [f.rank for f in rises(levels((0, 0), (2000, DANGER)), far, 1.1)] == [DANGER]
    assert [f.limit_mm for f in rises(levels((0, 0), (2000, CONTACT)), far, 1.1)] == [0.0]


@pytest.mark.parametrize(("dip_ms", "spurious"), [(1450, True), (1550, False), (2450, False), (2550, True)])
def test_spurious_looks_half_a_second_to_both_sides(dip_ms: int, spurious: bool) -> None:
    true = truth((0, 9.0), (dip_ms - 10, 9.0), (dip_ms, 2.5), (dip_ms + 10, 9.0), (9000, 9.0))
    assert bool(rises(levels((0, 0), (2000, CAUTION)), true, 0.5)) == spurious


def test_the_largest_allowance_of_the_window_counts() -> None:
    true = truth((0, 4.0), (9000, 4.0))
    flat = [np.full(true.t_ns.shape, limit) for limit in (2.0, 1.0, 0.0)]
    when = np.array([1000, 1600, 2000, 2600], np.int64) * MS
    said = levels((0, 0), (2000, CAUTION))
    assert judge_rises("a/b/c", said, true, flat, when, np.array([9.0, 1.2, 0.1, 9.0]), RULES) == []
    assert judge_rises("a/b/c", said, true, flat, when, np.array([9.0, 0.8, 0.1, 9.0]), RULES) != []


def test_a_return_from_unknown_at_the_same_level_is_no_rise() -> None:
    far = truth((0, 9.0), (9000, 9.0))
    said = levels((0, 0), (1000, 2), (2000, 2, False), (3000, 2), (4000, 1), (5000, 0))
    assert [f.t_ns for f in rises(said, far, 0.1)] == [1000 * MS]


def test_masked_is_missed_while_another_alert_was_active() -> None:
    missed = Finding("a/b/c", "missed", 1000 * MS, 1, 2.0, 1.0)
    on = active_spans(levels((0, 0), (500, 1), (1500, 0)), RULES.end_ns)
    assert mark_masked([missed], {"x/y/z": on}, RULES)[0].masked_by == ("x/y/z",)
    assert mark_masked([missed], {"a/b/c": on}, RULES)[0].masked_by == ()
    after = active_spans(levels((0, 0), (1037, 1)), RULES.end_ns)
    assert mark_masked([missed], {"x/y/z": after}, RULES)[0].masked_by == ()
    good = Finding("a/b/c", "in time", 1000 * MS, 1, 2.0, 1.0)
    assert mark_masked([good], {"x/y/z": on}, RULES)[0].masked_by == ()


def test_an_alert_that_never_ended_is_active_to_the_end() -> None:
    assert active_spans(levels((0, 0), (500, 1)), 900 * MS).tolist() == [[500 * MS, 900 * MS]]


walks = st.lists(st.floats(-1.0, 6.0, allow_nan=False), min_size=4, max_size=14)


def _truth_of(heights: list[float]) -> TrueSeries:
    return truth(*((400 * n, mm) for n, mm in enumerate([5.0, *heights, 5.0])))


def _ideal(true: TrueSeries, delay_ms: int) -> Levels:
    """The truth's own level, told `delay_ms` late."""
    d = true.distance_mm
    rank = (d <= 2.0).astype(np.int8) + (d <= 1.0) + (d <= 0.0)
    return Levels(true.t_ns + delay_ms * MS, rank.astype(np.int8), np.ones(rank.shape, np.bool_))


def _judge(said: Levels, true: TrueSeries) -> list[Finding]:
    caution, danger = np.full(true.t_ns.shape, 2.0), np.full(true.t_ns.shape, 1.0)
    return judge("a/b/c", said, true, caution, danger, np.empty(0, np.int64), np.empty(0), RULES, NO_ALARM)


@settings(max_examples=60, deadline=None)
@given(walks, st.integers(0, 25))
def test_truth_told_within_the_time_allowed_is_faultless(heights: list[float], delay_ms: int) -> None:
    true = _truth_of(heights)
    assert {f.verdict for f in _judge(_ideal(true, delay_ms), true)} <= {"in time"}


@settings(max_examples=60, deadline=None)
@given(walks, st.integers(50, 300))
def test_truth_told_too_late_is_late_or_missed_at_every_crossing(heights: list[float], delay_ms: int) -> None:
    true = _truth_of(heights)
    said = _ideal(true, delay_ms)
    for finding in _judge(said, true):
        held = said.rank_at(finding.t_ns) >= finding.rank  # the level of a dip before, told late, may still stand
        assert held or finding.verdict in ("late", "missed", "dropped")
        if finding.verdict == "late":
            assert finding.late_ns is not None and 0 < finding.late_ns <= (delay_ms + 10) * MS - ALLOWED


@settings(max_examples=60, deadline=None)
@given(walks)
def test_silence_misses_every_crossing_and_nothing_else(heights: list[float]) -> None:
    true = _truth_of(heights)
    found = _judge(levels((0, 0)), true)
    dips = sum(int(np.sum(np.diff((true.distance_mm <= limit).astype(int)) == 1)) for limit in (2.0, 1.0, 0.0))
    assert [f.verdict for f in found] == ["missed"] * dips


@settings(max_examples=40, deadline=None)
@given(walks, st.integers(0, 200), st.integers(-(10**15), 10**15))
def test_verdicts_do_not_depend_on_when_the_clock_began(heights: list[float], delay_ms: int, shift_ns: int) -> None:
    true = _truth_of(heights)
    said = _ideal(true, delay_ms)
    moved = Rules(FRAME, TRANSPORT, RULES.start_ns + shift_ns, RULES.end_ns + shift_ns)
    caution, danger = np.full(true.t_ns.shape, 2.0), np.full(true.t_ns.shape, 1.0)
    later = judge(
        "a/b/c",
        Levels(said.t_ns + shift_ns, said.rank, said.known),
        TrueSeries(true.t_ns + shift_ns, true.distance_mm),
        caution,
        danger,
        np.empty(0, np.int64),
        np.empty(0),
        moved,
        NO_ALARM,
    )
    now = _judge(said, true)
    assert [(f.verdict, f.rank, f.t_ns + shift_ns, f.late_ns) for f in now] == [(f.verdict, f.rank, f.t_ns, f.late_ns) for f in later]


def _plain(steps: list[tuple[int, int]], true: TrueSeries, limit: float) -> list[str]:
    """The definition once more, by walking: no arrays, no searching."""
    t, d = true.t_ns.tolist(), true.distance_mm.tolist()
    dips, start = [], None
    for n, mm in enumerate(d):
        if (mm <= limit) == (start is not None):
            continue
        cross = t[n] if n == 0 else t[n - 1] + round((t[n] - t[n - 1]) * (d[n - 1] - limit) / (d[n - 1] - mm))
        if start is None:
            start = cross
        else:
            dips.append((start, cross))
            start = None
    if start is not None:
        dips.append((start, RULES.end_ns))
    verdicts = []
    for begin, end in dips:
        due = begin + ALLOWED
        if due >= RULES.end_ns:
            continue
        spells = [(a[0] * MS, b[0] * MS if b else RULES.end_ns + 1) for a, b in zip(steps, [*steps[1:], None], strict=True) if a[1] >= CAUTION]
        raised = min((max(begin, a) for a, b in spells if b > begin), default=None)
        verdicts.append("missed" if raised is None else "in time" if raised <= due else "late" if raised < end else "missed")
    return verdicts


@settings(max_examples=120, deadline=None)
@given(walks, st.lists(st.tuples(st.integers(1, 7000), st.integers(0, 2)), max_size=12))
def test_verdicts_agree_with_the_definition_walked_through(heights: list[float], changes: list[tuple[int, int]]) -> None:
    steps = [(0, 0), *sorted(dict(changes).items())]
    true = _truth_of(heights)
    found = [f.verdict for f in crossings(levels(*steps), true) if f.verdict != "dropped"]
    assert found == _plain(steps, true, 2.0)
