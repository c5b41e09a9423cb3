"""Mesh files at the door: known by content, told of in plain words, added to a case, written from one."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.files.formats import HEAD_BYTES, Format, Options, Peek
from navtwin.meshes.axes import Stated
from navtwin.meshes.formats import FORMATS
from navtwin.meshes.read import read_mesh, read_raw
from navtwin.meshes.write import write_mesh
from navtwin.scene.case import load_scene
from tests.kernels import meshes
from tests.meshes.conftest import MIDDLE
from tests.meshes.files import CUBE, QUADS, ascii_stl, obj, ply, stl, vtk, vtp
from tests.meshes.test_report import DATA, REAL

BALL, FACES = meshes.sphere(5.0, 2)
NAMES = {"stl": "STL surface", "ply": "PLY surface", "obj": "OBJ surface", "vtk": "VTK surface (legacy)", "vtp": "VTP surface"}


def quiet(text: str) -> None:
    """Nobody listens."""


def claimants(path: Path) -> list[str]:
    data = path.read_bytes()
    peek = Peek(path, data[:HEAD_BYTES], packed=data[:2] == b"\x1f\x8b", is_folder=False)
    return [one.name for one in FORMATS if one.recognise(peek)]


def of(path: Path) -> Format:
    (name,) = claimants(path)
    return next(one for one in FORMATS if one.name == name)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (ply(*CUBE), "ply"),
        (ply(*CUBE, kind="ascii").replace(b"\n", b"\r\n"), "ply"),
        (stl(*CUBE), "stl"),
        (stl(*CUBE, b"solid, says the header"), "stl"),
        (stl(*CUBE)[:-1], "stl"),
        (stl(*CUBE)[:80] + struct.pack("<I", 4_000_000_000) + stl(*CUBE)[84:], "stl"),
        (ascii_stl(*CUBE), "stl"),
        (b"solid x\nendsolid x\n", "stl"),
        (obj(*CUBE), "obj"),
        (obj(CUBE[0], QUADS) + b"# " + b"x" * HEAD_BYTES, "obj"),
        (vtk(*CUBE), "vtk"),
        (vtk(*CUBE, binary=True), "vtk"),
        (vtp(*CUBE), "vtp"),
        (vtp(*CUBE, extra="<!-- <x> --><!DOCTYPE VTKFile [<!ENTITY a 'b'>]>"), "vtp"),
        (b"", None),
        (b"\n\n", None),
        (b"# only a comment\n", None),
        (b"solid ground\n", None),
        (b"# Markups fiducial file version = 5.0\n", None),
        (b"v 1 2\n", None),
        (b"v 1 2 3\nhello\n", None),
        (b"vertex,1,2,3\n", None),
        (b"<?xml version='1.0'?><PlusConfiguration><!-- <VTKFile --></PlusConfiguration>", None),
        (b"#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\n", None),
        (bytes(500), None),
        (bytes(128) + b"DICM" + bytes(500), None),
        (bytes(range(256)) * 40, None),
    ],
)
def test_each_file_is_of_one_format_or_of_none(data: bytes, kind: str | None, tmp_path: Path) -> None:
    path = tmp_path / "x.dat"
    path.write_bytes(data)
    assert claimants(path) == ([NAMES[kind]] if kind else [])


@pytest.mark.skipif(not REAL, reason="the shared data is not here")
def test_real_files_are_claimed_only_where_they_are_meshes() -> None:
    for path in sorted(p for p in DATA.rglob("*") if p.is_file()):
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
        found = [one.name for one in FORMATS if one.recognise(Peek(path, head, packed=head[:2] == b"\x1f\x8b", is_folder=False))]
        assert found == ([NAMES[path.suffix[1:]]] if path in REAL else []), path


def test_what_a_file_is_told_to_be(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(obj(CUBE[0], QUADS[1:]))
    told = of(path).inspect(path, Options())
    facts = dict(told.facts)
    assert told.kind == "OBJ surface" and facts["axes"] == "not stated" and facts["unit"] == "not stated; taken for mm"
    assert (facts["triangles"], facts["size"], facts["closed"]) == ("10 between 8 places", "2 x 4 x 6 mm", "no: see below")
    text = " ".join(told.doubts)
    assert facts["reading it"] == "5 faces of more than three corners were split into triangles."
    assert "--space LPS" in text and "4 edges are open, around 1 hole" in text
    path.write_bytes(stl(CUBE[0] / 1000.0, CUBE[1], b"SPACE=RAS"))
    told = of(path).inspect(path, Options(unit="m"))
    facts = dict(told.facts)
    assert (facts["axes"], facts["unit"], facts["size"]) == ("RAS (stated)", "m (as passed)", "2 x 4 x 6 mm") and told.doubts == ()
    assert facts["closed"] == "yes" and facts["volume"] == "48 mm3"
    assert "--unit m if it is in metres" in of(path).inspect(path, Options()).doubts[0]
    with pytest.raises(InputRefused, match="states RAS axes"):
        of(path).inspect(path, Options(space="LPS"))


@pytest.mark.parametrize("kind", NAMES)
def test_a_structure_comes_in_and_goes_out(kind: str, case: Path, tmp_path: Path) -> None:
    path, back = tmp_path / f"in.{kind}", tmp_path / f"out.{kind}"
    write_mesh(path, BALL + MIDDLE, FACES, "RAS")
    said = of(path).brings["case"](path, case, Options(name="tumour", role="critical", caution_mm=3.0, danger_mm=1.0), quiet)
    assert "tumour" in said[0] and "RAS, as it states" in said[1]
    tumour = load_scene(case).structure("tumour")
    assert (tumour.caution_mm, tumour.danger_mm, tumour.role) == (3.0, 1.0, "critical")
    within = 4e-6 if kind == "stl" else 0.0
    np.testing.assert_allclose(tumour.surface.bounds_mm, [MIDDLE - 5.0, MIDDLE + 5.0], rtol=0, atol=max(within, 1e-12))
    written = of(path).writes["case", f".{kind}"](case, back, Options(name="tumour", space="RAS"), quiet)
    assert "SPACE=RAS" in written[0] and ("rounded to float32" if kind == "stl" else "exact") in written[0]
    assert read_raw(back).stated == Stated("RAS", "mm")
    vertices, corners = read_mesh(back)
    np.testing.assert_allclose(np.sort(vertices[corners].reshape(-1, 9), axis=0), np.sort((BALL + MIDDLE)[FACES].reshape(-1, 9), axis=0), atol=within)


@pytest.mark.parametrize(
    ("vertices", "faces", "options", "says"),
    [
        (BALL + MIDDLE, FACES, Options(name="x"), "does not state its axes.*--space"),
        (BALL + MIDDLE, FACES, Options(name="x", space="RAS"), "lies outside the CT.*--space"),
        ((BALL + MIDDLE) / 1000.0, FACES, Options(name="x", space="LPS"), "0.01 mm if its unit is mm.*--unit m"),
        (BALL + MIDDLE, FACES, Options(name="x", space="XYZ"), "not known"),
        (BALL + MIDDLE, FACES, Options(name="x", space="LPS", unit="furlong"), "'furlong' is not known"),
        (BALL + MIDDLE, FACES, Options(name="x", space="LPS", role="criticel"), "Did you mean 'critical'"),
        (BALL + MIDDLE, FACES, Options(name="x", space="LPS", role="critical"), "Pass --caution and --danger"),
        (BALL + MIDDLE, FACES, Options(name="x", space="LPS", role="critical", caution_mm=1.0, danger_mm=2.0), "danger 2 mm is not between"),
        (BALL + MIDDLE, FACES, Options(name="x", space="LPS", caution_mm=1.0), "context and has limits"),
        (BALL + MIDDLE, FACES, Options(name="ball", space="LPS"), "already has a structure 'ball'"),
        (BALL + MIDDLE, FACES[6:], Options(name="x", space="LPS", role="critical", caution_mm=2.0, danger_mm=1.0), "Pass --repair"),
        (BALL * 6 + MIDDLE, FACES[BALL[FACES].mean(axis=1)[:, 2] > 0], Options(name="x", space="LPS", repair=True), "widest 60 mm wide"),
    ],
)
def test_what_cannot_come_in_is_refused_and_the_case_stays(
    vertices: np.ndarray, faces: np.ndarray, options: Options, says: str, case: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.obj"
    path.write_bytes(obj(vertices, faces))
    before = {p.name: p.read_bytes() for p in case.rglob("*") if p.is_file()}
    with pytest.raises(InputRefused, match=says):
        of(path).brings["case"](path, case, options, quiet)
    assert {p.name: p.read_bytes() for p in case.rglob("*") if p.is_file()} == before


def test_a_surface_alone_is_no_case(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    write_mesh(path, BALL, FACES)
    with pytest.raises(InputRefused, match=r"a case begins with a CT.*Make one first"):
        of(path).brings["case"](path, tmp_path / "new", Options(), quiet)
    assert not (tmp_path / "new").exists()


def test_repair_says_what_it_did(case: Path, tmp_path: Path) -> None:
    path = tmp_path / "torn_ball.obj"
    path.write_bytes(obj(BALL + MIDDLE, FACES[(FACES != 3).all(axis=1)][:, ::-1]))
    limits = Options(space="LPS", role="critical", caution_mm=2.0, danger_mm=1.0, repair=True)
    said = " ".join(of(path).brings["case"](path, case, limits, quiet))
    assert "added structure 'torn_ball' (critical)" in said and "Closed 1 holes" in said and "inside out" in said and "volume is now" in said
    assert load_scene(case).structure("torn_ball").surface.sign_is_trusted


def test_a_surface_half_outside_the_scan_is_doubted(case: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    write_mesh(path, BALL + MIDDLE + np.array([44.0, 0, 0]), FACES)
    assert "lie within the CT" in of(path).brings["case"](path, case, Options(name="x"), quiet)[2]


def test_one_structure_is_written_and_no_other(case: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "a.ply", tmp_path / "out.vtp"
    write = of_kind("VTP surface").writes["case", ".vtp"]
    assert "'ball' written" in write(case, out, Options(), quiet)[0]
    write_mesh(path, BALL + MIDDLE, FACES)
    of(path).brings["case"](path, case, Options(name="tumour"), quiet)
    for options, says in (
        (Options(), "has 2 structures.*--name with one of ball, tumour"),
        (Options(name="tumor"), "Did you mean 'tumour'"),
        (Options(name="ball", space="XYZ"), "'XYZ' is not known"),
    ):
        with pytest.raises(InputRefused, match=says):
            write(case, out, options, quiet)
    (case / "surfaces" / "ball.ply").write_bytes(b"ply")
    with pytest.raises(InputRefused, match="changed after the case was locked"):
        write(case, out, Options(name="ball"), quiet)


def of_kind(name: str) -> Format:
    return next(one for one in FORMATS if one.name == name)


def test_the_door_asks_without_loading_readers() -> None:
    """Every file is asked whether it is a mesh."""
    code = "import json, sys; import navtwin.meshes.formats; print(json.dumps([*sys.modules]))"
    loaded = set(json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout))
    assert not loaded & {"navtwin.meshes.read", "navtwin.meshes.report", "navtwin.scene", "scipy", "numba", "trimesh", "vtkmodules"}
