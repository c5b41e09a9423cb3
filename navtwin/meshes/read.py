"""Reading a mesh of any kind, told by its content."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from navtwin.errors import InputRefused
from navtwin.files.formats import HEAD_BYTES
from navtwin.files.guard import read_bytes
from navtwin.meshes.axes import F64, I64, axes, doubt_of_size, mm_per_unit, turned
from navtwin.meshes.obj import read_obj
from navtwin.meshes.ply import read_ply
from navtwin.meshes.raw import MOST_BYTES, RawMesh
from navtwin.meshes.recognise import kind_of
from navtwin.meshes.stl import read_stl
from navtwin.meshes.vtk import read_vtk
from navtwin.meshes.vtp import read_vtp

_READERS = {"stl": read_stl, "ply": read_ply, "obj": read_obj, "vtk": read_vtk, "vtp": read_vtp}


def read_raw(path: Path) -> RawMesh:
    """Read a mesh in its own axes and unit.

    Raises
    ------
    InputRefused : unreadable, no mesh, cut, damaged or hostile
    """
    data = read_bytes(path, MOST_BYTES)
    kind = kind_of(data[:HEAD_BYTES], len(data))
    if kind is None:
        what = "is empty" if not data else "is no mesh, or one that is cut or damaged"
        raise InputRefused(f"{path} {what}", "STL, PLY, OBJ, VTK PolyData and VTP are read, none of them packed")
    # Values that are no numbers, or overflow, are found by name afterwards.
    with np.errstate(all="ignore"):
        return _READERS[kind](data, path)


def in_mm(mesh: RawMesh, path: Path, space: str | None = None, unit: str | None = None) -> F64:
    """Its vertices (V, 3) in LPS, mm.

    Raises
    ------
    InputRefused : axes that neither file nor caller says, or in which they differ; a size that nothing in mm has, and no unit
    """
    turn, scale = axes(mesh.stated.space, space, path) == "RAS", mm_per_unit(mesh.stated.unit, unit, path)
    vertices = turned(mesh.vertices) if turn else mesh.vertices
    if scale is None:
        doubt = doubt_of_size(vertices[mesh.faces].reshape(-1, 3))
        if doubt is not None:
            raise InputRefused(f"{path} {doubt[0]}", doubt[1])
        return vertices
    return vertices if scale == 1.0 else vertices * scale


def read_mesh(path: Path, space: str | None = None, unit: str | None = None) -> tuple[F64, I64]:
    """Read a mesh.

    Parameters
    ----------
    path : STL, PLY, OBJ, VTK PolyData or VTP, told by content
    space : "LPS" or "RAS", for a file that does not state its axes
    unit : "mm", "cm" or "m", for a file that does not state its unit; without it a surface between 1 mm and 2 m is taken for mm

    Returns
    -------
    vertices : (V, 3) float64, LPS, mm
    faces : (F, 3) int64

    Raises
    ------
    InputRefused : as `read_raw` and `in_mm` say
    """
    mesh = read_raw(path)
    return in_mm(mesh, path, space, unit), mesh.faces
