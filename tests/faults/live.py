"""A real core (loop, log, sockets) around the small world of balls, with a source that a test plays by hand."""

from __future__ import annotations

import gc
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from navtwin.bus.client import Client
from navtwin.bus.server import Server
from navtwin.nouns import (
    Accept,
    AlertSet,
    Command,
    Envelope,
    Header,
    PivotRequest,
    RegistrationRequest,
    Reply,
    Sighting,
    SourceEnded,
    SourceItem,
    ToolSelect,
    Topic,
    TrackerFrame,
)
from navtwin.record.log import LogWriter
from navtwin.run.core import Core
from navtwin.run.live import Loop
from navtwin.run.reader import SourceReader
from navtwin.run.timeline import Timeline
from navtwin.run.workers import Result
from tests.twin.world import HEADER, MS, World, registration

#: How long a test waits for what must come, s: far more than it takes, since a busy machine is not what is tested.
PATIENCE_S = 15.0
BURR = "canal/drill/burr"


class HandSource:
    """Items that a test puts in; an exception put in is raised by `read`, and `stall` makes `read` block."""

    name = "hand"
    setup_ns = 0

    def __init__(self, *, live: bool = True) -> None:
        self.live = live
        self.items: queue.Queue[SourceItem | Exception] = queue.Queue()
        self.go_on = threading.Event()
        self.go_on.set()

    def read(self, timeout_s: float) -> SourceItem | None:
        self.go_on.wait()
        try:
            item = self.items.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if isinstance(item, Exception):
            raise item
        return item

    def end(self) -> None:
        self.items.put(SourceEnded("hand"))

    def close(self) -> None:
        self.go_on.set()


class WorkersLike(Protocol):
    @property
    def busy(self) -> bool: ...
    def submit(self, request: PivotRequest | RegistrationRequest) -> None: ...
    def finished(self) -> list[Result]: ...
    def close(self) -> None: ...


class NoWorkers:
    """For sessions that calibrate nothing."""

    busy = False

    def submit(self, request: object) -> None:
        raise AssertionError(f"nothing should be computed: {request}")

    def finished(self) -> list[Result]:
        return []

    def close(self) -> None:
        pass


def sightings(gap_mm: float | None) -> tuple[Sighting, ...]:
    """Reference at home, drill `gap_mm` from the canal (None: not seen)."""
    return _PLACES.sightings(gap_mm)


_PLACES = World(register=False)


@dataclass
class Session:
    """One running core and a client of it."""

    core: Core
    source: HandSource
    client: Client
    server: Server
    thread: threading.Thread
    stop: threading.Event
    said: list[str]
    number: int = 0
    messages: list[tuple[Topic, Envelope]] = field(default_factory=list)

    def show(self, gap_mm: float | None, *, age_ms: float = 15.0, arrival_ns: int | None = None) -> int:
        """Hand the core one frame, captured `age_ms` ago; returns its capture time."""
        now = time.monotonic_ns() if arrival_ns is None else arrival_ns
        self.number += 1
        capture = now - round(age_ms * MS)
        self.source.items.put(TrackerFrame(source="hand", number=self.number, t_capture_ns=capture, t_arrival_ns=now, sightings=sightings(gap_mm)))
        return capture

    def show_for(self, seconds: float, gap_mm: float | None) -> None:
        """Frames at 60 Hz."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.show(gap_mm)
            self.listen(0.016)

    def listen(self, seconds: float) -> None:
        """Keep every message that comes."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0.0:
            message = self.client.receive(max(1, round(left * 1e3)))
            if message is not None:
                self.messages.append(message)

    def until(self, found: Callable[[AlertSet], bool], *, showing_mm: float | None = None, frames: bool = False) -> Envelope:
        """Listen until an alert set is as wanted; with `frames` a frame is shown every 16 ms meanwhile."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if frames:
                self.show(showing_mm)
            before = len(self.messages)
            self.listen(0.016)
            for _, envelope in self.messages[before:]:
                if isinstance(envelope.body, AlertSet) and found(envelope.body):
                    return envelope
        raise AssertionError("the alert set that was waited for did not come")

    def until_alert(self, level: str, gap_mm: float) -> Envelope:
        return self.until(lambda a: any(x.id == BURR and x.level == level and x.known for x in a.alerts), showing_mm=gap_mm, frames=True)

    def until_alarm(self, alarm: str) -> Envelope:
        return self.until(lambda a: any(t.alarm == alarm for t in a.technical))

    def reply(self, ident: str) -> Reply:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            for _, envelope in self.messages:
                if isinstance(envelope.body, Reply) and envelope.body.id == ident:
                    return envelope.body
            self.listen(0.02)
        raise AssertionError(f"no reply to {ident}")

    @property
    def runs(self) -> bool:
        return self.thread.is_alive()


def alarm(alerts: object, name: str):  # type: ignore[no-untyped-def]
    assert isinstance(alerts, AlertSet)
    return next((t for t in alerts.technical if t.alarm == name), None)


@contextmanager
def session(
    *, log: LogWriter | None = None, workers: WorkersLike | None = None, header: Header = HEADER, registered: bool = True, speed: float | None = None
) -> Iterator[Session]:
    """A core that runs in a thread until the block ends. `speed` makes the source a recording played at that speed."""
    world = World(register=False)
    source = HandSource(live=speed is None)
    server = Server(pub_port=0, command_port=0, epoch=header.session)
    clients: dict[int, bytes] = {}

    def answer(seq: int, payload: bytes) -> None:
        client = clients.pop(seq, None)
        if client is not None:
            server.reply(client, payload)

    core = Core(world.scene, world.rig, header, publish=server.publish, answer=answer, log=log)
    if registered:
        begun = time.monotonic_ns() if speed is None else 0
        core.take(begun, registration())
        core.take(begun, Command(who="test", id="1", order=Accept(result="registration")))
        core.take(begun, Command(who="test", id="2", order=ToolSelect(tools=("drill",))))
    reader, stop, said = SourceReader(source), threading.Event(), list[str]()
    team = workers or NoWorkers()
    loop = Loop(core, reader, team, server, Timeline(0.0 if speed is None else speed), stop.is_set, clients, said.append)  # type: ignore[arg-type]
    interval = sys.getswitchinterval()
    thread = threading.Thread(target=loop.run, name="core", daemon=True)
    client = Client(ports=(server.pub_port, server.command_port), who="nurse")
    thread.start()
    try:
        found = Session(core, source, client, server, thread, stop, said)
        found.until(lambda a: True)
        yield found
    finally:
        stop.set()
        source.go_on.set()
        thread.join(PATIENCE_S)
        client.close()
        reader.close()
        team.close()
        server.close()
        sys.setswitchinterval(interval)
        gc.unfreeze()


def log_in(folder: Path) -> LogWriter:
    return LogWriter(folder / "session.mcap")
