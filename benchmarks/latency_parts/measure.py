"""One load, from starting the processes to what they noted."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import msgspec
import zmq

from latency_parts.accounts import Accounts, accounts, logged_frames
from latency_parts.core import Notes, Plan, core_process
from latency_parts.load import Load
from latency_parts.neighbours import burning, crowd, told
from latency_parts.receiver import WHO, Heard, receiver_process
from latency_parts.stages import Floats, samples
from latency_parts.world import made_case
from navtwin.bus.keys import ClientKeys, ServerKeys

#: Samples of the first moments are left out: connections are made, caches are cold. They are counted all the same.
SETTLE_S = 1.0
CASE_S, RECEIVER_S, CLOSING_S = 180.0, 60.0, 60.0
#: A desktop gives way to the warnings, as the demo starts it.
NICE = 10

#: (text, share of it that is done)
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a load gave: ms by stage, what became of each frame, what the stalled and the other subscribers got, and acknowledgements by their end.

    `pictures_per_s` : how often the desktop painted a new state meanwhile; None where there was none
    """

    load: Load
    samples: dict[str, Floats]
    accounts: Accounts
    heard: Heard
    notes: Notes
    subscribers: tuple[tuple[int, bool, int], ...]
    pictures_per_s: float | None = None


class Session:
    """A core and a receiver that run. `core` and `receiver` are their processes; `beats` brings what the receiver tells while it runs."""

    def __init__(self, core: BaseProcess, receiver: BaseProcess, ports: tuple[int, int], beats: Connection, notes: Path, log: Path | None) -> None:
        self.core, self.receiver, self.ports, self.beats, self.log = core, receiver, ports, beats, log
        self._notes = notes
        self.heard: Heard | None = None

    def notes(self) -> Notes:
        """What the core's process noted, once it has ended."""
        return msgspec.msgpack.decode(self._notes.read_bytes(), type=Notes)


def new_keys(*who: str) -> tuple[ServerKeys, ClientKeys]:
    """A core's key, and one that it allows."""
    (core_public, core_secret), (own_public, own_secret) = (tuple(k.decode() for k in zmq.curve_keypair()) for _ in range(2))
    return ServerKeys(core_public, core_secret, {own_public: who[0] if who else WHO}), ClientKeys(own_public, own_secret, core_public)


@contextmanager
def session(plan: Plan, client_keys: ClientKeys | None, folder: Path, beat_s: float = 0.0) -> Iterator[Session]:
    """Core and receiver, the source begun. Leaving the block ends the source; both then finish, and what they noted can be read.

    Raises
    ------
    NavtwinError : one of them ended or said nothing
    """
    start = multiprocessing.get_context("spawn")
    stop, hush, (core_end, core_far), (end, far) = start.Event(), start.Event(), start.Pipe(), start.Pipe()
    notes = folder / "notes"
    plan = Plan(**{**{name: getattr(plan, name) for name in plan.__slots__}, "notes": notes})
    core = start.Process(target=core_process, args=(plan, core_far, stop), name="the core")
    processes = [core]
    try:
        core.start()
        ports = told(core_end, core, CASE_S)
        receiver = start.Process(target=receiver_process, args=(ports, client_keys, far, hush, beat_s), name="the receiver")
        processes.append(receiver)
        receiver.start()
        told(end, receiver, RECEIVER_S)
        core_end.send("go")
        running = Session(core, receiver, ports, end, notes, plan.log)
        yield running
        stop.set()
        core.join(CLOSING_S)
        # The core has said its last word and closed its sockets: what is still on the way, the receiver takes before it leaves.
        hush.set()
        heard = told(end, receiver, CLOSING_S)
        while not isinstance(heard, Heard):
            heard = told(end, receiver, CLOSING_S)
        running.heard = heard
        receiver.join(CLOSING_S)
    finally:
        stop.set()
        hush.set()
        for process in processes:
            process.join(1.0)
            if process.is_alive():
                process.kill()
                process.join()


@contextmanager
def case_of(load: Load, case: Callable[[], Path]) -> Iterator[Path]:
    """The made-up case that a load asks for, or the one that is there."""
    if not load.structures:
        yield case()
        return
    with made_case(instruments=load.instruments, structures=load.structures, triangles=load.triangles, rate_hz=load.rate_hz) as folder:
        yield folder


def plan_of(load: Load, case: Path, folder: Path) -> tuple[Plan, ClientKeys | None]:
    server_keys, client_keys = new_keys() if load.curve else (None, None)
    log = folder / "session.mcap" if load.log else None
    return Plan(case, load.rate_hz, server_keys, log=log, one_core=load.one_core), client_keys


def measure(load: Load, case: Callable[[], Path], progress: Progress) -> Measured:
    """Bring a load about, and measure under it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="navtwin-latency-")))
        progress("starts the core", 0.0)
        where = stack.enter_context(case_of(load, case))
        plan, keys = plan_of(load, where, folder)
        with session(plan, keys, folder) as running, ExitStack() as beside:
            if load.gui:
                # First: beside a crowd on few cores it would take minutes to open.
                progress("starts a desktop", 0.0)
            painted = beside.enter_context(desktop(where, running.ports)) if load.gui else []
            around = beside.enter_context(crowd(running.ports, keys, load.subscribers, load.stalled))
            if load.busy:
                beside.enter_context(burning(os.cpu_count() or 1))
            time.sleep(SETTLE_S)
            begun_ns = time.monotonic_ns()
            wait(load.seconds, progress)
            ended_ns = time.monotonic_ns()
            around.check_stalled()
            around.leave()
        assert running.heard is not None
        progress("reads the log", 1.0)
        notes, heard = running.notes(), running.heard
        logged = None if running.log is None else logged_frames(running.log)
        return Measured(
            load=load,
            samples=samples(notes, heard.rows, heard.acks, begun_ns, ended_ns),
            accounts=accounts(notes, heard.rows, logged),
            heard=heard,
            notes=notes,
            subscribers=tuple(around.states),
            pictures_per_s=sum(begun_ns <= t <= ended_ns for t in painted) * 1e9 / (ended_ns - begun_ns) if load.gui else None,
        )


@contextmanager
def desktop(case: Path, ports: tuple[int, int]) -> Iterator[list[int]]:
    """`navtwin gui` at Navigate, painting, on a display of its own where there is none; the times, ns, of its
    pictures of new states, once it is left."""
    from gui_parts.around import around, window

    pictures_ns: list[int] = []
    with around(LP_NUM_THREADS="1") as where, window(where, case, ports, 86_400.0, name="beside", nice=NICE) as shown:
        shown.wait_ready()
        yield pictures_ns
        pictures_ns += shown.leave(CLOSING_S)["pictures_ns"]


def wait(seconds: float, progress: Progress) -> None:
    """Let time pass, and say how much has."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0.0:
        progress("measures", 1.0 - left / seconds)
        time.sleep(min(0.5, left))
