"""Hounsfield units from stored values: every way of writing them gives the same bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import uid

from navtwin.errors import InputRefused
from navtwin.volumes.dicom.read import open_ct, read_dicom
from tests.volumes.dicom.made import SHAPE, Change, random_hu, series, write_slices

PLAIN = (uid.ImplicitVRLittleEndian, uid.ExplicitVRLittleEndian, uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian)
PACKED = (uid.RLELossless, uid.JPEGLossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEG2000Lossless)


@pytest.mark.parametrize("syntax", PLAIN + PACKED, ids=lambda s: s.name)
def test_every_lossless_syntax_gives_the_values_to_the_last_bit(tmp_path: Path, syntax: str) -> None:
    hu = random_hu(4)
    folder = write_slices(tmp_path, series(4, hu=hu), syntax)
    read = read_dicom(folder)
    assert read.hu.dtype == np.int16
    np.testing.assert_array_equal(read.hu, hu)
    assert pydicom.dcmread(folder / "000", stop_before_pixels=True).file_meta.TransferSyntaxUID == syntax


@pytest.mark.parametrize("syntax", (uid.ExplicitVRLittleEndian, *PACKED), ids=lambda s: s.name)
def test_signed_values(tmp_path: Path, syntax: str) -> None:
    hu = random_hu(3)

    def signed(k: int, ds: pydicom.Dataset) -> None:
        ds.PixelRepresentation, ds.RescaleIntercept = 1, 0
        ds.PixelData = hu[k].astype("<i2").tobytes()

    np.testing.assert_array_equal(read_dicom(write_slices(tmp_path, series(3, hu=hu, change=signed), syntax)).hu, hu)


@pytest.mark.parametrize("signed", (False, True))
def test_bits_beyond_the_stored_ones_are_left_out(tmp_path: Path, signed: bool) -> None:
    """12 bits with an overlay in the 4 above, as old scanners wrote."""
    stored = np.random.default_rng(2).integers(-2048 if signed else 0, 2048 if signed else 4096, (3, *SHAPE))
    overlay = np.random.default_rng(3).integers(0, 16, (3, *SHAPE)) << 12

    def twelve(k: int, ds: pydicom.Dataset) -> None:
        ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 12, 11, int(signed)
        ds.PixelData = ((stored[k] & 0xFFF) | overlay[k]).astype("<u2").tobytes()

    np.testing.assert_array_equal(read_dicom(write_slices(tmp_path, series(3, change=twelve))).hu, stored - 1024)


def test_a_high_bit_that_is_not_the_last_stored_one(tmp_path: Path) -> None:
    hu = random_hu(2) & 0xFFF

    def shifted(k: int, ds: pydicom.Dataset) -> None:
        ds.BitsStored, ds.HighBit, ds.RescaleIntercept = 12, 15, 0
        ds.PixelData = (hu[k].astype(np.uint16) << 4).astype("<u2").tobytes()

    np.testing.assert_array_equal(read_dicom(write_slices(tmp_path, series(2, change=shifted))).hu, hu)


def test_rescale_is_each_slices_own(tmp_path: Path) -> None:
    stored = np.random.default_rng(4).integers(0, 2000, (3, *SHAPE))

    def own(k: int, ds: pydicom.Dataset) -> None:
        ds.RescaleSlope, ds.RescaleIntercept = k + 1, -1024 * k
        ds.PixelData = stored[k].astype("<u2").tobytes()

    expected = stored * np.array([1, 2, 3])[:, None, None] - np.array([0, 1024, 2048])[:, None, None]
    np.testing.assert_array_equal(read_dicom(write_slices(tmp_path, series(3, change=own))).hu, expected)


def test_a_broken_slope_or_values_beyond_int16_make_float32(tmp_path: Path) -> None:
    stored = np.random.default_rng(5).integers(0, 65536, (2, *SHAPE))

    def half(k: int, ds: pydicom.Dataset) -> None:
        ds.RescaleSlope = 0.5
        ds.PixelData = stored[k].astype("<u2").tobytes()

    def wide(k: int, ds: pydicom.Dataset) -> None:
        ds.PixelData = stored[k].astype("<u2").tobytes()

    for name, change, expected in (("half", half, stored * 0.5 - 1024), ("wide", wide, stored - 1024.0)):
        read = read_dicom(write_slices(tmp_path / name, series(2, change=change)))
        assert read.hu.dtype == np.float32
        np.testing.assert_array_equal(read.hu, expected)


@pytest.mark.parametrize(("stored_bits", "padding"), ((16, 63536), (12, 63536), (16, 5000)))
def test_padding_that_would_look_like_bone_is_air(tmp_path: Path, stored_bits: int, padding: int) -> None:
    """63536 is -2000 written without a sign: rescaled, or cut to 12 bits, it would be bone."""
    hu = random_hu(2)
    stored = hu.astype(np.int32) + 1024
    stored[:, 0, :3] = padding

    def padded(k: int, ds: pydicom.Dataset) -> None:
        ds.BitsStored, ds.HighBit, ds.PixelPaddingValue = stored_bits, stored_bits - 1, padding
        ds.PixelData = stored[k].astype("<u2").tobytes()

    ct = open_ct(write_slices(tmp_path, series(2, change=padded)))
    assert (ct.volume.hu[:, 0, :3] == -1024).all()
    np.testing.assert_array_equal(ct.volume.hu[:, 1:], hu[:, 1:])
    assert any("padding" in sentence for sentence in ct.said)


def test_padding_below_air_is_left_as_other_programs_show_it(tmp_path: Path) -> None:
    hu = random_hu(2)
    hu[:, 0, 0] = -2000

    def signed(k: int, ds: pydicom.Dataset) -> None:
        ds.PixelRepresentation, ds.RescaleIntercept = 1, 0
        ds.PixelData = hu[k].astype("<i2").tobytes()
        ds.add_new("PixelPaddingValue", "SS", -2000)

    ct = open_ct(write_slices(tmp_path, series(2, hu=hu, change=signed)))
    np.testing.assert_array_equal(ct.volume.hu, hu)
    assert ct.said == ()


@pytest.mark.parametrize(
    ("change", "words"),
    (
        (lambda k, ds: delattr(ds, "RescaleSlope") if k == 1 else None, "no rescale slope and intercept in 001"),
        (lambda k, ds: setattr(ds, "RescaleType", "Z_EFF"), r"not in Hounsfield units in 000 \('Z_EFF'\)"),
        (lambda k, ds: setattr(ds, "RescaleSlope", 0), "rescale of no sense"),
        (
            lambda k, ds: setattr(ds, "PixelData", ds.PixelData[: 200 if k == 2 else 240]),
            "002 is cut or damaged: its pixels need 240 bytes, it states 200 and holds 200",
        ),
        (lambda k, ds: setattr(ds, "BitsAllocated", 32), "stores 16 bits of a value in 32"),
        (lambda k, ds: setattr(ds, "SamplesPerPixel", 3), "a colour picture"),
        (lambda k, ds: delattr(ds, "PixelRepresentation"), "does not say whether its values are signed"),
    ),
)
def test_what_has_no_hounsfield_units_is_refused_by_name(tmp_path: Path, change: Change, words: str) -> None:
    with pytest.raises(InputRefused, match=words):
        read_dicom(write_slices(tmp_path, series(3, change=change)))


def test_lossy_pictures_are_read_and_said_to_be(tmp_path: Path) -> None:
    def lossy(_: int, ds: pydicom.Dataset) -> None:
        ds.LossyImageCompression = "01"

    ct = open_ct(write_slices(tmp_path, series(2, change=lossy)))
    assert any("compressed with loss" in sentence for sentence in ct.said)
