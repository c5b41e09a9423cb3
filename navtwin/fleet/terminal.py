"""What a fleet found, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from navtwin.fleet.fold import SHORT, FleetReport
from navtwin.fleet.schema import Row
from navtwin.report.compare_command import change_words

#: So many rows of each table are printed; --json has all.
MOST_ROWS = 15


def print_verified(rows: Sequence[Row], console: Console) -> None:
    """Each log that is not identical by its name, and how many are of each kind."""
    for row in sorted(rows, key=lambda r: str(r["log"])):
        if row["status"] != "identical":
            why = row["first_difference"] if row["status"] == "differs" else row["reason"]
            _say(console, f"{row['status']}: {_named(row['log'], why)}")
    _say(console, f"{len(rows)} logs: {_counts(rows)}")


def print_timed(rows: Sequence[Row], console: Console) -> None:
    """Speed and step times of each log."""
    table = _table("replay on the workers; steps on tracker frames", ("log", "x real time", "step p50 [us]", "p99 [us]", "max [us]", "worker"))
    for row in sorted(rows, key=lambda r: r["speed"] or 0.0)[:MOST_ROWS]:
        if row["speed"] is None:
            _say(console, f"{row['status']}: {_named(row['log'], row['reason'])}")
        else:
            numbers = (f"{row[name]:.0f}" for name in ("speed", "step_p50_us", "step_p99_us", "step_max_us") if row[name] is not None)
            table.add_row(Path(row["log"]).name, *numbers, row["worker"])
    console.print(table)
    timed = [row for row in rows if row["speed"] is not None]
    if timed:
        total = sum(row["seconds"] for row in timed) / sum(row["replay_s"] for row in timed)
        _say(console, f"{len(timed)} of {len(rows)} logs timed, the slowest listed first: {total:.0f} times real time over all")


def print_report(report: FleetReport, console: Console) -> None:
    """The account of all sessions, in brief."""
    _say(
        console,
        f"{sum(report.counts.values())} logs, {report.navigated_s / 3600.0:.2f} hours: " + ", ".join(f"{n} {s}" for s, n in report.counts.items()),
    )
    before = "what was logged" if report.before == "logged" else f"code {report.before[:SHORT]}"
    _say(console, f"compared in {report.compared_logs} logs: {before} → code {report.now[:SHORT]}")
    for bad in report.bad:
        _say(console, f"{bad.status}: {_named(bad.log, bad.reason)}")
    if report.changed:
        _say(console, f"{len(report.changed)} warnings changed: " + ", ".join(f"{n} {what}" for what, n in report.changed_kinds.items()))
        table = _table("the worst first", ("warning", "what", "level", "shift", "bound", "log", "t [s]"))
        for row in report.changed[:MOST_ROWS]:
            what, was, now, shift, bound = change_words(row.change)
            level = was if was == now else f"{was} → {now}"
            table.add_row(row.change.id, what, level, shift, bound, Path(row.log).name, f"{row.seconds:.2f}")
        console.print(table)
        _say(console, f"look: {report.changed[0].look}")
    else:
        _say(console, "the same warnings: none came, went or stood otherwise")
    if report.warnings:
        table = _table("warnings", ("structure or alarm", "highest level", "before", "now", "logs"))
        for w in report.warnings:
            table.add_row(w.name, w.level, str(w.before), str(w.now), str(w.logs))
        console.print(table)
    late = report.lateness
    _say(
        console,
        "lateness: not judged, no log states its truth"
        if late is None
        else f"lateness: {late.crossings} true crossings, {late.missed} missed, {late.late} late; {late.spurious} spurious alerts",
    )
    for stage in report.latency:
        _say(
            console, f"latency {stage.stage}: worst p50 {stage.worst_p50_ms:.2f} ms, worst p99 {stage.worst_p99_ms:.2f} ms, max {stage.max_ms:.2f} ms"
        )
    for note in report.notes:
        _say(console, f"note: {note}")


def _counts(rows: Sequence[Row]) -> str:
    names = [row["status"] for row in rows]
    return ", ".join(f"{names.count(name)} {name}" for name in dict.fromkeys(sorted(names, key=lambda n: -names.count(n))))


def _named(log: str, why: str) -> str:
    """A reason with the log that it is about; most name it themselves."""
    return why if log in why else f"{Path(log).name}: {why}"


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left")
    for n, name in enumerate(columns):
        table.add_column(name, overflow="fold", justify="left" if n == 0 else "right")
    return table
