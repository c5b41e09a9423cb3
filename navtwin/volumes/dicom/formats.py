"""DICOM for the door: CT series, and whatever else lies in the same folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from navtwin.files.formats import Format, Inspection, Options, Peek, Report

if TYPE_CHECKING:
    from navtwin.volumes.dicom.scan import Findings
    from navtwin.volumes.dicom.series import Series

_KIND: Final = "DICOM CT series"
#: How many members of an archive are looked at to tell what it holds, and how much of each.
_MEMBERS: Final = 20
_MARK_BYTES: Final = 132


def recognise(seen: Peek) -> bool:
    """A folder or archive in which there is a DICOM file, or a DICOM file that is no segmentation and no structure set."""
    from navtwin.files.archive import first_members, is_archive
    from navtwin.volumes.dicom.part10 import LABELS, is_dicom, sop_class
    from navtwin.volumes.dicom.scan import holds_pictures

    if seen.is_folder:
        return not (seen.path / "case.toml").exists() and holds_pictures(seen.path)
    if is_dicom(seen.head) and not seen.packed:
        return sop_class(seen.path) not in LABELS
    return is_archive(seen.path) and any(map(is_dicom, first_members(seen.path, _MEMBERS, _MARK_BYTES)))


def inspect(path: Path, options: Options) -> Inspection:
    """What is in a folder, file or archive; of the CT series that would be read, where it lies and how it is stored."""
    from navtwin.errors import InputRefused
    from navtwin.volumes.dicom.read import doubts_of_files
    from navtwin.volumes.dicom.scan import look_through, study_folder
    from navtwin.volumes.dicom.series import choose, describe

    with study_folder(path) as folder:
        findings = look_through(folder)
        found = describe(findings)
        facts = [(f"series {one.number}", str(one).partition(": ")[2]) for one in found]
        facts.append(("files", _files(findings)))
        doubts = [*(str(refusal) for refusal in findings.damaged[:_MEMBERS]), *doubts_of_files(findings)]
        try:
            chosen = choose(found, options.series, path)
        except InputRefused as refusal:
            return Inspection(_KIND, tuple(facts), (*doubts, str(refusal)))
        return Inspection(_KIND, (*facts, *_facts(chosen)), (*doubts, *_doubts(chosen)))


def _files(findings: Findings) -> str:
    count = sum(len(group.headers) for group in findings.groups)
    return f"{count} DICOM, {len(findings.damaged)} damaged, {len(findings.empty)} empty, {findings.others} others"


def _facts(chosen: Series) -> list[tuple[str, str]]:
    """Of the series that would be read."""
    from navtwin.errors import InputRefused
    from navtwin.volumes.dicom.facts import facts_of_file
    from navtwin.volumes.dicom.geometry import stack

    patient = facts_of_file(chosen.group.headers[0].path)
    facts = [("read", f"series {chosen.number}, UID {chosen.uid or 'not stated'}"), ("units", "mm, Hounsfield units")]
    facts.append(("stored as", ", ".join(sorted({h.syntax.name for h in chosen.group.headers}))))
    try:
        slices = stack(chosen.group.frames)
    except InputRefused:
        return facts
    rows = [("along a row", slices.axes[:, 0]), ("along a column", slices.axes[:, 1])]
    if not slices.faults:
        rows.append(("slice to slice", slices.axes @ slices.step_mm))
    facts += [(f"axis {what}", f"({', '.join(f'{x:.4g}' for x in axis)})") for what, axis in rows]
    facts.append(("first voxel", f"({', '.join(f'{x:.6g}' for x in slices.frames[0].position_mm or ())}) mm, LPS"))
    said = ("age", patient.age), ("sex", patient.sex), ("study", patient.study), ("year of the study", patient.study_year)
    return [*facts, *((what, value) for what, value in (*said, ("body part", patient.body_part), ("side", patient.laterality)) if value)]


def _doubts(chosen: Series) -> list[str]:
    from navtwin.errors import InputRefused
    from navtwin.volumes.dicom.pixels import refuse_unreadable
    from navtwin.volumes.dicom.read import doubts_of_pixels

    doubts = [*chosen.problems, *doubts_of_pixels(chosen.group.frames)]
    try:
        refuse_unreadable(chosen.group.frames)
    except InputRefused as refusal:
        doubts.append(str(refusal))
    tilts = sorted({h.tilt_deg for h in chosen.group.headers if h.tilt_deg and h.tilt_deg.strip("-+0.")})
    if tilts and not any("tilted" in problem for problem in chosen.problems):
        doubts.append(f"The tilt tag says {', '.join(tilts[:3])} degrees, the positions say none: the positions count.")
    return doubts


def _bring_ct(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    from navtwin.volumes.labels.bring import bring_ct

    return bring_ct(path, to, options, report)


FORMATS: Final = (
    Format(
        name=_KIND,
        recognise=recognise,
        inspect=inspect,
        brings={"case": _bring_ct},
        uses=frozenset({"series", "resample", "identify", "name", "labels", "structures", "names", "notes"}),
    ),
)
