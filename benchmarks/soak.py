"""The twin under its full load for a long time: memory, open files, threads, latency, frames and log must be at the end what they were at the start.

The `full` load of `navtwin bench latency` (3 instruments with burr and shaft x 15 structures x 100 000 triangles, all critical, recorded), at --rate,
for --minutes. A receiver in another process times and acknowledges. Ctrl-C ends it in order, and what was measured until then is told.

    navtwin soak [--minutes 30] [--rate 400] [--structures 15] [--verify] [--json FILE] [--html FILE]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import psutil  # type: ignore[import-untyped]
from latency_parts import endurance
from latency_parts.accounts import accounts, logged_frames
from latency_parts.endurance import Look
from latency_parts.load import LOADS, Load
from latency_parts.measure import SETTLE_S, Measured, Session, case_of, plan_of, session
from latency_parts.receiver import ALERTS, ARRIVAL, TOPIC
from latency_parts.stages import JUDGED, TO_ALERT, samples
from latency_parts.tell import tell
from results import cli
from results.model import Figure, Table
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from navtwin.errors import InputRefused
from navtwin.nouns import read_rig
from navtwin.record.replay import verify
from navtwin.scene.case import load_scene
from navtwin.twin import new_memory, step

#: A log of no more than so many minutes is replayed and compared without being asked for: it takes about as long as the run.
VERIFIED_MIN = 3.0
BEAT_S = 1.0


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="navtwin soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_options(options)
    full = LOADS["full"]
    options.add_argument("--minutes", type=float, default=30.0, metavar="N", help="0.2 to 1440 (default: 30)")
    options.add_argument("--rate", type=float, default=full.rate_hz, metavar="HZ", help="frames a second, 30 to 5000 (default: 400)")
    options.add_argument("--instruments", type=int, default=full.instruments, metavar="N")
    options.add_argument("--structures", type=int, default=full.structures, metavar="N")
    options.add_argument("--triangles", type=int, default=full.triangles, metavar="N")
    options.add_argument("--verify", action="store_true", help=f"replay the log and compare it, however long (default: up to {VERIFIED_MIN:g} min)")
    return options


def load_of(arguments: argparse.Namespace) -> Load:
    if not 0.2 <= arguments.minutes <= 1440.0:
        raise InputRefused(f"--minutes {arguments.minutes:g} is not 0.2 to 1440", "pass a number in between")
    if not arguments.structures:
        raise InputRefused("--structures 0 leaves nothing to soak", "pass 1 to 60")
    return replace(
        LOADS["full"], name="soak", rate_hz=arguments.rate, seconds=60.0 * arguments.minutes, instruments=arguments.instruments,
        structures=arguments.structures, triangles=arguments.triangles,
    )  # fmt: skip


@dataclass
class Watch:
    """What is seen of the core while it runs, once a second; `stopped` tells that somebody pressed Ctrl-C."""

    looks: list[Look] = field(default_factory=list)
    stopped: bool = False

    def over(self, running: Session, log: Path, seconds: float) -> None:
        """Look on until it is over, and show how it goes."""
        process = psutil.Process(running.core.pid)
        begun = time.monotonic()
        with _bar(seconds) as show:
            try:
                while (passed := time.monotonic() - begun) < seconds:
                    beat = running.beats.recv() if running.beats.poll(min(BEAT_S, seconds - passed)) else None
                    look = look_at(process, log, time.monotonic() - begun)
                    self.looks.append(look)
                    show(look, beat)
            except KeyboardInterrupt:
                self.stopped = True


def look_at(process: psutil.Process, log: Path, at_s: float) -> Look:
    partial = log.with_name(log.name + ".partial")
    files = process.num_fds() if hasattr(process, "num_fds") else None
    log_size = partial.stat().st_size if partial.is_file() else 0
    return Look(at_s, process.memory_info().rss, files, process.num_threads(), log_size, endurance.same_work())


@contextmanager
def _bar(seconds: float) -> Iterator:  # type: ignore[type-arg]
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("soak", total=seconds)

        def show(look: Look, beat: tuple[int, float, float, float] | None) -> None:
            words = f"soak: {look.rss / endurance.MIB:.0f} MiB, {look.files} files, {look.threads} threads, log {look.log / endurance.MIB:.0f} MiB"
            if beat is not None:
                words += f"; {beat[0]} states/s, p50 {beat[1]:.2f}, p99 {beat[2]:.2f}, max {beat[3]:.1f} ms"
            bar.update(task, description=words, completed=look.at_s)

        yield show


def soak(load: Load, folder: Path, case: Path, *, whole_log: bool) -> tuple[Measured, Watch, tuple[Figure, ...], Table, float]:
    """Run the load; what was measured, what was seen, the soak's own figures, how it went, and how long it was in s."""
    plan, keys = plan_of(load, case, folder)
    watch = Watch()
    assert plan.log is not None
    with session(plan, keys, folder, BEAT_S) as running:
        time.sleep(SETTLE_S)
        begun_ns = time.monotonic_ns()
        watch.over(running, plan.log, load.seconds)
        ended_ns = time.monotonic_ns()
    if len(watch.looks) < 10:
        raise InputRefused("it was stopped before ten seconds were over: nothing can be said of it", "let it run longer")
    assert running.heard is not None
    console = Console(stderr=True)
    notes, heard = running.notes(), running.heard
    taken = samples(notes, heard.rows, heard.acks, begun_ns, ended_ns)
    if TO_ALERT not in taken:
        raise InputRefused("no alert came of any frame: all were too old when they were stepped", "this machine does not keep up; lower --rate")
    with console.status("reads the log: every chunk's checksum, every frame"):
        found = accounts(notes, heard.rows, logged_frames(plan.log))
    measured = Measured(load, taken, found, heard, notes, ())
    took, due_s = alerts_of(measured, begun_ns)
    figures = (*endurance.figures(watch.looks, took, due_s), *verified(plan.log, case, console, whole_log=whole_log))
    return measured, watch, figures, endurance.as_it_went(watch.looks, took, taken[JUDGED], due_s), (ended_ns - begun_ns) * 1e-9


def alerts_of(measured: Measured, begun_ns: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples of pose in to alert received, and when each was due, s."""
    rows = measured.heard.rows
    took = measured.samples[TO_ALERT]
    arrivals = rows[(rows[:, TOPIC] == ALERTS) & (rows[:, ARRIVAL] >= begun_ns)][: len(took), ARRIVAL]
    return took, (arrivals - begun_ns) * 1e-9


def verified(log: Path, case: Path, console: Console, *, whole_log: bool) -> tuple[Figure, ...]:
    """Replay the log and compare every output, where it is to be."""
    if not whole_log:
        return ()
    with console.status("replays the log and compares every output"):
        verdict = verify(log, load_scene(case), read_rig(case / "rig.toml"), step, new_memory)
    return (Figure(name="inputs that do not replay to the bit", value=verdict.differing, unit=""),)


def main() -> int:
    arguments = parser().parse_args()
    load = load_of(arguments)
    begun = cli.run_begun("soak", arguments)
    with tempfile.TemporaryDirectory(prefix="navtwin-soak-") as folder, case_of(load, Path) as case:
        whole_log = arguments.verify or arguments.minutes <= VERIFIED_MIN
        measured, watch, figures, went, seconds = soak(load, Path(folder), case, whole_log=whole_log)
    told = tell(measured)
    notes = [f"stopped by hand after {seconds:.0f} s of {load.seconds:.0f}"] if watch.stopped else []
    notes += [] if whole_log else ["the log's checksums and frames were checked; it was not replayed (--verify)"]
    result = begun.result(
        settings={"load": load.words}, figures=(*figures, *told.figures), distributions=told.distributions, tables=(*told.tables, went), notes=notes
    )  # fmt: skip
    return cli.finish(arguments, result, whole=not watch.stopped and whole_log)


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
