"""From frame to pose to step to publish to received to acknowledged: the real loop, log and sockets, each end in a process of its own.

Processes on one host clock (time.monotonic_ns): the core runs `navtwin.run`'s own Core, Loop, Server, SourceReader and LogWriter; a receiver is
`navtwin.bus.client.Client`, what operators and windows use, and acknowledges alerts as an operator does; others load the machine.

- The source is live: a thread that hands over a frame each 1/RATE s. A frame's time starts when it was due, not when the thread got to it, so that a
  machine that stalls cannot hide what it delays. The first instrument swings through the limits of a critical structure twice a second and is hidden
  in every fourth frame, so that the alert set changes, and is published, with half of all frames.
- What the tracker takes before the arrival, and the eye after the receiver, are the rig's declared latency and no part of this.
- Nothing may be lost unseen: frames emitted, stepped, published, received and logged are counted where that happens and compared one by one.

Rows (--rows): `plain`, `curve` (60 Hz, the case as it is); `full` (400 Hz, 3 instruments with burr and shaft x 15 structures x 100 000 triangles, all
critical); `crowd` (as full, 10 subscribers of which one is stopped, a desktop painting); `rate` (the highest rate that is held, the core on one
processor); `busy` (a burning process for each processor, told without a reach); `stale` (a source that falls silent); `link` (a core that is stopped
or killed); `kill` (a recording that is killed); `all`. Without --rows: plain and curve. Any of --rate, --instruments, --structures, --triangles,
--subscribers, --stalled, --busy, --gui makes a load of its own in their place, over plain sockets and CURVE.

    navtwin bench latency [--rows full,crowd] [--seconds 600] [--json FILE] [--html FILE]
    navtwin bench latency --rate 400 --instruments 3 --structures 15 --triangles 100000 --subscribers 10 --stalled 1 --busy
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import common
from latency_parts import ceiling, killed, lost, silence
from latency_parts.load import LOADS, Load
from latency_parts.measure import Progress, measure
from latency_parts.tell import Told, tell
from results import cli
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from navtwin.errors import InputRefused, nearest

#: Rows that are more than a load.
OTHERS = ("stale", "link", "kill")
#: Options that make a load of one's own.
OWN = ("rate", "instruments", "structures", "triangles", "subscribers", "stalled", "busy", "gui", "one_core", "no_log")

Case = Callable[[], Path]


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="navtwin bench latency", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_options(options)
    common.add_case(options)
    options.add_argument("--rows", metavar="ROW,...", help=f"of {', '.join((*LOADS, *OTHERS))}; or all (default: plain,curve)")
    options.add_argument("--seconds", type=float, metavar="S", help="how long each load is measured (default: 30; of `rate`: 60 for each rate)")
    load = options.add_argument_group("a load of your own")
    load.add_argument("--rate", type=float, metavar="HZ", help="frames a second, 30 to 5000 (default: 60)")
    load.add_argument("--instruments", type=int, metavar="N", help="with burr and shaft each, in a made-up case (default: 1)")
    load.add_argument("--structures", type=int, metavar="N", help="all critical, in a made-up case (default: the case as it is, or 8)")
    load.add_argument("--triangles", type=int, metavar="N", help="of each structure (default: 100000)")
    load.add_argument("--subscribers", type=int, metavar="N", help="clients beside the one that is measured")
    load.add_argument("--stalled", type=int, metavar="N", help="clients that are stopped and read nothing")
    load.add_argument("--busy", action="store_true", help="a process for each processor that does nothing but burn")
    load.add_argument("--gui", action="store_true", help="a desktop paints the moving instrument meanwhile")
    load.add_argument("--one-core", action="store_true", help="the core's process may use one processor alone")
    load.add_argument("--no-log", action="store_true", help="do not record meanwhile")
    options.add_argument("--events", type=int, default=1000, metavar="N", help="of `stale`: silences over all its sources (default: 1000)")
    options.add_argument("--times", type=int, default=20, metavar="N", help="of `link` and `kill`: how often each (default: 20)")
    options.add_argument("--seed", type=int, default=1, help="of every random moment (default: 1)")
    return options


def rows_of(arguments: argparse.Namespace) -> tuple[list[Load], list[str]]:
    """The loads, and the other rows, that were asked for."""
    own = [name for name in OWN if getattr(arguments, name)]
    if own and arguments.rows:
        raise InputRefused(f"--{own[0].replace('_', '-')} makes a load of its own, and --rows names others", "pass one of the two")
    loads = [own_load(arguments, curve) for curve in (False, True)] if own else []
    names = [] if own else [name.strip() for name in (arguments.rows or "plain,curve").split(",")]
    names = [*LOADS, *OTHERS] if names == ["all"] else names
    for name in names:
        if name not in (*LOADS, *OTHERS):
            raise InputRefused(f"there is no row '{name}'", nearest(name, (*LOADS, *OTHERS, "all")))
    loads += [LOADS[name] for name in names if name in LOADS]
    return [replace(load, seconds=arguments.seconds or load.seconds) for load in loads], [name for name in names if name in OTHERS]


def own_load(arguments: argparse.Namespace, curve: bool) -> Load:
    made = any((arguments.instruments, arguments.structures, arguments.triangles))
    return Load(
        f"own {'curve' if curve else 'plain'}",
        rate_hz=arguments.rate or 60.0,
        instruments=arguments.instruments or 1,
        structures=(arguments.structures or 8) if made else 0,
        triangles=arguments.triangles or 100_000,
        subscribers=arguments.subscribers or 0,
        stalled=arguments.stalled or 0,
        busy=arguments.busy,
        gui=arguments.gui,
        one_core=arguments.one_core,
        curve=curve,
        log=not arguments.no_log,
    )


def run_rows(loads: Sequence[Load], others: Sequence[str], case: Case, arguments: argparse.Namespace) -> Iterator[Told]:
    """One after the other; the case is made when the first row asks for it."""
    for load in loads:
        with shown(load.name) as progress:
            yield ceiling.search(load, case, progress) if load.name == "rate" else tell(measure(load, case, progress))
    for name in others:
        with shown(name) as progress:
            if name == "stale":
                yield silence.measure(case, arguments.events, arguments.seed, progress)
            elif name == "link":
                yield lost.measure(case, arguments.times, progress)
            else:
                yield killed.measure(arguments.times, arguments.seed, progress)


@contextmanager
def shown(name: str) -> Iterator[Progress]:
    """A bar on the terminal."""
    console = Console(stderr=True)
    with Bar(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task(name, total=1.0)
        yield lambda text, share: bar.update(task, description=f"{name}: {text}", completed=share)


def main() -> int:
    # A core that is killed leaves its worker's semaphores to Python's tracker, which removes them, and would say so.
    os.environ.setdefault("PYTHONWARNINGS", "ignore::UserWarning:multiprocessing.resource_tracker")
    arguments = parser().parse_args()
    loads, others = rows_of(arguments)
    for flag, count, most in (("--events", arguments.events, 100_000), ("--times", arguments.times, 1000)):
        if not 1 <= count <= most:
            raise InputRefused(f"{flag} {count} is not 1 to {most}", "pass a whole number in between")
    begun = cli.run_begun("latency", arguments)
    case = functools.cache(lambda: common.case_of(arguments)[2])
    told = list(run_rows(loads, others, case, arguments))
    result = begun.result(
        settings={**{load.name: load.words for load in loads}, "other rows": ", ".join(others)},
        figures=[figure for one in told for figure in one.figures],
        distributions=[d for one in told for d in one.distributions],
        tables=[table for one in told for table in one.tables],
        notes=[note for one in told for note in one.notes],
        seeds=(arguments.seed,),
    )
    whole = {load.name for load in loads} >= set(LOADS) and set(others) == set(OTHERS)
    return cli.finish(arguments, result, whole=whole)


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
