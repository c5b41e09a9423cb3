"""Read a CT, or a label volume, from any file that holds one. Which format it is shows in its content, never in its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.volumes.nifti import nifti_box, read_nifti
from navtwin.volumes.volume import Volume, VolumeBox, placed, refuse_other_geometry


def read_ct(path: str | Path, *, series: str | None = None, resample: bool = False) -> Volume:
    """Read a CT from a NIfTI file (.nii, .nii.gz) or a DICOM folder.

    Parameters
    ----------
    series : which DICOM series, by its number in the list or by UID; a folder with one CT needs none
    resample : mend by resampling what can be mended honestly (DICOM)

    Returns
    -------
    Volume : `hu[k, j, i]` as int16 where the file holds whole numbers of that range, else float32

    Raises
    ------
    InputRefused : missing, unreadable or cut file; not three-dimensional; no stated position in space; an affine that is not
        finite, singular or sheared; a unit other than mm
    """
    path = Path(path)
    if path.is_dir():
        from navtwin.volumes.dicom.read import read_dicom

        scanned: Volume = read_dicom(path, series=series, resample=resample)
        return scanned
    volume = read_nifti(path)
    hu = volume.hu.astype(np.int16 if _fits_int16(volume.hu) else np.float32, copy=False)
    if hu.dtype == np.float32 and not np.isfinite(hu).all():
        raise InputRefused(f"{path} holds voxels that are NaN or infinite", "export the CT again without masking")
    return placed(hu, volume.T_ct_from_ijk, path)


def read_label_volume(path: str | Path) -> Volume:
    """Read a label volume, on whatever grid it has.

    Raises
    ------
    InputRefused : as `read_ct`; labels that are not whole numbers
    """
    volume = read_nifti(Path(path))
    if volume.hu.dtype.kind in "iu":
        return volume
    whole = np.rint(volume.hu)
    if not (np.isfinite(volume.hu).all() and (volume.hu == whole).all()):
        raise InputRefused(f"{path} holds values that are not whole numbers", "pass a label volume, not probabilities or a CT")
    return placed(whole.astype(np.int32), volume.T_ct_from_ijk, volume.path)


def read_labels(path: str | Path, like: Volume) -> Volume:
    """Read a label volume whose voxels are those of `like`.

    Raises
    ------
    InputRefused : as `read_label_volume`; other size or position than `like`
    """
    labels = read_label_volume(path)
    refuse_other_geometry(labels, like)
    return labels


def read_box(path: str | Path) -> VolumeBox:
    """Where a volume lies, from its header alone."""
    return nifti_box(Path(path))


def _fits_int16(values: npt.NDArray[Any]) -> bool:
    if values.dtype.kind not in "iu":
        return False
    limits = np.iinfo(np.int16)
    return bool(values.min() >= limits.min and values.max() <= limits.max)
