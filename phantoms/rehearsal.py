"""A rehearsal as a stream: frames, commands and truth in the order in which they reach the host, and the same as a recorded log."""

from __future__ import annotations

import heapq
import platform
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from navtwin.nouns import (
    Command,
    Event,
    Header,
    InstrumentState,
    Pose,
    Rig,
    Sighting,
    SourceItem,
    TrackerFrame,
    TrueDistance,
    TrueDrill,
    TrueSetup,
    TrueTool,
    Truth,
)
from phantoms.motion import Poses, quaternions
from phantoms.performance import Played, perform
from phantoms.tracker import NS_PER_S

if TYPE_CHECKING:
    from navtwin.scene.model import Scene

_ROWS, _COLUMNS = np.triu_indices(6)
WHO = "script"
TrueDrills = Callable[[int], tuple[TrueDrill, ...]]


def stream_name(seed: int, script: str = "pedicle") -> str:
    """What the frames of a script give as their source."""
    return f"phantom:{script}:{seed}"


def generate(scene: Scene, rig: Rig, seed: int) -> Iterator[SourceItem]:
    """The whole rehearsal of a case, item by item in order of arrival; the script's clock starts at 0 and each frame is followed by its truth.

    Raises
    ------
    InputRefused : at once, where the case or the rig lacks what the script needs
    """
    return items_of(perform(scene, rig, seed), stream_name(seed))


def items_of(performance: Played, name: str, drills: TrueDrills = lambda n: ()) -> Iterator[SourceItem]:
    """Every item of a performance, in order of arrival; `drills` tells what a drill has truly done by an exposure."""
    commands = (
        (int(time_s * NS_PER_S), 0, Command(who=WHO, id=f"{WHO}-{n}", order=order))
        for n, (time_s, order) in enumerate(performance.script.orders, start=1)
    )
    yield _true_setup(performance)
    merged: Iterator[tuple[int, int, Any]] = heapq.merge(commands, _frames(performance, name, drills), key=lambda entry: entry[:2])
    for _, _, item in merged:
        yield item


def write_stream(path: Path, items: Iterable[SourceItem], scene: Scene, rig: Rig, name: str) -> None:
    """Record items as a log that can be replayed: channel `/input` for frames and commands, `/truth` beside it.

    A command is stamped with the arrival of the frame before it. The same items give the same log: a script has no date.
    `name` is what the frames give as their source.
    """
    from navtwin import __version__
    from navtwin.record.hashes import code_hash, rig_hash, with_session
    from navtwin.record.log import LogWriter

    header = Header(
        session="",
        version=__version__,
        utc_anchor_ns=0,
        monotonic_anchor_ns=0,
        case_path=str(scene.folder),
        rig_path="",
        case_hash=scene.case_hash,
        rig_hash=rig_hash(rig),
        code_hash=code_hash(),
        source=name,
        speed=0.0,
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.machine()}",
    )
    with LogWriter(path, live=False) as log:
        log.write_header(with_session(header))
        seq, t_ns = 0, 0
        for item in items:
            if isinstance(item, TrackerFrame | Command):
                t_ns = item.t_arrival_ns if isinstance(item, TrackerFrame) else t_ns
                log.write_event(Event(seq=seq, t_ns=t_ns, body=item))
                seq += 1
            else:
                log.write_truth(item)


def _true_setup(performance: Played) -> TrueSetup:
    tools = [TrueTool(tool=name, tip_mm=tuple(made.tip_mm.tolist())) for name, made in performance.made.items()]
    return TrueSetup(tools=tuple(tools), T_ct_from_ref=Pose.from_rigid(performance.stage.T_ct_from_ref))


class _PoseColumn:
    """Sampled poses, turned into nouns one at a time."""

    def __init__(self, poses: Poses) -> None:
        self._q_wxyz = quaternions(poses.rotation).tolist()
        self._t_mm = poses.t_mm.tolist()

    def at(self, n: int) -> Pose:
        return Pose(q_wxyz=tuple(self._q_wxyz[n]), t_mm=tuple(self._t_mm[n]))


class _SightingColumn:
    """What the tracker says of one body, frame by frame."""

    def __init__(self, performance: Played, body: str) -> None:
        fits = performance.fits[body]
        self._body, self._poses = body, _PoseColumn(fits.poses)
        self._covariance = fits.covariance[:, _ROWS, _COLUMNS].tolist()
        self._rms_mm = fits.rms_mm.tolist()
        motion = [performance.motion[tool.name] for tool in performance.rig.tool if tool.body == body]
        count = len(self._rms_mm)
        self._present = motion[0].present.tolist() if motion else [True] * count
        self._seen = motion[0].seen.tolist() if motion else [True] * count

    def at(self, n: int) -> Sighting:
        if not self._seen[n]:
            return Sighting(body=self._body, status="MISSING" if self._present[n] else "OUT_OF_VIEW")
        return Sighting(body=self._body, status="OK", pose=self._poses.at(n), covariance=tuple(self._covariance[n]), rms_mm=self._rms_mm[n])


class _TruthColumn:
    """What is really so of one tool, frame by frame."""

    def __init__(self, performance: Played, tool: str) -> None:
        motion = performance.motion[tool]
        self._tool, self._poses, self._present = tool, _PoseColumn(motion.T_ct_from_tip), motion.present.tolist()
        self._distances = [(key[0], key[2], values.tolist()) for key, values in performance.distances_mm.items() if key[1] == tool]

    def state(self, n: int) -> InstrumentState:
        if not self._present[n]:
            return InstrumentState(instrument=self._tool, status="HIDDEN")
        return InstrumentState(instrument=self._tool, status="OK", pose=self._poses.at(n))

    def distances(self, n: int) -> tuple[TrueDistance, ...]:
        if not self._present[n]:
            return ()
        return tuple(TrueDistance(structure=s, instrument=self._tool, part=p, distance_mm=values[n]) for s, p, values in self._distances)


def _frames(performance: Played, name: str, drills: TrueDrills) -> Iterator[tuple[int, int, TrackerFrame | Truth]]:
    """The frames that are delivered, with the times at which they arrive, and behind each its truth."""
    bodies = [_SightingColumn(performance, body) for body in performance.fits]
    tools = [_TruthColumn(performance, tool) for tool in performance.motion]
    capture, arrival = performance.capture_ns.tolist(), performance.arrival_ns.tolist()
    for n in np.flatnonzero(performance.delivered).tolist():
        sightings = tuple(body.at(n) for body in bodies)
        yield arrival[n], 1, TrackerFrame(source=name, number=n, t_capture_ns=capture[n], t_arrival_ns=arrival[n], sightings=sightings)
        distances = tuple(distance for tool in tools for distance in tool.distances(n))
        states = tuple(tool.state(n) for tool in tools)
        yield arrival[n], 1, Truth(frame=n, t_capture_ns=capture[n], instruments=states, distances=distances, drills=drills(n))
