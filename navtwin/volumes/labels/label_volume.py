"""Label volumes (NIfTI, NRRD, MetaImage): one number a voxel, named by a table, by the file itself, or not at all."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

from navtwin.errors import InputRefused
from navtwin.files.guard import read_head
from navtwin.volumes.labels.segments import Segment, Segmentation, label_counts
from navtwin.volumes.labels.tables import embedded_table, read_table
from navtwin.volumes.labels_guess import looks_like_labels
from navtwin.volumes.read import read_label_volume

#: The names of a few thousand labels; header extensions beyond are images.
_MOST_HEADER: Final = 1024**2


def read_named_labels(path: Path, names: Path | None, *, space: str | None = None, unit: str | None = None) -> Segmentation:
    """The labels of a label volume by the names of a table, or of the file itself; `label_7` where nothing names them.

    Raises
    ------
    InputRefused : a scan in place of labels; as `read_label_volume` and `read_table`
    """
    volume = read_label_volume(path, space=space, unit=unit)
    if not looks_like_labels(path):
        raise InputRefused(f"{path} holds scanned values, not labels", "pass the segmentation; a scan is what --ct takes")
    table = read_table(names) if names is not None else embedded_names(path)
    there = label_counts(volume)
    named = [one for one in table if one.labels[0] in there]
    nameless = sorted(there.keys() - {label for one in named for label in one.labels})
    absent = {one.name: f"label {one.labels[0]} has no voxel there" for one in table if one.labels[0] not in there}
    segments = (*named, *(Segment(f"label_{label}", (label,)) for label in nameless))
    unusable = {name: why for name, why in absent.items() if name not in {one.name for one in segments}}
    return Segmentation((volume,), segments, unusable=unusable)


def embedded_names(path: Path) -> tuple[Segment, ...]:
    """The names that a NIfTI file carries in a header extension; () for all other files."""
    head = read_head(path, 352)
    if head[344:348] != b"n+1\0":
        return ()
    order = "<" if int.from_bytes(head[:4], "little") == 348 else ">"
    (first_voxel,) = struct.unpack_from(f"{order}f", head, 108)
    if not 352 < first_voxel <= _MOST_HEADER:
        return ()
    return embedded_table(read_head(path, int(first_voxel)), path)
