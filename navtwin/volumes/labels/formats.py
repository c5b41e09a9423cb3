"""Segmentations, for the door: known by content, looked at, and brought into a case as structures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from navtwin.files.formats import Format, Inspection, Options, Peek, Report

_SLICER, _LABELS, _DICOM, _CONTOURS = "Slicer segmentation", "label volume", "DICOM segmentation", "RT structure set"
_SEGMENT_KEY: Final = re.compile(rb"(?m)^Segment\d+_\w+:=")
_FRAME_KEY: Final = re.compile(rb"(?m)^Seq_Frame\d")
_USES: Final = frozenset({"structures", "role", "caution_mm", "danger_mm"})


def _is_slicers(peek: Peek) -> bool:
    return not peek.packed and peek.head.startswith(b"NRRD000") and _SEGMENT_KEY.search(peek.head) is not None and not _FRAME_KEY.search(peek.head)


def _is_label_volume(peek: Peek) -> bool:
    """Label volumes come in the formats of scans: their voxels tell them apart."""
    if peek.is_folder or _is_slicers(peek) or _FRAME_KEY.search(peek.head):
        return False
    from navtwin.volumes.labels_guess import looks_like_labels

    return looks_like_labels(peek.path)


def _is_dicom_seg(peek: Peek) -> bool:
    from navtwin.volumes.labels.dicom_file import SEGMENTATION

    return _class_of(peek) in SEGMENTATION


def _is_structure_set(peek: Peek) -> bool:
    from navtwin.volumes.labels.dicom_file import STRUCTURE_SET

    return _class_of(peek) in STRUCTURE_SET


def _class_of(peek: Peek) -> str:
    from navtwin.volumes.dicom.part10 import is_dicom, sop_class

    return sop_class(peek.path) if is_dicom(peek.head) and not peek.packed else ""


def _inspect_labels(kind: str, path: Path, options: Options) -> Inspection:
    from navtwin.volumes.labels.inspection import inspect_segmentation

    return inspect_segmentation(kind, path, options)


def _inspect_contours(path: Path, options: Options) -> Inspection:
    from navtwin.volumes.labels.inspection import inspect_contours

    return inspect_contours(_CONTOURS, path)


def _bring(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    from navtwin.volumes.labels.bring import bring_labels

    return bring_labels(path, to, options, report)


FORMATS: tuple[Format, ...] = (
    Format(
        _SLICER, _is_slicers, lambda path, options: _inspect_labels(_SLICER, path, options), brings={"case": _bring}, uses=_USES | {"space", "unit"}
    ),
    Format(
        _LABELS,
        _is_label_volume,
        lambda path, options: _inspect_labels(_LABELS, path, options),
        brings={"case": _bring},
        uses=_USES | {"names", "space", "unit"},
    ),
    Format(_DICOM, _is_dicom_seg, lambda path, options: _inspect_labels(_DICOM, path, options), brings={"case": _bring}, uses=_USES),
    Format(_CONTOURS, _is_structure_set, _inspect_contours, brings={"case": _bring}, uses=_USES),
)
