"""What a reader should know of a recording: in sentences when it is imported, in facts and doubts when it is inspected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from navtwin.files.formats import Inspection
from navtwin.nouns import Rig
from navtwin.nouns.rig import HARD_MAX_AGE_MS
from tracking.recordings.columns import Column
from tracking.recordings.recording import NOT_REPORTED, Recording, Verdicts
from tracking.recordings.text_numbers import shown

#: Why the poses of such a file are not to be trusted; each sighting says it too.
BY_SLICER: Final = "validity lost: saved by 3D Slicer, which marks every pose OK"
#: Begins a note that is no doubt: inspection tells of images among its facts.
NO_IMAGES: Final = "its images are not kept"
#: No tracker sees a marker that lies in it; a room in metres is this small.
_TOO_NEAR_MM: Final = 10.0
_NS: Final = 1_000_000_000


def listed(names: Iterable[str]) -> str:
    """Names in a sentence, as many as fit into one."""
    names = list(names)
    return f"{', '.join(shown(name) for name in names[:12])}{f' and {len(names) - 12} more' if len(names) > 12 else ''}"


def signs_of_slicer(general: Mapping[str, str], columns: Mapping[str, Column], verdicts: Verdicts, *, ours: bool) -> tuple[str, ...]:
    """What shows that 3D Slicer saved a sequence: it drops status words when it reads and writes every pose as OK, so nothing else is said in it.

    Signs: time stamps that are frame indices (in a file that is not `ours`, where they may be so), no space behind the equals sign of a transform,
    an image type that stands there twice.
    """
    for name, column in columns.items():
        if name.endswith("TransformStatus") and not column.is_text:
            (codes,) = column.arrays()
            if any(verdicts[code][0] != "OK" for code in np.unique(codes)):
                return ()
    signs = []
    stamps = columns.get("Timestamp")
    if stamps is not None and not ours:
        (times,) = stamps.arrays()
        if len(times) > 2 and (times == stamps.frames() * _NS).all():
            signs.append("its time stamps are frame indices")
    if any(column.glued for name, column in columns.items() if name.endswith("Transform")):
        signs.append("its transforms are written as 3D Slicer writes them")
    if general.get("UltrasoundImageType", general.get("ultrasound image type")) == "BRIGHTNESSBRIGHTNESS":
        signs.append("its image type is written as 3D Slicer writes it")
    return tuple(signs)


def slicer_note(signs: Iterable[str]) -> str:
    """The sentence for those signs; "" for none."""
    said = ", ".join(signs)
    return f"{BY_SLICER} ({said}): trust neither validity nor times, and go back to the file that was recorded" if said else ""


def assumed(rig: Rig | None) -> str:
    """What is said of the times of capture of a recording that has only arrivals."""
    declared = "the rig's declared latency" if rig is not None else "the declared latency (none: name a rig with --rig)"
    return f"times of capture are assumed: time of arrival less {declared}"


def strangers(bodies: Iterable[str], rig: Rig) -> Iterator[str]:
    """Says which bodies the rig does not have."""
    unknown = [name for name in bodies if name not in {body.name for body in rig.body}]
    if unknown:
        yield f"the rig has no body {listed(unknown)}: rename the [[body]] tables of the rig to use them"


def notes(recording: Recording) -> tuple[str, ...]:
    """All that should be told when the recording is used: first what happened to its poses."""
    counted = sum((np.bincount(t.verdicts, minlength=256) for t in recording.tracks), np.zeros(256, dtype=np.int64))
    found = [(int(counted[code]), *recording.verdicts[code]) for code in range(1, len(recording.verdicts)) if counted[code]]
    told = sorted((one for one in found if one[2] and (one[1] in ("INVALID", "UNKNOWN") or one[2] == NOT_REPORTED)), key=lambda one: -one[0])
    return (*(f"{count} x {reason}" for count, _, reason in told[:5]), *recording.notes)


def inspection(kind: str, recording: Recording) -> Inspection:
    """What the recording is, in plain words."""
    facts = [*recording.facts, ("frames", str(len(recording))), *_when(recording), ("frame counter", _counter(recording)), *_who(recording)]
    if recording.fields or recording.file_fields:
        names = [*(name for name, _ in recording.fields), *(name for name, _ in recording.file_fields)]
        facts.append(("kept as text", listed(names)))
    return Inspection(kind=kind, facts=tuple(facts), doubts=tuple(_doubts(recording)))


def _when(recording: Recording) -> Iterator[tuple[str, str]]:
    steps = _steps_ms(recording)
    seconds = float(recording.t_arrival_ns[-1] - recording.t_arrival_ns[0]) / _NS if len(recording) else 0.0
    yield "duration", f"{seconds:.3f} s"
    if steps.size:
        low, middle, high = steps.min(), float(np.median(steps)), steps.max()
        rate = f"{1000.0 / middle:.1f} Hz; " if middle > 0.0 else ""
        yield "rate", f"{rate}from frame to frame {low:.1f} / {middle:.1f} / {high:.1f} ms (least / median / most)"


def _steps_ms(recording: Recording) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.diff(recording.t_arrival_ns) * 1e-6


def _counter(recording: Recording) -> str:
    if not recording.counted or not len(recording):
        return "none; frames are numbered from 0"
    steps = np.diff(recording.number)
    lost, gaps = int((steps[steps > 1] - 1).sum()), int((steps > 1).sum())
    return f"{recording.number[0]} to {recording.number[-1]}; " + (f"{lost} missing, gaps: {gaps}" if gaps else "no frame is missing")


def _who(recording: Recording) -> Iterator[tuple[str, str]]:
    for track in recording.tracks:
        counted = np.bincount(track.verdicts, minlength=256)
        words: dict[str, int] = {}
        for code in range(1, len(recording.verdicts)):
            status = recording.verdicts[code][0]
            words[status] = words.get(status, 0) + int(counted[code])
        valid = words.pop("OK", 0)
        others = ", ".join(f"{count} {word}" for word, count in words.items() if count)
        absent = int(counted[Verdicts.ABSENT])
        share = f"{valid} of {len(recording)} frames valid ({100.0 * valid / max(1, len(recording)):.0f} %)"
        yield f"body {shown(track.body)}", "; ".join(part for part in (share, others, f"not mentioned in {absent}" if absent else "") if part)


def _doubts(recording: Recording) -> Iterator[str]:
    yield from (note for note in notes(recording) if not note.startswith(("kept as text:", NO_IMAGES)))
    yield from doubts_of_numbers(recording)


def doubts_of_numbers(recording: Recording) -> Iterator[str]:
    """What its times, counters and positions themselves give cause to doubt."""
    yield from _doubts_of_times(recording)
    seen = [np.isin(track.verdicts, _valid(recording)) for track in recording.tracks]
    yield from (f"{shown(track.body)} is never seen" for track, rows in zip(recording.tracks, seen, strict=True) if not rows.any())
    farthest_mm = max((float(np.abs(track.t_mm[rows]).max(initial=0.0)) for track, rows in zip(recording.tracks, seen, strict=True)), default=0.0)
    if 0.0 < farthest_mm < _TOO_NEAR_MM:
        yield f"no marker is ever farther than {farthest_mm:.3g} mm from the tracker: its positions may be metres (a CSV can say x_m)"


def _valid(recording: Recording) -> list[int]:
    return [code for code in range(1, len(recording.verdicts)) if recording.verdicts[code][0] == "OK"]


def _doubts_of_times(recording: Recording) -> Iterator[str]:
    steps = _steps_ms(recording)
    for count, what in (
        (int((steps == 0.0).sum()), "arrived at the same time as the one before"),
        (int((steps < 0.0).sum()), "arrived earlier than the one before: its clock went back"),
        (int((steps > HARD_MAX_AGE_MS).sum()), f"came more than {HARD_MAX_AGE_MS:g} ms after the one before"),
    ):
        if count:
            yield f"{count} frames {what}"
    if recording.counted:
        counts = np.diff(recording.number)
        if (counts <= 0).any():
            yield f"its frame counter does not rise in {int((counts <= 0).sum())} places"
        if (counts > 1).any():
            yield f"{int((counts[counts > 1] - 1).sum())} frames are missing by its frame counter"
