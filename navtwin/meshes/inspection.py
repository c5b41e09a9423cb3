"""What a mesh file is, in plain words."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from navtwin.files.formats import Inspection
from navtwin.meshes.axes import axes, doubt_of_size, mm_per_unit, turned
from navtwin.meshes.read import read_raw
from navtwin.meshes.report import MeshReport, findings, report_mesh


def inspect_mesh(kind: str, path: Path, space: str | None = None, unit: str | None = None) -> Inspection:
    """Axes, unit, size, volume, and what is wrong with the surface; all of it is read, so that damage anywhere is found.

    Raises
    ------
    InputRefused : the file is damaged, or states other axes or another unit than `space` and `unit`
    """
    mesh = read_raw(path)
    stated = mesh.stated
    said = None if stated.space is None and space is None else axes(stated.space, space, path)
    scale = mm_per_unit(stated.unit, unit, path)
    vertices = mesh.vertices * (scale or 1.0)
    doubts = []
    if said is None:
        doubts.append(
            "It does not state its axes: pass --space LPS or --space RAS. 3D Slicer takes such a file for LPS, and in scenes of old for RAS."
        )
    elif said == "RAS":
        vertices = turned(vertices)
    doubt = doubt_of_size(vertices[mesh.faces].reshape(-1, 3)) if scale is None else None
    if doubt is not None:
        doubts.append(f"It {doubt[0]}: {doubt[1]}.")
    found = report_mesh(vertices, mesh.faces, crossings=True)
    facts = (
        ("axes", "not stated" if said is None else f"{said} ({'stated' if stated.space else 'as passed'})"),
        ("unit", "not stated; taken for mm" if scale is None else f"{stated.unit or unit} ({'stated' if stated.unit else 'as passed'})"),
        *mesh_facts(found, "LPS" if said else "its own axes"),
        *(("reading it", note) for note in mesh.notes),
    )
    return Inspection(kind, facts, (*doubts, *findings(found)))


def mesh_facts(found: MeshReport, frame: str) -> tuple[tuple[str, str], ...]:
    """Size and shape of a surface; `frame` names the axes of its box."""
    low, high = np.array(found.low_mm), np.array(found.high_mm)
    return (
        ("triangles", f"{found.triangles} between {found.vertices - found.extra_vertices} places"),
        ("size", f"{' x '.join(f'{s:.4g}' for s in high - low)} mm"),
        ("middle", f"{', '.join(f'{m:.1f}' for m in (low + high) / 2.0)} mm ({frame})"),
        ("parts", str(found.parts)),
        ("closed", "yes" if found.is_closed else "no: see below"),
        ("area", f"{found.area_mm2:.6g} mm2"),
        ("volume", f"{abs(found.volume_mm3):.6g} mm3" if found.is_closed else "none: it is not closed"),
    )
