"""Gather a session, record by record, from a log or straight from the fold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from navtwin.errors import LogDamaged
from navtwin.nouns import (
    LEVELS,
    AlertSet,
    Audio,
    BoneState,
    BoneUndone,
    Carved,
    Command,
    Event,
    Header,
    Message,
    Output,
    PivotResult,
    Pose,
    Reading,
    RegistrationResult,
    Reply,
    Spindle,
    State,
    TrackerFrame,
    TrueSetup,
    Truth,
)
from navtwin.record.read import decode, read_log
from navtwin.report.drill_notes import DrillNotes
from navtwin.report.drill_truths import true_drills
from navtwin.report.episodes import CommandRow, Episodes, command_row
from navtwin.report.judge import Floats, Levels, Times, TrueSeries
from navtwin.report.session import Frames, PairSeries, Session, TipSeries
from navtwin.report.verified import VerifiedNotes

#: The channels that the report is made of.
WANTED = ("/header", "/input", "/output/state", "/output/alerts", "/output/reply", "/output/carved", "/truth", "/stamps")


@dataclass
class _LevelNotes:
    t_ns: list[int] = field(default_factory=list)
    rank: list[int] = field(default_factory=list)
    known: list[bool] = field(default_factory=list)


@dataclass
class Draft:
    """A session being gathered, record by record, in the order of the log."""

    frames: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    frame_of_seq: dict[int, int] = field(default_factory=dict)
    readings: dict[str, tuple[Reading, list[tuple[int, float, float, float, float, str]]]] = field(default_factory=dict)
    tips: dict[str, list[tuple[int, Pose]]] = field(default_factory=dict)
    levels: dict[str, _LevelNotes] = field(default_factory=dict)
    allowances: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    truths: list[Truth] = field(default_factory=list)
    episodes: Episodes = field(default_factory=Episodes)
    commands: list[CommandRow] = field(default_factory=list)
    pivots: dict[str, PivotResult] = field(default_factory=dict)
    registration: RegistrationResult | None = None
    refused: list[PivotResult | RegistrationResult] = field(default_factory=list)
    true_setup: TrueSetup | None = None
    start_ns: int | None = None
    end_ns: int = 0
    nearest: dict[str, Reading] = field(default_factory=dict)
    closest: State | None = None
    closest_mm: float = np.inf
    closest_ns: int = 0
    closest_alerts: AlertSet | None = None
    latest_alerts: AlertSet | None = None
    stamps: dict[int, tuple[int | None, int, int]] = field(default_factory=dict)
    drilling: DrillNotes = field(default_factory=DrillNotes)
    verified: VerifiedNotes = field(default_factory=lambda: VerifiedNotes([]))
    now_ns: int = 0

    def take_event(self, event: Event) -> None:
        """One input of the fold."""
        body = event.body
        self.now_ns = event.t_ns
        if isinstance(body, TrackerFrame):
            self.frame_of_seq[event.seq] = len(self.frames)
            self.frames.append((body.number, event.seq, body.t_capture_ns, body.t_arrival_ns, event.t_ns))
        elif isinstance(body, Command):
            if isinstance(body.order, Audio):
                # Said every 2 s by a client without sound; the alarm that it keeps is told among the technical ones.
                return
            if isinstance(body.order, Spindle) and not self.drilling.take_spindle(body.order):
                return
            self.commands.append(command_row(body, event.t_ns))
        elif isinstance(body, BoneState):
            self.drilling.take_start(body)
        elif isinstance(body, PivotResult | RegistrationResult):
            self._take_result(body)

    def _take_result(self, result: PivotResult | RegistrationResult) -> None:
        if not result.accepted:
            self.refused.append(result)
        elif isinstance(result, PivotResult):
            self.pivots[result.tool] = result
        else:
            self.registration = result

    def take_output(self, seq: int, body: Output) -> None:
        """One message of the fold, caused by the event `seq`."""
        if isinstance(body, State) and body.phase == "navigation":
            self._take_state(seq, body)
        elif isinstance(body, AlertSet) and body.phase == "navigation":
            self._take_alerts(body)
        elif isinstance(body, Carved | BoneUndone):
            self.drilling.take_carved(body, self.now_ns)
        elif isinstance(body, Reply):
            asked = next((c for c in reversed(self.commands) if (c.who, c.id) == (body.who, body.id)), None)
            if asked is not None:
                asked.reply = body

    def take_truth(self, item: TrueSetup | Truth) -> None:
        """What the source knows to be so."""
        if isinstance(item, TrueSetup):
            self.true_setup = item
        else:
            self.truths.append(item)

    def _take_state(self, seq: int, state: State) -> None:
        at = self.frame_of_seq.get(seq)
        if at is None:
            return
        self.drilling.take_state(state, self.frames[at][4])
        for tool in state.instruments:
            if tool.pose is not None:
                self.tips.setdefault(tool.instrument, []).append((at, tool.pose))
        for reading in state.readings:
            if reading.role != "critical":
                continue
            key = f"{reading.structure}/{reading.instrument}/{reading.part}"
            _, rows = self.readings.setdefault(key, (reading, []))
            numbers = (_nan(reading.distance_mm), _nan(reading.bound_mm), _nan(reading.sd_mm), _nan(reading.speed_mm_s))
            rows.append((at, *numbers, reading.status))
            self._allow(key, self.frames[at][4], reading.distance_mm, reading.bound_mm)
            self._take_nearest(reading, state, self.frames[at][4])

    def _take_alerts(self, published: AlertSet) -> None:
        if self.start_ns is None:
            self.start_ns = published.t_ns
        self.end_ns = published.t_ns
        self.episodes.take(published)
        self.verified.take(published)
        self.latest_alerts = published
        for alert in published.alerts:  # between frames the bound goes on falling with age, and may raise a level by itself
            self._allow(alert.id, published.t_ns, alert.distance_mm, alert.bound_mm)
        for pair in published.pairs:
            notes = self.levels.setdefault(pair.id, _LevelNotes())
            rank = -1 if pair.level is None else LEVELS.index(pair.level)
            if not notes.t_ns or (notes.rank[-1], notes.known[-1]) != (rank, pair.known):
                notes.t_ns.append(published.t_ns)
                notes.rank.append(rank)
                notes.known.append(pair.known)

    def _take_nearest(self, reading: Reading, state: State, t_ns: int) -> None:
        if reading.distance_mm is None:
            return
        before = self.nearest.get(reading.structure)
        if before is None or before.distance_mm is None or reading.distance_mm < before.distance_mm:
            self.nearest[reading.structure] = reading
        if reading.distance_mm < self.closest_mm:
            self.closest_mm, self.closest, self.closest_alerts = reading.distance_mm, state, self.latest_alerts
            self.closest_ns = t_ns

    def _allow(self, pair: str, t_ns: int, distance_mm: float | None, bound_mm: float | None) -> None:
        if distance_mm is not None and bound_mm is not None:
            self.allowances.setdefault(pair, []).append((t_ns, distance_mm - bound_mm))

    def finish(self, header: Header) -> Session:
        """The session as arrays."""
        frames = Frames(*np.array(self.frames, dtype=np.int64).reshape(-1, 5).T)
        true_t_ns = _true_times(self.truths, frames)
        start_ns = self.start_ns if self.start_ns is not None else self.end_ns
        return Session(
            header=header,
            frames=frames,
            start_ns=start_ns,
            end_ns=self.end_ns,
            pairs={key: _pair(key, like, rows, frames) for key, (like, rows) in self.readings.items()},
            levels={k: Levels(np.array(n.t_ns, np.int64), np.array(n.rank, np.int8), np.array(n.known, np.bool_)) for k, n in self.levels.items()},
            allowances={key: (np.array([t for t, _ in rows], np.int64), np.array([mm for _, mm in rows])) for key, rows in self.allowances.items()},
            truth=_true_distances(self.truths, true_t_ns),
            tips={tool: _tips(rows, frames) for tool, rows in self.tips.items()},
            true_tips=_true_tips(self.truths, true_t_ns),
            true_drills=true_drills(self.truths, true_t_ns),
            alerts=tuple(self.episodes.alerts),
            technical=tuple(self.episodes.technical),
            commands=tuple(self.commands),
            pivots=self.pivots,
            registration=self.registration,
            refused=tuple(self.refused),
            true_setup=self.true_setup,
            nearest=self.nearest,
            closest=self.closest,
            closest_alerts=self.closest_alerts,
            stamps=self.stamps,
            drilling=self.drilling.finish(),
            closest_ns=self.closest_ns,
            verification=self.verified.figures(self.end_ns),
        )


def load_session(log: Path) -> Session:
    """Read a finished log in one pass.

    Raises
    ------
    InputRefused : no such file
    LogDamaged : cut, altered or without a header
    """
    draft = Draft()
    header: Header | None = None
    for record in read_log(log, WANTED):
        body = decode(record, log)
        if record.channel == "/header":
            header = body
        elif record.channel == "/input":
            draft.take_event(body)
        elif record.channel == "/truth":
            draft.take_truth(body)
        elif record.channel == "/stamps":
            draft.stamps[body.seq] = (body.t_arrival_ns, body.t_step_ns, body.t_publish_ns)
        else:
            draft.take_output(record.seq, body)
    if header is None:
        raise LogDamaged(f"{log} has no header, so it cannot be told what was run", "record the session again")
    return draft.finish(header)


def gather(header: Header, run: Iterable[tuple[Event, Iterable[Message]]], truths: Iterable[TrueSetup | Truth]) -> Session:
    """A session straight from the fold, without a log between: events with the messages they caused, and the source's truth."""
    draft = Draft()
    for event, messages in run:
        draft.take_event(event)
        for message in messages:
            draft.take_output(event.seq, message.body)
    for item in truths:
        draft.take_truth(item)
    return draft.finish(header)


def _nan(value: float | None) -> float:
    return np.nan if value is None else value


def _pair(key: str, like: Reading, rows: list[tuple[int, float, float, float, float, str]], frames: Frames) -> PairSeries:
    at, distance, bound, sd, speed, status = zip(*rows, strict=True)
    t_ns = frames.t_capture_ns[np.array(at, dtype=np.int64)]
    return PairSeries(
        id=key,
        structure=like.structure,
        instrument=like.instrument,
        part=like.part,
        t_ns=t_ns,
        distance_mm=np.array(distance, dtype=np.float64),
        bound_mm=np.array(bound, dtype=np.float64),
        sd_mm=np.array(sd, dtype=np.float64),
        speed_mm_s=np.array(speed, dtype=np.float64),
        status=np.array(status),
    )


def _tips(rows: list[tuple[int, Pose]], frames: Frames) -> TipSeries:
    at = np.array([row[0] for row in rows], dtype=np.int64)
    return TipSeries(frames.number[at], frames.t_capture_ns[at], frames.t_event_ns[at], *_places([pose for _, pose in rows]))


def _places(poses: list[Pose]) -> tuple[Floats, Floats]:
    """Positions (N, 3), mm, and axes (N, 3) of poses T_ct_from_tip."""
    w, x, y, z = np.array([pose.q_wxyz for pose in poses]).T
    axis = np.stack([2.0 * (x * z + w * y), 2.0 * (y * z - w * x), 1.0 - 2.0 * (x * x + y * y)], axis=1)
    return np.array([pose.t_mm for pose in poses]), axis


def _true_times(truths: list[Truth], frames: Frames) -> Times:
    """Capture times of the truth on the session's clock.

    The loop re-stamps frames when it paces a recording; truth is matched to them by frame number. Where a frame was dropped, the offset of the
    last matched one before it holds.
    """
    t_ns = np.array([truth.t_capture_ns for truth in truths], dtype=np.int64)
    if not truths or not frames.number.size:
        return t_ns
    index = {int(number): at for at, number in enumerate(frames.number)}
    matched = np.array([index.get(truth.frame, -1) for truth in truths], dtype=np.int64)
    hits = np.flatnonzero(matched >= 0)
    if not hits.size:
        return t_ns
    offsets = frames.t_capture_ns[matched[hits]] - t_ns[hits]
    last = np.maximum(np.searchsorted(hits, np.arange(len(truths)), side="right") - 1, 0)
    shifted: Times = t_ns + offsets[last]
    return shifted


def _true_distances(truths: list[Truth], t_ns: Times) -> dict[str, TrueSeries]:
    rows: dict[str, list[tuple[int, float]]] = {}
    for at, truth in enumerate(truths):
        for d in truth.distances:
            rows.setdefault(f"{d.structure}/{d.instrument}/{d.part}", []).append((at, d.distance_mm))
    series = {}
    for key, pairs in rows.items():
        at_frames = np.array([at for at, _ in pairs], dtype=np.int64)
        series[key] = TrueSeries(t_ns[at_frames], np.array([mm for _, mm in pairs]))
    return series


def _true_tips(truths: list[Truth], t_ns: Times) -> dict[str, TipSeries]:
    rows: dict[str, list[tuple[int, Pose]]] = {}
    for at, truth in enumerate(truths):
        for tool in truth.instruments:
            if tool.pose is not None:
                rows.setdefault(tool.instrument, []).append((at, tool.pose))
    tips = {}
    for tool_name, found in rows.items():
        at_frames = np.array([at for at, _ in found], dtype=np.int64)
        numbers = np.array([truths[at].frame for at in at_frames], dtype=np.int64)
        tips[tool_name] = TipSeries(numbers, t_ns[at_frames], t_ns[at_frames], *_places([pose for _, pose in found]))
    return tips
