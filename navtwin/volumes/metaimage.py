"""What the header of a MetaImage volume states (.mha, .mhd). Its world is ITK's: LPS, mm.

Format: https://itk.org/Wiki/ITK/MetaIO/Documentation. `AnatomicalOrientation` is not used: programs disagree on what it names, where an axis comes
from or where it goes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from navtwin.errors import InputRefused
from navtwin.files.guard import reading
from navtwin.files.header_text import Header, data_file, numbers, whole_numbers
from navtwin.files.metaimage import LOCAL, begins, read_header
from navtwin.volumes.axes import lps_from
from navtwin.volumes.layout import UNIT_ASSUMED, Layout, layout, mm_per_unit, three_axes, unit_words
from navtwin.volumes.storage import Storage, read_volume_header
from navtwin.volumes.volume import Affine

__all__ = ["begins", "metaimage_header", "metaimage_layout", "metaimage_storage"]

#: MET_LONG is left out: it has 4 or 8 bytes, by the machine that wrote it.
TYPES: Final = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip
_MATRIX: Final = ("TransformMatrix", "Rotation", "Orientation")
_ORIGIN: Final = ("Offset", "Position", "Origin")
_MSB: Final = ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
_UNIT_LENGTH_TOLERANCE: Final = 1e-3


def metaimage_header(path: Path) -> Header:
    """Read the header of a MetaImage volume.

    Raises
    ------
    InputRefused : as `navtwin.files.metaimage.read_header`; a tracker's recording
    """
    return read_volume_header(path, read_header)


def metaimage_layout(path: Path, space: str | None = None, unit: str | None = None) -> Layout:
    """What the header of a MetaImage volume states, its voxels in the same file or beside it.

    Raises
    ------
    InputRefused : not one three-dimensional volume of plain numbers; no place in space; no directions and no `space`
    """
    header = metaimage_header(path)
    storage = metaimage_storage(header)
    axes = whole_numbers(header.needed("NDims"), "NDims", path)
    sizes = header.needed("DimSize").split()
    if axes != (len(sizes),):
        raise InputRefused(
            f"{path} has {len(sizes)} sizes in DimSize, but NDims = {header.needed('NDims')}", "the header is damaged: export it again"
        )
    word = header.value("DistanceUnits")
    word = None if word in (None, "", "?") else word
    T_world_from_ijk = _affine(header, len(sizes), space)
    T_ct_from_world, world = lps_from(None, space or "LPS", path)
    stated = [
        ("placed by", f"{'TransformMatrix and Offset' if header.value(*_MATRIX) else 'Offset'}, {world}"),
        unit_words(word, unit),
    ]
    if storage.data != path:
        stated.append(("voxels in", storage.data.name))
    stated += [(f"{key} (not used)", value) for key in ("AnatomicalOrientation",) if (value := header.value(key))]
    mm = mm_per_unit(word, unit, path)
    T_world_from_ijk[:3] *= mm
    return layout(path, "MetaImage", storage, T_ct_from_world @ T_world_from_ijk, mm, stated, _doubts(header, space, word or unit))


def _refuse_unusual(header: Header) -> None:
    """Refuse what a volume may have by the format, but no program here can be sure of."""
    path = header.what
    if (kind := header.value("ObjectType") or "Image") != "Image":
        raise InputRefused(f"{path} is a MetaIO {kind[:40]}, not an image", "pass a volume")
    if (channels := header.value("ElementNumberOfChannels") or "1") != "1":
        raise InputRefused(f"{path} holds {channels[:20]} values a voxel", "pass one volume with one value a voxel")
    if not _said(header, ("BinaryData",), default=True):
        raise InputRefused(f"{path} has its voxels as text", "save it with BinaryData = True")
    slope = header.value("ElementToIntensityFunctionSlope") or "1"
    intercept = header.value("ElementToIntensityFunctionOffset") or "0"
    if (*numbers(slope, 1, "the slope", path), *numbers(intercept, 1, "the offset of values", path)) != (1.0, 0.0):
        raise InputRefused(f"{path} scales its values (ElementToIntensityFunction), which some programs heed and others do not",
                           "export it with the final values in it")  # fmt: skip


def metaimage_storage(header: Header) -> Storage:
    """How the voxels of a MetaImage file are stored.

    Raises
    ------
    InputRefused : not one three-dimensional volume of plain numbers; a line that is missing, not understood or contradictory; a data file
        that is not in the folder
    """
    path = header.what
    _refuse_unusual(header)
    shape = three_axes(whole_numbers(header.needed("DimSize"), "DimSize", path), path)
    kind = TYPES.get(header.needed("ElementType"))
    if kind is None:
        raise InputRefused(f"{path} holds values of type '{header.needed('ElementType')[:40]}'", f"ElementType has to be one of {', '.join(TYPES)}")
    dtype = np.dtype(kind)
    if dtype.itemsize > 1:
        if header.value(*_MSB) is None:
            raise InputRefused(f"{path} does not say its byte order", "add the line that is true: BinaryDataByteOrderMSB = False, or = True")
        dtype = dtype.newbyteorder(">" if _said(header, _MSB, default=False) else "<")
    name = header.needed("ElementDataFile")
    if name.startswith("LIST") or "%" in name:
        raise InputRefused(f"{path} has its voxels in many files", "save it as one .mha file")
    data, start = (path, header.data_offset) if name in LOCAL else (data_file(path, name), 0)
    packed = _said(header, ("CompressedData",), default=False)
    storage = Storage(data, start, "zlib" if packed else "none", 0, dtype, shape)
    (skip,) = _one(header, "HeaderSize", 0)
    with reading(data):
        there = data.stat().st_size - start
    if packed and _one(header, "CompressedDataSize", 0)[0] > there:
        raise InputRefused(f"{data} does not hold the packed voxels that its header claims: it is cut", "copy or download the file again")
    if skip < -1 or (skip == -1 and packed):
        raise InputRefused(f"{path}: HeaderSize is {skip}", "the header is damaged: export the file again")
    # -1: the voxels are the last bytes of the file.
    return Storage(data, start + (max(there - storage.size, 0) if skip == -1 else skip), storage.packing, 0, dtype, shape)


def _affine(header: Header, axes: int, space: str | None) -> Affine:
    """T_world_from_ijk in the file's unit."""
    path = header.what
    matrix = header.value(*_MATRIX)
    if matrix is None and space is None:
        raise InputRefused(f"{path} does not say how its axes lie (no TransformMatrix)",
                           "pass --space LPS if i, j, k run to left, posterior, superior; --space RAS if to right, anterior, superior")  # fmt: skip
    origin = header.value(*_ORIGIN)
    if origin is None:
        raise InputRefused(f"{path} does not say where it lies (no Offset)", "export it again with its position")
    spacing = np.array(numbers(header.needed("ElementSpacing"), axes, "ElementSpacing", path)[:3])
    if not (spacing > 0.0).all():
        raise InputRefused(f"{path} has voxel sides {' x '.join(f'{side:g}' for side in spacing)}", "the header is damaged: export it again")
    # The first three numbers are the direction of the first axis.
    turned = np.eye(3) if matrix is None else np.array(numbers(matrix, axes * axes, _MATRIX[0], path)).reshape(axes, axes)[:3, :3].T
    lengths = np.linalg.norm(turned, axis=0)
    if np.abs(lengths - 1.0).max() > _UNIT_LENGTH_TOLERANCE:
        raise InputRefused(
            f"{path} has axes of lengths {' x '.join(f'{v:.4g}' for v in lengths)} in its TransformMatrix", "they have to be 1: export it again"
        )
    T_world_from_ijk = np.eye(4)
    T_world_from_ijk[:3, :3] = turned * spacing
    T_world_from_ijk[:3, 3] = numbers(origin, axes, _ORIGIN[0], path)[:3]
    return T_world_from_ijk


def _doubts(header: Header, space: str | None, unit: str | None) -> list[str]:
    doubts = []
    if space is None:
        doubts.append("A MetaImage cannot say whether its axes are LPS or RAS; LPS is taken, as ITK does. Pass --space RAS if that is wrong.")
    if unit is None:
        doubts.append(UNIT_ASSUMED)
    center = header.value("CenterOfRotation")
    if center is not None and any(word.strip("-+.0eE") for word in center.split()):
        doubts.append("It states a CenterOfRotation, which is not used, as ITK does not.")
    return doubts


def _one(header: Header, name: str, default: int) -> tuple[int]:
    value = header.value(name)
    count = whole_numbers(value, name, header.what) if value else (default,)
    if len(count) != 1:
        raise InputRefused(f"{header.what}: {name} is '{(value or '')[:40]}'", "the header is damaged: export the file again")
    return (count[0],)


def _said(header: Header, names: tuple[str, ...], *, default: bool) -> bool:
    value = header.value(*names)
    if value is None:
        return default
    if value.lower() not in ("true", "false", "1", "0"):
        raise InputRefused(f"{header.what}: {names[0]} is '{value[:40]}'", "it has to be True or False")
    return value.lower() in ("true", "1")
