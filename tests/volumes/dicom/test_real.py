"""Real scans of the data pack, against pydicom's own reading of each slice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest

from navtwin.files.formats import Options
from navtwin.volumes.dicom.formats import FORMATS
from navtwin.volumes.dicom.read import list_series, open_ct, read_dicom

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "ct"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the data pack is not beside the checkout")


@pytest.mark.parametrize(("name", "count"), (("skull_phantom/std_5mm_dicom", 28), ("totalseg_sample/example_ct_dicom", 20)))
def test_values_and_places_of_real_scans(name: str, count: int) -> None:
    ct = open_ct(DATA / name)
    assert ct.volume.hu.shape == (count, 512, 512)
    assert ct.said == ()
    slices = sorted((pydicom.dcmread(file) for file in (DATA / name).iterdir()), key=lambda ds: float(ds.ImagePositionPatient[2]))
    T_ct_from_ijk = ct.volume.T_ct_from_ijk
    for k, ds in enumerate(slices):
        np.testing.assert_allclose(T_ct_from_ijk @ (0, 0, k, 1), (*map(float, ds.ImagePositionPatient), 1), atol=1e-6)
        row, column = np.array(ds.ImageOrientationPatient[:3], float), np.array(ds.ImageOrientationPatient[3:], float)
        np.testing.assert_allclose(T_ct_from_ijk[:3, 0], row * ds.PixelSpacing[1])
        np.testing.assert_allclose(T_ct_from_ijk[:3, 1], column * ds.PixelSpacing[0])
    for k in (0, count // 2, count - 1):
        ds = slices[k]
        if ds.file_meta.TransferSyntaxUID.is_compressed:
            ds.pixel_array_options(decoding_plugin="pillow")  # OpenJPEG, not GDCM
        np.testing.assert_array_equal(ct.volume.hu[k], ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept))


def test_a_folder_with_a_scan_and_other_things() -> None:
    """The phantom's folder holds a folder of slices, an archive, a licence and a readme."""
    (found,) = list_series(DATA / "skull_phantom")
    assert (found.count, found.size, found.problems) == (28, (512, 512), ())
    seen = FORMATS[0].inspect(DATA / "skull_phantom", Options())
    assert seen.doubts == ()
    assert dict(seen.facts)["files"] == "28 DICOM, 0 damaged, 0 empty, 3 others"


@pytest.mark.heavy
def test_an_archive_of_the_same_phantom_lies_in_the_same_place() -> None:
    """1 mm and 5 mm slices of one scan: where both are, they agree but for the thickness."""
    thin, thick = read_dicom(DATA / "skull_phantom" / "std_1mm_dicom.tar.xz"), read_dicom(DATA / "skull_phantom" / "std_5mm_dicom")
    assert thin.hu.shape == (140, 512, 512)
    assert thin.spacing_mm[2] == pytest.approx(1.0)
    k = np.rint((np.linalg.inv(thin.T_ct_from_ijk) @ thick.T_ct_from_ijk @ (0, 0, 14, 1))[2]).astype(int)
    np.testing.assert_allclose(thin.T_ct_from_ijk[:2], np.where(np.arange(4) == 2, 0, thick.T_ct_from_ijk[:2]), atol=1e-6)
    bone = [volume.hu[index] > 600 for volume, index in ((thin, k), (thick, 14))]
    assert (bone[0] & bone[1]).sum() / (bone[0] | bone[1]).sum() > 0.7
