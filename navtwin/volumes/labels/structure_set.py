"""DICOM structure sets (RTSTRUCT): closed planar contours on the slices of a CT become its voxels.

DICOM PS3.3 section C.8.8.5 (structure set) and C.8.8.6 (ROI contour): corners in the patient's axes (LPS, mm). A contour belongs to the slice
that it lies on by its position. Contours of one structure on one slice count by the even-odd rule: a contour within another is a hole.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.volumes.labels.dicom_file import STRUCTURE_SET, decoding, read_object
from navtwin.volumes.labels.polygons import Unfillable, fill
from navtwin.volumes.labels.scan import UNKNOWN, Scan, uid_hash
from navtwin.volumes.labels.segments import Layers, Mask, Segmentation
from navtwin.volumes.labels.tables import hex_color
from navtwin.volumes.volume import Volume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

F64 = npt.NDArray[np.float64]

#: A contour belongs to a slice when no corner is farther from it than this, in slices. Positions have 16 digits at most; hands have none.
OFF_SLICE: Final = 0.1
_FEWEST_CORNERS: Final = 3


def read_structure_set(path: Path, ct: Volume, *, scan: Scan = UNKNOWN) -> Segmentation:
    """The structures of a structure set on the voxels of `ct`.

    Parameters
    ----------
    ct : the CT that the contours were drawn on
    scan : what the CT is known by

    Returns
    -------
    Segmentation : structures that cannot be placed (a point, an open line, a contour between two slices) are named in `unusable`

    Raises
    ------
    InputRefused : damaged, no structure set, drawn in another frame of reference
    """
    found = read_object(path, STRUCTURE_SET, "structure set")
    with decoding(path):
        remarks = _refuse_other_patient(found, path, ct, scan)
        named = {int(one.ROINumber): str(one.get("ROIName", "")).strip() for one in found.get("StructureSetROISequence", ())}
        layers = Layers(ct.hu.shape)
        unusable: dict[str, str] = {}
        for roi in found.get("ROIContourSequence", ()):
            number = int(roi.ReferencedROINumber)
            name = named.get(number) or f"roi_{number}"
            try:
                mask, remark = _mask(roi.get("ContourSequence", ()), ct)
            except Unfillable as why:
                unusable[name] = str(why)
                continue
            layers.add(name, _color(roi), mask)
            remarks += [f"'{name}' {remark}"] if remark else []
        for number, name in named.items():
            if number not in {int(roi.ReferencedROINumber) for roi in found.get("ROIContourSequence", ())}:
                unusable[name or f"roi_{number}"] = "it has no contours"
    return layers.segmentation(ct.T_ct_from_ijk, path, remarks, unusable)


def _refuse_other_patient(found: Dataset, path: Path, ct: Volume, scan: Scan) -> list[str]:
    """Contours are places in one frame of reference: in another they mean nothing."""
    theirs = {str(one.FrameOfReferenceUID) for one in found.get("ReferencedFrameOfReferenceSequence", ()) if "FrameOfReferenceUID" in one}
    theirs |= {str(one.ReferencedFrameOfReferenceUID) for one in found.get("StructureSetROISequence", ()) if "ReferencedFrameOfReferenceUID" in one}
    if not scan.frame or not theirs:
        which = f"{path.name} names no frame of reference" if scan.frame else f"the frame of reference of {ct.path.name} is not known"
        return [f"whether {path.name} was drawn on this CT could not be told: {which}"]
    if scan.frame not in {uid_hash(uid) for uid in theirs}:
        raise InputRefused(f"{path} was drawn in another frame of reference ({', '.join(sorted(theirs))}) than {ct.path}",
                           "pass the CT that it was drawn on")  # fmt: skip
    drawn_on = {str(one.value) for one in found.iterall() if one.keyword == "SeriesInstanceUID"} - {str(found.get("SeriesInstanceUID", ""))}
    if scan.series and drawn_on and scan.series not in {uid_hash(uid) for uid in drawn_on}:
        return [f"{path.name} was drawn on another series of the same frame of reference than {ct.path.name}: look whether they agree"]
    return []


def _color(roi: Dataset) -> str:
    parts = roi.get("ROIDisplayColor") or ()
    return hex_color(*(float(part) for part in parts)) if len(parts) == 3 else ""


def _mask(contours: Sequence[Dataset], ct: Volume) -> tuple[Mask, str]:
    """The voxels of one structure, and what was assumed."""
    if not contours:
        raise Unfillable("it has no contours")
    T_ijk_from_ct = np.asarray(np.linalg.inv(ct.T_ct_from_ijk), dtype=np.float64)
    by_slice: dict[int, list[F64]] = {}
    for n, contour in enumerate(contours, 1):
        corners = _corners_ijk(contour, n, T_ijk_from_ct)
        by_slice.setdefault(_slice_of(corners, n, ct), []).append(corners[:, :2])
    ni, nj, _ = ct.shape_ijk
    mask = np.zeros(ct.hu.shape, dtype=bool)
    pitch = _pitch(sorted(by_slice))
    for k, drawn in by_slice.items():
        filled = fill(drawn, (ni, nj))
        for like in range(max(k - (pitch - 1) // 2, 0), min(k + pitch // 2, len(mask) - 1) + 1):
            if like == k or like not in by_slice:
                mask[like] |= filled
    if not mask.any():
        raise Unfillable("its contours hold no voxel's centre: it is thinner than the voxels, or lies outside the scan")
    return mask, f"was drawn on every {pitch}th slice of the CT: the slices between are as the nearest drawn one" if pitch > 1 else ""


def _corners_ijk(contour: Dataset, n: int, T_ijk_from_ct: F64) -> F64:
    kind = str(contour.get("ContourGeometricType", ""))
    if kind != "CLOSED_PLANAR":
        raise Unfillable(f"contour {n} is {kind or 'of no stated type'}, not CLOSED_PLANAR")
    values: Any = np.array([float(v) for v in contour.get("ContourData") or ()])
    count = int(contour.get("NumberOfContourPoints") or len(values) // 3)
    if len(values) != 3 * count or count < _FEWEST_CORNERS:
        raise Unfillable(f"contour {n} claims {count} corners and holds {len(values) / 3:g}")
    if not np.isfinite(values).all() or np.abs(values).max() > 1e6:
        raise Unfillable(f"contour {n} has a corner that is no place in space")
    corners: F64 = values.reshape(-1, 3) @ T_ijk_from_ct[:3, :3].T + T_ijk_from_ct[:3, 3]
    return corners


def _slice_of(corners_ijk: F64, n: int, ct: Volume) -> int:
    heights = corners_ijk[:, 2]
    k = int(np.rint(heights.mean()))
    off = float(np.abs(heights - k).max())
    if np.ptp(heights) > 2 * OFF_SLICE:
        raise Unfillable(f"contour {n} is tilted: it runs across {np.ptp(heights):.2f} slices of the CT")
    if off > OFF_SLICE:
        raise Unfillable(f"contour {n} lies {off:.2f} slices ({off * ct.spacing_mm[2]:.2f} mm) off the nearest slice of the CT")
    if not 0 <= k < ct.shape_ijk[2]:
        beyond = -k if k < 0 else k - ct.shape_ijk[2] + 1
        raise Unfillable(f"contour {n} lies {beyond} slices beyond the CT")
    return k


def _pitch(drawn: list[int]) -> int:
    """How many slices apart contours usually are: a structure that is drawn on every third slice is not a pile of plates."""
    gaps = Counter(b - a for a, b in itertools.pairwise(drawn))
    return min(gaps, key=lambda gap: (-gaps[gap], gap)) if gaps else 1
