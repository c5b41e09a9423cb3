"""One MCAP file being written, in the calling thread: records in, small zstd chunks out, the final name only at the end."""

from __future__ import annotations

import contextlib
import json
import os
from functools import cache
from pathlib import Path
from typing import BinaryIO

import msgspec
from mcap.writer import CompressionType, Writer

from navtwin import errors
from navtwin.record.format import CHANNEL_IDS, CHANNELS, PARTIAL, PROFILE, Record, to_log_time

#: A chunk also ends with each flush. What is kept of each in memory, to be written at the end, is about 1 kB: smaller ones would add up over hours.
CHUNK_BYTES = 512 * 1024


def partial_of(path: Path) -> Path:
    """The name that a log carries until it is finished."""
    return path.with_name(path.name + PARTIAL)


def _open(path: Path) -> BinaryIO:
    return path.open("xb")


class McapFile:
    """Writes `path + .partial` and renames it on `finish`. Every byte of the finished file is covered by a CRC.

    Raises
    ------
    InputRefused : the log, or the unfinished one of the same name, already exists; or its folder cannot be written
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = partial_of(path)
        if path.exists():
            raise errors.InputRefused(f"{path} already exists", "give the log another name; no recording is ever overwritten")
        try:
            self._stream = _open(self.partial)
        except FileExistsError as error:
            raise errors.InputRefused(
                f"{self.partial} is a recording that was not finished", "rescue it with `navtwin recover`, or give the log another name"
            ) from error
        except OSError as error:
            raise errors.InputRefused(f"cannot write {self.partial}: {error.strerror}", "check the folder") from error
        self._writer = Writer(self._stream, chunk_size=CHUNK_BYTES, compression=CompressionType.ZSTD, enable_data_crcs=True)
        self._writer.start(profile=PROFILE)
        for name in CHANNELS:
            schema = self._writer.register_schema(name.strip("/").replace("/", "."), "jsonschema", _json_schema(name))
            number = self._writer.register_channel(name, "json", schema)
            assert number == CHANNEL_IDS[name]

    def add(self, record: Record) -> None:
        """Append one record; a full chunk goes to the operating system. MCAP's sequence is `seq` modulo 2^32."""
        t = to_log_time(record.t_ns)
        self._writer.add_message(CHANNEL_IDS[record.channel], t, record.data, t, record.seq & 0xFFFF_FFFF)

    def flush(self) -> None:
        """Close the chunk in progress and put all of it on the disk."""
        self._writer.flush()
        os.fsync(self._stream.fileno())

    def finish(self) -> None:
        """Write the summary and give the file its name."""
        self._writer.finish()
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._stream.close()
        self.partial.replace(self.path)

    def abandon(self) -> None:
        """Close without finishing; the partial file stays for `navtwin recover`."""
        with contextlib.suppress(OSError):  # the disk refused these bytes before, and whoever wrote them has been told
            self._stream.close()


@cache
def _json_schema(channel: str) -> bytes:
    return json.dumps(msgspec.json.schema(CHANNELS[channel])).encode()
