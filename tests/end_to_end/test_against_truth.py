"""The built-in patient's rehearsal, flat out through the whole pipeline, judged against its truth by the report's own judge."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from benchmarks.seeds_parts.judged import judge_seed

SEEDS = (11, 12, 13)


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_nothing_missed_masked_or_spurious(patient: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        rows = list(pool.map(judge_seed, [patient] * len(SEEDS), SEEDS))
    for row in rows:
        assert row.faults == ()
        assert (row.missed, row.late, row.masked, row.spurious, row.dropped) == (0, 0, 0, 0, 0)
        assert row.crossings >= 4, "the script provokes every warning"
        assert row.first_alert_s is not None
        assert row.first_alert_s <= 30.0
        assert row.tip_mean_mm is not None
        assert row.tip_mean_mm <= 0.5
