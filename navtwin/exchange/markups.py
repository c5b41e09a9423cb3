"""3D Slicer's markups, `.mrk.json` (schemas 1.0.0 to 1.0.3): points, lines, angles, curves, planes and boxes. In memory always LPS, mm.

Format: Slicer's markups schema and vtkMRMLMarkupsJsonStorageNode. By the schema a missing `coordinateSystem` means LPS. An orientation's columns are
the axes of a control point; between RAS and LPS its rows 0 and 1 change their signs, like positions do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from navtwin.errors import InputRefused, nearest
from navtwin.exchange.numerals import finite
from navtwin.files.guard import read_text
from navtwin.files.write import whole_file
from navtwin.rigid import Vec3

Space = Literal["LPS", "RAS"]
Nine = tuple[float, float, float, float, float, float, float, float, float]

KINDS: Final = ("Fiducial", "Line", "Angle", "Curve", "ClosedCurve", "Plane", "ROI")
#: Some ten thousand points as Slicer writes them.
MOST_BYTES: Final = 4 * 1024**2
MOST_POINTS: Final = 50_000
_SCHEMA: Final = "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/markups-schema-v{}.json#"
VERSION: Final = "1.0.3"
KNOWN_VERSIONS: Final = ("1.0.0", "1.0.1", "1.0.2", "1.0.3")
#: Slicer's axes of a point that nobody has turned, seen in LPS.
UPRIGHT: Final[Nine] = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0)
_WITHOUT_A_PLACE: Final = ("undefined", "preview", "missing")


@dataclass(frozen=True)
class ControlPoint:
    """A point of a markup.

    Attributes
    ----------
    position_mm : LPS; None where the point has not been placed
    axes : 3x3 row by row, its columns the point's axes in LPS; None where not stated
    status : "defined", or why there is no position
    """

    label: str
    position_mm: Vec3 | None
    description: str = ""
    id: str = ""
    axes: Nine | None = None
    selected: bool = True
    locked: bool = False
    visible: bool = True
    status: str = "defined"


@dataclass(frozen=True)
class Markup:
    """One markup, LPS, mm.

    Attributes
    ----------
    kind : one of `KINDS`
    centre_mm, size_mm, axes : of a plane or a box, where stated
    stated_space : what the file says, "" where it says nothing
    stated_unit : it says mm; False where it says nothing
    """

    kind: str
    points: tuple[ControlPoint, ...]
    centre_mm: Vec3 | None = None
    size_mm: tuple[float, ...] | None = None
    axes: Nine | None = None
    stated_space: str = "LPS"
    stated_unit: bool = True


class _Point(msgspec.Struct):
    id: str | int = ""
    label: str = ""
    description: str = ""
    position: list[float | None] | str | None = None
    orientation: list[float] | None = None
    selected: bool = True
    locked: bool = False
    visibility: bool = True
    positionStatus: str = "defined"


class _Markup(msgspec.Struct):
    type: str
    coordinateSystem: str | None = None
    coordinateUnits: str | list[Any] | None = None
    controlPoints: list[_Point] = msgspec.field(default_factory=list)
    center: list[float] | None = None
    size: list[float] | None = None
    orientation: list[float] | None = None


class _File(msgspec.Struct):
    markups: list[_Markup]
    schema: str = msgspec.field(default="", name="@schema")


def read_markups(path: Path) -> tuple[tuple[Markup, ...], str]:
    """The markups of a file, and the version of the schema that it names ("" if none).

    Raises
    ------
    InputRefused : no markups JSON, an unknown type, axes or unit, a defined point without a position
    """
    try:
        found = msgspec.json.decode(read_text(path, MOST_BYTES), type=_File)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InputRefused(f"{path} is no markups file of 3D Slicer ({error})", "save it again in Slicer as .mrk.json") from error
    if sum(len(one.controlPoints) for one in found.markups) > MOST_POINTS:
        raise InputRefused(f"{path} has more than {MOST_POINTS} points", "keep those that are to be used")
    version = found.schema.rpartition("-v")[2].removesuffix("#").removesuffix(".json")
    return tuple(_markup(path, n, one) for n, one in enumerate(found.markups, 1)), version if "." in version else ""


def _markup(path: Path, n: int, one: _Markup) -> Markup:
    where = f"{path}: markup {n}"
    if one.type not in KINDS:
        raise InputRefused(f"{where} has type '{one.type}'", nearest(one.type, KINDS))
    space = one.coordinateSystem
    if space not in (None, "LPS", "RAS"):
        raise InputRefused(f"{where} has coordinateSystem '{space}'", "save it in Slicer as LPS or RAS")
    unit = one.coordinateUnits
    code = unit[:2] if isinstance(unit, list) else [unit, "UCUM"]
    if code not in (["mm", "UCUM"], [None, "UCUM"]):
        raise InputRefused(f"{where} has coordinateUnits {str(unit)[:60]}", "save it in mm")
    turned = space == "RAS"
    size = None if one.size is None else finite(one.size, path, f"the size of markup {n}")
    return Markup(
        kind=one.type,
        points=tuple(_point(path, f"point {k} of markup {n}", point, turned) for k, point in enumerate(one.controlPoints, 1)),
        centre_mm=None if one.center is None else _vec3(path, f"the centre of markup {n}", one.center, turned),
        size_mm=size,
        axes=_axes(path, f"the orientation of markup {n}", one.orientation, turned),
        stated_space=space or "",
        stated_unit=unit is not None,
    )


def _point(path: Path, what: str, point: _Point, turned: bool) -> ControlPoint:
    status = point.positionStatus
    if status not in ("defined", *_WITHOUT_A_PLACE):
        raise InputRefused(f"{path}: {what} has positionStatus '{status}'", nearest(status, ("defined", *_WITHOUT_A_PLACE)))
    position = None
    if status == "defined":
        if not isinstance(point.position, list):
            raise InputRefused(f"{path}: {what} is defined but has no position", "place it in Slicer, or take it out")
        position = _vec3(path, what, point.position, turned)
    axes = _axes(path, f"the orientation of {what}", point.orientation, turned)
    return ControlPoint(
        point.label, position, point.description, str(point.id), axes, point.selected, point.locked, point.visibility, status
    )  # fmt: skip


def _vec3(path: Path, what: str, values: Sequence[float | None], turned: bool) -> Vec3:
    known = [value for value in values if value is not None]
    if len(known) != 3 or len(values) != 3:
        raise InputRefused(f"{path}: {what} has {len(known)} coordinates, not 3", "mend the file, or save it again in Slicer")
    x, y, z = finite(known, path, what)
    return turned_point((x, y, z)) if turned else (x, y, z)


def turned_point(p_mm: Vec3) -> Vec3:
    """A position with x and y turned round: RAS to LPS or back. Zero stays without a sign."""
    return (0.0 - p_mm[0], 0.0 - p_mm[1], p_mm[2])


def _axes(path: Path, what: str, values: Sequence[float] | None, turned: bool) -> Nine | None:
    if not values:
        return None
    if len(values) != 9:
        raise InputRefused(f"{path}: {what} has {len(values)} numbers, not 9", "mend the file, or save it again in Slicer")
    return _turned_axes(finite(values, path, what)) if turned else finite(values, path, what)  # type: ignore[return-value]


def _turned_axes(axes: Sequence[float]) -> Nine:
    a, b, c, d, e, f, g, h, i = axes
    return (0.0 - a, 0.0 - b, 0.0 - c, 0.0 - d, 0.0 - e, 0.0 - f, g, h, i)


def write_markups(path: Path, markups: Sequence[Markup], space: Space = "LPS") -> None:
    """Write a `.mrk.json` file; numbers read back to the last bit."""
    content = {"@schema": _SCHEMA.format(VERSION), "markups": [_plain(one, space) for one in markups]}
    with whole_file(path) as partial:
        partial.write_bytes(msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")


def _plain(one: Markup, space: Space) -> dict[str, Any]:
    found: dict[str, Any] = {
        "type": one.kind,
        "coordinateSystem": space,
        "coordinateUnits": "mm",
        "locked": False,
        "labelFormat": "%N-%d",
        "controlPoints": [_plain_point(n, point, space) for n, point in enumerate(one.points, 1)],
    }
    if one.centre_mm is not None:
        found["center"] = _placed(one.centre_mm, space)
    if one.size_mm is not None:
        found["size"] = one.size_mm
    if one.axes is not None:
        found["orientation"] = one.axes if space == "LPS" else _turned_axes(one.axes)
    return found


def _plain_point(n: int, point: ControlPoint, space: Space) -> dict[str, Any]:
    axes = point.axes or UPRIGHT
    return {
        "id": point.id or str(n),
        "label": point.label,
        "description": point.description,
        "associatedNodeID": "",
        "position": "" if point.position_mm is None else _placed(point.position_mm, space),
        "orientation": axes if space == "LPS" else _turned_axes(axes),
        "selected": point.selected,
        "locked": point.locked,
        "visibility": point.visible,
        "positionStatus": point.status,
    }


def _placed(p_mm: Vec3, space: Space) -> Vec3:
    return p_mm if space == "LPS" else turned_point(p_mm)
