"""Looks through a folder, whatever is in it, and sorts its pictures into series."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from navtwin.errors import InputRefused
from navtwin.files.archive import is_archive, unpacked
from navtwin.volumes.dicom.frames import Frame, Header, read_header
from navtwin.volumes.dicom.part10 import CT_CLASSES, DICOMDIR, LABELS, is_dicom, sop_class

#: A study has some thousands of files; somebody's home folder has more.
MOST_FILES: Final = 50_000
_MARK_BYTES: Final = 132


@dataclass(frozen=True)
class Group:
    """Files of one series: its slices; or its localizers, screenshots or reports, which are listed apart.

    Attributes
    ----------
    is_ct : slices of CT
    uid : SeriesInstanceUID; empty where the files state none (then those of one folder and frame of reference belong together)
    headers : in the order of their names
    """

    uid: str
    modality: str
    localizer: bool
    is_ct: bool
    headers: tuple[Header, ...]

    @property
    def frames(self) -> tuple[Frame, ...]:
        return tuple(frame for header in self.headers for frame in header.frames)


@dataclass(frozen=True)
class Findings:
    """What a folder holds.

    Attributes
    ----------
    groups : by series number, then UID
    damaged : DICOM files of which not even the series can be told, and why
    empty : names of files of no bytes; a copy that failed leaves such
    others : number of other files that are no DICOM
    """

    groups: tuple[Group, ...]
    damaged: tuple[InputRefused, ...]
    empty: tuple[str, ...]
    others: int


@contextmanager
def study_folder(path: Path) -> Iterator[Path]:
    """The folder or file to look through: `path`, the folder of a DICOMDIR, or what an archive holds while the block lasts."""
    if path.is_file() and is_archive(path):
        with unpacked(path) as folder:
            yield folder
    elif path.is_file() and sop_class(path) == DICOMDIR:
        yield path.parent
    else:
        yield path


def look_through(path: Path) -> Findings:
    """All DICOM files of a folder and the folders in it, or one file. Links to folders are not followed.

    Raises
    ------
    InputRefused : nothing is there; one file that is no DICOM; too many files
    """
    if not path.is_dir():
        return _sorted([read_header(path, path.name)], [], [], 0)
    headers, damaged, empty, others = [], [], [], 0
    for file in _files(path):
        mark = _mark(file)
        if not is_dicom(mark):
            others += bool(mark)
            empty += [] if mark else [file.relative_to(path).as_posix()]
            continue
        try:
            headers.append(read_header(file, file.relative_to(path).as_posix()))
        except InputRefused as refusal:
            damaged.append(refusal)
    return _sorted(headers, damaged, empty, others)


def holds_pictures(folder: Path) -> bool:
    """Whether a folder holds a DICOM file that is no segmentation and no structure set. Never raises."""
    with suppress(InputRefused):
        for file in _files(folder):
            if is_dicom(_mark(file)) and sop_class(file) not in LABELS:
                return True
    return False


def _mark(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            return stream.read(_MARK_BYTES)
    except OSError:
        return b""


def _files(folder: Path) -> Iterator[Path]:
    count = 0
    for where, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            count += 1
            if count > MOST_FILES:
                raise InputRefused(f"{folder} holds more than {MOST_FILES} files", "name the folder of the study")
            file = Path(where, name)
            if file.is_file():
                yield file


def _sorted(headers: list[Header], damaged: list[InputRefused], empty: list[str], others: int) -> Findings:
    found: dict[tuple[str, str, bool, bool], list[Header]] = {}
    for header in headers:
        if header.sop_class == DICOMDIR:
            continue
        localizer = any(f.localizer for f in header.frames)
        uid = header.series_uid or f"in {header.path.parent}, {header.frame_of_reference}"
        slices = header.sop_class in CT_CLASSES or (not header.sop_class and header.modality == "CT")
        found.setdefault((uid, header.modality, localizer, slices), []).append(header)
    groups = [Group(ones[0].series_uid, modality, scout, slices and not scout, tuple(ones)) for (_, modality, scout, slices), ones in found.items()]
    groups.sort(key=lambda g: (_order(g.headers[0].series_number), g.uid, g.localizer))
    return Findings(tuple(groups), tuple(damaged), tuple(empty), others)


def _order(number: str) -> int:
    return int(number) if number.isdecimal() and len(number) < 12 else 2**40
