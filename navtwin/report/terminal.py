"""The summary, printed by rich."""

from __future__ import annotations

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from navtwin.report.drilling_terminal import drilling_lines
from navtwin.report.summary import Summary
from navtwin.report.wording import headline, known, pair_words, verified_words, yes_no

_STYLE = {"good": "bold green", "bad": "bold red", "not judged": "bold yellow"}


def print_summary(summary: Summary, console: Console | None = None) -> None:
    """Print the same figures as the report, and its path."""
    console = console or Console()
    for part in render(summary):
        console.print(part)
    if summary.report:
        console.print(f"Report: {summary.report}", soft_wrap=True, highlight=False)


def render(summary: Summary) -> list[RenderableType]:
    """Headline, findings, figures."""
    out: list[RenderableType] = [Text(headline(summary), style=_STYLE[summary.verdict]), _counts(summary)]
    out += [Padding(Text(line, style="red"), (0, 0, 0, 2)) for line in summary.faults]
    if summary.by_limit:
        out.append(_crossings(summary))
    if summary.drilling is not None:
        out += drilling_lines(summary.drilling)
    out.append(_accuracy(summary))
    out.append(_latency(summary) if summary.latency else Text("Latency: not measured (the session did not run at live pace)", style="dim"))
    return out


def _counts(summary: Summary) -> Table:
    table = Table.grid(padding=(0, 2))
    rows = [
        (
            "navigation",
            f"{summary.navigation_s:.1f} s, {summary.frames} frames, {summary.alerts} alerts (first: {known(summary.first_alert_s, '.1f', ' s')})",
        ),
        ("verify", verified_words(summary)),
    ]
    if summary.verification is not None:
        rows.append(("registration", summary.verification.in_words()))
    if summary.judged:
        counts = f"missed {summary.missed} · late {summary.late} · spurious {summary.spurious} · masked {summary.masked} · dropped {summary.dropped}"
        rows.insert(0, ("against truth", f"{summary.crossings} crossings: {counts} · unknown and alarmed {summary.unknown}"))
    for name, value in rows:
        table.add_row(Text(name, style="dim"), Text(value))
    return table


def _table(title: str, first: str, numbers: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column(first, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _crossings(summary: Summary) -> Table:
    title = f"True crossings; an alert is due within {summary.allowed_ms:.0f} ms"
    table = _table(title, "pair and level", ("limit mm", "in time", "least margin ms", "nearest mm"))
    for row in summary.by_limit:
        in_time = f"{row.in_time} of {row.crossings}" + (f", {row.unknown} unknown" if row.unknown else "")
        numbers = (f"{row.limit_mm:g}", in_time, known(row.shortest_lead_ms, ".0f"), f"{row.nearest_mm:.2f}")
        table.add_row(f"{pair_words(row.alert)}, {row.level}", *numbers)
    return table


def _accuracy(summary: Summary) -> Table:
    table = _table("Accuracy beside the truth, mm", "what", ("predicted", "95 % bound", "observed", "inside"))
    for pivot in summary.pivots:
        table.add_row(
            f"{pivot.tool} tip (pivot)",
            f"{pivot.predicted_rms_mm:.3f}",
            f"{pivot.bound95_mm:.3f}",
            known(pivot.error_mm, ".3f"),
            yes_no(pivot.inside95),
        )
    if summary.registration is not None:
        for target in summary.registration.targets:
            numbers = (f"{target.predicted_rms_mm:.3f}", f"{target.bound95_mm:.3f}", known(target.observed_mm, ".3f"), yes_no(target.inside95))
            table.add_row(f"TRE, {target.name}", *numbers)
    for tip in summary.tips:
        table.add_row(f"{tip.tool} tip in navigation, mean", "", "", f"{tip.mean_mm:.3f}", "")
        table.add_row("  its axis (trajectory), mean, degrees", "", "", f"{tip.angle_mean_deg:.3f}", "")
        table.add_row(f"  moved meanwhile ({tip.delay_ms:.0f} ms), mean", "", "", f"{tip.moved_mean_mm:.3f}", "")
    return table


def _latency(summary: Summary) -> Table:
    table = _table("Latency, ms", "stage", ("p50", "p95", "p99", "max", "samples"))
    for stage in summary.latency:
        table.add_row(stage.name, *(f"{v:.2f}" for v in (stage.p50_ms, stage.p95_ms, stage.p99_ms, stage.max_ms)), str(stage.count))
    return table
