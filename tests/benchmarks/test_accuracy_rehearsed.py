"""One rehearsal of the built-in patient through the whole chain: as accurate as is asked, and its budget of the size that the truth shows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from benchmarks.accuracy_parts.budget import budget_rows
from benchmarks.accuracy_parts.chain import judge_seed
from phantoms.cases import phantom_patient


@pytest.mark.heavy
def test_the_chain_and_its_budget_on_the_built_in_patient() -> None:
    found = judge_seed(phantom_patient(Console(stderr=True)), 1)
    assert found.registered and len(found.tip_mm) > 1000 and found.drilling.any()
    assert found.tip_mm.mean() <= 0.5 and found.angle_deg.mean() <= 0.5
    assert found.shown_mm.mean() > found.tip_mm.mean(), "latency only adds"
    assert (abs(found.told_mm - found.true_mm) <= found.bar_mm).mean() > 0.9
    figures = {f.name: f.value for f in budget_rows([found.budget])[0]}
    for structure in found.budget.pairs:
        pair = found.budget.pairs[structure]
        for source in ("marker", "reference"):
            ratio = (pair.predicted_mm2[source].mean() / (pair.error_mm[source] ** 2).mean()) ** 0.5
            assert ratio == pytest.approx(1.0, abs=0.2), f"tracker noise is drawn anew in every frame: {structure}, {source}"
        assert 0.4 < figures[f"budget: {structure}, all sources, RMS predicted over observed"] < 2.5
