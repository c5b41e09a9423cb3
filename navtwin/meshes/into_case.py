"""A mesh file as a structure of a case."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from navtwin.errors import InputRefused, nearest
from navtwin.files.formats import Options, Report
from navtwin.meshes.axes import F64, I64
from navtwin.meshes.raw import RawMesh, welded
from navtwin.meshes.read import in_mm, read_raw
from navtwin.meshes.repair import mend
from navtwin.meshes.report import findings, report_mesh
from navtwin.nouns import Role
from navtwin.scene.amend import amended
from navtwin.scene.build import ASSUMED_SD_MM, Wanted, refuse_bad_limits, structure_entry
from navtwin.scene.case import CASE_FILE, CaseFile, scanned_box
from navtwin.scene.surface import Surface
from navtwin.scene.whereabouts import misplaced
from navtwin.volumes.read import read_ct
from navtwin.volumes.volume import VolumeBox

#: So many vertices are looked up in the scan.
_LOOKED_UP = 2000
#: A surface of which less than this share lies within the scan is doubted.
_MOSTLY = 0.5


@dataclass(frozen=True)
class _Read:
    vertices: F64
    faces: I64
    said: tuple[str, ...]


def add_structure(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Add the surface of a mesh file to the case at `to`; what was done and what is doubtful, in sentences.

    Raises
    ------
    InputRefused : no case there; axes or unit that nobody states; a name or limits that do not fit; a surface outside the scan, or one whose
        inside is doubtful and that is to be critical; a mesh that cannot be read or, where that was asked for, mended
    """
    if not (to / CASE_FILE).is_file():
        raise InputRefused(
            f"{path} is a surface, and {to} is no case: a case begins with a CT",
            f"make one first (navtwin import CT --to {to}), then import the surface into it",
        )
    wanted = _wanted(path, options)
    report(f"reading {path.name}")
    read = _read(path, options, report)
    surface = Surface.from_arrays(read.vertices, read.faces)
    if wanted.role == "critical" and not surface.sign.is_certain:
        remedy = "give it the role context, or mend it where it was made" if options.repair else "pass --repair, or give it the role context"
        raise InputRefused(f"{path} cannot be critical: its surface is {surface.sign.why}, and its inside is doubtful there", remedy)
    with amended(to) as draft:
        place = _place(path, surface, scanned_box(draft.folder, draft.case))
        place += _on_bone(wanted, surface, draft.folder, draft.case)
        report(f"adding {wanted.name}")
        draft.add_structure(structure_entry(wanted, capped=False), surface)
    added = f"added structure '{wanted.name}' ({wanted.role}) of {len(surface.faces)} triangles to {to}"
    assumed = f"its segmentation error is assumed: one standard deviation of {ASSUMED_SD_MM:g} mm (sd_mm in {CASE_FILE})"
    return (added, *read.said, *place, assumed)


def _wanted(path: Path, options: Options) -> Wanted:
    roles: tuple[Role, ...] = get_args(Role)
    role = options.role or "context"
    if role not in roles:
        raise InputRefused(f"role '{role}' is not known", nearest(role, roles))
    name = options.name or path.stem
    if role == "critical" and None in (options.caution_mm, options.danger_mm):
        raise InputRefused(f"critical structure '{name}' has no limits", "pass --caution and --danger, in mm")
    wanted = Wanted(name, role, (), options.caution_mm, options.danger_mm)
    refuse_bad_limits([wanted])
    return wanted


def _read(path: Path, options: Options, report: Report) -> _Read:
    mesh = read_raw(path)
    vertices = in_mm(mesh, path, options.space, options.unit)
    said = [_origin(mesh, options), *mesh.notes]
    if options.repair:
        report("mending")
        mended = mend(vertices, mesh.faces, path)
        vertices, faces = mended.vertices, mended.faces
        said += mended.done or ("There was nothing to mend.",)
    else:
        places, index = welded(vertices)
        if len(places) < len(vertices):
            said.append(f"{len(vertices)} vertices became {len(places)}: those in exactly the same place were joined.")
            vertices, faces = places, index[mesh.faces]
        else:
            faces = mesh.faces
    return _Read(vertices, faces, (*said, *findings(report_mesh(vertices, faces, crossings=True))))


def _origin(mesh: RawMesh, options: Options) -> str:
    """Where axes and unit come from."""
    stated = mesh.stated
    space = f"{stated.space}, as it states" if stated.space else f"{options.space}, as passed: it states none"
    unit = f"{stated.unit}, as it states" if stated.unit else f"{options.unit}, as passed" if options.unit else "mm, by its size: it states none"
    return f"Its axes are {space}; its unit is {unit}."


def _on_bone(wanted: Wanted, surface: Surface, folder: Path, case: CaseFile) -> tuple[str, ...]:
    """Whether a bone lies on the scan's bone. One that would, with a usual mistake undone, is refused with that mistake's name."""
    if wanted.role != "work" or case.ct.is_label_volume:
        return ()
    said = []
    for finding in misplaced(wanted.name, surface, read_ct(folder / case.ct.file)):
        if finding.level == "fault":
            raise InputRefused(finding.problem, finding.remedy)
        said.append(f"{finding.problem}: {finding.remedy}.")
    return tuple(said)


def _place(path: Path, surface: Surface, box: VolumeBox) -> tuple[str, ...]:
    """Whether the surface lies where the scan does."""
    step = max(1, len(surface.vertices_mm) // _LOOKED_UP)
    looked_up = surface.vertices_mm[::step].tolist()
    share = float(np.mean([box.contains((x, y, z)) for x, y, z in looked_up]))
    if share == 0.0:
        raise InputRefused(f"{path} lies outside the CT", "check its axes (--space), its unit (--unit) and whose patient it is")
    if share >= _MOSTLY:
        return ()
    return (f"Only {100.0 * share:.0f} % of it lie within the CT: check its axes (--space), its unit and whose patient it is.",)
