"""What a mesh file says of its axes and its unit: stated or asked for, never guessed.

3D Slicer puts `SPACE=LPS` or `SPACE=RAS` into the header, comment, title or field data of the models that it writes. No format of meshes has a place
for a unit; we write `UNIT=mm` beside the axes, and read that and the `unit=mm` of CAD programs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Space = Literal["LPS", "RAS"]

SPACES: tuple[Space, ...] = ("LPS", "RAS")
#: Length of each unit in mm.
UNITS = {"mm": 1.0, "cm": 10.0, "m": 1000.0}
#: No anatomy is smaller or larger than this, mm: a surface that is was saved in another unit.
SMALLEST_MM, LARGEST_MM = 1.0, 2000.0


@dataclass(frozen=True)
class Stated:
    """What a file says of itself, None where it does not.

    Attributes
    ----------
    space : the axes, as they are written
    unit : the unit, as it is written
    """

    space: str | None = None
    unit: str | None = None

    @property
    def text(self) -> str:
        """What we write into a file to state it."""
        return f"UNIT={self.unit} SPACE={self.space}"


def stated_in(text: str, path: Path) -> Stated:
    """`SPACE=...` and `UNIT=...` of a header, title or comment.

    Raises
    ------
    InputRefused : it states two different ones
    """
    space = _only({found.upper() for found in re.findall(r"(?<![A-Za-z_])SPACE\s*[=:]\s*([A-Za-z]+)", text)}, "axes", path)
    unit = _only({found.lower() for found in re.findall(r"(?<![A-Za-z_])(?:UNIT|unit)\s*=\s*\"?([A-Za-z]+)", text)}, "units", path)
    return Stated(space, unit)


def _only(found: set[str], what: str, path: Path) -> str | None:
    if len(found) > 1:
        raise InputRefused(f"{path} states two different {what}: {' and '.join(sorted(found))}", "correct the file")
    return next(iter(found), None)


def axes(stated: str | None, asked: str | None, path: Path) -> Space:
    """The axes to read a file in.

    Raises
    ------
    InputRefused : neither file nor caller says, they differ, or what they say is unknown
    """
    if asked is not None and asked not in SPACES:
        raise InputRefused(f"space {asked!r} is not known", 'pass space="LPS" or space="RAS"')
    if stated is not None and stated not in SPACES:
        raise InputRefused(f"{path} states the axes {stated!r}, which are not known", "convert it to LPS or RAS")
    if stated and asked and stated != asked:
        raise InputRefused(f"{path} states {stated} axes, but space={asked!r} was passed", "leave space out, or correct the file")
    space = stated or asked
    if space is None:
        raise InputRefused(f"{path} does not state its axes", "pass --space LPS or --space RAS (in Python space='LPS' or space='RAS')")
    return "LPS" if space == "LPS" else "RAS"


def mm_per_unit(stated: str | None, asked: str | None, path: Path) -> float | None:
    """How many mm one unit of a file is; None where neither file nor caller says.

    Raises
    ------
    InputRefused : they differ, or what they say is unknown
    """
    if asked is not None and asked not in UNITS:
        raise InputRefused(f"unit {asked!r} is not known", f"pass one of {', '.join(UNITS)}")
    if stated and asked and stated != asked:
        raise InputRefused(f"{path} states the unit {stated}, but unit={asked!r} was passed", "leave unit out, or correct the file")
    if stated is not None and stated not in UNITS:
        raise InputRefused(f"{path} states the unit {stated!r}, which is not known", f"convert it to one of {', '.join(UNITS)}")
    unit = stated or asked
    return None if unit is None else UNITS[unit]


def doubt_of_size(points: F64) -> tuple[str, str] | None:
    """Why points that were taken for mm are probably something else, and what to do; None where they are not.

    Parameters
    ----------
    points : (N, 3), N > 0, finite
    """
    extent = float(np.ptp(points, axis=0).max())
    if SMALLEST_MM <= extent <= LARGEST_MM:
        return None
    size = f"measures {extent:.3g} mm if its unit is mm, which it does not state"
    if extent < SMALLEST_MM:
        return size, "pass --unit m if it is in metres, or --unit mm if it is so small"
    return size, "convert it if it is in another unit, or pass --unit mm if it is so large"


def turned(points: F64) -> F64:
    """Points from LPS to RAS or back: a half turn about z, so that windings stay as they are."""
    there: F64 = points * (-1.0, -1.0, 1.0)
    return there
