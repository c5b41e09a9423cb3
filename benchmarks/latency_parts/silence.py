"""A source that falls silent at random moments: from the instant at which its last frame is too old to another process showing SOURCE_STALE."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
from results.model import Figure, Table, distribution, percentile_figures

from latency_parts.core import Notes, Plan
from latency_parts.measure import Progress, session
from latency_parts.receiver import ALERTS, RECEIVED, STALE, TOPIC, Rows
from latency_parts.tell import Told
from navtwin.nouns import read_rig

RATES_HZ = (60.0, 120.0, 400.0)
ASKED_MS = 100.0
#: Silence goes on for so long beyond the reach, so that what comes late is seen to be late.
BEYOND_S = 0.1
#: Mean stretch of speaking between two silences, s.
SPEAKS_S = 0.2


def lateness_ms(notes: Notes, rows: Rows, max_age_ns: int) -> tuple[list[float], int]:
    """Of each silence, ms from (last capture + max_age) to the first alert set with the alarm; and how many silences ended without one."""
    alerts = rows[rows[:, TOPIC] == ALERTS]
    shown = alerts[alerts[:, STALE] == 1][:, RECEIVED]
    late, never = [], 0
    for last_capture_ns, again_ns in notes.silences:
        due = last_capture_ns + max_age_ns
        at = np.searchsorted(shown, due)
        if at == len(shown) or shown[at] >= again_ns:
            never += 1
        else:
            late.append((int(shown[at]) - due) * 1e-6)
    return late, never


def measure(case: Callable[[], Path], events: int, seed: int, progress: Progress) -> Told:
    """As many silences as asked, shared between the sources."""
    folder = case()
    max_age_ms = read_rig(folder / "rig.toml").tracker.max_age_ms
    silent_s = (max_age_ms + ASKED_MS) * 1e-3 + BEYOND_S
    of_each, never, rows = -(-events // len(RATES_HZ)), 0, []
    every: list[float] = []
    for n, rate_hz in enumerate(RATES_HZ):
        with tempfile.TemporaryDirectory(prefix="navtwin-stale-") as where:
            plan = Plan(folder, rate_hz, events=of_each, silent_s=silent_s, seed=seed + n)
            with session(plan, None, Path(where)) as running:
                join(running.core, of_each * (silent_s + SPEAKS_S), f"{rate_hz:g} Hz", progress)
            assert running.heard is not None
            late, missed = lateness_ms(running.notes(), running.heard.rows, round(max_age_ms * 1e6))
        every += late
        never += missed
        rows.append((f"{rate_hz:g} Hz", str(len(late) + missed), str(missed), f"{max(late, default=float('nan')):.1f}"))
    name = "stale: too old -> shown by another process"
    figures = (
        *(percentile_figures(name, "ms", every, (50.0, 99.0, 99.9)) if every else ()),
        *((Figure(name=f"{name}, most", value=max(every), unit="ms"),) if every else ()),
        Figure(name="stale: silences not shown", value=never, unit=""),
    )
    table = Table(title=f"stale: max_age {max_age_ms:g} ms, case as it is", columns=("source", "silences", "not shown", "most, ms"), rows=tuple(rows))
    return Told(figures, (distribution(name, "ms", every, ASKED_MS),) if every else (), (table,))


def join(core: BaseProcess, seconds: float, text: str, progress: Progress) -> None:
    """Until the core has ended by itself, which takes about so long."""
    begun = time.monotonic()
    while core.is_alive():
        progress(text, min((time.monotonic() - begun) / seconds, 1.0))
        core.join(0.5)
