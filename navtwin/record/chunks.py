"""The bytes of a log: walk a whole one and check every CRC, or find the chunks that are still good in what is left of one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Final, Literal, NamedTuple

import zstandard
from mcap.data_stream import ReadDataStream
from mcap.exceptions import McapError
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, Message
from mcap.records import Header as McapHeader
from mcap.stream_reader import breakup_chunk
from mcap.writer import MCAP0_MAGIC

from navtwin.record.format import CHANNEL_IDS, CHANNEL_NAMES, PROFILE, Record, from_log_time

_RECORD: Final = struct.Struct("<BQ")
_FOOTER: Final = struct.Struct("<QQI")
#: start and end time, uncompressed size, CRC, then `zstd` with its length: where a chunk's data length stands, and what marks a chunk.
_CHUNK_HEAD: Final = struct.Struct("<QQQI8sQ")
_ZSTD: Final = b"\x04\x00\x00\x00zstd"
_ZSTD_AT: Final = _RECORD.size + 28
#: No record of ours comes near it (chunks are 64 KiB, plus one message): larger is a damaged length or a hostile file.
CHUNK_LIMIT: Final = 256 * 1024 * 1024
_OPCODES: Final = frozenset(Opcode)
_DAMAGE = (OverflowError, McapError, ValueError, struct.error, zstandard.ZstdError)


class Fault(Exception):
    """What is wrong with the bytes, as the rest of a sentence that begins with the log's name; only what is `damaged` can be rescued."""

    def __init__(self, what: str, kind: Literal["damaged", "foreign", "version"] = "damaged") -> None:
        super().__init__(what)
        self.kind = kind


class ChunkAt(NamedTuple):
    """A chunk record whose bytes lie at [start, end) of the file; its times are ns."""

    start: int
    end: int
    first_ns: int
    last_ns: int


def check(data: memoryview) -> list[ChunkAt]:
    """Check a finished log from end to end: structure, profile, and the CRCs of data section and summary, which together cover every byte.

    Raises
    ------
    Fault : naming what is wrong first
    """
    size = len(data)
    if size < len(MCAP0_MAGIC) or data[: len(MCAP0_MAGIC)] != MCAP0_MAGIC:
        raise Fault("is not a navtwin log (no MCAP mark at its beginning)" if size else "is empty", "foreign")
    at, chunks, crc_at, summary_at = len(MCAP0_MAGIC), list[ChunkAt](), -1, -1
    opcode = 0
    while opcode != Opcode.FOOTER:
        if at + _RECORD.size > size:
            raise Fault("is cut: its end is missing")
        opcode, length = _RECORD.unpack_from(data, at)
        start, at = at, at + _RECORD.size + length
        if at > size:
            raise Fault("is cut, or altered: a record runs past its end")
        if start == len(MCAP0_MAGIC):
            _check_profile(data[start:at])
        elif opcode == Opcode.CHUNK:
            chunk = chunk_head(data, start)
            if chunk is None or chunk.end != at:
                raise Fault("is altered: a chunk's head makes no sense")
            chunks.append(chunk)
        elif opcode == Opcode.DATA_END:
            crc_at, summary_at = start, at
    if at + len(MCAP0_MAGIC) > size:
        raise Fault("is cut: its end is missing")
    if data[at : at + len(MCAP0_MAGIC)] != MCAP0_MAGIC or at + len(MCAP0_MAGIC) != size:
        raise Fault("is altered: it does not end where its footer says")
    if crc_at < 0 or summary_at - crc_at != _RECORD.size + 4:
        raise Fault("is altered: the end of its data section is not marked")
    if zlib.crc32(data[:crc_at]) != struct.unpack_from("<I", data, crc_at + _RECORD.size)[0]:
        raise Fault("is altered: the checksum of its data does not agree")
    if zlib.crc32(data[summary_at : at - 4]) != _FOOTER.unpack_from(data, at - _FOOTER.size)[2]:
        raise Fault("is altered: the checksum of its summary does not agree")
    return chunks


def records_of(data: memoryview, chunk: ChunkAt) -> Iterator[Record]:
    """The messages of one chunk, its CRC checked before the first is handed out. Raises Fault."""
    head = _chunk_head(data, chunk.start)
    body = data[chunk.start + _RECORD.size : chunk.end]
    try:
        # The compressed data state their size too, and it is what gets allocated: believe neither alone.
        sizes_agree = head is not None and zstandard.frame_content_size(bytes(body[_CHUNK_HEAD.size :][:32])) == head[2] <= CHUNK_LIMIT
        parts = breakup_chunk(Chunk.read(ReadDataStream(BytesIO(body))), validate_crc=True) if sizes_agree else None
    except _DAMAGE as error:
        raise Fault(f"is altered: a chunk cannot be read ({error})") from error
    if parts is None:
        raise Fault("is altered: a chunk's head makes no sense")
    for part in parts:
        if isinstance(part, Channel) and CHANNEL_IDS.get(part.topic) != part.id:
            raise Fault(f"is not a navtwin log: it has a channel '{part.topic}'", "foreign")
        if isinstance(part, Message):
            name = CHANNEL_NAMES.get(part.channel_id)
            if name is None:
                raise Fault(f"is not a navtwin log: it has a channel {part.channel_id}", "foreign")
            yield Record(name, part.sequence, from_log_time(part.log_time), part.data)


def find_chunks(data: memoryview) -> Iterator[tuple[ChunkAt, list[Record]]]:
    """Every chunk that is whole and good, in order, however damaged the bytes around it: they are found by their mark and proven by their CRC."""
    buffer, at = data.obj, 0
    assert hasattr(buffer, "find")
    while (mark := buffer.find(_ZSTD, at)) >= 0:
        start, at = mark - _ZSTD_AT, mark + 1
        chunk = chunk_head(data, start) if start >= 0 else None
        if chunk is None:
            continue
        # A chunk states its size twice. Where they differ, the larger would pass over whatever good chunks it covers.
        _, length = _RECORD.unpack_from(data, start)
        chunk = chunk._replace(end=min(chunk.end, start + _RECORD.size + length))
        if chunk.end > len(data):
            continue
        try:
            records = list(records_of(data, chunk))
        except Fault:
            continue
        yield chunk, records
        at = chunk.end


def skip_records(data: memoryview, at: int, end: int) -> int:
    """Where the run of well-formed records other than chunks stops that begins at `at`: what lies from there to `end` could not be read."""
    while at + _RECORD.size <= end:
        opcode, length = _RECORD.unpack_from(data, at)
        if opcode == Opcode.CHUNK or opcode not in _OPCODES or at + _RECORD.size + length > end:
            break
        at += _RECORD.size + length
    return end if data[at:end] == MCAP0_MAGIC else at


def chunk_head(data: memoryview, start: int) -> ChunkAt | None:
    """What the head of a chunk at `start` says of itself, though the rest may be cut off or altered; None if there is no such head."""
    head = _chunk_head(data, start)
    if head is None:
        return None
    return ChunkAt(start, start + _RECORD.size + _CHUNK_HEAD.size + head[5], from_log_time(head[0]), from_log_time(head[1]))


def _chunk_head(data: memoryview, start: int) -> tuple[int, int, int, int, bytes, int] | None:
    if start + _RECORD.size + _CHUNK_HEAD.size > len(data) or data[start] != Opcode.CHUNK:
        return None
    head = _CHUNK_HEAD.unpack_from(data, start + _RECORD.size)
    return head if head[4] == _ZSTD else None


def _check_profile(record: memoryview) -> None:
    opcode = record[0] if len(record) else 0
    try:
        profile = McapHeader.read(ReadDataStream(BytesIO(record[_RECORD.size :]))).profile if opcode == Opcode.HEADER else ""
    except _DAMAGE as error:
        raise Fault("is altered: its first record cannot be read") from error
    if profile == PROFILE:
        return
    if profile.startswith("navtwin-"):
        raise Fault(f"is in log format '{profile}', this navtwin reads '{PROFILE}'", "version")
    raise Fault(f"is not a navtwin log (MCAP profile '{profile}')", "foreign")
