"""Write tracker frames as a PLUS / IGSIO sequence file (`.igs.mha`, tracking only), as PLUS, 3D Slicer and Ibis read it.

Format: PlusLib's FileSequenceFile manual page and IGSIO's vtkIGSIOMetaImageSequenceIO. `Timestamp` is the capture time, `UnfilteredTimestamp` the
arrival; the header says so, and the reader (`tracking.recordings.sequence`) takes both back from it. The reason of a refused pose and the fit of the
markers travel in custom fields.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from navtwin.errors import InputRefused
from navtwin.nouns import Pose, Sighting, TrackerFrame

#: PLUS and Slicer read lines of at most 1000 characters.
LINE_LIMIT: Final = 1000
#: Header field that tells our files from those of PLUS, whose time stamps are both of arrival.
TIMES_FIELD: Final = "TimestampMeaning"
TIMES_CAPTURE: Final = "capture"
_IDENTITY: Final = "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1"
#: Where IGSIO splits a transform's name: `To` before anything but a lower-case letter, and only once.
SPLIT: Final = re.compile(r"To(?=[^a-z])")


def sequence_lines(frames: Iterable[TrackerFrame], number: int) -> Iterator[str]:
    """The lines of a `.igs.mha` file of `number` frames, without line ends.

    Raises
    ------
    InputRefused : a body whose name the format cannot carry
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
    for n, frame in enumerate(frames):
        for field, value in _fields(frame):
            line = f"Seq_Frame{n:04d}_{field} = {value}"
            yield line if len(line) <= LINE_LIMIT else line[: LINE_LIMIT - 3] + "..."
    yield "ElementDataFile = LOCAL"


def _fields(frame: TrackerFrame) -> Iterator[tuple[str, str]]:
    yield "FrameNumber", str(frame.number)
    for sighting in frame.sightings:
        name = f"{sighting.body}ToTracker"
        if len(SPLIT.findall(name)) != 1 or not re.fullmatch(r"[A-Za-z0-9_.\-]+", sighting.body) or "Transform" in sighting.body:
            raise InputRefused(f"body '{sighting.body}' has a name that a .igs.mha file cannot carry", "use letters and digits, without 'To'")
        yield f"{name}Transform", _matrix(sighting.pose)
        yield f"{name}TransformStatus", sighting.status
        yield from _extras(name, sighting)
    yield "Timestamp", _seconds(frame.t_capture_ns)
    yield "UnfilteredTimestamp", _seconds(frame.t_arrival_ns)
    yield "ImageStatus", "INVALID"


def _extras(name: str, sighting: Sighting) -> Iterator[tuple[str, str]]:
    if sighting.reason:
        yield f"{name}Reason", " ".join(sighting.reason.split())
    if sighting.rms_mm is not None:
        yield f"{name}RmsMm", repr(sighting.rms_mm)


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
