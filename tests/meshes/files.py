"""Mesh files as other programs write them, byte by byte, and meshes to put into them."""

from __future__ import annotations

import struct

import numpy as np

from tests.kernels import meshes

CUBE = meshes.box((1.0, 2.0, 3.0))
QUADS = np.array([(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)])


def ply(vertices: np.ndarray, faces: object, *, comment: str = "", claims: int | None = None, kind: str = "binary_big_endian") -> bytes:
    """A PLY file with a colour for each vertex."""
    faces = list(faces)  # type: ignore[call-overload]
    head = (
        f"ply\nformat {kind} 1.0\n{comment}element vertex {len(vertices)}\nproperty float x\nproperty float y\nproperty float z\nproperty uchar red\n"
    )
    head += f"element face {len(faces) if claims is None else claims}\nproperty list uchar uint vertex_indices\nend_header\n"
    if kind == "ascii":
        rows = [f"{x} {y} {z} 7" for x, y, z in vertices] + [f"{len(f)} {' '.join(map(str, f))}" for f in faces]
        return (head + "\n".join(rows) + "\n").encode()
    order = ">" if "big" in kind else "<"
    points = b"".join(struct.pack(order + "fffB", *v, 7) for v in vertices)
    return head.encode() + points + b"".join(struct.pack(f"{order}B{len(f)}I", len(f), *f) for f in faces)


def stl(vertices: np.ndarray, faces: np.ndarray, head: bytes = b"") -> bytes:
    return head.ljust(80) + struct.pack("<I", len(faces)) + b"".join(struct.pack("<12fH", 1, 0, 0, *vertices[f].ravel(), 0) for f in faces)


def ascii_stl(vertices: np.ndarray, faces: np.ndarray, name: str = "x") -> bytes:
    lines = [f"solid {name}"]
    for f in faces:
        lines += ["facet normal 0 0 0", "outer loop", *(f"vertex {a} {b} {c}" for a, b, c in vertices[f]), "endloop", "endfacet"]
    return "\n".join([*lines, f"endsolid {name}\n"]).encode()


def obj(vertices: np.ndarray, faces: object, *, comment: str = "") -> bytes:
    """An OBJ file with texture and normals, as exporters write them."""
    lines = [comment, "mtllib x.mtl", "o thing", *(f"v {x} {y} {z}" for x, y, z in vertices), "vt 0 0", "vn 0 0 1", "usemtl stuff", "s off"]
    return "\n".join([*lines, *("f " + " ".join(f"{n + 1}/1/1" for n in f) for f in faces), ""]).encode()  # type: ignore[attr-defined]


def vtk(vertices: np.ndarray, cells: object, *, title: str = "vtk output", field: str = "", kind: str = "POLYGONS", binary: bool = False) -> bytes:
    """A legacy VTK file of version 3."""
    cells = [list(map(int, c)) for c in cells]  # type: ignore[attr-defined]
    size = sum(len(c) + 1 for c in cells)
    head = f"# vtk DataFile Version 3.0\n{title}\n{'BINARY' if binary else 'ASCII'}\nDATASET POLYDATA\n{field}POINTS {len(vertices)} float\n"
    if binary:
        rows = b"".join(struct.pack(f">{len(c) + 1}i", len(c), *c) for c in cells)
        return head.encode() + vertices.astype(">f4").tobytes() + f"\n{kind} {len(cells)} {size}\n".encode() + rows + b"\n"
    points = "\n".join(f"{x} {y} {z}" for x, y, z in vertices)
    return (head + points + f"\n{kind} {len(cells)} {size}\n" + "\n".join(" ".join(map(str, [len(c), *c])) for c in cells) + "\n").encode()


def vtp(vertices: np.ndarray, faces: np.ndarray, *, space: str = "", extra: str = "") -> bytes:
    """A VTP file with text in it."""
    codes = " ".join(str(ord(c)) for c in space)
    field = f'<FieldData><Array type="String" Name="SPACE" NumberOfTuples="1" format="ascii">{codes} 0</Array></FieldData>' if space else ""
    faces = np.asarray(faces)
    ends = np.cumsum([len(f) for f in faces])

    def array(kind: str, name: str, values: np.ndarray) -> str:
        return f'<DataArray type="{kind}" Name="{name}" format="ascii">{" ".join(map(str, values.ravel().tolist()))}</DataArray>'

    return (
        f'<?xml version="1.0"?>{extra}<VTKFile type="PolyData" version="0.1" byte_order="LittleEndian"><PolyData>{field}'
        f'<Piece NumberOfPoints="{len(vertices)}" NumberOfPolys="{len(faces)}"><Points>{array("Float32", "Points", vertices)}</Points>'
        f"<Polys>{array('Int32', 'connectivity', faces)}{array('Int32', 'offsets', ends)}</Polys></Piece></PolyData></VTKFile>"
    ).encode()
