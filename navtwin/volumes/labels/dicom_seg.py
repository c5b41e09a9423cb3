"""DICOM segmentations (DICOM PS3.3 section A.51), by highdicom: each segment whole, whether it overlaps another or not.

Of a fractional segmentation the voxels of at least half the greatest fraction belong to a structure, and the reading says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from navtwin.errors import InputRefused
from navtwin.volumes.labels.dicom_file import SEGMENTATION, decoding, read_object
from navtwin.volumes.labels.scan import UNKNOWN, Scan, uid_hash
from navtwin.volumes.labels.segments import Layers, Segmentation
from navtwin.volumes.labels.tables import hex_color
from navtwin.volumes.volume import MOST_BYTES

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

#: The least share of a voxel, or probability, that counts.
HALF: Final = 0.5
#: The one packing of frames that needs no library of codecs in this process (PS3.5 A.4.2).
_RLE: Final = "1.2.840.10008.1.2.5"


def read_dicom_seg(path: Path, *, scan: Scan = UNKNOWN) -> Segmentation:
    """The segments of a DICOM segmentation on its own grid.

    Parameters
    ----------
    scan : what the CT is known by

    Raises
    ------
    InputRefused : damaged, no segmentation, pixels that do not match what it claims, frames that make no regular volume, drawn in another
        frame of reference
    """
    found = read_object(path, SEGMENTATION, "DICOM segmentation")
    with decoding(path):
        theirs = str(found.get("FrameOfReferenceUID", ""))
        if scan.frame and theirs and uid_hash(theirs) != scan.frame:
            raise InputRefused(f"{path} lies in another frame of reference ({theirs}) than the CT", "pass the CT that it was made from")
        _check_sizes(found, path)
        unsure = not (scan.frame and theirs)
        return _segmentation(found, path, (f"whether {path.name} belongs to this CT could not be told by a frame of reference",) if unsure else ())


def _check_sizes(found: Dataset, path: Path) -> None:
    """What is claimed against what is there, before anything is allocated."""
    rows, columns, frames = (int(found[word].value) for word in ("Rows", "Columns", "NumberOfFrames"))
    listed = len(found.PerFrameFunctionalGroupsSequence)
    if min(rows, columns, frames) < 1 or listed != frames:
        raise InputRefused(f"{path} claims {frames} frames of {rows} x {columns} and describes {listed}", "export it again where it was made")
    pixels = rows * columns * frames
    if pixels > MOST_BYTES:
        raise InputRefused(f"{path} claims {pixels} pixels", "it is damaged, or larger than any scan: export it again")
    syntax = found.file_meta.TransferSyntaxUID
    if syntax == _RLE:
        found.decompress(decoding_plugin="pydicom")
    elif syntax.is_encapsulated:
        raise InputRefused(f"the frames of {path} are packed as {syntax.name}", "export it uncompressed or with RLE")
    else:
        needed = (pixels * int(found.BitsAllocated) + 7) // 8
        if len(found.PixelData) < needed:
            raise InputRefused(f"{path} claims {needed} bytes of pixels and holds {len(found.PixelData)}", "it is cut: copy or download it again")


def _segmentation(found: Dataset, path: Path, remarks: tuple[str, ...]) -> Segmentation:
    from highdicom.color import CIELabColor
    from highdicom.seg import Segmentation as HighdicomSegmentation

    image: Any = HighdicomSegmentation.from_dataset(found, copy=False)
    grid = image.get_volume_geometry(allow_missing_positions=True)
    if grid is None:
        raise InputRefused(f"the frames of {path} make no volume of evenly spaced slices", "export it as one on the slices of the CT")
    if int(np.prod(grid.spatial_shape)) > MOST_BYTES:
        raise InputRefused(f"the frames of {path} span {' x '.join(map(str, grid.spatial_shape))} voxels", "it is damaged: export it again")
    layers = Layers(tuple(grid.spatial_shape))
    for one in found.SegmentSequence:
        number, lab = int(one.SegmentNumber), one.get("RecommendedDisplayCIELabValue")
        color = hex_color(*CIELabColor.from_dicom_value(lab).to_rgb(clip=True)) if lab is not None else ""
        values = image.get_volume(segment_numbers=[number], combine_segments=False, skip_overlap_checks=True).array[..., 0]
        layers.add(str(one.get("SegmentLabel", "")).strip() or f"segment_{number}", color, values >= (HALF if values.dtype.kind == "f" else 1))
    if str(found.get("SegmentationType", "")) == "FRACTIONAL":
        remarks = (*remarks, f"{path.name} holds fractions: voxels of {HALF:g} and more of the greatest were taken")
    # highdicom counts its axes (k, j, i); its affine leads to LPS mm.
    return layers.segmentation(np.ascontiguousarray(grid.affine[:, [2, 1, 0, 3]], dtype=np.float64), path, remarks, crops=True)
