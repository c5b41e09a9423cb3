"""What the latency benchmark and the soak are asked for, what they refuse, and a short run of the real processes."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest

from navtwin.errors import InputRefused

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def _beside_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def _rows(*words: str):  # type: ignore[no-untyped-def]
    import latency

    return latency.rows_of(latency.parser().parse_args(list(words)))


def test_without_being_asked_for_rows_both_sockets_are_measured() -> None:
    loads, others = _rows()
    assert [(load.name, load.curve, load.rate_hz) for load in loads] == [("plain", False, 60.0), ("curve", True, 60.0)]
    assert others == []


def test_the_claims_are_measured_under_the_loads_that_they_name() -> None:
    loads, others = _rows("--rows", "all", "--seconds", "600")
    named = {load.name: load for load in loads}
    full, crowd, rate = named["full"], named["crowd"], named["rate"]
    assert (full.rate_hz, full.instruments, full.structures, full.triangles, full.seconds) == (400.0, 3, 15, 100_000, 600.0)
    assert (crowd.subscribers + crowd.stalled, crowd.stalled, crowd.gui) == (10, 1, True)
    assert (rate.instruments, rate.structures, rate.one_core) == (1, 8, True)
    assert others == ["stale", "link", "kill"]


def test_a_load_of_one_s_own_is_measured_over_both_sockets_and_named_in_full() -> None:
    loads, _ = _rows("--rate", "200", "--instruments", "2", "--subscribers", "4", "--stalled", "1", "--busy", "--no-log")
    assert [load.curve for load in loads] == [False, True]
    for word in (
        "200 Hz",
        "2 instruments (burr, shaft) x 8 structures x 100000 triangles",
        "4 subscribers",
        "1 stalled",
        "every core busy",
        "not rec",
    ):
        assert word in loads[0].words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--rows", "ful"), "Did you mean 'full'"),
        (("--rows", "full", "--rate", "100"), "Pass one of the two"),
        (("--rate", "20"), "30 to 5000"),
        (("--rate", "nan"), "30 to 5000"),
        (("--seconds", "0.5"), "2 to 86400"),
        (("--stalled", "99"), "0 to 50"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputRefused) as refusal:
        _rows(*words)
    assert said in str(refusal.value)


@pytest.mark.parametrize("triangles", [100, 5000, 100_000])
def test_a_made_up_body_is_closed_looks_outward_and_has_its_triangles(triangles: int) -> None:
    from latency_parts.world import body

    surface = body(triangles, (10.0, 0.0, 0.0), 8.0, 30.0)
    assert surface.is_watertight
    assert surface.volume_mm3 > 0.0
    assert abs(len(surface.faces) - triangles) <= max(0.02 * triangles, 60)
    assert surface.closest(np.array([[10.0, 0.0, 0.0]])).distance_mm[0] < 0.0


def test_bodies_stand_apart_so_that_a_swing_at_one_is_no_swing_at_another() -> None:
    from latency_parts.world import places

    found = list(places(60))
    for n, (a, radius, length) in enumerate(found):
        for b, other, beside in found[:n]:
            # Along z they may be long; across it they never touch.
            gap = math.hypot(a[0] - b[0], a[1] - b[1]) - 1.04 * (radius + other)
            assert gap > 0.0 or abs(a[2] - b[2]) > radius + other + 0.5 * (length + beside)


def test_a_rate_at_which_no_frame_was_young_enough_for_an_alert_is_not_held() -> None:
    from latency_parts.accounts import Accounts
    from latency_parts.ceiling import row_of, why_not_held
    from latency_parts.core import Notes
    from latency_parts.load import LOADS
    from latency_parts.measure import Measured
    from latency_parts.receiver import Acks, Heard
    from latency_parts.tell import tell

    notes = Notes(first=True, due_ns=[], handed_ns=[], stepped_ns=[], begun_ns=[], done_ns=[], alerts=[], states=[], silences=[])
    nothing = Measured(LOADS["rate"], {}, Accounts(9, 9, 9, 9, 9, 0, 0, {}), Heard(np.empty((0, 8)), Acks(), 0, 0), notes, ())
    why = why_not_held(nothing)
    assert "too old" in why
    assert row_of(nothing, why)[-1] == why
    assert {f.value for f in tell(nothing).figures} == {0}


def _looks(mib, log=lambda t: 1000.0 * t, threads: int = 12, same=lambda t: 1.0):  # type: ignore[no-untyped-def]
    from latency_parts.endurance import MIB, Look

    return [Look(float(t), int(mib(t) * MIB), 40, threads, int(log(t)), same(t)) for t in range(1, 601)]


def test_a_leak_shows_and_a_start_does_not() -> None:
    from latency_parts.endurance import memory_change

    started = memory_change(_looks(lambda t: 300.0 + 2.0 * min(t, 100)))
    assert started == pytest.approx((500.0, 0.0, 0.0))
    _, end, farthest = memory_change(_looks(lambda t: 500.0 + 0.1 * t))
    assert end == pytest.approx(8.4, abs=0.5)
    assert farthest > 8.0
    spike = memory_change(_looks(lambda t: 800.0 if t == 400 else 500.0))
    assert (spike[1], spike[2]) == pytest.approx((0.0, 60.0))


def test_a_log_that_grows_ever_faster_shows() -> None:
    from latency_parts.endurance import growth

    assert growth(_looks(lambda t: 500.0)) == pytest.approx(1.0, abs=1e-3)
    assert growth(_looks(lambda t: 500.0, log=lambda t: t * t)) == pytest.approx(5.0, abs=0.1)


def test_the_last_minute_is_held_against_the_first() -> None:
    from latency_parts.endurance import stretches

    due = np.arange(0.0, 600.0, 0.1)
    took = np.where(due >= 540.0, 3.0, 1.0)
    assert stretches(took, due) == (1.0, 3.0)


def test_a_machine_that_slows_down_is_told_apart() -> None:
    from latency_parts.endurance import same_work, slowed

    assert same_work() > 0.0
    assert slowed(_looks(lambda t: 500.0)) == (1.0, 1.0)
    last, slowest = slowed(_looks(lambda t: 500.0, same=lambda t: 3.0 if 300 <= t < 380 else 1.2 if t > 500 else 1.0))
    assert (last, slowest) == (1.2, 3.0)
    assert slowed(_looks(lambda t: 500.0, same=lambda t: 9.0 if t % 60 == 0 else 1.0)) == (1.0, 1.0), "one moment is no slow machine"


def test_how_it_went_is_told_tenth_by_tenth() -> None:
    from latency_parts.endurance import as_it_went

    due = np.arange(0.0, 600.0, 0.1)
    slow = (due >= 300.0) & (due < 360.0)
    rows = as_it_went(
        _looks(lambda t: 500.0, same=lambda t: 2.0 if 300 <= t < 360 else 1.0), np.where(slow, 4.0, 1.0), np.where(slow, 0.8, 0.4), due
    ).rows
    assert [row[0] for row in rows] == [f"{n - 1 / 60:.1f}" if n < 10 else "10.0" for n in range(1, 11)]
    assert set(rows[:5] + rows[6:]) == {(row[0], "1.000", "0.400", "1.000", "1.000", "500.0") for row in rows[:5] + rows[6:]}
    assert rows[5][1:] == ("2.000", "0.800", "4.000", "4.000", "500.0")


def test_a_run_that_was_stopped_early_is_told_as_far_as_it_went() -> None:
    from latency_parts.endurance import as_it_went

    due = np.arange(0.0, 300.0, 0.1)
    rows = as_it_went(_looks(lambda t: 500.0), np.ones(3000), np.ones(3000), due).rows
    assert len(rows) == 5, "no row of nothing"


@pytest.mark.heavy
def test_the_real_processes_are_measured_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short run over CURVE with two subscribers and a stalled one: stages, acknowledgements and accounts of the real core, log and sockets."""
    from latency_parts.load import Load
    from latency_parts.measure import measure
    from latency_parts.stages import STAGES

    # What the started processes import, they find where this one does.
    monkeypatch.setenv("PYTHONPATH", str(BENCHMARKS))
    assert sys.path[0] == str(BENCHMARKS)
    load = Load("short", rate_hz=100.0, seconds=3.0, instruments=1, structures=2, triangles=2000, subscribers=2, stalled=1, curve=True)
    found = measure(load, lambda: tmp_path, lambda text, share: None)
    assert found.accounts.lost == {}
    assert found.accounts.emitted > 300
    assert found.accounts.logged == found.accounts.emitted
    assert set(found.samples) == set(STAGES)
    assert found.heard.acks.done
    assert [(count, stalled) for count, stalled, _ in found.subscribers] == [(2, False), (1, True)]
