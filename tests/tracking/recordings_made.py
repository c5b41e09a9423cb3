"""Recordings to test readers and writers with: frames of every kind, logs of them, and files of other programs written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from hypothesis import strategies as st

from navtwin.nouns import AppliedFilter, Event, Pose, Sighting, Stages, TrackerFrame
from navtwin.record.log import LogWriter
from navtwin.record.read import inputs
from tests.contracts.nouns import unit_quaternions
from tests.record.logs import header

IDENTITY = "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1"
_times = st.integers(-4 * 10**18, 4 * 10**18)
_near = st.floats(-1e6, 1e6)
#: Text on one line, without blanks around it.
_line = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=20).map(str.strip)
_names = st.from_regex(r"[A-Za-z0-9_.\-]{1,12}", fullmatch=True).filter(lambda name: "To" not in name and "Transform" not in name)
_field_names = st.from_regex(r"X[a-z0-9 _.]{0,10}[a-z]", fullmatch=True)
_poses = st.builds(Pose, q_wxyz=unit_quaternions(), t_mm=st.tuples(_near, _near, _near))
_refused = st.sampled_from(["MISSING", "OUT_OF_VIEW", "OUT_OF_VOLUME", "SWITCH1_IS_ON", "REQ_TIMEOUT", "INVALID", "PATH_NOT_FOUND", "UNKNOWN"])
_figures = st.none() | st.floats(0.0, 1e9)


@st.composite
def _sighting(draw: st.DrawFn, body: str) -> Sighting:
    pose = draw(st.none() | _poses)
    return Sighting(
        body=body,
        status="OK" if pose is not None else draw(_refused),
        pose=pose,
        covariance=draw(st.none() | st.tuples(*[_near] * 21)),
        rms_mm=draw(_figures),
        reason=draw(_line),
        rms_px=draw(_figures),
        corners=draw(st.none() | st.integers(0, 10**8)),
        ambiguity=draw(_figures),
    )


@st.composite
def frames(draw: st.DrawFn) -> list[TrackerFrame]:
    """A few frames of up to three bodies, which may or may not be mentioned, with all that a frame can say."""
    bodies = draw(st.lists(_names, min_size=1, max_size=3, unique=True))
    fields = draw(st.lists(_field_names, max_size=2, unique=True))
    filters = st.none() | st.builds(AppliedFilter, name=st.sampled_from(["one-euro", "kalman"]), delay_ms=st.floats(0.0, 100.0))
    found = []
    for n in range(draw(st.integers(1, 4))):
        seen = [draw(_sighting(body)) for body in bodies if n == 0 or draw(st.booleans())]
        said = [(name, draw(_line.filter(bool))) for name in fields if n == 0 or draw(st.booleans())]
        if n == 0 and draw(st.booleans()):
            said.insert(0, ("file:Operator", "ana"))
        found.append(
            TrackerFrame(
                source="made",
                number=draw(st.integers(-(10**17), 10**17)),
                t_capture_ns=draw(_times),
                t_arrival_ns=draw(_times),
                sightings=tuple(seen),
                stamp=draw(st.sampled_from(["host", "assumed"])),
                filter=draw(filters),
                stages=draw(
                    st.none() | st.builds(Stages, _times.map(lambda t: t // 10), _times.map(lambda t: t // 10), _times.map(lambda t: t // 10))
                ),
                t_device_ns=draw(st.none() | _times),
                fields=tuple(said),
            )
        )
    return found


def write_log(path: Path, made: Iterable[TrackerFrame]) -> Path:
    """A log of these frames."""
    with LogWriter(path, live=False) as log:
        log.write_header(header())
        for n, frame in enumerate(made):
            log.write_event(Event(seq=n + 1, t_ns=frame.t_arrival_ns, body=frame))
    return path


def frames_of(path: Path) -> list[TrackerFrame]:
    """The frames of a log."""
    return [event.body for event in inputs(path) if isinstance(event.body, TrackerFrame)]


def unnamed(made: Iterable[TrackerFrame]) -> list[TrackerFrame]:
    """The frames without the name of their source, which is that of the file that they came from."""
    return [msgspec.structs.replace(frame, source="") for frame in made]


def mha(path: Path, made: Sequence[dict[str, str]], between: str = " = ", **general: str) -> Path:
    """A sequence file of frames given as fields."""
    fields = {"ObjectType": "Image", "NDims": "3", "DimSize": f"0 0 {len(made)}", "ElementType": "MET_OTHER"} | general
    lines = [f"{key} = {value}" for key, value in fields.items()]
    lines += [f"Seq_Frame{n:04d}_{key}{between}{value}" for n, frame in enumerate(made) for key, value in frame.items()]
    path.write_text("\n".join([*lines, "ElementDataFile = LOCAL"]) + "\n", encoding="utf-8")
    return path


def tool(matrix: str = IDENTITY, status: str | None = "OK", **more: str) -> dict[str, str]:
    """The fields of a frame that shows one tool."""
    told = {} if status is None else {"ToolToTrackerTransformStatus": status}
    return {"ToolToTrackerTransform": matrix, **told, "Timestamp": "1.5", **more}
