"""Live video on the bus: a topic and a port of its own, newest only, so that no picture stands in a warning's way.

A message is three frames: `video`, a `VideoFrame` as JSON, and the JPEG.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import msgspec

from navtwin.bus.keys import ClientKeys, ServerKeys
from navtwin.bus.side import SidePublisher, SideSubscriber
from navtwin.bus.topics import VIDEO_PORT, Malformed
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
        self._side = SidePublisher(TOPIC, bind, port, keys, waiting=WAITING * cameras, flag="--video-port")
        self.port = self._side.port

    @property
    def watched(self) -> bool:
        """Whether anybody subscribes, as of now: pictures need not be made for nobody."""
        return self._side.watched

    def publish(self, frame: VideoFrame, jpeg: bytes) -> None:
        """Send a picture to every subscriber.

        Raises
        ------
        BusRefused : a picture that no receiver would accept
        """
        header = encode(frame)
        try:
            unpack_video([TOPIC, header, jpeg])
        except Malformed as fault:
            raise BusRefused(f"a picture that cannot be sent: {fault}", "make it smaller") from fault
        self._side.send(header, jpeg)

    def close(self) -> None:
        """Free the port. May be called twice."""
        self._side.close()


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
        self.malformed, self.last_fault = 0, ""
        self._camera = camera
        self._side = SideSubscriber(TOPIC, host, port, keys, waiting=WAITING, most_bytes=PICTURE_LIMIT_BYTES)

    def newest(self, timeout_ms: int) -> VideoPicture | None:
        """The newest picture that is there, those before it passed over; None if none came in time, or the client was closed."""
        until = time.monotonic() + timeout_ms * 1e-3
        while True:
            left_ms = (until - time.monotonic()) * 1e3
            picture = self._newest_of(self._side.take(max(0.0, left_ms)))
            if picture is not None or left_ms <= 0.0 or self._side.left:
                return picture

    def close(self) -> None:
        """Leave. May be called twice, and while another thread waits in `newest`, which then returns None."""
        self._side.close()

    def _newest_of(self, messages: list[list[bytes]]) -> VideoPicture | None:
        picture = None
        for frames in messages:
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
