"""A whole message: header, content and metadata, versions 1 and 2 (Documents/Protocol/header.md, v3_proposal.md).

The body of version 2 is `[extended header][content][metadata header][metadata]`. Extended header: uint16 its own size, uint16 size of the metadata
header, uint32 size of the metadata, uint32 message id. Metadata header: uint16 count, then per item uint16 key size, uint16 encoding of the value
(IANA MIBenum: 3 US-ASCII, 106 UTF-8), uint32 value size; the metadata are keys and values without anything between them.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from navtwin.errors import InputRefused
from navtwin.igtl.crc import crc64
from navtwin.igtl.header import Header, write_header

ASCII: Final = 3
UTF8: Final = 106
EXTENDED_BYTES: Final = 12
_EXTENDED: Final = struct.Struct(">HHII")
_ITEM: Final = struct.Struct(">HHI")
#: The metadata of a tracker's message are a few items; a list that is longer is an attack.
MOST_ITEMS: Final = 4096


@dataclass(frozen=True, slots=True)
class Message:
    """One message that was received whole.

    Attributes
    ----------
    header : as it came
    content : the body without extended header and metadata; of an IMAGE only the first bytes, without the pixels
    metadata : key -> value; empty in version 1
    """

    header: Header
    content: bytes
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.header.kind

    @property
    def device(self) -> str:
        return self.header.device


def read_message(header: Header, body: bytes) -> Message:
    """Take a body apart.

    Raises
    ------
    InputRefused : sizes inside the body that contradict its length
    """
    if header.version < 2:
        return Message(header, body)
    start, items, size = extended(body, header.size)
    end = len(body) - items - size
    return Message(header, body[start:end], _read_metadata(body[end:], items) if items else {})


def extended(body: bytes, size: int) -> tuple[int, int, int]:
    """Sizes of the extended header, the metadata header and the metadata, from the beginning of a body of `size` bytes.

    Raises
    ------
    InputRefused : too short, or sizes that exceed the body
    """
    if len(body) < EXTENDED_BYTES:
        raise InputRefused(f"a version 2 body of {len(body)} bytes lacks its extended header", "check the sender's protocol version")
    start, items, metadata, _ = _EXTENDED.unpack_from(body)
    if start < EXTENDED_BYTES or start + items + metadata > size:
        raise InputRefused(f"extended header {start}, metadata {items} + {metadata} in a body of {size} bytes", "check the sender's protocol version")
    return start, items, metadata


def _read_metadata(data: bytes, header_bytes: int) -> dict[str, str]:
    count = int.from_bytes(data[:2], "big")
    if count > MOST_ITEMS or 2 + _ITEM.size * count > header_bytes:
        raise InputRefused(f"{count} metadata items in a metadata header of {header_bytes} bytes", "check the sender's protocol version")
    metadata = dict[str, str]()
    at = header_bytes
    for n in range(count):
        key_bytes, _encoding, value_bytes = _ITEM.unpack_from(data, 2 + _ITEM.size * n)
        if at + key_bytes + value_bytes > len(data):
            raise InputRefused(f"metadata item {n} reaches past the end of the message", "check the sender's protocol version")
        value_at = at + key_bytes
        # ASCII is UTF-8; what is neither shows as a replacement sign and so matches nothing.
        key = data[at:value_at].decode("utf-8", "replace")
        metadata[key] = data[value_at : value_at + value_bytes].decode("utf-8", "replace")
        at = value_at + value_bytes
    return metadata


def write_message(
    kind: str, device: str, content: bytes, stamp_ns: int, *, metadata: Mapping[str, str] | None = None, version: int = 2, message_id: int = 0
) -> bytes:
    """A whole message as bytes.

    Parameters
    ----------
    stamp_ns : UTC, ns since 1970
    metadata : only version 2 can carry it

    Raises
    ------
    InputRefused : names that do not fit, metadata in version 1 or too much of it
    """
    if version < 2:
        if metadata:
            raise InputRefused("version 1 carries no metadata", "send version 2")
        body = content
    else:
        items, values = _write_metadata(metadata or {})
        body = _EXTENDED.pack(EXTENDED_BYTES, len(items), len(values), message_id) + content + items + values
    return write_header(Header(version, kind, device, stamp_ns, len(body), crc64(body))) + body


def _write_metadata(metadata: Mapping[str, str]) -> tuple[bytes, bytes]:
    if len(metadata) > MOST_ITEMS:
        raise InputRefused(f"{len(metadata)} metadata items", f"send at most {MOST_ITEMS}")
    header, values = [len(metadata).to_bytes(2, "big")], list[bytes]()
    for key, value in metadata.items():
        key_data, data = key.encode(), value.encode()
        if len(key_data) > 0xFFFF:
            raise InputRefused(f"the metadata key '{key[:40]}...' is too long", "use a shorter one")
        header.append(_ITEM.pack(len(key_data), ASCII if value.isascii() else UTF8, len(data)))
        values += [key_data, data]
    return b"".join(header), b"".join(values)
