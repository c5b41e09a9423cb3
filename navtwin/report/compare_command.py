"""`navtwin diff`: the table of what two versions say of one session, the words for its rows, and the command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from navtwin.errors import InputRefused

if TYPE_CHECKING:
    from rich.table import Table

    from navtwin.report.changes import Change
    from navtwin.report.compare import Comparison

#: Each change as people say it, of what is now as against before.
WHAT = {
    "vanished": "no longer warned",
    "lower": "reaches a lower level",
    "unknown": "said to be unknown",
    "later": "later",
    "shorter": "over sooner",
    "appeared": "now warned",
    "higher": "reaches a higher level",
    "known": "said to be known",
    "earlier": "earlier",
    "longer": "stands longer",
    "bound": "bound differs",
}
#: So many rows are printed; --json has them all.
MOST_ROWS = 40


def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="session log")],
    now: Annotated[Path | None, typer.Argument(metavar="[B]", help="another log of the same session; left out: the fold of today")] = None,
    today: Annotated[bool, typer.Option("--now", help="compare A with what the fold says today (so it is without B, too)")] = False,
    at: Annotated[float | None, typer.Option(metavar="SECONDS", help="show what both say around this moment, frame by frame")] = None,
    case: Annotated[Path | None, typer.Option(help="case folder, for the fold of today; default: the one the log names")] = None,
    rig: Annotated[Path | None, typer.Option(help="rig.toml; default: the one the log names")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Which warnings differ between two logs of one session, or between a log and the fold of today, and by how much. Leaves with 1 where any do."""
    if now is not None and today:
        raise InputRefused("--now compares with the fold of today, and a second log was named too", "leave one of them out")
    if at is not None and at < 0.0:
        raise InputRefused(f"--at {at:g} lies before the session", "seconds count from the log's first input")
    found = _with_today(before, case, rig, at) if now is None else _logs(before, now, at)
    if as_json:
        import msgspec

        typer.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        print_comparison(found, at)
    if not found.same_warnings:
        raise typer.Exit(1)


def _logs(before: Path, now: Path, at: float | None) -> Comparison:
    from rich.console import Console

    from navtwin.report.compare import compare_logs

    with Console(stderr=True).status("comparing"):
        return compare_logs(before, now, at)


def _with_today(log: Path, case: Path | None, rig: Path | None, at: float | None) -> Comparison:
    from navtwin.record.commands import showing_progress
    from navtwin.report.compare import compare_with_today
    from navtwin.run.relive import world_of
    from navtwin.twin import new_memory, step

    scene, loaded_rig = world_of(log, case, rig)
    with showing_progress(log, "comparing", step) as counted:
        return compare_with_today(log, scene, loaded_rig, counted, new_memory, at)


def print_comparison(found: Comparison, at: float | None) -> None:
    """The comparison on the terminal."""
    from rich.console import Console

    console = Console(highlight=False)

    def say(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    name, other = Path(found.before).name, Path(found.now).name if found.now else "the fold of today"
    say(f"before: {name} (code {found.code_before[:12] or 'not known'}) · now: {other} (code {found.code_now[:12] or 'not known'})")
    for line in found.headers:
        say(f"  header {line.field}: {line.before} → {line.now}")
    for note in found.notes:
        say(f"note: {note}")
    say(f"{found.compared} inputs compared, {found.differing} with another outcome")
    if found.warnings:
        console.print(_warnings(found))
        if len(found.warnings) > MOST_ROWS:
            say(f"… and {len(found.warnings) - MOST_ROWS} more (--json has all)")
    else:
        say("the same warnings: none came, went or stood otherwise")
    if found.first is not None:
        say(f"first difference: {found.first.path}: {found.first.before} → {found.first.now} at seq {found.first.seq}, t={found.first.seconds:.2f} s")
    if found.distances:
        console.print(_distances(found))
    for moment in found.moments:
        other_log = f" {found.now}" if found.now else ""
        say(f"look: navtwin diff {found.before}{other_log} --at {moment.seconds:.2f}   ({moment.why})")
    if at is not None:
        console.print(_around(found, at))


def change_words(change: Change) -> tuple[str, ...]:
    """(what, level before, level now, shift, bound) of one change, in words."""
    shift = change.ends_later_ms if change.what in ("shorter", "longer") else change.later_ms
    return (
        WHAT[change.what],
        change.before or "–",
        change.now or "–",
        f"{shift:+.0f} ms" if shift and abs(shift) >= 0.5 else "–",
        "–" if change.bound_mm is None else f"{change.bound_mm:+.3f} mm",
    )


def _warnings(found: Comparison) -> Table:
    table = _table("warnings that differ, the worst first", ("warning", "what", "level", "shift", "bound"), ("t [s]", "seq"))
    for change in found.warnings[:MOST_ROWS]:
        what, before, now, shift, bound = change_words(change)
        level = before if before == now else f"{before} → {now}"
        table.add_row(change.id, what, level, shift, bound, f"{found.seconds(change.t_ns):.2f}", str(change.seq))
    return table


def _distances(found: Comparison) -> Table:
    table = _table("distances that differ", ("pair", "most [mm]", "before", "now", "on one side only"), ("t [s]", "seq"))
    for pair in found.distances[:MOST_ROWS]:
        numbers = (f"{pair.most_mm:.4g}", _mm(pair.before_mm), _mm(pair.now_mm), str(pair.unlike))
        table.add_row(pair.pair, *numbers, f"{found.seconds(pair.t_ns):.2f}", str(pair.seq))
    return table


def _around(found: Comparison, at: float) -> Table:
    table = _table(f"around {at:.2f} s; before → now", ("pair", "distance [mm]", "alert"), ("t [s]", "seq"))
    for row in found.looked:
        distance = f"{_mm(row.before_mm)} → {_mm(row.now_mm)}" if row.before_mm != row.now_mm else _mm(row.now_mm)
        alert = f"{row.before or '–'} → {row.now or '–'}" if row.before != row.now else row.now or "–"
        table.add_row(row.pair, distance, alert, f"{found.seconds(row.t_ns):.3f}", str(row.seq))
    if not found.looked:
        table.add_row("no alert stood, and no distance differed", "–", "–", "–", "–")
    return table


def _table(title: str, columns: tuple[str, ...], where: tuple[str, ...]) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(name, overflow="fold")
    for name in where:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _mm(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
