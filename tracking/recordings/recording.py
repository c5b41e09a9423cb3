"""A recording in columns: what every reader of this room makes, and what frames are handed out from. A frame of two bodies takes some 150 bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, Final, cast, get_args

import numpy as np
import numpy.typing as npt

from navtwin.nouns import AppliedFilter, Pose, Sighting, Stages, TrackerFrame, TrackerStatus
from navtwin.rigid import Quat, Vec3
from tracking.recordings.rigid_rows import NOT_NUMBERS, REFUSALS, Rows
from tracking.recordings.text_numbers import number, shown, whole_number

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

STATUSES: Final = frozenset(get_args(TrackerStatus))
NOT_REPORTED: Final = "validity not reported by the file"
#: A time that is not stated, in a column of times.
NO_TIME: Final = np.iinfo(np.int64).min
_AT_ONCE: Final = 2048
_MOST_VERDICTS: Final = 250


class Verdicts:
    """What can be said of a sighting, numbered: status and reason. 0 is said of a body that a frame does not mention."""

    ABSENT: Final = 0

    def __init__(self) -> None:
        self._codes: dict[tuple[TrackerStatus, str], int] = {}
        self._said: list[tuple[TrackerStatus, str]] = [("MISSING", "")]

    def code(self, status: TrackerStatus, reason: str = "") -> int:
        """The number of a verdict; one number stands for all where a file invents too many."""
        known = self._codes.get((status, reason))
        if known is None:
            if len(self._said) == _MOST_VERDICTS:
                self._said.append(("UNKNOWN", "one of very many status words"))
            if len(self._said) > _MOST_VERDICTS:
                return _MOST_VERDICTS
            known = self._codes[status, reason] = len(self._said)
            self._said.append((status, reason))
        return known

    def of_word(self, told: str) -> int:
        """The number of what a status word of a file says."""
        word = told.upper()
        return self.code(cast(TrackerStatus, word)) if word in STATUSES else self.code("UNKNOWN", f"status word '{shown(told)}'")

    def __getitem__(self, code: int) -> tuple[TrackerStatus, str]:
        return self._said[code]

    def __len__(self) -> int:
        return len(self._said)


#: The texts of a column, one for each frame in order; None where a frame has none.
Texts = Callable[[], Iterator[str | None]]


@dataclass(frozen=True)
class Track:
    """One body through a recording, a row a frame.

    Attributes
    ----------
    verdicts : (n,) number of what is said of it, 0 where the frame does not mention it
    q_wxyz, t_mm : (n, 4), (n, 3) T_tracker_from_marker; of no meaning where the status is not OK
    more : further attributes of the sighting: name, what makes the attribute of a text, texts
    """

    body: str
    verdicts: npt.NDArray[np.uint8]
    q_wxyz: Floats
    t_mm: Floats
    more: tuple[tuple[str, Callable[[str], Any], Texts], ...] = ()


def track(
    body: str, count: int, verdicts: Verdicts, stated: tuple[Ints, Rows], statuses: tuple[Ints, npt.NDArray[np.uint8]] | None, lost: str = ""
) -> Track:
    """The track of a body through `count` frames, out of what the file states.

    Parameters
    ----------
    stated : frames that state a pose, and those poses
    statuses : frames that state a status, and the numbers of those verdicts
    lost : why no OK of the file is to be trusted; "" if it is
    """
    rows, poses = stated
    q_wxyz, t_mm = np.zeros((count, 4)), np.zeros((count, 3))
    q_wxyz[rows], t_mm[rows] = poses.q_wxyz, poses.t_mm
    said, why = np.zeros(count, dtype=np.uint8), np.full(count, NOT_NUMBERS, dtype=np.uint8)
    ok, unsaid = verdicts.code("OK", lost), verdicts.code("OK", lost or NOT_REPORTED)
    said[rows], why[rows] = unsaid, poses.refused
    if statuses is not None:
        where, codes = statuses
        said[where] = np.where(codes == verdicts.code("OK"), ok, codes)
    is_ok = (said == ok) | (said == unsaid)
    for refusal in np.unique(why[is_ok]):
        if refusal:
            said[is_ok & (why == refusal)] = verdicts.code("INVALID", REFUSALS[refusal])
    return Track(body, said, q_wxyz, t_mm)


@dataclass(frozen=True)
class Recording:
    """A recorded stream.

    Attributes
    ----------
    number, t_capture_ns, t_arrival_ns, t_device_ns : (n,); device times are NO_TIME where none is stated
    fields : what else the frames carry, by name, as text
    file_fields : what the file says once, of the whole recording
    stamps, filters, stages : where frames state them; None says the same of all frames: assumed, none, none
    counted : the file states a frame counter
    facts : what the file says of itself, for inspection
    notes : what a reader should know of it, in sentences
    """

    source: str
    number: Ints
    t_capture_ns: Ints
    t_arrival_ns: Ints
    t_device_ns: Ints
    tracks: tuple[Track, ...]
    verdicts: Verdicts
    fields: tuple[tuple[str, Texts], ...] = ()
    file_fields: tuple[tuple[str, str], ...] = ()
    stamps: Texts | None = None
    filters: Texts | None = None
    stages: Texts | None = None
    counted: bool = False
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.number)

    def frames(self) -> Iterator[TrackerFrame]:
        """The frames, made as they are asked for, in the order of the file."""
        sightings = [self._sightings(track) for track in self.tracks]
        fields = [zip(repeat(name), texts(), strict=False) for name, texts in self.fields]
        stamps, filters, stages = (repeat(None) if texts is None else texts() for texts in (self.stamps, self.filters, self.stages))
        times = zip(*(_listed(column) for column in (self.number, self.t_capture_ns, self.t_arrival_ns, self.t_device_ns)), strict=True)
        first = self.file_fields
        for (counter, capture_ns, arrival_ns, device_ns), stamp, filtered, staged in zip(times, stamps, filters, stages, strict=False):
            seen = [next(column) for column in sightings]
            said = [(name, text) for name, text in map(next, fields) if text is not None] if fields else ()
            yield TrackerFrame(
                self.source,
                counter,
                capture_ns,
                arrival_ns,
                tuple([one for one in seen if one is not None]),
                "host" if stamp == "host" else "assumed",
                _filter(filtered),
                _stages(staged),
                None if device_ns == NO_TIME else device_ns,
                (*first, *said),
            )
            first = ()

    def _sightings(self, track: Track) -> Iterator[Sighting | None]:
        more = [(name, make, texts()) for name, make, texts in track.more]
        said = [self.verdicts[code] for code in range(len(self.verdicts))]
        for start in range(0, len(self), _AT_ONCE):
            rows = slice(start, start + _AT_ONCE)
            q_wxyz, t_mm = zip(*track.q_wxyz[rows].T.tolist(), strict=True), zip(*track.t_mm[rows].T.tolist(), strict=True)
            for code, q, t in zip(track.verdicts[rows].tolist(), q_wxyz, t_mm, strict=True):
                further = {name: make(text) for name, make, texts in more if (text := next(texts)) is not None} if more else None
                if code == Verdicts.ABSENT:
                    yield None
                    continue
                status, reason = said[code]
                pose = Pose(cast(Quat, q), cast(Vec3, t)) if status == "OK" else None
                if further:
                    yield Sighting(body=track.body, status=status, pose=pose, **{**further, "reason": reason or further.get("reason", "")})
                else:
                    yield Sighting(track.body, status, pose, None, None, reason)


def _listed(column: Ints) -> Iterator[int]:
    for start in range(0, len(column), _AT_ONCE):
        yield from column[start : start + _AT_ONCE].tolist()


def _filter(text: str | None) -> AppliedFilter | None:
    delay, _, name = (text or "").partition(" ")
    delay_ms = number(delay.encode())
    return None if delay_ms is None else AppliedFilter(name=name, delay_ms=delay_ms)


def _stages(text: str | None) -> Stages | None:
    times = [whole_number(word.encode()) for word in (text or "").split()]
    return Stages(*cast("list[int]", times)) if len(times) == 3 and None not in times else None
