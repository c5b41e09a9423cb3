"""Mesh files, for the door: known by content, looked at, added to a case as a structure, and written from one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

from navtwin.files.formats import Format, Inspection, Options, Peek, Report
from navtwin.meshes.recognise import Kind, kind_of

_NAMES: Final[dict[Kind, str]] = {
    "stl": "STL surface",
    "ply": "PLY surface",
    "obj": "OBJ surface",
    "vtk": "VTK surface (legacy)",
    "vtp": "VTP surface",
}
_USES: Final = frozenset({"name", "role", "caution_mm", "danger_mm", "space", "unit", "repair"})


def _recognise(kind: Kind, peek: Peek) -> bool:
    if peek.is_folder or peek.packed:
        return False
    try:
        size = peek.path.stat().st_size
    except OSError:
        return False
    return kind_of(peek.head, size) == kind


def _inspect(kind: Kind, path: Path, options: Options) -> Inspection:
    from navtwin.meshes.inspection import inspect_mesh

    return inspect_mesh(_NAMES[kind], path, options.space, options.unit)


def _bring(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    from navtwin.meshes.into_case import add_structure

    return add_structure(path, to, options, report)


def _write(path: Path, to: Path, options: Options, report: Report) -> tuple[str, ...]:
    from navtwin.meshes.from_case import write_structure

    return write_structure(path, to, options, report)


FORMATS: tuple[Format, ...] = tuple(
    Format(
        name=name,
        recognise=partial(_recognise, kind),
        inspect=partial(_inspect, kind),
        brings={"case": _bring},
        uses=_USES,
        writes={("case", f".{kind}"): _write},
        writes_with=frozenset({"name", "space"}),
    )
    for kind, name in _NAMES.items()
)
