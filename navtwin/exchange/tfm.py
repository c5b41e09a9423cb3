"""ITK transforms as text, `.tfm` or `.txt`. Format: itkTxtTransformIO."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from navtwin.errors import InputRefused
from navtwin.exchange.itk import COMPOSITE, MOST_PARTS, ItkTransform, kind_of
from navtwin.exchange.numerals import numbers, words_of
from navtwin.files.guard import read_text
from navtwin.files.write import whole_file

MAGIC: Final = "#Insight Transform File V1.0"
#: Text of a linear transform; a larger one is a deformation.
MOST_BYTES: Final = 1024**2


def read_tfm(path: Path) -> tuple[ItkTransform, ...]:
    """The transforms of a text file, in its order.

    Raises
    ------
    InputRefused : not such a file, a line that is none of its own, or numbers that are not finite
    """
    lines = read_text(path, MOST_BYTES).splitlines()
    if not lines or not lines[0].startswith(MAGIC):
        raise InputRefused(f"{path} does not begin with '{MAGIC}'", "write it again in Slicer or ITK")
    found: list[dict[str, str]] = []
    for n, line in enumerate(lines, 1):
        if line.startswith("#") or not line.strip():
            continue
        key, colon, value = line.partition(":")
        key = key.strip()
        if not colon or key not in ("Transform", "Parameters", "FixedParameters"):
            raise InputRefused(f"{path}, line {n}: '{line.strip()[:40]}' is no line of a transform", "mend that line")
        if key == "Transform":
            found.append({})
        if not found or key in found[-1]:
            raise InputRefused(f"{path}, line {n}: {key} stands where no transform has begun, or twice", "mend the file")
        found[-1][key] = value
    if not found or len(found) > MOST_PARTS + 1:
        raise InputRefused(f"{path} holds {len(found)} transforms", f"write one, or a composite of at most {MOST_PARTS}")
    return tuple(_transform(path, fields) for fields in found)


def _transform(path: Path, fields: dict[str, str]) -> ItkTransform:
    kind = kind_of(path, fields["Transform"])
    if kind != COMPOSITE and "Parameters" not in fields:
        raise InputRefused(f"{path}: a {kind} has no parameters", "write it again")
    parameters, fixed = (numbers(fields.get(key, ""), path, f"{key} of a {kind}") for key in ("Parameters", "FixedParameters"))
    return ItkTransform(kind, parameters, fixed)


def write_tfm(path: Path, transforms: Sequence[ItkTransform]) -> None:
    """Write transforms as text; numbers read back to the last bit."""
    lines = [MAGIC]
    for n, one in enumerate(transforms):
        lines += [f"#Transform {n}", f"Transform: {one.kind}_double_3_3"]
        if one.kind != COMPOSITE:
            lines += [f"Parameters: {words_of(one.parameters)}", f"FixedParameters: {words_of(one.fixed)}"]
    with whole_file(path) as partial:
        partial.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
