"""A CT is placed exactly, or refused with the reason."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from navtwin.errors import InputRefused
from navtwin.scene import read_ct, read_labels
from navtwin.volumes.read import read_box
from tests.scene.cases import RAS, SHAPE_IJK, at_ijk, labels_ijk, write_nifti, write_patient


def test_voxels_land_where_the_file_says(tmp_path: Path) -> None:
    values = np.arange(np.prod(SHAPE_IJK), dtype=np.int16).reshape(SHAPE_IJK)
    volume = read_ct(write_nifti(tmp_path / "ct.nii", values))
    assert volume.hu.shape == SHAPE_IJK[::-1]
    assert volume.hu[3, 5, 7] == values[7, 5, 3]
    assert volume.spacing_mm == (1.0, 1.0, 2.0)
    assert volume.T_ct_from_ijk @ (7, 5, 3, 1) == pytest.approx([*at_ijk(7, 5, 3), 1.0])
    assert np.linalg.det(volume.T_ct_from_ijk) < 0.0
    assert not volume.hu.flags.writeable


def test_scaled_and_big_endian_values_are_the_same_numbers(tmp_path: Path) -> None:
    stored = np.arange(np.prod(SHAPE_IJK), dtype=np.uint16).reshape(SHAPE_IJK)
    image = nib.Nifti1Image(stored, RAS, nib.Nifti1Header(endianness=">"))
    image.header.set_slope_inter(2.0, -1024.0)
    image.to_filename(tmp_path / "ct.nii.gz")
    with_nibabel = np.asanyarray(nib.load(tmp_path / "ct.nii.gz").dataobj).T
    volume = read_ct(tmp_path / "ct.nii.gz")
    np.testing.assert_array_equal(volume.hu, with_nibabel)


def test_qform_alone_is_enough(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros(SHAPE_IJK, np.int16), None)
    image.set_qform(RAS, code=1)
    image.set_sform(None, code=0)
    image.to_filename(tmp_path / "ct.nii")
    np.testing.assert_allclose(read_ct(tmp_path / "ct.nii").T_ct_from_ijk, np.diag((-1, -1, 1, 1)) @ RAS, atol=1e-5)


def test_the_box_ends_half_a_voxel_beyond_the_last_centre(tmp_path: Path) -> None:
    box = read_box(write_nifti(tmp_path / "ct.nii", np.zeros(SHAPE_IJK, np.int16)))
    assert box.shape_ijk == SHAPE_IJK
    assert box.contains(at_ijk(43.49, 0, 0))
    assert not box.contains(at_ijk(43.51, 0, 0))
    assert box.contains(at_ijk(0, -0.49, 23.49))
    assert not box.contains(at_ijk(0, -0.51, 0))
    assert not box.contains((float("nan"), 0.0, 0.0))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"there is no file .*nowhere\.nii\.gz"):
        read_ct(tmp_path / "nowhere.nii.gz")


@pytest.mark.parametrize("content", [b"", b"not a volume", b"\x00" * 400, gzip.compress(b"not a volume", mtime=0), b"\x1f\x8b\x08\x00broken"])
def test_a_file_that_is_no_volume(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ct.nii.gz"
    path.write_bytes(content)
    with pytest.raises(InputRefused, match=r"ct\.nii\.gz"):
        read_ct(path)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.999])
def test_a_file_cut_short(tmp_path: Path, share: float) -> None:
    path, _ = write_patient(tmp_path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(InputRefused, match=r"cut|damaged|not a NIfTI"):
        read_ct(path)


def test_a_flipped_bit_in_the_archive(tmp_path: Path) -> None:
    path, _ = write_patient(tmp_path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)
    with pytest.raises(InputRefused, match="damaged"):
        read_ct(path)


def affine(**changed: float) -> np.ndarray:
    matrix = RAS.copy()
    for place, value in changed.items():
        matrix[int(place[1]), int(place[2])] = value
    return matrix


@pytest.mark.parametrize(
    ("matrix", "reason"),
    [
        (affine(a00=0.0), "singular"),
        (affine(a10=-1.0, a00=0.0), "singular"),
        (affine(a12=0.5), r"sheared .*14\.\d\d deg"),
        (affine(a22=float("nan")), "NaN"),
        (affine(a03=float("inf")), "NaN or infinite"),
    ],
)
def test_an_affine_that_places_nothing(tmp_path: Path, matrix: np.ndarray, reason: str) -> None:
    image = nib.Nifti1Image(np.zeros(SHAPE_IJK, np.int16), RAS)
    image.to_filename(tmp_path / "ct.nii")
    raw = bytearray((tmp_path / "ct.nii").read_bytes())
    raw[280:328] = matrix[:3].astype("<f4").tobytes()  # srow_x, srow_y, srow_z
    (tmp_path / "ct.nii").write_bytes(raw)
    with pytest.raises(InputRefused, match=reason):
        read_ct(tmp_path / "ct.nii")


def test_no_stated_position(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros(SHAPE_IJK, np.int16), None)
    image.to_filename(tmp_path / "ct.nii")
    with pytest.raises(InputRefused, match="does not say where it lies"):
        read_ct(tmp_path / "ct.nii")


def test_more_than_one_volume(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="3 x 4 x 5 x 2 voxels"):
        read_ct(write_nifti(tmp_path / "ct.nii", np.zeros((3, 4, 5, 2), np.int16)))


def test_a_header_that_claims_more_than_any_ct(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "ct.nii", np.zeros(SHAPE_IJK, np.int16))
    raw = bytearray(path.read_bytes())
    raw[42:48] = np.array([30000, 30000, 30000], "<i2").tobytes()
    path.write_bytes(raw)
    with pytest.raises(InputRefused, match="claims"):
        read_ct(path)


def test_metres_are_refused(tmp_path: Path) -> None:
    image = nib.Nifti1Image(np.zeros(SHAPE_IJK, np.int16), RAS)
    image.header.set_xyzt_units("meter")
    image.to_filename(tmp_path / "ct.nii")
    with pytest.raises(InputRefused, match="millimetres"):
        read_ct(tmp_path / "ct.nii")


def test_labels_of_another_size(tmp_path: Path) -> None:
    volume = read_ct(write_patient(tmp_path)[0])
    other = write_nifti(tmp_path / "other.nii", np.zeros((44, 40, 23), np.uint8))
    with pytest.raises(InputRefused, match=r"44 x 40 x 23 voxels.*44 x 40 x 24"):
        read_labels(other, like=volume)


@pytest.mark.parametrize("moved", [affine(a03=31.0), affine(a00=1.0), affine(a22=2.1)])
def test_labels_that_lie_elsewhere(tmp_path: Path, moved: np.ndarray) -> None:
    volume = read_ct(write_patient(tmp_path)[0])
    other = write_nifti(tmp_path / "other.nii", labels_ijk(), moved)
    with pytest.raises(InputRefused, match="mm away from"):
        read_labels(other, like=volume)


def test_labels_must_be_whole_numbers(tmp_path: Path) -> None:
    volume = read_ct(write_patient(tmp_path)[0])
    halves = write_nifti(tmp_path / "halves.nii", labels_ijk().astype(np.float32) / 2)
    with pytest.raises(InputRefused, match="not whole numbers"):
        read_labels(halves, like=volume)
    whole = read_labels(write_nifti(tmp_path / "whole.nii", labels_ijk().astype(np.float32)), like=volume)
    np.testing.assert_array_equal(whole.hu, labels_ijk().T)


def test_options_that_say_nothing_to_a_file(tmp_path: Path) -> None:
    ct, _ = write_patient(tmp_path)
    for idle in ({"series": "1"}, {"resample": True}, {"space": "LPS"}):
        with pytest.raises(InputRefused, match=r"says nothing to .*scan\.nii\.gz"):
            read_ct(ct, **idle)
    with pytest.raises(InputRefused, match=r"--unit says nothing to .*DICOM"):
        read_ct(tmp_path, unit="m")


def test_a_folder_or_file_of_dicom_goes_to_its_own_reader(tmp_path: Path) -> None:
    (tmp_path / "slice").write_bytes(bytes(128) + b"DICM")
    for path in (tmp_path, tmp_path / "slice"):
        with pytest.raises(InputRefused) as refused:
            read_ct(path)
        assert "NIfTI" not in str(refused.value)
