"""A sender made of `struct` and sockets alone, so that the source is not tested against its own codec; and a rig for it."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from itertools import count

from navtwin.nouns import Body, Part, Rig, Tool, Tracker, TrackerFrame
from tracking.igtl.source import IgtlSource

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
S = 1_000_000_000


def rig(*bodies: str, rate_hz: float = 60.0) -> Rig:
    names = bodies or ("Reference", "Stylus")
    made = tuple(Body(name=name, sd_mm=0.1, sd_rad=0.001) for name in names)
    part = Part(name="tip", from_mm=(0.0, 0.0, 0.0), to_mm=(0.0, 0.0, 0.0), radius_mm=1.0)
    tool = Tool(name="stylus", body=names[-1], axis_in_marker=(0.0, 0.0, 1.0), axis_sd_rad=0.01, part=(part,))
    return Rig(reference=names[0], tracker=Tracker(name="igtl", rate_hz=rate_hz, latency_ms=20.0), body=made, tool=(tool,))


def crc(data: bytes) -> int:
    rest = 0
    for byte in data:
        rest ^= byte << 56
        for _ in range(8):
            rest = ((rest << 1) ^ (0x42F0E1EBA9EA3693 if rest >> 63 else 0)) & (1 << 64) - 1
    return rest


def message(kind: str, device: str, content: bytes, stamp_ns: int = 0, metadata: Mapping[str, str] | None = None) -> bytes:
    """Version 1, or version 2 where there are metadata."""
    body = content
    if metadata is not None:
        items = struct.pack(">H", len(metadata)) + b"".join(struct.pack(">HHI", len(k), 3, len(v)) for k, v in metadata.items())
        values = "".join(k + v for k, v in metadata.items()).encode()
        body = struct.pack(">HHII", 12, len(items), len(values), 0) + content + items + values
    seconds, ns = divmod(stamp_ns, S)
    names = (kind.encode().ljust(12, b"\0"), device.encode().ljust(20, b"\0"))
    return struct.pack(">H12s20sIIQQ", 1 if metadata is None else 2, *names, seconds, (ns << 32) // S, len(body), crc(body)) + body


def transform(body: str, x: float, stamp_ns: int = 0, metadata: Mapping[str, str] | None = None, rotation: tuple[float, ...] = IDENTITY) -> bytes:
    """`bodyToTracker` at (x, 0, 0); `rotation` is given by columns."""
    return message("TRANSFORM", f"{body}ToTracker", struct.pack(">12f", *rotation, x, 0.0, 0.0), stamp_ns, metadata)


def tdata(tools: Mapping[str, float], stamp_ns: int = 0, metadata: Mapping[str, str] | None = None) -> bytes:
    content = b"".join(struct.pack(">20sBB12f", f"{name}ToTracker".encode(), 2, 0, *IDENTITY, x, 0.0, 0.0) for name, x in tools.items())
    return message("TDATA", "TDATA", content, stamp_ns, metadata)


class Sender:
    """A server on a free port of this machine. `connected` is the newest client's socket."""

    def __init__(self, port: int = 0) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self.peers: list[socket.socket] = []
        self._arrived = threading.Condition()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._arrived:
                self.peers.append(peer)
                self._arrived.notify_all()

    def peer(self, number: int = 0) -> socket.socket:
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.peers) > number, 5.0)
        return self.peers[number]

    def close(self) -> None:
        # Only a shutdown wakes the thread that waits in accept, and frees the port at once.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in self.peers:
            peer.close()


def frames_until(source: IgtlSource, done: Callable[[list[TrackerFrame]], bool], seconds: float = 5.0) -> list[TrackerFrame]:
    """Read until `done` says that there is enough; fails where that takes too long."""
    frames, end = list[TrackerFrame](), time.monotonic() + seconds
    for _ in count():
        frame = source.read(0.05)
        if frame is not None:
            frames.append(frame)
        if done(frames):
            return frames
        assert time.monotonic() < end, f"only {[(f.number, [(s.body, s.status, s.reason) for s in f.sightings]) for f in frames]}"
    raise AssertionError
