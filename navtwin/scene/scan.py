"""A person's scan as it enters a case: its voxels, what it is known by, and what its files say of the patient."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from navtwin.errors import InputRefused
from navtwin.files.guard import read_head, reading
from navtwin.scene.case import PatientSection
from navtwin.scene.lock import file_hash
from navtwin.volumes.labels.scan import UNKNOWN, Scan, uid_hash
from navtwin.volumes.read import layout_of, read_ct
from navtwin.volumes.volume import Volume

if TYPE_CHECKING:
    from navtwin.volumes.dicom.facts import PatientFacts

_HEAD_BYTES = 4096


@dataclass(frozen=True)
class Sources:
    """What a case is to be made from.

    Attributes
    ----------
    ct : file, DICOM folder or archive; None where the label volume itself stands for the scanned volume
    labels : segmentation of any readable format; None if there is none
    names : table that names the labels
    series, resample : which DICOM series, and whether to mend it by resampling
    space, unit : axes and unit of a volume file that does not say them
    identify : keep the patient's name, number and date of birth
    notes : what the user adds to the facts of the patient
    """

    ct: Path | None
    labels: Path | None = None
    names: Path | None = None
    series: str | None = None
    resample: bool = False
    space: str | None = None
    unit: str | None = None
    identify: bool = False
    notes: str | None = None


@dataclass(frozen=True)
class PatientScan:
    """A CT that was read.

    Attributes
    ----------
    volume : its Hounsfield units and where they lie
    known_by : what a segmentation of it may refer to
    patient : what its files say of the patient
    said : whole sentences on what was mended, and what is doubtful
    """

    volume: Volume
    known_by: Scan
    patient: PatientSection
    said: tuple[str, ...]


def read_scan(path: Path, sources: Sources) -> PatientScan:
    """Read the CT at `path` as `sources` says.

    Raises
    ------
    InputRefused : as `read_ct`; options that say nothing to this kind of file
    """
    if _is_dicom(path):
        _refuse({"--space": sources.space, "--unit": sources.unit}, "a DICOM series, which states both")
        from navtwin.volumes.dicom.read import open_ct

        found = open_ct(path, series=sources.series, mend=sources.resample, identify=sources.identify)
        header = found.series.group.headers[0]
        known_by = Scan(uid_hash(header.frame_of_reference), uid_hash(found.series.uid))
        return PatientScan(found.volume, known_by, patient_section(found.facts, sources.notes), found.said)
    given = {"--series": sources.series, "--resample": sources.resample, "--identify": sources.identify}
    _refuse(given, "a file that is no DICOM")
    said = tuple(f"{path.name}: {doubt}" for doubt in layout_of(path, space=sources.space, unit=sources.unit).doubts)
    return PatientScan(read_ct(path, space=sources.space, unit=sources.unit), UNKNOWN, PatientSection(notes=sources.notes), said)


def _refuse(given: Mapping[str, object], what: str) -> None:
    for flag, value in given.items():
        if value:
            raise InputRefused(f"{flag} says nothing to {what}", "leave it out")


def _is_dicom(path: Path) -> bool:
    from navtwin.files.archive import is_archive
    from navtwin.volumes.dicom.part10 import is_dicom

    return path.is_dir() or is_dicom(read_head(path, _HEAD_BYTES)) or is_archive(path)


def patient_section(facts: PatientFacts, notes: str | None) -> PatientSection:
    """The facts as case.toml keeps them; who the patient is only where the facts hold it."""
    contrast = f"contrast: {facts.contrast}" if facts.contrast else ""
    study = ", ".join(words for words in (facts.study, facts.series, facts.body_part, contrast, facts.study_year) if words)
    who = facts.identity
    return PatientSection(
        age=facts.age or None, sex=facts.sex or None, study=study or None, laterality=facts.laterality or None, notes=notes,
        name=(who.name or None) if who else None, id=(who.patient_id or None) if who else None, birth_date=(who.birth_date or None) if who else None,
    )  # fmt: skip


def content_hash(path: Path) -> str:
    """SHA-256 of a file, or of all files of a folder with their names."""
    with reading(path):
        if not path.is_dir():
            return file_hash(path)
        found = sorted(one for one in path.rglob("*") if one.is_file())
        listed = "\n".join(f"{file_hash(one)} {one.relative_to(path).as_posix()}" for one in found)
        return hashlib.sha256(listed.encode()).hexdigest()
