"""Renewing the surface where it was cut, against extracting all of it again: VTK's flying edges on the same volume, in the same run."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
from proximity_parts.rows import Row, figure
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkSMPTools
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D

from drilling_parts.bones import RADIUS_MM, moves
from navtwin.kernels.bone.bricks import BRICK, INSIDE, STEPS, Bricks
from navtwin.scene.carvable import Carvable
from navtwin.scene.surface import Surface

F64 = npt.NDArray[np.float64]

ROUNDS = 3
#: Places of either surface that are compared with the other.
COMPARED = 100_000
#: Points hold the middles of their steps, so the level lies between -1 and 0.
LEVEL = -0.5


def dense(bricks: Bricks) -> npt.NDArray[np.int8]:
    """All points of the grid, (16 K, 16 J, 16 I)."""
    table = bricks.table.reshape(-1)
    points = np.where(table == INSIDE, -STEPS, STEPS - 1).astype(np.int8)[:, None, None, None] * np.ones((1, BRICK, BRICK, BRICK), np.int8)
    points[table >= 0] = bricks.cells[table[table >= 0]]
    k, j, i = bricks.table.shape
    blocks = points.reshape(k, j, i, BRICK, BRICK, BRICK).transpose(0, 3, 1, 4, 2, 5)
    return np.ascontiguousarray(blocks).reshape(BRICK * k, BRICK * j, BRICK * i)


def image_of(points: npt.NDArray[np.int8]) -> vtkImageData:
    """The same as VTK holds it."""
    image = vtkImageData()
    image.SetDimensions(*points.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(points.reshape(-1), deep=True))
    return image


def extract(image: vtkImageData) -> tuple[vtkFlyingEdges3D, float]:
    """All of the surface, and how long it took, s."""
    edges = vtkFlyingEdges3D()
    edges.SetInputData(image)
    edges.SetValue(0, LEVEL)
    edges.ComputeNormalsOff()
    edges.ComputeScalarsOff()
    begun = time.perf_counter()
    edges.Update()
    return edges, time.perf_counter() - begun


def _apart(surface: Surface | Carvable, places: F64) -> F64:
    chosen = places[np.random.default_rng(0).integers(len(places), size=COMPARED)]
    return np.abs(surface.closest(chosen).distance_mm)


def extraction_row(carvable: Carvable, strokes: int) -> Row:
    """Local updates and whole extractions by turns, one core each; then how far both surfaces are apart, in sides of the grid."""
    vtkSMPTools.Initialize(1)
    local, whole = [], []
    for n in range(ROUNDS):
        for start, end in moves(carvable, strokes, 20 + n):
            revision = carvable.revision
            carvable.carve(start, end, RADIUS_MM)
            begun = time.perf_counter()
            _ = carvable.forest
            if carvable.revision > revision:
                local.append(time.perf_counter() - begun)
        edges, took = extract(image_of(dense(carvable.bricks)))
        whole.append(took)
    mesh, bricks, forest = edges.GetOutput(), carvable.bricks, carvable.forest
    theirs = vtk_to_numpy(mesh.GetPoints().GetData()).astype(np.float64) * carvable.side_mm + bricks.origin
    faces = vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int32)
    ours = forest.vertices[np.unique(forest.faces)[1:]]
    apart = np.concatenate([_apart(carvable, theirs), _apart(Surface.from_arrays(theirs, faces), ours)]) / carvable.side_mm
    figures = [
        figure("faster", float(np.median(whole) / np.median(local)), "x", "more"),
        figure("apart, mean", float(apart.mean()), "sides"),
        figure("apart, p99", float(np.percentile(apart, 99)), "sides"),
    ]
    times = {
        "local update": {"p50": float(np.median(local)) * 1e6, "p99": float(np.percentile(local, 99)) * 1e6},
        "VTK flying edges": {"p50": float(np.median(whole)) * 1e6, "p99": max(whole) * 1e6},
    }
    note = f"surface and tree after a move of a 4 mm burr, {len(faces)} triangles, {carvable.side_mm:g} mm, one thread each"
    return Row("local update against extracting all again", figures, times, note=note)
