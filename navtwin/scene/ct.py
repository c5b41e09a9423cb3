"""Read a CT volume, or a label volume of the same geometry. A file that cannot be placed in space is refused, never guessed.

NIfTI-1: affine in RAS mm, in the sform or the qform (https://nifti.nimh.nih.gov, nifti1.h). Everything leaves here in DICOM LPS mm.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.scene.model import VolumeBox

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

LPS_FROM_RAS = np.diag((-1.0, -1.0, 1.0, 1.0))
#: Cosine between voxel axes beyond which a volume counts as sheared (gantry tilt is 0.02 and more; float32 headers err by 1e-6).
SHEAR_TOLERANCE = 1e-3
#: Two geometries are the same when no corner differs by more than this share of the smallest voxel side.
GEOMETRY_TOLERANCE = 0.05
#: More than any CT; a header that claims more is damaged or hostile.
MOST_BYTES = 4 * 1024**3
_HEADER_BYTES = 352
#: What may follow the voxels.
_TRAILING_BYTES = 1024**2
_MM_OR_UNSTATED = (0, 2)


@dataclass(frozen=True)
class Volume:
    """A scanned volume.

    Attributes
    ----------
    hu : (nk, nj, ni) Hounsfield units, read-only; label numbers where the file is a label volume
    T_ct_from_ijk : (4, 4) affine from voxel indices (i, j, k) to ct (LPS, mm); may be left-handed
    spacing_mm : voxel sides along (i, j, k)
    path : where it was read from
    """

    hu: npt.NDArray[Any]
    T_ct_from_ijk: npt.NDArray[np.float64]
    spacing_mm: tuple[float, float, float]
    path: Path

    @property
    def shape_ijk(self) -> tuple[int, int, int]:
        nk, nj, ni = self.hu.shape
        return (ni, nj, nk)

    @property
    def box(self) -> VolumeBox:
        """Where in ct something is known."""
        return volume_box(self.T_ct_from_ijk, self.shape_ijk)


def volume_box(T_ct_from_ijk: npt.NDArray[np.float64], shape_ijk: tuple[int, int, int]) -> VolumeBox:
    rows: Any = tuple(tuple(float(v) for v in row) for row in np.linalg.inv(T_ct_from_ijk))
    return VolumeBox(rows, shape_ijk)


def read_ct(path: str | Path) -> Volume:
    """Read a CT from a NIfTI file (.nii, .nii.gz).

    Returns
    -------
    Volume : `hu[k, j, i]` as int16 where the file holds whole numbers of that range, else float32

    Raises
    ------
    InputRefused : missing, unreadable or cut file; not three-dimensional; no stated position in space; an affine that is not
        finite, singular or sheared; a unit other than mm
    """
    header, values = _read_nifti(Path(path))
    T_ct_from_ijk, spacing_mm = _placement(header, Path(path))
    hu = values.astype(np.int16 if _fits_int16(values) else np.float32, copy=False)
    if hu.dtype == np.float32 and not np.isfinite(hu).all():
        raise InputRefused(f"{path} holds voxels that are NaN or infinite", "export the CT again without masking")
    return _volume(hu, T_ct_from_ijk, spacing_mm, Path(path))


def read_labels(path: str | Path, like: Volume) -> Volume:
    """Read a label volume whose voxels are those of `like`.

    Raises
    ------
    InputRefused : as `read_ct`; other size or position than `like`; labels that are not whole numbers
    """
    header, values = _read_nifti(Path(path))
    T_ct_from_ijk, spacing_mm = _placement(header, Path(path))
    labels = _volume(values, T_ct_from_ijk, spacing_mm, Path(path))
    _refuse_other_geometry(labels, like)
    if values.dtype.kind not in "iu":
        whole = np.rint(values)
        if not (np.isfinite(values).all() and (values == whole).all()):
            raise InputRefused(f"{path} holds values that are not whole numbers", "pass a label volume, not probabilities or a CT")
        labels = _volume(whole.astype(np.int32), T_ct_from_ijk, spacing_mm, Path(path))
    return labels


def read_box(path: str | Path) -> VolumeBox:
    """Where a NIfTI volume lies, from its header alone."""
    header, _ = _read_header(Path(path))
    T_ct_from_ijk, _ = _placement(header, Path(path))
    ni, nj, nk = (int(n) for n in header.get_data_shape())
    return volume_box(T_ct_from_ijk, (ni, nj, nk))


def _volume(values: npt.NDArray[Any], T_ct_from_ijk: npt.NDArray[np.float64], spacing_mm: tuple[float, float, float], path: Path) -> Volume:
    for array in (values, T_ct_from_ijk):
        array.flags.writeable = False
    return Volume(values, T_ct_from_ijk, spacing_mm, path)


def _fits_int16(values: npt.NDArray[Any]) -> bool:
    if values.dtype.kind not in "iu":
        return False
    limits = np.iinfo(np.int16)
    return bool(values.min() >= limits.min and values.max() <= limits.max)


def _read_raw(path: Path, count: int) -> bytes:
    """At most `count` bytes of the (unpacked) file: a small archive may not swell without bound."""
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as stream:
            return stream.read(count)
    except FileNotFoundError as error:
        raise InputRefused(f"there is no file {path}", "check the path") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputRefused(f"cannot read {path}: it is cut, damaged or not allowed ({error})", "copy or download the file again") from error


def _read_header(path: Path) -> tuple[Nifti1Header, int]:
    """The header and how many bytes the whole file must have."""
    from nibabel.nifti1 import Nifti1Header
    from nibabel.spatialimages import HeaderDataError
    from nibabel.wrapstruct import WrapStructError

    remedy = "pass a NIfTI-1 file (.nii or .nii.gz)"
    raw = _read_raw(path, _HEADER_BYTES)
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


def _read_nifti(path: Path) -> tuple[Nifti1Header, npt.NDArray[Any]]:
    """Header and values as (nk, nj, ni)."""
    header, size = _read_header(path)
    # Read to the end of the stream: only there does gzip check its own checksum.
    raw = _read_raw(path, size + _TRAILING_BYTES)
    if not size <= len(raw) < size + _TRAILING_BYTES:
        raise InputRefused(f"{path} does not hold the {size} bytes that it claims: it is cut or damaged", "copy or download the file again")
    ni, nj, nk = header.get_data_shape()
    values = np.frombuffer(raw, header.get_data_dtype(), ni * nj * nk, int(header["vox_offset"])).reshape(nk, nj, ni)
    slope, intercept = header.get_slope_inter()
    if slope not in (None, 1.0) or intercept not in (None, 0.0):
        values = (values * np.float32(slope) + np.float32(intercept)).astype(np.float32)
        if (values == np.rint(values)).all():
            values = values.astype(np.int32)
    return header, values.astype(values.dtype.newbyteorder("="), copy=False)


def _placement(header: Nifti1Header, path: Path) -> tuple[npt.NDArray[np.float64], tuple[float, float, float]]:
    """T_ct_from_ijk and the voxel sides, or a refusal."""
    sform, qform = int(header["sform_code"]), int(header["qform_code"])
    if sform <= 0 and qform <= 0:
        raise InputRefused(f"{path} does not say where it lies (sform and qform codes are 0)", "export it again with its orientation")
    if int(header["xyzt_units"]) & 7 not in _MM_OR_UNSTATED:
        raise InputRefused(f"{path} is not in millimetres", "export it again in mm")
    try:
        T_ras_from_ijk = np.asarray(header.get_sform() if sform > 0 else header.get_qform(), dtype=np.float64)
    except (ValueError, np.linalg.LinAlgError) as error:
        raise InputRefused(f"{path} has a broken orientation: {error}", "export it again with its orientation") from error
    if not np.isfinite(T_ras_from_ijk).all():
        raise InputRefused(f"the affine of {path} holds NaN or infinite values", "export it again with its orientation")
    sides = np.linalg.norm(T_ras_from_ijk[:3, :3], axis=0)
    if sides.min() <= 1e-6 or abs(np.linalg.det(T_ras_from_ijk[:3, :3] / sides)) < 1e-6:
        raise InputRefused(f"the affine of {path} is singular", "export it again with its orientation")
    axes = T_ras_from_ijk[:3, :3] / sides
    shear = float(np.abs(axes.T @ axes - np.eye(3)).max())
    if shear > SHEAR_TOLERANCE:
        raise InputRefused(f"the affine of {path} is sheared (axes off square by {np.degrees(np.arcsin(min(shear, 1.0))):.2f} deg)",
                           "resample it to square axes (a tilted gantry must be corrected first)")  # fmt: skip
    return LPS_FROM_RAS @ T_ras_from_ijk, (float(sides[0]), float(sides[1]), float(sides[2]))


def _refuse_other_geometry(labels: Volume, like: Volume) -> None:
    remedy = "pass the label volume that was made from this CT, on its own voxels"
    if labels.shape_ijk != like.shape_ijk:
        theirs, ours = (" x ".join(map(str, v.shape_ijk)) for v in (labels, like))
        raise InputRefused(f"{labels.path} has {theirs} voxels, {like.path} has {ours}", remedy)
    corners = np.array([(i, j, k, 1.0) for i in (0, like.shape_ijk[0]) for j in (0, like.shape_ijk[1]) for k in (0, like.shape_ijk[2])])
    apart = np.linalg.norm(corners @ (labels.T_ct_from_ijk - like.T_ct_from_ijk).T, axis=1).max()
    if apart > GEOMETRY_TOLERANCE * min(like.spacing_mm):
        raise InputRefused(f"{labels.path} lies up to {apart:.3g} mm away from {like.path}", remedy)
