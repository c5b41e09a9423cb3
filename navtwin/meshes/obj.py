"""OBJ (Wavefront): lines of text; `v x y z`, and faces that name vertices from 1 on, or backwards from the last one with negative numbers."""

from __future__ import annotations

import io
from array import array
from pathlib import Path

import numpy as np

from navtwin.errors import InputRefused
from navtwin.meshes.axes import F64, I64, Stated, stated_in
from navtwin.meshes.polygons import MOST_CORNERS, split_polygons
from navtwin.meshes.raw import MOST_TEXT_BYTES, RawMesh, checked
from navtwin.meshes.recognise import OBJ_KEYWORDS

_CURVED = frozenset(("cstype", "curv", "curv2", "surf"))


def read_obj(data: bytes, path: Path) -> RawMesh:
    """Read the faces of an OBJ file; materials, texture and normals are left out, faces of more than three corners are split.

    Raises
    ------
    InputRefused : a line that is not OBJ, curved surfaces, an index that names no vertex, or values that are no mesh
    """
    if len(data) > MOST_TEXT_BYTES:
        raise InputRefused(f"{path} holds more than {MOST_TEXT_BYTES} bytes of text", "export it as binary PLY")
    text = data.decode("latin-1").replace("\\\r\n", " ").replace("\\\n", " ")
    points, corners, counts = array("d"), array("q"), array("q")
    comments = []
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):
        keyword, _, rest = line.replace("\t", " ").strip().partition(" ")
        if keyword == "v":
            points.extend(_point(rest, number, path))
        elif keyword == "f":
            named = _corners(rest, len(points) // 3, number, path)
            corners.extend(named)
            counts.append(len(named))
        elif keyword.startswith("#"):
            comments.append(line)
        elif keyword in _CURVED:
            raise InputRefused(f"{path} line {number} describes a curved surface", "triangulate it where it was made")
        elif keyword and keyword not in OBJ_KEYWORDS:
            raise InputRefused(f"{path} line {number} is not OBJ: {line[:60]!r}", "the file is damaged: export the mesh again")
    vertices = np.array(points, dtype=np.float64).reshape(-1, 3)
    faces, notes = split_polygons(vertices, np.array(corners, dtype=np.int64), np.array(counts, dtype=np.int64), path)
    return checked(vertices, faces, stated_in("\n".join(comments), path), path, notes)


def _point(rest: str, number: int, path: Path) -> list[float]:
    """x, y and z; colours and weights that follow them are left out."""
    try:
        point = [float(word) for word in rest.split(None, 7)[:3]]
    except ValueError:
        point = []
    if len(point) != 3:
        raise InputRefused(f"{path} line {number} has no vertex: {rest[:60]!r}", "the file is damaged: export the mesh again")
    return point


def _corners(rest: str, so_far: int, number: int, path: Path) -> list[int]:
    """Vertex numbers from 0 of `v`, `v/vt`, `v//vn` or `v/vt/vn`; `so_far` vertices stand above the line."""
    try:
        named = [int(word.partition("/")[0]) for word in rest.partition("#")[0].split(None, MOST_CORNERS)]
    except ValueError:
        named = []
    corners = [n - 1 if n > 0 else so_far + n for n in named]
    if len(corners) < 3 or 0 in named or min(corners) < 0 or max(corners) >= 2**62:
        raise InputRefused(f"{path} line {number} has no face: {rest[:60]!r}", f"a face names three to {MOST_CORNERS} vertices, from 1 on")
    return corners


def obj_text(vertices: F64, faces: I64, stated: Stated) -> bytes:
    """OBJ: coordinates as Python writes them, which is exact."""
    lines = ["# navtwin surface", f"# {stated.text}", *(f"v {x!r} {y!r} {z!r}" for x, y, z in vertices.tolist())]
    lines += [f"f {a} {b} {c}" for a, b, c in (faces + 1).tolist()]
    return ("\n".join(lines) + "\n").encode("ascii")
