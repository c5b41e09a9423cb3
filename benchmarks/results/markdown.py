"""A result as Markdown: the same tables as on the terminal, histograms as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from results import against
from results.against import Comparison
from results.budget import Verdict
from results.model import Result, Table
from results.words import distribution_table, figures_table


def cell(text: str) -> str:
    """A table's cell: neither a bar nor a line's end may break the row, and nothing in it is taken for HTML."""
    return " ".join(text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").split())


def table_lines(table: Table) -> list[str]:
    rows = ["| " + " | ".join(cell(text) for text in row) + " |" for row in (table.columns, *table.rows)]
    return [rows[0], "|" + "---|" * len(table.columns), *rows[1:], ""]


def pairs_table(title: str, pairs: Mapping[str, str]) -> Table:
    return Table(title=title, columns=("what", "value"), rows=tuple(pairs.items()))


def body(result: Result, verdicts: Sequence[Verdict], comparison: Comparison | None = None, level: int = 2) -> list[str]:
    """Everything below the benchmark's own heading; `level` is the depth of the headings of its tables."""
    lines = [f"    {result.command}", "", f"Begun {result.begun_utc}, took {result.seconds:.0f} s."]
    if result.seeds:
        lines.append("Seeds: " + ", ".join(str(seed) for seed in result.seeds) + ".")
    if result.settings:
        lines.append("Settings: " + "; ".join(f"{cell(key)} {cell(value)}" for key, value in result.settings.items()) + ".")
    lines.append("")
    tables = [figures_table(result, verdicts)] if result.figures else []
    tables += [distribution_table(result.distributions)] if result.distributions else []
    if comparison is not None:
        lines += [f"{against.summary(comparison)}.", "", *(f"- {cell(note)}" for note in comparison.notes), ""]
        tables.append(against.table(comparison))
    for table in (*tables, *result.tables):
        lines += [f"{'#' * level} {cell(table.title)}", "", *table_lines(table)]
    lines += [f"- {cell(note)}" for note in result.notes]
    return [*lines, ""] if result.notes else lines


def page(result: Result, verdicts: Sequence[Verdict], comparison: Comparison | None = None) -> str:
    """One benchmark's page: what it ran on, then its body."""
    head = [f"# navtwin bench {result.benchmark}", "", *table_lines(pairs_table("Machine", {**result.machine, **result.versions}))]
    return "\n".join([*head, *body(result, verdicts, comparison)])
