"""Whether a desktop can delay a warning: from pose to received alert, without one beside the core, with one, with one that hangs or was killed.

One core (that of benchmarks/latency.py, on real sockets, its receiver a process of its own) runs through all of it. Conditions take turns,
several rounds, so that whatever else the machine does falls on all of them alike:

alone             core and receiver
desktop           and `navtwin gui` at Navigate, 1400 x 900, niced as the demo starts it, LP_NUM_THREADS=1, painting the moving instrument
hung              the same process stopped (SIGSTOP): it reads nothing and says nothing, its connections stay open
killed            after SIGKILL
crowd             a desktop, and 10 subscribers, one of which is stopped

The seconds in which a window starts are left out of all of them: they show in the row of that name.

    python benchmarks/gui_beside.py [--rounds 4] [--seconds 8] [--rate 60] [--case FOLDER | --patient phantom] [--json FILE]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event as Flag
from pathlib import Path

import common
import zmq
from gui_parts.around import Around, around, window
from latency_parts.core import Plan, core_process
from latency_parts.measure import SETTLE_S
from latency_parts.neighbours import told
from latency_parts.receiver import ALERTS, ARRIVAL, RECEIVED, TOPIC, Rows, receiver_process
from measured import measured
from results import cli
from results.model import Figure, percentile
from rich.console import Console

from navtwin.bus.client import Client
from navtwin.errors import InputRefused

SUBSCRIBERS = 10
#: As the demo starts its window.
NICE = 10
HUNG_S = 5.0
MEASURED = "pose in -> alert received"

Span = tuple[str, int, int]


def subscriber_process(ports: tuple[int, int], count: int, listening: Flag, stop: Flag) -> None:
    """So many operators' ends in one process, which read everything and keep nothing."""
    clients = [Client(ports=ports, who=f"subscriber {n}", topics=("alerts", "state")) for n in range(count)]
    listening.set()
    while not stop.is_set():
        for client in clients:
            client.receive_newest(5)
    for client in clients:
        client.close()


@contextmanager
def subscribers(ports: tuple[int, int]) -> Iterator[None]:
    """Ten of them; one, in a process of its own, is stopped once it listens."""
    start = multiprocessing.get_context("spawn")
    stop = start.Event()
    processes = []
    try:
        for count in (SUBSCRIBERS - 1, 1):
            listening = start.Event()
            processes.append(start.Process(target=subscriber_process, args=(ports, count, listening, stop)))
            processes[-1].start()
            if not listening.wait(60.0):
                raise SystemExit("the subscribers did not start")
        os.kill(processes[-1].pid or 0, signal.SIGSTOP)
        yield
    finally:
        stop.set()
        for process in processes:
            if process.pid is not None:
                os.kill(process.pid, signal.SIGCONT)
            process.join(10.0)


class Spans:
    """Which condition held when."""

    def __init__(self) -> None:
        self.noted: list[Span] = []

    def hold(self, name: str, seconds: float) -> None:
        """Let time pass under a condition that is set up."""
        begun_ns = time.monotonic_ns()
        time.sleep(seconds)
        self.noted.append((name, begun_ns, time.monotonic_ns()))

    @contextmanager
    def during(self, name: str) -> Iterator[None]:
        begun_ns = time.monotonic_ns()
        yield
        self.noted.append((name, begun_ns, time.monotonic_ns()))


def conduct(where: Around, case: Path, ports: tuple[int, int], rounds: int, seconds: float) -> list[Span]:
    """Bring about one condition after the other."""
    spans = Spans()
    for n in range(rounds):
        spans.hold("alone", seconds)
        with window(where, case, ports, 3600.0, name=f"round{n}", nice=NICE) as shown:
            with spans.during("(a window starts)"):
                shown.wait_ready()
            spans.hold("desktop", seconds)
            os.kill(shown.process.pid, signal.SIGSTOP)
            spans.hold("hung", HUNG_S)
            os.kill(shown.process.pid, signal.SIGKILL)
            shown.process.wait()
            spans.hold("killed", seconds)
    with window(where, case, ports, 3600.0, name="crowd", nice=NICE) as shown, subscribers(ports):
        shown.wait_ready()
        spans.hold("crowd", 2.0 * seconds)
    return spans.noted


def samples_ms(rows: Rows, spans: list[Span]) -> dict[str, list[float]]:
    """Of each condition over all its spans: what the alert sets took that a frame stands behind, ms, in the order of time."""
    found: dict[str, list[float]] = {}
    alerts = rows[(rows[:, TOPIC] == ALERTS) & (rows[:, ARRIVAL] > 0)]
    for name, begun_ns, until_ns in spans:
        within = alerts[(alerts[:, ARRIVAL] >= begun_ns) & (alerts[:, ARRIVAL] < until_ns)]
        found.setdefault(name, []).extend(((within[:, RECEIVED] - within[:, ARRIVAL]) * 1e-6).tolist())
    return {name: took for name, took in found.items() if took}


def measure(case: Path, rate_hz: float, rounds: int, seconds: float) -> tuple[Rows, list[Span]]:
    """The receiver's rows, and which condition held when."""
    start = multiprocessing.get_context("spawn")
    stop, (core_end, core_far), (end, far) = start.Event(), start.Pipe(), start.Pipe()
    core = start.Process(target=core_process, args=(Plan(case, rate_hz), core_far, stop))
    core.start()
    try:
        ports = told(core_end, core, 120.0)
        receiver = start.Process(target=receiver_process, args=(ports, None, far, stop))
        receiver.start()
        told(end, receiver, 60.0)
        core_end.send("go")
        time.sleep(SETTLE_S)
        with around(LP_NUM_THREADS="1") as where:
            spans = conduct(where, case, ports, rounds, seconds)
        stop.set()
        heard = told(end, receiver, 60.0)
        receiver.join(10.0)
    finally:
        stop.set()
        core.join(20.0)
        if core.is_alive():
            core.kill()
            core.join()
    return heard.rows, spans


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_case(options)
    options.add_argument("--rounds", type=int, default=4)
    options.add_argument("--seconds", type=float, default=8.0, help="of each condition and round (default: 8)")
    options.add_argument("--rate", type=float, default=60.0, metavar="HZ", help="frames a second (default: 60)")
    cli.add_options(options)
    arguments = options.parse_args()
    if arguments.rounds < 1 or min(arguments.seconds, arguments.rate) < 1.0:
        raise InputRefused("less than a round of a second at 1 Hz measures nothing", "ask for one or more of each")
    run = cli.run_begun("gui-beside", arguments)
    _, _, case = common.case_of(arguments)
    with Console(stderr=True).status("conditions take turns"):
        took = samples_ms(*measure(case, arguments.rate, arguments.rounds, arguments.seconds))
    figures, distributions = measured(took, "ms")
    alone = percentile(took["alone"], 99.0)
    times = [
        Figure(name=f"p99 {name}: times the core alone", value=percentile(took[name], 99.0) / alone, unit="x")
        for name in ("desktop", "hung", "killed")
    ]
    result = run.result(
        settings={"case": case.name, "rounds": arguments.rounds, "seconds": arguments.seconds, "rate_hz": arguments.rate, "subscribers": SUBSCRIBERS},
        figures=[*times, *figures],
        distributions=distributions,
        notes=(f"{MEASURED}, one core through all conditions.", f"zmq {zmq.zmq_version()}."),
    )
    return cli.finish(arguments, result)


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
