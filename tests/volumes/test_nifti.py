"""NIfTI of both editions against nibabel; two places, other units and impossible sizes are refused."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from navtwin.errors import InputRefused
from navtwin.volumes.read import layout_of, read_ct, read_label_volume
from navtwin.volumes.volume import LPS_FROM_RAS
from tests.volumes.made import SHARED, affines, oblique, rotation

VALUES = (np.arange(210).reshape(7, 6, 5) - 60).astype(np.int16)
CLASSES = {1: nib.Nifti1Image, 2: nib.Nifti2Image}


def save(path: Path, values: npt.NDArray[Any] = VALUES, T_ras: npt.NDArray[np.float64] | None = None, edition: int = 1, **header: Any) -> Path:
    image = CLASSES[edition](values, LPS_FROM_RAS @ oblique() if T_ras is None else T_ras)
    image.header.set_xyzt_units("mm")
    for name, value in header.items():
        image.header[name] = value
    image.to_filename(path)
    return path


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    T_ras=affines(),
    edition=st.sampled_from([1, 2]),
    big=st.booleans(),
    kind=st.sampled_from(["i1", "u1", "i2", "u2", "i4", "u4", "i8", "f4", "f8"]),
    forms=st.sampled_from([(1, 0), (0, 1), (1, 1), (2, 1)]),
    ending=st.sampled_from([".nii", ".nii.gz"]),
)
def test_every_header_means_what_nibabel_takes_it_for(
    tmp_path: Path, T_ras: npt.NDArray[np.float64], edition: int, big: bool, kind: str, forms: tuple[int, int], ending: str
) -> None:
    values = (VALUES + 60).astype(kind)
    header = (nib.Nifti1Header if edition == 1 else nib.Nifti2Header)(endianness=">" if big else "<")
    header.set_data_dtype(np.dtype(kind))
    image = CLASSES[edition](values, T_ras, header)
    image.set_sform(T_ras, code=forms[0])
    image.set_qform(T_ras, code=forms[1])
    path = tmp_path / f"volume{ending}"
    image.to_filename(path)
    read, theirs = read_ct(path), nib.load(path)
    np.testing.assert_array_equal(read.hu, np.asanyarray(theirs.dataobj).T)
    affine = theirs.get_sform() if forms[0] else theirs.get_qform()
    # nibabel's quaternion near a half turn is a root of rounding noise, where the standard's own code takes a half turn.
    np.testing.assert_allclose(read.T_ct_from_ijk, LPS_FROM_RAS @ affine, atol=1e-6 if forms[0] else 4e-3)


@pytest.mark.parametrize("edition", [1, 2])
def test_a_left_handed_qform(edition: int, tmp_path: Path) -> None:
    T = np.diag((2.0, 3.0, -4.0, 1.0))
    image = CLASSES[edition](VALUES, None)
    image.set_qform(T, code=1)
    image.to_filename(tmp_path / "v.nii")
    np.testing.assert_allclose(read_ct(tmp_path / "v.nii").T_ct_from_ijk, np.diag((-2.0, -3.0, -4.0, 1.0)), atol=1e-12)


@pytest.mark.parametrize(("slope", "intercept"), [(2.0, -1024.0), (0.5, 0.0), (0.1, -3.0), (1.0, 40000.0), (1e-3, 0.0)])
def test_scaled_values_are_exact(slope: float, intercept: float, tmp_path: Path) -> None:
    image = nib.Nifti1Image(VALUES, np.eye(4))
    image.header.set_slope_inter(slope, intercept)
    image.to_filename(tmp_path / "v.nii.gz")
    exact = VALUES.T.astype(np.float64) * float(np.float32(slope)) + float(np.float32(intercept))
    whole = bool((exact == np.rint(exact)).all())
    read = read_label_volume(tmp_path / "v.nii.gz") if whole else read_ct(tmp_path / "v.nii.gz")
    np.testing.assert_array_equal(read.hu, exact if whole else exact.astype(np.float32))
    assert read_ct(tmp_path / "v.nii.gz").hu.dtype == (np.int16 if whole and abs(exact).max() < 32768 else np.float32)


def test_two_places_that_are_not_alike(tmp_path: Path) -> None:
    T = LPS_FROM_RAS @ oblique()
    moved = T.copy()
    moved[0, 3] += 0.5
    image = nib.Nifti1Image(VALUES, T)
    image.set_sform(T, code=2)
    image.set_qform(moved, code=1)
    image.to_filename(tmp_path / "v.nii")
    with pytest.raises(InputRefused, match=r"sform \(aligned to another scan\) and qform \(scanner\) differ by up to 0\.5 .*code of the one"):
        read_ct(tmp_path / "v.nii")
    image.set_qform(moved, code=0)
    image.to_filename(tmp_path / "v.nii")
    np.testing.assert_allclose(read_ct(tmp_path / "v.nii").T_ct_from_ijk, oblique(), atol=1e-4)


def test_near_a_half_turn_the_quaternion_may_be_off_by_what_its_digits_leave_open(tmp_path: Path) -> None:
    for angle in np.pi - np.logspace(-6, -2, 25):
        T = np.eye(4)
        T[:3, :3] = rotation((1.0, 2.0, 3.0), angle) * 0.4
        image = nib.Nifti1Image(np.zeros((500, 500, 4), np.int8), T)
        image.set_sform(T, code=1)
        image.set_qform(T, code=1)
        image.to_filename(tmp_path / "v.nii")
        layout_of(tmp_path / "v.nii")


def test_a_qform_alone_says_how_far_its_digits_leave_the_turn_open(tmp_path: Path) -> None:
    skew = (1.0, 2.0, 3.0)
    for axis, angle, unsure in ((skew, np.pi - 1e-4, True), (skew, 1.0, False), ((0, 1, 1), np.pi, False), ((0, 0, 1), np.pi, False)):
        T = np.eye(4)
        T[:3, :3] = rotation(axis, angle) * 0.4
        image = nib.Nifti1Image(np.zeros((500, 500, 4), np.int8), None)
        image.set_qform(T, code=1)
        image.header.set_xyzt_units("mm")
        image.to_filename(tmp_path / "v.nii")
        header = layout_of(tmp_path / "v.nii")
        off = np.abs(header.T_ct_from_ijk - LPS_FROM_RAS @ T)[:3, :3].max() * 500
        assert bool(header.doubts) is unsure
        assert off < (0.3 if unsure else 1e-4), "no farther off than it says"


@pytest.mark.parametrize(("code", "word", "factor"), [(1, "m", 1000.0), (3, "um", 0.001)])
def test_another_unit_is_refused_until_the_user_says_so(code: int, word: str, factor: float, tmp_path: Path) -> None:
    T = LPS_FROM_RAS @ oblique((20.0, 20.0, 20.0))
    T[:3] /= factor
    path = save(tmp_path / "v.nii", T_ras=T, xyzt_units=code)
    with pytest.raises(InputRefused, match=rf"is not in millimetres but says {word}\. Pass --unit {word} "):
        read_ct(path)
    np.testing.assert_allclose(read_ct(path, unit=word).T_ct_from_ijk, oblique((20.0, 20.0, 20.0)), rtol=1e-5)


def test_metres_that_are_called_millimetres_show_by_the_size(tmp_path: Path) -> None:
    T = np.diag((0.03, 0.03, 0.03, 1.0))
    path = save(tmp_path / "head.nii", T_ras=T, xyzt_units=2)
    with pytest.raises(InputRefused, match=r"would be 0\.21 mm long, which no patient's scan is\. Pass --unit m "):
        read_ct(path)
    assert read_ct(path, unit="m").spacing_mm == pytest.approx((30.0, 30.0, 30.0))
    with pytest.raises(InputRefused, match=r"mm long"):
        read_ct(save(tmp_path / "city.nii", T_ras=np.diag((900.0, 900.0, 900.0, 1.0))))
    with pytest.raises(InputRefused, match=r"Pass --unit mm if its numbers are in mm"):
        read_ct(save(tmp_path / "hand.nii", T_ras=np.diag((30.0, 30.0, 30.0, 1.0))), unit="m")
    with pytest.raises(InputRefused, match=r"--unit inch is not known"):
        read_ct(path, unit="inch")


def test_voxel_sides_that_are_stated_twice(tmp_path: Path) -> None:
    path = save(tmp_path / "v.nii", T_ras=np.diag((2.0, 2.0, 2.0, 1.0)))
    raw = bytearray(path.read_bytes())
    raw[80:92] = struct.pack("<3f", 1.0, 1.0, 1.0)
    raw[252:254] = struct.pack("<h", 0)
    path.write_bytes(raw)
    assert layout_of(path).doubts == ("Its voxel sides are 1 x 1 x 1 by pixdim, but 2 x 2 x 2 by the affine, which counts.",)
    assert read_ct(path).spacing_mm == (2.0, 2.0, 2.0)


@pytest.mark.parametrize(
    ("place", "data", "reason"),
    [
        (70, struct.pack("<h", 128), "type 128"),
        (70, struct.pack("<h", 1792), "type 1792"),
        (40, struct.pack("<h", 9), "claims 9 axes"),
        (42, struct.pack("<h", -7), "-7 x 6 x 5 voxels"),
        (42, struct.pack("<h", 32767), "cut or damaged"),
        (108, struct.pack("<f", 0.0), "begin at byte 0"),
        (108, struct.pack("<f", 352.5), "begin at byte 352.5"),
        (108, struct.pack("<f", float("nan")), "begin at byte nan"),
        (108, struct.pack("<f", 1e30), "begin at byte 1e[+]30"),
        (112, struct.pack("<f", float("inf")), "scales its values by inf"),
        (112, struct.pack("<2f", 2.0, float("nan")), "adds nan"),
        (123, b"\x07", "not in millimetres"),
        (256, struct.pack("<3f", 1.0, 1.0, 0.0), "broken orientation"),
        (268, struct.pack("<f", float("inf")), "broken orientation"),
        (344, b"ni1\0", "one half of a NIfTI file"),
        (344, b"n+3\0", "not a NIfTI"),
        (0, b"\0\0\0\0", "not a NIfTI"),
    ],
)
def test_a_damaged_header(place: int, data: bytes, reason: str, tmp_path: Path) -> None:
    path = save(tmp_path / "v.nii")
    raw = bytearray(path.read_bytes())
    raw[252:254] = struct.pack("<h", 1)
    raw[place : place + len(data)] = data
    path.write_bytes(raw)
    with pytest.raises(InputRefused, match=reason):
        read_ct(path)


def test_what_is_behind_the_voxels(tmp_path: Path) -> None:
    path = save(tmp_path / "v.nii")
    raw = path.read_bytes()
    path.write_bytes(raw + b"some notes")
    np.testing.assert_array_equal(read_ct(path).hu, VALUES.T)
    path.write_bytes(raw + bytes(2 << 20))
    with pytest.raises(InputRefused, match="holds much more"):
        read_ct(path)


def test_a_mask_of_nan(tmp_path: Path) -> None:
    values = VALUES.astype(np.float32)
    values[0, 0, 0] = np.nan
    with pytest.raises(InputRefused, match="NaN or infinite"):
        read_ct(save(tmp_path / "v.nii", values))
    with pytest.raises(InputRefused, match="not whole numbers"):
        read_label_volume(save(tmp_path / "v.nii", values))
    with pytest.raises(InputRefused, match="NaN or infinite"):  # beyond what float32 holds
        read_ct(save(tmp_path / "v.nii", np.full((5, 6, 7), 1e300)))


@pytest.mark.parametrize("name", [pytest.param("ct/chest_labelled/cxr.nii.gz", marks=pytest.mark.heavy), "ct/totalseg_sample/example_ct.nii.gz"])
def test_real_scans(name: str) -> None:
    path = SHARED / name
    if not path.is_file():
        pytest.skip("no shared data here")
    theirs, ours = nib.load(path), read_ct(path)
    assert ours.hu.T.shape == theirs.shape
    np.testing.assert_array_equal(ours.hu[:20], theirs.dataobj[..., :20].T)
    np.testing.assert_allclose(ours.T_ct_from_ijk, LPS_FROM_RAS @ theirs.affine, atol=1e-9)
