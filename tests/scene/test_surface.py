from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from navtwin import kernels
from navtwin.errors import InputRefused
from navtwin.rigid import Rigid
from navtwin.scene.surface import Surface, pack_forest
from tests.kernels import meshes


def ball(radius: float = 20.0, depth: int = 3) -> Surface:
    return Surface.from_arrays(*meshes.sphere(radius, depth))


def moved(x: float, y: float = 0.0, z: float = 0.0) -> Rigid:
    T = np.eye(4)
    T[:3, 3] = x, y, z
    return Rigid.from_matrix(T, target="ct", source="tip/drill")


@pytest.mark.parametrize(
    ("vertices", "faces", "says"),
    [
        (np.zeros((0, 3)), np.zeros((0, 3), int), "no faces"),
        (np.eye(3), np.zeros((0, 3), int), "no faces"),
        (np.zeros((3, 2)), [[0, 1, 2]], "not \\(V, 3\\)"),
        (np.eye(3), [[0, 1, 2, 0]], "not \\(F, 3\\)"),
        (np.eye(3), [[0.0, 1.0, 2.0]], "integers"),
        (np.eye(3), [[0, 1, 3]], "face 0 names a vertex outside 0 .. 2"),
        (np.eye(3), [[0, 1, 2], [0, -1, 2]], "face 1"),
        (np.array([[0, 0, 0], [1, np.nan, 0], [0, 1, 0]]), [[0, 1, 2]], "vertex 1 is not finite"),
        (np.array([[0, 0, 0], [1, np.inf, 0], [0, 1, 0]]), [[0, 1, 2]], "vertex 1 is not finite"),
        (np.eye(3) * 1e7, [[0, 1, 2]], "mm from the origin"),
    ],
)
def test_what_is_no_surface_is_refused_by_name(vertices: np.ndarray, faces: object, says: str) -> None:
    with pytest.raises(InputRefused, match=says):
        Surface.from_arrays(vertices, faces)


def test_arrays_are_copied_and_read_only() -> None:
    vertices, faces = meshes.sphere(depth=1)
    surface = Surface.from_arrays(vertices, faces)
    vertices[:] = 0.0
    assert np.abs(surface.vertices_mm).max() == 20.0
    for array in (surface.vertices_mm, surface.faces, surface.bounds_mm):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


def test_what_a_surface_knows_of_itself() -> None:
    surface = Surface.from_arrays(*meshes.box((1.0, 2.0, 3.0)))
    assert surface.volume_mm3 == pytest.approx(48.0)
    assert surface.is_watertight and surface.normals_are_outward and surface.sign_is_trusted
    assert surface.bounds_mm.tolist() == [[-1, -2, -3], [1, 2, 3]]
    inverted = Surface.from_arrays(surface.vertices_mm, surface.faces[:, ::-1])
    assert inverted.is_watertight and not inverted.normals_are_outward and not inverted.sign_is_trusted
    opened = Surface.from_arrays(surface.vertices_mm, surface.faces[1:])
    assert not opened.is_watertight and not opened.sign_is_trusted


def test_closest_points() -> None:
    surface = Surface.from_arrays(*meshes.box((1.0, 2.0, 3.0)))
    closest = surface.closest([[5, 0, 0], [0.5, 0, 0], [np.nan, 0, 0]])
    assert closest.distance_mm[:2].tolist() == [4.0, -0.5]
    assert closest.point_mm[:2].tolist() == [[1, 0, 0], [1, 0, 0]]
    assert np.isnan(closest.distance_mm[2]) and closest.face[2] == -1
    assert surface.closest(np.zeros(3)).distance_mm.tolist() == [-1.0]
    assert surface.closest(np.zeros((0, 3))).distance_mm.shape == (0,)
    with pytest.raises(InputRefused, match="not \\(N, 3\\)"):
        surface.closest(np.zeros((4, 2)))


def test_closest_to_a_capsule() -> None:
    surface = Surface.from_arrays(*meshes.box((1.0, 2.0, 3.0)))
    shaft = surface.closest_to_capsule([5, 0, 0], [9, 0, 0], 1.5)
    assert (shaft.distance_mm, shaft.depth_is_bound) == (2.5, False)
    assert (shaft.point_mm.tolist(), shaft.axis_point_mm.tolist()) == ([1, 0, 0], [5, 0, 0])
    assert surface.closest_to_capsule([-9, 0.5, 0], [9, 0, 0], 1.5).depth_is_bound
    unknown = surface.closest_to_capsule([np.nan, 0, 0], [9, 0, 0], 1.5)
    assert np.isnan(unknown.distance_mm) and unknown.face == -1
    with pytest.raises(InputRefused, match="adius_mm"):
        surface.closest_to_capsule([5, 0, 0], [9, 0, 0], -1.0)


def test_closest_to_a_surface_apart_crossing_and_inside() -> None:
    big, small = ball(20.0, 4), ball(5.0, 2)
    apart = big.closest_to_surface(small, moved(40.0))
    assert apart.distance_mm == pytest.approx(15.0) and not apart.intersects
    assert apart.point_mm == pytest.approx([20, 0, 0]) and apart.other_point_mm == pytest.approx([35, 0, 0])
    for offset in (22.0, 3.0, 0.0):
        met = big.closest_to_surface(small, moved(offset))
        assert met.intersects and met.distance_mm == 0.0
    around = small.closest_to_surface(big, moved(3.0))
    assert around.intersects and around.distance_mm == 0.0


def test_a_part_inside_is_found_though_another_is_nearer() -> None:
    vertices, faces = meshes.sphere(2.0, 2)
    two = Surface.from_arrays(np.concatenate([vertices, vertices + np.array([23.0, 0, 0])]), np.concatenate([faces, faces + len(vertices)]))
    assert ball(20.0, 4).closest_to_surface(two, moved(0.0)).intersects
    assert not ball(20.0, 4).closest_to_surface(two, moved(23.0)).intersects


def test_first_hit() -> None:
    hits = Surface.from_arrays(*meshes.box((1.0, 2.0, 3.0))).first_hit([[9, 0, 0.5], [9, 0, 0.5]], [[-2, 0, 0], [1, 0, 0]])
    assert hits.distance_mm.tolist() == [8.0, np.inf]
    assert hits.face[1] == -1


def test_a_forest_of_surfaces() -> None:
    forest = pack_forest([ball(), Surface.from_arrays(*meshes.box())])
    assert kernels.capsule(forest, 1, 0.0, 0.0, 9.0, 0.0, 0.0, 9.0, 1.0, -1, np.inf, kernels.workspace()).distance == 5.0
    with pytest.raises(InputRefused, match="no surface"):
        pack_forest([])


def test_real_anatomy_is_read(tmp_path: Path) -> None:
    """A real vertebra, by way of VTK: our distances against vtkImplicitPolyDataDistance."""
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "anatomy" / "head_neck_atlas" / "models"
    if not (folder / "Model_12_axis.vtk").exists():
        pytest.skip("the shared anatomy is not on this machine")
    import pyvista as pv
    from vtkmodules.vtkFiltersCore import vtkImplicitPolyDataDistance

    mesh = pv.read(folder / "Model_12_axis.vtk").triangulate().clean()
    surface = Surface.from_arrays(mesh.points, mesh.faces.reshape(-1, 4)[:, 1:])
    peer = vtkImplicitPolyDataDistance()
    peer.SetInput(pv.PolyData(surface.vertices_mm, mesh.faces))
    low, high = surface.bounds_mm
    points = np.random.default_rng(0).uniform(low - 20, high + 20, (500, 3))
    theirs = np.array([peer.EvaluateFunction(p) for p in points])
    np.testing.assert_allclose(np.abs(surface.closest(points).distance_mm), np.abs(theirs), rtol=0, atol=1e-4)


@pytest.mark.heavy
def test_the_core_starts_without_heavy_libraries() -> None:
    code = "import sys, navtwin.scene.surface; print(*sys.modules)"
    loaded = set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())
    assert not loaded & {"vtk", "vtkmodules", "pyvista", "trimesh", "matplotlib", "PySide6"}
