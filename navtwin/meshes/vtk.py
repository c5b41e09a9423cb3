"""Legacy VTK files (.vtk) of PolyData, versions 1 to 5.1, as text or binary (file formats of the VTK user's guide, "simple legacy formats")."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from navtwin.errors import InputRefused
from navtwin.meshes.axes import F64, I64, Stated, stated_in
from navtwin.meshes.cells import NONE, Cells, from_offsets, from_rows, mesh_of_cells
from navtwin.meshes.raw import MOST_TEXT_BYTES, RawMesh
from navtwin.meshes.vtk_text import Cursor

_CELLS = ("VERTICES", "LINES", "POLYGONS", "TRIANGLE_STRIPS")
_LARGEST_COUNT = 2**40
_MOST_ARRAYS = 4096
_DAMAGED = "the file is damaged: export the mesh again"


def read_vtk(data: bytes, path: Path) -> RawMesh:
    """Read the polygons and triangle strips of a legacy VTK file; what is told of points and cells is left out.

    Raises
    ------
    InputRefused : no PolyData, cut or damaged, no triangles, or values that are no mesh
    """
    cursor = Cursor(data, path)
    statements = [_header(cursor)]
    points: F64 | None = None
    cells: dict[str, Cells] = {}
    while (line := cursor.line()) is not None:
        words = line.split()
        keyword = words[0].upper()
        if keyword in ("POINT_DATA", "CELL_DATA"):
            break
        if keyword == "METADATA":
            cursor.skip_block()
        elif keyword == "FIELD" and len(words) == 3:
            statements += _field(cursor, _count(words[2], path))
        elif keyword == "POINTS" and len(words) == 3 and points is None:
            points = cursor.numbers(3 * _count(words[1], path), words[2], "coordinates").astype(np.float64).reshape(-1, 3)
        elif keyword in _CELLS and len(words) == 3 and keyword not in cells:
            cells[keyword] = _cells(cursor, _count(words[1], path), _count(words[2], path))
        else:
            raise InputRefused(f"{path} has a section that is not understood: {line[:60]!r}", _DAMAGED)
    if points is None:
        raise InputRefused(f"{path} holds no points", _DAMAGED)
    others = sum(len(cells[kind].counts) for kind in ("VERTICES", "LINES") if kind in cells)
    stated = stated_in("\n".join(statements), path)
    return mesh_of_cells(points, cells.get("POLYGONS", NONE), cells.get("TRIANGLE_STRIPS", NONE), others, stated, path)


def _header(cursor: Cursor) -> str:
    """Goes beyond the header; the title."""
    first, title, kind, dataset = cursor.raw_line() or "", cursor.raw_line() or "", cursor.line() or "", cursor.line() or ""
    path = cursor.path
    if not first.startswith("# vtk DataFile Version") or kind.upper() not in ("ASCII", "BINARY") or not dataset.upper().startswith("DATASET"):
        raise InputRefused(f"{path} is not a legacy VTK file", "check what it is, or get it again")
    if dataset.split()[1:] != ["POLYDATA"] and dataset.upper().split()[1:] != ["POLYDATA"]:
        raise InputRefused(f"{path} is VTK {' '.join(dataset.split()[1:])[:40]}, not POLYDATA", "extract its surface and save that as PolyData")
    cursor.is_text = kind.upper() == "ASCII"
    if cursor.is_text and len(cursor.data) > MOST_TEXT_BYTES:
        raise InputRefused(f"{path} holds more than {MOST_TEXT_BYTES} bytes of text", "export it as binary")
    return title


def _count(word: str, path: Path) -> int:
    if not re.fullmatch(r"[0-9]{1,13}", word) or int(word) > _LARGEST_COUNT:
        raise InputRefused(f"{path} has {word[:40]!r} where a count should be", _DAMAGED)
    return int(word)


def _cells(cursor: Cursor, count: int, size: int) -> Cells:
    """Cells as rows that begin with their length, or (version 5) as offsets and connectivity."""
    back = cursor.at
    words = (cursor.line() or "").split() if count else []
    if words[:1] != ["OFFSETS"]:
        cursor.at = back
        rows: I64 = cursor.numbers(size, "int", "numbers of cells").astype(np.int64)
        return from_rows(rows, count, cursor.path)
    offsets = _named(cursor, words, count, "offsets of cells")
    return from_offsets(offsets, _named(cursor, (cursor.line() or "").split(), size, "corners of cells"), cursor.path)


def _named(cursor: Cursor, words: list[str], count: int, what: str) -> I64:
    if len(words) != 2 or words[0] not in ("OFFSETS", "CONNECTIVITY"):
        raise InputRefused(f"{cursor.path} has no {what}", _DAMAGED)
    found = cursor.numbers(count, words[1], what)
    if found.dtype.kind == "f":
        raise InputRefused(f"{cursor.path} has {what} of type {words[1]}", _DAMAGED)
    return found.astype(np.int64)


def _field(cursor: Cursor, count: int) -> list[str]:
    """`SPACE=...` and `UNIT=...` of a field's arrays; the others are left out."""
    statements = []
    if count > _MOST_ARRAYS:
        raise InputRefused(f"{cursor.path} has a field of {count} arrays", _DAMAGED)
    for _ in range(count):
        line = cursor.line()
        while line == "METADATA":
            cursor.skip_block()
            line = cursor.line()
        words = (line or "").split()
        if len(words) != 4:
            raise InputRefused(f"{cursor.path} has a field that is not understood: {(line or '')[:60]!r}", _DAMAGED)
        size = _count(words[1], cursor.path) * _count(words[2], cursor.path)
        if words[3].lower() == "string":
            statements += [f"{words[0]}={text}" for text in cursor.strings(size)[:1]]
        else:
            cursor.numbers(size, words[3], f"values of field {words[0][:40]!r}")
    return statements


def vtk_bytes(vertices: F64, faces: I64, stated: Stated) -> bytes:
    """Legacy VTK, binary, double precision."""
    rows = np.full((len(faces), 4), 3, dtype=">i4")
    rows[:, 1:] = faces
    head = _head_text("BINARY", len(vertices), stated)
    return head + vertices.astype(">f8").tobytes() + f"\nPOLYGONS {len(faces)} {rows.size}\n".encode("ascii") + rows.tobytes() + b"\n"


def vtk_text(vertices: F64, faces: I64, stated: Stated) -> bytes:
    """Legacy VTK, text: coordinates as Python writes them, which is exact."""
    lines = [f"{x!r} {y!r} {z!r}" for x, y, z in vertices.tolist()]
    lines += [f"POLYGONS {len(faces)} {4 * len(faces)}", *(f"3 {a} {b} {c}" for a, b, c in faces.tolist())]
    return _head_text("ASCII", len(vertices), stated) + ("\n".join(lines) + "\n").encode("ascii")


def _head_text(kind: str, vertices: int, stated: Stated) -> bytes:
    return f"# vtk DataFile Version 3.0\nnavtwin surface {stated.text}\n{kind}\nDATASET POLYDATA\nPOINTS {vertices} double\n".encode("ascii")
