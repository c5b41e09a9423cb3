"""3D Slicer's point lists before `.mrk.json`: `.fcsv`. In memory always LPS, mm.

Format: vtkMRMLMarkupsFiducialStorageNode; comment lines state version, axes and columns, then comma-separated rows. Up to Slicer 4.10 the axes were a
number (0 RAS, 1 LPS, 2 voxel indices). Spreadsheets leave commas behind the comment lines.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from navtwin.errors import InputRefused
from navtwin.exchange.markups import ControlPoint, Space, turned_point
from navtwin.exchange.numerals import number
from navtwin.files.guard import read_text
from navtwin.files.write import whole_file

MOST_BYTES: Final = 4 * 1024**2
MOST_ROWS: Final = 50_000
_COLUMNS: Final = ("id", "x", "y", "z", "ow", "ox", "oy", "oz", "vis", "sel", "lock", "label", "desc", "associatedNodeID")
_SPACES: Final[dict[str, Space]] = {"0": "RAS", "RAS": "RAS", "1": "LPS", "LPS": "LPS"}
_SETTING: Final = re.compile(r"#\s*(CoordinateSystem|columns)\s*=\s*(.*)")
_MAGIC: Final = ("# Markups fiducial file version", "# Fiducial List file")


def is_fcsv(head: bytes) -> bool:
    """Whether a file begins like a point list of Slicer."""
    return head.removeprefix(b"\xef\xbb\xbf").startswith(tuple(word.encode() for word in _MAGIC))


def stated_space(path: Path) -> Space | None:
    """The axes that the file states; None if none.

    Raises
    ------
    InputRefused : axes other than RAS or LPS
    """
    return _head(path, read_text(path, MOST_BYTES))[0]


def read_fcsv(path: Path, space: str | None = None) -> tuple[ControlPoint, ...]:
    """The points of the file in LPS.

    Parameters
    ----------
    space : LPS or RAS, for a file that does not say

    Raises
    ------
    InputRefused : axes that nobody states, or that the file states otherwise; a row that is cut or holds no numbers
    """
    text = read_text(path, MOST_BYTES)
    stated, columns = _head(path, text)
    if stated is None and space not in ("LPS", "RAS"):
        raise InputRefused(f"{path} does not state its axes", "pass --space RAS (Slicer's own up to 4.10) or --space LPS")
    if stated is not None and space is not None and space != stated:
        raise InputRefused(f"{path} states {stated}, not {space}", "leave out --space")
    turned = (stated or space) == "RAS"
    points = list[ControlPoint]()
    for line, row in _rows(path, text):
        if len(points) == MOST_ROWS:
            raise InputRefused(f"{path} has more than {MOST_ROWS} points", "keep those that are to be touched")
        if len(row) < 4 or len(row) < len(columns) - 3:
            raise InputRefused(f"{path}, line {line}: {len(row)} columns, not {len(columns)}", "mend that line")
        points.append(_point(path, line, dict(zip(columns, row, strict=False)), turned))
    return tuple(points)


def _head(path: Path, text: str) -> tuple[Space | None, tuple[str, ...]]:
    space: Space | None = None
    columns: tuple[str, ...] = _COLUMNS
    for line in text.splitlines():
        found = _SETTING.match(line)
        if found and found[1] == "columns":
            columns = tuple(word.strip() for word in found[2].split(",") if word.strip())
        elif found:
            word = found[2].strip(" ,\t\r")
            if word not in _SPACES:
                raise InputRefused(f"{path} has CoordinateSystem '{word[:20]}'", "only LPS and RAS are known: save it again in Slicer")
            space = _SPACES[word]
    lacking = {"x", "y", "z"} - set(columns)
    if lacking or len(set(columns)) != len(columns):
        raise InputRefused(f"{path} has columns {', '.join(columns)[:100]}", "it needs x, y and z, each once")
    return space, columns


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    kept = "".join(line if not line.startswith("#") else "\n" for line in text.splitlines(keepends=True))
    reader = csv.reader(io.StringIO(kept, newline=""))
    try:
        yield from ((reader.line_num, row) for row in reader if row)
    except csv.Error as error:
        raise InputRefused(f"{path}, line {reader.line_num}: {error}", "mend that line") from error


def _point(path: Path, line: int, cells: dict[str, str], turned: bool) -> ControlPoint:
    where = f"line {line}"
    status = cells.get("positionStatus", "").strip().lower()
    # Slicer writes a number there: 0 undefined, 1 in preview, 2 defined, 3 missing.
    status = {"0": "undefined", "1": "preview", "2": "defined", "3": "missing", "": "defined"}.get(status, status)
    if status not in ("defined", "undefined", "preview", "missing"):
        raise InputRefused(f"{path}, {where}: positionStatus '{status[:20]}' is unknown", "mend that line")
    position = None
    if status == "defined":
        x, y, z = (number(cells[axis], path, f"{axis} in {where}") for axis in ("x", "y", "z"))
        position = turned_point((x, y, z)) if turned else (x, y, z)
    return ControlPoint(
        label=cells.get("label", ""),
        position_mm=position,
        description=cells.get("desc", ""),
        id=cells.get("id", ""),
        selected=cells.get("sel", "1").strip() != "0",
        locked=cells.get("lock", "0").strip() not in ("", "0"),
        visible=cells.get("vis", "1").strip() != "0",
        status=status,
    )


def write_fcsv(path: Path, points: Sequence[ControlPoint], space: Space = "LPS") -> None:
    """Write placed points as a `.fcsv` file that states its axes; numbers read back to the last bit."""
    sink = io.StringIO()
    sink.write(f"{_MAGIC[0]} = 4.11\n# CoordinateSystem = {space}\n# columns = {','.join(_COLUMNS)}\n")
    writer = csv.writer(sink, lineterminator="\n")
    for n, point in enumerate(points, 1):
        if point.position_mm is None:
            raise InputRefused(f"point '{point.label}' has no position", "place it, or leave it out")
        x, y, z = turned_point(point.position_mm) if space == "RAS" else point.position_mm
        flags = (int(point.visible), int(point.selected), int(point.locked))
        writer.writerow([point.id or n, repr(x), repr(y), repr(z), 0, 0, 0, 1, *flags, point.label, point.description, ""])
    with whole_file(path) as partial:
        partial.write_text(sink.getvalue(), encoding="utf-8", newline="")
