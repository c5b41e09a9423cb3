"""Bodies that hold words: STATUS, STRING, COMMAND; and POINT (Documents/Protocol/status.md, string.md, command.md, point.md)."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

from navtwin.errors import InputRefused
from navtwin.igtl.header import padded, padded_text
from navtwin.igtl.message import ASCII, UTF8
from navtwin.rigid import Vec3

_STATUS: Final = struct.Struct(">Hq20s")
_STRING: Final = struct.Struct(">HH")
_COMMAND: Final = struct.Struct(">I128sHI")
_POINT: Final = struct.Struct(">64s32s4B3ff20s")
STRING_BYTES: Final = 0xFFFF
STATUS_WORDS: Final = (
    "invalid", "OK", "unknown error", "panic", "not found", "access denied", "busy", "timeout", "overflow", "checksum error",
    "configuration error", "no resource", "unknown instruction", "not ready", "manual mode", "disabled", "not present", "unknown version",
    "hardware failure", "shutting down",
)  # fmt: skip
#: Encodings by IANA's MIBenum: those that senders use.
_CODECS: Final = {ASCII: "ascii", UTF8: "utf-8", 4: "latin-1"}


class Status(NamedTuple):
    """Attributes
    ----------
    code : 1 is OK; the others as in `STATUS_WORDS`
    subcode : the device's own
    name : the error's name, at most 20 characters
    """

    code: int
    subcode: int
    name: str
    message: str


class CommandText(NamedTuple):
    """A COMMAND, or its answer RTS_COMMAND: the sender's number for it, its name and its text (XML)."""

    ident: int
    name: str
    text: str


class Point(NamedTuple):
    name: str
    group: str
    rgba: tuple[int, int, int, int]
    xyz_mm: Vec3
    radius_mm: float
    owner: str


def read_status(content: bytes) -> Status:
    """Raises InputRefused where shorter than its fixed part. The message's closing NUL may be left out."""
    if len(content) < _STATUS.size:
        raise InputRefused(f"a STATUS of {len(content)} bytes, less than {_STATUS.size}", "check the sender")
    code, subcode, name = _STATUS.unpack_from(content)
    return Status(code, subcode, padded_text(name), content[_STATUS.size :].split(b"\0", 1)[0].decode("utf-8", "replace"))


def write_status(status: Status) -> bytes:
    """Code, subcode, name and the message with its NUL."""
    return _STATUS.pack(status.code, status.subcode, padded(status.name, 20)) + status.message.replace("\0", "").encode() + b"\0"


def read_string(content: bytes) -> str:
    """Raises
    ------
    InputRefused : a length that is not the content's, or an encoding that is not ASCII, Latin-1 or UTF-8
    """
    if len(content) < _STRING.size:
        raise InputRefused(f"a STRING of {len(content)} bytes", "check the sender")
    encoding, length = _STRING.unpack_from(content)
    return _text("STRING", encoding, length, content[_STRING.size :])


def write_string(text: str) -> bytes:
    """As UTF-8, marked as ASCII where it is no more than that.

    Raises
    ------
    InputRefused : longer than 65535 bytes
    """
    data = text.encode()
    if len(data) > STRING_BYTES:
        raise InputRefused(f"a text of {len(data)} bytes", f"a STRING holds at most {STRING_BYTES}")
    return _STRING.pack(ASCII if text.isascii() else UTF8, len(data)) + data


def read_command(content: bytes) -> CommandText:
    """Raises InputRefused as `read_string`."""
    if len(content) < _COMMAND.size:
        raise InputRefused(f"a COMMAND of {len(content)} bytes, less than {_COMMAND.size}", "check the sender")
    ident, name, encoding, length = _COMMAND.unpack_from(content)
    return CommandText(ident, padded_text(name), _text("COMMAND", encoding, length, content[_COMMAND.size :]))


def write_command(command: CommandText) -> bytes:
    """Number, name (at most 128 characters), encoding, length and text."""
    data = command.text.encode()
    return _COMMAND.pack(command.ident, padded(command.name, 128), ASCII if command.text.isascii() else UTF8, len(data)) + data


def _text(kind: str, encoding: int, length: int, data: bytes) -> str:
    if length > len(data):
        raise InputRefused(f"a {kind} that states {length} bytes and has {len(data)}", "check the sender")
    if encoding not in _CODECS:
        raise InputRefused(f"a {kind} in the encoding {encoding} (IANA MIBenum)", "send ASCII (3) or UTF-8 (106)")
    try:
        return data[:length].decode(_CODECS[encoding])
    except UnicodeDecodeError as error:
        raise InputRefused(f"a {kind} that is not {_CODECS[encoding]}, as it says it is", "send ASCII (3) or UTF-8 (106)") from error


def read_points(content: bytes) -> tuple[Point, ...]:
    """136 bytes per point. No axes are stated: 3D Slicer takes them as RAS.

    Raises
    ------
    InputRefused : a length that is no multiple, or numbers that are not finite
    """
    if len(content) % _POINT.size:
        raise InputRefused(f"a POINT of {len(content)} bytes, no multiple of {_POINT.size}", "check the sender")
    points = tuple(
        Point(padded_text(name), padded_text(group), (r, g, b, a), (x, y, z), radius_mm, padded_text(owner))
        for name, group, r, g, b, a, x, y, z, radius_mm, owner in _POINT.iter_unpack(content)
    )
    if not all(math.isfinite(value) for point in points for value in (*point.xyz_mm, point.radius_mm)):
        raise InputRefused("a POINT that holds NaN or infinite values", "check the sender")
    return points


def write_points(points: Sequence[Point]) -> bytes:
    """136 bytes per point."""
    return b"".join(_POINT.pack(padded(p.name, 64), padded(p.group, 32), *p.rgba, *p.xyz_mm, p.radius_mm, padded(p.owner, 20)) for p in points)
