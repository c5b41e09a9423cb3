"""The transition table is total, rises are immediate, falls are slow, unknown holds."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navtwin.nouns import LEVELS
from navtwin.twin.levels import FALL_NS, TRANSITIONS, LevelState, fall_margin_mm, level_of, limit_of, rank

ROWS = ["never", *LEVELS, *(f"{level}?" for level in LEVELS)]
SEEN = ["LOST", *LEVELS]
MS = 1_000_000


def test_table_is_total() -> None:
    assert set(TRANSITIONS) == set(itertools.product(ROWS, SEEN))


def test_table_rises_at_once_and_never_falls_at_once() -> None:
    for held, seen in itertools.product(LEVELS, LEVELS):
        expected = "rise" if rank(seen) > rank(held) else "hold" if seen == held else "fall"
        assert TRANSITIONS[held, seen] == expected


def test_unknown_is_judged_afresh_and_clear_waits() -> None:
    for row in [r for r in ROWS if r.endswith("?") or r == "never"]:
        assert TRANSITIONS[row, "LOST"] == "lose"
        assert TRANSITIONS[row, "CLEAR"] == "await"
        assert {TRANSITIONS[row, seen] for seen in ("CAUTION", "DANGER", "CONTACT")} == {"fresh"}


@pytest.mark.parametrize(
    ("measured", "bound", "level"),
    [(5.0, 4.1, "CLEAR"), (5.0, 4.0, "CAUTION"), (5.0, 2.0, "DANGER"), (0.1, -3.0, "DANGER"), (0.0, -1.0, "CONTACT"), (-2.0, -3.0, "CONTACT")],
)
def test_level_of_limits(measured: float, bound: float, level: str) -> None:
    assert level_of(measured, bound, 4.0, 2.0) == level


def test_limits_and_margin() -> None:
    assert [limit_of(level, 4.0, 2.0) for level in LEVELS] == [4.0, 4.0, 2.0, 0.0]
    assert fall_margin_mm(0.1) == 0.5
    assert fall_margin_mm(0.4) == 0.8


def test_fall_takes_300_ms_and_starts_again_when_interrupted() -> None:
    s = LevelState()
    s.see(0, "DANGER", "DANGER", fresh_frame=True)
    for t in range(0, 290, 10):
        s.see(t * MS, "CLEAR", "CLEAR", fresh_frame=False)
        assert s.level == "DANGER"
    s.see(290 * MS, "DANGER", "DANGER", fresh_frame=False)
    for t in range(300, 300 + FALL_NS // MS, 10):
        s.see(t * MS, "CLEAR", "CLEAR", fresh_frame=False)
        assert s.level == "DANGER"
    s.see(600 * MS, "CLEAR", "CLEAR", fresh_frame=False)
    assert s.level == "CLEAR"
    assert s.since_ns == 600 * MS


def test_fall_goes_no_lower_than_it_was_meanwhile() -> None:
    s = LevelState()
    s.see(0, "CONTACT", "CONTACT", fresh_frame=True)
    s.see(10 * MS, "CLEAR", "CLEAR", fresh_frame=True)
    s.see(150 * MS, "CAUTION", "CAUTION", fresh_frame=True)
    s.see(310 * MS, "CLEAR", "CLEAR", fresh_frame=True)
    assert s.level == "CAUTION"


def test_three_good_frames_before_clear_and_ticks_do_not_count() -> None:
    s = LevelState()
    for t in range(10):
        s.see(t * MS, "CLEAR", "CLEAR", fresh_frame=t in (0, 5))
        assert not s.known
    s.see(11 * MS, "CLEAR", "CLEAR", fresh_frame=True)
    assert s.known
    assert s.level == "CLEAR"


@given(st.lists(st.sampled_from(SEEN), min_size=1, max_size=60))
def test_no_sequence_hides_a_level(seen: list[str]) -> None:
    """Whatever comes, a known level is never below what the limits say now, and loss never lowers what is held."""
    s = LevelState()
    for t, what in enumerate(seen):
        before = s.level
        if what == "LOST":
            s.lose()
            assert not s.known
            assert s.level == before
        else:
            s.see(t * 16 * MS, what, what, fresh_frame=True)  # type: ignore[arg-type]
            if s.known:
                assert rank(s.level) >= rank(what)  # type: ignore[arg-type]
            if what != "CLEAR":
                assert s.known
