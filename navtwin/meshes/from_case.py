"""A structure of a case as a mesh file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from navtwin.errors import InputRefused, nearest
from navtwin.files.formats import Options, Report
from navtwin.meshes.axes import F64, SPACES
from navtwin.meshes.raw import welded
from navtwin.meshes.stl import rounding_mm
from navtwin.meshes.write import write_mesh
from navtwin.scene.case import named_files, read_case_file
from navtwin.scene.lock import RELOCK, changed_files
from navtwin.scene.surface import Surface


def write_structure(folder: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    """Write the surface of one structure of the case at `folder`, by default in LPS; what was written, in sentences.

    Raises
    ------
    InputRefused : no such structure, or several and none named; a file that was changed since the case was locked; other axes than LPS and RAS
    """
    case = read_case_file(folder)
    names = [entry.name for entry in case.structure]
    if options.name is None and len(names) != 1:
        raise InputRefused(f"{folder} has {len(names)} structures, and a mesh file holds one", f"pass --name with one of {', '.join(names)}")
    name = options.name or names[0]
    if name not in names:
        raise InputRefused(f"{folder} has no structure '{name}'", nearest(name, names))
    asked = options.space or "LPS"
    space = next((one for one in SPACES if one == asked), None)
    if space is None:
        raise InputRefused(f"space '{asked}' is not known", f"pass one of {', '.join(SPACES)}")
    changed = changed_files(folder, named_files(case))
    if changed:
        raise InputRefused(f"{folder}: {changed[0]}", RELOCK)
    report(f"writing {to.name}")
    surface = Surface.read(folder / case.structure[names.index(name)].file)
    write_mesh(to, surface.vertices_mm, surface.faces, space)
    precision = _told_of_stl(surface.vertices_mm) if to.suffix.lower() == ".stl" else "coordinates are exact"
    return (f"structure '{name}' written to {to}: {len(surface.faces)} triangles, SPACE={space}, mm; {precision}",)


def _told_of_stl(vertices: F64) -> str:
    places, _ = welded(vertices)
    lost = len(places) - len(welded(places.astype(np.float32).astype(np.float64))[0])
    joined = f"; {lost} vertices fell together with others" if lost else ""
    return f"coordinates are rounded to float32, by at most {rounding_mm(vertices):.1e} mm{joined}"
