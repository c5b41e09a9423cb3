"""From a stream of bytes to messages. What is unknown is skipped by its size; what cannot be a message ends the stream with a reason.

Memory is bounded: bodies of kinds that we read are kept up to a limit, of an IMAGE only the beginning, of unknown kinds nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from navtwin.errors import InputRefused
from navtwin.igtl.crc import crc64
from navtwin.igtl.header import HEADER_BYTES, Header, read_header
from navtwin.igtl.image import IMAGE_BYTES
from navtwin.igtl.message import EXTENDED_BYTES, Message, extended, read_message

#: Kinds whose body is read, and how long it may be. The longest honest one is a TDATA of a hundred tools with a status each.
MOST_KEPT: Final = 1 << 20
KEPT: Final = frozenset(
    ("TRANSFORM", "TDATA", "QTDATA", "POSITION", "STATUS", "STRING", "POINT", "COMMAND", "RTS_COMMAND", "STT_TDATA", "STP_TDATA", "RTS_TDATA",
     "GET_TRANSFOR", "GET_STATUS", "GET_CAPABIL")
)  # fmt: skip
#: Nothing longer is skipped: 2 GiB are eight CTs, and a size beyond is a stream out of step or an attack.
MOST_SKIPPED: Final = 1 << 31
#: What is kept of an IMAGE.
_IMAGE_KEPT: Final = EXTENDED_BYTES + IMAGE_BYTES
_KIND: Final = re.compile(r"[A-Z][A-Z0-9_]{0,11}")
_VERSIONS: Final = range(1, 4)


@dataclass(frozen=True, slots=True)
class Damaged:
    """A message that was dropped, and why; the stream goes on behind it."""

    header: Header
    reason: str


class StreamBroken(InputRefused):
    """What comes is no OpenIGTLink, or cannot be followed any more: the connection must be closed."""


class Reader:
    """Feed it bytes as they come, cut anywhere.

    Parameters
    ----------
    check_crc : whether bodies whose checksum is wrong are dropped; senders exist that write none

    Attributes
    ----------
    skipped : how many messages of kinds that are not read, by kind (at most 64 kinds are told apart)
    broken : why nothing more can be read, None while all is well: a header that cannot be one, or a body too long to be read or skipped
    """

    def __init__(self, *, check_crc: bool = True) -> None:
        self.skipped: dict[str, int] = {}
        self.broken: StreamBroken | None = None
        self._check_crc = check_crc
        self._waiting = bytearray()
        self._header: Header | None = None
        self._left = 0
        self._head = b""
        self._crc = 0

    def feed(self, data: bytes | bytearray | memoryview) -> list[Message | Damaged]:
        """The messages that end within `data`, in order. Look at `broken` afterwards: behind a break everything is dropped."""
        done = list[Message | Damaged]()
        if self.broken is not None:
            return done
        self._waiting += data
        at, more = 0, True
        try:
            while more:
                at, item, more = self._step(at)
                if item is not None:
                    done.append(item)
        except StreamBroken as broken:
            self.broken = broken
        del self._waiting[:at]
        return done

    def _step(self, at: int) -> tuple[int, Message | Damaged | None, bool]:
        """One message or a piece of one, from position `at` of what waits: (new position, what ended, whether to go on)."""
        there = len(self._waiting) - at
        if self._header is None:
            if there < HEADER_BYTES:
                return at, None, False
            self._begin(_checked(read_header(memoryview(self._waiting)[at : at + HEADER_BYTES])))
            return at + HEADER_BYTES, None, True
        header = self._header
        if header.kind in KEPT:
            if there < header.size:
                return at, None, False
            body = bytes(self._waiting[at : at + header.size])
            self._header = None
            return at + header.size, self._judged(header, body, crc64(body) if self._check_crc else header.crc), True
        taken = min(there, self._left)
        self._left -= taken
        if header.kind == "IMAGE":
            self._take_image(bytes(self._waiting[at : at + taken]))
        if self._left:
            return at + taken, None, False
        self._header = None
        if header.kind == "IMAGE":
            return at + taken, self._judged(header, self._head, self._crc if self._check_crc else header.crc), True
        return at + taken, None, True

    def _begin(self, header: Header) -> None:
        self._header, self._left, self._head, self._crc = header, header.size, b"", 0
        if header.kind not in KEPT and header.kind != "IMAGE" and (header.kind in self.skipped or len(self.skipped) < 64):
            self.skipped[header.kind] = self.skipped.get(header.kind, 0) + 1

    def _take_image(self, data: bytes) -> None:
        self._head += data[: max(0, _IMAGE_KEPT - len(self._head))]
        if self._check_crc:
            self._crc = crc64(data, self._crc)

    def _judged(self, header: Header, body: bytes, crc: int) -> Message | Damaged:
        if crc != header.crc:
            return Damaged(header, f"{header.kind} '{header.device}' has a wrong checksum: it was damaged on the way, or its sender writes none")
        try:
            if header.kind == "IMAGE":
                start = extended(body, header.size)[0] if header.version > 1 else 0
                return Message(header, body[start:])
            return read_message(header, body)
        except InputRefused as refused:
            return Damaged(header, f"{header.kind} '{header.device}': {refused.problem}")


def _checked(header: Header) -> Header:
    if header.version not in _VERSIONS or not _KIND.fullmatch(header.kind):
        raise StreamBroken(
            f"what comes is no OpenIGTLink message (version {header.version}, type '{header.kind}')", "check what listens at that address and port"
        )
    most = MOST_KEPT if header.kind in KEPT else MOST_SKIPPED
    if header.size > most:
        raise StreamBroken(
            f"a {header.kind} that states a body of {header.size} bytes (at most {most})", "the sender is broken or hostile: restart it"
        )
    return header
