"""Tool geometry of Atracsys trackers, INI text: `[geometry]` with the number of fiducials, `[fiducialN]` with x, y, z in mm.

Fields of the files that come with the fusionTrack software and with PLUS: optional are normals, divots, a pivot and a tip.
"""

from __future__ import annotations

import configparser
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from navtwin.errors import InputRefused
from navtwin.exchange.numerals import number
from navtwin.files.guard import read_text
from navtwin.rigid import Vec3

#: A hundred lines or so; configparser takes time by the square of the lines that it cannot read.
MOST_BYTES: Final = 16 * 1024
FEWEST, MOST = 3, 64


@dataclass(frozen=True)
class Geometry:
    """A marker of fiducials.

    Attributes
    ----------
    id : as it stands in the file
    fiducials_mm : positions in the marker's axes
    divots : how many divots it has
    """

    id: str
    fiducials_mm: tuple[Vec3, ...]
    divots: int = 0


def looks_like_geometry(head: bytes) -> bool:
    """Whether a file has the sections of a geometry."""
    lines = {line.strip() for line in head.split(b"\n")}
    return b"[geometry]" in lines and b"[fiducial0]" in lines


def read_geometry(path: Path) -> Geometry:
    """Read a geometry.

    Raises
    ------
    InputRefused : no INI text, fiducials that are missing or more than counted, coordinates that are no numbers
    """
    parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=(";", "#"))
    try:
        parser.read_string(read_text(path, MOST_BYTES))
    except configparser.Error as error:
        raise InputRefused(f"{path} is no geometry: {' '.join(str(error).split())[:100]}", "mend that line") from error
    if not parser.has_section("geometry"):
        raise InputRefused(f"{path} has no [geometry]", "name a geometry file of Atracsys")
    head = parser["geometry"]
    names = [name for name in parser.sections() if name.startswith("fiducial")]
    count = head.get("count", "").strip()
    if count != str(len(names)) or not FEWEST <= len(names) <= MOST or set(names) != {f"fiducial{n}" for n in range(len(names))}:
        raise InputRefused(f"{path} counts '{count[:20]}' fiducials and holds {len(names)}", f"it needs [fiducial0] and so on, {FEWEST} to {MOST}")
    points = [_point(path, parser, f"fiducial{n}") for n in range(len(names))]
    return Geometry(head.get("id", "").strip(), tuple(points), sum(name.startswith("divot") for name in parser.sections()))


def _point(path: Path, parser: configparser.ConfigParser, section: str) -> Vec3:
    x, y, z = (number(parser.get(section, axis, fallback=""), path, f"{axis} of [{section}]") for axis in "xyz")
    return (x, y, z)
