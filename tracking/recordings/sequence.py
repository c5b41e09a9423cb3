"""Read PLUS / IGSIO sequence files (`.igs.mha`, `.igs.mhd`, `.igs.nrrd`, `.seq.*`): recorded poses with status words, times, counters and fields.

Format: PlusLib's FileSequenceFile manual page; IGSIO's vtkIGSIOMetaImageSequenceIO, vtkIGSIONrrdSequenceIO and igsioCommon. Pixels are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.nouns import Rig
from navtwin.record.igsio import CAPTURE_FIELD, FILE_FIELD, OURS, SPLIT, STANDARD_KEYS, TIMES_CAPTURE, TIMES_FIELD
from tracking.recordings.columns import Column, Settle, as_text
from tracking.recordings.header import Header, read_header
from tracking.recordings.naming import as_in_rig
from tracking.recordings.notes import BY_SLICER, NO_IMAGES, assumed, listed, signs_of_slicer, slicer_note, strangers
from tracking.recordings.recording import NO_TIME, Ints, Recording, Texts, Track, Verdicts, track
from tracking.recordings.rigid_rows import Rows, from_matrices
from tracking.recordings.text_numbers import nanoseconds, number_rows, quick_nanoseconds, shown, whole_number

_TRACKER: Final = "Tracker"
_POSE, _STATUS, _QUATERNION = "Transform", "TransformStatus", "Quaternion"
#: Of the image, which is not kept; `.nrrd` files call it `Status`.
_OF_THE_IMAGE: Final = ("ImageStatus", "Status")
_TIMES: Final = ("Timestamp", "UnfilteredTimestamp")


def read_sequence(path: str | Path, rig: Rig | None = None, *, plain_to_tracker: bool = False) -> Recording:
    """Read a sequence file (MetaImage and NRRD are told apart by their first line).

    A transform `<Body>ToTracker` becomes a sighting of `<Body>`, under the name that the rig has for it if the two differ in case only. A pose whose
    status is not OK is dropped; one that is not finite, not orthonormal or left-handed becomes INVALID with the reason. PLUS stamps frames when they
    arrive: capture is that less the rig's declared latency, marked `assumed`; its filtered stamp is kept as the device's. Stamps that repeat, go
    back or jump stay as they are. Every other field is kept as text, transforms to other frames among them.

    Parameters
    ----------
    plain_to_tracker : transforms whose name says no frames (`StylusTransform`) lead to the tracker too, as the user has declared

    Raises
    ------
    InputRefused : unreadable, cut, or of another kind; frames that are missing or without a usable time; no transform to the tracker
    """
    path = Path(path)
    verdicts = Verdicts()
    header = read_header(path, partial(_settle_of, path, verdicts, plain_to_tracker))
    ours = header.general.get(TIMES_FIELD) == TIMES_CAPTURE
    slicer = slicer_note(signs_of_slicer(header.general, header.columns, verdicts, ours=ours))
    tracks = _tracks(header, path, verdicts, rig, BY_SLICER if slicer else "", plain_to_tracker, ours)
    more = {f"{field}{end}" for _, field in tracks for end in OURS} if ours else set[str]()
    known = {*_TIMES, *_OF_THE_IMAGE, "FrameNumber", *(f"{field}{end}" for _, field in tracks for end in (_POSE, _STATUS)), *more}
    frame_texts = {key: _texts(header, key) for key in ("CaptureStamp", "Filter", "Stages")} if ours else {}
    kept = [(n, c) for n, c in header.columns.items() if c.is_text and n not in known and n not in frame_texts]
    capture_ns, arrival_ns, device_ns = _times(header, path, ours, round(rig.tracker.latency_ms * 1e6) if rig is not None else 0)
    bodies = tuple(one for one, _ in tracks)
    number = _spread(header, "FrameNumber", np.arange(header.frames))
    assert number is not None
    return Recording(
        source=f"log:{path.name}",
        number=number,
        t_capture_ns=capture_ns,
        t_arrival_ns=arrival_ns,
        t_device_ns=device_ns,
        tracks=bodies,
        verdicts=verdicts,
        fields=tuple((name, partial(column.texts, header.frames)) for name, column in kept),
        file_fields=tuple((FILE_FIELD + key, value) for key, value in header.general.items() if key not in STANDARD_KEYS),
        stamps=frame_texts.get("CaptureStamp"),
        filters=frame_texts.get("Filter"),
        stages=frame_texts.get("Stages"),
        counted="FrameNumber" in header.columns,
        facts=tuple(_facts(header, slicer, ours)),
        notes=tuple(_notes(header, [name for name, _ in kept], slicer, ours, bodies, rig)),
    )


def body_of(field: str, plain_to_tracker: bool) -> str | None:
    """The body whose pose in the tracker's axes a transform's name (without `Transform`) states; None if it states another thing."""
    split = list(SPLIT.finditer(field))
    if not split and plain_to_tracker:
        return field or None
    if len(split) != 1 or field[split[0].end() :] != _TRACKER:
        return None
    return field[: split[0].start()] or None


def _settle_of(path: Path, verdicts: Verdicts, plain: bool, name: str, general: Mapping[str, str]) -> Settle:
    for end, settle in ((_POSE, _poses), (_STATUS, partial(_status_codes, verdicts))):
        if name.endswith(end) and body_of(name.removesuffix(end), plain) is not None:
            return settle
    if name in _TIMES or (name == CAPTURE_FIELD and general.get(TIMES_FIELD) == TIMES_CAPTURE):
        return partial(_nanoseconds, path, name)
    if name == "FrameNumber":
        return partial(_numbers, path)
    if name.endswith(_TRACKER + _QUATERNION) and general.get(TIMES_FIELD) == TIMES_CAPTURE:
        return _quaternions
    return as_text


def _poses(rows: list[int], values: list[bytes]) -> tuple[npt.NDArray[Any], ...]:
    return tuple(from_matrices(number_rows(values, 16).reshape(-1, 4, 4)))


def _quaternions(rows: list[int], values: list[bytes]) -> npt.NDArray[np.float64]:
    # Of absurd size they agree with no matrix, and their squares would be infinite.
    return np.nan_to_num(number_rows(values, 4)).clip(-2.0, 2.0)


def _status_codes(verdicts: Verdicts, rows: list[int], values: list[bytes]) -> npt.NDArray[np.uint8]:
    codes = {value: verdicts.of_word(value.decode("utf-8", errors="replace").strip()) for value in set(values)}
    return np.array([codes[value] for value in values], dtype=np.uint8)


def _nanoseconds(path: Path, name: str, rows: list[int], values: list[bytes]) -> Ints:
    quick = quick_nanoseconds(values)
    if quick is not None:
        return quick
    times = [nanoseconds(value) for value in values]
    _refuse_unreadable(path, name, "every frame needs a time in seconds; cut those without one out of the file", times, rows, values)
    return np.array(times, dtype=np.int64)


def _numbers(path: Path, rows: list[int], values: list[bytes]) -> Ints:
    numbers = [whole_number(value) for value in values]
    _refuse_unreadable(path, "FrameNumber", "it must be a whole number", numbers, rows, values)
    return np.array(numbers, dtype=np.int64)


def _refuse_unreadable(path: Path, name: str, remedy: str, found: list[int | None], rows: list[int], values: list[bytes]) -> None:
    if None in found:
        at = found.index(None)
        told = shown(values[at].decode("utf-8", errors="replace").strip())
        raise InputRefused(f"{path}: frame {rows[at]} has {name} '{told}'", remedy)


def _spread(header: Header, name: str, otherwise: Ints | None) -> Ints | None:
    """A column of numbers, a row for each frame; `otherwise` where frames do not state it, None where none does and there is no other."""
    column = header.columns.get(name)
    if column is None or column.is_text:
        return otherwise
    found = np.full(header.frames, NO_TIME) if otherwise is None else otherwise.copy()
    (found[column.frames()],) = column.arrays()
    return found


def _times(header: Header, path: Path, ours: bool, latency_ns: int) -> tuple[Ints, Ints, Ints]:
    """Times of capture, of arrival and of the device's own clock.

    Raises
    ------
    InputRefused : a frame without a time
    """
    stamp_ns = _spread(header, "Timestamp", None)
    if stamp_ns is None or (stamp_ns == NO_TIME).any():
        at = 0 if stamp_ns is None else int((stamp_ns == NO_TIME).argmax())
        raise InputRefused(f"{path}: frame {at} has Timestamp ''", "every frame needs a time in seconds; cut those without one out of the file")
    arrival_ns = _spread(header, "UnfilteredTimestamp", stamp_ns)
    assert arrival_ns is not None
    if not ours:
        return arrival_ns - latency_ns, arrival_ns, stamp_ns
    capture_ns = _spread(header, CAPTURE_FIELD, None)
    if capture_ns is None:
        return stamp_ns, arrival_ns, np.full(header.frames, NO_TIME)
    stated = capture_ns != NO_TIME
    return np.where(stated, capture_ns, stamp_ns), arrival_ns, np.where(stated, stamp_ns, NO_TIME)


def _tracks(header: Header, path: Path, verdicts: Verdicts, rig: Rig | None, lost: str, plain: bool, ours: bool) -> list[tuple[Track, str]]:
    """The bodies, each with the name of its transform."""
    fields = [name.removesuffix(_POSE) for name, column in header.columns.items() if name.endswith(_POSE)]
    found = {field: body for field in fields if (body := body_of(field, plain)) is not None}
    if not found:
        plainly = [field for field in fields if not SPLIT.search(field)]
        declare = "; if those without `To` lead to the tracker, say so: --columns to=tracker" if plainly else ""
        there = listed(fields) or "none"
        raise InputRefused(f"{path} has no transform to the tracker (it has: {there})", f"record `<Body>ToTracker` transforms{declare}")
    names = as_in_rig(found.values(), rig)
    return [(_track(header, field, body, verdicts, lost, ours), field) for field, body in zip(found, names, strict=True)]


def _track(header: Header, field: str, body: str, verdicts: Verdicts, lost: str, ours: bool) -> Track:
    column, statuses = header.columns[field + _POSE], header.columns.get(field + _STATUS)
    told = None if statuses is None else (statuses.frames(), statuses.arrays()[0])
    found = track(body, header.frames, verdicts, (column.frames(), Rows(*column.arrays())), told, lost)
    if not ours:
        return found
    _take_exact(header, field, found.q_wxyz)
    more = [(attribute, make, _texts(header, field + end)) for end, (attribute, make) in OURS.items() if make is not None]
    return replace(found, more=tuple((attribute, make, texts) for attribute, make, texts in more if texts is not None))


def _take_exact(header: Header, field: str, q_wxyz: npt.NDArray[np.float64]) -> None:
    """Put the quaternion that we printed in place of the one that its matrix gives, where they agree: a matrix does not give the last bit back."""
    column = header.columns.get(field + _QUATERNION)
    if column is None or column.is_text:
        return
    rows, (printed,) = column.frames(), column.arrays()
    norm2 = (printed**2).sum(axis=1, keepdims=True)
    unit = printed / np.sqrt(norm2.clip(0.5, 2.0))
    off = np.minimum(np.abs(unit - q_wxyz[rows]).max(axis=1), np.abs(unit + q_wxyz[rows]).max(axis=1))
    agrees = (off < 1e-9) & (np.abs(norm2[:, 0] - 1.0) < 1e-6)
    q_wxyz[rows[agrees]] = printed[agrees]


def _texts(header: Header, name: str) -> Texts | None:
    column: Column | None = header.columns.get(name)
    return partial(column.texts, header.frames) if column is not None and column.is_text else None


def _facts(header: Header, slicer: str, ours: bool) -> Iterator[tuple[str, str]]:
    yield "format", "NRRD sequence" if header.is_nrrd else "MetaImage sequence"
    yield "saved by", "3D Slicer, as it seems" if slicer else "navtwin" if ours else "PLUS, Ibis or another program of their kind"
    image = _image(header)
    yield "images", image or "none"
    yield "axes", "those of the tracker; poses are marker to tracker, mm"
    raw = "raw stamp" if "UnfilteredTimestamp" in header.columns else "stamp"
    yield "times", "of capture and of arrival" if ours else f"arrival is the file's {raw}, s on a clock of its own; capture is assumed"


def _image(header: Header) -> str:
    sizes = (header.general.get("sizes" if header.is_nrrd else "DimSize") or "").split()[:-1]
    kind = header.general.get("type" if header.is_nrrd else "ElementType", "")
    return "" if not sizes or {"0", "1"} & {sizes[0], sizes[-1]} or kind == "MET_OTHER" else f"{' x '.join(sizes)} pixels, {kind}"


def _notes(header: Header, kept: list[str], slicer: str, ours: bool, bodies: tuple[Track, ...], rig: Rig | None) -> Iterator[str]:
    others = [name.removesuffix(_POSE) for name in kept if name.endswith(_POSE)]
    if others:
        yield f"kept as text, not a pose in the tracker's axes: {listed(others)}"
    texts = [name for name in kept if not name.endswith((_POSE, _STATUS))]
    if texts:
        yield f"kept as text: {listed(texts)}"
    if image := _image(header):
        yield f"{NO_IMAGES} ({image})"
    if slicer:
        yield slicer
    if not ours:
        yield assumed(rig)
    if rig is not None:
        yield from strangers([body.body for body in bodies], rig)
