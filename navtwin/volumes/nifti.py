"""Read a NIfTI-1 volume: affine in RAS mm, in the sform or the qform (https://nifti.nimh.nih.gov, nifti1.h). Everything leaves here in LPS mm."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.files.guard import read_head
from navtwin.volumes.volume import LPS_FROM_RAS, MOST_BYTES, Affine, Volume, VolumeBox, placed, placement, volume_box

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

_HEADER_BYTES = 352
#: What may follow the voxels.
_TRAILING_BYTES = 1024**2
_MM_OR_UNSTATED = (0, 2)


def read_nifti(path: Path) -> Volume:
    """The volume of a NIfTI file, its values as they are after scaling."""
    header, size = _read_header(path)
    # Read to the end of the stream: only there does gzip check its own checksum.
    raw = read_head(path, size + _TRAILING_BYTES)
    if not size <= len(raw) < size + _TRAILING_BYTES:
        raise InputRefused(f"{path} does not hold the {size} bytes that it claims: it is cut or damaged", "copy or download the file again")
    ni, nj, nk = header.get_data_shape()
    values = np.frombuffer(raw, header.get_data_dtype(), ni * nj * nk, int(header["vox_offset"])).reshape(nk, nj, ni)
    slope, intercept = header.get_slope_inter()
    if slope not in (None, 1.0) or intercept not in (None, 0.0):
        values = (values * np.float32(slope) + np.float32(intercept)).astype(np.float32)
        if (values == np.rint(values)).all():
            values = values.astype(np.int32)
    return placed(values.astype(values.dtype.newbyteorder("="), copy=False), _affine(header, path), path)


def nifti_box(path: Path) -> VolumeBox:
    """Where a NIfTI volume lies, from its header alone."""
    header, _ = _read_header(path)
    T_ct_from_ijk = _affine(header, path)
    placement(T_ct_from_ijk, path)
    ni, nj, nk = (int(n) for n in header.get_data_shape())
    return volume_box(T_ct_from_ijk, (ni, nj, nk))


def _read_header(path: Path) -> tuple[Nifti1Header, int]:
    """The header and how many bytes the whole file must have."""
    from nibabel.nifti1 import Nifti1Header
    from nibabel.spatialimages import HeaderDataError
    from nibabel.wrapstruct import WrapStructError

    remedy = "pass a NIfTI-1 file (.nii or .nii.gz)"
    raw = read_head(path, _HEADER_BYTES)
    try:
        header = Nifti1Header(raw[:348])
        dtype, shape = header.get_data_dtype(), header.get_data_shape()
    except (WrapStructError, HeaderDataError, ValueError, KeyError) as error:
        raise InputRefused(f"{path} is not a NIfTI-1 volume", remedy) from error
    if raw[344:348] != b"n+1\x00":
        raise InputRefused(f"{path} is not a single-file NIfTI-1 volume", remedy)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3 or min(shape) < 2:
        raise InputRefused(f"{path} has {' x '.join(map(str, shape))} voxels", "pass one volume with three axes of two voxels or more")
    if dtype.kind not in "iuf":
        raise InputRefused(f"{path} holds values of type {dtype}", "pass a volume of plain numbers")
    size = int(header["vox_offset"]) + int(np.prod([int(n) for n in shape])) * dtype.itemsize
    if not _HEADER_BYTES <= size <= MOST_BYTES or header["vox_offset"] < 0:
        raise InputRefused(f"{path} claims {size} bytes of voxels", "the header is damaged: copy or export the file again")
    header.set_data_shape(shape)
    return header, size


def _affine(header: Nifti1Header, path: Path) -> Affine:
    """T_ct_from_ijk, or a refusal."""
    sform, qform = int(header["sform_code"]), int(header["qform_code"])
    if sform <= 0 and qform <= 0:
        raise InputRefused(f"{path} does not say where it lies (sform and qform codes are 0)", "export it again with its orientation")
    if int(header["xyzt_units"]) & 7 not in _MM_OR_UNSTATED:
        raise InputRefused(f"{path} is not in millimetres", "export it again in mm")
    try:
        T_ras_from_ijk: npt.NDArray[Any] = np.asarray(header.get_sform() if sform > 0 else header.get_qform(), dtype=np.float64)
    except (ValueError, np.linalg.LinAlgError) as error:
        raise InputRefused(f"{path} has a broken orientation: {error}", "export it again with its orientation") from error
    with np.errstate(invalid="ignore"):
        T_ct_from_ijk: Affine = LPS_FROM_RAS @ T_ras_from_ijk
    return T_ct_from_ijk
