"""What others say of the same meshes: VTK, coal, FCL. They share no line with us and none with the oracles."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from navtwin import Rigid, Surface
from tests.oracles import queries, shapes

SOLIDS = ("sphere", "turned torus", "globe", "cut box", "hollow")


def surface_of(shape: shapes.Shape) -> Surface:
    return Surface.from_arrays(shape.vertices, shape.faces)


def poly_data(shape: shapes.Shape) -> object:
    from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    points, cells, data = vtkPoints(), vtkCellArray(), vtkPolyData()
    points.SetData(numpy_to_vtk(shape.vertices, deep=True))
    rows = np.hstack([np.full((len(shape.faces), 1), 3), shape.faces]).astype(np.int64)
    cells.SetCells(len(rows), numpy_to_vtkIdTypeArray(rows.ravel(), deep=True))
    data.SetPoints(points)
    data.SetPolys(cells)
    return data


@pytest.mark.parametrize("kind", SOLIDS)
def test_vtk_agrees_on_the_signed_distance(kind: str) -> None:
    """Its sign fails now and then where a vertex or edge is nearest (its pseudonormals weigh all faces alike): asked where the nearest is no edge."""
    pytest.importorskip("vtkmodules", reason="VTK is not installed")
    from vtkmodules.vtkFiltersCore import vtkImplicitPolyDataDistance

    shape = shapes.KINDS[kind]()
    peer = vtkImplicitPolyDataDistance()
    peer.SetInput(poly_data(shape))
    asked = queries.around(shape, 300, np.random.default_rng(0))
    theirs, ours = np.array([peer.EvaluateFunction(p) for p in asked]), surface_of(shape).closest(asked)
    np.testing.assert_allclose(np.abs(ours.distance_mm), np.abs(theirs), rtol=0, atol=1e-6)
    a, b, c = shape.vertices[shape.faces[ours.face]].swapaxes(0, 1)
    normal = np.cross(b - a, c - a)
    height = np.abs(((asked - a) * normal).sum(axis=1)) / np.linalg.norm(normal, axis=1)
    above_a_face = np.abs(height - np.abs(ours.distance_mm)) < 1e-9
    assert above_a_face.sum() > 30
    assert (np.sign(ours.distance_mm) == np.sign(theirs))[above_a_face].all()


@pytest.mark.parametrize("kind", ["sphere", "soup", "needles", "hemisphere"])
def test_a_vtk_cell_locator_agrees_on_the_nearest_point(kind: str) -> None:
    pytest.importorskip("vtkmodules", reason="VTK is not installed")
    from vtkmodules.vtkCommonCore import mutable
    from vtkmodules.vtkCommonDataModel import vtkGenericCell, vtkStaticCellLocator

    shape = shapes.KINDS[kind]()
    locator, cell = vtkStaticCellLocator(), vtkGenericCell()
    locator.SetDataSet(poly_data(shape))
    locator.BuildLocator()
    asked = queries.around(shape, 300, np.random.default_rng(1))
    ours = surface_of(shape).closest(asked)
    for k, p in enumerate(asked):
        point, squared = [0.0, 0.0, 0.0], mutable(0.0)
        locator.FindClosestPoint(p.tolist(), point, cell, mutable(0), mutable(0), squared)
        assert abs(ours.distance_mm[k]) <= float(squared) ** 0.5 + 1e-9
        assert abs(ours.distance_mm[k]) == pytest.approx(float(squared) ** 0.5, abs=1e-6)


def installed(name: str) -> ModuleType:
    return pytest.importorskip(name, reason=f"{name} is not installed (it is one of the peers of the benchmarks)")


def placed(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return Rotation.random(random_state=seed).as_matrix(), rng.normal(0, 1, 3) * 60.0


PAIRS = [("torus", "sphere", seed) for seed in range(6)] + [("globe", "plate", seed) for seed in range(6, 12)]


@pytest.mark.parametrize(("one", "other", "seed"), PAIRS)
def test_fcl_agrees_on_two_surfaces(one: str, other: str, seed: int) -> None:
    fcl = installed("fcl")
    mine, theirs, (R, t) = shapes.KINDS[one](), shapes.KINDS[other](), placed(seed)
    objects = []
    for shape, transform in ((mine, fcl.Transform()), (theirs, fcl.Transform(R, t))):
        model = fcl.BVHModel()
        model.beginModel(len(shape.vertices), len(shape.faces))
        model.addSubModel(shape.vertices, shape.faces)
        model.endModel()
        objects.append(fcl.CollisionObject(model, transform))
    result = fcl.DistanceResult()
    said = fcl.distance(*objects, fcl.DistanceRequest(enable_nearest_points=True), result)
    compare(mine, theirs, R, t, said)


@pytest.mark.parametrize(("one", "other", "seed"), PAIRS)
def test_coal_agrees_on_two_surfaces(one: str, other: str, seed: int) -> None:
    coal = installed("coal")
    mine, theirs, (R, t) = shapes.KINDS[one](), shapes.KINDS[other](), placed(seed)
    models = []
    for shape in (mine, theirs):
        model = coal.BVHModelOBBRSS()
        model.beginModel(len(shape.faces), len(shape.vertices))
        model.addVertices(shape.vertices)
        model.addTriangles(shape.faces.astype(np.int64))
        model.endModel()
        models.append(model)
    result = coal.DistanceResult()
    coal.distance(models[0], coal.Transform3s(), models[1], coal.Transform3s(R, t), coal.DistanceRequest(), result)
    compare(mine, theirs, R, t, result.min_distance)


def compare(mine: shapes.Shape, theirs: shapes.Shape, R: np.ndarray, t: np.ndarray, said: float) -> None:
    """Meeting is -1 or 0 to them; they see shells, so one inside the other is apart to them and not asked."""
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = R, t
    got = surface_of(mine).closest_to_surface(surface_of(theirs), Rigid.from_matrix(T, target="ct", source="tip/drill"))
    if got.intersects:
        assert said <= 1e-9 or surface_of(mine).closest(theirs.vertices @ R.T + t).distance_mm.max() < 0.0
    else:
        assert got.distance_mm == pytest.approx(said, abs=1e-6)
