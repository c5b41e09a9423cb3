"""Read a finished log. All of it is checked before the first record is handed out: a damaged log gives a refusal, never wrong data."""

from __future__ import annotations

import contextlib
import mmap
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec

from navtwin import __version__
from navtwin.errors import InputRefused, LogDamaged, LogOfOtherVersion, NavtwinError
from navtwin.nouns import Event, Header, Output, Topic, TrueSetup, Truth
from navtwin.record.chunks import Fault, check, find_chunks, records_of
from navtwin.record.format import CHANNELS, OUTPUT, PARTIAL, OutputHash, Record, Stamps


class Logged(NamedTuple):
    """One output as it was logged; `seq` and `t_ns` are those of the input that caused it."""

    seq: int
    t_ns: int
    topic: Topic
    body: Output


@contextmanager
def mapped(path: Path) -> Iterator[memoryview]:
    """The bytes of a file, not copied into memory. Raises InputRefused."""
    try:
        stream = path.open("rb")
    except OSError as error:
        raise InputRefused(f"cannot read {path}: {error.strerror}", "check the path") from error
    with stream:
        if path.stat().st_size == 0:
            yield memoryview(b"")
            return
        # Not closed by hand: a generator that was dropped half-way may still hold a view, and the map goes with the last of them.
        yield memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))


def read_log(path: str | Path, channels: Collection[str] | None = None) -> Iterator[Record]:
    """All records of a finished log, in file order (of the named `channels` only, if given).

    Raises
    ------
    InputRefused : no such file
    LogDamaged : cut, altered, not finished, not ours or of another version; raised before the first record
    """
    path = Path(path)
    with mapped(path) as data:
        try:
            for chunk in check(data):
                for record in records_of(data, chunk):
                    if channels is None or record.channel in channels:
                        yield record
        except Fault as fault:
            raise _damaged(path, fault, data) from fault


def decode(record: Record, path: str | Path = "the log") -> Any:
    """The noun that a record holds: whatever its channel carries. Raises LogOfOtherVersion where it is not one that is known here."""
    try:
        return _decoder(record.channel).decode(record.data)
    except (msgspec.MsgspecError, NavtwinError, UnicodeDecodeError) as error:
        raise LogOfOtherVersion(
            f"{path}: record {record.seq} of {record.channel} cannot be read by navtwin {__version__} ({error})", _written_by(Path(path))
        ) from error


def header(path: str | Path) -> Header:
    """What was run. Raises LogDamaged also where the log has none."""
    for record in read_log(path, ("/header",)):
        return cast(Header, decode(record, path))
    raise LogDamaged(f"{path} has no header, so it cannot be told what was run", "export it, or import its tracking into a new log")


def inputs(path: str | Path) -> Iterator[Event]:
    """The inputs of the fold, in order."""
    for record in read_log(path, ("/input",)):
        yield decode(record, path)


def outputs(path: str | Path) -> Iterator[Logged]:
    """The outputs that were logged in full, in order."""
    for record in read_log(path, [name for name in CHANNELS if name.startswith(OUTPUT)]):
        yield Logged(record.seq, record.t_ns, cast(Topic, record.channel.removeprefix(OUTPUT)), decode(record, path))


def truths(path: str | Path) -> Iterator[TrueSetup | Truth]:
    """What was really so, where the source knew."""
    for record in read_log(path, ("/truth",)):
        yield decode(record, path)


def stamps(path: str | Path) -> Iterator[Stamps]:
    """The stage stamps of each input that had outputs."""
    for record in read_log(path, ("/stamps",)):
        yield decode(record, path)


def hashes(path: str | Path) -> Iterator[OutputHash]:
    """The output hash of each input that had outputs."""
    for record in read_log(path, ("/hash",)):
        yield decode(record, path)


def count(path: str | Path) -> Counter[str]:
    """How many records each channel has."""
    return Counter(record.channel for record in read_log(path))


@cache
def _decoder(channel: str) -> Any:
    return msgspec.json.Decoder(CHANNELS[channel])


def _damaged(path: Path, fault: Fault, data: memoryview) -> LogDamaged:
    if fault.kind == "version":
        return LogOfOtherVersion(f"{path} {fault}", _read_it_with(_writer(data)))
    if fault.kind == "foreign":
        return LogDamaged(f"{path} {fault}", "check that it is the right file")
    rescue = f"rescue what is in it: `navtwin recover {path}`"
    return LogDamaged(f"{path} was not finished" if path.name.endswith(PARTIAL) else f"{path} {fault}", rescue)


def _written_by(path: Path) -> str:
    """The remedy for a record that is not understood."""
    try:
        with mapped(path) as data:
            return _read_it_with(_writer(data))
    except InputRefused:
        return _read_it_with("")


def _read_it_with(writer: str) -> str:
    return f"it was written by navtwin {writer}: read it with that one, or a newer one" if writer else "read it with the version that wrote it"


def _writer(data: memoryview) -> str:
    """Version and code of the navtwin that wrote a log, from its header, however little else of it can be understood; "" where it does not say."""
    _, records = next(find_chunks(data), (None, []))
    for record in records:
        if record.channel == "/header":
            with contextlib.suppress(msgspec.MsgspecError):
                told = msgspec.json.decode(record.data, type=_Writer)
                return f"{told.version} (code {told.code_hash[:12]})" if told.code_hash else told.version
    return ""


class _Writer(msgspec.Struct):
    """What every version's header says of its writer."""

    version: str = ""
    code_hash: str = ""
