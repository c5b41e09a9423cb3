"""How fine the picture is painted: down where a painting stalled, up with hysteresis, never to and fro."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui.link.board import MS
from gui.picture.quality import FIRST_HOLD_NS, LADDER, LONGEST_HOLD_NS, QUICK_IN_A_ROW, SLOW_IN_A_ROW, STALL_S, START, TARGET_S, Quality
from navtwin.scene.detail import DETAILS, Detail

FRAME_NS = 50 * MS
TRIANGLES: dict[Detail, int] = {"first": 25_000, "light": 30_000, "fine": 100_000, "full": 340_000}
TOP = len(LADDER) - 1
EVERY = frozenset(DETAILS)

costs = st.one_of(st.floats(0.0005, 0.010), st.floats(0.010, TARGET_S), st.floats(TARGET_S, STALL_S), st.floats(STALL_S, 1.0))


def run(cost_at: Callable[[int, int], float], paintings: int, *, calm: bool = True, ready: frozenset[Detail] = EVERY) -> list[int]:
    """The levels before and after each of so many paintings; `cost_at` is told the number of the painting and the level."""
    quality = Quality(TRIANGLES)
    levels = [quality.level]
    for n in range(paintings):
        quality.painted(cost_at(n, quality.level), n * FRAME_NS, calm=calm, ready=ready)
        levels.append(quality.level)
    return levels


def rises(levels: list[int]) -> list[tuple[int, int]]:
    """(when, to which level)"""
    return [(n, b) for n, (a, b) in enumerate(itertools.pairwise(levels)) if b > a]


@given(st.lists(costs, max_size=60), st.floats(STALL_S * 1.001, 5.0), st.booleans())
def test_one_painting_that_stalls_lowers_the_level_at_once_whatever_was_before(before: list[float], stall_s: float, calm: bool):
    levels = run(lambda n, _: [*before, stall_s][n], len(before) + 1, calm=calm)
    assert levels[-1] == max(0, levels[-2] - 1)


@given(st.lists(costs, min_size=1, max_size=40))
def test_it_never_goes_by_more_than_one_rung_and_never_up_on_a_slow_painting(spent: list[float]):
    levels = run(lambda n, _: spent[n % len(spent)], 200)
    for n, (a, b) in enumerate(itertools.pairwise(levels)):
        assert abs(b - a) <= 1
        assert b <= a or spent[n % len(spent)] < TARGET_S


@given(st.lists(costs, min_size=1, max_size=50))
def test_it_never_flaps_whatever_paintings_cost(spent: list[float]):
    paintings = 4000
    levels = run(lambda n, _: spent[n % len(spent)], paintings)
    held = math.log2(LONGEST_HOLD_NS / FIRST_HOLD_NS)
    for level in range(1, TOP + 1):
        climbs = sum(to == level for _, to in rises(levels))
        # Once freely, then after holds that double up to the longest.
        assert climbs <= 1 + held + math.ceil(paintings * FRAME_NS / LONGEST_HOLD_NS)


@given(st.lists(st.floats(0.001, 0.3), min_size=len(LADDER), max_size=len(LADDER)))
def test_on_a_steady_machine_it_settles_and_leaves_a_fallen_rung_alone_for_longer_and_longer(cost_of: list[float]):
    cost_of = sorted(cost_of)
    levels = run(lambda _, level: cost_of[level], 6000)
    for level in range(1, TOP + 1):
        back = [n for n, to in rises(levels) if to == level]
        waits = [(b - a) * FRAME_NS for a, b in itertools.pairwise(back)]
        assert all(wait >= FIRST_HOLD_NS for wait in waits)
        assert all(b >= min(1.9 * a, LONGEST_HOLD_NS) for a, b in itertools.pairwise(waits))


def test_a_machine_with_a_card_gets_every_triangle_and_one_without_keeps_few():
    card = run(lambda _, level: 0.002, 400)
    assert card[-1] == TOP
    # As measured where the processor draws: mostly the pixels' cost, so the light level is quick, and still no finer one is tried.
    software = run(lambda _, level: (0.010, 0.012, 0.017, 0.024, 0.034, 0.057)[level], 4000)
    assert set(software) == {START}


@pytest.mark.parametrize("slow_s", [TARGET_S * 1.01, STALL_S * 0.99])
def test_several_slow_paintings_in_a_row_lower_the_level_but_fewer_do_not(slow_s: float):
    assert run(lambda _n, _level: slow_s, SLOW_IN_A_ROW)[-1] == START - 1
    assert run(lambda n, _: slow_s if (n + 1) % SLOW_IN_A_ROW else 0.030, 100)[-1] == START


def test_pixels_come_back_during_an_alert_but_meshes_are_not_changed():
    quick = 0.002
    levels = run(lambda n, _: 0.2 if n < 2 else quick, 2000, calm=False)
    assert min(levels) == START - 2
    assert max(levels) == levels[-1] == START
    assert LADDER[START].detail != LADDER[START + 1].detail


def test_it_asks_for_meshes_that_are_not_ready_and_stays_until_they_are():
    quality = Quality(TRIANGLES)
    for n in range(QUICK_IN_A_ROW):
        quality.painted(0.002, n * FRAME_NS, calm=True, ready={"light"})
    assert (quality.level, quality.wanted) == (START, "fine")
    quality.painted(0.002, QUICK_IN_A_ROW * FRAME_NS, calm=True, ready={"light", "fine"})
    assert (quality.rung.detail, quality.wanted) == ("fine", None)


@given(st.lists(costs, max_size=40))
def test_a_still_picture_is_at_its_best_only_where_that_holds_nothing_up(spent: list[float]):
    quality = Quality(TRIANGLES)
    for n, cost_s in enumerate(spent):
        quality.painted(cost_s, n * FRAME_NS, calm=True, ready=EVERY)
    scale = quality.still_scale()
    assert scale in (1.0, quality.rung.scale)
    if scale > quality.rung.scale and spent and quality._costs:
        assert max(quality._costs) / quality.rung.scale**2 <= STALL_S


def test_another_size_of_the_window_forgets_what_was_held_against_a_rung():
    quality = Quality(TRIANGLES)
    quality.painted(0.3, 0, calm=True, ready=EVERY)
    assert quality.level == START - 1
    quality.forget()
    for n in range(QUICK_IN_A_ROW):
        quality.painted(0.002, n * FRAME_NS, calm=True, ready=EVERY)
    assert quality.level == START
