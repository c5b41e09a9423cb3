"""What calibrations have left beside a rig: of each kind and name the newest result, its date and verdict. No Qt.

Only a result's beginning is read: residuals of every view, further below, are of no use to a list of steps.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

#: A result is `WHAT-NAME-DATE.toml`.
KINDS = ("camera", "cameras", "markers", "pivot", "axis", "latency")
HEAD_BYTES = 16 * 1024
#: More results than these beside one rig are not looked through.
MOST_FILES = 400


@dataclass(frozen=True)
class Result:
    """The verdict of one calibration.

    Attributes
    ----------
    what, name : kind of calibration, and of what
    date : when, UTC; None where the file does not say
    accepted, reasons : the gate's verdict. What the gate accepted is in the rig only if somebody stored it: see `numbers`
    numbers : figures that are one number each, to tell whether it is this result that a rig holds
    """

    what: str
    name: str
    date: datetime | None
    accepted: bool
    reasons: tuple[str, ...]
    path: Path
    numbers: Mapping[str, float] = field(default_factory=dict)


def read_results(folder: Path) -> dict[tuple[str, str], Result]:
    """The newest accepted result of each kind and name in a rig's folder; the newest refused one where none was accepted.

    What cannot be read as a result is passed over: the folder may hold anything.
    """
    found = dict[tuple[str, str], Result]()
    paths = [p for kind in KINDS for p in folder.glob(f"{kind}-*.toml")]
    # By the date in the name, oldest first, so that the newest stands last.
    for path in sorted(paths, key=lambda p: p.stem.rpartition("-")[2])[-MOST_FILES:]:
        result = _read(path)
        if result is None:
            continue
        key = (result.what, result.name)
        before = found.get(key)
        if result.accepted or before is None or not before.accepted:
            found[key] = result
    return found


def _read(path: Path) -> Result | None:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        text = head.decode("utf-8", "replace")
        table = tomllib.loads(_top(text))
    except (OSError, tomllib.TOMLDecodeError):
        return None
    what, name = table.get("calibration", table.get("what")), table.get("name", table.get("body"))
    reasons = table.get("reasons", [])
    if not (isinstance(what, str) and isinstance(name, str) and isinstance(table.get("accepted"), bool) and isinstance(reasons, list)):
        return None
    return Result(what, name, _date(table.get("date")), table["accepted"], tuple(str(r) for r in reasons), path, _numbers(text))


def _top(text: str) -> str:
    """The keys before the first table."""
    lines = []
    for line in text.splitlines():
        if line.startswith("["):
            break
        lines.append(line)
    return "\n".join(lines)


def _numbers(text: str) -> dict[str, float]:
    """Of each key the first number."""
    found = dict[str, float]()
    for key, value in re.findall(r"^(\w+) = ([-+]?\d[-+\d.e]*)$", text, re.MULTILINE):
        try:
            found.setdefault(key, float(value))
        except ValueError:
            continue
    return found


def _date(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        date = datetime.fromisoformat(value)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
