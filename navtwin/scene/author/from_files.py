"""Points and outlines from files: 3D Slicer's markups, and a small JSON of outlines. Axes are stated by the file or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from navtwin.errors import InputRefused
from navtwin.exchange.markups import Markup, read_markups
from navtwin.files.guard import read_text
from navtwin.rigid import Vec3
from navtwin.scene.author.recipe import Outline, Painted

_MOST_BYTES = 64 * 1024**2
_POINTS = ("Curve", "Line", "Fiducial")


class _Outlines(msgspec.Struct, forbid_unknown_fields=True):
    """The JSON that `structure paint` reads.

    Attributes
    ----------
    space : the axes of its numbers, which are mm
    outlines : polygons, each a list of x, y, z
    """

    space: Literal["LPS", "RAS"]
    outlines: list[list[Vec3]]
    normal: Vec3 = (0.0, 0.0, 1.0)
    thickness_mm: float | None = None


def read_centre_line(path: Path) -> tuple[Vec3, ...]:
    """The points of the one curve, line or point list of a `.mrk.json` file, LPS, mm.

    Raises
    ------
    InputRefused : no markups file; none or several of them; a point that was not placed
    """
    markups, _ = read_markups(path)
    found = [one for one in markups if one.kind in _POINTS]
    if len(found) != 1:
        raise InputRefused(f"{path} holds {len(found)} curves, lines and point lists", "save the one that is the centre line")
    return _placed(found[0], path)


def read_outlines(path: Path, normal: Vec3 | None, thickness_mm: float | None) -> Painted:
    """Painted slices from a JSON of outlines, or from the closed curves of a `.mrk.json` file (their points joined by straight lines).

    Parameters
    ----------
    normal, thickness_mm : of the slices, where the file does not say

    Raises
    ------
    InputRefused : neither of the two; no outline; axes that the file does not state; a normal or thickness stated twice
    """
    text = read_text(path, _MOST_BYTES)
    if '"markups"' in text[:4096] or '"@schema"' in text[:4096]:
        markups, _ = read_markups(path)
        loops = [Outline(_placed(one, path)) for one in markups if one.kind == "ClosedCurve"]
        if not loops:
            raise InputRefused(f"{path} holds no closed curve", "draw each outline as a closed curve in one slice")
        return Painted(tuple(loops), normal or (0.0, 0.0, 1.0), thickness_mm)
    try:
        found = msgspec.json.decode(text, type=_Outlines)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InputRefused(
            f"{path} is no file of outlines ({error})",
            'write {"space": "LPS", "outlines": [[[x, y, z], ...], ...]}, or save closed curves as .mrk.json',
        ) from error
    if (thickness_mm is not None and found.thickness_mm is not None) or (normal is not None and found.normal != (0.0, 0.0, 1.0)):
        raise InputRefused(f"{path} states thickness or normal, and so does the command", "state each once")
    outlines = tuple(Outline(tuple(_in_lps(p, found.space) for p in loop)) for loop in found.outlines)
    towards = normal if normal is not None else _in_lps(found.normal, found.space)
    return Painted(outlines, towards, found.thickness_mm if thickness_mm is None else thickness_mm)


def _in_lps(p: Vec3, space: str) -> Vec3:
    return p if space == "LPS" else (0.0 - p[0], 0.0 - p[1], p[2])


def _placed(one: Markup, path: Path) -> tuple[Vec3, ...]:
    points = tuple(point.position_mm for point in one.points if point.position_mm is not None)
    if len(points) < len(one.points):
        raise InputRefused(f"{path} has points that were not placed", "place them, or delete them, and save again")
    return points
