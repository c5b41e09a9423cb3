"""What we write comes back: to the bit, or to float32 in binary STL; and VTK and trimesh read the same from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from navtwin.errors import InputRefused
from navtwin.meshes.axes import Space
from navtwin.meshes.read import read_mesh, read_raw
from navtwin.meshes.stl import rounding_mm
from navtwin.meshes.write import write_mesh
from navtwin.scene.surface import Surface
from tests.kernels import meshes

EXACT = [(".ply", False), (".ply", True), (".obj", True), (".vtk", False), (".vtk", True), (".vtp", False)]
COORDINATES = st.floats(-1e5, 1e5, allow_subnormal=True)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("meshes")


@pytest.mark.parametrize(("ending", "text"), EXACT)
@settings(max_examples=15, deadline=None)
@given(data=st.data(), space=st.sampled_from(["LPS", "RAS"]))
def test_values_come_back_to_the_bit(ending: str, text: bool, scratch: Path, data: st.DataObject, space: Space) -> None:
    vertices = data.draw(arrays(np.float64, st.tuples(st.integers(3, 9), st.just(3)), elements=COORDINATES))
    faces = data.draw(arrays(np.int64, st.tuples(st.integers(1, 9), st.just(3)), elements=st.integers(0, len(vertices) - 1)))
    path = scratch / f"a{ending}"
    write_mesh(path, vertices, faces, space, text=text)
    again, corners = read_mesh(path)
    assert again.tobytes() == vertices.tobytes() and (corners == faces).all()
    stated = read_raw(path).stated
    assert (stated.space, stated.unit) == (space, "mm")


@pytest.mark.parametrize("text", [False, True])
@settings(max_examples=15, deadline=None)
@given(corners=arrays(np.float64, st.tuples(st.integers(1, 9), st.just(3), st.just(3)), elements=COORDINATES))
def test_stl_comes_back_as_triangles(text: bool, scratch: Path, corners: np.ndarray) -> None:
    path = scratch / "a.stl"
    vertices, faces = corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3)
    write_mesh(path, vertices, faces, text=text)
    again, index = read_mesh(path)
    assert (again[index] == (corners if text else corners.astype(np.float32))).all()
    assert np.abs(again[index] - corners).max() == (0.0 if text else rounding_mm(vertices))
    assert len(np.unique(again, axis=0)) == len(again)


def by_vtk(path: Path) -> tuple[np.ndarray, np.ndarray]:
    from vtkmodules import vtkIOGeometry, vtkIOLegacy, vtkIOPLY, vtkIOXML
    from vtkmodules.util.numpy_support import vtk_to_numpy

    reader = {
        ".stl": vtkIOGeometry.vtkSTLReader, ".obj": vtkIOGeometry.vtkOBJReader, ".ply": vtkIOPLY.vtkPLYReader,
        ".vtk": vtkIOLegacy.vtkPolyDataReader, ".vtp": vtkIOXML.vtkXMLPolyDataReader,
    }[path.suffix]()  # fmt: skip
    reader.SetFileName(str(path))
    reader.Update()
    mesh = reader.GetOutput()
    said = mesh.GetFieldData().GetAbstractArray("SPACE").GetValue(0) if path.suffix == ".vtp" else None
    said = said or (
        " ".join(reader.GetComments().GetValue(n) for n in range(reader.GetComments().GetNumberOfValues())) if path.suffix == ".ply" else ""
    )
    said = said or (reader.GetComment() if path.suffix == ".obj" else "") or (reader.GetHeader() if path.suffix in (".stl", ".vtk") else "")
    assert "LPS" in said, said
    return vtk_to_numpy(mesh.GetPoints().GetData()), vtk_to_numpy(mesh.GetPolys().GetConnectivityArray()).reshape(-1, 3)


def by_trimesh(path: Path) -> tuple[np.ndarray, np.ndarray]:
    import trimesh

    mesh = trimesh.load_mesh(path, process=False)
    return np.asarray(mesh.vertices), np.asarray(mesh.faces)


@pytest.mark.parametrize("referee", [by_vtk, by_trimesh])
@pytest.mark.parametrize(("ending", "text"), [*EXACT, (".stl", False), (".stl", True)])
def test_other_programs_read_the_same(ending: str, text: bool, referee: object, tmp_path: Path) -> None:
    if referee is by_trimesh and ending in (".vtk", ".vtp"):
        pytest.skip("trimesh does not read VTK files")
    vertices, faces = meshes.torus(nu=24, nv=16)
    vertices = vertices + np.pi
    path = tmp_path / f"a{ending}"
    write_mesh(path, vertices, faces, text=text)
    theirs, corners = referee(path)  # type: ignore[operator]
    # VTK keeps coordinates of these formats in float32; the legacy and XML ones keep double.
    within = 0.0 if ending in (".vtk", ".vtp") or (referee is by_trimesh and ending != ".stl") else 4e-6
    np.testing.assert_allclose(theirs[corners], vertices[faces], rtol=0, atol=within)


@pytest.mark.parametrize("mode", ["Ascii", "Binary", "Appended"])
@pytest.mark.parametrize("packer", ["None", "ZLib"])
@pytest.mark.parametrize("wide", [False, True])
def test_vtps_that_vtk_writes_are_read(mode: str, packer: str, wide: bool, tmp_path: Path) -> None:
    """Several blocks each, appended data raw and as base64, lengths of 32 and 64 bits."""
    import pyvista as pv
    from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

    vertices, faces = meshes.sphere(20.0, 5)
    mesh = pv.PolyData.from_regular_faces(vertices.astype(np.float32 if wide else np.float64), faces)
    mesh.field_data["SPACE"] = ["RAS"]
    mesh.point_data["colour"] = np.zeros((len(vertices), 3), np.uint8)
    writer = vtkXMLPolyDataWriter()
    path = tmp_path / "a.vtp"
    writer.SetFileName(str(path))
    writer.SetInputData(mesh)
    getattr(writer, f"SetDataModeTo{mode}")()
    getattr(writer, f"SetCompressorTypeTo{packer}")()
    writer.SetEncodeAppendedData(wide)
    (writer.SetHeaderTypeToUInt64 if wide else writer.SetHeaderTypeToUInt32)()
    writer.Write()
    again, corners = read_mesh(path)
    assert (corners == faces).all()
    np.testing.assert_allclose(again, vertices * (-1, -1, 1), rtol=0, atol=1e-5 if wide else 0.0 if mode != "Ascii" else 1e-12)


@pytest.mark.parametrize("version", [42, 51])
@pytest.mark.parametrize("binary", [False, True])
def test_legacy_files_that_vtk_writes_are_read(version: int, binary: bool, tmp_path: Path) -> None:
    import pyvista as pv
    from vtkmodules.vtkIOLegacy import vtkPolyDataWriter

    vertices, faces = meshes.torus(nu=12, nv=9)
    mesh = pv.PolyData.from_regular_faces(vertices, faces)
    mesh.field_data["SPACE"] = ["LPS"]
    mesh.field_data["made"] = np.arange(4.0)
    writer = vtkPolyDataWriter()
    path = tmp_path / "a.vtk"
    writer.SetFileName(str(path))
    writer.SetInputData(mesh)
    writer.SetFileType(2 if binary else 1)
    writer.SetFileVersion(version)
    writer.Write()
    again, corners = read_mesh(path)
    assert (corners == faces).all()
    np.testing.assert_allclose(again, vertices, rtol=0, atol=0.0 if binary else 1e-4)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    surface = Surface.from_arrays(*meshes.sphere(20.0, 1))
    (tmp_path / "bone.ply").mkdir()
    with pytest.raises(InputRefused, match=r"cannot write .*bone\.ply"):
        surface.write(tmp_path / "bone.ply")
    with pytest.raises(InputRefused, match=r"End the name with one of \.stl"):
        surface.write(tmp_path / "bone.dcm")
    with pytest.raises(InputRefused, match="'XYZ' is not known"):
        write_mesh(tmp_path / "a.ply", surface.vertices_mm, surface.faces, "XYZ")  # type: ignore[arg-type]
    assert [p.name for p in tmp_path.iterdir()] == ["bone.ply"]


def test_a_surface_comes_back_whatever_its_size(tmp_path: Path) -> None:
    """It states its unit, so that its size is not doubted."""
    rng = np.random.default_rng(0)
    surface = Surface.from_arrays(rng.normal(size=(50, 3)) * 1e3 + np.pi, rng.integers(0, 50, (90, 3)))
    for scale in (1.0, 1e-6):
        small = Surface.from_arrays(surface.vertices_mm * scale, surface.faces)
        small.write(tmp_path / "bone.ply")
        again = Surface.read(tmp_path / "bone.ply")
        assert (again.vertices_mm == small.vertices_mm).all() and (again.faces == small.faces).all()
    with pytest.raises(InputRefused, match="states LPS axes"):
        Surface.read(tmp_path / "bone.ply", space="RAS")
