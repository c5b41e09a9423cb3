"""Who else is there while the twin is measured: further subscribers, one that is stopped, and processes that burn a core each."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event as Flag
from pathlib import Path

from navtwin.bus.client import Client
from navtwin.bus.keys import ClientKeys
from navtwin.errors import NavtwinError
from navtwin.nouns import State

START_S, LEAVE_S = 60.0, 20.0
#: How long all clients of one process take what still waits for them, s.
DRAINS_S = 5.0
Ports = tuple[int, int]


def subscriber_process(ports: Ports, keys: ClientKeys | None, count: int, results: Connection, stop: Flag) -> None:
    """So many clients in one process, which read everything and keep nothing; told to stop, it tells the newest frame that any of them has seen
    and how many states they got, of all that were there and by what each had lost."""
    clients = [Client(ports=ports, keys=keys, who=f"subscriber {n}", topics=("alerts", "state")) for n in range(count)]
    results.send("listening")
    states = 0
    while not stop.is_set():
        for client in clients:
            states += sum(isinstance(e.body, State) for _, e in client.receive_newest(5)) + client.link.skipped
            client.link.skipped = 0
    # What still waits: a client that was stopped has a full queue, and behind it a gap. The core still sends, so silence is no end to wait for.
    for client in clients:
        until = time.monotonic() + DRAINS_S / count
        while time.monotonic() < until and (message := client.receive(50)) is not None:
            states += isinstance(message[1].body, State)
        client.close()
    results.send(states)


@dataclass(frozen=True, slots=True)
class Subscribers:
    """One process of subscribers."""

    count: int
    process: BaseProcess
    end: Connection
    stalled: bool

    @property
    def stopped(self) -> bool:
        """Whether the system holds it, as /proc tells; where there is no /proc, whether it was sent the signal."""
        status = Path(f"/proc/{self.process.pid}/stat")
        return status.read_text().rsplit(")", 1)[1].split()[0] == "T" if status.is_file() else self.stalled


class Crowd:
    """Subscribers beside the receiver. `states` : of each group, once left: how many there were, how many of them stalled, states that they got."""

    def __init__(self, groups: list[Subscribers], stop: Flag) -> None:
        self._groups, self._stop = groups, stop
        self.states: list[tuple[int, bool, int]] = []

    def check_stalled(self) -> None:
        """A client that is called stalled is held by the system, now."""
        for group in self._groups:
            if group.stalled and not group.stopped:
                raise NavtwinError("a subscriber that was to be stalled runs", "measure where processes can be stopped (Linux, macOS)")

    def leave(self) -> None:
        """Let all of them go, and hear what they got."""
        self._stop.set()
        for group in self._groups:
            if group.stalled:
                os.kill(group.process.pid or 0, signal.SIGCONT)
        for group in self._groups:
            self.states.append((group.count, group.stalled, told(group.end, group.process, LEAVE_S)))
        self._groups = []


@contextmanager
def crowd(ports: Ports, keys: ClientKeys | None, listening: int, stalled: int) -> Iterator[Crowd]:
    """So many subscribers that read, in one process, and so many that are stopped once they listen, in another."""
    start = multiprocessing.get_context("spawn")
    stop, groups = start.Event(), list[Subscribers]()
    processes = list[BaseProcess]()
    try:
        for count, holds in ((listening, False), (stalled, True)):
            if count:
                end, far = start.Pipe()
                process = start.Process(target=subscriber_process, args=(ports, keys, count, far, stop), daemon=True)
                process.start()
                processes.append(process)
                told(end, process, START_S)
                if holds:
                    os.kill(process.pid or 0, signal.SIGSTOP)
                groups.append(Subscribers(count, process, end, holds))
        yield Crowd(groups, stop)
    finally:
        stop.set()
        for process in processes:
            if process.is_alive():
                os.kill(process.pid or 0, signal.SIGCONT)
            process.join(LEAVE_S)
            if process.is_alive():
                process.kill()


def burn(stop: Flag) -> None:
    while not stop.is_set():
        sum(n * n for n in range(20_000))


@contextmanager
def burning(processes: int) -> Iterator[None]:
    """So many processes that do nothing but compute."""
    start = multiprocessing.get_context("spawn")
    stop = start.Event()
    started = [start.Process(target=burn, args=(stop,), daemon=True) for _ in range(processes)]
    try:
        for process in started:
            process.start()
        yield
    finally:
        stop.set()
        for process in started:
            process.join(LEAVE_S)


def told(end: Connection, process: BaseProcess, patience_s: float):  # type: ignore[no-untyped-def]
    """What the other process says, or an end to this one where it says nothing."""
    try:
        if not end.poll(patience_s):
            raise NavtwinError(f"{process.name} said nothing for {patience_s:.0f} s (exit code {process.exitcode})", "look at what it printed")
        return end.recv()
    except EOFError as error:
        raise NavtwinError(f"{process.name} has ended (exit code {process.exitcode})", "look at what it printed") from error
