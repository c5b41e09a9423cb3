"""STL: triangles and nothing else, binary (80 bytes of header, a count, 50 bytes for each) or ASCII. It repeats each vertex in every face."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path

import numpy as np

from navtwin.errors import InputRefused
from navtwin.meshes.axes import F64, I64, Stated, stated_in
from navtwin.meshes.raw import RawMesh, checked, cut, refuse_bad_points, welded

HEADER = 80
FIRST = HEADER + 4
_VERTEX = re.compile(rb"(?i)\bvertex\s+(\S+)\s+(\S+)\s+(\S+)")
_BATCH = 100_000
FACE = np.dtype([("normal", "<f4", 3), ("corner", "<f4", (3, 3)), ("attribute", "<u2")])


def claimed(data: bytes) -> int:
    """The size in bytes that a binary STL of this beginning would have."""
    return FIRST + int.from_bytes(data[HEADER:FIRST], "little") * FACE.itemsize


def read_stl(data: bytes, path: Path) -> RawMesh:
    """Read binary or ASCII STL; equal vertices are made one again.

    Raises
    ------
    InputRefused : cut, damaged, no triangles, or a coordinate that is not finite
    """
    if len(data) >= FIRST and len(data) == claimed(data):
        # "solid" at the beginning says nothing: many programs begin the header of a binary file with it.
        head, corners = data[:HEADER], np.frombuffer(data, FACE, offset=FIRST)["corner"].reshape(-1, 3).astype(np.float64)
    elif data.lstrip()[:5].lower() == b"solid":
        head, corners = data.lstrip()[:1024].splitlines()[0], _ascii_corners(data, path)
    else:
        raise cut(path, claimed(data.ljust(FIRST, b"\0")), len(data))
    refuse_bad_points(corners, path)
    vertices, index = welded(corners)
    return checked(vertices, index.reshape(-1, 3), stated_in(head.decode("latin-1"), path), path)


def _ascii_corners(data: bytes, path: Path) -> F64:
    start = data.find(b"\n")  # beyond the name, which may hold anything
    ends = len(re.findall(rb"(?i)\bendfacet\b", data[start:]))
    found = _VERTEX.finditer(data, start)
    batches = []
    try:
        # Batch by batch: as text, numbers take many times the memory that they take as numbers.
        while batch := [one.groups() for one in islice(found, _BATCH)]:
            batches.append(np.array(batch, dtype=np.float64))
    except ValueError as error:
        raise InputRefused(f"{path} has a vertex that is not three numbers", "export the mesh again") from error
    corners = np.concatenate(batches) if batches else np.empty((0, 3))
    if b"endsolid" not in data[-4096:].lower() or len(corners) != 3 * ends:
        raise InputRefused(f"{path} is an ASCII STL that does not end as one", "the file is cut or damaged: get it again")
    return corners


def stl_bytes(vertices: F64, faces: I64, stated: Stated) -> bytes:
    """Binary STL: coordinates are rounded to float32."""
    # A header that began with "solid" would be taken for ASCII by some readers.
    rows = np.zeros(len(faces), FACE)
    rows["normal"], rows["corner"] = _normals(vertices, faces), vertices[faces]
    return f"navtwin surface {stated.text}".encode("ascii").ljust(HEADER) + len(faces).to_bytes(4, "little") + rows.tobytes()


def stl_text(vertices: F64, faces: I64, stated: Stated) -> bytes:
    """ASCII STL: coordinates as Python writes them, which is exact."""
    lines = [f"solid navtwin surface {stated.text}"]
    for (a, b, c), (x, y, z) in zip(vertices[faces].tolist(), _normals(vertices, faces).tolist(), strict=True):
        lines += [f"facet normal {x!r} {y!r} {z!r}", "outer loop", *(f"vertex {p[0]!r} {p[1]!r} {p[2]!r}" for p in (a, b, c)), "endloop", "endfacet"]
    return "\n".join([*lines, "endsolid\n"]).encode("ascii")


def _normals(vertices: F64, faces: I64) -> F64:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    unit: F64 = np.divide(normal, length, out=np.zeros_like(normal), where=length > 0.0)
    return unit


def rounding_mm(vertices: F64) -> float:
    """The largest change of a coordinate that binary STL makes, mm."""
    return float(np.abs(vertices.astype(np.float32).astype(np.float64) - vertices).max())
