"""The anatomy at several levels of detail, for pictures only: what is measured against is always the whole surface.

A level has a budget of triangles, which structures share by their size. A critical structure gets more than its share where it would stray from its
shape by more than the level allows: what an operator steers by must look as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from navtwin.scene.looks import is_veil
from navtwin.scene.model import Scene, Structure
from navtwin.scene.solids import surface_mesh

if TYPE_CHECKING:
    import pyvista as pv

#: `first` is made in a moment, to have a picture at once; `light` is for software rendering; `full` is every triangle that there is.
Detail = Literal["first", "light", "fine", "full"]
DETAILS: tuple[Detail, ...] = get_args(Detail)
MOST_TRIANGLES: dict[Detail, int] = {"first": 18_000, "light": 20_000, "fine": 100_000}
#: How far the picture of a critical structure may be from its surface, and its surface from the picture, mm.
MOST_ERROR_MM: dict[Detail, float] = {"first": 1.0, "light": 0.4, "fine": 0.2}
LEAST_TRIANGLES = 1_000
#: A veil is drawn at its rim only.
VEIL_TRIANGLES = 5_000
#: Where a structure needs more triangles, at least so many times as many are tried next, and so many times as many as its error asks for.
LEAST_MORE, MARGIN = 1.3, 1.2
#: Points of the whole surface from which the distance to its picture is measured.
SAMPLES = 3_000


@dataclass(frozen=True)
class Drawn:
    """A structure as it is drawn.

    Attributes
    ----------
    mesh : with outward normals, in ct, mm
    error_mm : the farthest that the mesh and the whole surface are from each other, over both one's sample points; 0 where all triangles are drawn,
        None where it was not measured
    """

    mesh: pv.PolyData
    error_mm: float | None


def draw_level(scene: Scene, detail: Detail, over: Callable[[], bool] = lambda: False) -> dict[str, Drawn]:
    """Every structure at one level of detail. Most of the time is spent outside Python's lock.

    Parameters
    ----------
    over : asked between structures; once it is true the result is no longer wanted, and may lack some
    """
    shares = triangle_shares(scene, detail)
    return {s.name: draw_structure(s, detail, shares[s.name]) for s in scene.structures if not over()}


def draw_structure(structure: Structure, detail: Detail, triangles: int) -> Drawn:
    """One structure with about so many triangles, or more where it is critical and its shape asks for them."""
    surface = structure.surface
    whole = len(surface.faces)
    while triangles < whole:
        mesh = surface_mesh(surface.vertices_mm, surface.faces, triangles, quick=detail == "first")
        if structure.role != "critical":
            return Drawn(mesh, None)
        error_mm = strayed_mm(surface_mesh(surface.vertices_mm, surface.faces, whole), mesh)
        if error_mm <= MOST_ERROR_MM[detail]:
            return Drawn(mesh, error_mm)
        # Flat triangles stray from a curve by the square of their side, so by their size.
        triangles = round(triangles * max(LEAST_MORE, MARGIN * error_mm / MOST_ERROR_MM[detail]))
    return Drawn(surface_mesh(surface.vertices_mm, surface.faces, whole), 0.0)


def triangle_shares(scene: Scene, detail: Detail) -> dict[str, int]:
    """How many triangles each structure may keep: by its size."""
    if detail == "full":
        return {s.name: len(s.surface.faces) for s in scene.structures}
    weights = {s.name: len(s.surface.faces) ** 0.75 for s in scene.structures if not is_veil(s)}
    total = sum(weights.values())
    shares = {name: max(LEAST_TRIANGLES, int(MOST_TRIANGLES[detail] * weight / total)) for name, weight in weights.items()}
    return {s.name: min(len(s.surface.faces), shares.get(s.name, VEIL_TRIANGLES)) for s in scene.structures}


def strayed_mm(whole: pv.PolyData, mesh: pv.PolyData) -> float:
    """How far a mesh and the whole surface are from each other, the larger of both ways: from the mesh's corners and the middles of its triangles,
    and from samples of the whole's corners.
    """
    import pyvista as pv

    every = max(1, len(whole.points) // SAMPLES)
    theirs = pv.PolyData(np.asarray(whole.points)[::every])
    ours = pv.PolyData(np.concatenate([np.asarray(mesh.points), np.asarray(mesh.cell_centers().points)]))
    return max(_farthest_mm(ours, whole), _farthest_mm(theirs, mesh))


def _farthest_mm(points: pv.PolyData, surface: pv.PolyData) -> float:
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkFiltersGeneral import vtkDistancePolyDataFilter

    # A filter lets go of Python's lock while it works, a query of a locator does not.
    distance = vtkDistancePolyDataFilter()
    distance.SetInputData(0, points)
    distance.SetInputData(1, surface)
    distance.SignedDistanceOff()
    distance.ComputeSecondDistanceOff()
    distance.ComputeCellCenterDistanceOff()
    distance.Update()
    return float(vtk_to_numpy(distance.GetOutput().GetPointData().GetArray("Distance")).max())
