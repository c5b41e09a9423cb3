"""ITK transforms in HDF5, `.h5`. Format: itkHDF5TransformIO.

The HDF5 library is C code that was not made for hostile files: it may crash, and a file of a few bytes may ask it for gigabytes. So a child process
reads, with its memory and its time bounded, and answers with numbers only; whatever becomes of it, the parent goes on.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from navtwin.errors import InputRefused
from navtwin.exchange.itk import COMPOSITE, MOST_PARTS, ItkTransform, kind_of
from navtwin.exchange.numerals import finite
from navtwin.files.guard import read_bytes
from navtwin.files.write import whole_file

MAGIC: Final = b"\x89HDF\r\n\x1a\n"
GROUP: Final = "TransformGroup"
#: A linear transform takes some 8 kB; a larger file is a deformation.
MOST_BYTES: Final = 4 * 1024**2
CHILD_S: Final = 20.0
#: As ITK names them, and as it misspelt them until 2018.
PARAMETERS: Final = ("TransformParameters", "TranformParameters")
FIXED: Final = ("TransformFixedParameters", "TranformFixedParameters")


class Found(msgspec.Struct):
    """What the child answers: (kind, parameters, fixed parameters) of each transform, or why it refuses."""

    transforms: list[tuple[str, list[float], list[float]]] = msgspec.field(default_factory=list)
    problem: str = ""


def read_h5(path: Path) -> tuple[ItkTransform, ...]:
    """The transforms of a file, in its order.

    Raises
    ------
    InputRefused : no HDF5 file, too large, not laid out as ITK does, linked elsewhere, or one that the library fails on
    """
    if not read_bytes(path, MOST_BYTES).startswith(MAGIC):
        raise InputRefused(f"{path} is no HDF5 file", "write it again in Slicer or ITK")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "navtwin.exchange.hdf5_child", str(path.absolute())], capture_output=True, timeout=CHILD_S, check=False
        )
        found = msgspec.json.decode(done.stdout, type=Found)
    except (subprocess.TimeoutExpired, msgspec.MsgspecError) as error:
        raise InputRefused(f"{path}: the HDF5 library fails on it, so it is damaged or hostile", "write it again in Slicer or ITK") from error
    return checked(path, found)


def checked(path: Path, found: Found) -> tuple[ItkTransform, ...]:
    """What the child answered, as transforms."""
    if found.problem:
        raise InputRefused(f"{path}: {found.problem}", "write it again in Slicer or ITK")
    return tuple(
        ItkTransform(kind_of(path, word), finite(parameters, path, f"a {word}"), finite(fixed, path, f"a {word}"))
        for word, parameters, fixed in found.transforms
    )


def write_h5(path: Path, transforms: Sequence[ItkTransform]) -> None:
    """Write transforms as ITK does; numbers are doubles."""
    if len(transforms) > MOST_PARTS + 1:
        raise InputRefused(f"{len(transforms)} transforms are too many for {path}", f"write at most {MOST_PARTS}")
    import h5py

    word = h5py.string_dtype("ascii")
    with whole_file(path) as partial, h5py.File(partial, "w") as file:
        for key, value in (("ITKVersion", "5"), ("HDFVersion", h5py.version.hdf5_version), ("OSName", "any"), ("OSVersion", "any")):
            file.create_dataset(key, data=[value], dtype=word)
        for n, one in enumerate(transforms):
            _write_one(file.create_group(f"{GROUP}/{n}"), one, word)


def _write_one(group: Any, one: ItkTransform, word: Any) -> None:
    group.create_dataset("TransformType", data=[f"{one.kind}_double_3_3"], dtype=word)
    if one.kind != COMPOSITE:
        group.create_dataset(PARAMETERS[0], data=one.parameters, dtype="<f8")
        group.create_dataset(FIXED[0], data=one.fixed, dtype="<f8")
