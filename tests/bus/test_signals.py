"""Light and sound patterns against their stated figures."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.bus.signals import SIGNALS, Bell, breaks_through, flash_on, pulses_between, rank, sounding
from navtwin.nouns import Alert, AlertSet, Health, Level, Priority, TechnicalAlarm

MS = 1_000_000
S = 1000 * MS
HEALTH = Health(tracker="ok", reference="ok", registration="ok", latency="ok", recording="ok", frame_age_ms=None, watched=0)


def alert(level: Level = "DANGER", *, silenced: bool = False, since_ns: int = 0, acked_by: str = "") -> Alert:
    return Alert(
        id="canal/drill/neck", structure="canal", instrument="drill", part="neck", level=level, known=True, status="OK",
        priority="medium" if level == "CAUTION" else "high", since_ns=since_ns, limit_mm=1.0, silenced=silenced, acked_by=acked_by,
    )  # fmt: skip


def alert_set(*alerts: Alert, technical: tuple[TechnicalAlarm, ...] = ()) -> AlertSet:
    return AlertSet(phase="navigation", t_ns=0, alerts=alerts, technical=technical, pairs=(), health=HEALTH)


@pytest.mark.parametrize(("priority", "hz"), [("high", 2.0), ("medium", 0.6)])
def test_flash_rate_and_duty(priority: Priority, hz: float) -> None:
    lit = [flash_on(priority, t * MS) for t in range(10_000)]
    assert sum(b and not a for a, b in itertools.pairwise(lit)) + lit[0] == pytest.approx(hz * 10.0, abs=1)
    assert 0.2 <= sum(lit) / len(lit) <= 0.6


def test_low_and_none_are_steady() -> None:
    assert all(flash_on(priority, t * MS) for priority in ("low", "none") for t in range(0, 5000, 7))


@pytest.mark.parametrize(("priority", "pulses", "color"), [("high", 10, "red"), ("medium", 3, "yellow"), ("low", 1, "cyan"), ("none", 0, "white")])
def test_burst(priority: Priority, pulses: int, color: str) -> None:
    signal = SIGNALS[priority]
    assert len(signal.pulses_ms) == pulses
    assert signal.color == color
    assert pulses_between(priority, 0, -1, 4 * S) == pulses
    assert pulses_between(priority, 0, -1, 4 * S + 3 * signal.repeat_ms * MS) == 4 * pulses


@given(
    priority=st.sampled_from(["high", "medium", "low"]),
    begun_ns=st.integers(0, 10**12),
    steps=st.lists(st.integers(1, 500 * MS), min_size=1, max_size=60),
)
@settings(max_examples=50)
def test_pulses_do_not_depend_on_how_often_one_asks(priority: Priority, begun_ns: int, steps: list[int]) -> None:
    times = list(itertools.accumulate(steps, initial=begun_ns - 1))
    assert sum(pulses_between(priority, begun_ns, a, b) for a, b in itertools.pairwise(times)) == pulses_between(
        priority, begun_ns, times[0], times[-1]
    )


def test_silenced_is_not_heard() -> None:
    assert sounding(alert_set(alert(silenced=True)), None) == {}
    assert sounding(alert_set(alert()), None) == {("canal/drill/neck", "DANGER"): "high"}


def test_contact_breaks_through_a_pause_that_began_before_it() -> None:
    assert sounding(alert_set(alert("CONTACT", silenced=True, since_ns=5)), 3) != {}
    assert sounding(alert_set(alert("CONTACT", silenced=True, since_ns=2)), 3) == {}
    assert not breaks_through(alert("DANGER", since_ns=5), 3)
    assert not breaks_through(alert("CONTACT", since_ns=5, acked_by="ana"), 3)


def test_technical_alarms_sound_too() -> None:
    alarm = TechnicalAlarm(id="DISK_FULL/", alarm="DISK_FULL", subject="", priority="medium", since_ns=0, text="", remedy="")
    assert sounding(alert_set(technical=(alarm,)), None) == {("DISK_FULL/", ""): "medium"}


def test_bell_begins_at_once_and_anew_with_what_is_new() -> None:
    bell = Bell()
    caution: dict[tuple[str, str], Priority] = {("a", "CAUTION"): "medium"}
    assert bell.due({}, 0) == 0
    assert bell.due(caution, 100 * MS) == 1
    assert bell.due(caution, 200 * MS) == 0
    assert bell.due(caution, 500 * MS) == 1
    danger: dict[tuple[str, str], Priority] = {("a", "DANGER"): "high"}
    assert bell.due(danger, 520 * MS) == 1
    assert sum(bell.due(danger, t * MS) for t in range(540, 6000, 20)) == 9
    both = danger | {("b", "CONTACT"): "high"}
    assert bell.due(both, 6020 * MS) == 1
    assert bell.due({}, 6040 * MS) == 0
    assert bell.due({}, 60_000 * MS) == 0


def test_lesser_news_do_not_restart_a_greater_burst() -> None:
    bell = Bell()
    danger: dict[tuple[str, str], Priority] = {("a", "DANGER"): "high"}
    assert bell.due(danger, 0) == 1
    assert bell.due(danger | {("b", "CAUTION"): "medium"}, 100 * MS) == 0


def test_ranks() -> None:
    assert sorted(SIGNALS, key=rank) == ["none", "low", "medium", "high"]
