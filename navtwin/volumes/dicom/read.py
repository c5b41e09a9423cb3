"""One CT series of a DICOM folder as a volume in ct (LPS, mm)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from navtwin.errors import InputRefused
from navtwin.volumes.dicom.facts import PatientFacts, facts_of_file
from navtwin.volumes.dicom.geometry import Fault, Stack, several, stack
from navtwin.volumes.dicom.pixels import AIR_HU, digests, padding_is_air, read_hu
from navtwin.volumes.dicom.resample import resample
from navtwin.volumes.dicom.scan import Findings, look_through, study_folder
from navtwin.volumes.dicom.series import Series, choose, describe, list_series, refuse_other
from navtwin.volumes.volume import Volume, placed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from navtwin.volumes.dicom.frames import Frame

__all__ = ["DicomCt", "list_series", "open_ct", "patient_facts", "read_dicom"]


@dataclass(frozen=True)
class DicomCt:
    """A series that was read.

    Attributes
    ----------
    volume : its Hounsfield units and where they lie
    series : which one it was
    facts : of the patient and the study
    said : whole sentences on what was mended or replaced, and what is doubtful
    """

    volume: Volume
    series: Series
    facts: PatientFacts
    said: tuple[str, ...]


def read_dicom(path: str | Path, *, series: str | None = None, resample: bool = False) -> Volume:
    """Read one CT series.

    Parameters
    ----------
    path : folder with anything in it, an enhanced multi-frame file, or a zip or tar archive
    series : number in the list of `list_series`, or UID; not needed where there is one CT volume
    resample : put tilted or unevenly spaced slices onto a square, even grid (linearly), and drop doubles with the same picture

    Returns
    -------
    Volume : `hu[k, j, i]` int16 where all values are whole and fit, else float32; k along the slices' normal

    Raises
    ------
    InputRefused : no or several CT series; slices that are missing, doubled, tilted, unevenly spaced, or of several sizes, spacings or
        orientations (they are named, with the remedy); no position, orientation, spacing or rescale; cut or damaged files
    """
    return open_ct(path, series=series, mend=resample).volume


def open_ct(path: str | Path, *, series: str | None = None, mend: bool = False, identify: bool = False) -> DicomCt:
    """As `read_dicom` (`mend` is its `resample`), with the patient's facts and what is to be told."""
    path = Path(path)
    with study_folder(path) as folder:
        findings = look_through(folder)
        _refuse_damaged(findings)
        chosen = choose(describe(findings), series, path)
        refuse_other(chosen.group)
        volume, said = _volume(stack(chosen.group.frames), path, mend)
        facts = facts_of_file(chosen.group.headers[0].path, identify=identify)
        return DicomCt(volume, chosen, facts, (*said, *doubts_of_files(findings)))


def patient_facts(path: str | Path, series: str | None = None, *, identify: bool = False) -> PatientFacts:
    """Facts of the patient and the study that the first file of a series states; who the patient is only with `identify`."""
    path = Path(path)
    with study_folder(path) as folder:
        chosen = choose(describe(look_through(folder)), series, path)
        return facts_of_file(chosen.group.headers[0].path, identify=identify)


def _refuse_damaged(findings: Findings) -> None:
    """A file that cannot be parsed may be one of the slices; at the end of a stack nobody would miss it."""
    if findings.damaged:
        first, more = findings.damaged[0], len(findings.damaged) - 1
        raise InputRefused(first.problem + (f" (and {more} more)" if more else ""),
                           "copy the folder again; if the file is no part of the series, move it out of the folder")  # fmt: skip


def _volume(slices: Stack, path: Path, mend: bool) -> tuple[Volume, tuple[str, ...]]:
    said: list[str] = []
    for fault in slices.faults:
        if fault.kind == "same place":
            slices = _without_doubles(slices, fault, mend, said.append)
    for fault in slices.faults:
        if not (mend and fault.can_be_mended):
            raise InputRefused(fault.problem, fault.remedy)
    hu = read_hu(slices.frames)
    said += doubts_of_pixels(slices.frames)
    if not slices.faults:
        return placed(hu, slices.T_ct_from_ijk, path), tuple(said)
    square = resample(slices, hu)
    said += [f"Resampled: {fault.problem}." for fault in slices.faults]
    nk, nj, ni = square.hu.shape
    said.append(f"The grid has {ni} x {nj} x {nk} voxels, interpolated linearly along all three axes.")
    if square.unscanned:
        said.append(f"{square.unscanned:.1%} of it lies beyond the slices' edges and is filled with {AIR_HU} HU: nothing was scanned there.")
    return replace(placed(square.hu, square.T_ct_from_ijk, path), scanned=square.scanned), tuple(said)


def _without_doubles(slices: Stack, fault: Fault, mend: bool, say: Callable[[str], None]) -> Stack:
    """The stack with one slice of each place, where the pictures there are the same and mending is asked for."""
    members = sorted({index for pair in fault.pairs for index in pair})
    pictures = dict(zip(members, digests([slices.frames[i] for i in members]), strict=True))
    differing = [f"{slices.frames[a].name} and {slices.frames[b].name}" for a, b in fault.pairs if pictures[a] != pictures[b]]
    if differing:
        raise InputRefused(f"{fault.problem}; their pictures differ: {several(differing)}",
                           "keep one volume: the series may hold several phases or reconstructions")  # fmt: skip
    if not mend:
        raise InputRefused(f"{fault.problem}; their pictures are the same", "remove the copies, or pass --resample to leave them out")
    doubled = {b for _, b in fault.pairs}
    say(f"Left out as copies of the slice at the same place: {several([slices.frames[b].name for b in sorted(doubled)])}.")
    return stack([frame for i, frame in enumerate(slices.frames) if i not in doubled])


def doubts_of_files(findings: Findings) -> list[str]:
    """Whole sentences on what is doubtful about a folder."""
    return [f"Empty files were passed over: {several(findings.empty)}. If one was a slice, copy the folder again."] if findings.empty else []


def doubts_of_pixels(frames: Sequence[Frame]) -> list[str]:
    """Whole sentences on what is doubtful about stored values."""
    said = []
    if any(frame.layout.lossy for frame in frames):
        said.append("The pictures were compressed with loss at some time: values and edges are not those of the scanner.")
    padded = [frame for frame in frames if not padding_is_air(frame)]
    if padded:
        ends = padded[0].layout.padding
        said.append(f"The padding value {ends[0] if ends else ''} does not come to air by the rescale; such pixels were set to {AIR_HU} HU.")
    return said
