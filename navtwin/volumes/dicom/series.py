"""The series of a folder as people choose among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from navtwin.errors import InputRefused
from navtwin.volumes.dicom.facts import series_description
from navtwin.volumes.dicom.geometry import several, stack
from navtwin.volumes.dicom.part10 import LABELS
from navtwin.volumes.dicom.scan import Findings, Group, look_through, study_folder


@dataclass(frozen=True)
class Series:
    """One series of a folder.

    Attributes
    ----------
    number : in this list, from 1: what `--series` takes; the scanner's own number can occur twice
    uid : SeriesInstanceUID; empty where the files state none
    scanner_number : SeriesNumber as stated, for people
    modality : CT, MR, RTSTRUCT ...
    description : SeriesDescription
    count : pictures, or files where there are none
    size : columns, rows; None without pictures
    spacing_mm : between columns, rows, slices; None where the slices make no volume as they are
    problems : whole sentences on why it is no CT volume, or not as it is; empty for one that can be read
    """

    number: int
    uid: str
    scanner_number: str
    modality: str
    description: str
    count: int
    size: tuple[int, int] | None
    spacing_mm: tuple[float, float, float] | None
    problems: tuple[str, ...]
    group: Group = field(repr=False)

    @property
    def is_volume(self) -> bool:
        """Slices of CT, two or more, in order or not."""
        return self.group.is_ct and self.count > 1

    def __str__(self) -> str:
        size = "no pictures" if self.size is None else f"{self.size[0]} x {self.size[1]} x {self.count}"
        sides = "" if self.spacing_mm is None else f", {' x '.join(f'{side:.4g}' for side in self.spacing_mm)} mm"
        named = f" '{self.description}'" if self.description else ""
        kind = " localizer" if self.group.localizer else ""
        return f"{self.number}: {self.modality or 'no modality'}{kind}{named} ({size}{sides})"


def list_series(path: Path) -> tuple[Series, ...]:
    """All series of a folder, a DICOM file or an archive, without their pixels.

    Raises
    ------
    InputRefused : nothing is there, one file that is no DICOM, a damaged or hostile archive
    """
    with study_folder(path) as folder:
        return describe(look_through(folder))


def describe(findings: Findings) -> tuple[Series, ...]:
    return tuple(_series(number, group) for number, group in enumerate(findings.groups, start=1))


def choose(found: Sequence[Series], wanted: str | None, path: Path) -> Series:
    """The series that was asked for, by its number in the list or its UID, or the only CT volume.

    Raises
    ------
    InputRefused : no or several CT volumes, or no such series; the series are listed
    """
    listed = "; ".join(map(str, found)) or "nothing"
    if wanted is not None:
        named = [s for s in found if wanted in (str(s.number), s.uid)]
        volumes = [s for s in named if s.is_volume]
        if not named:
            raise InputRefused(f"{path} has no series '{wanted}'", f"choose with --series N among {listed}")
        return (volumes or named)[0]
    volumes = [s for s in found if s.is_volume]
    if len(volumes) == 1:
        return volumes[0]
    if volumes:
        raise InputRefused(f"{path} holds {len(volumes)} CT series", f"choose with --series N: {'; '.join(map(str, volumes))}")
    slices = [s for s in found if s.group.is_ct]
    if len(slices) == 1:
        return slices[0]
    raise InputRefused(f"{path} holds no CT series", f"it holds {listed}" if found else "name a folder of DICOM files")


def _series(number: int, group: Group) -> Series:
    frames, first = group.frames, group.headers[0]
    size = (frames[0].layout.columns, frames[0].layout.rows) if frames else None
    problems, spacing = _judge(group)
    return Series(number, group.uid, first.series_number, group.modality, series_description(first.path), len(frames) or len(group.headers), size,
                  spacing, problems, group)  # fmt: skip


def _judge(group: Group) -> tuple[tuple[str, ...], tuple[float, float, float] | None]:
    try:
        refuse_other(group)
        found = stack(group.frames)
    except InputRefused as refusal:
        return (str(refusal),), None
    if found.faults:
        return tuple(str(InputRefused(fault.problem, fault.remedy)) for fault in found.faults), None
    return (), (*found.spacing_mm, float(found.step_mm[2]))


def refuse_other(group: Group) -> None:
    """Refuse what is no series of CT slices, and files of it that cannot be used."""
    first = group.headers[0]
    if group.localizer:
        raise InputRefused(f"{several([h.name for h in group.headers])}: localizers (scout views), no slices", "choose another series")
    if not group.is_ct:
        kind = LABELS.get(first.sop_class, f"{group.modality or 'other'} objects that are no CT slices")
        raise InputRefused(f"{several([h.name for h in group.headers])}: {kind}", "choose a CT series")
    broken = [h for h in group.headers if h.problem]
    if broken and broken[0].problem:
        raise broken[0].problem
    for stated in zip(*(h.patient for h in group.headers), strict=True):
        # A merge by hand, or a copy of one folder over another: half of it would be another patient's anatomy.
        one = next(filter(None, stated), "")
        others = [h.name for h, said in zip(group.headers, stated, strict=True) if said and said != one]
        if others:
            raise InputRefused(f"its slices are of more than one patient by number or date of birth: {several(others)} against {first.name}",
                               "keep only the files of one patient")  # fmt: skip
    frame = first.frame_of_reference
    apart = [h.name for h in group.headers if h.frame_of_reference != frame]
    if apart:
        raise InputRefused(f"{first.name} and {several(apart)} count positions from different origins (FrameOfReferenceUID)",
                           "keep only the slices of one volume")  # fmt: skip
