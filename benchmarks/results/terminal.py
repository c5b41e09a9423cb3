"""A result on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import table as rich_table
from rich.console import Console
from rich.markup import escape

from results import against
from results.against import Comparison
from results.budget import Verdict
from results.model import Result, Table
from results.words import distribution_table, figures_table, number


def wide() -> Console:
    """The terminal as it is; a pipe or a file gets room for every column."""
    console = Console()
    return console if console.is_terminal else Console(width=180)


def show_table(console: Console, table: Table) -> None:
    drawn = rich_table.Table(title=escape(table.title))
    for k, column in enumerate(table.columns):
        drawn.add_column(escape(column), justify="left" if k == 0 else "right", overflow="fold")
    for row in table.rows:
        drawn.add_row(*(f"[bold red]{cell}[/]" if cell == "NO" else escape(cell) for cell in row))
    console.print(drawn)


def show(console: Console, result: Result, verdicts: Sequence[Verdict], quiet: bool = False) -> None:
    """Tables, distributions, figures beside their reaches, notes; quiet: only what falls short."""
    if not quiet:
        for table in result.tables:
            show_table(console, table)
        if result.distributions:
            show_table(console, distribution_table(result.distributions))
        if result.figures:
            show_table(console, figures_table(result, verdicts))
        for note in result.notes:
            console.print(f"- {escape(note)}", highlight=False)
    for verdict in verdicts:
        if not verdict.met:
            value = f"{number(verdict.figure.value)} {verdict.figure.unit}".strip()
            console.print(f"[bold red]falls short:[/] {escape(verdict.figure.name)} is {value}, reach {verdict.reach}", highlight=False)


def show_comparison(console: Console, comparison: Comparison) -> None:
    show_table(console, against.table(comparison))
    for note in comparison.notes:
        console.print(f"- {escape(note)}", highlight=False)
    console.print(escape(against.summary(comparison)), highlight=False)
