"""What the gateway adds: states published by a process, received on the bus itself and behind the gateway."""

from __future__ import annotations

import multiprocessing
import socket
import threading
import time
from multiprocessing.connection import Connection

from navtwin.bus.client import Client
from navtwin.bus.server import Server
from navtwin.gateway.gateway import Gateway
from navtwin.gateway.server import IgtlServer
from navtwin.igtl.message import Message
from navtwin.igtl.poses import read_transform
from navtwin.igtl.reader import Reader
from navtwin.nouns import AlertSet, Envelope, Health, InstrumentState, Output, Pose, State, encode

S = 1_000_000_000
_HEALTH = Health(tracker="ok", reference="ok", registration="ok", latency="ok", recording="ok", frame_age_ms=10.0, watched=0)


def publish(per_second: float, seconds: float, pipe: Connection) -> None:
    """A core that only speaks: a state per frame, x being the time of its publication on the host's clock in units that float32 carries."""
    server = Server(pub_port=0, command_port=0, epoch="benchmark")
    pipe.send((server.pub_port, server.command_port))
    pipe.recv()
    begun_ns, next_alerts_ns, sent = time.monotonic_ns(), 0, list[int]()
    for number in range(round(seconds * per_second)):
        due_ns = begun_ns + round(number * S / per_second) - time.monotonic_ns()
        if due_ns > 0:
            time.sleep(due_ns * 1e-9)
        now_ns = time.monotonic_ns()
        pose = Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(float(number), 0.0, 0.0))
        state = State(phase="navigation", frame=number, instruments=(InstrumentState(instrument="drill", status="OK", pose=pose),), readings=())
        if now_ns >= next_alerts_ns:
            alerts = AlertSet(phase="navigation", t_ns=now_ns, alerts=(), technical=(), pairs=(), health=_HEALTH)
            server.publish("alerts", encode(_wrapped(alerts, number, now_ns)))
            next_alerts_ns = now_ns + S // 20
        server.publish("state", encode(_wrapped(state, number, now_ns)))
        sent.append(now_ns)
    pipe.send(sent)
    pipe.recv()
    server.close()


def _wrapped(body: Output, seq: int, now_ns: int) -> Envelope:
    return Envelope(epoch="benchmark", seq=seq, t_capture_ns=now_ns, t_arrival_ns=now_ns, t_step_ns=now_ns, t_publish_ns=now_ns, body=body)


def gate(ports: tuple[int, int], pipe: Connection) -> None:
    """The gateway as `navtwin gateway` runs it."""
    server = IgtlServer("127.0.0.1", 0, None, lambda _: None)
    gateway = Gateway(Client("127.0.0.1", ports, None, "igtl", topics=("alerts", "state")), server, "LPS", lambda _: None)
    pipe.send(server.port)
    while not pipe.poll():
        gateway.turn()


def gateway_overhead(per_second: float, seconds: float) -> tuple[int, dict[str, list[float]]]:
    """How many states were published, and for each way the ms from publication to reception of those that came."""
    context = multiprocessing.get_context("spawn")
    core_pipe, core_there = context.Pipe()
    gate_pipe, gate_there = context.Pipe()
    core = context.Process(target=publish, args=(per_second, seconds, core_there), daemon=True)
    core.start()
    ports = core_pipe.recv()
    gateway = context.Process(target=gate, args=(ports, gate_there), daemon=True)
    gateway.start()
    over = threading.Event()
    arrived: dict[str, dict[int, int]] = {"on the bus": {}, "by the gateway": {}}
    threads = [
        threading.Thread(target=_on_the_bus, args=(ports, arrived["on the bus"], over)),
        threading.Thread(target=_by_the_gateway, args=(gate_pipe.recv(), arrived["by the gateway"], over)),
    ]
    try:
        for thread in threads:
            thread.start()
        time.sleep(1.0)
        core_pipe.send("go")
        sent = core_pipe.recv()
        time.sleep(0.5)
    finally:
        over.set()
        for thread in threads:
            thread.join(5.0)
        gate_pipe.send("end")
        core_pipe.send("end")
        for process in (gateway, core):
            process.join(5.0)
            process.kill()
    return len(sent), {way: [(at - sent[n]) * 1e-6 for n, at in came.items()] for way, came in arrived.items()}


def _on_the_bus(ports: tuple[int, int], came: dict[int, int], over: threading.Event) -> None:
    client = Client("127.0.0.1", ports, None, "listener", topics=("state",))
    while not over.is_set():
        message = client.receive(50)
        if message is not None and isinstance(message[1].body, State):
            came[message[1].body.frame] = time.monotonic_ns()
    client.close()


def _by_the_gateway(port: int, came: dict[int, int], over: threading.Event) -> None:
    reader = Reader()
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.settimeout(0.05)
        while not over.is_set():
            try:
                data = peer.recv(1 << 16)
            except TimeoutError:
                continue
            now_ns = time.monotonic_ns()
            for item in reader.feed(data):
                if isinstance(item, Message) and item.kind == "TRANSFORM" and item.metadata["TransformValid"] == "1":
                    came.setdefault(int(read_transform(item.content).t_mm[0]), now_ns)
