"""Drilled bone on the bus: a topic and a port of its own, so that no picture of bone stands in a warning's way.

A message is three frames: `bone`, a `BoneBricks` as JSON, and the bricks' cells, zlib, in the layout of `BoneState.cells`. Messages may be lost, and
clients join late: every brick that was ever drilled comes again within `WHOLE_S`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from navtwin.bus.keys import ClientKeys, ServerKeys
from navtwin.bus.side import SidePublisher, SideSubscriber
from navtwin.bus.topics import BONE_PORT, Malformed
from navtwin.errors import BusRefused, NavtwinError
from navtwin.nouns import encode
from navtwin.nouns.bone_stream import CELLS, DOUBTS, BoneBricks, unpack_cells

TOPIC = b"bone"
#: Every so often a message goes out, s; in so many, every brick that differs has been in one.
PERIOD_S, WHOLE_S = 0.05, 2.5
#: What a receiver takes: bricks in a message, bytes of its header and of its cells (zlib makes what cannot be made smaller a little larger).
MOST_BRICKS = 512
HEADER_LIMIT_BYTES = 64 * 1024
CELLS_LIMIT_BYTES = MOST_BRICKS * (CELLS + DOUBTS) + 4096
#: Messages that wait for a subscriber that lags; what comes after is dropped for that one only, and comes again.
WAITING = 32

_decode = msgspec.json.Decoder(BoneBricks).decode


@dataclass(frozen=True, slots=True, eq=False)
class BonePatch:
    """A message as it was received and checked.

    Attributes
    ----------
    cells : (N, 16, 16, 16) int8, of `header.bricks`, indexed k, j, i; read-only
    doubts : (N,) uint64, of each brick a bit for each of its blocks of 4 x 4 x 4 points; read-only
    """

    header: BoneBricks
    cells: npt.NDArray[np.int8]
    doubts: npt.NDArray[np.uint64]


class BoneServer:
    """Publishes bricks to whoever looks. To be used by one thread, which never waits here.

    Parameters
    ----------
    bind : address to listen on; anything but loopback is refused without `keys`
    port : 0 takes any free one; read it back from the attribute

    Raises
    ------
    BusRefused : a port that is taken, an address that needs keys
    """

    def __init__(self, bind: str = "127.0.0.1", port: int = BONE_PORT, keys: ServerKeys | None = None) -> None:
        self._side = SidePublisher(TOPIC, bind, port, keys, waiting=WAITING, flag="--bone-port")
        self.port = self._side.port

    @property
    def watched(self) -> bool:
        """Whether anybody subscribes, as of now."""
        return self._side.watched

    def publish(self, header: BoneBricks, cells: bytes) -> int:
        """Send bricks to every subscriber; returns how many bytes that are for each.

        Parameters
        ----------
        cells : of `header.bricks`, zlib, laid out as in `BoneState`

        Raises
        ------
        BusRefused : what no receiver would accept
        """
        head = encode(header)
        fault = _too_large(header, head, cells)
        if fault:
            raise BusRefused(f"bone that cannot be sent: {fault}", "send fewer bricks in a message")
        self._side.send(head, cells)
        return len(head) + len(cells)

    def close(self) -> None:
        """Free the port. May be called twice."""
        self._side.close()


class BoneClient:
    """Subscribes to drilled bone. `take` and `close` may be called from different threads.

    Parameters
    ----------
    keys : needed for a host beyond this machine

    Attributes
    ----------
    malformed : messages that were refused; `last_fault` says why
    """

    def __init__(self, host: str = "127.0.0.1", port: int = BONE_PORT, keys: ClientKeys | None = None) -> None:
        self.malformed, self.last_fault = 0, ""
        self._side = SideSubscriber(TOPIC, host, port, keys, waiting=WAITING, most_bytes=CELLS_LIMIT_BYTES)

    def take(self, timeout_ms: int) -> list[BonePatch]:
        """All that has come, in its order; waits for something. Empty if nothing came in time, or the client was closed."""
        until = time.monotonic() + timeout_ms * 1e-3
        while True:
            left_ms = (until - time.monotonic()) * 1e3
            patches = self._checked(self._side.take(max(0.0, left_ms)))
            if patches or left_ms <= 0.0 or self._side.left:
                return patches

    def close(self) -> None:
        """Leave. May be called twice, and while another thread waits in `take`, which then returns nothing."""
        self._side.close()

    def _checked(self, messages: list[list[bytes]]) -> list[BonePatch]:
        patches = []
        for frames in messages:
            try:
                patches.append(unpack_bone(frames))
            except Malformed as fault:
                self.malformed += 1
                self.last_fault = str(fault)
        return patches


def unpack_bone(frames: list[bytes]) -> BonePatch:
    """The bricks in a received message.

    Raises
    ------
    Malformed : wrong number of frames, another topic, too large, an undecodable header, cells that are not those of its bricks
    """
    if len(frames) != 3 or frames[0] != TOPIC:
        raise Malformed(f"a message of {len(frames)} frames on {frames[0][:40]!r}, not 3 on {TOPIC!r}" if frames else "an empty message")
    _, head, packed = frames
    fault = _too_large(None, head, packed)
    if fault:
        raise Malformed(fault)
    try:
        header = _decode(head)
    except (msgspec.MsgspecError, NavtwinError, ValueError, RecursionError) as error:
        raise Malformed(f"bone: {error}") from error
    fault = _too_large(header, head, packed)
    if fault:
        raise Malformed(fault)
    number = len(header.bricks)
    plain = unpacked(packed, number)
    cells = np.frombuffer(plain, np.int8, CELLS * number).reshape(-1, 16, 16, 16)
    return BonePatch(header, cells, np.frombuffer(plain, "<u8", number, CELLS * number))


def unpacked(packed: bytes, bricks: int) -> bytes:
    """As `unpack_cells`; what is not so is Malformed."""
    try:
        return unpack_cells(packed, bricks)
    except ValueError as error:
        raise Malformed(f"drilled bone that {error}") from error


def _too_large(header: BoneBricks | None, head: bytes, cells: bytes) -> str:
    if len(head) > HEADER_LIMIT_BYTES or len(cells) > CELLS_LIMIT_BYTES:
        return f"a header of {len(head)} bytes and cells of {len(cells)}, above {HEADER_LIMIT_BYTES} and {CELLS_LIMIT_BYTES}"
    if header is not None and len(header.bricks) > MOST_BRICKS:
        return f"{len(header.bricks)} bricks in a message, above {MOST_BRICKS}"
    return ""
