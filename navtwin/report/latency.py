"""Latency by stage, from the stamps in the log and the operator's journal; navigation only, for calibration may be replayed faster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from navtwin.errors import InputRefused
from navtwin.report.session import Session


class Received(msgspec.Struct, frozen=True):
    """What of one line of an operator's journal matters here: a message and when it came out of the socket (the same host's monotonic clock, ns).

    Lines about what the operator sent have no topic; other fields are left alone.
    """

    topic: str = ""
    epoch: str = ""
    seq: int = -1
    t_publish_ns: int = 0
    t_received_ns: int = 0


@dataclass(frozen=True)
class Stage:
    """One leg of the way, or the whole way: `count` samples, milliseconds."""

    name: str
    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


def read_journal(path: Path) -> list[Received]:
    """The operator's journal, JSON by line. A last line that was cut off (the operator was stopped) is left out.

    Raises
    ------
    InputRefused : unreadable, or a line that is no journal entry
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputRefused(f"cannot read the operator's journal {path}: {error.strerror}", "check the path") from error
    decode = msgspec.json.Decoder(Received).decode
    entries = []
    for number, line in enumerate(lines[:-1], start=1):
        try:
            entries.append(decode(line))
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise InputRefused(
                f"{path}, line {number} is not a journal entry: {error}", "leave the journal out, or pass the one of this session"
            ) from error
    return entries


def latency(session: Session, journal: list[Received] | None = None) -> list[Stage]:
    """p50, p95, p99 and maximum of each stage; none where the session did not run at live pace (`speed` other than 1).

    Stages without a sample are left out. Percentiles are of measured samples (`method="higher"`), never interpolated below a real one.
    """
    if session.header.speed != 1.0:
        return []
    capture = {
        int(s): int(c)
        for s, c, e in zip(session.frames.seq, session.frames.t_capture_ns, session.frames.t_event_ns, strict=True)
        if e >= session.start_ns
    }
    stamped = {seq: session.stamps[seq] for seq in capture if seq in session.stamps}
    first: dict[int, Received] = {}
    for entry in journal or []:
        if entry.topic == "alerts" and entry.epoch == session.header.session and entry.seq in stamped:
            first.setdefault(entry.seq, entry)
    spans: dict[str, list[int]] = {
        "capture → arrival": [a - capture[s] for s, (a, _, _) in stamped.items() if a is not None],
        "arrival → step done": [d - a for a, d, _ in stamped.values() if a is not None],
        "step done → published": [p - d for _, d, p in stamped.values()],
        "published → alert received": [e.t_received_ns - e.t_publish_ns for e in first.values()],
        "arrival → alert received": [e.t_received_ns - a for s, e in first.items() if (a := stamped[s][0]) is not None],
        "capture → alert received": [e.t_received_ns - capture[s] for s, e in first.items()],
    }
    return [_stage(name, np.array(ns, dtype=np.float64) * 1e-6) for name, ns in spans.items() if ns]


def _stage(name: str, ms: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Stage:
    p50, p95, p99 = (float(v) for v in np.percentile(ms, (50.0, 95.0, 99.0), method="higher"))
    return Stage(name, ms.size, p50, p95, p99, float(ms.max()))
