"""Write a volume as NIfTI, NRRD or MetaImage: voxels to the last bit, in the type that they have, and their place as exactly as the format can say.

Formats: nifti1.h (https://nifti.nimh.nih.gov), https://teem.sourceforge.net/nrrd/format.html, https://itk.org/Wiki/ITK/MetaIO/Documentation.
"""

from __future__ import annotations

import gzip
import itertools
import zlib
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.files.write import whole_file
from navtwin.rigid import Rigid
from navtwin.volumes.metaimage import TYPES as METAIMAGE_TYPES
from navtwin.volumes.nifti import NIFTI1, TYPES, qform
from navtwin.volumes.volume import LPS_FROM_RAS, Affine, Volume, corner_distance_mm

_Word = TypeVar("_Word", int, str)

#: Noise does not pack: higher levels take up to five times as long and save 2 % of a CT.
_LEVEL: Final = 1
_NIFTI_DATA: Final = 352
_MM: Final = 2
_SCANNER: Final = 1
_NIFTI_CODES: Final = {kind: code for code, kind in TYPES.items()}
_MET_TYPES: Final = {kind: word for word, kind in METAIMAGE_TYPES.items()}
_NRRD_TYPES: Final = {
    "u1": "uint8", "i1": "int8", "i2": "int16", "u2": "uint16", "i4": "int32", "u4": "uint32", "i8": "int64", "u8": "uint64",
    "f4": "float", "f8": "double",
}  # fmt: skip
#: Share of the smallest voxel side that a qform may be off the sform, which is written in any case.
_QFORM_TOLERANCE: Final = 0.01


def write_nifti(volume: Volume, path: str | Path) -> None:
    """Write a NIfTI-1 file in mm, packed where the name ends with .gz.

    The place goes into the sform as float32, and into the qform too where a quaternion of float32 says it as well; reading it back gives the same
    voxels, and the affine rounded to float32.

    Raises
    ------
    InputRefused : a volume that the format cannot hold; no space to write to
    """
    path = Path(path)
    pieces = itertools.chain((_nifti_header(volume, path),), _planes(volume))
    with whole_file(path) as partial, partial.open("wb") as file, _packed(file) if path.suffix.lower() == ".gz" else nullcontext(file) as stream:
        for piece in pieces:
            stream.write(piece)


def write_nrrd(volume: Volume, path: str | Path) -> None:
    """Write an NRRD file (LPS, mm, packed); reading it back gives the same voxels and the same affine, both to the last bit.

    Raises
    ------
    InputRefused : a type of values that the format does not have; no space to write to
    """
    kind = _known(volume, _NRRD_TYPES)
    *axes, origin = (f"({','.join(repr(float(v)) for v in volume.T_ct_from_ijk[:3, column])})" for column in range(4))
    header = f"""NRRD0005
type: {kind}
dimension: 3
space: left-posterior-superior
sizes: {" ".join(map(str, volume.shape_ijk))}
space directions: {" ".join(axes)}
kinds: domain domain domain
endian: little
encoding: gzip
space units: "mm" "mm" "mm"
space origin: {origin}

"""
    with whole_file(Path(path)) as partial, partial.open("wb") as file:
        file.write(header.encode("ascii"))
        with _packed(file) as packed:
            for plane in _planes(volume):
                packed.write(plane)


def write_metaimage(volume: Volume, path: str | Path) -> None:
    """Write a MetaImage file (.mha: LPS, mm, packed); reading it back gives the same voxels, and the affine to a few units of its last digit.

    Raises
    ------
    InputRefused : a type of values that the format does not have; no space to write to
    """
    kind = _known(volume, _MET_TYPES)
    axes = volume.T_ct_from_ijk[:3, :3] / np.array(volume.spacing_mm)
    deflate = zlib.compressobj(_LEVEL)
    packed = [*(deflate.compress(plane) for plane in _planes(volume)), deflate.flush()]
    lines = {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "True",
        "CompressedDataSize": str(sum(map(len, packed))),
        "TransformMatrix": _spaced(axes.T.ravel()),
        "Offset": _spaced(volume.T_ct_from_ijk[:3, 3]),
        "CenterOfRotation": "0 0 0",
        "ElementSpacing": _spaced(volume.spacing_mm),
        "DistanceUnits": "mm",
        "DimSize": " ".join(map(str, volume.shape_ijk)),
        "ElementType": kind,
        "ElementDataFile": "LOCAL",
    }
    with whole_file(Path(path)) as partial, partial.open("wb") as file:
        file.write("".join(f"{key} = {value}\n" for key, value in lines.items()).encode("ascii"))
        file.writelines(packed)


def _packed(file: BinaryIO) -> gzip.GzipFile:
    # Neither name nor time: the same volume gives the same file.
    return gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=file, mtime=0)


def _planes(volume: Volume) -> Iterator[bytes]:
    for plane in volume.hu:
        yield np.ascontiguousarray(plane, dtype=plane.dtype.newbyteorder("<")).tobytes()


def _known(volume: Volume, kinds: Mapping[str, _Word]) -> _Word:
    """What a format calls the type of the voxels."""
    kind = volume.hu.dtype.str[1:]
    if kind not in kinds:
        raise InputRefused(f"voxels of type {volume.hu.dtype} cannot be written", f"make them one of {', '.join(kinds)}")
    return kinds[kind]


def _spaced(values: npt.ArrayLike) -> str:
    return " ".join(repr(float(value)) for value in np.asarray(values))


def _nifti_header(volume: Volume, path: Path) -> bytes:
    if max(volume.shape_ijk) > np.iinfo(np.int16).max:
        raise InputRefused(f"{' x '.join(map(str, volume.shape_ijk))} voxels cannot be written as NIfTI-1", "name a .nrrd file")
    T_ras_from_ijk = LPS_FROM_RAS @ volume.T_ct_from_ijk
    # Bytes of its own: those between the fields have to be 0 as well.
    header = bytearray(NIFTI1.itemsize)
    raw = np.frombuffer(header, dtype=NIFTI1.newbyteorder("<"))
    raw["sizeof_hdr"], raw["magic"] = 348, b"n+1\0"
    raw["dim"] = (3, *volume.shape_ijk, 1, 1, 1, 1)
    raw["datatype"], raw["bitpix"] = _known(volume, _NIFTI_CODES), volume.hu.dtype.itemsize * 8
    raw["vox_offset"], raw["scl_slope"], raw["xyzt_units"] = _NIFTI_DATA, 1.0, _MM
    raw["sform_code"], raw["srow"] = _SCANNER, T_ras_from_ijk[:3]
    axes = T_ras_from_ijk[:3, :3] / np.array(volume.spacing_mm)
    handed = 1.0 if np.linalg.det(axes) > 0.0 else -1.0
    raw["pixdim"] = (handed, *volume.spacing_mm, 0.0, 0.0, 0.0, 0.0)
    raw["quatern"] = _quaternion(axes * (1.0, 1.0, handed))
    raw["qoffset"] = T_ras_from_ijk[:3, 3]
    by_qform, _ = qform(raw[0], path)
    off_mm = corner_distance_mm(by_qform, T_ras_from_ijk, volume.shape_ijk)
    raw["qform_code"] = _SCANNER if off_mm <= _QFORM_TOLERANCE * min(volume.spacing_mm) else 0
    return bytes(header[:_NIFTI_DATA])


def _quaternion(axes: Affine) -> tuple[float, float, float]:
    """The vector part of the quaternion of the rotation that is nearest to three axes: a shear that is tolerated has to be left out."""
    left, _, right = np.linalg.svd(axes)
    matrix = np.eye(4)
    matrix[:3, :3] = left @ right
    return Rigid.from_matrix(matrix, target="ras", source="ijk").q_wxyz[1:]
