"""The Qt-free parts against brute force: columns, instants, bands, alerts, gaps, damage, notes, playing, comparing."""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gui.review.axis import Axis, time_words
from gui.review.compare import account, alignments, events_of, only_in
from gui.review.load import load
from gui.review.notes import Note, add_note, notes_file, read_notes
from gui.review.player import SPEEDS, Player
from gui.review.plots import pieces, series_of
from gui.review.session import GAP_NS, KNOWN, MS, PARTLY, STATE_HOLDS_NS, UNKNOWN, Session
from navtwin.errors import InputRefused, LogDamaged
from navtwin.nouns import LEVELS, AlertSet, Command, Event, Mark, State
from navtwin.record.read import decode, read_log

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "session.mcap"


@cache
def golden() -> Session:
    return load(GOLDEN)


@cache
def told() -> tuple[list[tuple[int, State]], list[tuple[int, AlertSet]], list[tuple[int, Command]], int]:
    """States, alert sets and commands of the golden log with their times since the first input, read the plain way."""
    found: dict[str, list[Any]] = {"/output/state": [], "/output/alerts": [], "/input": []}
    for record in read_log(GOLDEN):
        if record.channel in found:
            found[record.channel].append((record.t_ns, decode(record)))
    first = found["/input"][0][0]
    states, sets = ([(t - first, noun) for t, noun in found[name]] for name in ("/output/state", "/output/alerts"))
    events: list[tuple[int, Event]] = [(t - first, event) for t, event in found["/input"]]
    return states, sets, [(t, e.body) for t, e in events if isinstance(e.body, Command)], events[-1][0]


def held(samples: list[tuple[int, Any]], t_ns: int, holds_ns: int) -> Any:
    """Plays up to `t_ns`, sample by sample."""
    now: tuple[int, Any] | None = None
    for at_ns, noun in samples:
        if at_ns <= t_ns:
            now = at_ns, noun
    return now[1] if now is not None and t_ns - now[0] <= holds_ns else None


@settings(max_examples=40, deadline=None)
@given(st.integers(min_value=-500, max_value=5_000))
def test_seeking_anywhere_equals_playing_to_there(t_ms: int):
    states, sets, _, _ = told()
    t_ns = t_ms * MS
    assert golden().state_at(t_ns) == held(states, t_ns, STATE_HOLDS_NS)
    assert golden().alerts_at(t_ns) == held(sets, t_ns, GAP_NS)


def test_every_state_and_alert_set_is_found_at_its_own_time():
    states, sets, _, _ = told()
    assert [golden().state_at(t) for t, _ in states] == [held(states, t, STATE_HOLDS_NS) for t, _ in states]
    assert [golden().alerts_at(t) for t, _ in sets] == [held(sets, t, GAP_NS) for t, _ in sets]


def test_columns_hold_what_the_states_say():
    session, (states, sets, _, _) = golden(), told()
    assert len(session.t_ns) == len(states)
    for n, (t_ns, state) in enumerate(states):
        alerts = held(sets, t_ns, GAP_NS)
        doubted = {pair.id for pair in alerts.pairs if not pair.known} if alerts else set()
        readings = {(r.structure, r.instrument, r.part): r for r in state.readings if r.role == "critical"}
        for p, pair in enumerate(session.pairs):
            r = readings[tuple(pair)]
            assert (r.distance_mm is None and np.isnan(session.distance_mm[n, p])) or session.distance_mm[n, p] == r.distance_mm
            assert (r.bound_mm is None and np.isnan(session.bound_mm[n, p])) or session.bound_mm[n, p] == r.bound_mm
            assert session.known[n, p] == (r.distance_mm is not None and alerts is not None and "/".join(pair) not in doubted)


def test_bands_tell_the_worst_pair_and_never_call_the_unknown_clear():
    session, (_, sets, _, _) = golden(), told()
    last: dict[int, AlertSet] = dict(sets)
    for structure in session.structures:
        bands = session.bands(structure)
        for t_ns, said in last.items():
            found = [b for b in bands if b.start_ns <= t_ns < b.end_ns]
            if t_ns >= session.end_ns:
                continue
            assert len(found) == 1
            mine = [p for p in said.pairs if p.id.startswith(structure + "/")]
            top = max((p.level or "CLEAR" for p in mine), key=LEVELS.index)
            assert found[0].level == top
            if not any(p.known for p in mine):
                assert found[0].knowledge == UNKNOWN
            elif top != "CLEAR":
                assert (found[0].knowledge == KNOWN) == any(p.known and p.level == top for p in mine)
            else:
                assert found[0].knowledge in (KNOWN, PARTLY)


def test_alerts_are_the_ones_that_the_sets_name():
    session, (_, sets, _, _) = golden(), told()
    last = dict(sets)
    for t_ns, said in last.items():
        if t_ns < session.end_ns:
            there = {(s.id, s.level, s.known) for s in session.alerts if s.start_ns <= t_ns < s.end_ns}
            assert there == {(a.id, a.level, a.known) for a in said.alerts}
            alarms = {s.id for s in session.technical if s.start_ns <= t_ns < s.end_ns}
            assert alarms == {a.id for a in said.technical}
    assert session.rises
    assert session.alert_from(-1, 1) == session.rises[0]
    assert session.alert_from(session.end_ns, -1) == session.rises[-1]
    assert session.alert_from(session.end_ns, 1) is None


def test_orders_and_bookmarks_are_listed_with_who_gave_them():
    session, (_, _, commands, _) = golden(), told()
    assert [(c.t_ns, c.who, c.order) for c in session.commands] == [(t, c.who, c.order) for t, c in commands]
    marks = [c.order.label for _, c in commands if isinstance(c.order, Mark)]
    assert [label for _, label in session.marks] == marks
    assert any("refused" in words for _, kind, words in events_of(session) if kind == "order")
    assert session.end_ns == told()[3]


def test_limits_follow_accepted_orders_and_undo():
    steps = golden().limits("canal", 4.0, 2.0)
    assert [step[1:] for step in steps[:3]] == [(4.0, 2.0), (9.0, 4.0), (4.0, 2.0)]


def test_lines_break_at_every_gap():
    t = np.arange(20, dtype=np.int64) * 16 * MS
    t[12:] += 500 * MS
    v = np.linspace(1.0, 2.0, 20)
    v[5] = np.nan
    found = pieces(t, v, 0, int(t[-1]), 1000)
    assert [len(values) for _, values in found] == [5, 6, 8]
    assert not any(np.isnan(values).any() for _, values in found)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1999), st.integers(5, 60))
def test_thinned_lines_keep_extremes_and_cross_no_gap(lost: int, columns: int):
    t = np.arange(2000, dtype=np.int64) * 16 * MS
    v = np.sin(np.arange(2000) * 0.37) * 9.0
    v[lost] = np.nan
    found = pieces(t, v, 0, int(t[-1]), columns)
    drawn = np.concatenate([values for _, values in found])
    assert np.nanmax(v) == drawn.max()
    assert np.nanmin(v) == drawn.min()
    assert not any(a[0] < t[lost] < a[-1] and len(found) == 1 for a, _ in found)


def test_a_series_is_unknown_where_no_reading_held():
    session = golden()
    for structure in session.structures:
        for series in series_of(session, structure):
            assert series.at(-1) is None
            for n, t_ns in enumerate(series.t_ns.tolist()):
                if n + 1 == len(series.t_ns) or series.t_ns[n + 1] > t_ns:
                    value = series.at(t_ns)
                    assert (value is None) == bool(np.isnan(series.distance_mm[n]))


def test_what_is_left_of_a_cut_log_is_shown_and_said(tmp_path: Path):
    whole = GOLDEN.read_bytes()
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(whole[: golden().chunks[len(golden().chunks) // 2].end - 9])
    session = load(cut)
    assert "cut" in session.fault
    assert 0 < len(session.t_ns) < len(golden().t_ns)
    t_ns = int(session.t_ns[-1])
    assert session.state_at(t_ns) == golden().state_at(t_ns)
    unfinished = tmp_path / "a.mcap.partial"
    unfinished.write_bytes(cut.read_bytes())
    assert "not finished" in load(unfinished).fault


def test_a_piece_missing_from_the_middle_is_a_hole(tmp_path: Path):
    data = bytearray(GOLDEN.read_bytes())
    chunks = golden().chunks
    middle = chunks[len(chunks) // 2]
    data[middle.start + 80 : middle.start + 90] = b"\0" * 10
    path = tmp_path / "hurt.mcap"
    path.write_bytes(data)
    session = load(path)
    assert session.holes
    hole = max(session.holes, key=lambda h: h.end_ns - h.start_ns)
    if hole.end_ns - hole.start_ns > 2 * GAP_NS:
        middle_ns = (hole.start_ns + hole.end_ns) // 2
        assert session.state_at(middle_ns) is None
        assert session.alerts_at(middle_ns) is None
        assert not any(b.start_ns <= middle_ns < b.end_ns for b in session.bands(session.structures[0]))


@pytest.mark.parametrize("content", [b"", b"not a log at all", b"\x89MCAP0\r\n"])
def test_what_is_no_log_is_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "x.mcap"
    path.write_bytes(content)
    with pytest.raises((LogDamaged, InputRefused)):
        load(path)


def test_notes_go_beside_the_log_and_come_back(tmp_path: Path):
    log = tmp_path / "a.mcap"
    log.write_bytes(b"log")
    assert read_notes(log, "s1") == ()
    add_note(log, "s1", Note(2_500_000_000, 'too "steep"'))
    notes_file(log).write_text("# kept\n" + notes_file(log).read_text(), encoding="utf-8")
    assert add_note(log, "s1", Note(1_000_000_000, "first")) == (Note(1_000_000_000, "first"), Note(2_500_000_000, 'too "steep"'))
    assert read_notes(log, "s1")[1].text == 'too "steep"'
    assert notes_file(log).read_text().startswith("# kept\n")
    assert log.read_bytes() == b"log"
    with pytest.raises(InputRefused, match="belongs to session s1"):
        read_notes(log, "s2")
    notes_file(log).write_text("note = 3", encoding="utf-8")
    with pytest.raises(InputRefused, match="not a file of notes"):
        read_notes(log, "s1")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=20), st.sampled_from(SPEEDS))
def test_playing_in_any_turns_ends_at_the_same_place(turns_ms: list[int], speed: float):
    player = Player(10_000 * MS)
    player.speed = speed
    player.play(0)
    for now_ms in itertools.accumulate(turns_ms):
        player.turn(now_ms * MS)
    assert player.at_ns == min(10_000 * MS, sum(turns_ms) * MS * speed)
    assert player.playing == (player.at_ns < player.end_ns)


def test_speeds_stop_at_their_ends():
    player = Player(1)
    for _ in range(9):
        player.change_speed(1)
    assert player.speed == 8.0
    for _ in range(9):
        player.change_speed(-1)
    assert player.speed == 0.25


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 100.0), st.floats(0.0, 1000.0), st.floats(-5e9, 5e9))
def test_the_axis_stays_within_the_session_and_keeps_what_is_under_the_mouse(factor: float, x: float, by: float):
    axis = Axis(0, 120_000 * MS, left_px=0.0, right_px=1000.0)
    axis.show(30_000 * MS, 60_000 * MS)
    under = axis.time(x)
    axis.zoom(factor, x)
    assert 0 <= axis.start_ns < axis.end_ns <= 120_000 * MS
    if axis.start_ns > 0 and axis.end_ns < 120_000 * MS:
        assert abs(axis.x(under) - x) < 1.0
    axis.show(axis.start_ns + by, axis.end_ns + by)
    assert 0 <= axis.start_ns < axis.end_ns <= 120_000 * MS


def test_times_in_words():
    assert [time_words(83_450 * MS), time_words(3_723_000 * MS, 1_000_000_000), time_words(0)] == ["1:23.4", "1:02:03", "0:00.0"]


def test_a_session_compared_with_itself_differs_in_nothing():
    session = golden()
    assert only_in(session, session) == ()
    assert all(offset_ns == 0 for _, offset_ns in alignments(session, session))
    assert [title for title, _ in alignments(session, session)][:2] == ["first navigation", "bookmark 'near'"]


def test_an_account_adds_up_to_the_time_of_navigation():
    session = golden()
    for structure in session.structures:
        one = account(session, structure)
        assert sum(one.seconds.values()) + one.unknown_s == pytest.approx((session.end_ns - session.navigation_ns) * 1e-9, abs=0.06)
        known = [session.distance_mm[n, p] for n, p in zip(*np.nonzero(session.known), strict=True) if session.pairs[p].structure == structure]
        assert one.worst_mm == min(known)


def test_alerts_of_one_session_only_are_named(tmp_path: Path):
    whole = GOLDEN.read_bytes()
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(whole[: golden().chunks[len(golden().chunks) // 3].end])
    part = load(cut)
    missing = only_in(golden(), part)
    assert {(i, level) for i, level, _ in missing} == {(s.id, s.level) for s in golden().alerts if s.known} - {
        (s.id, s.level) for s in part.alerts if s.known
    }
    assert only_in(part, golden()) == ()
