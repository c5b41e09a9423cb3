"""A rehearsal read out as a stream: frames, commands and truth in the order in which they reach the host, and the same as a recorded log."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from navtwin.nouns import (
    Command,
    Event,
    Header,
    InstrumentState,
    Pose,
    Sighting,
    SourceItem,
    TrackerFrame,
    TrueDistance,
    TrueSetup,
    TrueTool,
    Truth,
)
from phantoms.motion import Poses, quaternions
from phantoms.rehearsal import Rehearsal
from phantoms.tracker import NS_PER_S

_ROWS, _COLUMNS = np.triu_indices(6)
WHO = "script"

TimedItem = tuple[int, SourceItem]


def timed_items(rehearsal: Rehearsal, name: str) -> Iterator[TimedItem]:
    """Every item with the time at which it reaches the host, ns. Each frame is followed by its truth.

    Parameters
    ----------
    name : what the frames give as their source
    """
    commands = (
        (int(time_s * NS_PER_S), 0, Command(who=WHO, id=f"{WHO}-{n}", order=order))
        for n, (time_s, order) in enumerate(rehearsal.script.orders, start=1)
    )
    yield 0, _true_setup(rehearsal)
    merged: Iterator[tuple[int, int, Any]] = heapq.merge(commands, _frames(rehearsal, name), key=lambda entry: entry[:2])
    for t_ns, _, item in merged:
        yield t_ns, item


def write_stream(path: Path, items: Iterable[TimedItem], header: Header) -> None:
    """Record items as a log whose inputs can be replayed: channel `/input` for frames and commands, `/truth` beside it."""
    from navtwin.record.log import LogWriter

    with LogWriter(path, live=False) as log:
        log.write_header(header)
        seq = 0
        for t_ns, item in items:
            if isinstance(item, TrackerFrame | Command):
                log.write_event(Event(seq=seq, t_ns=t_ns, body=item))
                seq += 1
            else:
                log.write_truth(item)


def _true_setup(rehearsal: Rehearsal) -> TrueSetup:
    tools = [TrueTool(tool=name, tip_mm=tuple(made.tip_mm.tolist())) for name, made in rehearsal.made.items()]
    return TrueSetup(tools=tuple(tools), T_ct_from_ref=Pose.from_rigid(rehearsal.stage.T_ct_from_ref))


class _PoseColumn:
    """Sampled poses, turned into nouns one at a time."""

    def __init__(self, poses: Poses) -> None:
        self._q_wxyz = quaternions(poses.rotation).tolist()
        self._t_mm = poses.t_mm.tolist()

    def at(self, n: int) -> Pose:
        return Pose(q_wxyz=tuple(self._q_wxyz[n]), t_mm=tuple(self._t_mm[n]))


class _SightingColumn:
    """What the tracker says of one body, frame by frame."""

    def __init__(self, rehearsal: Rehearsal, body: str) -> None:
        fits = rehearsal.fits[body]
        self._body, self._poses = body, _PoseColumn(fits.poses)
        self._covariance = fits.covariance[:, _ROWS, _COLUMNS].tolist()
        self._rms_mm = fits.rms_mm.tolist()
        motion = [rehearsal.motion[tool.name] for tool in rehearsal.rig.tool if tool.body == body]
        count = len(self._rms_mm)
        self._present = motion[0].present.tolist() if motion else [True] * count
        self._seen = motion[0].seen.tolist() if motion else [True] * count

    def at(self, n: int) -> Sighting:
        if not self._seen[n]:
            return Sighting(body=self._body, status="MISSING" if self._present[n] else "OUT_OF_VIEW")
        return Sighting(body=self._body, status="OK", pose=self._poses.at(n), covariance=tuple(self._covariance[n]), rms_mm=self._rms_mm[n])


class _TruthColumn:
    """What is really so of one tool, frame by frame."""

    def __init__(self, rehearsal: Rehearsal, tool: str) -> None:
        motion = rehearsal.motion[tool]
        self._tool, self._poses, self._present = tool, _PoseColumn(motion.T_ct_from_tip), motion.present.tolist()
        self._distances = [(key[0], key[2], values.tolist()) for key, values in rehearsal.distances_mm.items() if key[1] == tool]

    def state(self, n: int) -> InstrumentState:
        if not self._present[n]:
            return InstrumentState(instrument=self._tool, status="HIDDEN")
        return InstrumentState(instrument=self._tool, status="OK", pose=self._poses.at(n))

    def distances(self, n: int) -> tuple[TrueDistance, ...]:
        if not self._present[n]:
            return ()
        return tuple(TrueDistance(structure=s, instrument=self._tool, part=p, distance_mm=values[n]) for s, p, values in self._distances)


def _frames(rehearsal: Rehearsal, name: str) -> Iterator[tuple[int, int, TrackerFrame | Truth]]:
    """The frames that are delivered, with the times at which they arrive, and behind each its truth."""
    bodies = [_SightingColumn(rehearsal, body) for body in rehearsal.fits]
    tools = [_TruthColumn(rehearsal, tool) for tool in rehearsal.motion]
    capture, arrival = rehearsal.capture_ns.tolist(), rehearsal.arrival_ns.tolist()
    for n in np.flatnonzero(rehearsal.delivered).tolist():
        sightings = tuple(body.at(n) for body in bodies)
        yield arrival[n], 1, TrackerFrame(source=name, number=n, t_capture_ns=capture[n], t_arrival_ns=arrival[n], sightings=sightings)
        distances = tuple(distance for tool in tools for distance in tool.distances(n))
        yield arrival[n], 1, Truth(frame=n, t_capture_ns=capture[n], instruments=tuple(tool.state(n) for tool in tools), distances=distances)
