"""Read and write triangle meshes: PLY (ours: binary, little-endian, double precision, `comment SPACE=LPS`) and STL.

The same exact checks for every file: the counts it claims against its size before anything is allocated, and axes that are stated, never guessed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
Space = Literal["LPS", "RAS"]

_HEADER_LIMIT = 64 * 1024
_FACE = np.dtype([("count", "u1"), ("corner", "<i4", 3)])
_STL_FACE = np.dtype([("normal", "<f4", 3), ("corner", "<f4", (3, 3)), ("attribute", "<u2")])
_PLY_FLOATS = {"float": "f4", "float32": "f4", "double": "f8", "float64": "f8"}
_PLY_SCALARS = _PLY_FLOATS | {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2", "uint16": "u2",
    "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4",
}  # fmt: skip


def _axes(stated: str | None, asked: str | None, path: Path) -> Space:
    """The axes to read a file in; refuse where neither file nor caller says, or where they differ."""
    if asked is not None and asked not in ("LPS", "RAS"):
        raise InputRefused(f"space {asked!r} is not known", 'pass space="LPS" or space="RAS"')
    if stated is not None and stated not in ("LPS", "RAS"):
        raise InputRefused(f"{path} states the axes {stated!r}, which are not known", "convert it to LPS or RAS")
    if stated and asked and stated != asked:
        raise InputRefused(f"{path} states {stated} axes, but space={asked!r} was passed", "leave space out, or correct the file")
    space = stated or asked
    if space is None:
        raise InputRefused(f"{path} does not state its axes", 'pass space="LPS" or space="RAS" (--space on the command line)')
    return "LPS" if space == "LPS" else "RAS"


def _stated(text: str) -> str | None:
    """`LPS` of `SPACE=LPS` in a comment or header."""
    found = re.search(r"SPACE\s*[=:]\s*([A-Za-z]+)", text)
    return found.group(1).upper() if found else None


def read_mesh(path: Path, space: str | None) -> tuple[F64, npt.NDArray[np.int64]]:
    """Vertices (V, 3) in LPS mm and faces (F, 3) of a .ply or .stl file."""
    readers = {".ply": _read_ply, ".stl": _read_stl}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputRefused(f"{path} is neither .ply nor .stl", "convert the mesh to one of them")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputRefused(f"{path} cannot be read ({error.strerror})", "check the path") from error
    vertices, faces, stated = reader(data, path)
    if _axes(stated, space, path) == "RAS":
        vertices = vertices * (-1.0, -1.0, 1.0)  # a half turn about z: windings stay as they are
    return vertices, faces


def _cut(path: Path, needed: int, found: int) -> InputRefused:
    return InputRefused(f"{path} claims {needed} bytes of mesh and holds {found}", "the file is cut or damaged: get it again")


class _Element:
    """One `element` of a PLY header: its name, count and properties (name, type, list's count type or None)."""

    def __init__(self, name: str, count: int) -> None:
        self.name = name
        self.count = count
        self.properties: list[tuple[str, str, str | None]] = []


def _ply_header(data: bytes, path: Path) -> tuple[str, list[_Element], str | None, int]:
    """Format, elements, stated axes and the length of a PLY header."""
    end = re.search(rb"end_header\r?\n", data[:_HEADER_LIMIT])
    if not data.startswith(b"ply") or end is None:
        raise InputRefused(f"{path} is not a PLY file", "check what it is, or get it again")
    kind, stated = "", None
    elements: list[_Element] = []
    for line in data[: end.start()].decode("latin-1").splitlines()[1:]:
        words = line.split()
        match words:
            case ["format", name, _]:
                kind = name
            case ["comment" | "obj_info", *_]:
                stated = _stated(line) or stated
            case ["element", name, count] if count.isdigit():
                elements.append(_Element(name, int(count)))
            case ["property", "list", counter, item, name] if elements and counter in _PLY_SCALARS and item in _PLY_SCALARS:
                elements[-1].properties.append((name, item, counter))
            case ["property", item, name] if elements and item in _PLY_SCALARS:
                elements[-1].properties.append((name, item, None))
            case []:
                continue
            case _:
                raise InputRefused(f"{path} has a header line that is not PLY: {line[:60]!r}", "export the mesh again")
    return kind, elements, stated, end.end()


def _read_ply(data: bytes, path: Path) -> tuple[F64, npt.NDArray[np.int64], str | None]:
    kind, elements, stated, start = _ply_header(data, path)
    order = {"binary_little_endian": "<", "binary_big_endian": ">"}.get(kind)
    if order is None:
        raise InputRefused(f"{path} is PLY of format {kind!r}", "export it as binary PLY")
    if [e.name for e in elements[:2]] != ["vertex", "face"]:
        raise InputRefused(f"{path} has no vertex and face elements, in that order", "export a triangle mesh")
    vertex, face = elements[0], elements[1]
    if any(counter for _, _, counter in vertex.properties) or not {"x", "y", "z"} <= {n for n, item, _ in vertex.properties if item in _PLY_FLOATS}:
        raise InputRefused(f"{path} has vertices without x, y and z of a float type", "export a triangle mesh")
    if len(face.properties) != 1 or face.properties[0][2] is None or face.properties[0][1] in _PLY_FLOATS:
        raise InputRefused(f"{path} has faces that are more than a list of vertices", "export a plain triangle mesh")
    _, item, counter = face.properties[0]
    row = np.dtype([(name, order + _PLY_SCALARS[t]) for name, t, _ in vertex.properties])
    triangle = np.dtype([("count", order + _PLY_SCALARS[counter or "uchar"]), ("corner", order + _PLY_SCALARS[item], 3)])
    needed = vertex.count * row.itemsize + face.count * triangle.itemsize
    if len(data) - start < needed:
        raise _cut(path, needed, len(data) - start)
    points = np.frombuffer(data, row, vertex.count, start)
    triangles = np.frombuffer(data, triangle, face.count, start + vertex.count * row.itemsize)
    if (triangles["count"] != 3).any():
        raise InputRefused(f"{path} has faces that are not triangles", "triangulate the mesh")
    return np.stack([points[axis].astype(np.float64) for axis in "xyz"], axis=1), triangles["corner"].astype(np.int64), stated


def _read_stl(data: bytes, path: Path) -> tuple[F64, npt.NDArray[np.int64], str | None]:
    """STL repeats each vertex in every face: equal ones are made one again."""
    head = data[:80].decode("latin-1")
    count = int.from_bytes(data[80:84], "little") if len(data) >= 84 else -1
    if count >= 0 and len(data) == 84 + count * _STL_FACE.itemsize:
        corners = np.frombuffer(data, _STL_FACE, count, 84)["corner"].reshape(-1, 3).astype(np.float64)
    elif head.lstrip().startswith("solid"):
        head = data[:200].decode("latin-1").splitlines()[0]
        corners = _ascii_corners(data, path)
    else:
        raise _cut(path, 84 + max(count, 0) * _STL_FACE.itemsize, len(data))
    vertices, index = np.unique(corners, axis=0, return_inverse=True)
    return vertices, index.reshape(-1, 3).astype(np.int64), _stated(head)


def _ascii_corners(data: bytes, path: Path) -> F64:
    found = re.findall(rb"vertex\s+(\S+)\s+(\S+)\s+(\S+)", data)
    if b"endsolid" not in data[-4096:] or len(found) != 3 * data.count(b"endfacet"):
        raise InputRefused(f"{path} is an ASCII STL that does not end as one", "the file is cut or damaged: get it again")
    try:
        return np.array(found, dtype=np.float64).reshape(-1, 3)
    except ValueError as error:
        raise InputRefused(f"{path} has a vertex that is not three numbers", "export the mesh again") from error


def write_ply(path: Path, vertices: F64, faces: I32) -> None:
    """Write binary little-endian PLY in LPS; the file appears whole or not at all."""
    header = (
        "ply\nformat binary_little_endian 1.0\ncomment SPACE=LPS\n"
        f"element vertex {len(vertices)}\nproperty double x\nproperty double y\nproperty double z\n"
        f"element face {len(faces)}\nproperty list uchar int vertex_indices\nend_header\n"
    )
    rows = np.empty(len(faces), _FACE)
    rows["count"], rows["corner"] = 3, faces
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(header.encode("ascii") + vertices.astype("<f8").tobytes() + rows.tobytes())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
