"""What the header of a NIfTI file states. Its axes are RAS; everything leaves here in LPS mm.

Format: nifti1.h and nifti2.h, https://nifti.nimh.nih.gov. One-file volumes only (.nii, .nii.gz).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.files.guard import is_packed, read_head
from navtwin.rigid import Rigid
from navtwin.volumes.layout import UNIT_ASSUMED, Layout, layout, mm_per_unit, three_axes, unit_words
from navtwin.volumes.storage import Storage
from navtwin.volumes.volume import GEOMETRY_TOLERANCE, LPS_FROM_RAS, Affine, corner_distance_mm

#: Number in the header -> type of a voxel.
TYPES: Final = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
#: Lower bits of `xyzt_units`.
_UNITS: Final = {0: None, 1: "m", 2: "mm", 3: "um"}
_CODES: Final = {1: "scanner", 2: "aligned to another scan", 3: "Talairach", 4: "MNI", 5: "template"}
_ORIENT: Final = "export it again with its orientation"
#: Where less than this is left of 1 by a quaternion's vector part, it is a half turn (nifti1_io.c: quatern_to_mat44).
_HALF_TURN: Final = 1e-7
#: A quaternion whose vector part is longer than 1 by more than its digits allow is none.
_QUATERNION_TOLERANCE: Final = 1e-3


def _fields(*fields: tuple[str, str, int]) -> np.dtype[Any]:
    names, formats, offsets = zip(*fields, strict=True)
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": 540})


#: The fields that count here, and where they are: (name, type, byte).
NIFTI1: Final = _fields(
    ("sizeof_hdr", "i4", 0), ("bitpix", "i2", 72), ("magic", "S4", 344),
    ("dim", "8i2", 40), ("datatype", "i2", 70), ("pixdim", "8f4", 76), ("vox_offset", "f4", 108), ("scl_slope", "f4", 112), ("scl_inter", "f4", 116),
    ("xyzt_units", "u1", 123), ("qform_code", "i2", 252), ("sform_code", "i2", 254), ("quatern", "3f4", 256), ("qoffset", "3f4", 268),
    ("srow", "(3,4)f4", 280),
)  # fmt: skip
_NIFTI2: Final = _fields(
    ("dim", "8i8", 16), ("datatype", "i2", 12), ("pixdim", "8f8", 104), ("vox_offset", "i8", 168), ("scl_slope", "f8", 176), ("scl_inter", "f8", 184),
    ("xyzt_units", "i4", 500), ("qform_code", "i4", 344), ("sform_code", "i4", 348), ("quatern", "3f8", 352), ("qoffset", "3f8", 376),
    ("srow", "(3,4)f8", 400),
)  # fmt: skip


@dataclass(frozen=True)
class _Edition:
    name: str
    fields: np.dtype[Any]
    header_bytes: int
    least_offset: int


_EDITIONS: Final = {
    b"n+1\0": _Edition("NIfTI-1", NIFTI1, 348, 352),
    b"n+2\0": _Edition("NIfTI-2", _NIFTI2, 540, 544),
}
_PAIRED: Final = (b"ni1\0", b"ni2\0")


def begins(head: bytes) -> bool:
    """Whether a file that begins so (unpacked) is a NIfTI file, of one file or of two."""
    return _magic(head) in (*_EDITIONS, *_PAIRED)


def _magic(head: bytes) -> bytes:
    size = head[:4]
    place = 344 if 348 in (int.from_bytes(size, "little"), int.from_bytes(size, "big")) else 4
    return head[place : place + 4]


def nifti_layout(path: Path, unit: str | None = None) -> Layout:
    """What the header of a NIfTI file states.

    sform and qform may both be set; they have to agree, since nothing says which of them a program went by.

    Parameters
    ----------
    unit : of its lengths, where the header does not say it or is wrong about it

    Raises
    ------
    InputRefused : not one three-dimensional volume of plain numbers in one file; no place in space, two, or one that is damaged; lengths
        that are not mm
    """
    raw, edition, _ = _header(path)
    storage = nifti_storage(path)
    shape = three_axes(storage.shape, path)
    stated_unit = _UNITS.get(int(raw["xyzt_units"]) & 7, "a unit that there is not")
    mm = mm_per_unit(stated_unit, unit, path)
    T_ras_from_ijk, by, doubts = _affine(raw, shape, path)
    if stated_unit is None and unit is None:
        doubts.append(UNIT_ASSUMED)
    T_ct_from_ijk = LPS_FROM_RAS @ np.diag((mm, mm, mm, 1.0)) @ T_ras_from_ijk
    return layout(path, edition.name, storage, T_ct_from_ijk, mm, (("placed by", by), unit_words(stated_unit, unit)), doubts)


def nifti_storage(path: Path) -> Storage:
    """How the voxels of a NIfTI file are stored.

    Raises
    ------
    InputRefused : not one three-dimensional volume of plain numbers in one file, or a damaged header
    """
    raw, edition, order = _header(path)
    shape = three_axes(_dim(raw, path), path)
    code = int(raw["datatype"])
    if code not in TYPES:
        raise InputRefused(f"{path} holds values of NIfTI's type {code}", "pass a volume of plain numbers, one a voxel")
    offset = float(raw["vox_offset"])
    if not (edition.least_offset <= offset < 2**53 and offset.is_integer()):
        raise InputRefused(f"{path} claims that its voxels begin at byte {offset:g}", "the header is damaged: copy or export the file again")
    packed = is_packed(path)
    start, skip = (0, int(offset)) if packed else (int(offset), 0)
    return Storage(path, start, "gzip" if packed else "none", skip, np.dtype(TYPES[code]).newbyteorder(order), shape, *_scaling(raw))


def _header(path: Path) -> tuple[Any, _Edition, Literal["<", ">"]]:
    head = read_head(path, 540)
    magic = _magic(head)
    if magic in _PAIRED:
        raise InputRefused(f"{path} is one half of a NIfTI file of two (.hdr, .img)", "convert it to one .nii file")
    edition = _EDITIONS.get(magic)
    if edition is None or len(head) < edition.header_bytes:
        raise InputRefused(f"{path} is not a NIfTI volume, or is cut inside its header", "pass a NIfTI file (.nii or .nii.gz)")
    order: Literal["<", ">"] = "<" if int.from_bytes(head[:4], "little") == edition.header_bytes else ">"
    return np.frombuffer(head.ljust(540, b"\0"), dtype=edition.fields.newbyteorder(order))[0], edition, order


def _dim(raw: Any, path: Path) -> tuple[int, ...]:
    counts = [int(n) for n in raw["dim"]]
    if not 1 <= counts[0] <= 7:
        raise InputRefused(f"{path} claims {counts[0]} axes", "the header is damaged: copy or export the file again")
    return tuple(counts[1 : counts[0] + 1])


def _scaling(raw: Any) -> tuple[float, float]:
    """Slope and intercept; a slope of 0, or none (NaN), means that values are as stored."""
    slope, intercept = float(raw["scl_slope"]), float(raw["scl_inter"])
    return (1.0, 0.0) if slope == 0.0 or math.isnan(slope) else (slope, intercept)


def _affine(raw: Any, shape: tuple[int, int, int], path: Path) -> tuple[Affine, str, list[str]]:
    """T_ras_from_ijk in the file's unit, what it comes from, and doubts."""
    by_sform, by_qform = int(raw["sform_code"]) > 0, int(raw["qform_code"]) > 0
    if not (by_sform or by_qform):
        raise InputRefused(f"{path} does not say where it lies (sform and qform codes are 0)", _ORIENT)
    sides = np.asarray(raw["pixdim"][1:4], dtype=np.float64)
    doubts: list[str] = []
    if not by_sform:
        T_ras_from_ijk, unsure_rad = qform(raw, path)
        open_by = unsure_rad * float(np.linalg.norm(sides * shape))
        if open_by > GEOMETRY_TOLERANCE * float(sides.min()) and not _is_plain(T_ras_from_ijk[:3, :3] / sides):
            doubts.append(f"It has no sform, and the digits of its qform leave its turn open: by up to {open_by:.2g} of its units at a corner.")
        return T_ras_from_ijk, _named("qform", raw), doubts
    T_ras_from_ijk = np.eye(4)
    T_ras_from_ijk[:3] = raw["srow"]
    if not np.isfinite(T_ras_from_ijk).all():
        raise InputRefused(f"the affine of {path} holds NaN or infinite values", _ORIENT)
    lengths = np.linalg.norm(T_ras_from_ijk[:3, :3], axis=0)
    if not np.allclose(np.abs(sides), lengths, rtol=1e-3):
        doubts.append(f"Its voxel sides are {_words(sides)} by pixdim, but {_words(lengths)} by the affine, which counts.")
    if not by_qform:
        return T_ras_from_ijk, _named("sform", raw), doubts
    other, unsure_rad = qform(raw, path)
    apart = corner_distance_mm(T_ras_from_ijk, other, shape)
    reach = float(np.linalg.norm(lengths * shape))
    if apart > max(GEOMETRY_TOLERANCE * float(lengths.min()), unsure_rad * reach):
        raise InputRefused(
            f"{path} says twice where it lies, and not alike: sform ({_code(raw, 'sform')}) and qform ({_code(raw, 'qform')}) "
            f"differ by up to {apart:.3g} of its units",
            "set the code of the one that does not hold to 0, or export it again from the scanner's images",
        )
    return T_ras_from_ijk, f"{_named('sform', raw)}; the qform agrees", doubts


def qform(raw: Any, path: Path) -> tuple[Affine, float]:
    """T_ras_from_ijk by the quaternion of a header, and how far it is unsure, rad.

    A quaternion's scalar part is not stored. It is the root of what the others leave of 1, so that near a half turn, where it is almost 0, the
    rounding of the others to the header's digits makes it unsure by far more than a digit.
    """
    vector = np.asarray(raw["quatern"], dtype=np.float64)
    sides = np.asarray(raw["pixdim"][1:4], dtype=np.float64)
    at = np.asarray(raw["qoffset"], dtype=np.float64)
    left = 1.0 - float(vector @ vector)
    if not (np.isfinite([*vector, *sides, *at]).all() and left > -_QUATERNION_TOLERANCE and (sides > 0.0).all()):
        raise InputRefused(f"{path} has a broken orientation in its qform", _ORIENT)
    b, c, d = (float(v) for v in vector)
    handed = -1.0 if float(raw["pixdim"][0]) < 0.0 else 1.0
    scalar = math.sqrt(left) if left >= _HALF_TURN else 0.0
    rotation = Rigid.from_quaternion((scalar, b, c, d), (0.0, 0.0, 0.0), target="ras", source="ijk").matrix()
    T_ras_from_ijk: npt.NDArray[np.float64] = rotation @ np.diag((*sides[:2], handed * sides[2], 1.0))
    T_ras_from_ijk[:3, 3] = at
    rounding = 2.0 * float(np.abs(vector).sum()) * float(np.finfo(raw["quatern"].dtype).eps)
    unsure = math.sqrt(max(left + rounding, 0.0)) - math.sqrt(max(left - rounding, 0.0))
    return T_ras_from_ijk, 2.0 * unsure


def _is_plain(axes: npt.NDArray[np.float64]) -> bool:
    """Whether axes run along those of the patient: there, digits leave nothing open."""
    return bool((np.sort(np.abs(axes), axis=0)[:2] < 1e-6).all())


def _named(form: str, raw: Any) -> str:
    return f"{form} ({_code(raw, form)})"


def _code(raw: Any, form: str) -> str:
    code = int(raw[f"{form}_code"])
    return _CODES.get(code, f"code {code}")


def _words(sides: npt.NDArray[np.float64]) -> str:
    return " x ".join(f"{side:.4g}" for side in sides)
