"""What the desktop's benchmarks make of what they noted, and that the witness hangs on things that are there."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def _beside_each_other(monkeypatch: pytest.MonkeyPatch):
    # As where a benchmark is started as a script: its folder comes first.
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def test_an_alert_that_was_not_drawn_before_the_next_one_counts_as_never():
    from gui_alerts import NEVER_MS, after

    ms = 1_000_000
    assert after([0, 100 * ms, 200 * ms], [30 * ms, 205 * ms]) == [30.0, NEVER_MS, 5.0]
    assert after([], [5]) == []


def test_each_condition_gets_the_frames_that_arrived_while_it_held_and_repetitions_are_left_out():
    from gui_beside import samples_ms

    ms = 1_000_000
    from latency_parts.receiver import ALERTS, STATE

    # topic, seq, frame, arrival, step, publish, received, stale
    rows = [(ALERTS, n, 0, (n + 1) * 10 * ms, 0, 0, (n + 1) * 10 * ms + (1 + n % 2) * ms, 0) for n in range(100)]
    rows += [(ALERTS, 200, 0, 0, 0, 0, 1, 0), (STATE, 4, 4, 40 * ms, 0, 0, 999 * ms, 0)]
    took = samples_ms(np.array(rows), [("a", 0, 310 * ms), ("b", 310 * ms, 510 * ms), ("a", 510 * ms, 2000 * ms)])
    assert (len(took["a"]), len(took["b"])) == (80, 20)
    assert max(took["a"]) == max(took["b"]) == 2.0


def test_a_steady_leak_shows_and_a_slow_start_does_not():
    from gui_memory import judge

    minutes = np.linspace(0.0, 30.0, 300)
    started = np.where(minutes < 5.0, 300.0 + 40.0 * minutes, 500.0)
    flat = judge(minutes, started)
    assert flat["slope_mib_per_min"] == pytest.approx(0.0, abs=1e-9)
    assert (flat["change_percent"], flat["spread_percent"]) == (0.0, 0.0)
    leak = judge(minutes, started + 2.0 * minutes)
    assert leak["slope_mib_per_min"] == pytest.approx(2.0)
    assert leak["change_percent"] > 5.0


def test_the_stand_in_for_a_core_can_be_shown_and_heard(tmp_path: Path):
    from gui_alerts import StandIn

    from navtwin.bus.client import Client
    from navtwin.nouns import AlertSet, State

    core = StandIn((1.0, 2.0, 3.0), "drill")
    client = Client(ports=(core.server.pub_port, core.server.command_port))
    try:
        heard: dict[type, object] = {}
        for _ in range(200):
            for _, envelope in client.receive_newest(20):
                heard[type(envelope.body)] = envelope.body
            if {AlertSet, State} <= set(heard):
                break
        state = heard[State]
        assert isinstance(state, State)
        assert state.instruments[0].status == "OK"
        assert isinstance(heard[AlertSet], AlertSet)
    finally:
        client.close()
        core.close()


@pytest.mark.parametrize("name", ["gui_frames", "gui_alerts", "gui_beside", "gui_memory"])
def test_each_says_how_it_is_run(name: str):
    said = ast.get_docstring(ast.parse((BENCHMARKS / f"{name}.py").read_text(encoding="utf-8")))
    assert said is not None
    assert f"python benchmarks/{name}.py" in said
    assert "--json" in said


def test_what_the_witness_looks_for_is_there():
    from gui.alerts.banner import LevelBlock
    from gui.navigate.strip import DistanceCard
    from gui.picture.live import LivePane

    witness = (BENCHMARKS / "gui_parts" / "witness.py").read_text(encoding="utf-8")
    assert all(f'"{kind.__name__}"' in witness for kind in (LevelBlock, DistanceCard, LivePane))
