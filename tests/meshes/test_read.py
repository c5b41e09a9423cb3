"""Mesh files of other programs: read where they are sound and state their axes, refused by name where they are cut, damaged or hostile."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.meshes.read import read_mesh, read_raw
from navtwin.scene.surface import Surface
from tests.kernels import meshes
from tests.meshes.files import CUBE, QUADS, ascii_stl, obj, ply, stl, vtk, vtp

POINTS, FACES = CUBE
MIXED = [*QUADS[:3], *(t for a, b, c, d in QUADS[3:] for t in ((a, b, c), (a, c, d)))]
FIELD = "FIELD FieldData 2\nother 1 3 float\n1 2 3\nMETADATA\nINFORMATION 0\n\nSPACE 1 1 string\n{}\n"


@pytest.mark.parametrize(
    "data",
    [
        ply(*CUBE),
        ply(*CUBE, kind="binary_little_endian"),
        ply(*CUBE, kind="ascii"),
        ply(POINTS, QUADS, kind="ascii"),
        ply(POINTS, MIXED),
        ply(POINTS, MIXED, kind="ascii"),
        stl(*CUBE),
        stl(*CUBE, b"solid but binary"),
        ascii_stl(*CUBE),
        ascii_stl(*CUBE).upper(),
        obj(*CUBE),
        obj(POINTS, MIXED),
        obj(*CUBE).replace(b"\n", b"\r\n"),
        obj(POINTS, QUADS).replace(b" ", b" \\\n "),
        obj(POINTS, QUADS - 8 - 1),
        vtk(*CUBE),
        vtk(POINTS, MIXED),
        vtk(POINTS, MIXED, binary=True),
        vtk(*CUBE).replace(b"\n", b"\r\n"),
        vtp(*CUBE),
        vtp(POINTS, QUADS),
    ],
)
def test_other_peoples_files_are_read_in_the_axes_one_states(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "no ending tells"
    path.write_bytes(data)
    with pytest.raises(InputRefused, match="--space"):
        Surface.read(path)
    lps, ras = Surface.read(path, space="LPS"), Surface.read(path, space="RAS")
    for surface in (lps, ras):
        assert surface.sign_is_trusted and surface.volume_mm3 == pytest.approx(48.0)
        assert len(surface.vertices_mm) == 8 and len(surface.faces) == 12
    assert sorted(map(tuple, ras.vertices_mm)) == sorted(map(tuple, lps.vertices_mm * (-1, -1, 1)))


@pytest.mark.parametrize(
    "data",
    [
        ply(*CUBE, comment="comment SPACE=RAS\n"),
        ply(*CUBE, comment="comment COLORSPACE=sRGB\ncomment 3D Slicer output. SPACE=RAS\n"),
        stl(*CUBE, b"x SPACE=RAS"),
        ascii_stl(*CUBE, "x SPACE=RAS"),
        obj(*CUBE, comment="# 3D Slicer output. SPACE=RAS"),
        vtk(*CUBE, title="3D Slicer output. SPACE=RAS"),
        vtk(*CUBE, field=FIELD.format("RAS")),
        vtk(*CUBE, binary=True, field="FIELD FieldData 1\nSPACE 1 1 string\n\xc3RAS\n").replace(b"\xc3\x83", b"\xc3"),
        vtp(*CUBE, space="RAS"),
    ],
)
def test_stated_axes_are_used(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)
    vertices, _ = read_mesh(path)
    assert sorted(map(tuple, vertices)) == sorted(map(tuple, POINTS * (-1, -1, 1)))
    with pytest.raises(InputRefused, match="states RAS"):
        Surface.read(path, space="LPS")


@pytest.mark.parametrize(("lines", "says"), [("comment SPACE=XYZ\n", "not known"), ("comment SPACE=LPS\ncomment SPACE=RAS\n", "two different axes")])
def test_axes_that_are_no_axes(lines: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    path.write_bytes(ply(*CUBE, comment=lines))
    with pytest.raises(InputRefused, match=says):
        read_mesh(path)


def test_units(tmp_path: Path) -> None:
    path = tmp_path / "a.stl"
    path.write_bytes(stl(POINTS / 1000.0, FACES, b"SPACE=LPS"))
    with pytest.raises(InputRefused, match=r"0\.006 mm if its unit is mm.*--unit m "):
        read_mesh(path)
    np.testing.assert_allclose(np.ptp(read_mesh(path, unit="m")[0], axis=0), [2.0, 4.0, 6.0], rtol=1e-6)
    assert np.ptp(read_mesh(path, unit="mm")[0], axis=0).max() == pytest.approx(0.006)
    path.write_bytes(stl(POINTS * 1000.0, FACES, b"SPACE=LPS"))
    with pytest.raises(InputRefused, match=r"6e\+03 mm"):
        read_mesh(path)
    path.write_bytes(stl(*CUBE, b"probe<stl unit=MM> SPACE=LPS"))
    assert np.ptp(read_mesh(path)[0], axis=0).max() == 6.0
    for unit, says in (("m", "states the unit mm, but"), ("inch", "'inch' is not known")):
        with pytest.raises(InputRefused, match=says):
            read_mesh(path, unit=unit)
    path.write_bytes(stl(*CUBE, b"unit=furlong SPACE=LPS"))
    with pytest.raises(InputRefused, match="'furlong', which is not known"):
        read_mesh(path)


def four_g(data: bytes, old: bytes) -> bytes:
    assert old in data
    return data.replace(old, old.split()[0] + b" " + old.split()[1].replace(b"12", b"4000000000").replace(b"8", b"4000000000"))


PLY, PLY_TEXT, STL, STL_TEXT, OBJ = ply(*CUBE), ply(*CUBE, kind="ascii"), stl(*CUBE), ascii_stl(*CUBE), obj(*CUBE)
VTK, VTK_BINARY, VTP = vtk(*CUBE), vtk(*CUBE, binary=True), vtp(*CUBE)
PENTAGON = np.array([[0.0, 0, 0], [9, 0, 0], [9, 9, 0], [5, 1, 0], [0, 9, 0]])
LAUGHS = '<!DOCTYPE VTKFile [<!ENTITY a "b">]>'


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"hello", "no mesh"),
        (b"\x1f\x8b" + bytes(100), "none of them packed"),
        (PLY[:-1], "claims"),
        (ply(*CUBE, claims=4_000_000_000), "claims"),
        (ply(*CUBE, claims=4_000_000_000, kind="ascii"), "claims"),
        (PLY_TEXT[:-3], "claims"),
        (PLY_TEXT[:-20] + b"x", "no numbers|claims"),
        (ply(POINTS, np.zeros((0, 3), int)), "no triangles"),
        (ply(POINTS, [[0, 1]] * 4), "face 0 has 2 corners"),
        (ply(POINTS, [[0, 1, 99]] * 4), "names vertex 99"),
        (ply(POINTS * np.nan, FACES), "vertex 0 is not finite"),
        (ply(POINTS * 1e12, FACES), "from the origin"),
        (PLY.replace(b"binary_big_endian", b"binary_mid_endian"), "format 'binary_mid_endian'"),
        (PLY.replace(b"property float x", b"property int x"), "float type"),
        (PLY.replace(b"property float x", b"property float y"), "two properties of one name"),
        (PLY.replace(b"element face 12", b"element face -2"), "not PLY"),
        (PLY.replace(b"element face", b"element tristrips"), "not one element 'face'"),
        (PLY.replace(b"vertex_indices", b"something"), "without a list of vertices"),
        (PLY.replace(b"list uchar uint", b"list float uint"), "corners"),
        (PLY.replace(b"end_header", b"end_of_it"), "not a PLY"),
        (PLY_TEXT.replace(b"3 0 1 3", b"3 0 1 3.5"), "without a list of vertices"),
        (STL[:-1], "claims"),
        (STL[:80] + struct.pack("<I", 4_000_000_000) + STL[84:], "claims 200000000084 bytes"),
        (STL[:80] + struct.pack("<I", 0), "no triangles"),
        (STL_TEXT[:-40], "does not end"),
        (STL_TEXT.replace(b"vertex -1.0", b"vertex abc"), "not three numbers"),
        (STL_TEXT.replace(b"vertex -1.0", b"vertex inf"), "not finite"),
        (b"solid x\nendsolid x\n", "no triangles"),
        (stl(POINTS * np.nan, FACES), "not finite"),
        (OBJ.replace(b"f 1/1/1", b"f 0/1/1"), "names three to 4096 vertices, from 1 on"),
        (OBJ.replace(b"f 1/1/1", b"f -9/1/1"), "has no face"),
        (OBJ.replace(b"f 1/1/1", b"f 99/1/1"), "names vertex 98"),
        (OBJ.replace(b"f 1/1/1", b"f " + b"9" * 9999), "has no face"),
        (OBJ.replace(b"f 1/1/1", b"f abc"), "has no face"),
        (OBJ + b"f 1 2\n", "has no face"),
        (OBJ + b"v 1 2\n", "has no vertex"),
        (OBJ + b"v 1 2 nan\n", "not finite"),
        (OBJ + b"curv 0 1\n", "curved surface"),
        (OBJ.replace(b"\nf ", b"\np "), "no triangles"),
        (OBJ + b"v 1 2 3\n" * 9000 + b"hello\n", "is not OBJ: 'hello"),
        (vtk(POINTS, FACES).replace(b"POLYDATA", b"UNSTRUCTURED_GRID"), "VTK UNSTRUCTURED_GRID, not POLYDATA"),
        (VTK[:-6], "claims"),
        (VTK[:-6] + b" " * 9, "numbers of cells where 48 should be"),
        (VTK_BINARY[:-6], "claims"),
        (four_g(VTK, b"POINTS 8"), "claims"),
        (four_g(VTK_BINARY, b"POINTS 8"), "claims"),
        (four_g(VTK, b"POLYGONS 12"), "do not fit"),
        (VTK.replace(b"POLYGONS 12 48", b"POLYGONS 12 4000000000"), "claims"),
        (VTK.replace(b"POINTS 8", b"POINTS -8"), "'-8' where a count should be"),
        (VTK.replace(b"float", b"quad"), "type 'quad'"),
        (VTK.replace(b"POLYGONS", b"POLYGENS"), "not understood: 'POLYGENS"),
        (VTK.replace(b"POLYGONS", b"LINES"), "no triangles"),
        (VTK.replace(b"\n3 0 1 3\n", b"\n4 0 1 3\n"), "do not fit"),
        (VTK.replace(b"\n3 0 1 3\n", b"\n3 0 1 8\n"), "names vertex 8"),
        (VTK.replace(b"\n3 0 1 3\n", b"\n3 0 -1 3\n"), "names vertex -1"),
        (VTK.replace(b"\n3 0 1 3\n", b"\n3 0 1 3.5\n"), "numbers of cells"),
        (VTK.replace(b"-1.0 -2.0 -3.0\n", b"-1.0 nan -3.0\n"), "not finite"),
        (vtk(*CUBE, field="FIELD FieldData 4000000000\n"), "field of 4000000000 arrays"),
        (vtk(*CUBE, field="FIELD FieldData 1\nSPACE 1 4000000000 string\n"), "claims"),
        (vtk(*CUBE, field="x" * 9999 + "\n"), "line of 9999 bytes"),
        (vtp(*CUBE, extra=LAUGHS), "DOCTYPE"),
        (VTP.replace(b'"PolyData" v', b'"ImageData" v'), "VTK ImageData, not PolyData"),
        (VTP[:-9], "not well-formed"),
        (VTP.replace(b'NumberOfPoints="8"', b'NumberOfPoints="4000000000"'), "coordinates where 12000000000 should be"),
        (VTP.replace(b'NumberOfPolys="12"', b'NumberOfPolys="4000000000"'), "12 offsets of cells where"),
        (VTP.replace(b'NumberOfPolys="12"', b'NumberOfPolys="-1"'), "NumberOfPolys='-1'"),
        (VTP.replace(b'NumberOfPolys="12"', b'NumberOfPolys="0"'), "no triangles"),
        (VTP.replace(b">3 6 9", b">6 3 9"), "do not fit"),
        (VTP.replace(b">0 1 3", b">0 1 8"), "outside 0 .. 7"),
        (VTP.replace(b">-1.0", b">nan"), "not finite"),
        (VTP.replace(b"Float32", b"Float16"), "'Float16', which is not known"),
        (VTP.replace(b'format="ascii"', b'format="binary"'), "not base64|claims"),
        (VTP.replace(b'format="ascii"', b'format="appended" offset="10"'), "of 0 appended bytes"),
        (VTP.replace(b"<VTKFile", b'<VTKFile compressor="vtkLZ4DataCompressor"'), "is packed by .vtkLZ4DataCompressor"),
        (obj(PENTAGON, [[0, 1, 2, 3, 4]]), "face 0 has 5 corners and is not flat and convex"),
        (obj(PENTAGON * (1, 1, 0) + [[0, 0, 0], [0, 0, 0], [0, 0, 5], [0, 0, 0], [0, 0, 0]], [[0, 1, 2, 4, 3]]), "not flat and convex"),
        (obj(PENTAGON, [[0, 1, 4, 2]]), "crosses itself"),
    ],
)
def test_damaged_and_hostile_files_are_refused(data: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)
    with pytest.raises(InputRefused, match=says) as refused:
        Surface.read(path, space="LPS")
    assert "\n" not in str(refused.value) and str(path) in str(refused.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="there is no file"):
        Surface.read(tmp_path / "none.ply")
    with pytest.raises(InputRefused, match="is a folder"):
        Surface.read(tmp_path)
    path = tmp_path / "a.ply"
    path.write_bytes(PLY)
    with pytest.raises(InputRefused, match="not known"):
        Surface.read(path, space="ijk")


def test_quadrilaterals_keep_their_shape(tmp_path: Path) -> None:
    """A dart has one diagonal that lies inside it; a warped one is split along the shorter."""
    dart = np.array([[0.0, 0, 0], [10, 5, 0], [0, 10, 0], [4, 5, 0]])
    for turn in range(4):
        path = tmp_path / "a.obj"
        path.write_bytes(obj(dart, [np.roll(range(4), turn)]))
        mesh = read_raw(path)
        a, b, c = (mesh.vertices[mesh.faces[:, k]] for k in range(3))
        areas = np.cross(b - a, c - a)[:, 2] / 2.0
        assert (areas > 0).all() and areas.sum() == pytest.approx(30.0)
    rhomb = np.array([[0.0, 0, 0], [10, -2, 1], [20, 0, 0], [10, 2, 1]])
    path.write_bytes(obj(rhomb, [[0, 1, 2, 3]]))
    assert sorted(map(sorted, read_raw(path).faces.tolist())) == [[0, 1, 3], [1, 2, 3]]


def test_a_flat_polygon_becomes_a_fan(tmp_path: Path) -> None:
    turn = np.arange(12) * np.pi / 6.0
    ring = np.stack([10 * np.cos(turn), 10 * np.sin(turn), np.full(12, 3.0)], axis=1)
    path = tmp_path / "a.obj"
    path.write_bytes(obj(ring, [range(12)]))
    mesh = read_raw(path)
    assert mesh.faces.tolist() == [[0, k, k + 1] for k in range(1, 11)]
    assert mesh.notes == ("1 faces of more than three corners were split into triangles.",)


def test_strips_are_taken_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.vtk"
    path.write_bytes(vtk(POINTS, [[0, 1, 2, 3], [0, 1, 1, 2, 3, 4]], kind="TRIANGLE_STRIPS"))
    assert read_raw(path).faces.tolist() == [[0, 1, 2], [2, 1, 3], [1, 2, 3], [3, 2, 4]]


def test_a_large_surface_of_stl_becomes_one_of_shared_vertices(tmp_path: Path) -> None:
    vertices, faces = meshes.sphere(20.0, 5)
    path = tmp_path / "a.stl"
    path.write_bytes(stl(vertices.astype(np.float32).astype(float), faces, b"SPACE=LPS"))
    found, corners = read_mesh(path)
    assert len(found) == len(vertices) and (found[corners] == vertices[faces].astype(np.float32)).all()
