"""DICOM files that the tests write themselves, by pydicom (and GDCM, where something is to be compressed)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, generate_uid

CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
SERIES = "1.2.826.0.1.1"
#: rows, columns; between rows, between columns
SHAPE = (10, 12)
SPACING_MM = (0.7, 0.5)
CORNER_MM = np.array([-30.0, 20.0, 100.0])
STEP_MM = 2.0

Change = Callable[[int, Dataset], None]


def field_hu(p_mm: np.ndarray) -> np.ndarray:
    """A linear field: linear interpolation gives it back exactly."""
    return p_mm @ (3.0, -5.0, 4.0) - 300.0


def pixel_places(position: np.ndarray, orientation: tuple[float, ...], shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """(rows, columns, 3) mm: PS3.3 equation C.7.6.2.1-1, pixel by pixel."""
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    j, i = np.mgrid[: shape[0], : shape[1]]
    return np.asarray(position) + i[..., None] * SPACING_MM[1] * row + j[..., None] * SPACING_MM[0] * column


def random_hu(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(-1024, 3071, (count, *SHAPE)).astype(np.int16)


def ct_slice(hu: np.ndarray, position: Any, orientation: tuple[float, ...] = AXIAL, number: int = 1) -> Dataset:
    """One slice, stored as hu + 1024 in 16 bits unsigned."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID, ds.SOPInstanceUID = CT, generate_uid()
    ds.ImageType, ds.Modality = ["ORIGINAL", "PRIMARY", "AXIAL"], "CT"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "1.2.826.0.1", SERIES, "1.2.826.0.2"
    ds.SeriesNumber, ds.InstanceNumber = 3, number
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Doe^Jane", "4711", "19700615", "F"
    ds.StudyDate, ds.StudyDescription, ds.SeriesDescription, ds.BodyPartExamined = "20200614", "Head CT", "bone", "HEAD"
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [float(f"{x:.9g}") for x in position], list(orientation)
    ds.PixelSpacing = list(SPACING_MM)
    ds.SliceThickness, ds.SpacingBetweenSlices, ds.GantryDetectorTilt = 7, 13, 0  # lies, never to be asked
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = hu.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = -1024, 1, "HU"
    ds.PixelData = (hu.astype(np.int32) + 1024).astype("<u2").tobytes()
    return ds


def write_slices(folder: Path, slices: list[Dataset], syntax: str = ExplicitVRLittleEndian) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for number, ds in enumerate(slices):
        write(folder / f"{number:03d}", ds, syntax)
    return folder


def write(path: Path, ds: Dataset, syntax: str = ExplicitVRLittleEndian) -> Path:
    """`ds` as a file, its pixels packed as `syntax` says."""
    packed = pydicom.uid.UID(syntax).is_compressed and not pydicom.uid.UID(syntax).is_deflated
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if packed else syntax
    if syntax == ExplicitVRBigEndian:
        ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
    ds.save_as(path, enforce_file_format=True)
    if packed:
        _pack(path, syntax)
        # GDCM rewrites positions and functional groups: only the pixels are its own.
        ds.PixelData, ds.file_meta.TransferSyntaxUID = pydicom.dcmread(path).PixelData, syntax
        ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
        ds.save_as(path, enforce_file_format=True)
    return path


def _pack(path: Path, syntax: str) -> None:
    import gdcm

    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(str(syntax))))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()


def series(
    count: int = 5, orientation: tuple[float, ...] = AXIAL, step: Any = None, hu: np.ndarray | None = None, change: Change | None = None
) -> list[Dataset]:
    """Slices `step` apart (default: along the normal) of the linear field, or of given values."""
    normal = np.cross(orientation[:3], orientation[3:])
    move = normal * STEP_MM if step is None else np.asarray(step)
    made = []
    for k in range(count):
        position = CORNER_MM + k * move
        values = np.rint(field_hu(pixel_places(position, orientation))) if hu is None else hu[k]
        made.append(ct_slice(values, position, orientation, k + 1))
        if change is not None:
            change(k, made[-1])
    return made


def moved(slices: list[Dataset], shifts_mm: dict[int, tuple[float, float, float]]) -> list[Dataset]:
    """The slices with some of them elsewhere, their pictures as the field has them there."""
    for k, shift in shifts_mm.items():
        position = np.array(slices[k].ImagePositionPatient, dtype=float) + shift
        values = np.rint(field_hu(pixel_places(position, tuple(map(float, slices[k].ImageOrientationPatient)))))
        slices[k].ImagePositionPatient = [float(f"{x:.9g}") for x in position]
        slices[k].PixelData = (values.astype(np.int32) + 1024).astype("<u2").tobytes()
    return slices


def enhanced(hu: np.ndarray, positions: Any, orientation: tuple[float, ...] = AXIAL) -> Dataset:
    """One enhanced multi-frame file."""
    ds = ct_slice(hu[0], positions[0], orientation)
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleIntercept", "RescaleSlope", "RescaleType"):
        delattr(ds, name)
    ds.SOPClassUID, ds.NumberOfFrames = ENHANCED_CT, len(hu)
    ds.PixelData = (hu.astype(np.int32) + 1024).astype("<u2").tobytes()
    ds.SharedFunctionalGroupsSequence = [
        _item(
            PixelMeasuresSequence=_item(PixelSpacing=list(SPACING_MM), SliceThickness=9),
            PlaneOrientationSequence=_item(ImageOrientationPatient=list(orientation)),
            PixelValueTransformationSequence=_item(RescaleIntercept=-1024, RescaleSlope=1, RescaleType="HU"),
        )
    ]
    ds.PerFrameFunctionalGroupsSequence = [_item(PlanePositionSequence=_item(ImagePositionPatient=[float(x) for x in p])) for p in positions]
    return ds


def _item(**values: Any) -> Dataset:
    ds = Dataset()
    for name, value in values.items():
        setattr(ds, name, Sequence([value]) if isinstance(value, Dataset) else value)
    return ds
