"""Tracker frames as a plain CSV that says what it is: a line on its axes, a header with units in its names, a row for each frame.

`docs/files.md` describes it; `tracking.recordings.tracks` reads it, and foreign CSV files under the same names. Nothing of a frame is lost.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from typing import Any, Final, TextIO

from navtwin.errors import InputRefused
from navtwin.nouns import AppliedFilter, Pose, Sighting, Stages, TrackerFrame
from navtwin.record.igsio import OURS

#: What the first line of such a file says.
DIRECTION: Final = "# from=marker to=tracker"
FIELD: Final = "field."
_POSE: Final = ("qw", "qx", "qy", "qz", "x_mm", "y_mm", "z_mm")
#: Further columns of a body -> attribute of the sighting, what reads it.
MORE: Final[dict[str, tuple[str, Callable[[str], Any]]]] = {attribute: (attribute, make) for attribute, make in OURS.values() if make is not None}
_OF_FRAMES: Final[dict[str, Callable[[TrackerFrame], str]]] = {
    "number": lambda frame: str(frame.number),
    "t_capture_ns": lambda frame: str(frame.t_capture_ns),
    "t_arrival_ns": lambda frame: str(frame.t_arrival_ns),
    "t_device_ns": lambda frame: "" if frame.t_device_ns is None else str(frame.t_device_ns),
    "stamp": lambda frame: frame.stamp,
    "filter": lambda frame: _filter(frame.filter),
    "stages": lambda frame: _stages(frame.stages),
}


def write_tracks(frames: Callable[[], Iterable[TrackerFrame]], stream: TextIO) -> tuple[int, int]:
    """Write all frames, which are gone through twice: first for what columns there are. Returns how many frames and how many empty fields, which
    a cell cannot tell from none.

    Raises
    ------
    InputRefused : a name that would be taken for another
    """
    bodies, fields = _names(frames())
    _check(bodies, fields)
    more = [(body, name) for body in bodies for name in MORE if name in bodies[body]]
    writer = csv.writer(stream, lineterminator="\n")
    stream.write(f"{DIRECTION}\n")
    of_bodies = [f"{body}.{name}" for body in bodies for name in ("status", *_POSE)]
    writer.writerow([*_OF_FRAMES, *of_bodies, *(f"{body}.{name}" for body, name in more), *(f"{FIELD}{name}" for name in fields)])
    count = empty = 0
    for frame in frames():
        seen, said = {s.body: s for s in frame.sightings}, dict(frame.fields)
        if len(seen) != len(frame.sightings) or len(said) != len(frame.fields):
            raise InputRefused(f"frame {frame.number} has two sightings of one body, or two fields of one name", "export as .json")
        empty += sum(text == "" for text in said.values())
        cells = [cell for body in bodies for cell in _pose(seen.get(body))]
        further = [_more(seen.get(body), name) for body, name in more]
        writer.writerow([*(make(frame) for make in _OF_FRAMES.values()), *cells, *further, *(said.get(name, "") for name in fields)])
        count += 1
    return count, empty


def _names(frames: Iterable[TrackerFrame]) -> tuple[dict[str, set[str]], dict[str, None]]:
    """The bodies with the further columns that each needs, and the fields, in the order in which they turn up."""
    bodies, fields = dict[str, set[str]](), dict[str, None]()
    for frame in frames:
        for sighting in frame.sightings:
            needed = bodies.setdefault(sighting.body, set())
            needed.update(name for name in MORE if getattr(sighting, name) not in (None, ""))
        fields.update((name, None) for name, _ in frame.fields)
    return bodies, fields


def _check(bodies: Iterable[str], fields: Iterable[str]) -> None:
    for name in (*bodies, *fields):
        if not name or name != name.strip() or "\0" in name or "\n" in name or "\r" in name:
            raise InputRefused(f"'{name[:60]!r}' is no name for a column", "export as .json, which carries everything")
    if FIELD.rstrip(".") in bodies:
        raise InputRefused("a body called 'field' would be taken for the fields of the frames", "export as .json, which carries everything")


def _pose(sighting: Sighting | None) -> tuple[str, ...]:
    if sighting is None:
        return ("",) * 8
    pose: Pose | None = sighting.pose
    return (sighting.status, *(("",) * 7 if pose is None else map(repr, (*pose.q_wxyz, *pose.t_mm))))


def _more(sighting: Sighting | None, name: str) -> str:
    value = None if sighting is None else getattr(sighting, name)
    if value is None or isinstance(value, str):
        return (value or "").replace("\0", "")
    return " ".join(map(repr, value)) if isinstance(value, tuple) else repr(value)


def _filter(applied: AppliedFilter | None) -> str:
    return "" if applied is None else f"{applied.delay_ms!r} {applied.name}"


def _stages(stages: Stages | None) -> str:
    return "" if stages is None else f"{stages.t_image_ns} {stages.t_detected_ns} {stages.t_posed_ns}"
