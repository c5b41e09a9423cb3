"""The 58 bytes that every message begins with (Documents/Protocol/header.md, timestamp.md). Everything is big-endian.

offset 0 uint16 version; 2 char[12] type; 14 char[20] device; 34 uint32 seconds and 38 uint32 fraction/2^32 since 1970 UTC; 42 uint64 size of what
follows; 50 uint64 checksum of what follows.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from navtwin.errors import InputRefused

_LAYOUT: Final = struct.Struct(">H12s20sIIQQ")
HEADER_BYTES: Final = 58
#: Longest type and device name.
KIND_BYTES: Final = 12
DEVICE_BYTES: Final = 20
_NS: Final = 1_000_000_000


class Header(NamedTuple):
    """What a message is, before its body is read.

    Attributes
    ----------
    version : 1 (a bare body) or 2 and more (extended header and metadata in the body)
    kind : type name, `TRANSFORM` ...
    device : device name
    stamp_ns : the sender's UTC, ns since 1970; 0 where the sender does not stamp
    size : bytes of the body
    crc : CRC-64 of the body
    """

    version: int
    kind: str
    device: str
    stamp_ns: int
    size: int
    crc: int


def read_header(data: bytes | bytearray | memoryview) -> Header:
    """The first 58 bytes of `data`. Any bytes are a header; whether it is a sensible one is for the reader of the stream to say."""
    version, kind, device, seconds, fraction, size, crc = _LAYOUT.unpack_from(data)
    return Header(version, padded_text(kind), padded_text(device), seconds * _NS + (fraction * _NS + (1 << 31) >> 32), size, crc)


def write_header(header: Header) -> bytes:
    """The 58 bytes.

    Raises
    ------
    InputRefused : a name that does not fit, or a time before 1970 or after 2106
    """
    seconds, ns = divmod(header.stamp_ns, _NS)
    if not 0 <= seconds < 1 << 32:
        raise InputRefused(f"the time {header.stamp_ns} ns is not between 1970 and 2106", "state UTC in ns since 1970")
    # Rounded up, the fraction is read back as the same nanosecond; the last one of a second must not become the next second.
    fraction = min(((ns << 32) + _NS // 2) // _NS, 0xFFFFFFFF)
    names = (padded(header.kind, KIND_BYTES), padded(header.device, DEVICE_BYTES))
    return _LAYOUT.pack(header.version, *names, seconds, fraction, header.size, header.crc)


def padded_text(field: bytes) -> str:
    """The text of a NUL-padded field. What is not ASCII shows as a question mark and so matches nothing."""
    return field.split(b"\0", 1)[0].decode("ascii", "replace").replace("\ufffd", "?")


def padded(text: str, size: int) -> bytes:
    """`text` as a field of `size` bytes, NUL-padded.

    Raises
    ------
    InputRefused : longer, or not ASCII
    """
    data = text.encode("ascii", "replace")
    if len(data) > size or not text.isascii() or "\0" in text:
        raise InputRefused(f"'{text}' does not fit a field of {size} ASCII characters", "use a shorter name without accents")
    return data.ljust(size, b"\0")
