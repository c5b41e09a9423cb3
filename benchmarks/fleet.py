"""A fleet of logs verified by one worker and by several: is it faster, are damaged logs named, and does one cost the others anything?

`navtwin bench fleet [--logs 200] [--damaged 3] [--workers 2]` makes one-minute session logs (kept in the cache), damages some (cut, a bit flipped, of
another version), and runs `navtwin fleet verify` on all of them, each time into a new results folder.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from fleet_parts.damage import lay_out
from fleet_parts.logs import made_logs
from results import cli
from results.model import Figure, Table
from rich.console import Console
from rich.progress import Progress

from navtwin.errors import InputRefused
from phantoms.cases import phantom_patient


@dataclass(frozen=True)
class Verified:
    """One run over all logs: wall seconds, and (status, reason) by the log's name."""

    workers: int
    seconds: float
    found: dict[str, tuple[str, str]]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--logs", type=int, default=200, help="how many logs, the damaged among them")
    options.add_argument("--damaged", type=int, default=3, help="how many of them are damaged")
    options.add_argument("--workers", type=int, default=2, help="how many workers are held against one")
    options.add_argument("--seconds", type=float, default=60.0, help="length of each session")
    options.add_argument("--distinct", type=int, default=40, help="so many sessions are of their own; the others are these under other headers")
    options.add_argument("--case", type=Path, help="case folder with rig.toml (default: the built-in phantom's)")
    cli.add_options(options)
    arguments = options.parse_args()
    if not 0 <= arguments.damaged < arguments.logs or arguments.workers < 2 or arguments.distinct < 1:
        raise InputRefused("it takes more logs than damaged ones, two workers or more, and one session of its own", "see navtwin bench fleet --help")
    run = cli.run_begun("fleet", arguments)
    console = Console(stderr=True)
    case = arguments.case or phantom_patient(console)
    distinct = min(arguments.distinct, arguments.logs)
    with Progress(console=console, transient=True) as bar:
        making = bar.add_task("making logs", total=arguments.logs)
        logs = made_logs(case, arguments.logs, arguments.seconds, distinct, arguments.workers, lambda count: bar.advance(making, count))
    # Beside the logs, so that good ones can be linked and need no room.
    with tempfile.TemporaryDirectory(prefix="run-", dir=logs[0].parent) as scratch:
        folder = Path(scratch) / "logs"
        folder.mkdir()
        expected = lay_out(logs, arguments.damaged, folder)
        # Several first: what is compiled and cached on the way then favours one worker, not them.
        several = verified(folder, case, arguments.workers, Path(scratch) / "several")
        one = verified(folder, case, 1, Path(scratch) / "one")
    lost = sum(run_.found.get(log.name, ("missing", ""))[0] != "identical" for run_ in (one, several) for log in logs if log.name not in expected)
    unnamed = sum(run_.found.get(name, ("missing", ""))[0] != status for run_ in (one, several) for name, status in expected.items())
    name = f"{arguments.workers} workers"
    figures = (
        Figure(name=f"speed-up, {name}", value=one.seconds / several.seconds, unit="x", better="more"),
        Figure(name="good logs lost", value=float(lost), unit=""),
        Figure(name="damaged logs not named", value=float(unnamed), unit=""),
        Figure(name="session time verified per second, 1 worker", value=arguments.logs * arguments.seconds / one.seconds, unit="s/s", better="more"),
        Figure(
            name=f"session time verified per second, {name}", value=arguments.logs * arguments.seconds / several.seconds, unit="s/s", better="more"
        ),
    )
    rows = tuple((log, *several.found.get(log, ("missing", ""))) for log in expected)
    return cli.finish(
        arguments,
        run.result(
            settings={k: getattr(arguments, k) for k in ("logs", "damaged", "workers", "seconds")} | {"distinct": distinct},
            figures=figures,
            tables=(Table(title="damaged logs, as they are named", columns=("log", "status", "reason"), rows=rows),),
            notes=(
                f"wall time of `navtwin fleet verify` with its start: {one.seconds:.1f} s with one worker, {several.seconds:.1f} s with {name}",
                f"{distinct} sessions are of their own, {arguments.logs - distinct} are these under other headers, which cost the same to verify",
            ),
        ),
    )


def verified(folder: Path, case: Path, workers: int, results: Path) -> Verified:
    """Run the command once over all logs."""
    command = [sys.executable, "-m", "navtwin", "fleet", "verify", str(folder), "--case", str(case)]
    began = time.monotonic()
    done = subprocess.run([*command, "--workers", str(workers), "--results", str(results), "--json"], stdout=subprocess.PIPE, text=True, check=False)
    seconds = time.monotonic() - began
    if done.returncode not in (0, 1):
        raise InputRefused(f"navtwin fleet verify left with {done.returncode}", "see what it said above")
    reasons = {Path(row["log"]).name: (row["status"], row["reason"].replace(f"{folder}/", "")) for row in json.loads(done.stdout)["logs"]}
    return Verified(workers, seconds, reasons)


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
