"""A few faults live, as the benchmark runs them all: real loop, real sockets, a real client. Deadlines are the benchmark's to judge."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"

pytestmark = [pytest.mark.heavy, pytest.mark.skipif(sys.platform == "win32", reason="the harness stops processes by POSIX signals")]


@pytest.mark.parametrize("name", ["swapped-ids", "scale", "link-cut", "disk-full"])
def test_a_fault_gives_its_signal_and_nothing_is_clear_meanwhile(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from faults_parts.runners import run_one

    outcome = run_one(name, 7)
    assert outcome.trouble == ""
    assert outcome.delay_ms is not None
    assert (outcome.false_clear, outcome.lies, outcome.recovered) == (0, 0, True)
