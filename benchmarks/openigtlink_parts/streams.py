"""A sender in a process of its own, and who receives it: our source, and pyigtl where it is installed."""

from __future__ import annotations

import multiprocessing
import select
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing.connection import Connection

from navtwin.igtl.header import HEADER_BYTES, read_header
from navtwin.igtl.message import EXTENDED_BYTES, write_message
from navtwin.igtl.poses import Matrix, write_transform
from navtwin.nouns import Body, Rig, Tracker
from tracking.igtl.source import open_source

S = 1_000_000_000
_ROWS = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
_METADATA = {"TransformValid": "1", "TransformStatus": "OK"}
#: The first messages are left out: connections are made, caches are cold.
SETTLE_S = 0.5


@dataclass(frozen=True)
class Received:
    """What became of a stream: transforms sent, received and out of order; latencies in ms from the sender's call to the receiver's value."""

    sent: int
    received: int
    disordered: int
    latency_ms: list[float]


def send_stream(bodies: tuple[str, ...], per_second: float, seconds: float, pipe: Connection) -> None:
    """Serve one client: every instant each body's transform, x being the instant's number and the time stamp the host's monotonic clock."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pipe.send(listener.getsockname()[1])
        peer, _ = listener.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pipe.recv()
        instants = round(seconds * per_second / len(bodies))
        begun_ns, step_ns = time.monotonic_ns(), round(S * len(bodies) / per_second)
        for number in range(instants):
            due_ns = begun_ns + number * step_ns - time.monotonic_ns()
            if due_ns > 0:
                time.sleep(due_ns * 1e-9)
            now_ns = time.monotonic_ns()
            content = write_transform(Matrix(_ROWS, (float(number), 0.0, 0.0)))
            for body in bodies:
                peer.sendall(write_message("TRANSFORM", f"{body}ToTracker", content, now_ns, metadata=_METADATA))
        pipe.send(instants * len(bodies))
        # Until the receiver has said that it is done, for closing would cut off what is under way.
        pipe.recv()
        peer.close()


def rig_of(bodies: tuple[str, ...], rate_hz: float) -> Rig:
    made = tuple(Body(name=name, sd_mm=0.1, sd_rad=0.001) for name in bodies)
    return Rig(reference=bodies[0], tracker=Tracker(name="benchmark", rate_hz=rate_hz, latency_ms=5.0), body=made, tool=())


def streamed(bodies: tuple[str, ...], per_second: float, seconds: float, receive: Callable[[int, Connection, tuple[str, ...]], Received]) -> Received:
    """Run the sender beside a receiver."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    sender = context.Process(target=send_stream, args=(bodies, per_second, seconds, there), daemon=True)
    sender.start()
    try:
        received = receive(here.recv(), here, bodies)
        here.send("done")
        sender.join(10.0)
    finally:
        sender.kill()
    return received


def ours(port: int, pipe: Connection, bodies: tuple[str, ...], per_second: float) -> Received:
    """`igtl:` as the twin reads it: the time is that at which `read` has returned the frame."""
    source = open_source(f"127.0.0.1:{port}", None, rig_of(bodies, per_second / len(bodies)))
    while not source.notes:
        source.read(0.05)
    pipe.send("go")
    latency_ms, count, last, disordered, begun_ns, sent = list[float](), 0, -1, 0, time.monotonic_ns(), -1
    while sent < 0 or count < sent:
        frame = source.read(0.5)
        now_ns = time.monotonic_ns()
        if sent < 0 and pipe.poll():
            sent = pipe.recv()
        if frame is None or frame.t_device_ns is None:
            if sent >= 0:
                break
            continue
        for sighting in frame.sightings:
            if sighting.pose is not None:
                count += 1
                disordered += int(sighting.pose.t_mm[0]) < last
        number = max(int(s.pose.t_mm[0]) for s in frame.sightings if s.pose is not None)
        disordered += number <= last
        last = number
        if now_ns - begun_ns > SETTLE_S * S:
            latency_ms.append((now_ns - frame.t_device_ns) * 1e-6)
    source.close()
    return Received(sent, count, disordered, latency_ms)


def bare(port: int, pipe: Connection, bodies: tuple[str, ...]) -> Received:
    """No more than the system's own share: whole messages are read off the socket, and of each only its number and its time stamp."""
    size = len(write_message("TRANSFORM", f"{bodies[0]}ToTracker", bytes(48), 0, metadata=_METADATA))
    latency_ms, count, last, disordered, begun_ns, sent = list[float](), 0, -1, 0, time.monotonic_ns(), -1
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pipe.send("go")
        while sent < 0 or count < sent:
            if sent < 0 and pipe.poll():
                sent = pipe.recv()
            # The sender's count may come behind its last message: nothing may be waited for without end.
            if not select.select([peer], [], [], 0.2)[0]:
                continue
            data = peer.recv(size, socket.MSG_WAITALL)
            now_ns = time.monotonic_ns()
            number = int(struct.unpack_from(">f", data, HEADER_BYTES + EXTENDED_BYTES + 36)[0])
            count += 1
            disordered += number <= last
            last = number
            if now_ns - begun_ns > SETTLE_S * S:
                latency_ms.append((now_ns - read_header(data).stamp_ns) * 1e-6)
    return Received(sent, count, disordered, latency_ms)


def has_pyigtl() -> bool:
    return find_spec("pyigtl") is not None


def theirs(port: int, pipe: Connection, bodies: tuple[str, ...], *, waits: bool) -> Received:
    """pyigtl's client: by its own `wait_for_message`, or asked for its latest messages every millisecond. It keeps one message a device."""
    import pyigtl

    client = pyigtl.OpenIGTLinkClient("127.0.0.1", port)
    while not client.is_connected():
        time.sleep(0.02)
    pipe.send("go")
    latency_ms, count, last, disordered, begun_ns, sent, quiet = list[float](), 0, -1, 0, time.monotonic_ns(), -1, 0
    device = f"{bodies[0]}ToTracker"
    while quiet < 50:
        if waits:
            message = client.wait_for_message(device, timeout=0.1)
            messages = [] if message is None else [message]
        else:
            messages = client.get_latest_messages()
        now_ns = time.monotonic_ns()
        if sent < 0 and pipe.poll():
            sent = pipe.recv()
        quiet = quiet + 1 if sent >= 0 and not messages else 0
        for message in messages:
            number = int(message.matrix[0, 3])
            count += 1
            disordered += number <= last
            last = number
            if now_ns - begun_ns > SETTLE_S * S:
                latency_ms.append((now_ns - message.timestamp * 1e9) * 1e-6)
        if not waits and not messages:
            time.sleep(0.001)
    client.stop()
    return Received(sent, count, disordered, latency_ms)
