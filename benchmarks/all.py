"""Every benchmark, one after the other, each as a process of its own, and one report of them all.

    navtwin bench all [--quick] [--only latency,accuracy] [--skip fuzz] [--out FOLDER] [--resume]
    navtwin bench all --out out/second --against out/bench

Results are kept in the --out folder, one JSON each. A benchmark that fails is told in the report with its last words, and the others go on. --resume
takes what is whole there, and was measured on this machine by this revision with these options; Ctrl-C ends the benchmark that runs and writes the
report of what there is. Exit code 1 where a figure misses its budget or a benchmark failed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from all_parts import choosing, entries, report
from all_parts.entries import Entry
from all_parts.running import ROOT, Outcome, Stopped, Task, kept, run
from results import budget, cli, terminal
from results.budget import Reaches
from results.machine import this_machine, versions
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from navtwin.errors import InputRefused
from navtwin.run.bench import BENCHMARKS, Benchmark

SCRIPTS = ROOT / "benchmarks"
QUICK = (
    "Quick: short runs and light loads. They show that everything works and how figures differ from an earlier quick run; what is claimed is "
    "measured without --quick."
)
FULL = "Figures are this machine's at that time. A busy machine makes every tail longer, whatever the program does."


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="navtwin bench all", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="short runs and light loads: minutes in place of hours")
    options.add_argument("--only", default="", metavar="NAME,...", help="only these benchmarks")
    options.add_argument("--skip", default="", metavar="NAME,...", help="all but these")
    options.add_argument("--out", type=Path, default=ROOT / "out" / "bench", metavar="FOLDER", help="where results are kept (default: out/bench)")
    options.add_argument("--resume", action="store_true", help="do not run again what --out has of this revision, machine and options")
    options.add_argument("--against", type=Path, metavar="FOLDER", help="compare with the --out folder of an earlier run, pair by pair")
    options.add_argument(
        "--report", type=Path, default=SCRIPTS / "REPORT.md", metavar="FILE", help="FILE.md and FILE.html (default: benchmarks/REPORT.md)"
    )
    options.add_argument("--budget", default=str(budget.DEFAULT), metavar="FILE", help="default: benchmarks/budget.toml; none: only measure")
    options.add_argument("--limit-min", type=float, default=180.0, metavar="MIN", help="end a benchmark that takes longer (default: 180)")
    return options


def asked_of(reaches: Mapping[str, Reaches], *, quick: bool) -> Mapping[str, Reaches]:
    """The budget's lines that this run can answer."""
    return {name: {key: reach for key, reach in lines.items() if reach.quick or not quick} for name, lines in reaches.items()}


def names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def main(words: Sequence[str] | None = None, table: Mapping[str, Benchmark] = BENCHMARKS, scripts: Path = SCRIPTS) -> int:
    """Runs what was asked for and writes the report; the exit code."""
    arguments = parser().parse_args(words)
    chosen = choosing.tasks(table, scripts, quick=arguments.quick, only=names(arguments.only), skip=names(arguments.skip))
    reaches = {} if arguments.budget == cli.NO_BUDGET else asked_of(budget.read_budget(Path(arguments.budget)), quick=arguments.quick)
    if arguments.limit_min <= 0.0:
        raise InputRefused(f"--limit-min {arguments.limit_min:g} is no time", "pass more than 0")
    if arguments.against is not None and arguments.against.resolve() == arguments.out.resolve():
        raise InputRefused("--against and --out are the same folder, whose results would be written over", "pass another --out")
    # Read before anything is measured: a folder that is of no use is better told now.
    earlier = None if arguments.against is None else entries.earlier_runs(arguments.against)
    begun = datetime.now(UTC).isoformat(timespec="seconds")
    load = f"{os.getloadavg()[0]:.2f} as it began" if hasattr(os, "getloadavg") else "not told by the system"
    outcomes = run_all(chosen, arguments.out, arguments.limit_min * 60.0, resume=arguments.resume)
    found = [entries.entry_of(outcome, reaches.get(outcome.task.name, {}), earlier) for outcome in outcomes]
    typed = sys.argv[1:] if words is None else words
    told = report.Report(
        command=shlex.join(["navtwin", "bench", "all", *(Path(word).name if Path(word).is_absolute() else word for word in typed)]),
        settings={"begun": begun, "load average": load, **this_machine(), **versions()},
        entries=found,
        notes=[QUICK if arguments.quick else FULL, *revisions(found), *left_out(table, chosen, reaches)],
        against="" if arguments.against is None else arguments.against.name,
    )
    pages = report.write(told, arguments.report)
    show(told, pages)
    return entries.code_of(found, quick=arguments.quick)


def run_all(chosen: Sequence[Task], out: Path, limit_s: float, *, resume: bool) -> list[Outcome]:
    """One after the other: two at a time would measure each other."""
    out.mkdir(parents=True, exist_ok=True)
    outcomes: list[Outcome] = []
    console = Console(stderr=True)
    # A scheduler or a service ends this as Ctrl-C does.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True) as bar:
            doing = bar.add_task("benchmarks", total=len(chosen))
            for task in chosen:
                bar.update(doing, description=task.name)
                outcomes.append(one(task, out, limit_s, resume=resume))
                tell(console, outcomes[-1])
                bar.advance(doing)
    except (Stopped, KeyboardInterrupt):
        console.print("[yellow]stopped by hand[/]: the report tells what was measured until now")
        outcomes += [Outcome(task, "stopped", trouble="it was not run to its end: somebody pressed Ctrl-C") for task in chosen[len(outcomes) :]]
    finally:
        signal.signal(signal.SIGTERM, before)
    return outcomes


def one(task: Task, out: Path, limit_s: float, *, resume: bool) -> Outcome:
    if resume and (outcome := kept(task, out)) is not None:
        return outcome
    return Outcome(task, "left out", trouble=task.cannot) if task.cannot else run(task, out, limit_s)


def tell(console: Console, outcome: Outcome) -> None:
    took = "" if outcome.result is None else f", {outcome.result.seconds:.0f} s"
    said = f"[red]{outcome.state}[/]: {escape(outcome.trouble)}" if outcome.trouble else outcome.state
    console.print(f"{escape(outcome.task.name)}: {said}{took}", highlight=False)


def revisions(found: Sequence[Entry]) -> list[str]:
    """Says so where the program changed while it was measured."""
    seen = sorted({entry.outcome.result.versions.get("revision", "") for entry in found if entry.outcome.result is not None})
    return [f"The program changed while it was measured: {', '.join(seen)}."] if len(seen) > 1 else []


def left_out(table: Mapping[str, Benchmark], chosen: Sequence[Task], reaches: Mapping[str, Reaches]) -> list[str]:
    """Says of which benchmarks nothing was asked, and what the budget wants of them."""
    asked = {task.name for task in chosen}
    out = [f"{name} ({len(reaches[name])} lines of the budget)" if name in reaches else name for name in table if name not in asked]
    return [f"Not asked for: {', '.join(out)}."] if out else []


def show(told: report.Report, pages: Sequence[Path]) -> None:
    """The tables on the terminal, and where the report is."""
    console = terminal.wide()
    for table in (*told.tables, *told.compared):
        terminal.show_table(console, table)
    for text in (*told.not_compared, told.said, *(f"written: {page}" for page in pages)):
        console.print(escape(text), highlight=False)


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
