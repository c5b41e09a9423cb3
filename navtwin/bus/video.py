"""Live video on the bus: a topic and a port of its own, newest only, so that no picture stands in a warning's way.

A message is three frames: `video`, a `VideoFrame` as JSON, and the JPEG. The server has a context, and with it a thread for its sockets, of its own.
"""

from __future__ import annotations

import math
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

import msgspec
import zmq

from navtwin.bus.endpoint import as_client, as_server, bind_port, listening_address, remote_address
from navtwin.bus.keys import ClientKeys, ServerKeys
from navtwin.bus.topics import VIDEO_PORT, Malformed
from navtwin.bus.zap import guard
from navtwin.errors import BusRefused, NavtwinError
from navtwin.nouns import encode
from navtwin.nouns.video import VideoFrame

TOPIC = b"video"
#: What a receiver takes: bytes of the header and of the picture, and the picture's longer side.
HEADER_LIMIT_BYTES = 256 * 1024
PICTURE_LIMIT_BYTES = 4 * 1024 * 1024
LONGEST_SIDE_PX = 1280
#: Pictures that wait for a subscriber that lags; what comes after is dropped for that one only.
WAITING = 2
#: What the system may hold of a connection's pictures: a subscriber that stalled is shown few old ones.
SYSTEM_BUFFER_BYTES = 256 * 1024
#: Pictures looked at in one call, so that a flood cannot hold the caller; and the longest that closing waits for a call.
MESSAGES_PER_CALL, TURN_MS = 64, 50
#: JPEG's markers of a frame (baseline, extended, progressive), and of what may stand before it beside the application's own: tables, a comment.
FRAMES, TABLES = (0xC0, 0xC1, 0xC2), (0xC4, 0xDB, 0xDD, 0xFE)

_decode = msgspec.json.Decoder(VideoFrame).decode


class VideoServer:
    """Publishes pictures to whoever looks. To be used by one thread, which never waits here.

    Parameters
    ----------
    bind : address to listen on; anything but loopback is refused without `keys`
    port : 0 takes any free one; read it back from the attribute
    cameras : how many cameras' pictures come at a time

    Raises
    ------
    BusRefused : a port that is taken, an address that needs keys
    """

    def __init__(self, bind: str = "127.0.0.1", port: int = VIDEO_PORT, keys: ServerKeys | None = None, *, cameras: int = 1) -> None:
        address = listening_address(bind, keys)
        self._asked = set[bytes]()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.XPUB)
        try:
            if keys:
                guard(self._context, keys.allowed)
            for option, value in ((zmq.LINGER, 0), (zmq.SNDHWM, WAITING * cameras), (zmq.SNDBUF, SYSTEM_BUFFER_BYTES), (zmq.IPV6, 1)):
                self._socket.set(option, value)
            # Nobody has to send us more than a subscription.
            self._socket.set(zmq.MAXMSGSIZE, 1024)
            as_server(self._socket, keys)
            self.port = bind_port(self._socket, address, port, "--video-port")
        except BaseException:
            self.close()
            raise

    @property
    def watched(self) -> bool:
        """Whether anybody subscribes, as of now: pictures need not be made for nobody."""
        with suppress(zmq.Again):
            while True:
                change = self._socket.recv(zmq.NOBLOCK)
                if TOPIC.startswith(change[1:]):
                    (self._asked.add if change[:1] == b"\x01" else self._asked.discard)(change[1:])
        return bool(self._asked)

    def publish(self, frame: VideoFrame, jpeg: bytes) -> None:
        """Send a picture to every subscriber.

        Raises
        ------
        BusRefused : a picture that no receiver would accept
        """
        message = [TOPIC, encode(frame), jpeg]
        try:
            unpack_video(message)
        except Malformed as fault:
            raise BusRefused(f"a picture that cannot be sent: {fault}", "make it smaller") from fault
        self._socket.send_multipart(message, zmq.NOBLOCK)

    def close(self) -> None:
        """Free the port. May be called twice."""
        self._socket.close()
        self._context.term()


@dataclass(frozen=True, slots=True)
class VideoPicture:
    """A picture as it was received: its header, checked, and the bytes of a JPEG of exactly the header's size, not yet decoded."""

    frame: VideoFrame
    jpeg: bytes


class VideoClient:
    """Subscribes to pictures. `newest` and `close` may be called from different threads.

    Parameters
    ----------
    keys : needed for a host beyond this machine
    camera : only this one's pictures, by its name in the rig; "" takes every camera's

    Attributes
    ----------
    malformed : messages that were refused; `last_fault` says why
    """

    def __init__(self, host: str = "127.0.0.1", port: int = VIDEO_PORT, keys: ClientKeys | None = None, *, camera: str = "") -> None:
        address = remote_address(host, keys)
        self.malformed, self.last_fault = 0, ""
        self._camera = camera
        self._leaving = threading.Event()
        self._in_use = threading.Lock()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        try:
            for option, value in (
                (zmq.LINGER, 0),
                (zmq.RCVHWM, WAITING),
                (zmq.RCVBUF, SYSTEM_BUFFER_BYTES),
                (zmq.MAXMSGSIZE, PICTURE_LIMIT_BYTES),
                (zmq.RECONNECT_IVL, 50),
                (zmq.RECONNECT_IVL_MAX, 500),
                (zmq.IPV6, 1),
            ):
                self._socket.set(option, value)
            as_client(self._socket, keys)
            self._socket.subscribe(TOPIC)
            try:
                self._socket.connect(f"{address}:{port}")
            except zmq.ZMQError as error:
                raise BusRefused(f"cannot connect to {address}:{port}: {error.strerror}", "check the host's name and the port") from error
        except BaseException:
            self.close()
            raise

    def newest(self, timeout_ms: int) -> VideoPicture | None:
        """The newest picture that is there, those before it passed over; None if none came in time, or the client was closed."""
        until = time.monotonic() + timeout_ms * 1e-3
        with self._in_use:
            while not self._leaving.is_set():
                picture = self._drained()
                left_ms = (until - time.monotonic()) * 1e3
                if picture is not None or left_ms <= 0.0:
                    return picture
                self._socket.poll(math.ceil(min(left_ms, TURN_MS)))
        return None

    def close(self) -> None:
        """Leave. May be called twice, and while another thread waits in `newest`, which then returns None."""
        self._leaving.set()
        with self._in_use:
            self._socket.close()
            self._context.term()

    def _drained(self) -> VideoPicture | None:
        picture = None
        for _ in range(MESSAGES_PER_CALL):
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            try:
                received = unpack_video(frames)
            except Malformed as fault:
                self.malformed += 1
                self.last_fault = str(fault)
                continue
            if self._camera in ("", received.frame.camera):
                picture = received
        return picture


def unpack_video(frames: list[bytes]) -> VideoPicture:
    """The picture in a received message. The JPEG is looked at, not decoded.

    Raises
    ------
    Malformed : wrong number of frames, another topic, too large, an undecodable header, bytes that are no JPEG of the header's size
    """
    if len(frames) != 3 or frames[0] != TOPIC:
        raise Malformed(f"a message of {len(frames)} frames on {frames[0][:40]!r}, not 3 on {TOPIC!r}" if frames else "an empty message")
    _, header, jpeg = frames
    if len(header) > HEADER_LIMIT_BYTES or len(jpeg) > PICTURE_LIMIT_BYTES:
        raise Malformed(f"a header of {len(header)} bytes and a picture of {len(jpeg)}, above {HEADER_LIMIT_BYTES} and {PICTURE_LIMIT_BYTES}")
    try:
        frame = _decode(header)
    except (msgspec.MsgspecError, NavtwinError, ValueError, RecursionError) as error:
        raise Malformed(f"video: {error}") from error
    size = (frame.width_px, frame.height_px)
    if max(size) > LONGEST_SIDE_PX:
        raise Malformed(f"a picture of {size[0]} x {size[1]} px, above {LONGEST_SIDE_PX}")
    there = jpeg_size(jpeg)
    if there != size:
        raise Malformed(f"a JPEG of {there[0]} x {there[1]} px, {size[0]} x {size[1]} in its header" if there else "bytes that are no JPEG")
    return VideoPicture(frame, jpeg)


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) in px that a JPEG states of itself (ISO/IEC 10918-1, B.2.2); None for what is no whole 8-bit JPEG, grey or colour."""
    if data[:2] != b"\xff\xd8" or data[-2:] != b"\xff\xd9":
        return None
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in FRAMES:
            if length < 11 or at + 2 + length > len(data) or data[at + 4] != 8 or data[at + 9] not in (1, 3):
                return None
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        if length < 2 or not (marker in TABLES or 0xE0 <= marker <= 0xEF):
            return None
        at += 2 + length
    return None
