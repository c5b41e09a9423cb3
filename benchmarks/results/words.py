"""How numbers are said in every page."""

from __future__ import annotations

from collections.abc import Sequence

from results.budget import Verdict
from results.model import Distribution, Result, Table


def number(value: float) -> str:
    """Four significant digits, thousands apart by a space, never an exponent for what a person can read at a glance."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}".replace(",", " ")
    if abs(value) >= 1e4:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.4g}"


def share(value: float | None) -> str:
    """A share as a percentage; none at all is told apart from a little."""
    return "" if value is None else f"{100.0 * value:.3g} %"


def figures_table(result: Result, verdicts: Sequence[Verdict]) -> Table:
    """Figure, value, reach, met: a figure that several lines ask something of has a row for each."""
    asked: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        asked.setdefault(verdict.figure.name, []).append(verdict)
    rows = []
    for figure in result.figures:
        value = f"{number(figure.value)} {figure.unit}".strip()
        told = [(str(v.reach), "yes" if v.met else "NO") for v in asked.get(figure.name, [])] or [("", "")]
        rows += [(figure.name, value, *each) for each in told]
    return Table(title="Figures", columns=("figure", "value", "reach", "met"), rows=tuple(rows))


def distribution_table(distributions: Sequence[Distribution]) -> Table:
    """Percentiles of every stage; share over budget where something is asked of it."""
    rows = tuple(
        (
            d.name,
            d.unit,
            number(d.n),
            *(number(value) for value in (d.p50, d.p95, d.p99, d.p999, d.max)),
            "" if d.budget is None else number(d.budget),
            share(d.over),
        )
        for d in distributions
    )
    return Table(title="Distributions", columns=("what", "unit", "n", "p50", "p95", "p99", "p99.9", "max", "budget", "over it"), rows=rows)


def verdict_said(verdicts: Sequence[Verdict]) -> str:
    """One sentence on the budget."""
    if not verdicts:
        return "Nothing is asked of its figures."
    short = [verdict.figure.name for verdict in verdicts if not verdict.met]
    return f"{len(short)} of {len(verdicts)} fall short: {'; '.join(short)}." if short else f"All {len(verdicts)} reaches are met."
