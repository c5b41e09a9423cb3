"""The rows as tables of a result, as a page for the documentation, and as a plot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from results.budget import Verdict
from results.files import write_whole
from results.markdown import cell, table_lines
from results.model import Figure, Result, Table
from results.words import number

from proximity_parts.contest import OURS
from proximity_parts.rows import Row


def _pair(times: dict[str, float], unit_us: float) -> str:
    return f"{number(times['p50'] / unit_us)} / {number(times['p99'] / unit_us)}"


def _peers(row: Row, unit_us: float) -> str:
    return "; ".join(f"{name} {_pair(times, unit_us)}{_doubt(row, name)}" for name, times in row.times_us.items() if name != OURS)


def _doubt(row: Row, name: str) -> str:
    wrong = row.agreement.wrong.get(name, 0) if row.agreement else 0
    return f" (wrong in {wrong})" if wrong else ""


def _agreement(row: Row) -> str:
    if row.agreement is None:
        return ""
    if not row.agreement.ours_repeat:
        return "OUR ANSWERS DIFFER BETWEEN ROUNDS"
    if not row.ours_are_right:
        return f"WE ARE WRONG in {row.agreement.wrong[OURS]} of {row.agreement.judged}"
    disputed = sum(row.agreement.disputed.values())
    return f"{row.agreement.questions} answers, {disputed} disputed; ours right in all {row.agreement.judged} that were judged"


def contest_table(rows: Sequence[Row]) -> Table:
    """What each contestant took, and how the answers compared."""
    told = tuple(
        (row.name, _pair(row.times_us[OURS], 1.0) if OURS in row.times_us else "", _peers(row, 1.0), _agreement(row), row.notes) for row in rows
    )
    return Table(title="Times, p50 / p99 in us", columns=("row", "navtwin", "others", "answers", "note"), rows=told)


def parts_table(rows: Sequence[Row]) -> Table:
    """What the parts of each row took, and what a reader must know."""
    return Table(
        title="Parts, p50 / p99 in ms", columns=("row", "parts", "note"), rows=tuple((row.name, _peers(row, 1e3), row.notes) for row in rows)
    )


def _figure(figure: Figure, verdicts: Sequence[Verdict]) -> str:
    """A figure, what it should reach, and whether it does."""
    asked = [f"{verdict.reach}: {'yes' if verdict.met else 'no'}" for verdict in verdicts if verdict.figure.name == figure.name]
    return f"{figure.name.rpartition(': ')[2]} {number(figure.value)} {figure.unit}".strip() + (f" ({'; '.join(asked)})" if asked else "")


def write_page(path: Path, rows: Sequence[Row], result: Result, verdicts: Sequence[Verdict]) -> None:
    """A page of a line a row: the figures and what they have to reach, what each contestant took, how the answers compared."""
    machine = ", ".join(f"{key} {cell(value)}" for key, value in result.machine.items() if value)
    lines = []
    for row in rows:
        met = [verdict.met for verdict in verdicts for figure in row.named if verdict.figure.name == figure.name]
        figures = "; ".join(_figure(figure, verdicts) for figure in row.named)
        lines.append((row.name, figures, ("yes" if all(met) else "no") if met else ""))
    mesh = "; ".join(f"{key} {value}" for key, value in result.settings.items())
    page = [
        "# Proximity: figures", "",
        f"Made by `navtwin bench kernels` ({cell(mesh)}; {machine}). Times are p50 / p99 in microseconds, medians of three interleaved rounds.", "",
        *table_lines(Table(title="", columns=("", "figures, and what was to be reached", "reached"), rows=tuple(lines))),
        "## Times", "",
        *table_lines(contest_table([row for row in rows if row.times_us])),
    ]  # fmt: skip
    write_whole(path, "\n".join(page).rstrip() + "\n")


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
