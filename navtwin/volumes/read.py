"""Read a CT, or a label volume, from any file that holds one. Which format it is shows in its content, never in its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.files.guard import is_packed, read_head
from navtwin.volumes import metaimage, nifti, nrrd
from navtwin.volumes.layout import Layout, read_values
from navtwin.volumes.storage import Storage
from navtwin.volumes.volume import Volume, VolumeBox, placed, refuse_other_geometry

#: What a DICOM file says behind its preamble of 128 bytes.
_DICOM: Final = b"DICM"


def layout_of(path: Path, *, space: str | None = None, unit: str | None = None) -> Layout:
    """What the header of a volume file states: NIfTI, NRRD or MetaImage.

    Parameters
    ----------
    space : LPS or RAS, where the file does not say which its axes are
    unit : mm, cm, m or um, where the file does not say it or is wrong about it

    Raises
    ------
    InputRefused : missing, unreadable or cut file; no volume; not three-dimensional; no stated place in space, or a damaged one
    """
    with np.errstate(over="ignore", invalid="ignore"):  # numbers that leave the range of doubles are refused by name
        return _layout(path, space, unit)


def storage_of(path: Path) -> Storage:
    """How the voxels of a volume file are stored, wherever they lie.

    Raises
    ------
    InputRefused : missing, unreadable or cut file; no volume of plain numbers
    """
    match _format(path):
        case "NIfTI":
            return nifti.nifti_storage(path)
        case "NRRD":
            return nrrd.nrrd_storage(nrrd.nrrd_header(path))
        case "MetaImage":
            return metaimage.metaimage_storage(metaimage.metaimage_header(path))


def _layout(path: Path, space: str | None, unit: str | None) -> Layout:
    match _format(path):
        case "NIfTI":
            _refuse_idle({"--space": space}, path, "NIfTI, whose axes are RAS")
            return nifti.nifti_layout(path, unit)
        case "NRRD":
            return nrrd.nrrd_layout(path, space, unit)
        case "MetaImage":
            return metaimage.metaimage_layout(path, space, unit)


def _format(path: Path) -> Literal["NIfTI", "NRRD", "MetaImage"]:
    head = read_head(path, 4096)
    if nifti.begins(head):
        return "NIfTI"
    if is_packed(path):
        raise InputRefused(f"{path} is not a NIfTI volume, but something else packed with gzip", "unpack it first")
    if nrrd.begins(head):
        return "NRRD"
    if metaimage.begins(head):
        return "MetaImage"
    raise InputRefused(f"{path} is not a NIfTI, NRRD or MetaImage volume", "check that it is the right file, and whole")


def read_ct(
    path: str | Path, *, series: str | None = None, resample: bool = False, space: str | None = None, unit: str | None = None
) -> Volume:  # fmt: skip
    """Read a CT from a NIfTI, NRRD or MetaImage file, or from DICOM (a folder, file or archive).

    Parameters
    ----------
    series : which DICOM series, by its number in the list or by UID; a folder with one CT needs none
    resample : mend by resampling what can be mended honestly (DICOM)
    space, unit : as `layout_of`

    Returns
    -------
    Volume : `hu[k, j, i]` as int16 where the file holds whole numbers of that range, else float32

    Raises
    ------
    InputRefused : missing, unreadable or cut file; not three-dimensional; no stated position in space; an affine that is not
        finite, singular or sheared; a unit other than mm; voxels that are not finite; an option that says nothing to such a file
    """
    path = Path(path)
    if _is_dicom(path):
        from navtwin.volumes.dicom.read import read_dicom

        _refuse_idle({"--space": space, "--unit": unit}, path, "DICOM, which states both")
        scanned: Volume = read_dicom(path, series=series, resample=resample)
        return scanned
    _refuse_idle({"--series": series, "--resample": resample}, path, "no DICOM")
    volume = read_values(layout_of(path, space=space, unit=unit))
    with np.errstate(over="ignore"):
        hu = volume.hu.astype(np.int16 if _fits_int16(volume.hu) else np.float32, copy=False)
    if hu.dtype == np.float32 and not np.isfinite(hu).all():
        raise InputRefused(f"{path} holds voxels that are NaN or infinite", "export the CT again without masking")
    return placed(hu, volume.T_ct_from_ijk, path)


def read_label_volume(path: str | Path, *, space: str | None = None, unit: str | None = None) -> Volume:
    """Read a label volume, on whatever grid it has. Whole numbers keep the type in which they are stored.

    Raises
    ------
    InputRefused : as `layout_of`; labels that are not whole numbers
    """
    volume = read_values(layout_of(Path(path), space=space, unit=unit))
    if volume.hu.dtype.kind in "iu":
        return volume
    whole = np.rint(volume.hu)
    if not (np.isfinite(whole).all() and (volume.hu == whole).all() and np.abs(whole).max() < 2**31):
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
    return layout_of(Path(path)).box


def _is_dicom(path: Path) -> bool:
    from navtwin.files.archive import is_archive

    return path.is_dir() or read_head(path, 132)[128:] == _DICOM or is_archive(path)


def _refuse_idle(given: Mapping[str, object], path: Path, what: str) -> None:
    """Refuse an option that means nothing here: it would be a wish that is silently not granted."""
    for flag, value in given.items():
        if value:
            raise InputRefused(f"{flag} says nothing to {path}: it is {what}", "leave it out")


def _fits_int16(values: npt.NDArray[Any]) -> bool:
    if values.dtype.kind not in "iu":
        return False
    limits = np.iinfo(np.int16)
    return bool(values.min() >= limits.min and values.max() <= limits.max)
