"""Faults of a stream of tracker frames: each takes an honest frame to the frames that come in its place.

The same hands serve the benchmark, which puts them into a live session, the tests, which use the fold's own time, and a rehearsal of a case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from navtwin.nouns import Pose, Sighting, TrackerFrame
from navtwin.rigid import Rigid
from phantoms.motion import turns
from phantoms.path import minimum_jerk, unit

#: Takes a frame, and how long the fault has lasted at its capture (ns), to what is delivered.
Injector = Callable[[TrackerFrame, int], Sequence[TrackerFrame]]


@dataclass(frozen=True, slots=True)
class Bodies:
    """The marker bodies of a rig by what they do in a fault: of the tool that is near, of another one, and of the patient."""

    tool: str
    other: str
    reference: str


def _with(frame: TrackerFrame, changed: Mapping[str, Sighting]) -> TrackerFrame:
    return msgspec.structs.replace(frame, sightings=tuple(changed.get(s.body, s) for s in frame.sightings))


def _sighting(frame: TrackerFrame, body: str) -> Sighting | None:
    return next((s for s in frame.sightings if s.body == body and s.pose is not None), None)


def _moved(seen: Sighting, pose: Rigid) -> Sighting:
    return msgspec.structs.replace(seen, pose=Pose.from_rigid(pose))


def _tracker_pose(seen: Sighting) -> Rigid:
    assert seen.pose is not None
    return seen.pose.rigid(target="tracker", source="marker")


def occlusion(rng: np.random.Generator, bodies: Bodies) -> Injector:
    """An arm before the instrument."""
    return _hidden(bodies.tool)


def reference_hidden(rng: np.random.Generator, bodies: Bodies) -> Injector:
    """A drape over the patient's reference."""
    return _hidden(bodies.reference)


def _hidden(body: str) -> Injector:
    return lambda frame, into_ns: [_with(frame, {body: Sighting(body=body, status="OUT_OF_VIEW")})]


def planar_flip(rng: np.random.Generator, bodies: Bodies) -> Injector:
    """The other pose of a flat marker: its normal mirrored at the line of sight (Schweighofer and Pinz, IEEE TPAMI 2006;28:2024)."""

    def inject(frame: TrackerFrame, into_ns: int) -> list[TrackerFrame]:
        seen = _sighting(frame, bodies.tool)
        if seen is None:
            return [frame]
        matrix = _tracker_pose(seen).matrix()
        sight = unit(-matrix[:3, 3])
        # The face that looks at the camera: of the marker's axes the one that is nearest to the line of sight.
        axes = matrix[:3, :3] * np.sign(sight @ matrix[:3, :3])
        normal = axes[:, int(np.argmax(sight @ axes))]
        axis = unit(np.cross(normal, sight))
        angle = 2.0 * float(np.arccos(np.clip(normal @ sight, -1.0, 1.0)))
        matrix[:3, :3] = turns((angle * axis)[None])[0] @ matrix[:3, :3]
        return [_with(frame, {seen.body: _moved(seen, Rigid.from_matrix(matrix, target="tracker", source="marker"))})]

    return inject


def swapped_ids(rng: np.random.Generator, bodies: Bodies) -> Injector:
    """Two bodies under each other's names: the tool's, and that of another tool or, where none is in sight when it begins, the patient's."""
    partner = list[str]()

    def inject(frame: TrackerFrame, into_ns: int) -> list[TrackerFrame]:
        if not partner:
            partner.append(bodies.other if _sighting(frame, bodies.other) is not None else bodies.reference)
        one, two = (next((s for s in frame.sightings if s.body == body), None) for body in (bodies.tool, partner[0]))
        if one is None or two is None:
            return [frame]
        replace = msgspec.structs.replace
        return [_with(frame, {one.body: replace(two, body=one.body), two.body: replace(one, body=two.body)})]

    return inject


def frozen_camera(rng: np.random.Generator, bodies: Bodies) -> Injector:
    """The same picture again and again, under new numbers and new stamps."""
    first = list[TrackerFrame]()

    def inject(frame: TrackerFrame, into_ns: int) -> list[TrackerFrame]:
        if not first:
            first.append(frame)
        return [msgspec.structs.replace(frame, sightings=first[0].sightings)]

    return inject


def repeated_stamps(rng: np.random.Generator, bodies: Bodies) -> Injector:
    """A device whose clock stands still."""
    first = list[int]()

    def inject(frame: TrackerFrame, into_ns: int) -> list[TrackerFrame]:
        if not first:
            first.append(frame.t_capture_ns)
        return [msgspec.structs.replace(frame, t_capture_ns=first[0])]

    return inject


def backwards_stamps(rng: np.random.Generator, bodies: Bodies) -> Injector:
    """A device whose clock is set back."""
    back_ns = round(rng.uniform(0.3, 5.0) * 1e9)
    return lambda frame, into_ns: [msgspec.structs.replace(frame, t_capture_ns=frame.t_capture_ns - back_ns)]


def future_stamps(rng: np.random.Generator, bodies: Bodies) -> Injector:
    """A device whose clock is ahead of the host's, by a twentieth of a second to an hour."""
    ahead_ns = round(float(np.exp(rng.uniform(np.log(0.05), np.log(3600.0)))) * 1e9)
    return lambda frame, into_ns: [msgspec.structs.replace(frame, t_capture_ns=frame.t_capture_ns + ahead_ns)]


def drifting_stamps(rng: np.random.Generator, bodies: Bodies) -> Injector:
    """A device whose clock runs too fast or too slowly by 1 to 4 in 100."""
    rate = float(rng.uniform(0.01, 0.04) * rng.choice([-1.0, 1.0]))
    return lambda frame, into_ns: [msgspec.structs.replace(frame, t_capture_ns=frame.t_capture_ns + round(rate * into_ns))]


def unplugged(rng: np.random.Generator, bodies: Bodies) -> Injector:
    """The tracker's cable is out."""
    return lambda frame, into_ns: []


def bumped(rng: np.random.Generator, bodies: Bodies) -> Injector:
    """The patient's reference is knocked, in a fifth of a second, and stays where it is then: the tracker sees it as well as ever."""
    shift = rng.uniform(6.0, 10.0) * unit(rng.normal(size=3))
    turn = rng.uniform(0.02, 0.06) * unit(rng.normal(size=3))

    def inject(frame: TrackerFrame, into_ns: int) -> list[TrackerFrame]:
        seen = _sighting(frame, bodies.reference)
        if seen is None:
            return [frame]
        share = float(minimum_jerk(np.array([min(into_ns * 1e-9 / 0.2, 1.0)]))[0])
        knock = np.eye(4)
        knock[:3, :3], knock[:3, 3] = turns((share * turn)[None])[0], share * shift
        matrix = _tracker_pose(seen).matrix() @ knock
        return [_with(frame, {seen.body: _moved(seen, Rigid.from_matrix(matrix, target="tracker", source="marker"))})]

    return inject


#: The faults that a stream of frames can have, by name.
STREAMS: Final[Mapping[str, Callable[[np.random.Generator, Bodies], Injector]]] = {
    "occlusion": occlusion,
    "reference-hidden": reference_hidden,
    "planar-flip": planar_flip,
    "swapped-ids": swapped_ids,
    "frozen-camera": frozen_camera,
    "repeated-stamps": repeated_stamps,
    "backwards-stamps": backwards_stamps,
    "future-stamps": future_stamps,
    "drifting-stamps": drifting_stamps,
    "tracker-unplugged": unplugged,
    "reference-bumped": bumped,
}
