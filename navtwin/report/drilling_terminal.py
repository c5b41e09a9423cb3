"""The figures of drilling, printed by rich."""

from __future__ import annotations

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from navtwin.report.drilling import DrillingFigures
from navtwin.report.wording import known, words


def drilling_lines(figures: DrillingFigures) -> list[RenderableType]:
    """Breaches first, then what was removed, what was left, and what the twin did not see."""
    breaches = [
        Text(f"BREACH: {words(b.structure)} was cut into, {b.volume_mm3:.1f} mm³ of it, from {b.since_s:.2f} s on", style="bold white on red")
        for b in figures.breaches
    ]
    table = Table.grid(padding=(0, 2))
    for name, value in _rows(figures):
        table.add_row(Text(name, style="dim"), Text(value))
    return [*breaches, Text("Drilling", style="bold"), Padding(table, (0, 0, 1, 0))]


def _rows(figures: DrillingFigures) -> list[tuple[str, str]]:
    undone = f", {figures.undone} taken back" if figures.undone else ""
    stretches = f"{len(figures.stretches)} stretch{'' if len(figures.stretches) == 1 else 'es'}{undone}"
    rows = [("removed", f"{figures.removed_mm3:.0f} mm³ of {words(figures.structure)} in {figures.cutting_s:.1f} s, {stretches}")]
    if figures.removal is not None:
        r = figures.removal
        rows.append(("planned", f"{r.planned_mm3:.0f} mm³, of it drilled {r.both_mm3:.0f} mm³; Dice {r.dice:.3f}"))
        rows.append(("over-cut", f"{r.over.volume_mm3:.0f} mm³, at most {r.over.depth_mm:.2f} mm beyond the plan"))
        rows.append(("under-cut", f"{r.under.volume_mm3:.0f} mm³, at most {r.under.depth_mm:.2f} mm short of it"))
    for wall in figures.walls:
        doubt = "; UNKNOWN at the end, bone may be gone" if wall.end_doubtful else f"; unknown for {wall.unknown_s:.1f} s" if wall.unknown_s else ""
        left = f"bone left: least {known(wall.least_mm, '.2f', ' mm')} while drilling, {known(wall.end_mm, '.2f', ' mm')} at the end{doubt}"
        rows.append((words(wall.structure), left))
    by_distance = ", ".join(f"{count} {level}" for level, count in figures.alerts_cutting)
    rows.append(("warned", f"thin walls {figures.thin_wall_alerts}; by distance while cutting {by_distance}"))
    if figures.spells or figures.doubtful_share:
        share = f"; {max(100.0 * figures.doubtful_share, 1.0):.0f} % of the drilled part is doubtful" if figures.doubtful_share else ""
        rows.append(("not followed", f"{figures.unfollowed_s:.1f} s in {len(figures.spells)} spells{share}"))
    rows += _truth_rows(figures)
    if figures.missing:
        rows.append(("missing", figures.missing))
    return rows


def _truth_rows(figures: DrillingFigures) -> list[tuple[str, str]]:
    truth = figures.truth
    if truth is None:
        return []
    rows = []
    if truth.mean_mm is not None and truth.p99_mm is not None:
        rows.append(("wall off truth", f"mean {truth.mean_mm:.3f} mm, 99 % within {truth.p99_mm:.3f} mm"))
    if truth.volume_error is not None:
        rows.append(("volume off truth", f"{100.0 * truth.volume_error:+.2f} % of {truth.true_mm3:.0f} mm³"))
    rows += [
        (f"told before {words(w.structure)}", f"mean {w.mean_mm:+.2f} mm of the true thickness, at most {w.most_mm:+.2f} mm") for w in truth.walls
    ]
    rows.append(("thin walls, truly", f"{truth.thin_raised} of {truth.thin_demanded} warned of in time"))
    return rows
