"""From pose to received alert: the real loop, real sockets, the receiver in a process of its own.

Three processes on one host clock (time.monotonic_ns): this one drives a core process and collects from a receiver process.

- The core runs `navtwin.run`'s own Core, Loop, Server, SourceReader and LogWriter on the case. Its source is live: a thread that hands over a frame
  each 1/RATE s, stamped with its arrival as a driver would, captured the rig's latency earlier. The first instrument swings through the limits of a
  critical structure twice a second and is hidden in every fourth frame, so that the alert set changes, and is published, with half of all frames.
- The alert set of a frame leaves before its state. Frames whose alerts changed give `pose in -> alert received`; the states, which every frame
  has, give the same way a little longer (`pose in -> state received`). Sets that are only said again every 50 ms have no pose to start from and
  are left out.
- The receiver is `navtwin.bus.client.Client`, what operators and windows use; it stamps each message as it is handed over.

Stages: arrival -> step done (the source's thread and queue, pose chain, proximity, judging), step done -> published (handed to the publisher),
published -> received (encoding, sockets, decoding). What the tracker takes before the arrival, and the eye after the receiver, are the rig's
declared latency and no part of this.

    python benchmarks/latency.py [--rate 60] [--seconds 30] [--curve] [--no-log] [--case FOLDER | --patient phantom] [--json FILE]
"""

from __future__ import annotations

import gc
import math
import multiprocessing
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event as Flag
from pathlib import Path

import common
import numpy as np
import zmq
from rich.console import Console

from navtwin.bus.client import Client
from navtwin.bus.keys import ClientKeys, ServerKeys
from navtwin.bus.promptly import run_promptly
from navtwin.bus.server import Server
from navtwin.kernels import warm_up
from navtwin.kernels.errorbar import warm_up as warm_up_errorbar
from navtwin.nouns import (
    Accept,
    Body,
    Command,
    PivotResult,
    Pose,
    RegistrationResult,
    Rig,
    Sighting,
    SourceItem,
    Topic,
    TrackerFrame,
    read_rig,
)
from navtwin.record.log import LogWriter
from navtwin.rigid import Rigid, Vec3
from navtwin.run.core import Core
from navtwin.run.live import Loop
from navtwin.run.reader import SourceReader
from navtwin.run.session import new_header
from navtwin.run.timeline import Timeline
from navtwin.run.workers import Workers
from navtwin.scene.case import load_scene
from navtwin.scene.model import Scene, Structure
from navtwin.twin.chain import declared_covariance

TARGET_P99_MS = 5.0
SWINGS_PER_S = 2.0
HIDDEN_EVERY = 4
#: Messages of the first moments are left out: connections are made, caches are cold.
SETTLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What the core process is asked to do."""

    case: Path
    rate_hz: float
    seconds: float
    keys: ServerKeys | None
    log: Path | None


def swing(scene: Scene) -> tuple[Vec3, Vec3, float]:
    """A point outside the nearest critical structure, the direction away from it, and how far to swing along it (mm) to cross every limit."""
    critical: Structure = min(
        (s for s in scene.structures if s.role == "critical" and s.caution_mm),
        key=lambda s: s.surface.closest(np.array([centre(scene)])).distance_mm[0],
    )
    faces = critical.surface.vertices_mm[critical.surface.faces]
    # A face that looks away from the body's middle: the way to it from outside is open.
    outward = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
    middle = faces.mean(axis=1)
    best = int(np.argmax((outward / np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-12) * (middle - middle.mean(axis=0))).sum(axis=1)))
    away = outward[best] / np.linalg.norm(outward[best])
    at = middle[best]
    return tuple(at.tolist()), tuple(away.tolist()), float(critical.caution_mm or 0.0)


def centre(scene: Scene) -> Vec3:
    """Middle of the planned work, or of the first structure."""
    if scene.plans:
        return scene.plans[0].target_mm
    return tuple(scene.structures[0].surface.vertices_mm.mean(axis=0).tolist())


class Swinging:
    """A live source: the first tool of the rig swings to and from a critical structure; the others hang beside it."""

    name = "benchmark"
    live = True
    setup_ns = 0

    def __init__(self, scene: Scene, rig: Rig, rate_hz: float, seconds: float) -> None:
        self._at, self._away, self._caution = swing(scene)
        self._rig, self._period_ns = rig, round(1e9 / rate_hz)
        self._latency_ns = round(rig.tracker.latency_ms * 1e6)
        self._begun = time.monotonic_ns() + 200_000_000
        self._end = self._begun + round(seconds * 1e9)
        self._frame = 0
        self._done = threading.Event()

    def read(self, timeout_s: float) -> SourceItem | None:
        """Wait for the next exposure's arrival, then stamp it."""
        due = self._begun + self._frame * self._period_ns
        left = due - time.monotonic_ns()
        if left > 0 and self._done.wait(min(left * 1e-9, timeout_s)):
            return None
        now = time.monotonic_ns()
        if now < due or now > self._end:
            return None
        return self.frame_at(due, now)

    def frame_at(self, due: int, now: int) -> TrackerFrame:
        """The frame of the exposure that was due, arrived `now`; counts it."""
        self._frame += 1
        t_s = (due - self._begun) * 1e-9
        reach = self._caution + 6.0
        gap = 0.5 * reach * (1.0 - math.cos(2.0 * math.pi * SWINGS_PER_S * t_s)) - 0.5
        hidden = self._frame % HIDDEN_EVERY == 0
        first = Sighting(body=self._rig.tool[0].body, status="MISSING") if hidden else self._tool(0, gap)
        sightings = (self._seen(self._rig.reference, (0.0, 0.0, 0.0)), first, *(self._tool(n, gap) for n in range(1, len(self._rig.tool))))
        return TrackerFrame(source=self.name, number=self._frame, t_capture_ns=now - self._latency_ns, t_arrival_ns=now, sightings=sightings)

    def _tool(self, n: int, gap_mm: float) -> Sighting:
        tool = self._rig.tool[n]
        clearance = gap_mm + tool.part[0].radius_mm + 30.0 * n
        x, y, z = (p + d * clearance for p, d in zip(self._at, self._away, strict=True))
        return self._seen(tool.body, (x, y, z))

    def _seen(self, body: str, t_mm: Vec3) -> Sighting:
        q = (1.0, 0.0, 0.0, 0.0)
        if body != self._rig.reference:
            q = facing(next(t.axis_in_marker for t in self._rig.tool if t.body == body), tuple(-v for v in self._away))
        return Sighting(body=body, status="OK", pose=Pose(q_wxyz=q, t_mm=t_mm), rms_mm=0.1)

    def close(self) -> None:
        self._done.set()


def facing(axis: Vec3, way: tuple[float, ...]) -> tuple[float, float, float, float]:
    """The shortest turn that takes `axis` to `way`, as a unit quaternion."""
    a, b = np.array(axis), np.array(way)
    q = np.array([1.0 + a @ b, *np.cross(a, b)])
    if np.linalg.norm(q) < 1e-9:
        q = np.array([0.0, *np.cross(a, np.eye(3)[int(np.argmin(np.abs(a)))])])
    w, x, y, z = (q / np.linalg.norm(q)).tolist()
    return (w, x, y, z)


def core_process(plan: Plan, ready: Connection, stop: Flag) -> None:
    """The core as `navtwin run` runs it, registered and calibrated from the start."""
    scene, rig = load_scene(plan.case), read_rig(plan.case / "rig.toml")
    warm_up()
    warm_up_errorbar()
    with ExitStack() as stack:
        run_promptly()
        server = Server(pub_port=0, command_port=0, keys=plan.keys)
        stack.callback(server.close)
        workers = Workers(plan.case)
        stack.callback(workers.close)
        log = stack.enter_context(LogWriter(plan.log)) if plan.log else None
        header = new_header(scene, rig, plan.case / "rig.toml", "benchmark", 1.0)
        core = Core(scene, rig, header, publish=server.publish, answer=lambda seq, payload: None, log=log)
        for body in set_up(rig):
            core.take(time.monotonic_ns(), body)
        ready.send((server.pub_port, server.command_port))
        ready.recv()
        reader = SourceReader(Swinging(scene, rig, plan.rate_hz, plan.seconds))
        stack.callback(reader.close)
        Loop(core, reader, workers, server, Timeline(1.0), stop.is_set, {}, lambda text: None).run()


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
    centroid = (0.0, 0.0, 0.0)
    registered = RegistrationResult(
        request="registration", accepted=True, reasons=(), pose=home, fre_mm=0.1, landmarks=(), residual_mm=(), covariance=error, centroid_mm=centroid
    )
    return [*bodies, registered, Command(who="benchmark", id="r", order=Accept(result="registration"))]


Row = tuple[Topic, int, int | None, int, int, int]


def receiver_process(ports: tuple[int, int], keys: ClientKeys | None, results: Connection, stop: Flag) -> None:
    """An operator's end: subscribes to alerts and state and stamps what it is handed."""
    run_promptly()
    client = Client(ports=ports, keys=keys, who="receiver", topics=("alerts", "state"))
    rows: list[Row] = []
    gc.collect()
    gc.freeze()
    results.send("listening")
    while not stop.is_set():
        message = client.receive(50)
        now = time.monotonic_ns()
        if message is not None:
            topic, e = message
            rows.append((topic, e.seq, e.t_arrival_ns, e.t_step_ns, e.t_publish_ns, now))
    results.send((rows, client.link.missed_frames, client.link.late_alerts))
    client.close()


def new_keys() -> tuple[ServerKeys, ClientKeys]:
    (core_public, core_secret), (own_public, own_secret) = (tuple(k.decode() for k in zmq.curve_keypair()) for _ in range(2))
    return ServerKeys(core_public, core_secret, {own_public: "receiver"}), ClientKeys(own_public, own_secret, core_public)


def measure(case: Path, rate_hz: float, seconds: float, *, curve: bool, log: bool) -> tuple[list[Row], int, int]:
    """Run core and receiver for so long; the receiver's rows, frames it missed, alert sets that were late."""
    start = multiprocessing.get_context("spawn")
    server_keys, client_keys = new_keys() if curve else (None, None)
    stop, (core_end, core_far), (end, far) = start.Event(), start.Pipe(), start.Pipe()
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(case, rate_hz, seconds, server_keys, Path(folder) / "session.mcap" if log else None)
        core = start.Process(target=core_process, args=(plan, core_far, stop))
        core.start()
        try:
            ports = received(core_end, core, 120.0)
            receiver = start.Process(target=receiver_process, args=(ports, client_keys, far, stop))
            receiver.start()
            received(end, receiver, 60.0)
            core_end.send("go")
            time.sleep(seconds + 0.5)
            stop.set()
            found: tuple[list[Row], int, int] = received(end, receiver, 60.0)
            receiver.join(10.0)
        finally:
            stop.set()
            core.join(20.0)
            if core.is_alive():
                core.kill()
                core.join()
    return found


def received(end: Connection, process: multiprocessing.process.BaseProcess, patience_s: float):  # type: ignore[no-untyped-def]
    """What the other process says, or an end to this one where it says nothing."""
    if not end.poll(patience_s):
        raise SystemExit(f"{process.name} said nothing for {patience_s:.0f} s (exit code {process.exitcode})")
    return end.recv()


def stages(rows: list[Row]) -> dict[str, dict[str, float]]:
    """Percentiles of each stage, ms, of what was said first: a repetition carries the stamps of what it repeats."""
    first = min(row[5] for row in rows) + round(SETTLE_S * 1e9)
    fresh = {(row[0], row[1]): row for row in reversed(rows)}.values()
    timed = [row for row in fresh if row[2] is not None and row[5] > first]
    table: dict[str, dict[str, float]] = {}

    def add(name: str, topic: Topic, begin: int, end: int) -> None:
        values = [(row[end] - row[begin]) * 1e-6 for row in timed if row[0] == topic]  # type: ignore[operator]
        if values:
            table[name] = common.percentiles(values)

    add("arrival -> step done", "state", 2, 3)
    add("step done -> alert published", "alerts", 3, 4)
    add("alert published -> received", "alerts", 4, 5)
    add("pose in -> alert received", "alerts", 2, 5)
    add("pose in -> state received", "state", 2, 5)
    return table


def main() -> None:
    options = common.parser(__doc__)
    common.add_case(options)
    options.add_argument("--rate", type=float, default=60.0, metavar="HZ", help="frames a second, 1 to 400 (default: 60)")
    options.add_argument("--seconds", type=float, default=30.0, help="how long to measure (default: 30)")
    options.add_argument("--curve", action="store_true", help="encrypted sockets, as for a core beyond this machine")
    options.add_argument("--no-log", action="store_true", help="do not record meanwhile")
    arguments = options.parse_args()
    if not 1.0 <= arguments.rate <= 400.0 or not 2.0 <= arguments.seconds <= 3600.0:
        options.error("--rate is 1 to 400, --seconds 2 to 3600")
    _, rig, folder = common.case_of(arguments)
    rows, missed, late = measure(folder, arguments.rate, arguments.seconds, curve=arguments.curve, log=not arguments.no_log)
    table = stages(rows)
    sockets = "CURVE" if arguments.curve else "plain"
    common.print_rows(f"pose to alert in another process: {arguments.rate:g} Hz, {sockets} sockets, {len(rig.tool)} instruments", "ms", table)
    p99 = table["pose in -> alert received"]["p99"]
    within = p99 <= TARGET_P99_MS
    Console().print(f"{'within' if within else 'ABOVE'} the target of p99 {TARGET_P99_MS:g} ms; frames missed: {missed}, alert sets late: {late}")
    figures = {
        "benchmark": Path(__file__).stem, "unit": "ms", "rows": table, "rate_hz": arguments.rate, "seconds": arguments.seconds, "sockets": sockets,
        "recorded": not arguments.no_log, "frames_missed": missed, "alert_sets_late": late, "target_p99_ms": TARGET_P99_MS, "within_target": within,
    }  # fmt: skip
    common.write_json(arguments.json, figures)
    if not within:
        sys.exit(1)


if __name__ == "__main__":
    main()
