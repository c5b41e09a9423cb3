"""The door of this room: files are known by their content, each by one format only, and nothing else is claimed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.exchange.formats import FORMATS
from navtwin.exchange.hdf5 import write_h5
from navtwin.exchange.itk import ItkTransform
from navtwin.exchange.rom import rom_of, write_rom
from navtwin.exchange.tfm import write_tfm
from navtwin.files.door import peek
from navtwin.files.formats import Options, Peek
from navtwin.nouns import read_rig
from tests.exchange.samples import ROOT, SHARED, a_case, a_rig, bring, export
from tests.exchange.test_bodies import INI, SQUARE
from tests.exchange.test_cameras import ROS, TEXT, XML
from tests.exchange.test_plus import HEAD, TAIL

MOVE = ItkTransform("TranslationTransform", (0.0, 0.0, 100.0))
#: Whole files, each of the format that carries the name.
TEXTS = {
    "Slicer markups": '{"@schema": "https://x/markups-schema-v1.0.3.json#", "markups": []}',
    "Slicer point list": "# Markups fiducial file version = 4.11\n# CoordinateSystem = LPS\n",
    "PLUS device set": f'<?xml version="1.0"?>\n<!-- mine -->\n{HEAD}{TAIL}',
    "tool geometry of Atracsys": INI,
    "scikit-surgery ArUco body": SQUARE,
    "camera of OpenCV (YAML)": f"%YAML:1.0\n---\n{ROS}",
    "camera of OpenCV (XML)": XML,
    "scikit-surgery camera": TEXT,
    "navtwin rig": (ROOT / "docs" / "examples" / "rig.toml").read_text(encoding="utf-8"),
}
#: What only looks alike: it belongs to others, or to nobody.
STRANGERS = {
    "a spreadsheet of numbers": "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n",
    "a matrix": "1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n",
    "some JSON": '{"markup": [1]}',
    "some YAML": "%YAML:1.0\nimage_width: 640\n",
    "some XML": "<VTKFile type='PolyData'/>",
    "some TOML": "[case]\nreference = 1\n",
    "some INI": "[geometry]\nid=1\n",
    "a recording": "ObjectType = Image\nNDims = 3\n",
    "words": "camera_matrix is what this text is about",
    "nothing": "",
}


def write(folder: Path, name: str) -> Path:
    path = folder / "file.bin"
    if name in TEXTS:
        path.write_text(TEXTS[name], encoding="utf-8")
    elif name == "transform of ITK (text)":
        write_tfm(path, [MOVE])
    elif name == "transform of ITK (HDF5)":
        write_h5(path, [MOVE])
    else:
        write_rom(path, rom_of("tool", [(0.0, 0.0, 0.0), (50.0, 0.0, 0.0), (0.0, 80.0, 0.0)]))
    return path


@pytest.mark.parametrize("name", [one.name for one in FORMATS])
@pytest.mark.parametrize("bom", [False, True])
def test_a_file_is_known_by_its_content(tmp_path: Path, name: str, bom: bool) -> None:
    path = write(tmp_path, name)
    if bom and name in TEXTS and name != "navtwin rig":
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    (found,) = (one for one in FORMATS if one.recognise(peek(path)))
    assert found.name == name
    seen = found.inspect(path, Options())
    assert seen.kind == name
    assert seen.facts
    assert all(doubt[0].isupper() and doubt[-1] in ".:" for doubt in seen.doubts)


@pytest.mark.parametrize("which", STRANGERS)
def test_what_belongs_to_others_is_left_to_them(tmp_path: Path, which: str) -> None:
    path = tmp_path / "file.xml"
    path.write_text(STRANGERS[which], encoding="utf-8")
    assert [one.name for one in FORMATS if one.recognise(peek(path))] == []
    assert not any(one.recognise(Peek(tmp_path, b"", packed=False, is_folder=True)) for one in FORMATS)
    packed = Peek(path, TEXTS["Slicer markups"].encode(), packed=True, is_folder=False)
    assert not any(one.recognise(packed) for one in FORMATS)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["", *TEXTS.values()]), st.integers(0, 400))
def test_recognising_never_fails_and_never_claims_twice(noise: bytes, text: str, at: int) -> None:
    head = text.encode()[:at] + noise
    assert sum(one.recognise(Peek(Path("x"), head, packed=False, is_folder=False)) for one in FORMATS) <= 1


@pytest.mark.skipif(not SHARED.is_dir(), reason="the data pack is not here")
def test_the_recordings_and_lists_of_the_data_pack_are_not_ours() -> None:
    ours = {"calibration.txt", "pointer.txt", "reference.txt", "tag_0.txt"}
    for path in sorted(SHARED.glob("*/*")):
        if path.is_file() and path.suffix in (".txt", ".mha", ".nrrd", ".stl", ".png", ".avi"):
            claimed = [one.name for one in FORMATS if one.recognise(peek(path))]
            assert len(claimed) == (path.name in ours), path.name


def test_every_ending_is_written_by_one_format_only() -> None:
    written = [key for one in FORMATS for key in one.writes]
    assert len(written) == len(set(written))
    assert set(written) >= {("case", ".mrk.json"), ("case", ".fcsv"), ("rig", ".xml"), ("rig", ".tfm"), ("rig", ".h5"), ("rig", ".yml")}


@pytest.mark.parametrize("to", ["rig.toml", "case"])
def test_nothing_is_written_where_nothing_may_be(tmp_path: Path, to: str) -> None:
    """A rig that is no rig any more keeps its old text, and no scratch file is left."""
    rig, case = a_rig(tmp_path), a_case(tmp_path)
    before = {path: path.read_bytes() for path in (rig, case / "case.toml")}
    path = write(tmp_path, "tool definition of NDI" if to == "rig.toml" else "Slicer markups")
    if to == "rig.toml":
        rig.write_text(rig.read_text(encoding="utf-8") + "\n[[oddity]]\n", encoding="utf-8")
        before[rig] = rig.read_bytes()
    names = sorted(p.name for p in tmp_path.iterdir())
    with pytest.raises(InputRefused, match=r"oddity|no placed point"):
        bring(path, tmp_path / to)
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    assert {path: path.read_bytes() for path in before} == before


def test_a_rig_of_printed_markers_makes_no_ndi_tool(tmp_path: Path) -> None:
    rig = a_rig(tmp_path)
    body = shutil.copy(write(tmp_path, "scikit-surgery ArUco body"), tmp_path / "b.txt")
    bring(Path(body), rig, name="printed:6X6_250")
    with pytest.raises(InputRefused, match="has printed markers, and an NDI tool is made of spheres"):
        export(rig, tmp_path / "x.rom", name="printed")


def test_the_door_opens_without_heavy_libraries() -> None:
    heavy = ("h5py", "defusedxml", "tomlkit", "vtkmodules", "pydicom", "numba", "scipy")
    code = f"import sys, navtwin.exchange.formats\nprint([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


INLINE = """reference = "ref"
tracker = {name = "t", rate_hz = 30.0, latency_ms = 1.0}
camera = []
"""


@pytest.mark.parametrize(
    "bodies", ["body = [{name = 'ref', sd_mm = 0.1, sd_rad = 0.1}]\ntool = []\n", "tool = []\n[[body]]\nname = 'ref'\nsd_mm = 0.1\nsd_rad = 0.1\n"]
)
def test_a_rig_written_in_braces_is_added_to_or_refused_with_a_reason(tmp_path: Path, bodies: str) -> None:
    rig = tmp_path / "rig.toml"
    rig.write_text(INLINE + bodies, encoding="utf-8")
    path = write(tmp_path, "tool definition of NDI")
    if "[{" in bodies:
        with pytest.raises(InputRefused, match=r"(?i)write each of them as a \[\[body\]\] table"):
            bring(path, rig, name="new")
    else:
        bring(path, rig, name="new")
        bring(write(tmp_path, "camera of OpenCV (XML)"), rig, name="eye")
        assert [body.name for body in read_rig(rig).body] == ["ref", "new"]
        assert [camera.name for camera in read_rig(rig).camera] == ["eye"]
