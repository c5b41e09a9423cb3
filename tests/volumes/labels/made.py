"""A small scan as a DICOM series, with segmentations and structure sets of it, written by highdicom and pydicom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, RTStructureSetStorage, generate_uid

from navtwin.volumes.volume import Volume, placed

FRAME, SERIES, STUDY = "1.2.3.4", "1.2.3.5", "1.2.3.6"
SHAPE_IJK = (24, 20, 10)
SPACING_MM = (0.8, 0.8, 2.0)
ORIGIN_MM = (-12.0, 30.0, -100.0)


def T_ct_from_ijk() -> npt.NDArray[np.float64]:
    T = np.diag((*SPACING_MM, 1.0))
    T[:3, 3] = ORIGIN_MM
    return T


def scan() -> Volume:
    """The CT as `read_ct` would give it."""
    ni, nj, nk = SHAPE_IJK
    return placed(np.zeros((nk, nj, ni), dtype=np.int16), T_ct_from_ijk(), Path("scan"))


def _blank(sop_class: str, uid: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, uid  # type: ignore[assignment]
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = sop_class, uid
    made.StudyInstanceUID, made.FrameOfReferenceUID = STUDY, FRAME
    made.PatientID, made.PatientName, made.PatientBirthDate, made.PatientSex = "17", "Made^Up", "19600102", "F"
    made.StudyID, made.AccessionNumber, made.StudyDate, made.StudyTime, made.ReferringPhysicianName = "1", "", "20200102", "120000", ""
    return made


def ct_slices() -> list[FileDataset]:
    """One data set a slice, of air."""
    ni, nj, nk = SHAPE_IJK
    slices = []
    for k in range(nk):
        one = _blank(CTImageStorage, generate_uid(entropy_srcs=[str(k)]))
        one.SeriesInstanceUID, one.Modality, one.InstanceNumber, one.SeriesNumber = SERIES, "CT", k + 1, 1
        one.Rows, one.Columns, one.SamplesPerPixel, one.PhotometricInterpretation = nj, ni, 1, "MONOCHROME2"
        one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, 1
        one.PixelSpacing, one.SliceThickness = [SPACING_MM[1], SPACING_MM[0]], SPACING_MM[2]
        one.ImagePositionPatient = [ORIGIN_MM[0], ORIGIN_MM[1], ORIGIN_MM[2] + k * SPACING_MM[2]]
        one.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        one.RescaleSlope, one.RescaleIntercept, one.PatientAge, one.StudyDescription = 1, 0, "060Y", "Spine"
        one.PixelData = np.full((nj, ni), -1000, dtype=np.int16).tobytes()
        slices.append(one)
    return slices


def write_slices(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for n, one in enumerate(ct_slices()):
        one.save_as(folder / f"{n:03}.dcm", enforce_file_format=True)
    return folder


def masks() -> dict[str, npt.NDArray[np.bool_]]:
    """Three structures (nk, nj, ni): the cord lies within the bone, the vessel leaves the scan."""
    ni, nj, nk = SHAPE_IJK
    k, j, i = np.meshgrid(np.arange(nk), np.arange(nj), np.arange(ni), indexing="ij")
    bone = ((i - 9) / 6.0) ** 2 + ((j - 10) / 7.0) ** 2 < 1.0
    return {"bone": bone & (k > 1) & (k < 8), "cord": (abs(i - 9) < 3) & (abs(j - 10) < 3) & (k > 2) & (k < 7), "vessel": (i > 18) & (abs(j - 9) < 4)}


COLORS_LAB = {"bone": (60000, 33000, 34000), "cord": (50000, 45000, 40000), "vessel": (35000, 55000, 50000)}


def write_dicom_seg(path: Path, kind: str = "BINARY", array: npt.NDArray[Any] | None = None, **options: Any) -> Path:
    """All three structures, overlapping, as highdicom writes them."""
    import highdicom as hd
    from highdicom.sr.coding import CodedConcept

    concept = CodedConcept("123037004", "SCT", "Anatomical Structure")
    described = [
        hd.seg.SegmentDescription(n, name, concept, concept, hd.seg.SegmentAlgorithmTypeValues.MANUAL, tracking_uid=generate_uid(), tracking_id=name)
        for n, name in enumerate(masks(), 1)
    ]
    for one in described:
        one.RecommendedDisplayCIELabValue = list(COLORS_LAB[one.SegmentLabel])
    pixels = np.stack(list(masks().values()), axis=-1).astype(np.uint8) if array is None else array
    made = hd.seg.Segmentation(
        ct_slices(), pixels, kind, described, generate_uid(), 2, generate_uid(), 1, "made", "up", "1", "1", **options
    )  # fmt: skip
    made.save_as(path)
    return path


def structure_set(contours: dict[str, list[npt.NDArray[np.float64]]], *, frame: str = FRAME, kind: str = "CLOSED_PLANAR") -> FileDataset:
    """A structure set of contours (N, 3) in LPS mm."""
    made = _blank(RTStructureSetStorage, "1.2.3.7")
    made.SeriesInstanceUID, made.Modality = "1.2.3.8", "RTSTRUCT"
    referenced = Dataset()
    referenced.FrameOfReferenceUID = frame
    made.ReferencedFrameOfReferenceSequence = [referenced]
    made.StructureSetROISequence, made.ROIContourSequence = [], []
    for number, (name, drawn) in enumerate(contours.items(), 1):
        roi, of_roi = Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, name, frame
        of_roi.ReferencedROINumber, of_roi.ROIDisplayColor = number, [10 * number, 200, 30]
        of_roi.ContourSequence = []
        for corners in drawn:
            one = Dataset()
            one.ContourGeometricType, one.NumberOfContourPoints = kind, len(corners)
            one.ContourData = [f"{v:.10g}" for v in corners.ravel()]
            of_roi.ContourSequence.append(one)
        made.StructureSetROISequence.append(roi)
        made.ROIContourSequence.append(of_roi)
    return made


def write_structure_set(path: Path, contours: dict[str, list[npt.NDArray[np.float64]]], **options: str) -> Path:
    structure_set(contours, **options).save_as(path, enforce_file_format=True)
    return path


def to_mm(corners_ij: npt.ArrayLike, k: float) -> npt.NDArray[np.float64]:
    """Corners (N, 2) of slice k in LPS mm."""
    ij = np.asarray(corners_ij, dtype=np.float64)
    return np.column_stack([ij, np.full(len(ij), k)]) * SPACING_MM + ORIGIN_MM
