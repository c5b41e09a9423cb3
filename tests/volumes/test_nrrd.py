"""NRRD volumes: every spelling of the header, and axes that are told or asked for."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.volumes.read import layout_of, read_box, read_ct, read_label_volume
from tests.volumes.made import SHARED

VALUES = (np.arange(210).reshape(5, 6, 7) - 60).astype("<i2")
LINES = {
    "type": "short",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "7 6 5",
    "space directions": "(0.5,0,0) (0,0.75,0) (0,0,2)",
    "kinds": "domain domain domain",
    "endian": "little",
    "encoding": "raw",
    "space units": '"mm" "mm" "mm"',
    "space origin": "(10,-20,30)",
}
T_LPS = np.array([[0.5, 0, 0, 10], [0, 0.75, 0, -20], [0, 0, 2, 30], [0, 0, 0, 1.0]])


def save(path: Path, data: bytes = VALUES.tobytes(), **changed: str | None) -> Path:
    lines = {**LINES, **{name.replace("_", " "): value for name, value in changed.items()}}
    header = "NRRD0004\n# made up\n" + "".join(f"{name}: {value}\n" for name, value in lines.items() if value is not None) + "\n"
    path.write_bytes(header.encode() + data)
    return path


@pytest.mark.parametrize(
    ("data", "changed"),
    [
        (VALUES.tobytes(), {}),
        (VALUES.tobytes(), {"type": "signed short int", "kinds": None, "space": "LPS"}),
        (VALUES.astype(">i2").tobytes(), {"endian": "big"}),
        (VALUES.astype("<f8").tobytes(), {"type": "double"}),
        (gzip.compress(VALUES.tobytes()), {"encoding": "gzip"}),
        (gzip.compress(VALUES.tobytes()[:100]) + gzip.compress(VALUES.tobytes()[100:]), {"encoding": "gz"}),
        (b"one line\nand another\n" + b"\xff" * 5 + VALUES.tobytes(), {"line skip": "2", "byte skip": "5"}),
        (b"anything" * 9 + VALUES.tobytes(), {"byte skip": "-1"}),
        (gzip.compress(b"\xff" * 5 + VALUES.tobytes()), {"encoding": "gzip", "byteskip": "5"}),
        (VALUES.tobytes(), {"dimension": "4", "sizes": "7 6 5 1", "space directions": LINES["space directions"] + " none", "kinds": None}),
        (VALUES.tobytes(), {"dimension": "4", "sizes": "1 7 6 5", "space directions": "none " + LINES["space directions"], "kinds": None}),
        (VALUES.tobytes(), {"space origin": "( 10 , -20 , 3e1 )"}),
    ],
)
def test_the_same_volume_in_many_spellings(data: bytes, changed: dict[str, str | None], tmp_path: Path) -> None:
    read = read_ct(save(tmp_path / "v.nrrd", data, **changed))
    np.testing.assert_array_equal(read.hu, VALUES)
    np.testing.assert_array_equal(read.T_ct_from_ijk, T_LPS)
    assert read.spacing_mm == (0.5, 0.75, 2.0)


@pytest.mark.parametrize(
    ("space", "signs"),
    [("right-anterior-superior", (-1, -1, 1)), ("RAS", (-1, -1, 1)), ("left-anterior-superior", (1, -1, 1)), ("LPS", (1, 1, 1))],
)
def test_axes_that_are_stated(space: str, signs: tuple[int, int, int], tmp_path: Path) -> None:
    path = save(tmp_path / "v.nrrd", space=space)
    np.testing.assert_array_equal(read_ct(path).T_ct_from_ijk, np.diag((*signs, 1.0)) @ T_LPS)
    assert read_box(path).contains(tuple(np.diag(signs) @ (10.0, -20.0, 30.0)))


@pytest.mark.parametrize(
    "changed", [{"space": None}, {"space": "scanner-xyz"}, {"space": "3D-right-handed"}, {"space": None, "space dimension": "3"}]
)
def test_axes_that_are_not_stated(changed: dict[str, str | None], tmp_path: Path) -> None:
    path = save(tmp_path / "v.nrrd", **changed)
    with pytest.raises(InputRefused, match=r"does not say whether its axes are LPS or RAS\. Pass --space LPS or --space RAS"):
        read_ct(path)
    np.testing.assert_array_equal(read_ct(path, space="RAS").T_ct_from_ijk, np.diag((-1, -1, 1, 1)) @ T_LPS)
    np.testing.assert_array_equal(read_ct(path, space="LPS").T_ct_from_ijk, T_LPS)
    assert any("LPS was told" in doubt for doubt in layout_of(path, space="LPS").doubts)
    with pytest.raises(InputRefused, match="--space XYZ is not known"):
        read_ct(path, space="XYZ")


def test_what_is_told_may_not_contradict_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"says that its axes are LPS, --space says RAS"):
        read_ct(save(tmp_path / "v.nrrd"), space="RAS")
    np.testing.assert_array_equal(read_ct(save(tmp_path / "v.nrrd"), space="LPS").T_ct_from_ijk, T_LPS)


def test_a_detached_header(tmp_path: Path) -> None:
    (tmp_path / "v.raw").write_bytes(b"xx" + VALUES.tobytes())
    path = save(tmp_path / "v.nhdr", b"", **{"data file": "v.raw", "byte skip": "2"})
    np.testing.assert_array_equal(read_ct(path).hu, VALUES)
    assert ("voxels in", "v.raw") in layout_of(path).stated
    (tmp_path / "v.raw").unlink()
    with pytest.raises(InputRefused, match=r"there is no file .*v\.raw"):
        read_ct(path)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"type": "block"}, "type 'block'"),
        ({"type": None}, "does not say its type"),
        ({"sizes": None}, "does not say its sizes"),
        ({"sizes": "7 6"}, "2 sizes, but dimension 3"),
        ({"sizes": "7 6 five"}, "not whole numbers"),
        ({"sizes": "7 6 -5"}, "7 x 6 x -5 voxels"),
        ({"sizes": "7 6 1", "space directions": LINES["space directions"]}, "7 x 6 x 1 voxels"),
        ({"sizes": "7000 6000 5000"}, "claims"),
        ({"sizes": "7 6 500"}, "cut or damaged"),
        ({"dimension": "4", "sizes": "3 7 6 5", "space directions": "none " + LINES["space directions"]}, "3 values a voxel"),
        ({"encoding": "bzip2"}, "encoded as 'bzip2'"),
        ({"encoding": "ascii"}, "encoded as 'ascii'"),
        ({"endian": None}, "does not say its endian"),
        ({"endian": "middle"}, "byte order 'middle'"),
        ({"space directions": None, "spacings": "1 1 1"}, "no space directions"),
        ({"space origin": None}, "no space origin"),
        ({"space origin": "(1,2)"}, "not 3 finite numbers"),
        ({"space origin": "(1,2,inf)"}, "not 3 finite numbers"),
        ({"space directions": "(1,0,0) (0,1,0)"}, "2 space directions"),
        ({"space directions": "(1,0,0) (0,1,0) (0,nan,1)"}, "not 3 finite numbers"),
        ({"space directions": "(1,0,0) (0,1,0) (0,1,0)"}, "singular"),
        ({"space directions": "(1,0,0) (0,1,0) (0,0.2,1)"}, r"sheared .*11\.3"),
        ({"space directions": "(1e200,0,0) (0,1e200,0) (0,0,1e200)"}, "singular"),
        ({"space directions": "(1e-3,0,0) (0,1e-3,0) (0,0,4e-3)"}, r"0\.02 mm long.*--unit m "),
        ({"space units": '"m" "m" "m"'}, r"says m\. Pass --unit m"),
        ({"space units": '"inch" "inch" "inch"'}, r"says inch\. Export"),
        ({"space units": '"mm" "mm" "cm"'}, "different units"),
        ({"data file": "../v.raw"}, "not in its folder"),
        ({"data file": "v%03d.raw 1 10 1"}, "many files"),
        ({"data file": "LIST\na.raw\nb.raw"}, "many files"),
        ({"line skip": "3"}, "skips 3 lines"),
        ({"line skip": "-1"}, "line skip is '-1'"),
        ({"byte skip": "-2"}, "byte skip is '-2'"),
        ({"byte skip": "-1", "encoding": "gzip"}, "skips bytes from the end"),
        ({"line skip": "99999999999"}, "skips 99999999999 lines"),
        ({"content": "x\nSeq_Frame0000_Timestamp:=1"}, "recording of a tracker"),
    ],
)
def test_what_is_refused(changed: dict[str, str | None], reason: str, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=reason):
        read_ct(save(tmp_path / "v.nrrd", **changed))


@pytest.mark.parametrize("data", [VALUES.tobytes()[:-1], gzip.compress(VALUES.tobytes()), b""])
def test_voxels_that_are_not_what_the_header_says(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="cut or damaged"):
        read_ct(save(tmp_path / "v.nrrd", data))


def test_the_head_and_neck_atlas() -> None:
    path = SHARED / "anatomy" / "head_neck_atlas" / "HN-Atlas-labels.nrrd"
    if not path.is_file():
        pytest.skip("no shared data here")
    labels = read_label_volume(path)
    assert labels.shape_ijk == (255, 255, 229)
    assert labels.spacing_mm == pytest.approx((0.9765625, 0.9765625, 1.4000244))
    raw = path.read_bytes()
    stored = np.frombuffer(gzip.decompress(raw[raw.index(b"\n\n") + 2 :]), "<i2").reshape(229, 255, 255)
    np.testing.assert_array_equal(labels.hu, stored)
