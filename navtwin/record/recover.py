"""Rescue what a damaged or unfinished log still holds, and say what is lost."""

from __future__ import annotations

from itertools import chain, pairwise
from pathlib import Path

from navtwin.errors import InputRefused, LogDamaged
from navtwin.nouns import Noun
from navtwin.record.chunks import ChunkAt, Fault, check, chunk_head, find_chunks, skip_records
from navtwin.record.format import PARTIAL, Record
from navtwin.record.mcap_file import McapFile, partial_of
from navtwin.record.read import mapped


class Gap(Noun, frozen=True):
    """Inputs lost between two that were kept."""

    after_seq: int
    before_seq: int
    inputs: int
    seconds: float


class Rescue(Noun, frozen=True):
    """What was rescued and what was lost.

    Attributes
    ----------
    was : what was wrong with the source, "" if nothing
    records, inputs, seconds : kept
    has_header : without it the log can be exported but not replayed
    gaps : inputs lost in the middle
    unreadable_bytes : in the middle and at the end
    end_lost_s : from the last input kept to the end of the last damaged chunk, as its head states it; None where the source tells nothing of its end
    """

    source: str
    out: str
    was: str
    records: int
    inputs: int
    seconds: float
    has_header: bool
    gaps: tuple[Gap, ...]
    unreadable_bytes: int
    end_lost_s: float | None


def recovered_name(path: Path) -> Path:
    """Where the rescue of `path` goes by default: beside it."""
    stem = path.name.removesuffix(PARTIAL).removesuffix(".mcap")
    return path.with_name(f"{stem}.recovered.mcap")


def recover(path: str | Path, out: str | Path | None = None) -> Rescue:
    """Copy every chunk of `path` that is whole and proven by its CRC into a new, finished log.

    Raises
    ------
    InputRefused : no such file; `out` exists, is the source or cannot be written
    LogDamaged : nothing of ours in it
    """
    path = Path(path)
    out = recovered_name(path) if out is None else Path(out)
    if path.resolve() in (out.resolve(), partial_of(out).resolve()):
        raise InputRefused(f"{out} is the damaged log itself", "give the rescued log another name")
    with mapped(path) as data:
        was = _fault(data)
        found = find_chunks(data)
        first = next(found, None)
        if first is None:
            raise LogDamaged(f"{path} holds no whole piece of a navtwin log", "there is nothing to rescue")
        chunks, inputs, records, has_header = list[ChunkAt](), list[Record](), 0, False
        file = McapFile(out)
        try:
            for chunk, kept in chain((first,), found):
                chunks.append(chunk)
                for record in kept:
                    file.add(record)
                    records += 1
                    has_header |= record.channel == "/header"
                    if record.channel == "/input":
                        inputs.append(record._replace(data=b""))
            file.finish()
        except OSError as error:
            raise InputRefused(f"cannot write {out}: {error.strerror}", "name a place with space for it") from error
        finally:
            file.abandon()
            file.partial.unlink(missing_ok=True)
        unreadable, torn = _unreadable(data, chunks)
    return Rescue(
        source=str(path),
        out=str(out),
        was=was,
        records=records,
        inputs=len(inputs),
        seconds=(inputs[-1].t_ns - inputs[0].t_ns) * 1e-9 if inputs else 0.0,
        has_header=has_header,
        gaps=tuple(
            Gap(after_seq=a.seq, before_seq=b.seq, inputs=b.seq - a.seq - 1, seconds=(b.t_ns - a.t_ns) * 1e-9)
            for a, b in pairwise(inputs)
            if b.seq != a.seq + 1
        ),
        unreadable_bytes=unreadable,
        end_lost_s=0.0 if not was else max(0.0, (torn.last_ns - inputs[-1].t_ns) * 1e-9) if torn and inputs else None,
    )


def _fault(data: memoryview) -> str:
    try:
        check(data)
    except Fault as fault:
        if fault.kind == "version":
            raise LogDamaged(f"the log {fault}", "recover it with the version that wrote it") from fault
        return str(fault)
    return ""


def _unreadable(data: memoryview, chunks: list[ChunkAt]) -> tuple[int, ChunkAt | None]:
    """Bytes that no good record explains, and the head of the damaged chunk at the end, if there is one."""
    total, at = 0, 0
    for begin, end in zip([0, *(c.end for c in chunks)], [*(c.start for c in chunks), len(data)], strict=True):
        at = skip_records(data, begin if begin else 8, end)
        total += end - at
    return total, chunk_head(data, at)
