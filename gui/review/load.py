"""Reads a log once, from end to end, into the columns that a review works on; what is damaged is left out, and said."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, get_args

import msgspec
import numpy as np

from gui.review.session import GAP_NS, Given, Hole, Pair, Session, Span, Where
from navtwin.errors import LogDamaged
from navtwin.nouns import LEVELS, AlertSet, Command, DistanceStatus, Event, Header, Reply
from navtwin.record.chunks import ChunkAt, Fault, check, find_chunks, records_of
from navtwin.record.format import PARTIAL, Record
from navtwin.record.read import decode, mapped
from navtwin.record.summary import JUMP_NS

STATUSES: Final[tuple[str, ...]] = get_args(DistanceStatus)
_STATUS: Final = {status: code for code, status in enumerate(STATUSES)}
_LEVEL: Final = {level: code for code, level in enumerate(LEVELS)}


class _Reading(msgspec.Struct, gc=False):
    """What a column needs of a reading: decoding no more than that is what keeps opening a log short."""

    structure: str
    instrument: str
    part: str
    role: str
    status: str
    distance_mm: float | None = None
    bound_mm: float | None = None


class _State(msgspec.Struct):
    readings: list[_Reading]


_STATE: Final = msgspec.json.Decoder(_State)


@dataclass
class _Pass:
    """What has been gathered so far."""

    first_ns: int | None = None
    last_ns: int = 0
    last_seq: int | None = None
    header: Header | None = None
    states: list[int] = field(default_factory=list)
    state_where: list[Where] = field(default_factory=list)
    sets: list[int] = field(default_factory=list)
    set_where: list[Where] = field(default_factory=list)
    navigating: list[bool] = field(default_factory=list)
    pairs: dict[str, int] = field(default_factory=dict)
    readings: list[tuple[int, int, float, float, int]] = field(default_factory=list)
    levels: list[tuple[int, int, int, bool, bool]] = field(default_factory=list)
    spans: dict[tuple[str, ...], Span] = field(default_factory=dict)
    closed: list[Span] = field(default_factory=list)
    commands: list[tuple[int, Command]] = field(default_factory=list)
    replies: dict[tuple[str, str], Reply] = field(default_factory=dict)
    holes: list[Hole] = field(default_factory=list)

    def time(self, t_ns: int) -> int:
        """Since the first input; a jump of the clock (a setup that was replayed) takes no time."""
        if self.first_ns is None:
            self.first_ns = self.last_ns = t_ns
        elif t_ns - self.last_ns > JUMP_NS:
            self.first_ns += t_ns - self.last_ns
        self.last_ns = max(self.last_ns, t_ns)
        return self.last_ns - self.first_ns

    def take(self, record: Record, where: Where, path: Path) -> None:
        match record.channel:
            case "/input":
                self._input(record, path)
            case "/output/state":
                self._state(record, where, path)
            case "/output/alerts":
                self._alerts(decode(record, path), self.time(record.t_ns), where)
            case "/output/reply":
                reply: Reply = decode(record, path)
                self.replies.setdefault((reply.who, reply.id), reply)
            case "/header":
                self.header = decode(record, path)

    def _input(self, record: Record, path: Path) -> None:
        before_ns = self.last_ns - (self.first_ns or 0)
        t_ns = self.time(record.t_ns)
        if self.last_seq is not None and record.seq > self.last_seq + 1:
            self.holes.append(Hole(before_ns, t_ns, record.seq - self.last_seq - 1))
        self.last_seq = record.seq
        # Of the inputs only orders are of interest, and most inputs are frames and ticks.
        if b'"kind":"command"' in record.data:
            event: Event = decode(record, path)
            if isinstance(event.body, Command):
                self.commands.append((t_ns, event.body))

    def _state(self, record: Record, where: Where, path: Path) -> None:
        try:
            readings = _STATE.decode(record.data).readings
        except msgspec.MsgspecError as error:
            raise LogDamaged(
                f"{path}: record {record.seq} of the state cannot be read ({error})", "open it with the version that wrote it"
            ) from error
        row = len(self.states)
        self.states.append(self.time(record.t_ns))
        self.state_where.append(where)
        for r in readings:
            if r.role == "critical" and r.status in _STATUS:
                known = r.status == "OK" and r.distance_mm is not None
                distance = r.distance_mm if known and r.distance_mm is not None else np.nan
                bound = r.bound_mm if known and r.bound_mm is not None else np.nan
                self.readings.append((row, self._pair(f"{r.structure}/{r.instrument}/{r.part}"), distance, bound, _STATUS[r.status]))

    def _pair(self, ident: str) -> int:
        return self.pairs.setdefault(ident, len(self.pairs))

    def _alerts(self, said: AlertSet, t_ns: int, where: Where) -> None:
        row = len(self.sets)
        # Before a hole in the log the last set holds for no longer than a set ever does.
        held_ns = min(t_ns, self.sets[-1] + GAP_NS) if self.sets else t_ns
        self.sets.append(t_ns)
        self.set_where.append(where)
        self.navigating.append(said.phase == "navigation")
        in_use = said.health.selected
        for pair in said.pairs:
            used = not in_use or pair.id.split("/")[1] in in_use
            self.levels.append((row, self._pair(pair.id), _LEVEL.get(pair.level or "CLEAR", 0), pair.known, used))
        current: dict[tuple[str, ...], Span] = {}
        for a in said.alerts:
            current["alert", a.id, a.level, str(a.known)] = Span("alert", a.id, a.level, a.priority, a.known, t_ns, t_ns, a.bound_mm)
        for alarm in said.technical:
            current["technical", alarm.id] = Span("technical", alarm.id, alarm.text, alarm.priority, True, t_ns, t_ns)
        hole = held_ns < t_ns
        for key, span in self.spans.items():
            if hole or key not in current:
                self.closed.append(replace(span, end_ns=held_ns))
            else:
                new = current[key]
                bounds = [b for b in (span.worst_mm, new.worst_mm) if b is not None]
                current[key] = replace(new, start_ns=span.start_ns, worst_mm=min(bounds, default=None))
        self.spans = current


def load(path: Path) -> Session:
    """Read `path`, whole or in pieces.

    Raises
    ------
    InputRefused : no such file
    LogDamaged : not ours, of another version, or nothing of it can be read
    """
    path = Path(path)
    gathered = _Pass()
    with mapped(path) as data:
        fault, pieces = _pieces(data, path)
        chunks: list[ChunkAt] = []
        for chunk, records in pieces:
            for n, record in enumerate(records):
                gathered.take(record, (len(chunks), n), path)
            chunks.append(chunk)
    if not chunks:
        raise LogDamaged(f"{path} holds no whole piece of a navtwin log", "there is nothing to look at")
    return _session(path, gathered, chunks, data, fault)


def _pieces(data: memoryview, path: Path) -> tuple[str, Iterator[tuple[ChunkAt, list[Record]]]]:
    """Chunks in order with their records, and what is wrong with the file, "" if nothing."""
    try:
        chunks = check(data)
    except Fault as fault:
        if fault.kind != "damaged":
            remedy = "open it with the version that wrote it" if fault.kind == "version" else "check that it is the right file"
            raise LogDamaged(f"{path} {fault}", remedy) from fault
        unfinished = path.name.endswith(PARTIAL)
        return f"{path.name} {'was not finished' if unfinished else fault}", find_chunks(data)
    return "", ((chunk, list(_sound(data, chunk, path))) for chunk in chunks)


def _sound(data: memoryview, chunk: ChunkAt, path: Path) -> Iterator[Record]:
    try:
        yield from records_of(data, chunk)
    except Fault as fault:
        raise LogDamaged(f"{path} {fault}", "check that it is the right file") from fault


def _session(path: Path, got: _Pass, chunks: list[ChunkAt], data: memoryview, fault: str) -> Session:
    end_ns = got.last_ns - (got.first_ns or 0)
    last_ns = min(end_ns, got.sets[-1] + GAP_NS) if got.sets else end_ns
    spans = [*got.closed, *(replace(span, end_ns=last_ns) for span in got.spans.values())]
    n_states, n_sets, n_pairs = len(got.states), len(got.sets), len(got.pairs)
    distance, bound = np.full((2, n_states, n_pairs), np.nan)
    status = np.full((n_states, n_pairs), -1, dtype=np.int8)
    if got.readings:
        rows, pairs, distances, bounds, codes = (np.array(column) for column in zip(*got.readings, strict=True))
        distance[rows, pairs], bound[rows, pairs], status[rows, pairs] = distances, bounds, codes
    level = np.zeros((n_sets, n_pairs), dtype=np.int8)
    known, used = np.zeros((2, n_sets, n_pairs), dtype=bool)
    if got.levels:
        at, of, levels, knowns, uses = (np.array(column) for column in zip(*got.levels, strict=True))
        level[at, of], known[at, of], used[at, of] = levels, knowns, uses
    return Session(
        path=path, header=got.header, fault=fault, holes=tuple(got.holes), end_ns=end_ns,
        pairs=tuple(Pair(*map(sys.intern, ident.split("/", 2))) for ident in got.pairs),
        t_ns=np.array(got.states, dtype=np.int64), distance_mm=distance, bound_mm=bound, status=status,
        set_t_ns=np.array(got.sets, dtype=np.int64), level=level, level_known=known, in_use=used,
        navigating=np.array(got.navigating, dtype=bool),
        spans=tuple(sorted(spans, key=lambda s: (s.start_ns, s.kind, s.id))),
        commands=tuple(Given(t_ns, c.who, c.order, got.replies.get((c.who, c.id))) for t_ns, c in got.commands),
        chunks=tuple(chunks), state_where=tuple(got.state_where), set_where=tuple(got.set_where), data=data,
    )  # fmt: skip
