"""Puts every fault of the table into a live session, and holds the twin's signal against its deadline; no run may say CLEAR of what is near.

    navtwin bench faults --list
    navtwin bench faults --only occlusion,link-cut --seeds 5
    navtwin bench faults --markdown docs/faults.md

Delays are from the injection to the operator's client, over real sockets. Exit code 1 where a run failed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from faults_parts.outcome import Outcome
from faults_parts.runners import RUNNERS, run_one
from faults_parts.summary import figures, listing, page, rows_of, table, troubles
from results import cli, files, terminal
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from navtwin.errors import InputRefused
from phantoms.faults.fault import Fault
from phantoms.faults.table import choose


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=20, help="runs of each fault, seeds 1 to N (default: 20)")
    options.add_argument("--jobs", type=int, default=2, help="runs at a time (default: 2)")
    options.add_argument("--only", default="", metavar="NAME,...", help="only these faults")
    options.add_argument("--list", action="store_true", help="print the faults and run none")
    cli.add_options(options)
    arguments = options.parse_args()
    faults = choose([name for name in arguments.only.split(",") if name])
    if arguments.list:
        terminal.show_table(terminal.wide(), listing(faults))
        return 0
    if arguments.seeds < 1 or arguments.jobs < 1:
        raise InputRefused(f"--seeds {arguments.seeds} and --jobs {arguments.jobs}", "both are 1 or more")
    run = cli.run_begun("faults", arguments)
    rows = rows_of(faults, _run([f for f in faults if f.name in RUNNERS], range(1, arguments.seeds + 1), arguments.jobs, quiet=arguments.quiet))
    # The page of the documentation is a table of its own kind.
    documentation, arguments.markdown = arguments.markdown, None
    if documentation is not None:
        files.write_whole(documentation, page(rows))
    settings: dict[str, object] = {"seeds": arguments.seeds, "faults": ",".join(f.name for f in faults)}
    notes = [*troubles(rows), f"{arguments.jobs} runs at a time share this machine's processors: delays include waiting for them"]
    seeds = tuple(range(1, arguments.seeds + 1))
    result = run.result(settings=settings, figures=tuple(figures(rows)), tables=(table(rows),), notes=notes, seeds=seeds)
    code = cli.finish(arguments, result, whole=not arguments.only)
    return code or int(not all(row.good for row in rows))


def _run(faults: Sequence[Fault], seeds: Sequence[int], jobs: int, *, quiet: bool) -> list[Outcome]:
    """Every fault with every seed, each run in a process that has no other at the same time."""
    tasks = [(f.name, seed) for f in faults for seed in seeds]
    for library in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
        # Threads of a library would fight the cores under test for the processors.
        os.environ.setdefault(library, "1")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        Progress(*columns, console=Console(stderr=True), disable=quiet) as progress,
        ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool,
    ):
        bar = progress.add_task("faults", total=len(tasks))
        outcomes = list[Outcome]()
        for future in as_completed([pool.submit(run_one, *task) for task in tasks]):
            outcome = future.result()
            outcomes.append(outcome)
            progress.update(bar, advance=1, description=outcome.fault)
            if not outcome.good:
                progress.console.print(f"[red]failed:[/] {outcome.fault}, seed {outcome.seed}: {outcome.trouble or outcome.said}", highlight=False)
    return outcomes


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
