"""A result as CSV: one measured number a row, so that any spreadsheet can filter and plot it.

Columns: benchmark, kind (`figure` or `distribution`), name, part, value, unit, reach, met. A figure's own row has no `part`, its blocks are `block 1`
and so on. A distribution's parts are n, p50, p95, p99, p99.9, max, budget, over, and `bar LOW..HIGH` with the count of samples between.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from itertools import pairwise

from results.budget import Verdict
from results.model import Distribution, Figure, Result

COLUMNS = ("benchmark", "kind", "name", "part", "value", "unit", "reach", "met")


def _figure_rows(figure: Figure, verdicts: Sequence[Verdict]) -> Iterator[tuple[object, ...]]:
    mine = [verdict for verdict in verdicts if verdict.figure.name == figure.name]
    reach = "; ".join(str(verdict.reach) for verdict in mine)
    met = ("yes" if all(verdict.met for verdict in mine) else "no") if mine else ""
    yield "figure", figure.name, "", figure.value, figure.unit, reach, met
    for k, value in enumerate(figure.blocks, 1):
        yield "figure", figure.name, f"block {k}", value, figure.unit, "", ""


def _distribution_rows(d: Distribution) -> Iterator[tuple[object, ...]]:
    yield "distribution", d.name, "n", d.n, "", "", ""
    for part, value in (("p50", d.p50), ("p95", d.p95), ("p99", d.p99), ("p99.9", d.p999), ("max", d.max), ("budget", d.budget)):
        if value is not None:
            yield "distribution", d.name, part, value, d.unit, "", ""
    if d.over is not None:
        yield "distribution", d.name, "over", d.over, "", "", ""
    for (low, high), count in zip(pairwise(d.edges), d.counts, strict=True):
        yield "distribution", d.name, f"bar {low!r}..{high!r}", count, "", "", ""


def text(result: Result, verdicts: Sequence[Verdict]) -> str:
    """The whole file, RFC 4180; numbers as Python writes them, which reads back to the same bits."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for figure in result.figures:
        writer.writerows((result.benchmark, *row) for row in _figure_rows(figure, verdicts))
    for d in result.distributions:
        writer.writerows((result.benchmark, *row) for row in _distribution_rows(d))
    return file.getvalue()
