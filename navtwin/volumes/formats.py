"""Volume files, for the door. What a file is, its content says: a recording of a tracker, a segmentation and labels are other rooms' business."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from navtwin.files.formats import Format, Inspection, Kind, Options, Peek, Report, Write

#: Lines that only a tracker's recording or a segmentation has.
_OF_OTHERS: Final = re.compile(rb"(?m)^(Seq_Frame\d|Segment\d+_\w+:=)")
_NRRD: Final = re.compile(rb"NRRD000\d\r?\n")
_METAIMAGE: Final = tuple(re.compile(rb"(?m)^[ \t]*" + key + rb"[ \t]*=") for key in (b"NDims", b"DimSize", b"ElementType", b"ElementDataFile"))
#: What names a case and the structures that are built with it.
_CASE: Final = frozenset({"name", "labels", "structures", "names", "notes", "unit"})


def _is_nifti(peek: Peek) -> bool:
    sizes = (peek.head[:4], peek.head[3::-1])
    one = peek.head[344:348] in (b"n+1\0", b"ni1\0") and (348).to_bytes(4, "little") in sizes
    two = peek.head[4:8] in (b"n+2\0", b"ni2\0") and (540).to_bytes(4, "little") in sizes
    return (one or two) and not _holds_labels(peek.path)


def _is_nrrd(peek: Peek) -> bool:
    return not peek.packed and _NRRD.match(peek.head) is not None and _OF_OTHERS.search(peek.head) is None and not _holds_labels(peek.path)


def _is_metaimage(peek: Peek) -> bool:
    header = peek.head.partition(b"ElementDataFile")
    head = header[0] + header[1] + b" ="
    if peek.packed or not header[1] or any(key.search(head) is None for key in _METAIMAGE):
        return False
    return _OF_OTHERS.search(head) is None and not _holds_labels(peek.path)


def _holds_labels(path: Path) -> bool:
    from navtwin.volumes.labels_guess import looks_like_labels

    return looks_like_labels(path)


def _bring(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    from navtwin.volumes.labels.bring import bring_ct

    return bring_ct(path, to, options, report)


def _write(ending: str, path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    from navtwin.volumes.export import export_volume

    return export_volume(ending, path, to, options, report)


def _format(name: str, recognise: Callable[[Peek], bool], endings: tuple[str, ...], more_options: frozenset[str] = frozenset()) -> Format:
    def inspect(path: Path, options: Options) -> Inspection:
        from navtwin.volumes.inspection import inspect_volume

        return inspect_volume(name, path, options.space, options.unit)

    writes: dict[tuple[Kind, str], Write] = {("case", ending): partial(_write, ending) for ending in endings}
    return Format(name, recognise, inspect, brings={"case": _bring}, uses=_CASE | more_options, writes=writes)


FORMATS: tuple[Format, ...] = (
    _format("NIfTI volume", _is_nifti, (".nii", ".nii.gz")),
    _format("NRRD volume", _is_nrrd, (".nrrd",), frozenset({"space"})),
    _format("MetaImage volume", _is_metaimage, (".mha",), frozenset({"space"})),
)
