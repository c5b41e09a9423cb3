"""A mesh as a file holds it, and the checks that all formats share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from navtwin.errors import InputRefused
from navtwin.meshes.axes import F64, I64, Stated

#: Larger files are no surface of a patient, mm: ten million triangles of STL take half of it.
MOST_BYTES = 1024**3
#: Numbers as text grow when they are read.
MOST_TEXT_BYTES = 256 * 1024**2
#: No coordinate is larger in any unit: beyond it, products of coordinates lose all meaning.
FARTHEST = 1e9


@dataclass(frozen=True)
class RawMesh:
    """A checked triangle mesh in a file's own axes and unit.

    Attributes
    ----------
    vertices : (V, 3) float64, finite
    faces : (F, 3) int64, F > 0, each in 0 .. V - 1
    stated : what the file says of axes and unit
    notes : whole sentences on what was split, joined or left out in reading
    """

    vertices: F64
    faces: I64
    stated: Stated
    notes: tuple[str, ...] = ()


def cut(path: Path, needed: int, found: int) -> InputRefused:
    """The refusal of a file that claims more than it holds."""
    return InputRefused(f"{path} claims {needed} bytes of mesh and holds {found}", "the file is cut or damaged: get it again")


def refuse_bad_points(points: F64, path: Path) -> None:
    """Raise InputRefused where a coordinate is no number, or absurd."""
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(bad):
        raise InputRefused(f"{path}: vertex {bad[0]} is not finite ({len(bad)} of {len(points)} are not)", "export the mesh again")
    if len(points) and np.abs(points).max() > FARTHEST:
        raise InputRefused(f"{path} reaches {np.abs(points).max():.3g} from the origin", "it is damaged, or no surface of a patient")


def refuse_bad_corners(corners: I64, vertices: int, path: Path) -> None:
    """Raise InputRefused where an index names no vertex."""
    bad = np.flatnonzero((corners < 0) | (corners >= vertices))
    if len(bad):
        at = corners.ravel()[bad[0]] if corners.ndim > 1 else corners[bad[0]]
        raise InputRefused(f"{path}: a face names vertex {at}, and there are {vertices}", "the file is damaged: export the mesh again")


def checked(vertices: F64, faces: I64, stated: Stated, path: Path, notes: tuple[str, ...] = ()) -> RawMesh:
    """The mesh, its arrays' values known to be sound.

    Raises
    ------
    InputRefused : no triangles, a coordinate that is not finite, an index that names no vertex
    """
    if len(faces) == 0:
        raise InputRefused(f"{path} holds no triangles", "export a surface, not points or lines")
    refuse_bad_points(vertices, path)
    refuse_bad_corners(faces.ravel(), len(vertices), path)
    return RawMesh(np.ascontiguousarray(vertices), np.ascontiguousarray(faces), stated, notes)


def numbers(text: bytes | str, kind: Literal["f", "i"], count: int | None, path: Path, what: str) -> F64 | I64:
    """The numbers of a text that holds nothing else, `count` of them where that is known: "f" as float64, "i" as int64.

    Raises
    ------
    InputRefused : it holds others, or something that is no number
    """
    try:
        # The text converter of fromstring rounds as float() does, and takes a tenth of the time and memory of a split.
        words = text if isinstance(text, str) else text.decode("latin-1")
        found: F64 | I64 = np.fromstring(words, dtype=np.float64, sep=" ") if kind == "f" else np.fromstring(words, dtype=np.int64, sep=" ")
    except ValueError as error:
        raise InputRefused(f"{path} has {what} that are no numbers", "the file is cut or damaged: export the mesh again") from error
    if count is not None and len(found) != count:
        raise InputRefused(f"{path} has {len(found)} {what} where {count} should be", "the file is cut or damaged: export the mesh again")
    return found


def welded(corners: F64) -> tuple[F64, I64]:
    """Distinct points, in order of x, y and z, and which of them each of (N, 3) points is; equal to the last bit, but for the sign of 0."""
    same_zeros = corners + 0.0
    order = np.lexsort(same_zeros.T[::-1])
    ordered = same_zeros[order]
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    index = np.empty(len(ordered), dtype=np.int64)
    index[order] = np.cumsum(first) - 1
    return ordered[first], index
