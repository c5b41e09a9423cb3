"""Read a segmentation of any format: which one it is shows in its content."""

from __future__ import annotations

from pathlib import Path

from navtwin.errors import InputRefused
from navtwin.files.guard import read_head
from navtwin.volumes import nrrd
from navtwin.volumes.dicom.part10 import is_dicom, sop_class
from navtwin.volumes.labels.dicom_file import SEGMENTATION, STRUCTURE_SET
from navtwin.volumes.labels.label_volume import read_named_labels
from navtwin.volumes.labels.placing import refuse_elsewhere
from navtwin.volumes.labels.scan import UNKNOWN, Scan
from navtwin.volumes.labels.seg_nrrd import names_segments, read_seg_nrrd
from navtwin.volumes.labels.segments import Segmentation
from navtwin.volumes.volume import Volume

_DICOM_START = 4096


def read_segmentation(
    path: Path, *, ct: Volume | None, names: Path | None = None, scan: Scan = UNKNOWN, space: str | None = None, unit: str | None = None
) -> Segmentation:
    """The structures of a Slicer segmentation, label volume, DICOM segmentation or structure set, on a grid of their own.

    Parameters
    ----------
    ct : the CT that they belong to; None where the segmentation itself stands for the scanned volume
    names : table that names the labels of a label volume
    scan : what the CT is known by, for segmentations that say what they were drawn on
    space, unit : axes and unit of a volume file that does not say them

    Raises
    ------
    InputRefused : of none of these formats, damaged, or not where the CT is
    """
    found = _read(_the_file(path), ct, names, scan, space, unit)
    if ct is None:
        return found
    said = refuse_elsewhere(found, ct)
    return Segmentation(found.layers, found.segments, (*found.remarks, *said), found.unusable, found.crops)


def _the_file(path: Path) -> Path:
    """A folder with one file in it stands for that file: archives hand out DICOM objects so."""
    if not path.is_dir():
        return path
    files = sorted(one for one in path.iterdir() if one.is_file() and not one.name.startswith("."))
    if len(files) != 1:
        raise InputRefused(f"{path} is a folder of {len(files)} files", "name the segmentation in it")
    return files[0]


def _read(path: Path, ct: Volume | None, names: Path | None, scan: Scan, space: str | None, unit: str | None) -> Segmentation:
    head = read_head(path, _DICOM_START)
    kind = sop_class(path) if is_dicom(head) else None
    if kind is None and nrrd.begins(head) and names_segments(nrrd.nrrd_header(path)):
        _refuse_table(names, path)
        return read_seg_nrrd(path, space=space, unit=unit)
    if kind is None:
        return read_named_labels(path, names, space=space, unit=unit)
    _refuse_table(names, path)
    if space is not None or unit is not None:
        raise InputRefused(f"{path} is a DICOM object, which states axes and unit", "leave out --space and --unit")
    if kind in SEGMENTATION:
        from navtwin.volumes.labels.dicom_seg import read_dicom_seg

        return read_dicom_seg(path, scan=scan)
    if kind not in STRUCTURE_SET:
        raise InputRefused(f"{path} is a DICOM file, but neither a segmentation nor a structure set", "check that it is the right file")
    if ct is None:
        raise InputRefused(f"{path} holds contours, which need the CT that they were drawn on", "pass --ct CT")
    from navtwin.volumes.labels.structure_set import read_structure_set

    return read_structure_set(path, ct, scan=scan)


def _refuse_table(names: Path | None, path: Path) -> None:
    if names is not None:
        raise InputRefused(f"{path} names its structures itself", "leave out --names")
