"""The judge of faults: what it would let pass would be let pass in every row."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from navtwin.nouns import Alert, AlertSet, Envelope, Health, PairSummary, Reading, State, TechnicalAlarm
from phantoms.faults.table import FAULTS, find

MS = 1_000_000
PAIR = "canal/drill/burr"
BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
HEALTH = Health(tracker="ok", reference="ok", registration="ok", latency="ok", recording="ok", frame_age_ms=15.0, watched=1)


@pytest.fixture(autouse=True)
def _beside_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    # As where a benchmark is started as a script: its folder comes first.
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def alerts(t_ms: int, level: str | None, *, known: bool = True, alarm: str = "") -> tuple[int, AlertSet, Envelope]:
    pair = PairSummary(id=PAIR, level=level, known=known, status="OK" if known else "HIDDEN", since_ns=0)  # type: ignore[arg-type]
    technical = (
        (TechnicalAlarm(id=f"{alarm}/x", alarm=alarm, subject="x", priority="high", since_ns=0, text=f"{alarm} text", remedy=""),) if alarm else ()
    )
    body = AlertSet(phase="navigation", t_ns=t_ms * MS, alerts=tuple[Alert, ...](), technical=technical, pairs=(pair,), health=HEALTH)
    return t_ms * MS, body, Envelope(epoch="e", seq=1, t_capture_ns=None, t_arrival_ns=None, t_step_ns=0, t_publish_ns=0, body=body)


def state(t_ms: int, distance_mm: float | None) -> tuple[State, Envelope]:
    reading = Reading(
        structure="canal",
        instrument="drill",
        part="burr",
        role="critical",
        status="OK" if distance_mm is not None else "HIDDEN",
        distance_mm=distance_mm,
    )
    body = State(phase="navigation", frame=1, instruments=(), readings=(reading,))
    return body, Envelope(epoch="e", seq=1, t_capture_ns=t_ms * MS, t_arrival_ns=None, t_step_ns=0, t_publish_ns=0, body=body)


@dataclass
class Heard:
    """An operator who has heard what a test says."""

    sets: list[tuple[int, AlertSet, Envelope]] = field(default_factory=list)
    states: list[tuple[State, Envelope]] = field(default_factory=list)
    lost: list[tuple[int, bool]] = field(default_factory=list)

    def alerts_since(self, t_ns: int) -> list[tuple[int, AlertSet, Envelope]]:
        return [entry for entry in self.sets if entry[0] >= t_ns]

    def states_since(self, t_ns: int) -> list[tuple[State, Envelope]]:
        return self.states


def truth(t_ns: int) -> dict[str, float]:
    return {PAIR: 1.0}


@pytest.mark.parametrize(
    ("said", "count"),
    [
        (alerts(20, "CLEAR"), 1),
        (alerts(20, "CLEAR", known=False), 0),
        (alerts(20, "CAUTION"), 0),
        (alerts(20, None, known=False), 0),
        (alerts(5, "CLEAR"), 0),
        (alerts(200, "CLEAR"), 0),
    ],
    ids=["a lie", "unknown is not clear", "warned of", "never known", "before the fault", "after the recovery"],
)
def test_only_known_and_clear_of_what_is_near_is_a_false_clear(said: tuple[int, AlertSet, Envelope], count: int) -> None:
    from faults_parts.outcome import false_clears

    heard = Heard([said])
    assert false_clears(heard, 10 * MS, 100 * MS, truth, {PAIR: 4.0}) == count  # type: ignore[arg-type]


def test_what_is_truly_far_may_be_clear() -> None:
    from faults_parts.outcome import false_clears

    assert false_clears(Heard([alerts(20, "CLEAR")]), 0, 100 * MS, lambda t_ns: {PAIR: 9.0}, {PAIR: 4.0}) == 0  # type: ignore[arg-type]


@pytest.mark.parametrize(("distance_mm", "count"), [(1.2, 0), (2.5, 1), (-0.5, 1), (None, 0)])
def test_a_number_that_is_not_so_is_a_lie_whichever_way_it_is_off(distance_mm: float | None, count: int) -> None:
    from faults_parts.outcome import lies

    assert lies(Heard(states=[state(20, distance_mm)]), 10 * MS, 100 * MS, truth) == count  # type: ignore[arg-type]


def test_a_signal_counts_from_the_injection_and_by_name_and_words() -> None:
    from faults_parts.outcome import first_signal

    fault = find("occlusion")
    heard = Heard(
        [alerts(5, "DANGER", alarm="TRACKING_LOST"), alerts(20, "DANGER", alarm="SOURCE_STALE"), alerts(30, "DANGER", alarm="TRACKING_LOST")]
    )
    assert first_signal(heard, fault, 10 * MS) == (30 * MS, "TRACKING_LOST text")  # type: ignore[arg-type]
    assert first_signal(heard, find("disk-full"), 0) is None  # type: ignore[arg-type]


def test_what_should_not_be_noticed_is_noticed_by_silence_by_unknown_and_by_alarms() -> None:
    from faults_parts.outcome import longest_silence_ms, unright

    calm = Heard([alerts(t, "DANGER") for t in (0, 50, 100, 150, 200)])
    assert longest_silence_ms(calm, 0, 200 * MS) == 50.0  # type: ignore[arg-type]
    assert longest_silence_ms(Heard(calm.sets[:3]), 0, 200 * MS) == 100.0, "silence until the end counts"  # type: ignore[arg-type]
    assert unright(calm, 0, 200 * MS, PAIR) == ""  # type: ignore[arg-type]
    assert "unknown" in unright(Heard([alerts(10, "DANGER", known=False)]), 0, 200 * MS, PAIR)  # type: ignore[arg-type]
    assert unright(Heard([alerts(10, "CLEAR")]), 0, 200 * MS, PAIR)  # type: ignore[arg-type]
    assert "DISK_FULL" in unright(Heard([alerts(10, "DANGER", alarm="DISK_FULL")]), 0, 200 * MS, PAIR)  # type: ignore[arg-type]


def test_a_run_is_good_only_where_everything_is() -> None:
    from faults_parts.outcome import Outcome

    good = {"fault": "occlusion", "seed": 1, "delay_ms": 100.0, "deadline_ms": 250.0}
    assert Outcome(**good).good
    worse = ({"delay_ms": 251.0}, {"delay_ms": None}, {"false_clear": 1}, {"lies": 1}, {"recovered": False}, {"trouble": "it broke"})
    assert [Outcome(**{**good, **change}).good for change in worse] == [False] * len(worse)


def test_every_row_has_its_runner() -> None:
    from faults_parts.runners import RUNNERS

    assert sorted(RUNNERS) == sorted(f.name for f in FAULTS)


def test_the_page_tells_what_failed_and_what_was_not_run() -> None:
    from faults_parts.outcome import Outcome
    from faults_parts.summary import page, rows_of, troubles

    runs = [Outcome(fault="occlusion", seed=s, delay_ms=ms, deadline_ms=250.0) for s, ms in ((2, 90.4), (1, 110.2), (3, 300.0))]
    rows = rows_of([find("occlusion"), find("link-cut")], runs)
    text = page(rows)
    assert "300 / 110 ms of 3: **1 failed**" in text
    assert "not run" in text
    assert [row.good for row in rows] == [False, False]
    assert troubles(rows) == ["occlusion, seed 3: late: 300 ms"]
    assert page(rows) == page(rows_of([find("occlusion"), find("link-cut")], runs[::-1])), "in whatever order the runs end"
