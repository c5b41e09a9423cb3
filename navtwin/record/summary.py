"""What happened in a session, in one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.nouns import LEVELS, Alert, AlertSet, Command, Event, Header, Level, Message, Noun, Output, Phase, Reply, TrackerFrame
from navtwin.record.format import OUTPUT, Stamps
from navtwin.record.read import decode, header, read_log

_RANK: Final = {level: rank for rank, level in enumerate(LEVELS)}

#: A running session has an input every 10 ms; a gap this long is a jump of its clock.
JUMP_NS = 60_000_000_000


class Raised(Noun, frozen=True):
    """An alert that began or rose, with the limit that it stands on and what was measured."""

    t_s: float
    seq: int
    alert: str
    level: Level
    limit_mm: float
    distance_mm: float | None
    bound_mm: float | None


class Given(Noun, frozen=True):
    """An operator's command."""

    t_s: float
    who: str
    order: str
    ok: bool | None
    reason: str


class Stage(Noun, frozen=True):
    """Latency of one stage, ms."""

    stage: str
    samples: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class Summary(Noun, frozen=True):
    """A session.

    Attributes
    ----------
    seconds : from the first to the last input
    inputs : how many of each kind (`frame`, `tick`, `command` ...)
    records : how many records each channel has
    sightings : how many of each status, per body (`drill OK`)
    alerts, commands : in order
    latency : per stage, of the frames of navigation; empty where it was not measured
    latency_measured : False for a bare tracking stream, and for a session that was not run at live pace
    """

    header: Header
    seconds: float
    inputs: dict[str, int]
    records: dict[str, int]
    sightings: dict[str, int]
    alerts: tuple[Raised, ...]
    commands: tuple[Given, ...]
    latency: tuple[Stage, ...]
    latency_measured: bool


def summary(path: str | Path, replayed: Iterable[tuple[Event, Sequence[Message]]] | None = None) -> Summary:
    """Go through a log once; alerts and replies are the logged ones, or those of `replayed` (see `navtwin.record.replay`) where it is given.

    Raises
    ------
    LogDamaged, InputRefused
    """
    told = header(path)
    tally = _Tally()
    for record in read_log(path):
        tally.records[record.channel] += 1
        if record.channel == "/input":
            tally.add_input(decode(record, path))
        elif record.channel == "/stamps":
            tally.add_stamps(decode(record, path))
        elif replayed is None and record.channel in (OUTPUT + "alerts", OUTPUT + "reply"):
            tally.add_output(record.seq, decode(record, path))
        elif record.channel == OUTPUT + "alerts":
            tally.phase = decode(record, path).phase
    for event, messages in replayed or ():
        for message in messages:
            tally.add_output(event.seq, message.body)
    measured = told.speed == 1.0
    return Summary(
        header=told,
        seconds=tally.seconds(tally.last_ns),
        inputs=dict(tally.kinds),
        records=dict(tally.records),
        sightings=dict(sorted(tally.sightings.items())),
        alerts=tuple(tally.alerts),
        commands=tuple(_given(t_s, command, tally) for t_s, command in tally.commands),
        latency=_latency(tally.stages_ns) if measured else (),
        latency_measured=measured and bool(tally.stages_ns),
    )


class _Tally:
    """What a session adds up to, record by record."""

    def __init__(self) -> None:
        self.records, self.kinds, self.sightings = Counter[str](), Counter[str](), Counter[str]()
        self.commands: list[tuple[float, Command]] = []
        self.replies: dict[tuple[str, str], Reply] = {}
        self.alerts: list[Raised] = []
        self.stages_ns: list[tuple[int, int, int, int]] = []
        self.first_ns: int | None = None
        self.last_ns = 0
        self.phase: Phase = "setup"
        self._levels: dict[str, Level] = {}
        self._frame: tuple[int, TrackerFrame, Phase] | None = None

    def seconds(self, t_ns: int) -> float:
        return (t_ns - (self.first_ns or 0)) * 1e-9

    def add_input(self, event: Event) -> None:
        if self.first_ns is None:
            self.first_ns = event.t_ns
        elif event.t_ns - self.last_ns > JUMP_NS:
            # The clock of a replayed setup lies in the past: where it jumps to the present, no time passes.
            self.first_ns += event.t_ns - self.last_ns
        self.last_ns = event.t_ns
        self.kinds[str(event.body.__struct_config__.tag)] += 1
        if isinstance(event.body, TrackerFrame):
            self._frame = event.seq, event.body, self.phase
            self.sightings.update(f"{s.body} {s.status}" for s in event.body.sightings)
        elif isinstance(event.body, Command):
            self.commands.append((self.seconds(event.t_ns), event.body))

    def add_stamps(self, stamps: Stamps) -> None:
        # Setup is played as fast as it goes, so only frames that came in while navigating tell of latency.
        if self._frame is not None and stamps.t_arrival_ns is not None:
            seq, frame, phase = self._frame
            if seq == stamps.seq and phase == "navigation":
                self.stages_ns.append((frame.t_capture_ns, stamps.t_arrival_ns, stamps.t_step_ns, stamps.t_publish_ns))

    def add_output(self, seq: int, body: Output) -> None:
        if isinstance(body, Reply):
            self.replies.setdefault((body.who, body.id), body)
        elif isinstance(body, AlertSet):
            self.phase = body.phase
            self.alerts += [self._raised(seq, body.t_ns, a) for a in body.alerts if _RANK[a.level] > _RANK[self._levels.get(a.id, "CLEAR")]]
            self._levels = {a.id: a.level for a in body.alerts}

    def _raised(self, seq: int, t_ns: int, alert: Alert) -> Raised:
        return Raised(
            t_s=self.seconds(t_ns),
            seq=seq,
            alert=alert.id,
            level=alert.level,
            limit_mm=alert.limit_mm,
            distance_mm=alert.distance_mm,
            bound_mm=alert.bound_mm,
        )


def _given(t_s: float, command: Command, tally: _Tally) -> Given:
    reply = tally.replies.get((command.who, command.id))
    return Given(
        t_s=t_s,
        who=command.who,
        order=str(command.order.__struct_config__.tag),
        ok=reply.ok if reply else None,
        reason=reply.reason if reply else "no reply in the log",
    )


def _latency(stages_ns: Sequence[tuple[int, int, int, int]]) -> tuple[Stage, ...]:
    if not stages_ns:
        return ()
    capture, arrival, step, publish = np.array(stages_ns, dtype=np.int64).T
    stages = {
        "capture to arrival": arrival - capture,
        "arrival to step done": step - arrival,
        "step done to published": publish - step,
        "capture to published": publish - capture,
    }
    return tuple(_stage(name, spans) for name, spans in stages.items())


def _stage(name: str, spans_ns: npt.NDArray[np.int64]) -> Stage:
    p50, p95, p99 = (float(p) for p in np.percentile(spans_ns, (50, 95, 99)) * 1e-6)
    return Stage(stage=name, samples=len(spans_ns), p50_ms=p50, p95_ms=p95, p99_ms=p99, max_ms=float(spans_ns.max()) * 1e-6)
