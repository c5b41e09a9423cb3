"""Result files of calibrations: what was found, from what, when, and the verdict; and the accepted result stored in the rig."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from navtwin.errors import InputRefused
from navtwin.files.write import whole_file


def result_path(folder: Path, what: str, name: str, now: datetime | None = None) -> Path:
    """`<what>-<name>-<UTC date-time>.toml` in `folder`, with what is no letter or digit of the name replaced."""
    if not folder.is_dir():
        raise InputRefused(f"there is no folder {folder} to write the result to", "make it, or name another with --out")
    stamp = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    plain = "".join(c if c.isalnum() else "-" for c in name).strip("-") or "unnamed"
    return folder / f"{what}-{plain}-{stamp}.toml"


def write_result(path: Path, what: str, name: str, inputs: Sequence[str], verdict: tuple[bool, Sequence[str]], figures: Mapping[str, Any]) -> None:
    """Write a result file.

    Parameters
    ----------
    inputs : what the calibration was made from: sources, boards, rig
    verdict : accepted, and the reasons if it is not
    figures : numbers and arrays by name, units in the names; None is left out
    """
    import tomlkit

    document = tomlkit.document()
    document["calibration"] = what
    document["name"] = name
    document["date"] = datetime.now(UTC).replace(microsecond=0).isoformat()
    document["inputs"] = list(inputs)
    document["accepted"] = verdict[0]
    document["reasons"] = list(verdict[1])
    table = tomlkit.table()
    for key, value in figures.items():
        if value is not None:
            table[key] = plain_value(value)
    document["figures"] = table
    replace_text(path, tomlkit.dumps(document))


def plain_value(value: Any) -> Any:
    """Arrays as lists, NumPy's numbers as Python's; what is not finite as a string, for TOML and JSON readers differ on it."""
    if isinstance(value, np.ndarray):
        return [plain_value(v) for v in value.tolist()]
    if isinstance(value, Mapping):
        return {str(k): plain_value(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_value(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value


def replace_text(path: Path, text: str) -> None:
    """A crash leaves the old file or the new one."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def named_entry(document: Any, table: str, name: str) -> Any:
    """The entry of an array of tables with this name; a new one at its end if there is none."""
    import tomlkit

    if table not in document:
        document.add(tomlkit.nl())
        document[table] = tomlkit.aot()
    for entry in document[table]:
        if entry["name"] == name:
            return entry
    entry = tomlkit.table()
    entry["name"] = name
    document[table].append(entry)
    return document[table][-1]


def today() -> str:
    """The date and time, UTC, that a calibration is stored with: from it its age counts."""
    return datetime.now(UTC).replace(microsecond=0).isoformat()
