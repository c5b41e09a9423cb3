"""`navtwin fleet`: verify, time and report on many logs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from navtwin.errors import InputRefused

if TYPE_CHECKING:
    from rich.console import Console

    from navtwin.fleet.jobs import Job, Task
    from navtwin.fleet.scheduler import Where
    from navtwin.fleet.schema import Row, Rows
    from navtwin.fleet.store import Results

fleet_app = typer.Typer(
    no_args_is_help=True,
    help="Many logs at once, over the processes of this machine or the workers of a dask scheduler. What is done is kept: run again to go on. "
    "Dask unpickles what its peers send: use a scheduler only where you trust everybody who reaches it.",
)

Logs = Annotated[list[str], typer.Argument(help="logs, folders with logs, patterns")]
SomeLogs = Annotated[list[str] | None, typer.Argument(help="logs, folders with logs, patterns; none: report on what the results hold")]
Cases = Annotated[list[Path] | None, typer.Option("--case", metavar="FOLDER", help="a case, or a folder of cases; may be repeated")]
Scheduler = Annotated[str, typer.Option(metavar="tcp://HOST:PORT", help="a dask scheduler that is there; default: one in this process")]
Workers = Annotated[int, typer.Option(min=0, help="processes on this machine; 0: one for each core")]
Folder = Annotated[Path | None, typer.Option("--results", metavar="FOLDER", help="where results are kept; default: navtwin-fleet here")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
Ca = Annotated[Path | None, typer.Option("--tls-ca", metavar="FILE", help="for tls://: the authority's certificate")]
Cert = Annotated[Path | None, typer.Option("--tls-cert", metavar="FILE", help="for tls://: this client's certificate")]
Key = Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="for tls://: its key")]

#: Where results are kept unless it is said otherwise.
DEFAULT_RESULTS = Path("navtwin-fleet")


@dataclass(frozen=True)
class _Found:
    """Head rows of the logs that were asked for, and what was passed over."""

    rows: list[Row]
    results: Results
    notes: list[str]


@fleet_app.command()
def verify(
    logs: Logs,
    case: Cases = None,
    scheduler: Scheduler = "",
    workers: Workers = 0,
    results: Folder = None,
    as_json: Json = False,
    tls_ca: Ca = None,
    tls_cert: Cert = None,
    tls_key: Key = None,
) -> None:
    """Replay each log and compare it to the bit. Leaves with 1 where one differs or cannot be replayed; each is named, and none stops another."""
    from navtwin.fleet.terminal import print_verified

    found = _do("verify", logs, case, _where(scheduler, workers, tls_ca, tls_cert, tls_key), results)
    _tell(found, print_verified, as_json)
    if any(row["status"] != "identical" for row in found.rows):
        raise typer.Exit(1)


@fleet_app.command()
def bench(
    logs: Logs,
    case: Cases = None,
    scheduler: Scheduler = "",
    workers: Workers = 0,
    results: Folder = None,
    as_json: Json = False,
    tls_ca: Ca = None,
    tls_cert: Cert = None,
    tls_key: Key = None,
) -> None:
    """Time the replay of each log on the workers: speed, and steps of the fold. Leaves with 1 where a log cannot be replayed."""
    from navtwin.fleet.terminal import print_timed

    found = _do("bench", logs, case, _where(scheduler, workers, tls_ca, tls_cert, tls_key), results)
    _tell(found, print_timed, as_json)
    if any(row["speed"] is None for row in found.rows):
        raise typer.Exit(1)


@fleet_app.command()
def report(
    logs: SomeLogs = None,
    case: Cases = None,
    scheduler: Scheduler = "",
    workers: Workers = 0,
    results: Folder = None,
    before: Annotated[str, typer.Option("--from", metavar="CODE", help="compare with this code (beginning of its hash); default: as logged")] = "",
    now: Annotated[str, typer.Option("--to", metavar="CODE", help="tell of this code; default: the code of today")] = "",
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="the page; default: report.html in the results")] = None,
    as_json: Json = False,
    tls_ca: Ca = None,
    tls_cert: Cert = None,
    tls_key: Key = None,
) -> None:
    """Over all sessions: what was found, and which version changed which warnings, by how much, with the frames to look at.

    Verifies first what is not verified yet. Leaves with 1 where a log cannot be replayed, or a warning changed.
    """
    import msgspec
    from rich.console import Console

    from navtwin.fleet.fold import fold
    from navtwin.fleet.page import write_page
    from navtwin.fleet.store import MARK, Results
    from navtwin.fleet.terminal import print_report
    from navtwin.record.hashes import code_hash

    only: set[str] | None = None
    if logs:
        found = _do("verify", logs, case, _where(scheduler, workers, tls_ca, tls_cert, tls_key), results)
        kept, only = found.results, {row["log_hash"] for row in found.rows}
    else:
        folder = results or DEFAULT_RESULTS
        if not (folder / MARK).is_file():
            raise InputRefused(f"there are no results in {folder}", "name logs to verify first, or the folder with --results")
        kept = Results(folder)
    account = fold(kept, now or code_hash(), before, only)
    if not account.counts:
        raise InputRefused(
            f"nothing in {kept.folder} was found by the code {account.now[:12]}", "name the logs to verify with it, or another with --to"
        )
    page = html or kept.folder / "report.html"
    write_page(account, page)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(account)).decode())
    else:
        print_report(account, Console(highlight=False))
        typer.echo(f"report: {page}")
    if account.bad or account.changed:
        raise typer.Exit(1)


def _where(scheduler: str, workers: int, ca: Path | None, cert: Path | None, key: Path | None) -> Where:
    from navtwin.fleet.scheduler import Where

    if scheduler and workers:
        raise InputRefused("--workers is for processes of this machine, and --scheduler has workers of its own", "leave one of them out")
    if (ca or cert or key) and not scheduler.startswith("tls://"):
        raise InputRefused("TLS files are for a scheduler at tls://HOST:PORT", "name it with --scheduler, or leave them out")
    return Where(scheduler, workers, ca, cert, key)


def _do(task: Task, names: list[str], cases: list[Path] | None, where: Where, folder: Path | None) -> _Found:
    """Do what is missing, and give the head row of every log that was asked for."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from navtwin.fleet.plan import find_cases, find_logs, jobs_of
    from navtwin.fleet.schema import HEAD
    from navtwin.fleet.store import Results, arrow
    from navtwin.fleet.tasks import head_row

    arrow()
    console = Console(stderr=True, highlight=False)
    logs, notes = find_logs(names)
    kept = Results(folder or DEFAULT_RESULTS)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        looking = bar.add_task("looking at logs", total=len(logs))
        jobs, copies = jobs_of(task, logs, find_cases(cases or [], logs), lambda: bar.advance(looking))
        bar.remove_task(looking)
        rows = {key: row for key, row in kept.done(task).items() if key in {job.key for job in jobs}}
        missing = [job for job in jobs if job.key not in rows]
        if rows:
            notes.append(f"{len(rows)} of {len(jobs)} logs were done before; {len(missing)} are left")
        doing = bar.add_task({"verify": "verifying", "bench": "timing"}[task], total=len(jobs), completed=len(rows))

        def done(job: Job, found: Rows | None, why: str) -> None:
            from navtwin.fleet.scheduler import DIED

            head = HEAD[task]
            tables = (
                found
                if found is not None
                else {name: [] for name in _tables(task)} | {head: [head_row(job, "died" if why == DIED else "failed", why)]}
            )
            kept.add(job, tables)
            # As it is read back, with a null for what it says nothing of.
            rows[job.key] = _whole(head, tables[head][0])
            bar.advance(doing)

        if missing:
            _spread(task, missing, where, done, console)
    return _Found(list(rows.values()), kept, [*notes, *copies, *kept.notes])


def _spread(task: Task, jobs: list[Job], where: Where, done: Callable[[Job, Rows | None, str], None], console: Console) -> None:
    from navtwin.fleet import tasks
    from navtwin.fleet.scheduler import run_jobs, workers

    what: Any = {"verify": tasks.examine, "bench": tasks.time_replay}[task]
    with workers(where, lambda text: console.print(f"warning: {text}", style="yellow", markup=False)) as client:
        run_jobs(client, what, jobs, done)


def _tables(task: Task) -> tuple[str, ...]:
    from navtwin.fleet.schema import OF_TASK

    return OF_TASK[task]


def _whole(table: str, row: Row) -> Row:
    from navtwin.fleet.schema import TABLES

    return {column.name: row.get(column.name) for column in TABLES[table]}


def _tell(found: _Found, show: Callable[[list[Row], Console], None], as_json: bool) -> None:
    from rich.console import Console

    if as_json:
        import msgspec

        told = {"results": str(found.results.folder), "notes": found.notes, "logs": sorted(found.rows, key=lambda r: str(r["log"]))}
        typer.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
        return
    show(found.rows, Console(highlight=False))
    for note in found.notes:
        typer.echo(f"note: {note}")
