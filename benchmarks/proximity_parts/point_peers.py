"""Libraries that give a signed distance to a mesh, each asked the cheapest way that is right for a closed mesh.

Whatever can be kept is kept: the tree, the arrays that a question is written into, a recorded launch. A question is three floats, the answer one.
libigl's own signed distance scales the distance by an approximate winding number: its tree and its winding numbers are asked apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from navtwin.scene.surface import Surface

F64 = npt.NDArray[np.float64]
AskPoint = Callable[[float, float, float], float]
AskPoints = Callable[[F64], Any]

#: Farther than any point of the head from another, mm.
FAR_MM = 1e6


def vtk_kept(surface: Surface) -> Any:
    """vtkImplicitPolyDataDistance with the mesh in double precision."""
    from vtkmodules.vtkFiltersCore import vtkImplicitPolyDataDistance

    kept = vtkImplicitPolyDataDistance()
    kept.SetInput(vtk_mesh(surface))
    return kept


def vtk_mesh(surface: Surface) -> Any:
    """The mesh as vtkPolyData."""
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    places, cells, mesh = vtkPoints(), vtkCellArray(), vtkPolyData()
    places.SetDataTypeToDouble()
    places.SetData(numpy_to_vtk(surface.vertices_mm, deep=True))
    ends = np.arange(0, 3 * len(surface.faces) + 1, 3, dtype=np.int64)
    cells.SetData(numpy_to_vtkIdTypeArray(ends, deep=True), numpy_to_vtkIdTypeArray(surface.faces.ravel().astype(np.int64), deep=True))
    mesh.SetPoints(places)
    mesh.SetPolys(cells)
    return mesh


def vtk_point(surface: Surface) -> AskPoint:
    ask: AskPoint = vtk_kept(surface).EvaluateFunction
    return ask


def vtk_locator_point(surface: Surface) -> AskPoint:
    """vtkStaticCellLocator: the distance alone; it has no sign to give."""
    from vtkmodules.vtkCommonCore import mutable
    from vtkmodules.vtkCommonDataModel import vtkGenericCell, vtkStaticCellLocator

    locator = vtkStaticCellLocator()
    locator.SetDataSet(vtk_mesh(surface))
    locator.BuildLocator()
    cell, cell_id, sub_id, squared = vtkGenericCell(), mutable(0), mutable(0), mutable(0.0)
    closest = [0.0, 0.0, 0.0]

    def ask(x: float, y: float, z: float) -> float:
        locator.FindClosestPoint((x, y, z), closest, cell, cell_id, sub_id, squared)
        return math.sqrt(squared)

    return ask


def open3d_scene(surface: Surface) -> Any:
    """The scene, built: Open3D does that at the first question."""
    import open3d

    scene = open3d.t.geometry.RaycastingScene()
    vertices, faces = surface.vertices_mm.astype(np.float32), surface.faces.astype(np.uint32)
    scene.add_triangles(open3d.core.Tensor.from_numpy(vertices), open3d.core.Tensor.from_numpy(faces))
    scene.compute_distance(open3d.core.Tensor.from_numpy(np.zeros((1, 3), np.float32)))
    return scene


def open3d_point(surface: Surface) -> AskPoint:
    import open3d

    scene, question = open3d_scene(surface), np.empty((1, 3), np.float32)
    tensor = open3d.core.Tensor.from_numpy(question)  # shares its memory

    def ask(x: float, y: float, z: float) -> float:
        question[0, 0] = x
        question[0, 1] = y
        question[0, 2] = z
        return float(scene.compute_signed_distance(tensor).numpy()[0])

    return ask


def open3d_points(surface: Surface) -> AskPoints:
    import open3d

    scene = open3d_scene(surface)
    return lambda points: scene.compute_signed_distance(open3d.core.Tensor.from_numpy(points.astype(np.float32))).numpy()


def _igl_trees(surface: Surface) -> tuple[Any, Any, F64, npt.NDArray[np.int64]]:
    import igl

    vertices, faces = np.asfortranarray(surface.vertices_mm), np.asfortranarray(surface.faces.astype(np.int64))
    tree, winding = igl.AABB(), igl.FastWindingNumberBVH()
    tree.init(vertices, faces)
    winding.init(vertices, faces)
    return tree, winding, vertices, faces


def igl_point(surface: Surface) -> AskPoint:
    tree, winding, vertices, faces = _igl_trees(surface)
    question = np.empty((1, 3), order="F")

    def ask(x: float, y: float, z: float) -> float:
        question[0, 0] = x
        question[0, 1] = y
        question[0, 2] = z
        distance = math.sqrt(tree.squared_distance(vertices, faces, question)[0][0])
        return -distance if winding.winding_number(question)[0] > 0.5 else distance

    return ask


def igl_points(surface: Surface) -> AskPoints:
    tree, winding, vertices, faces = _igl_trees(surface)

    def ask(points: F64) -> F64:
        questions = np.asfortranarray(points)
        distance: F64 = np.sqrt(tree.squared_distance(vertices, faces, questions)[0])
        return np.where(winding.winding_number(questions) > 0.5, -distance, distance)

    return ask


def _warp_mesh(surface: Surface) -> tuple[Any, Any]:
    """The mesh, and the module with the kernels: Warp reads their source from a file, so they stand in one of their own."""
    import warp

    from proximity_parts import warp_kernels

    warp.config.log_level = 40  # errors only
    points = warp.array(surface.vertices_mm.astype(np.float32), dtype=warp.vec3, device="cpu")
    indices = warp.array(surface.faces.ravel(), dtype=int, device="cpu")
    return warp.Mesh(points=points, indices=indices, bvh_constructor="sah"), warp_kernels


def warp_point(surface: Surface, kernel: str) -> AskPoint:
    """One recorded launch, its question and answer in arrays that NumPy sees."""
    import warp

    mesh, kernels = _warp_mesh(surface)
    places, answers = warp.zeros(1, dtype=warp.vec3, device="cpu"), warp.zeros(1, dtype=float, device="cpu")
    question, answer = places.numpy(), answers.numpy()
    launch = warp.launch(getattr(kernels, kernel), dim=1, inputs=[mesh.id, places, answers, FAR_MM], device="cpu", record_cmd=True).launch

    def ask(x: float, y: float, z: float, kept: Any = mesh) -> float:
        question[0, 0] = x
        question[0, 1] = y
        question[0, 2] = z
        launch()
        return float(answer[0])

    return ask


def warp_points(surface: Surface, kernel: str) -> AskPoints:
    import warp

    mesh, kernels = _warp_mesh(surface)

    def ask(points: F64) -> F64:
        places = warp.array(points.astype(np.float32), dtype=warp.vec3, device="cpu")
        answers = warp.zeros(len(points), dtype=float, device="cpu")
        warp.launch(getattr(kernels, kernel), dim=len(points), inputs=[mesh.id, places, answers, FAR_MM], device="cpu")
        array: F64 = answers.numpy()
        return array

    return ask


#: One at a time; the sign of `warp, parity` is from rays, of `warp, normal` from pseudonormals.
POINT: dict[str, Callable[[Surface], AskPoint]] = {
    "VTK": vtk_point,
    "VTK static locator": vtk_locator_point,
    "Open3D": open3d_point,
    "libigl": igl_point,
    "warp, normal": lambda surface: warp_point(surface, "signed_by_normal"),
    "warp, parity": lambda surface: warp_point(surface, "signed_by_parity"),
}
#: Many at once.
POINTS: dict[str, Callable[[Surface], AskPoints]] = {
    "Open3D": open3d_points,
    "libigl": igl_points,
    "warp, normal": lambda surface: warp_points(surface, "signed_by_normal"),
}
