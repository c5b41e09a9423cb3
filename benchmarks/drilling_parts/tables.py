"""The rows as a table on the terminal and as a page for the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from proximity_parts.rows import Row
from proximity_parts.tables import criterion_text, number
from rich.console import Console
from rich.table import Table

#: Where nothing is known of the terminal, or it is narrower: columns that wrap at each word are unreadable.
NARROWEST = 170
_REACHED = {True: "yes", False: "no", None: ""}


def _times(row: Row) -> list[str]:
    return [f"{name} {number(times['p50'] / 1e3)} / {number(times['p99'] / 1e3)}" for name, times in row.times_us.items()]


def print_rows(rows: Sequence[Row]) -> None:
    """What was measured, what of it was to be reached, and what the parts took."""
    table = Table(title="drilling", show_lines=True)
    for column in ("row", "figures", "reached", "p50 / p99, ms", "note"):
        table.add_column(column, overflow="fold", no_wrap=column in {"figures", "p50 / p99, ms"})
    for row in rows:
        table.add_row(row.name, "\n".join(criterion_text(c) for c in row.criteria), _REACHED[row.reached], "\n".join(_times(row)), row.note)
    console = Console()
    Console(width=max(console.width, NARROWEST)).print(table)


def write_markdown(path: Path, rows: Sequence[Row], machine: dict[str, object]) -> None:
    """The same as a page."""
    told = ", ".join(f"{key} {value}" for key, value in machine.items() if value)
    lines = [
        "# Drilling: figures", "",
        f"Made by `benchmarks/drilling.py` ({told}). Times are p50 / p99 in ms.", "",
        "| | figures, and what was to be reached | reached | times | note |", "|---|---|---|---|---|",
        *(
            f"| {row.name} | {'; '.join(criterion_text(c) for c in row.criteria)} | {_REACHED[row.reached]} | {'; '.join(_times(row))} | {row.note} |"
            for row in rows
        ),
    ]  # fmt: skip
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
