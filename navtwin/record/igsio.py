"""Write tracker frames as a PLUS / IGSIO sequence file (`.igs.mha`, `.igs.nrrd`, tracking only), as PLUS, 3D Slicer and Ibis read it.

Format: PlusLib's FileSequenceFile manual page and IGSIO's vtkIGSIOMetaImageSequenceIO and vtkIGSIONrrdSequenceIO. `Timestamp` is the capture time,
`UnfilteredTimestamp` the arrival; the header says so, and the reader (`tracking.recordings.sequence`) takes both back from it. A frame that has a
stamp of its device keeps that as its `Timestamp`, and its capture time goes into a field of ours. So does what else navtwin knows of a sighting.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from navtwin.errors import InputRefused
from navtwin.nouns import Pose, Sighting, TrackerFrame
from navtwin.nouns.base import Covariance6

#: PLUS and Slicer read lines of at most 1000 characters.
LINE_LIMIT: Final = 1000
#: Header field that tells our files from those of PLUS, whose time stamps are both of arrival.
TIMES_FIELD: Final = "TimestampMeaning"
TIMES_CAPTURE: Final = "capture"
#: Capture time of a frame whose `Timestamp` is its device's.
CAPTURE_FIELD: Final = "CaptureTimestamp"
#: Begins the name of what a recording says once of the whole of it (`TrackerFrame.fields`).
FILE_FIELD: Final = "file:"
#: Where IGSIO splits a transform's name: `To` before anything but a lower-case letter, and only once.
SPLIT: Final = re.compile(r"To(?=[^a-z])")
#: Keys of a header that describe the image or the file itself.
STANDARD_KEYS: Final = frozenset(
    (
        "ObjectType", "ObjectSubType", "NDims", "BinaryData", "BinaryDataByteOrderMSB", "ElementByteOrderMSB", "CompressedData", "CompressedDataSize",
        "TransformMatrix", "Rotation", "Orientation", "Offset", "Origin", "Position", "CenterOfRotation", "AnatomicalOrientation", "DimSize",
        "ElementSpacing", "ElementSize", "ElementType", "ElementNumberOfChannels", "ElementDataFile", "Kinds", "HeaderSize",
        "UltrasoundImageOrientation", "UltrasoundImageType", TIMES_FIELD,
        "type", "dimension", "sizes", "kinds", "encoding", "endian", "space", "space dimension", "space directions", "space origin", "space units",
        "spacings", "thicknesses", "axis mins", "axis maxs", "axismins", "axismaxs", "centers", "centerings", "labels", "units", "block size",
        "blocksize", "min", "max", "old min", "old max", "oldmin", "oldmax", "data file", "datafile", "line skip", "lineskip", "byte skip",
        "byteskip", "measurement frame", "sample units", "number", "ultrasound image orientation", "ultrasound image type",
    )
)  # fmt: skip
_IDENTITY: Final = "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1"
_UNUSED: Final = "Transform"
_OF_FRAMES: Final = ("FrameNumber", "Timestamp", "UnfilteredTimestamp", CAPTURE_FIELD, "CaptureStamp", "Filter", "Stages", "ImageStatus", "Status")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_BODY: Final = re.compile(r"[A-Za-z0-9_.\-]+")


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _corners(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _covariance(text: str) -> Covariance6 | None:
    numbers = [number for number in map(_number, text.split()) if number is not None]
    return tuple(numbers) if len(numbers) == 21 == len(text.split()) else None  # type: ignore[return-value]


#: What we write of a sighting behind the name of its transform -> the attribute it is, and what reads it.
OURS: Final[dict[str, tuple[str, Callable[[str], Any] | None]]] = {
    "Quaternion": ("pose", None),
    "Reason": ("reason", str),
    "RmsMm": ("rms_mm", _number),
    "RmsPx": ("rms_px", _number),
    "Corners": ("corners", _corners),
    "Ambiguity": ("ambiguity", _number),
    "Covariance": ("covariance", _covariance),
}


@dataclass
class Losses:
    """What the writer had to change: reasons with line breaks taken out, or cut to the length of a line."""

    reasons: int = 0

    def told(self) -> tuple[str, ...]:
        return (f"{self.reasons} reasons were shortened or put on one line: the format has lines of {LINE_LIMIT} characters",) if self.reasons else ()


def mha_lines(frames: Iterable[TrackerFrame], number: int, losses: Losses) -> Iterator[str]:
    """The lines of a `.igs.mha` file of `number` frames, without line ends.

    Raises
    ------
    InputRefused : a body or a field whose name or text the format cannot carry
    """
    yield from (
        "ObjectType = Image",
        "NDims = 3",
        "AnatomicalOrientation = RAI",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        "CenterOfRotation = 0 0 0",
        "CompressedData = False",
        f"DimSize = 0 0 {number}",
        "Kinds = domain domain list",
        "ElementSpacing = 1 1 1",
        "ElementType = MET_OTHER",
        "Offset = 0 0 0",
        "TransformMatrix = 1 0 0 0 1 0 0 0 1",
        "UltrasoundImageOrientation = XX",
        "UltrasoundImageType = XX",
        f"{TIMES_FIELD} = {TIMES_CAPTURE}",
    )
    yield from _field_lines(frames, losses, " = ", "ImageStatus")
    yield "ElementDataFile = LOCAL"


def nrrd_lines(frames: Iterable[TrackerFrame], number: int, losses: Losses) -> Iterator[str]:
    """The header of a `.igs.nrrd` file of `number` frames, without line ends, the empty line at its end included. `number` bytes of pixels must
    follow: NRRD knows no axis of length 0, so that each frame has an image of one black pixel, marked INVALID.

    Raises
    ------
    InputRefused : a body or a field whose name or text the format cannot carry
    """
    yield from (
        "NRRD0004",
        "type: uint8",
        "dimension: 3",
        f"sizes: 1 1 {number}",
        "kinds: domain domain list",
        "encoding: raw",
        "space dimension: 2",
        "space directions: (1,0) (0,1) none",
        "space origin: (0,0)",
        "ultrasound image orientation:=XX",
        "ultrasound image type:=XX",
        f"{TIMES_FIELD}:={TIMES_CAPTURE}",
    )
    yield from _field_lines(frames, losses, ":=", "Status")
    yield ""


def _field_lines(frames: Iterable[TrackerFrame], losses: Losses, between: str, image_status: str) -> Iterator[str]:
    for n, frame in enumerate(frames):
        fields = frame.fields
        if n == 0:
            yield from (_line("", name.removeprefix(FILE_FIELD), between, text) for name, text in fields if _is_of_file(name))
            fields = tuple((name, text) for name, text in fields if not name.startswith(FILE_FIELD))
        start = f"Seq_Frame{n:04d}_"
        for name, text in _fields(frame, losses, LINE_LIMIT - len(start) - len(between)):
            yield f"{start}{name}{between}{text}"
        taken = {s.body for s in frame.sightings}
        seen = set[str]()
        for name, text in fields:
            _check_field(name, seen, taken)
            yield _line(start, name, between, text)
        yield f"{start}{image_status}{between}INVALID"


def _is_of_file(name: str) -> bool:
    if not name.startswith(FILE_FIELD):
        return False
    key = name.removeprefix(FILE_FIELD)
    if key in STANDARD_KEYS or ":" in key or key.startswith(("Seq_Frame", "#")):
        raise InputRefused(f"the field '{name}' has a name that the header of such a file cannot carry", "export as .json, which carries everything")
    return True


def _line(start: str, name: str, between: str, text: str) -> str:
    """A line of text that is kept as it is: it is never cut in silence."""
    line = f"{start}{name}{between}{text}"
    if "=" in name or not name or name != name.strip() or _CONTROL.search(name):
        raise InputRefused(f"a field named '{name[:60]}' cannot be written into such a file", "export as .json, which carries everything")
    if text != text.strip() or _CONTROL.search(text) or len(line.encode()) > LINE_LIMIT:
        problem = f"the field '{name}' holds a text that such a file cannot carry"
        raise InputRefused(f"{problem} (more than {LINE_LIMIT} characters in a line, or line breaks)", "export as .json, which carries everything")
    return line


def _check_field(name: str, seen: set[str], bodies: set[str]) -> None:
    """A field must not be taken for a time, a counter or a pose when the file is read back."""
    transform = name.removesuffix("Status").removesuffix("Transform")
    is_pose = transform != name and transform.endswith("ToTracker") and len(SPLIT.findall(transform)) == 1 and transform != "ToTracker"
    is_ours = any(name == f"{body}ToTracker{end}" for body in bodies for end in OURS)
    if name in _OF_FRAMES or name.startswith(FILE_FIELD) or is_pose or is_ours or name in seen:
        raise InputRefused(f"a field named '{name[:60]}' has another meaning in such a file", "export as .json, which carries everything")
    seen.add(name)


def _fields(frame: TrackerFrame, losses: Losses, room: int) -> Iterator[tuple[str, str]]:
    yield "FrameNumber", str(frame.number)
    bodies = [sighting.body for sighting in frame.sightings]
    if len(set(bodies)) != len(bodies):
        raise InputRefused(f"frame {frame.number} has two sightings of one body", "such a file holds one of each: export as .json")
    for sighting in frame.sightings:
        name = f"{sighting.body}ToTracker"
        if len(SPLIT.findall(name)) != 1 or not _BODY.fullmatch(sighting.body) or _UNUSED in sighting.body or len(name) > 200:
            raise InputRefused(f"body '{sighting.body}' has a name that such a file cannot carry", "use letters and digits, without 'To'")
        yield f"{name}Transform", _matrix(sighting.pose)
        yield f"{name}TransformStatus", sighting.status
        yield from _extras(name, sighting, losses, room)
    capture, device_ns = _seconds(frame.t_capture_ns), frame.t_device_ns
    yield "Timestamp", capture if device_ns is None else _seconds(device_ns)
    yield "UnfilteredTimestamp", _seconds(frame.t_arrival_ns)
    if device_ns is not None:
        yield CAPTURE_FIELD, capture
    yield "CaptureStamp", frame.stamp
    if frame.filter is not None:
        name = frame.filter.name
        if name != name.strip() or _CONTROL.search(name) or len(name.encode()) > 200:
            raise InputRefused(f"the filter '{name[:60]}' has a name that such a file cannot carry", "export as .json, which carries everything")
        yield "Filter", f"{frame.filter.delay_ms!r} {name}"
    if frame.stages is not None:
        yield "Stages", f"{frame.stages.t_image_ns} {frame.stages.t_detected_ns} {frame.stages.t_posed_ns}"


def _extras(name: str, sighting: Sighting, losses: Losses, room: int) -> Iterator[tuple[str, str]]:
    """What a sighting has beyond a matrix and a word. A matrix does not give the last bit of its quaternion back, so that goes beside it."""
    if sighting.pose is not None:
        yield f"{name}Quaternion", _spaced(sighting.pose.q_wxyz)
    if sighting.reason:
        reason = _CONTROL.sub(" ", sighting.reason).strip()
        while len(reason.encode()) > room - len(name) - len("Reason"):
            reason = f"{reason[: len(reason) * 3 // 4].removesuffix('...')}..."
        losses.reasons += reason != sighting.reason
        yield f"{name}Reason", reason
    for end, value in (("RmsMm", sighting.rms_mm), ("RmsPx", sighting.rms_px), ("Corners", sighting.corners), ("Ambiguity", sighting.ambiguity)):
        if value is not None:
            yield f"{name}{end}", repr(value)
    if sighting.covariance is not None:
        yield f"{name}Covariance", _spaced(sighting.covariance)


def _spaced(numbers: Iterable[float]) -> str:
    return " ".join(map(repr, numbers))


def _matrix(pose: Pose | None) -> str:
    if pose is None:
        return _IDENTITY
    rigid = pose.rigid(target="tracker", source="marker")
    rows = (f"{row[0]!r} {row[1]!r} {row[2]!r} {t!r}" for row, t in zip(rigid.rotation, rigid.t_mm, strict=True))
    return " ".join((*rows, "0 0 0 1"))


def _seconds(t_ns: int) -> str:
    """Exact decimal seconds."""
    whole, rest = divmod(abs(t_ns), 1_000_000_000)
    return f"{'-' if t_ns < 0 else ''}{whole}.{rest:09d}"
