"""Samples of several stages as figures and distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from results.model import Distribution, Figure, Samples, distribution, percentile_figures


def measured(
    rows: Mapping[str, Samples], unit: str, percents: Sequence[float] = (50.0, 99.0), budget: float | None = None
) -> tuple[list[Figure], list[Distribution]]:
    """`NAME p50`, `NAME p99` ... and the distribution of every row, in the order of time within each."""
    figures = [figure for name, samples in rows.items() for figure in percentile_figures(name, unit, samples, percents)]
    return figures, [distribution(name, unit, samples, budget) for name, samples in rows.items()]
