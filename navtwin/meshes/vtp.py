"""VTP: VTK's PolyData as XML (VTK file formats, "XML file formats")."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from navtwin.errors import InputRefused
from navtwin.files.guard import parse_xml
from navtwin.meshes.axes import F64, I64, Stated, stated_in
from navtwin.meshes.cells import NONE, Cells, from_offsets, mesh_of_cells
from navtwin.meshes.raw import RawMesh
from navtwin.meshes.vtp_arrays import Coding, coding_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_DAMAGED = "the file is damaged: export the mesh again"
_APPENDED = re.compile(rb"<AppendedData\b[^>]{0,200}>\s*_")
_LARGEST_COUNT = 2**40
_MOST_PIECES = 10_000
#: A piece has a few dozen tags.
_MOST_TAGS = 200_000


def read_vtp(data: bytes, path: Path) -> RawMesh:
    """Read the polygons and strips of all pieces; what is told of points and cells is left out.

    Raises
    ------
    InputRefused : DOCTYPE or entities, no PolyData, compressed by anything but zlib, cut or damaged, or values that are no mesh
    """
    root, appended, is_base64 = _parsed(data, path)
    if root.tag != "VTKFile" or root.get("type") != "PolyData":
        raise InputRefused(f"{path} is VTK {root.get('type', 'of no type')[:40]}, not PolyData", "extract its surface and save that as PolyData")
    coding = coding_of(root, appended, is_base64, path)
    statements = [f"{array.get('Name')}={_string(coding, array)}" for array in root.iterfind("PolyData/FieldData/*") if array.get("type") == "String"]
    pieces = root.findall("PolyData/Piece")
    if len(pieces) > _MOST_PIECES:
        raise InputRefused(f"{path} has {len(pieces)} pieces", "join them where it was made")
    points: list[F64] = [np.empty((0, 3))]
    kinds: dict[str, list[Cells]] = {"Polys": [NONE], "Strips": [NONE]}
    first, others = 0, 0
    for piece in pieces:
        place = _points(coding, piece)
        for kind, cells in kinds.items():
            found = _cells(coding, piece, kind)
            if len(found.corners) and (found.corners.min() < 0 or found.corners.max() >= len(place)):
                raise InputRefused(f"{path} has a face that names a vertex outside 0 .. {len(place) - 1}", _DAMAGED)
            cells.append(Cells(found.counts, found.corners + first))
        points.append(place)
        first += len(place)
        others += _count(coding, piece, "NumberOfVerts") + _count(coding, piece, "NumberOfLines")
    polygons, strips = (_joined(kinds[kind]) for kind in ("Polys", "Strips"))
    return mesh_of_cells(np.concatenate(points), polygons, strips, others, stated_in("\n".join(statements), path), path)


def _parsed(data: bytes, path: Path) -> tuple[Element, bytes, bool]:
    """The XML, what is appended to it, and whether that is base64: what is appended may be raw, and then the file is no XML as a whole."""
    found = _APPENDED.search(data)
    tags = data.count(b"<", 0, len(data) if found is None else found.end())
    if tags > _MOST_TAGS:
        raise InputRefused(f"{path} has {tags} tags", "it is no surface, or damaged")
    if found is None:
        return parse_xml(data, path), b"", False
    end = data.rfind(b"</AppendedData")
    if end < found.end():
        raise InputRefused(f"{path} ends within its appended data", "the file is cut: get it again")
    root = parse_xml(data[: found.end()] + data[end:], path)
    tag = root.find("AppendedData")
    encoding = "" if tag is None else tag.get("encoding", "base64")
    if encoding not in ("raw", "base64"):
        raise InputRefused(f"{path} has appended data of encoding {encoding[:40]!r}", "export the mesh again")
    return root, data[found.end() : end], encoding == "base64"


def _joined(cells: list[Cells]) -> Cells:
    return Cells(np.concatenate([c.counts for c in cells]), np.concatenate([c.corners for c in cells]))


def _count(coding: Coding, piece: Element, name: str) -> int:
    word = piece.get(name, "0").strip()
    if not re.fullmatch(r"[0-9]{1,13}", word) or int(word) > _LARGEST_COUNT:
        raise InputRefused(f"{coding.path} has {name}={word[:40]!r}", _DAMAGED)
    return int(word)


def _points(coding: Coding, piece: Element) -> F64:
    count, array = _count(coding, piece, "NumberOfPoints"), piece.find("Points/DataArray")
    if array is None:
        if count:
            raise InputRefused(f"{coding.path} has a piece without coordinates", _DAMAGED)
        return np.empty((0, 3))
    return coding.values(array, 3 * count, "coordinates").astype(np.float64).reshape(-1, 3)


def _cells(coding: Coding, piece: Element, kind: str) -> Cells:
    count = _count(coding, piece, f"NumberOf{kind}")
    if count == 0:
        return NONE
    arrays = {array.get("Name"): array for array in piece.iterfind(f"{kind}/DataArray")}
    if "connectivity" not in arrays or "offsets" not in arrays:
        raise InputRefused(f"{coding.path} has {kind} without connectivity and offsets", _DAMAGED)
    ends = _whole(coding, arrays["offsets"], count, "offsets of cells")
    corners = _whole(coding, arrays["connectivity"], int(ends[-1]), "corners of cells")
    return from_offsets(np.concatenate([[0], ends]), corners, coding.path)


def _whole(coding: Coding, array: Element, count: int, what: str) -> I64:
    found = coding.values(array, count, what)
    if found.dtype.kind not in "iu":
        raise InputRefused(f"{coding.path} has {what} that are not whole numbers", _DAMAGED)
    return found.astype(np.int64)


def _string(coding: Coding, array: Element) -> str:
    """The first string of an array: characters up to a 0."""
    return coding.values(array, None, "characters", "UInt8").astype(np.uint8).tobytes().partition(b"\0")[0].decode("latin-1")


def vtp_bytes(vertices: F64, faces: I64, stated: Stated) -> bytes:
    """VTP, inline base64, double precision; axes and unit as arrays of the field data."""
    ends = 3 * np.arange(1, len(faces) + 1, dtype="<i8")
    fields = "".join(
        f'<Array type="String" Name="{name}" NumberOfTuples="1" format="ascii">{" ".join(str(c) for c in (*value.encode(), 0))}</Array>'
        for name, value in (("SPACE", stated.space), ("UNIT", stated.unit)) if value
    )  # fmt: skip
    return (
        '<?xml version="1.0"?>\n<VTKFile type="PolyData" version="1.0" byte_order="LittleEndian" header_type="UInt64">\n<PolyData>\n'
        f'<FieldData>{fields}</FieldData>\n<Piece NumberOfPoints="{len(vertices)}" NumberOfVerts="0" NumberOfLines="0" NumberOfStrips="0" '
        f'NumberOfPolys="{len(faces)}">\n<Points>{_array("Float64", "Points", vertices.astype("<f8"), 3)}</Points>\n'
        f"<Polys>{_array('Int64', 'connectivity', faces.astype('<i8'), 1)}\n{_array('Int64', 'offsets', ends, 1)}</Polys>\n"
        "</Piece>\n</PolyData>\n</VTKFile>\n"
    ).encode("ascii")


def _array(kind: str, name: str, values: np.ndarray[tuple[int, ...], np.dtype[np.generic]], components: int) -> str:
    content = base64.b64encode(values.nbytes.to_bytes(8, "little") + values.tobytes()).decode("ascii")
    return f'<DataArray type="{kind}" Name="{name}" NumberOfComponents="{components}" format="binary">{content}</DataArray>'
