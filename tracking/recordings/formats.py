"""What the door knows of recordings of other programs: what they are, and bringing them in as a log."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from navtwin.files.formats import Format, Inspection, Options, Peek, Report

if TYPE_CHECKING:
    from tracking.recordings.recording import Recording


def _is_sequence(peek: Peek) -> bool:
    from tracking.recordings.header import looks_like

    return not peek.packed and looks_like(peek.head)


def _is_mitk(peek: Peek) -> bool:
    from tracking.recordings.mitk import looks_like

    return not peek.packed and looks_like(peek.head)


def _is_tracks(peek: Peek) -> bool:
    from tracking.recordings.tracks import looks_like

    return not peek.packed and not _is_mitk(peek) and looks_like(peek.head)


def _read(path: Path, options: Options) -> Recording:
    from navtwin.nouns import read_rig
    from tracking.recordings.kinds import read_recording

    return read_recording(path, None if options.rig is None else read_rig(Path(options.rig)), options.columns)


def _bring(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    from navtwin import __version__
    from navtwin.record.imports import import_stream
    from tracking.recordings.notes import doubts_of_numbers, notes
    from tracking.recordings.recorded import RecordedSource

    report(f"reading {path.name}")
    recording = _read(path, options)
    report(f"writing {to.name}")
    told = (*notes(recording), *doubts_of_numbers(recording))
    return import_stream(RecordedSource(recording.source, recording.frames(), told), to, __version__, told).told()


def _format(name: str, recognise: Callable[[Peek], bool], *, general: bool = False) -> Format:
    def inspect(path: Path, options: Options) -> Inspection:
        from tracking.recordings.notes import inspection

        return inspection(name, _read(path, options))

    return Format(name=name, recognise=recognise, inspect=inspect, brings={"log": _bring}, uses=frozenset({"rig", "columns"}), general=general)


FORMATS = (
    _format("PLUS tracker recording", _is_sequence),
    _format("MITK navigation data", _is_mitk),
    _format("tracker CSV", _is_tracks, general=True),
)
