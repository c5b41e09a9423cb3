"""What every benchmark's command line has in common: the options, and what is done with the result.

options = argparse.ArgumentParser(description=__doc__)
cli.add_options(options)
arguments = options.parse_args()
run = cli.run_begun("step", arguments)          # a budget or an earlier run that cannot be read is refused here, before anything is measured
...
return cli.finish(arguments, run.result(settings={...}, figures=(...)))

if __name__ == "__main__":
    sys.exit(cli.exit_code(main))               # a refusal is one line and leaves with 2
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from navtwin.errors import InputRefused, NavtwinError
from results import against, budget, figures_csv, files, html, markdown, terminal
from results.machine import this_machine, versions
from results.model import Distribution, Figure, Result, Table

NO_BUDGET = "none"


def add_options(parser: argparse.ArgumentParser) -> None:
    """`--json --csv --html --markdown --budget --against --quiet`."""
    group = parser.add_argument_group("results")
    group.add_argument("--json", type=Path, metavar="FILE", help="write the result here, to be compared or made into a report later")
    group.add_argument("--csv", type=Path, metavar="FILE", help="write every figure and percentile as one row each")
    group.add_argument("--html", type=Path, metavar="FILE", help="write the tables and histograms as one page")
    group.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables as Markdown")
    group.add_argument(
        "--budget",
        metavar="FILE",
        default=str(budget.DEFAULT),
        help="what the figures have to reach (default: benchmarks/budget.toml); none: only measure",
    )
    group.add_argument("--against", type=Path, metavar="FILE", help="compare with an earlier run's --json, pair by pair, and say what is noise")
    group.add_argument("--quiet", action="store_true", help="print only what falls short")


@dataclass(frozen=True)
class Begun:
    """A run that has begun: what of its result is known before anything is measured."""

    benchmark: str
    command: str
    begun_utc: str
    begun_s: float

    def result(
        self,
        *,
        settings: dict[str, object],
        figures: Sequence[Figure] = (),
        distributions: Sequence[Distribution] = (),
        tables: Sequence[Table] = (),
        notes: Sequence[str] = (),
        seeds: Sequence[int] = (),
    ) -> Result:
        """The run's result, taken when everything is measured."""
        return Result(
            benchmark=self.benchmark,
            command=self.command,
            begun_utc=self.begun_utc,
            seconds=round(time.monotonic() - self.begun_s, 3),
            machine=this_machine(),
            versions=versions(),
            seeds=tuple(seeds),
            settings={key: str(value) for key, value in settings.items()},
            figures=tuple(figures),
            distributions=tuple(distributions),
            tables=tuple(tables),
            notes=tuple(notes),
        )


def run_begun(benchmark: str, arguments: argparse.Namespace) -> Begun:
    """Notes when the run began and how it was called.

    Raises
    ------
    InputRefused
        The budget or the earlier run cannot be used, or a result not be written: better said before the measurement than after it.
    """
    for path in (arguments.json, arguments.csv, arguments.html, arguments.markdown):
        if path is not None:
            files.check_writable(path)
    _reaches(arguments, benchmark)
    if arguments.against is not None and (earlier := files.load(arguments.against)).benchmark != benchmark:
        raise InputRefused(f"{arguments.against.name} is a run of '{earlier.benchmark}', not of '{benchmark}'", "compare runs of one benchmark")
    words = ["navtwin", "bench", benchmark, *_told(sys.argv[1:])]
    return Begun(benchmark, shlex.join(words), datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic())


def _told(words: Sequence[str]) -> list[str]:
    """What was typed, files by their names alone: whoever reads the report has other folders."""
    return [Path(word).name if Path(word).is_absolute() else word for word in words]


def _reaches(arguments: argparse.Namespace, benchmark: str) -> budget.Reaches:
    if arguments.budget == NO_BUDGET:
        return {}
    return budget.read_budget(Path(arguments.budget)).get(benchmark, {})


def finish(arguments: argparse.Namespace, result: Result, *, whole: bool = True) -> int:
    """Prints, writes and judges a result.

    Parameters
    ----------
    whole : False where only some of the figures were asked for (rows, a lighter load): a line of the budget that was not measured is then told
        and is no error

    Returns
    -------
    code : 0, or 1 where a figure falls short of its budget

    Raises
    ------
    InputRefused
        A line of the budget that a whole run did not measure, or that is in another unit; an earlier run with other settings.
        The JSON is written all the same. Or the JSON can no longer be written: the result is printed all the same.
    """
    files.checked(result)
    try:
        if arguments.json is not None:
            files.save(arguments.json, result)
        reaches = _reaches(arguments, result.benchmark)
        verdicts = budget.judge(result, reaches, whole)
    except InputRefused:
        terminal.show(terminal.wide(), result, [], quiet=arguments.quiet)
        raise
    compared = None if arguments.against is None else against.compare(files.load(arguments.against), result)
    if arguments.html is not None:
        files.write_whole(arguments.html, html.page(result, verdicts, compared))
    if arguments.csv is not None:
        files.write_whole(arguments.csv, figures_csv.text(result, verdicts))
    if arguments.markdown is not None:
        files.write_whole(arguments.markdown, markdown.page(result, verdicts, compared))
    console = terminal.wide()
    terminal.show(console, result, verdicts, quiet=arguments.quiet)
    if compared is not None:
        terminal.show_comparison(console, compared)
    if missing := budget.not_measured(result, reaches):
        console.print("[yellow]not measured in this run:[/] " + escape("; ".join(missing)), highlight=False)
    return 0 if all(verdict.met for verdict in verdicts) else 1


def exit_code(main: Callable[[], int]) -> int:
    """Runs a benchmark; a refusal is told in one line and leaves with its own code."""
    try:
        return main()
    except NavtwinError as error:
        Console(stderr=True, soft_wrap=True).print(f"[bold red]refused:[/] {escape(str(error))}", highlight=False)
        return error.exit_code
