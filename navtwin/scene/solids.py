"""Meshes for pictures: surfaces at a level of detail, and the capsules that instruments are made of. Never measured against."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from navtwin.nouns import Part

if TYPE_CHECKING:
    import pyvista as pv

#: Triangles that cutting a smooth surface into cubes of side h leaves, per (area / h^2): measured on vertebrae and vessels.
TRIANGLES_PER_CUBE = 2.6
#: Surfaces with more than this many times their share of triangles are clustered first, as edge collapse would take seconds.
CLUSTER_ABOVE = 8
CAPSULE_SIDES = 32
CAPSULE_RINGS = 9


def surface_mesh(vertices_mm: npt.ArrayLike, faces: npt.ArrayLike, most_triangles: int, *, quick: bool = False) -> pv.PolyData:
    """A surface as a mesh of about `most_triangles` at most, with outward vertex normals. `quick` is done in a moment, and coarse."""
    import pyvista as pv

    mesh: pv.PolyData = pv.PolyData.from_regular_faces(np.array(vertices_mm, dtype=np.float64), np.asarray(faces, dtype=int))
    if mesh.n_cells > most_triangles and quick:
        mesh = _clustered(mesh, most_triangles)
    if mesh.n_cells > CLUSTER_ABOVE * most_triangles:
        mesh = _clustered(mesh, CLUSTER_ABOVE * most_triangles)
    if mesh.n_cells > most_triangles and not quick:
        mesh = _collapsed(mesh, most_triangles)
    shaded: pv.PolyData = mesh.compute_normals(cell_normals=False, split_vertices=False, consistent_normals=False, auto_orient_normals=False)
    return shaded


def _collapsed(mesh: pv.PolyData, most_triangles: int) -> pv.PolyData:
    """By edge collapse (Hoppe, "New quadric metric for simplifying meshes", IEEE Visualization 1999, as vtkQuadricDecimation has it)."""
    import pyvista as pv
    from vtkmodules.vtkFiltersCore import vtkQuadricDecimation

    collapse = vtkQuadricDecimation()
    collapse.SetInputData(mesh)
    collapse.SetTargetReduction(1.0 - most_triangles / mesh.n_cells)
    collapse.VolumePreservationOn()
    collapse.Update()
    return pv.PolyData(collapse.GetOutput())


def _clustered(mesh: pv.PolyData, most_triangles: int) -> pv.PolyData:
    """By vertex clustering (Lindstrom, "Out-of-core simplification of large polygonal models", SIGGRAPH 2000, as vtkQuadricClustering has it).

    A hundred times faster than edge collapse, but it may fold a triangle over: for a first cut of large surfaces only.
    """
    import pyvista as pv
    from vtkmodules.vtkFiltersCore import vtkQuadricClustering

    side_mm = math.sqrt(TRIANGLES_PER_CUBE * float(mesh.area) / most_triangles)
    box = mesh.bounds
    cubes = [max(1, math.ceil((box[2 * i + 1] - box[2 * i]) / side_mm)) for i in range(3)]
    clustering = vtkQuadricClustering()
    clustering.SetInputData(mesh)
    clustering.AutoAdjustNumberOfDivisionsOff()
    clustering.SetNumberOfDivisions(*cubes)
    clustering.Update()
    return pv.PolyData(clustering.GetOutput())


def capsule_mesh(part: Part) -> pv.PolyData:
    """One part of a tool, in tip axes: a cylinder with round ends, or a ball where it has no length. Normals are the exact ones."""
    import pyvista as pv

    a, b = np.array(part.from_mm), np.array(part.to_mm)
    length = float(np.linalg.norm(b - a))
    axis = (b - a) / length if length > 0.0 else np.array((0.0, 0.0, 1.0))
    across = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    across /= np.linalg.norm(across)
    sideways = np.cross(axis, across)
    quarter = np.linspace(0.0, math.pi / 2.0, CAPSULE_RINGS)
    latitudes = np.concatenate((-quarter[::-1], quarter))
    ends = np.repeat((a, b), CAPSULE_RINGS, axis=0)
    turn = np.arange(CAPSULE_SIDES) * (2.0 * math.pi / CAPSULE_SIDES)
    circle = np.cos(turn)[:, None] * across + np.sin(turn)[:, None] * sideways
    normals = np.cos(latitudes)[:, None, None] * circle + np.sin(latitudes)[:, None, None] * axis
    points = (ends[:, None, :] + part.radius_mm * normals).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(2 * CAPSULE_RINGS - 1), np.arange(CAPSULE_SIDES), indexing="ij")
    here, beside = i * CAPSULE_SIDES + j, i * CAPSULE_SIDES + (j + 1) % CAPSULE_SIDES
    quads = np.stack((here, beside, beside + CAPSULE_SIDES, here + CAPSULE_SIDES), axis=-1).reshape(-1, 4)
    mesh: pv.PolyData = pv.PolyData.from_regular_faces(points, quads)
    mesh.point_data["Normals"] = normals.reshape(-1, 3)
    mesh.point_data.active_normals_name = "Normals"
    return mesh
