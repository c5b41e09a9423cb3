"""What is written comes back: voxels to the last bit, the place to what the format can say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings

from navtwin.errors import InputRefused
from navtwin.volumes.read import layout_of, read_ct
from navtwin.volumes.storage import read_stored
from navtwin.volumes.volume import LPS_FROM_RAS, Volume, placed
from navtwin.volumes.write import write_metaimage, write_nifti, write_nrrd
from tests.volumes.made import corners_apart_mm, oblique, rotation, volume, volumes

WRITERS = {".nii": write_nifti, ".nii.gz": write_nifti, ".nrrd": write_nrrd, ".mha": write_metaimage}


def back(written: Volume, ending: str, folder: Path) -> tuple[Volume, Path]:
    """Written and read again, as stored."""
    path = folder / f"volume{ending}"
    WRITERS[ending](written, path)
    header = layout_of(path)
    return placed(read_stored(header.storage), header.T_ct_from_ijk, path), path


@pytest.mark.parametrize("ending", WRITERS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=volumes())
def test_voxels_to_the_last_bit_and_the_place_as_far_as_the_format_goes(ending: str, tmp_path: Path, written: Volume) -> None:
    read, path = back(written, ending, tmp_path)
    assert read.hu.dtype == written.hu.dtype
    assert read.hu.tobytes() == written.hu.tobytes()
    if ending == ".nrrd":
        np.testing.assert_array_equal(read.T_ct_from_ijk, written.T_ct_from_ijk)
    else:
        precision = np.finfo(np.float64 if ending == ".mha" else np.float32).eps
        assert np.abs(read.T_ct_from_ijk - written.T_ct_from_ijk).max() <= 2.0 * precision * np.abs(written.T_ct_from_ijk).max()
    again, _ = back(placed(read.hu, read.T_ct_from_ijk, path), ending, tmp_path)
    assert corners_apart_mm(read, again) <= 1e-11


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=volumes())
@example(written=volume(np.block([[rotation((1.0, 2.0, 3.0), np.pi - 1e-4), np.full((3, 1), 900.0)], [0.0, 0.0, 0.0, 1.0]])))
def test_nibabel_reads_the_same_by_sform_and_by_qform(tmp_path: Path, written: Volume) -> None:
    _, path = back(written, ".nii.gz", tmp_path)
    image = nib.load(path)
    np.testing.assert_array_equal(np.asanyarray(image.dataobj).T, written.hu)
    assert image.header.get_xyzt_units()[0] == "mm"
    for affine, code in (image.get_sform(coded=True), image.get_qform(coded=True)):
        if code:
            assert corners_apart_mm(placed(written.hu, LPS_FROM_RAS @ affine, path), written) <= 0.01 * min(written.spacing_mm) + 1e-3


def test_a_quaternion_that_its_digits_cannot_hold_is_left_out(tmp_path: Path) -> None:
    T = np.eye(4)
    T[:3, :3] = rotation((1.0, 2.0, 3.0), np.pi - 2e-4)
    _, path = back(volume(LPS_FROM_RAS @ T, shape=(400, 4, 4)), ".nii", tmp_path)
    assert int(nib.load(path).header["sform_code"]) == 1
    assert int(nib.load(path).header["qform_code"]) == 0


@pytest.mark.parametrize("reader", ["vtkNIFTIImageReader", "vtkNrrdReader", "vtkMetaImageReader"])
def test_vtk_reads_the_same_voxels(reader: str, tmp_path: Path) -> None:
    from vtkmodules import vtkIOImage
    from vtkmodules.util.numpy_support import vtk_to_numpy

    T = np.diag((0.5, 0.75, 2.0, 1.0))
    T[:3, 3] = (-12.5, 20.0, 100.0)
    written = volume(T)
    _, path = back(written, {"vtkNIFTIImageReader": ".nii.gz", "vtkNrrdReader": ".nrrd", "vtkMetaImageReader": ".mha"}[reader], tmp_path)
    vtk = getattr(vtkIOImage, reader)()
    vtk.SetFileName(str(path))
    vtk.Update()
    image = vtk.GetOutput()
    if reader != "vtkNrrdReader":  # it loses the first of the space directions
        assert image.GetSpacing() == pytest.approx((0.5, 0.75, 2.0))
    values = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(written.hu.shape)
    np.testing.assert_array_equal(values, written.hu)


@pytest.mark.parametrize("ending", WRITERS)
def test_the_same_volume_gives_the_same_file(ending: str, tmp_path: Path) -> None:
    first = back(volume(), ending, tmp_path)[1].read_bytes()
    assert back(volume(), ending, tmp_path)[1].read_bytes() == first


@pytest.mark.parametrize("write", [write_nifti, write_nrrd, write_metaimage])
def test_what_cannot_be_written(write: Callable[[Volume, Path], None], tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"voxels of type bool cannot be written"):
        write(volume(kind="?"), tmp_path / "x")
    with pytest.raises(InputRefused, match="cannot write"):
        write(volume(), tmp_path / "nowhere" / "x")
    assert list(tmp_path.iterdir()) == []


def test_too_many_voxels_for_nifti(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"2 x 2 x 32768 voxels"):
        write_nifti(placed(np.zeros((32768, 2, 2), np.int8), oblique((0.05, 0.05, 0.05)), Path("x")), tmp_path / "x.nii")


def test_read_ct_keeps_what_it_wrote(tmp_path: Path) -> None:
    for kind in ("i2", "f4"):
        write_nifti(volume(kind=kind), tmp_path / f"{kind}.nii.gz")
        read = read_ct(tmp_path / f"{kind}.nii.gz")
        assert read.hu.dtype == np.dtype(kind)
        np.testing.assert_array_equal(read.hu, volume(kind=kind).hu)
