"""PLY (Stanford): a text header that names elements and their properties, then the elements as text or binary of either byte order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from navtwin.errors import InputRefused
from navtwin.meshes.axes import F64, I64, Stated, stated_in
from navtwin.meshes.ply_rows import Property, Rows, read_element
from navtwin.meshes.polygons import split_polygons
from navtwin.meshes.raw import MOST_TEXT_BYTES, RawMesh, checked, numbers

_HEADER_LIMIT = 64 * 1024
_FLOATS = {"float": "f4", "float32": "f4", "double": "f8", "float64": "f8"}
_SCALARS = _FLOATS | {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2", "uint16": "u2",
    "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4",
}  # fmt: skip
_ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">", "ascii": "="}
_CORNERS = ("vertex_indices", "vertex_index")
_FACE = np.dtype([("count", "u1"), ("corner", "<i4", 3)])


@dataclass
class _Element:
    name: str
    count: int
    properties: list[tuple[str, str, str | None]] = field(default_factory=list)  # name, type, type of a list's length


def read_ply(data: bytes, path: Path) -> RawMesh:
    """Read a PLY file; faces of more than three corners are split.

    Raises
    ------
    InputRefused : cut or damaged, elements that do not fit the header, no vertices or faces, or values that are no mesh
    """
    kind, elements, stated, start = _header(data, path)
    if kind not in _ORDERS:
        raise InputRefused(f"{path} is PLY of format {kind!r}", f"export it as one of {', '.join(_ORDERS)}")
    for name in ("vertex", "face"):
        if [e.name for e in elements].count(name) != 1:
            raise InputRefused(f"{path} has not one element '{name}'", "export a triangle mesh")
    body = _as_doubles(data, start, path) if kind == "ascii" else data[start:]
    found: dict[str, Rows] = {}
    at = 0
    for element in elements:
        properties = tuple(_property(p, _ORDERS[kind]) for p in element.properties)
        found[element.name], at = read_element(body, at, element.count, properties, path)
    vertex, face = found["vertex"], found["face"]
    axes = [vertex.scalars.get(axis) for axis in "xyz"]
    types = {name: item for e in elements if e.name == "vertex" for name, item, counter in e.properties if counter is None}
    if any(types.get(axis) not in _FLOATS for axis in "xyz"):
        raise InputRefused(f"{path} has vertices without x, y and z of a float type", "export a triangle mesh")
    vertices = np.stack([np.asarray(axis, dtype=np.float64) for axis in axes], axis=1)
    lists = [face.lists[name] for name in _CORNERS if name in face.lists]
    if len(lists) != 1:
        raise InputRefused(f"{path} has faces without a list of vertices", "export a triangle mesh")
    counts, corners = lists[0]
    faces, notes = split_polygons(vertices, corners, counts, path)
    return checked(vertices, faces, stated, path, notes)


def _header(data: bytes, path: Path) -> tuple[str, list[_Element], Stated, int]:
    """Format, elements, what is stated, and the length of the header."""
    end = re.search(rb"end_header\r?\n", data[:_HEADER_LIMIT])
    if not data.startswith(b"ply") or end is None:
        raise InputRefused(f"{path} is not a PLY file", "check what it is, or get it again")
    kind, comments = "", []
    elements: list[_Element] = []
    for line in data[: end.start()].decode("latin-1").splitlines()[1:]:
        words = line.split()
        match words:
            case ["format", name, _]:
                kind = name
            case ["comment" | "obj_info", *_]:
                comments.append(line)
            case ["element", name, count] if count.isdecimal() and len(count) < 19:
                elements.append(_Element(name, int(count)))
            case ["property", "list", counter, item, name] if elements and counter in _SCALARS and item in _SCALARS:
                elements[-1].properties.append((name, item, counter))
            case ["property", item, name] if elements and item in _SCALARS:
                elements[-1].properties.append((name, item, None))
            case []:
                continue
            case _:
                raise InputRefused(f"{path} has a header line that is not PLY: {line[:60]!r}", "export the mesh again")
    for e in elements:
        if len({name for name, _, _ in e.properties}) != len(e.properties):
            raise InputRefused(f"{path} has an element '{e.name}' with two properties of one name", "export the mesh again")
    return kind, elements, stated_in("\n".join(comments), path), end.end()


def _property(declared: tuple[str, str, str | None], order: str) -> Property:
    name, item, counter = declared
    if order == "=":  # text: every number is a double by now
        return Property(name, np.dtype("f8"), np.dtype("f8") if counter else None)
    return Property(name, np.dtype(order + _SCALARS[item]), np.dtype(order + _SCALARS[counter]) if counter else None)


def _as_doubles(data: bytes, start: int, path: Path) -> bytes:
    """A body of text as binary, every number a double: counts and indices are far below 2^53, so that nothing is lost."""
    if len(data) > MOST_TEXT_BYTES:
        raise InputRefused(f"{path} holds more than {MOST_TEXT_BYTES} bytes of text", "export it as binary PLY")
    return numbers(data[start:], "f", None, path, "elements").tobytes()


def ply_bytes(vertices: F64, faces: I64, stated: Stated) -> bytes:
    """Binary little-endian PLY in double precision."""
    rows = np.empty(len(faces), _FACE)
    rows["count"], rows["corner"] = 3, faces
    return _header_text("binary_little_endian", len(vertices), len(faces), stated) + vertices.astype("<f8").tobytes() + rows.tobytes()


def ply_text(vertices: F64, faces: I64, stated: Stated) -> bytes:
    """ASCII PLY: coordinates as Python writes them, which is exact."""
    lines = [f"{x!r} {y!r} {z!r}" for x, y, z in vertices.tolist()] + [f"3 {a} {b} {c}" for a, b, c in faces.tolist()]
    return _header_text("ascii", len(vertices), len(faces), stated) + ("\n".join(lines) + "\n").encode("ascii")


def _header_text(kind: str, vertices: int, faces: int, stated: Stated) -> bytes:
    return (
        f"ply\nformat {kind} 1.0\ncomment {stated.text}\n"
        f"element vertex {vertices}\nproperty double x\nproperty double y\nproperty double z\n"
        f"element face {faces}\nproperty list uchar int vertex_indices\nend_header\n"
    ).encode("ascii")
