"""MetaImage volumes: ITK's world, its voxels here or beside; what programs disagree on is refused."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.volumes.read import layout_of, read_ct
from tests.volumes.made import oblique, volume

VALUES = volume().hu
LINES = {
    "ObjectType": "Image",
    "NDims": "3",
    "BinaryData": "True",
    "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False",
    "TransformMatrix": "1 0 0 0 1 0 0 0 1",
    "Offset": "10 -20 30",
    "CenterOfRotation": "0 0 0",
    "AnatomicalOrientation": "RAI",
    "ElementSpacing": "0.5 0.75 2",
    "DimSize": "7 6 5",
    "ElementType": "MET_SHORT",
    "ElementDataFile": "LOCAL",
}
T_LPS = np.array([[0.5, 0, 0, 10], [0, 0.75, 0, -20], [0, 0, 2, 30], [0, 0, 0, 1.0]])


def save(path: Path, data: bytes = VALUES.tobytes(), **changed: str | None) -> Path:
    lines = {**LINES, **changed}
    last = lines.pop("ElementDataFile")
    header = "".join(f"{name} = {value}\n" for name, value in lines.items() if value is not None)
    path.write_bytes(header.encode() + (f"ElementDataFile = {last}\n".encode() if last is not None else b"") + data)
    return path


@pytest.mark.parametrize(
    ("data", "changed"),
    [
        (VALUES.tobytes(), {}),
        (VALUES.tobytes(), {"BinaryData": None, "CompressedData": None, "ObjectType": None, "ElementDataFile": "Local"}),
        (VALUES.tobytes(), {"TransformMatrix": None, "Orientation": "1 0 0 0 1 0 0 0 1", "Offset": None, "Position": "10 -20 3e1"}),
        (VALUES.astype(">i2").tobytes(), {"BinaryDataByteOrderMSB": None, "ElementByteOrderMSB": "True"}),
        (VALUES.astype("<f4").tobytes(), {"ElementType": "MET_FLOAT"}),
        (zlib.compress(VALUES.tobytes()), {"CompressedData": "True", "CompressedDataSize": str(len(zlib.compress(VALUES.tobytes())))}),
        (gzip.compress(VALUES.tobytes()), {"CompressedData": "True"}),
        (b"anything" * 9 + VALUES.tobytes(), {"HeaderSize": "-1"}),
        (b"xyz" + VALUES.tobytes(), {"HeaderSize": "3"}),
        (
            VALUES.tobytes(),
            {
                "NDims": "4",
                "DimSize": "7 6 5 1",
                "ElementSpacing": "0.5 0.75 2 1",
                "Offset": "10 -20 30 0",
                "TransformMatrix": "1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
            },
        ),
        (VALUES.tobytes(), {"AnatomicalOrientation": "RAS", "ElementToIntensityFunctionSlope": "1", "DistanceUnits": "mm"}),
    ],
)
def test_the_same_volume_in_many_spellings(data: bytes, changed: dict[str, str | None], tmp_path: Path) -> None:
    read = read_ct(save(tmp_path / "v.mha", data, **changed))
    np.testing.assert_array_equal(read.hu, VALUES)
    np.testing.assert_allclose(read.T_ct_from_ijk, T_LPS, atol=0)


def test_the_first_numbers_of_the_matrix_are_the_first_axis(tmp_path: Path) -> None:
    axes = oblique((1.0, 1.0, 1.0), left_handed=True)[:3, :3]
    matrix = " ".join(repr(float(v)) for axis in axes.T for v in axis)
    read = read_ct(save(tmp_path / "v.mha", TransformMatrix=matrix))
    np.testing.assert_allclose(read.T_ct_from_ijk @ (2, 0, 0, 1), [*(np.array((10, -20, 30)) + axes[:, 0]), 1.0], atol=1e-12)


def test_axes_can_be_told(tmp_path: Path) -> None:
    path = save(tmp_path / "v.mha")
    assert any("LPS is taken, as ITK does" in doubt for doubt in layout_of(path).doubts)
    np.testing.assert_array_equal(read_ct(path, space="RAS").T_ct_from_ijk, np.diag((-1, -1, 1, 1)) @ T_LPS)
    assert not any("ITK" in doubt for doubt in layout_of(path, space="RAS").doubts)
    bare = save(tmp_path / "bare.mha", TransformMatrix=None)
    with pytest.raises(InputRefused, match=r"no TransformMatrix\)\. Pass --space LPS if i, j, k run to left"):
        read_ct(bare)
    np.testing.assert_array_equal(read_ct(bare, space="LPS").T_ct_from_ijk, T_LPS)


def test_a_detached_header(tmp_path: Path) -> None:
    (tmp_path / "v.zraw").write_bytes(zlib.compress(VALUES.tobytes()))
    path = save(tmp_path / "v.mhd", b"", CompressedData="True", ElementDataFile="v.zraw")
    np.testing.assert_array_equal(read_ct(path).hu, VALUES)
    assert ("voxels in", "v.zraw") in layout_of(path).stated


def test_a_center_of_rotation_is_not_used_and_said_so(tmp_path: Path) -> None:
    path = save(tmp_path / "v.mha", CenterOfRotation="0 0 5.5")
    assert any("CenterOfRotation" in doubt for doubt in layout_of(path).doubts)
    np.testing.assert_array_equal(read_ct(path).T_ct_from_ijk, T_LPS)
    assert not any("CenterOfRotation" in doubt for doubt in layout_of(save(tmp_path / "v.mha", CenterOfRotation="0.0 -0 0e+00")).doubts)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ObjectType": "Mesh"}, "a MetaIO Mesh"),
        ({"NDims": "4"}, "3 sizes in DimSize, but NDims = 4"),
        ({"NDims": None}, "does not say its NDims"),
        ({"DimSize": "7 6 5 3", "NDims": "4"}, "7 x 6 x 5 x 3 voxels"),
        ({"DimSize": "7 6"}, "7 x 6 voxels"),
        ({"DimSize": "7 6 many"}, "not whole numbers"),
        ({"DimSize": "7 6 -5"}, "-5 voxels"),
        ({"DimSize": "7000 6000 5000"}, "claims"),
        ({"ElementNumberOfChannels": "3"}, "3 values a voxel"),
        ({"ElementType": "MET_LONG"}, "MET_LONG"),
        ({"ElementType": None}, "does not say its ElementType"),
        ({"BinaryData": "False"}, "voxels as text"),
        ({"BinaryData": "maybe"}, "True or False"),
        ({"BinaryDataByteOrderMSB": None}, r"byte order\. Add the line"),
        ({"ElementToIntensityFunctionSlope": "2"}, "scales its values"),
        ({"ElementToIntensityFunctionOffset": "-1024"}, "scales its values"),
        ({"DistanceUnits": "cm"}, r"says cm\. Pass --unit cm"),
        ({"Offset": None}, "no Offset"),
        ({"Offset": "1 2"}, "not 3 finite numbers"),
        ({"Offset": "1 2 nan"}, "not 3 finite numbers"),
        ({"ElementSpacing": None}, "does not say its ElementSpacing"),
        ({"ElementSpacing": "1 1 -1"}, "voxel sides 1 x 1 x -1"),
        ({"ElementSpacing": "0.001 0.001 0.006"}, r"0\.03 mm long.*--unit m "),
        ({"TransformMatrix": "2 0 0 0 1 0 0 0 1"}, "axes of lengths 2 x 1 x 1"),
        ({"TransformMatrix": "1 0 0 0 1 0"}, "not 9 finite numbers"),
        ({"TransformMatrix": "1 0 0 0 1 0 0 0.6 0.8"}, "sheared"),
        ({"ElementDataFile": "../v.raw"}, "not in its folder"),
        ({"ElementDataFile": "LIST"}, "many files"),
        ({"ElementDataFile": "v%03d.raw 1 3 1"}, "many files"),
        ({"ElementDataFile": "missing.raw"}, "there is no file"),
        ({"ElementDataFile": "."}, "is a folder|cut or damaged"),
        ({"ElementDataFile": None}, "no MetaImage header"),
        ({"HeaderSize": "-2"}, "HeaderSize is -2"),
        ({"HeaderSize": "99"}, "cut or damaged"),
        ({"HeaderSize": "1 2"}, "HeaderSize is '1 2'"),
        ({"CompressedData": "True"}, "cut, damaged"),
        ({"CompressedData": "True", "CompressedDataSize": "100000"}, "packed voxels that its header claims"),
        ({"Seq_Frame0000_Timestamp": "1"}, "recording of a tracker"),
    ],
)
def test_what_is_refused(changed: dict[str, str | None], reason: str, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=reason):
        read_ct(save(tmp_path / "v.mha", **changed))


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_packed_voxels_that_are_cut(share: float, tmp_path: Path) -> None:
    packed = zlib.compress(VALUES.tobytes())
    with pytest.raises(InputRefused, match="cut"):
        read_ct(save(tmp_path / "v.mha", packed[: int(share * len(packed))], CompressedData="True"))
