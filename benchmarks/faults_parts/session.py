"""A live session of the theatre in this process: a real loop, real sockets, a real log, and an operator on the other side of them."""

from __future__ import annotations

import gc
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from faults_parts.operator import PATIENCE_S, Operator
from navtwin.bus.server import Server
from navtwin.nouns import Accept, Command, Header, PivotRequest, RegistrationRequest, Source, SourceItem, ToolSelect, TrackerFrame
from navtwin.record.log import LogWriter
from navtwin.register.worker import answer
from navtwin.run.core import Core
from navtwin.run.live import Loop
from navtwin.run.reader import SourceReader
from navtwin.run.session import new_header
from navtwin.run.timeline import Timeline
from navtwin.run.workers import Result
from navtwin.scene.model import Scene
from phantoms.faults.injectors import Injector
from phantoms.faults.theatre import LATENCY_MS, RATE_HZ, Theatre


@dataclass(eq=False)
class LiveTheatre:
    """A live source: the theatre's frames at the tracker's rate, each when it would arrive.

    Attributes
    ----------
    injector, begin_ns, end_ns : the fault, and when it is in the stream, by the time of capture
    """

    theatre: Theatre
    injector: Injector | None = None
    begin_ns: int = 0
    end_ns: int = 0
    name: str = "theatre"
    live: bool = True
    setup_ns: int = 0
    notes: tuple[str, ...] = ()
    _ready: deque[TrackerFrame] = field(default_factory=deque)
    _next_ns: int = field(default_factory=time.monotonic_ns)

    def inject(self, injector: Injector, lasts_s: float) -> int:
        """Begin the fault now; returns when that was, ns."""
        self.begin_ns = time.monotonic_ns()
        self.end_ns = self.begin_ns + round(lasts_s * 1e9)
        self.injector = injector
        return self.begin_ns

    def read(self, timeout_s: float) -> SourceItem | None:
        arrival_ns = self._next_ns + round(LATENCY_MS * 1e6)
        wait_s = (arrival_ns - time.monotonic_ns()) * 1e-9
        if wait_s > timeout_s:
            time.sleep(timeout_s)
            return None
        if wait_s > 0.0:
            time.sleep(wait_s)
        if not self._ready:
            capture_ns, self._next_ns = self._next_ns, self._next_ns + round(1e9 / RATE_HZ)
            frame = self.theatre.frame(capture_ns)
            faulty = self.injector is not None and self.begin_ns <= capture_ns < self.end_ns
            self._ready += self.injector(frame, capture_ns - self.begin_ns) if faulty and self.injector is not None else [frame]
        return self._ready.popleft() if self._ready else None

    def close(self) -> None:
        """Nothing is held."""


class Worker:
    """The real calibration and registration in a thread of this process: the theatre is no folder that a worker process could load."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._results = queue.SimpleQueue[Result]()
        self.busy = False

    def submit(self, request: PivotRequest | RegistrationRequest) -> None:
        threading.Thread(target=lambda: self._results.put(answer(request, self._scene)), name="worker", daemon=True).start()

    def finished(self) -> list[Result]:
        """The answers that have come since the last call."""
        return [self._results.get() for _ in range(self._results.qsize())]


@dataclass
class Session:
    """A running core and its operator."""

    core: Core
    server: Server
    operator: Operator
    thread: threading.Thread
    log: LogWriter | None

    @property
    def ports(self) -> tuple[int, int]:
        return self.server.pub_port, self.server.command_port


def truth_at(theatre: Theatre) -> Callable[[int], dict[str, float]]:
    """The theatre's true distances by a time in ns."""
    return lambda t_ns: theatre.truth_mm(t_ns * 1e-9)


@contextmanager
def session(
    theatre: Theatre, source: Source, *, log: Path | None = None, clock: Callable[[], int] = time.monotonic_ns, registered: bool = True
) -> Iterator[Session]:
    """A session that navigates, where it is `registered`, until the block ends; `clock` is the operator's."""
    rig = theatre.rig
    server = Server(pub_port=0, command_port=0)
    clients: dict[int, bytes] = {}

    def reply(seq: int, payload: bytes) -> None:
        client = clients.pop(seq, None)
        if client is not None:
            server.reply(client, payload)

    header: Header = new_header(theatre.scene, rig, Path("rig.toml"), source.name, 1.0)
    server.epoch = header.session
    writer = LogWriter(log) if log is not None else None
    core = Core(theatre.scene, rig, header, publish=server.publish, answer=reply, log=writer)
    begun = time.monotonic_ns()
    if registered:
        core.take(begun, theatre.registration)
        core.take(begun, Command(who="bench", id="1", order=Accept(result="registration")))
    core.take(begun, Command(who="bench", id="2", order=ToolSelect(tools=("drill",))))
    workers = Worker(theatre.scene)
    reader, stop = SourceReader(source), threading.Event()
    loop = Loop(core, reader, workers, server, Timeline(1.0), stop.is_set, clients, lambda line: None)  # type: ignore[arg-type]
    interval = sys.getswitchinterval()
    thread = threading.Thread(target=loop.run, name="core", daemon=True)
    operator = Operator((server.pub_port, server.command_port), clock=clock)
    thread.start()
    try:
        yield Session(core, server, operator, thread, writer)
    finally:
        stop.set()
        thread.join(PATIENCE_S)
        operator.close()
        reader.close()
        server.close()
        if writer is not None:
            writer.abandon()
        sys.setswitchinterval(interval)
        gc.unfreeze()


def phase_s(rng: np.random.Generator) -> float:
    """How long a session runs before its fault begins: at no special moment of frame or tick."""
    return float(rng.uniform(0.3, 0.7))
