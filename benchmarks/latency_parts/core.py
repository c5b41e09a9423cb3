"""The core's process: `navtwin.run`'s own Core, Loop, Server, SourceReader and LogWriter, and what it notes of itself for the accounts."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event as Flag
from pathlib import Path

import msgspec

from latency_parts.column import Column
from latency_parts.source import Falling, Swinging
from navtwin.bus.keys import ServerKeys
from navtwin.bus.promptly import going_first, run_promptly
from navtwin.bus.server import Server
from navtwin.kernels import warm_up
from navtwin.nouns import (
    Accept,
    Body,
    Command,
    EventBody,
    Header,
    PivotRequest,
    PivotResult,
    Pose,
    RegistrationRequest,
    RegistrationResult,
    Rig,
    Topic,
    TrackerFrame,
    read_rig,
)
from navtwin.record.log import LogWriter
from navtwin.rigid import Rigid
from navtwin.run.core import Core
from navtwin.run.live import Loop
from navtwin.run.reader import SourceReader
from navtwin.run.session import new_header
from navtwin.run.timeline import Timeline
from navtwin.run.workers import Workers
from navtwin.scene.case import load_scene
from navtwin.scene.model import Scene
from navtwin.twin.chain import declared_covariance


@dataclass(frozen=True, slots=True)
class Plan:
    """What the core's process is asked to do.

    Attributes
    ----------
    log, notes : where the session is recorded, and where what the process noted goes (`Notes`); None for neither
    one_core : it may use one processor alone, where the system lets it choose
    events, silent_s, seed : a source that falls silent so often; 0 for one that does not
    """

    case: Path
    rate_hz: float
    keys: ServerKeys | None = None
    log: Path | None = None
    notes: Path | None = None
    one_core: bool = False
    events: int = 0
    silent_s: float = 0.0
    seed: int = 0


class Notes(msgspec.Struct, frozen=True, kw_only=True):
    """What the core's process knows of its own frames. Times are the host's monotonic clock, ns.

    Attributes
    ----------
    first : whether the system gave the core real-time priority
    due_ns, handed_ns : of each frame that the source gave: when it was due, and when the source's thread handed it over
    stepped_ns, begun_ns, done_ns : of each frame that was stepped: its arrival, and when its step and all that follows began and ended
    alerts : sequence numbers of the alert sets that were published from the first frame on
    states : numbers of the frames whose state was published
    silences : capture time of the last frame before each silence, and when the next one was due
    """

    first: bool
    due_ns: list[int]
    handed_ns: list[int]
    stepped_ns: list[int]
    begun_ns: list[int]
    done_ns: list[int]
    alerts: list[int]
    states: list[int]
    silences: list[tuple[int, int]]


class NotingCore(Core):
    """The core, which notes when each frame was taken and done with, and what was published since the first."""

    def __init__(
        self, server: Server, scene: Scene, rig: Rig, header: Header, *, answer: Callable[[int, bytes], None], log: LogWriter | None
    ) -> None:
        self.stepped_ns, self.begun_ns, self.done_ns, self.alerts = Column(), Column(), Column(), Column()
        self.states = Column()
        self._server = server
        super().__init__(scene, rig, header, publish=self._send_noted, answer=answer, log=log)

    def take(self, t_ns: int, body: EventBody) -> list[PivotRequest | RegistrationRequest]:
        if not isinstance(body, TrackerFrame):
            return super().take(t_ns, body)
        begun = time.monotonic_ns()
        # Before its messages go out: those of the first frame count.
        self.stepped_ns.append(body.t_arrival_ns)
        requests = super().take(t_ns, body)
        self.begun_ns.append(begun)
        self.done_ns.append(time.monotonic_ns())
        return requests

    def _send_noted(self, topic: Topic, payload: bytes) -> None:
        self._server.publish(topic, payload)
        if len(self.stepped_ns) and topic == "alerts":
            self.alerts.append(self.seq)
        elif len(self.stepped_ns) and topic == "state":
            self.states.append(len(self.stepped_ns))


def core_process(plan: Plan, ready: Connection, stop: Flag) -> None:
    """The core as `navtwin run` runs it, registered and calibrated from the start; `stop` ends its source, and with it the session."""
    # Ctrl-C goes to the whole process group; who started this one ends it in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if plan.one_core and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    scene, rig = load_scene(plan.case), read_rig(plan.case / "rig.toml")
    warm_up()
    with ExitStack() as stack:
        run_promptly()
        server = Server(pub_port=0, command_port=0, keys=plan.keys)
        stack.callback(server.close)
        workers = Workers(plan.case)
        stack.callback(workers.close)
        log = stack.enter_context(LogWriter(plan.log)) if plan.log else None
        clients: dict[int, bytes] = {}

        def answer(seq: int, payload: bytes) -> None:
            client = clients.pop(seq, None)
            if client is not None:
                server.reply(client, payload)

        header = new_header(scene, rig, plan.case / "rig.toml", "benchmark", 1.0)
        core = NotingCore(server, scene, rig, header, answer=answer, log=log)
        for body in set_up(rig):
            core.take(time.monotonic_ns(), body)
        ready.send((server.pub_port, server.command_port))
        ready.recv()
        source = (
            Falling(scene, rig, plan.rate_hz, stop.is_set, events=plan.events, silent_s=plan.silent_s, seed=plan.seed)
            if plan.events
            else Swinging(scene, rig, plan.rate_hz, stop.is_set)
        )
        reader = SourceReader(source)
        stack.callback(reader.close)
        first = stack.enter_context(going_first())
        Loop(core, reader, workers, server, Timeline(1.0), lambda: False, clients, lambda text: None).run()
        if plan.notes is not None:
            plan.notes.write_bytes(msgspec.msgpack.encode(notes_of(core, source, first)))


def notes_of(core: NotingCore, source: Swinging, first: bool) -> Notes:
    return Notes(
        first=first,
        due_ns=source.due_ns.tolist(),
        handed_ns=source.handed_ns.tolist(),
        stepped_ns=core.stepped_ns.tolist(),
        begun_ns=core.begun_ns.tolist(),
        done_ns=core.done_ns.tolist(),
        alerts=core.alerts.tolist(),
        states=core.states.tolist(),
        silences=source.silences if isinstance(source, Falling) else [],
    )


def set_up(rig: Rig) -> list[PivotResult | RegistrationResult | Command]:
    """Accepted pivots with the tips at the markers, and a registration that leaves everything where it is."""
    tip_error, error = (1e-3, 0.0, 0.0, 1e-3, 0.0, 1e-3), declared_covariance(Body(name="registration", sd_mm=0.01, sd_rad=0.01))
    bodies: list[PivotResult | RegistrationResult | Command] = []
    for tool in rig.tool:
        pivot = PivotResult(
            request=f"pivot/{tool.name}",
            tool=tool.name,
            accepted=True,
            reasons=(),
            tip_mm=(0.0, 0.0, 0.0),
            covariance=tip_error,
            rms_mm=0.1,
            samples=1,
        )
        bodies += [pivot, Command(who="benchmark", id=tool.name, order=Accept(result=f"pivot/{tool.name}"))]
    home = Pose.from_rigid(Rigid.identity("ct", "ref"))
    registered = RegistrationResult(
        request="registration", accepted=True, reasons=(), pose=home, fre_mm=0.1, landmarks=(), residual_mm=(), covariance=error,
        centroid_mm=(0.0, 0.0, 0.0),
    )  # fmt: skip
    return [*bodies, registered, Command(who="benchmark", id="r", order=Accept(result="registration"))]
