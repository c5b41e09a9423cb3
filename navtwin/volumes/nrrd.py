"""What the header of an NRRD volume states. Axes as its `space` says, everything leaves here in LPS mm.

Format: https://teem.sourceforge.net/nrrd/format.html.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from navtwin.errors import InputRefused
from navtwin.files.guard import reading
from navtwin.files.header_text import Header, data_file, numbers, whole_numbers
from navtwin.files.nrrd import begins, read_header
from navtwin.volumes.axes import lps_from
from navtwin.volumes.layout import UNIT_ASSUMED, Layout, layout, mm_per_unit, three_axes, unit_words
from navtwin.volumes.storage import Packing, Storage, read_volume_header
from navtwin.volumes.volume import Affine

__all__ = ["begins", "nrrd_affine", "nrrd_header", "nrrd_layout", "nrrd_storage"]

_MOST_LINES: Final = 10_000
_LINE_BYTES: Final = 64 * 1024
_TYPES: Final = {
    name: kind
    for kind, names in {
        "i1": "signed char|int8|int8_t",
        "u1": "uchar|unsigned char|uint8|uint8_t",
        "i2": "short|short int|signed short|signed short int|int16|int16_t",
        "u2": "ushort|unsigned short|unsigned short int|uint16|uint16_t",
        "i4": "int|signed int|int32|int32_t",
        "u4": "uint|unsigned int|uint32|uint32_t",
        "i8": "longlong|long long|long long int|signed long long|signed long long int|int64|int64_t",
        "u8": "ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t",
        "f4": "float",
        "f8": "double",
    }.items()
    for name in names.split("|")
}
_PACKINGS: Final[dict[str, Packing]] = {"raw": "none", "gzip": "gzip", "gz": "gzip"}
#: Other values (scanner-xyz, 3D-right-handed ...) do not say where the patient's left is.
_SPACES: Final = {
    "right-anterior-superior": "RAS", "ras": "RAS", "left-anterior-superior": "LAS", "las": "LAS", "left-posterior-superior": "LPS", "lps": "LPS",
}  # fmt: skip
_UNITS: Final = {"mm": "mm", "millimeter": "mm", "millimetre": "mm", "cm": "cm", "m": "m", "meter": "m", "metre": "m", "um": "um", "µm": "um"}
_ORIENT: Final = "export it again with its orientation (space, space directions, space origin)"


def nrrd_header(path: Path) -> Header:
    """Read the header of an NRRD volume.

    Raises
    ------
    InputRefused : as `navtwin.files.nrrd.read_header`; a tracker's recording
    """
    return read_volume_header(path, read_header)


def nrrd_layout(path: Path, space: str | None = None, unit: str | None = None) -> Layout:
    """What the header of an NRRD volume states, attached or detached.

    Raises
    ------
    InputRefused : not one three-dimensional volume of plain numbers; no place in space; axes or unit that have to be told (`space`, `unit`)
    """
    header = nrrd_header(path)
    stored = nrrd_storage(header)
    T_ct_from_ijk, spatial, stated, doubts = nrrd_affine(header, space, unit)
    beside = [count for n, count in enumerate(stored.shape) if n not in spatial and count > 1]
    if beside:
        raise InputRefused(f"{path} holds {math.prod(beside)} values a voxel", "pass one volume with one value a voxel")
    shape = three_axes([stored.shape[n] for n in spatial], path)
    storage = replace(stored, shape=shape)
    if stored.data != path:
        stated.append(("voxels in", stored.data.name))
    sample = header.value("sample units", "sampleunits")
    if sample:
        stated.append(("unit of values", sample))
    return layout(path, "NRRD", storage, T_ct_from_ijk, mm_per_unit(_unit(header), unit, path), stated, doubts)


def nrrd_storage(header: Header) -> Storage:
    """How the samples of an NRRD file are stored, along all of its axes.

    Raises
    ------
    InputRefused : a field that is missing, not understood or contradictory; a data file that is not in the folder
    """
    path = header.what
    kind = _TYPES.get(header.needed("type").lower())
    if kind is None:
        raise InputRefused(f"{path} holds values of type '{header.needed('type')[:40]}'", "pass a volume of plain numbers")
    sizes = whole_numbers(header.needed("sizes"), "sizes", path)
    if (len(sizes),) != whole_numbers(header.needed("dimension"), "dimension", path):
        raise InputRefused(
            f"{path} has {len(sizes)} sizes, but dimension {header.needed('dimension')[:40]}", "the header is damaged: export it again"
        )
    encoding = header.needed("encoding").lower()
    if encoding not in _PACKINGS:
        raise InputRefused(f"{path} is encoded as '{encoding[:40]}'", "save it with encoding raw or gzip")
    dtype = np.dtype(kind)
    if dtype.itemsize > 1:
        endian = header.needed("endian").lower()
        if endian not in ("little", "big"):
            raise InputRefused(f"{path} has byte order '{endian[:40]}'", "endian is little or big: export the file again")
        dtype = dtype.newbyteorder("<" if endian == "little" else ">")
    name = header.value("data file", "datafile")
    if name is not None and (name.startswith("LIST") or "%" in name):
        raise InputRefused(f"{path} has its voxels in many files", "save it as one .nrrd file")
    data = path if name is None else data_file(path, name)
    start = _after_lines(data, header.data_offset if name is None else 0, _skip(header, "line skip", "lineskip"), path)
    packing, skip = _PACKINGS[encoding], _skip(header, "byte skip", "byteskip")
    storage = Storage(data, start, packing, max(skip, 0), dtype, sizes)
    if packing == "gzip":
        if skip < 0:
            raise InputRefused(f"{path} skips bytes from the end of packed voxels", "save it again as one .nrrd file")
        return storage
    if skip == -1:  # the voxels are the last bytes of the file
        with reading(data):
            start = max(data.stat().st_size - storage.size, start)
    return Storage(data, start + max(skip, 0), packing, 0, dtype, sizes)


def nrrd_affine(header: Header, space: str | None, unit: str | None) -> tuple[Affine, tuple[int, int, int], list[tuple[str, str]], list[str]]:
    """T_ct_from_ijk of the three axes that lie in space, which of the file's axes those are, what the file states of it, and doubts.

    Raises
    ------
    InputRefused : no directions or origin; axes or unit that have to be told
    """
    path = header.what
    named = _SPACES.get((header.value("space") or "").lower())
    T_ct_from_world, axes = lps_from(named, space, path)
    listed, at = header.value("space directions"), header.value("space origin")
    if listed is None or at is None:
        raise InputRefused(f"{path} does not say where it lies (no space {'directions' if listed is None else 'origin'})", _ORIENT)
    vectors = re.findall(r"none|\([^()]*\)", listed.lower())
    spatial = [n for n, vector in enumerate(vectors) if vector != "none"]
    sizes = header.value("sizes") or ""
    if len(vectors) != len(sizes.split()) or len(spatial) != 3:
        raise InputRefused(f"{path} has {len(vectors)} space directions, {len(spatial)} of them in space, for sizes {sizes[:60]}", _ORIENT)
    word = _unit(header)
    T_world_from_ijk = np.eye(4)
    for column, n in enumerate(spatial):
        T_world_from_ijk[:3, column] = _vector(vectors[n], "space directions", path)
    T_world_from_ijk[:3, 3] = _vector(at, "space origin", path)
    T_world_from_ijk[:3] *= mm_per_unit(word, unit, path)
    doubts = [] if word or unit else [UNIT_ASSUMED]
    if named is None:
        doubts.append(f"It does not say its axes; {axes} was told on the command line.")
    stated = [("placed by", f"space directions and origin, {axes}"), unit_words(word, unit)]
    return T_ct_from_world @ T_world_from_ijk, (spatial[0], spatial[1], spatial[2]), stated, doubts


def _skip(header: Header, *names: str) -> int:
    value = header.value(*names)
    count = whole_numbers(value, names[0], header.what) if value is not None else (0,)
    if len(count) != 1 or count[0] < -1 or (count[0] < 0 and names[0] == "line skip"):
        raise InputRefused(f"{header.what}: {names[0]} is '{value}'", "the header is damaged: export the file again")
    return count[0]


def _after_lines(data: Path, start: int, lines: int, path: Path) -> int:
    if lines == 0:
        return start
    with reading(data), data.open("rb") as stream:
        stream.seek(start)
        if lines > _MOST_LINES or not all(stream.readline(_LINE_BYTES).endswith(b"\n") for _ in range(lines)):
            raise InputRefused(f"{path} skips {lines} lines that {data} does not have", "the header is damaged: export the file again")
        return stream.tell()


def _vector(text: str, name: str, path: Path) -> tuple[float, ...]:
    inner = re.fullmatch(r"\s*\(([^()]*)\)\s*", text)
    return numbers(inner[1].replace(",", " ") if inner else "", 3, name, path)


def _unit(header: Header) -> str | None:
    """The unit of space, None if it is not stated."""
    text = header.value("space units")
    words = {word.strip().lower() for word in re.findall(r'"([^"]*)"', text or "")} - {"", "???"}
    if len(words) > 1:
        raise InputRefused(f"{header.what} states different units along its axes: {', '.join(sorted(words))}", "export it again in mm")
    return next((_UNITS.get(word.removesuffix("s") if len(word) > 2 else word, word) for word in words), None)
