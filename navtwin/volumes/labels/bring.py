"""A CT as a new case, and a segmentation as structures of a case that is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import msgspec

from navtwin.errors import InputRefused, nearest
from navtwin.files.formats import Options, Report
from navtwin.nouns import Role
from navtwin.scene.amend import Draft, amended
from navtwin.scene.build import Wanted, parse_structure, refuse_bad_limits
from navtwin.scene.case import CASE_FILE, StructureEntry, read_case_file, scanned_box
from navtwin.scene.labelled import all_of, doubts_of_thresholds, surfaces_of
from navtwin.scene.new_case import build_case
from navtwin.scene.scan import Sources
from navtwin.volumes.labels.read import read_segmentation
from navtwin.volumes.labels.scan import Scan
from navtwin.volumes.read import read_ct, read_label_volume
from navtwin.volumes.volume import Volume


def bring_ct(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Make a new case at `to` from any CT; returns sentences on what was done and what is doubtful.

    Raises
    ------
    InputRefused : a case is there already; as `build_case`
    """
    if (to / CASE_FILE).exists():
        raise InputRefused(f"{to} is a case already, and {path} is a CT, which begins a case", "name a new folder")
    wanted = [parse_structure(text) for text in options.structures]
    sources = Sources(
        path, _path(options.labels), _path(options.names), options.series, options.resample, options.space, options.unit, options.identify,
        options.notes,
    )  # fmt: skip
    doubts = build_case(to, name=options.name or to.resolve().name, sources=sources, wanted=wanted, report=report)
    built = read_case_file(to)
    return (f"built the case '{built.case.name}' at {to}", *_told(built.structure), *doubts)


def bring_labels(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Add the structures of a segmentation to the case at `to`: those that are asked for, else all, as context unless a role is given.

    Raises
    ------
    InputRefused : no case there; a segmentation that cannot be read or does not lie in its CT; a structure that is there already
    """
    if not (to / CASE_FILE).is_file():
        raise InputRefused(f"{path} is a segmentation, and {to} is no case: a case begins with a CT",
                           f"make it with navtwin case new {to} --ct CT --labels {path}, or, where there is no CT, with --no-ct")  # fmt: skip
    wanted = [parse_structure(text) for text in options.structures]
    _refuse_idle_options(options, wanted)
    refuse_bad_limits(wanted)
    with amended(to) as draft:
        report("reading the CT")
        ct = _volume_of(draft)
        report(f"reading {path.name}")
        known_by = Scan(draft.case.ct.frame, draft.case.ct.series)
        labels = read_segmentation(path, ct=ct, names=_path(options.names), scan=known_by, space=options.space, unit=options.unit)
        if not wanted:
            wanted = all_of(labels, _role(options), options.caution_mm, options.danger_mm)
            refuse_bad_limits(wanted)
        entries, surfaces = surfaces_of(wanted, labels, None if draft.case.ct.is_label_volume else ct, report)
        for entry in entries:
            draft.add_structure(entry, surfaces[entry.name])
        remarks = (*labels.remarks, *doubts_of_thresholds(wanted, None if draft.case.ct.is_label_volume else ct))
        doubts = (*draft.case.case.doubts, *(said for said in remarks if said not in draft.case.case.doubts))
        draft.case = msgspec.structs.replace(draft.case, case=msgspec.structs.replace(draft.case.case, doubts=doubts))
        report("checking the case")
    return (*_told(entries), *remarks)


def _volume_of(draft: Draft) -> Volume:
    """The volume of a case, with how far of it was scanned."""
    path = draft.home / draft.case.ct.file
    volume = read_label_volume(path) if draft.case.ct.is_label_volume else read_ct(path)
    return volume if draft.case.ct.scanned is None else replace(volume, scanned=scanned_box(draft.home, draft.case))


def _role(options: Options) -> Role:
    roles: tuple[Role, ...] = get_args(Role)
    for role in roles:
        if role == (options.role or "context"):
            return role
    raise InputRefused(f"role '{options.role}' is not known", nearest(options.role or "", roles))


def _refuse_idle_options(options: Options, wanted: Sequence[Wanted]) -> None:
    given = {"--role": options.role, "--caution": options.caution_mm, "--danger": options.danger_mm}
    for flag, value in given.items():
        if wanted and value is not None:
            raise InputRefused(f"{flag} says nothing beside --structure", "write name:role:CAUTION:DANGER there")


def _told(entries: Sequence[StructureEntry]) -> tuple[str, ...]:
    if not entries:
        return ("it has no structures: nothing is being watched",)
    named = ", ".join(f"{entry.name} ({entry.role})" for entry in entries[:12]) + (f" and {len(entries) - 12} more" if len(entries) > 12 else "")
    sds = " or ".join(f"{sd_mm:g}" for sd_mm in sorted({entry.sd_mm for entry in entries}))
    assumed = f"the error of their segmentation is assumed: one standard deviation of {sds} mm, by the voxels' size (sd_mm in {CASE_FILE})"
    return (f"{len(entries)} structure{'s' if len(entries) > 1 else ''}: {named}", assumed)


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
