"""What the door knows of our own logs: what they are, and what they can be written as."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from navtwin.files.formats import Format, Inspection, Options, Peek, Report

if TYPE_CHECKING:
    from navtwin.nouns import Rig

#: Endings of the files that a log can be written as, as in `navtwin.record.export.KINDS`.
ENDINGS = (".csv", ".igs.mha", ".seq.mha", ".igs.nrrd", ".seq.nrrd", ".tracks.csv", ".mitk.csv", ".json")


def _recognise(peek: Peek) -> bool:
    from navtwin.record.format import is_log

    return not peek.packed and is_log(peek.head)


def _inspect(path: Path, options: Options) -> Inspection:
    from navtwin.record.look import look

    return look(path)


def _bring(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """A log as a new one of its frames, commands and truth, to be run anew."""
    from navtwin import __version__
    from navtwin.nouns import read_rig
    from navtwin.record.imports import import_stream, open_recording

    report(f"reading {path.name}")
    rig: Rig | None = None if options.rig is None else read_rig(options.rig)
    source = open_recording(path, rig)
    return import_stream(source, to, __version__, source.notes).told()


def _write(ending: str, path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    from navtwin.record.export import export_as

    report(f"writing {to.name}")
    written = export_as(ending, path, to)
    return (f"{written.number} {written.what} written to {to}", *(f"note: {sentence}" for sentence in written.lost))


FORMATS = (
    Format(
        name="navtwin log",
        recognise=_recognise,
        inspect=_inspect,
        brings={"log": _bring},
        uses=frozenset({"rig"}),
        writes={("log", ending): partial(_write, ending) for ending in ENDINGS},
        ours="log",
    ),
)
