"""Tables that name the labels of a label volume: CSV, Slicer colour tables, ITK-SNAP label files, the names that TotalSegmentator embeds.

- CSV with a header line: a column `structure`, `name` or `Name`; one of `id`, `label` or `LabelValue`; optionally `Color_R`, `Color_G`,
  `Color_B` (0..255), as Slicer writes it since 5.6, or `color` (`#rrggbb`).
- Colour table (`.ctbl`, also FreeSurfer's look-up tables): lines `label name R G B A`, `#` begins a comment.
- ITK-SNAP label description: lines `label R G B A visible mesh "name"`, `#` begins a comment.
- NIfTI header extension with a `LabelTable` in XML (Connectome Workbench's, which TotalSegmentator writes).

A table is known by its lines, never by its file's name.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from navtwin.errors import InputRefused
from navtwin.files.guard import parse_xml, read_text
from navtwin.volumes.labels.segments import MOST_LABEL, Segment

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_MOST_BYTES: Final = 4 * 1024**2
_COLOR_LINE: Final = re.compile(r"(?P<label>-?\d+)\s+(?P<name>\S+)\s+(?P<r>\d+)\s+(?P<g>\d+)\s+(?P<b>\d+)(?:\s+\d+)?")
_SNAP_LINE: Final = re.compile(r'(?P<label>-?\d+)\s+(?P<r>\d+)\s+(?P<g>\d+)\s+(?P<b>\d+)\s+[\d.eE+-]+\s+\d\s+\d\s+"(?P<name>.*)"')
_NAMES: Final = ("structure", "name", "Name")
_LABELS: Final = ("id", "label", "LabelValue")


def read_table(path: Path) -> tuple[Segment, ...]:
    """The structures of a table, in its order; label 0 (no structure) is left out.

    Raises
    ------
    InputRefused : unreadable, of none of the forms above, a label that is no whole number, a label that is named twice
    """
    text = read_text(path, _MOST_BYTES)
    lines = [(n, line.strip()) for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.lstrip().startswith("#")]
    if lines and _SNAP_LINE.fullmatch(lines[0][1]):
        found = list(_matched_rows(lines, path, _SNAP_LINE, "label description", 'label, R, G, B, A, visible, mesh, "name"'))
    elif lines and _COLOR_LINE.fullmatch(lines[0][1]):
        found = list(_matched_rows(lines, path, _COLOR_LINE, "colour table", "label, name (no blanks), R, G, B, A"))
    else:
        found = list(_csv_rows(text, path))
    return _unrepeated(found, path)


def _unrepeated(found: list[Segment], path: Path) -> tuple[Segment, ...]:
    named: dict[int, str] = {}
    for one in found:
        (label,) = one.labels
        if label in named and named[label] != one.name:
            raise InputRefused(f"the table {path} calls label {label} both '{named[label]}' and '{one.name}'", "leave one of the two lines")
        named[label] = one.name
    colors = {one.labels[0]: one.color for one in found}
    return tuple(Segment(name, (label,), colors[label]) for label, name in named.items() if label != 0)


def _matched_rows(lines: list[tuple[int, str]], path: Path, pattern: re.Pattern[str], table: str, columns: str) -> Iterator[Segment]:
    for number, line in lines:
        found = pattern.fullmatch(line)
        if found is None:
            raise InputRefused(f"line {number} of {path} is no line of a {table}", f"it needs {columns}")
        yield _segment(found["name"], found["label"], found.group("r", "g", "b"), path, number)


def _csv_rows(text: str, path: Path) -> Iterator[Segment]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        columns = reader.fieldnames or ()
        name = next((c for c in _NAMES if c in columns), None)
        label = next((c for c in _LABELS if c in columns), None)
        if name is None or label is None:
            raise InputRefused(f"the table {path} has no columns for names and labels",
                               "it needs a header line with `structure` and `id`; a colour table or a label description will do too")  # fmt: skip
        for row in reader:
            if row[name]:
                yield _segment(row[name], row[label] or "", _csv_color(row), path, reader.line_num)
    except csv.Error as error:
        raise InputRefused(f"cannot read the table {path}: {error}", "mend that line") from error


def _csv_color(row: Mapping[str, str | None]) -> tuple[str, ...]:
    hex_digits = re.fullmatch(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", row.get("color") or "")
    if hex_digits:
        return tuple(str(int(part, 16)) for part in hex_digits.groups())
    return tuple(row.get(f"Color_{axis}") or "" for axis in "RGB")


def _segment(name: str, label: str, rgb: tuple[str, ...], path: Path, line: int) -> Segment:
    if not re.fullmatch(r"-?\d{1,8}", label.strip()) or abs(int(label)) > MOST_LABEL:
        raise InputRefused(f"line {line} of the table {path} holds a label that is not a whole number ('{label[:40]}')", "mend that line")
    parts = [int(part) for part in rgb if part.isdecimal() and len(part) <= 3]
    return Segment(name, (int(label),), hex_color(*parts) if len(parts) == 3 else "")


def hex_color(red: float, green: float, blue: float) -> str:
    """`#rrggbb` of 0..255; what lies outside is brought to the nearest."""
    return "#" + "".join(f"{min(max(round(part), 0), 255):02x}" for part in (red, green, blue))


def embedded_table(header: bytes, path: Path) -> tuple[Segment, ...]:
    """The label table among the header extensions of a NIfTI file; () if there is none.

    Parameters
    ----------
    header : the file up to its first voxel (NIfTI-1: 348 bytes, 4 that say whether extensions follow, each with size, code and content)

    Raises
    ------
    InputRefused : a label table that is damaged, or has a DOCTYPE
    """
    if len(header) < 352 or header[348] == 0:
        return ()
    order = "little" if int.from_bytes(header[:4], "little") == 348 else "big"
    at = 352
    while at + 8 <= len(header):
        size = int.from_bytes(header[at : at + 4], order)  # type: ignore[arg-type]
        content = header[at + 8 : at + size]
        if size < 8 or at + size > len(header):
            break
        if b"<LabelTable" in content:
            return _from_xml(content.rstrip(b"\0"), path)
        at += size
    return ()


def _from_xml(content: bytes, path: Path) -> tuple[Segment, ...]:
    found = [_xml_segment(one, path) for one in parse_xml(content, path).iter("Label")]
    return _unrepeated(found, path)


def _xml_segment(one: Element, path: Path) -> Segment:
    label = one.get("Key") or ""
    if not re.fullmatch(r"\s*-?\d{1,8}\s*", label) or abs(int(label)) > MOST_LABEL:
        raise InputRefused(f"the label table of {path} holds a label that is not a whole number ('{label[:40]}')", "pass a table with --names")
    try:
        parts = [255.0 * float(one.get(part) or "") for part in ("Red", "Green", "Blue")]
        color = hex_color(*parts)
    except (ValueError, OverflowError):
        color = ""
    return Segment((one.text or "").strip() or f"label_{int(label)}", (int(label),), color)
