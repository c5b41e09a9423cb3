"""Read PLUS / IGSIO sequence files (`.igs.mha`, `.igs.nrrd`): recorded poses of marker bodies, with status words and time stamps.

Format: PlusLib's FileSequenceFile manual page; IGSIO's vtkIGSIOMetaImageSequenceIO, vtkIGSIONrrdSequenceIO and igsioCommon. Pixels are not read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import BinaryIO, Final, cast, get_args

import numpy as np

from navtwin.errors import InputRefused
from navtwin.nouns import Pose, Rig, Sighting, TrackerFrame, TrackerStatus
from navtwin.record.igsio import SPLIT, TIMES_CAPTURE, TIMES_FIELD
from navtwin.rigid import Rigid

#: Trackers print rounded numbers: real recordings are off R'R = 1 by up to 4.3e-4. Up to here the nearest rotation is taken, beyond it none.
PRINTED_TOLERANCE: Final = 1e-3
#: Rotations printed with all their digits are taken as they are.
_EXACT: Final = 1e-12
#: No tracker sees a kilometre.
REACH_MM: Final = 1e6
#: Longest time that a stamp can state and still be counted in ns in 64 bits, with room for differences.
_T_LIMIT_S: Final = 4_000_000_000
_LINE_LIMIT: Final = 64 * 1024
_HEADER_LIMIT: Final = 1 << 30
_FIELD: Final = re.compile(r"Seq_Frame(\d{1,12})_(.+)")
_MHA: Final = re.compile(r"([^=]+)=(.*)")
_NRRD: Final = re.compile(r"([^:]+):[=\s](.*)")
_WORDS: Final = frozenset(get_args(TrackerStatus))
_TRACKER: Final = "Tracker"
NOT_REPORTED: Final = "validity not reported by the file"


@dataclass(frozen=True, slots=True)
class Sequence:
    """A recorded stream: its frames in file order, and what a reader should know about them."""

    frames: tuple[TrackerFrame, ...]
    notes: tuple[str, ...]


def read_sequence(path: str | Path, rig: Rig | None = None) -> Sequence:
    """Read a `.igs.mha` or `.igs.nrrd` file (told apart by their first line).

    A transform `<Body>ToTracker` becomes a sighting of `<Body>`, under the name that the rig has for it if the two differ in case only. A pose whose
    status is not OK is dropped; one that is not finite, not orthonormal or left-handed becomes INVALID with the reason. PLUS stamps frames when they
    arrive: capture is that less the rig's declared latency, marked `assumed`. Stamps that repeat, go back or jump stay as they are.

    Raises
    ------
    InputRefused : unreadable, cut, or of another kind; frames that are missing or without a usable time; no transform to the tracker
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            header = _read_header(stream, path)
    except OSError as error:
        raise InputRefused(f"cannot read {path}: {error.strerror}", "check the path") from error
    _check_frames(header, path)
    names = _body_names(header, path, rig)
    latency_ns = round(rig.tracker.latency_ms * 1e6) if rig is not None else 0
    ours = header.general.get(TIMES_FIELD) == TIMES_CAPTURE
    frames = tuple(_frame(n, header.frames[n], names, path, ours, latency_ns) for n in range(len(header.frames)))
    return Sequence(frames, tuple(_notes(header, frames, names, rig, ours)))


@dataclass(frozen=True, slots=True)
class _Header:
    general: dict[str, str]
    frames: dict[int, dict[str, str]]


def _read_header(stream: BinaryIO, path: Path) -> _Header:
    first = stream.readline(_LINE_LIMIT)
    is_nrrd = re.match(rb"NRRD000[1-5]\s*$", first) is not None
    if not is_nrrd and re.match(rb"ObjectType\s*=", first) is None:
        raise InputRefused(f"{path} is neither a .igs.mha nor a .igs.nrrd file", "check that it is the right file")
    header = _Header({}, {})
    for line in [] if is_nrrd else [first]:
        _take(line, header, _MHA, path)
    for line in _lines(stream, path):
        if is_nrrd and not line.strip():
            return header
        if is_nrrd and line.startswith(b"#"):
            continue
        _take(line, header, _NRRD if is_nrrd else _MHA, path)
        if "ElementDataFile" in header.general:
            return header
    if is_nrrd:
        return header  # the blank line may be left out where no data follow
    raise InputRefused(f"{path} is cut: it ends inside its header", "get the whole file")


def _lines(stream: BinaryIO, path: Path) -> Iterator[bytes]:
    total = 0
    while line := stream.readline(_LINE_LIMIT):
        total += len(line)
        if len(line) == _LINE_LIMIT or total > _HEADER_LIMIT:
            raise InputRefused(f"{path} has a header that is too long to be one", "check that it is a tracking sequence")
        yield line


def _take(line: bytes, header: _Header, pattern: re.Pattern[str], path: Path) -> None:
    # 3D Slicer leaves NUL characters in names.
    text = line.decode("utf-8", errors="replace").replace("\0", "").strip()
    match = pattern.fullmatch(text)
    if match is None:
        if text:
            raise InputRefused(f"{path} has a header line that is not 'key = value': {text[:60]!r}", "check that it is a tracking sequence")
        return
    key, value = match[1].strip(), match[2].strip()
    field = _FIELD.fullmatch(key)
    place, key = (header.general, key) if field is None else (header.frames.setdefault(int(field[1]), {}), field[2])
    if field is not None and key in place:
        raise InputRefused(f"{path} states {key} of frame {int(field[1])} twice", "mend the file")
    place[key] = value


def _check_frames(header: _Header, path: Path) -> None:
    stated = (header.general.get("DimSize") or header.general.get("sizes") or "").split()
    if not header.frames:
        raise InputRefused(f"{path} holds no tracked frames", "check that it is a tracking sequence, not a plain image")
    if not stated or stated[-1] != str(len(header.frames)):
        raise InputRefused(f"{path} says it has {stated[-1] if stated else 'no'} frames but describes {len(header.frames)}", "get the whole file")
    missing = next((n for n in range(len(header.frames)) if n not in header.frames), None)
    if missing is not None:
        raise InputRefused(f"{path} does not describe frame {missing}", "get the whole file")


def _body_names(header: _Header, path: Path, rig: Rig | None) -> dict[str, str]:
    """Transform field -> body, for all transforms to the tracker."""
    fields = dict.fromkeys(field for frame in header.frames.values() for field in frame if field.endswith("Transform"))
    found = {field: body for field in fields if (body := _body_of(field)) is not None}
    if not found:
        names = ", ".join(field.removesuffix("Transform") for field in fields) or "none"
        raise InputRefused(f"{path} has no transform to the tracker (it has: {names})", "record `<Body>ToTracker` transforms")
    known = {body.name for body in rig.body} if rig is not None else set[str]()
    taken = known & set(found.values())
    names_of = dict[str, str]()
    for field, body in found.items():
        alike = sorted(name for name in known - taken if name.lower() == body.lower())
        names_of[field] = body if body in known or not alike else alike[0]
        taken.add(names_of[field])
    return names_of


def _body_of(field: str) -> str | None:
    name = field.removesuffix("Transform")
    split = list(SPLIT.finditer(name))
    if len(split) != 1 or name[split[0].end() :] != _TRACKER:
        return None
    return name[: split[0].start()] or None


def _frame(n: int, fields: Mapping[str, str], names: Mapping[str, str], path: Path, ours: bool, latency_ns: int) -> TrackerFrame:
    stamp_ns = _time_ns(fields, "Timestamp", n, path)
    arrival_ns = _time_ns(fields, "UnfilteredTimestamp", n, path) if "UnfilteredTimestamp" in fields else stamp_ns
    number = fields.get("FrameNumber", str(n))
    if re.fullmatch(r"-?\d{1,18}", number) is None:
        raise InputRefused(f"{path}: FrameNumber of frame {n} is '{number[:30]}'", "it must be a whole number")
    return TrackerFrame(
        source=f"log:{path.name}",
        number=int(number),
        t_capture_ns=stamp_ns if ours else arrival_ns - latency_ns,
        t_arrival_ns=arrival_ns,
        sightings=tuple(_sighting(body, field, fields) for field, body in names.items() if field in fields),
        stamp="assumed",
    )


def _time_ns(fields: Mapping[str, str], key: str, n: int, path: Path) -> int:
    text = fields.get(key, "")
    try:
        seconds = Decimal(text)
    except InvalidOperation:
        seconds = Decimal("NaN")
    if not seconds.is_finite() or abs(seconds) > _T_LIMIT_S:
        raise InputRefused(f"{path}: frame {n} has {key} '{text[:30]}'", "every frame needs a time in seconds; cut those without one out of the file")
    return int((seconds * 1_000_000_000).to_integral_value())


def _sighting(body: str, field: str, fields: Mapping[str, str]) -> Sighting:
    told = fields.get(f"{field}Status")
    extra = field.removesuffix("Transform")
    reason = fields.get(f"{extra}Reason", "")
    word = "OK" if told is None else told.upper()
    if word not in _WORDS:
        word, reason = "UNKNOWN", f"status word '{told}'"
    status = cast(TrackerStatus, word)
    if status != "OK":
        return Sighting(body=body, status=status, reason=reason)
    try:
        pose = _pose(fields[field], body)
    except InputRefused as refused:
        return Sighting(body=body, status="INVALID", reason=refused.problem)
    return Sighting(body=body, status="OK", pose=pose, rms_mm=_number(fields.get(f"{extra}RmsMm")), reason=NOT_REPORTED if told is None else reason)


def _pose(text: str, body: str) -> Pose:
    numbers = [_number(word) for word in text.split()]
    if len(numbers) != 16 or None in numbers:
        raise InputRefused(f"the transform of '{body}' is not 16 finite numbers")
    matrix = np.array(numbers, dtype=np.float64).reshape(4, 4)
    if np.abs(matrix).max() > REACH_MM:
        raise InputRefused(f"the transform of '{body}' is out of any tracker's reach")
    rotation = matrix[:3, :3]
    deviation = float(np.abs(rotation.T @ rotation - np.eye(3)).max())
    if _EXACT < deviation <= PRINTED_TOLERANCE and np.linalg.det(rotation) > 0.0:
        left, _, right = np.linalg.svd(rotation)
        matrix[:3, :3] = left @ right
    return Pose.from_rigid(Rigid.from_matrix(matrix, target="tracker", source=f"marker/{body}"))


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and np.isfinite(value) else None


def _notes(header: _Header, frames: tuple[TrackerFrame, ...], names: Mapping[str, str], rig: Rig | None, ours: bool) -> Iterator[str]:
    left_out = dict.fromkeys(f for frame in header.frames.values() for f in frame if f.endswith("Transform") and f not in names)
    if left_out:
        yield f"left out, not a pose in the tracker's axes: {', '.join(field.removesuffix('Transform') for field in left_out)}"
    reasons = Counter(s.reason for f in frames for s in f.sightings if s.reason and (s.status == "INVALID" or s.reason == NOT_REPORTED))
    yield from (f"{times} x {reason}" for reason, times in reasons.most_common(5))
    if len(frames) > 2 and all(_is(frame.get("Timestamp", ""), n) for n, frame in sorted(header.frames.items())):
        yield "its time stamps are frame indices, as 3D Slicer writes them, which also marks every pose OK: trust neither times nor validity"
    if not ours:
        yield "times of capture are assumed: time of arrival less the declared latency"
    if rig is not None:
        yield from _strangers(names.values(), rig)


def _strangers(bodies: Iterable[str], rig: Rig) -> Iterator[str]:
    unknown = [name for name in bodies if name not in {body.name for body in rig.body}]
    if unknown:
        yield f"the rig has no body {', '.join(unknown)}: rename the [[body]] tables of the rig to use them"


def _is(text: str, n: int) -> bool:
    return _number(text) == n
