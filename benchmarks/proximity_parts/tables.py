"""The rows as a table on the terminal and as a page for the documentation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from proximity_parts.contest import OURS
from proximity_parts.rows import Criterion, Row

#: Where nothing is known of the terminal, or it is narrower: columns that wrap at each word are unreadable.
NARROWEST = 190
_REACHED = {True: "yes", False: "no", None: ""}


def number(value: float) -> str:
    """Three digits that matter."""
    if not math.isfinite(value):
        return "-"
    if value == round(value):
        return str(round(value))
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def _pair(times: dict[str, float]) -> str:
    return f"{number(times['p50'])} / {number(times['p99'])}"


def criterion_text(c: Criterion) -> str:
    """A figure, and what it should reach and does."""
    wanted = "" if c.limit is None else f" ({'>=' if c.at_least else '<='} {c.limit:g}: {_REACHED[c.reached]})"
    return f"{c.what} {number(c.value)} {c.unit}{wanted}"


def _peers(row: Row) -> list[str]:
    return [f"{name} {_pair(times)}{_doubt(row, name)}" for name, times in row.times_us.items() if name != OURS]


def _doubt(row: Row, name: str) -> str:
    wrong = row.agreement.wrong.get(name, 0) if row.agreement else 0
    return f" (wrong in {wrong})" if wrong else ""


def _ours(row: Row) -> str:
    return _pair(row.times_us[OURS]) if OURS in row.times_us else ""


def _agreement(row: Row) -> str:
    if row.agreement is None:
        return ""
    if not row.agreement.ours_repeat:
        return "OUR ANSWERS DIFFER BETWEEN ROUNDS"
    if not row.ours_are_right:
        return f"WE ARE WRONG in {row.agreement.wrong[OURS]} of {row.agreement.judged}"
    disputed = sum(row.agreement.disputed.values())
    return f"{row.agreement.questions} answers, {disputed} disputed; ours right in all {row.agreement.judged} that were judged"


def print_rows(rows: Sequence[Row]) -> None:
    table = Table(title="proximity, p50 / p99 in us", show_lines=True)
    for column in ("row", "navtwin", "peers", "figures", "reached", "agreement", "note"):
        table.add_column(column, overflow="fold", no_wrap=column in ("navtwin", "peers", "figures"))
    for row in rows:
        figures = "\n".join(criterion_text(c) for c in row.criteria)
        table.add_row(row.name, _ours(row), "\n".join(_peers(row)), figures, _REACHED[row.reached], _agreement(row), row.note)
    console = Console()
    Console(width=max(console.width, NARROWEST)).print(table)


def write_markdown(path: Path, rows: Sequence[Row], machine: dict[str, object], mesh: str) -> None:
    """A page: the figures, what each peer took, and how the answers compared."""
    told = ", ".join(f"{key} {value}" for key, value in machine.items() if value)
    lines = [
        "# Proximity: figures", "",
        f"Made by `benchmarks/proximity.py` ({mesh}; {told}). Times are p50 / p99 in microseconds, medians of three interleaved rounds.", "",
        "| | figures, and what was to be reached | reached |", "|---|---|---|",
        *(f"| {row.name} | {'; '.join(criterion_text(c) for c in row.criteria)} | {_REACHED[row.reached]} |" for row in rows), "",
        "## Times", "",
        "| | navtwin | peers | answers | note |", "|---|---|---|---|---|",
        *(f"| {row.name} | {_ours(row)} | {'; '.join(_peers(row))} | {_agreement(row)} | {row.note} |" for row in rows if row.times_us),
    ]  # fmt: skip
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def plot_growth(path: Path, row: Row) -> None:
    """The cost of a frame over the logarithm of the triangles, and the line that it should stay under."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    sizes = list(row.growth)
    figure, axes = plt.subplots(figsize=(7.0, 4.0))
    for percentile in ("p50", "p99"):
        axes.plot(sizes, [row.growth[n][percentile] for n in sizes], marker="o", label=percentile)
    first = row.growth[sizes[0]]["p50"] / math.log(sizes[0])
    axes.plot(sizes, [first * math.log(n) for n in sizes], linestyle="--", color="grey", label="p50 growing with log(triangles)")
    axes.set(xscale="log", xlabel="triangles", ylabel="us a frame", title="three instruments against one structure", ylim=(0.0, None))
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
