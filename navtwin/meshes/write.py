"""Writing a mesh as any kind, told by the ending of its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.files.write import whole_file
from navtwin.meshes.axes import F64, I64, SPACES, Space, Stated, turned
from navtwin.meshes.obj import obj_text
from navtwin.meshes.ply import ply_bytes, ply_text
from navtwin.meshes.stl import stl_bytes, stl_text
from navtwin.meshes.vtk import vtk_bytes, vtk_text
from navtwin.meshes.vtp import vtp_bytes

_Encode = Callable[[F64, I64, Stated], bytes]
#: Ending of the name -> binary and text.
_WRITERS: dict[str, tuple[_Encode | None, _Encode | None]] = {
    ".stl": (stl_bytes, stl_text),
    ".ply": (ply_bytes, ply_text),
    ".obj": (None, obj_text),
    ".vtk": (vtk_bytes, vtk_text),
    ".vtp": (vtp_bytes, None),
}
#: The formats number vertices in int32, and STL counts faces in uint32.
_MOST = 2**31 - 1


def write_mesh(path: Path, vertices_mm: npt.ArrayLike, faces: npt.ArrayLike, space: Space = "LPS", *, text: bool = False) -> None:
    """Write a mesh; the file appears whole or not at all, and states its axes and mm.

    Coordinates are exact in every format but binary STL, which holds float32.

    Parameters
    ----------
    path : ends with .stl, .ply, .obj, .vtk or .vtp
    vertices_mm : (V, 3), LPS, mm
    faces : (F, 3) of integers
    space : the axes to write in
    text : STL, PLY and VTK as text; OBJ always is, VTP never

    Raises
    ------
    InputRefused : another ending or other axes, or the file cannot be written
    """
    ending = path.suffix.lower()
    if ending not in _WRITERS:
        raise InputRefused(f"cannot write a mesh as '{path.name}'", f"end the name with one of {', '.join(_WRITERS)}")
    if space not in SPACES:
        raise InputRefused(f"space {space!r} is not known", f"name one of {', '.join(SPACES)}")
    points, corners = np.asarray(vertices_mm, dtype=np.float64), np.asarray(faces, dtype=np.int64)
    if max(len(points), len(corners)) > _MOST:
        raise InputRefused(f"{len(points)} vertices and {len(corners)} faces are more than a mesh file can count", "decimate the surface")
    binary, plain = _WRITERS[ending]
    encode = plain if (text and plain) or binary is None else binary
    assert encode is not None
    with whole_file(path) as partial:
        partial.write_bytes(encode(turned(points) if space == "RAS" else points, corners, Stated(space, "mm")))
