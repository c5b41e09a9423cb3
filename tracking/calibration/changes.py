"""A calibration's result as a screen shows it: figures in rows, and what would change in the rig, before it does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from navtwin.nouns.calibration import Figure

#: Units at the end of a figure's name, and how they are written; the longest first.
UNITS = {"_px": "px", "_mm": "mm", "_deg": "deg", "_rad": "rad", "_ms": "ms", "_ns": "ns", "_hz": "Hz", "_percent": "%", "_s": "s"}
#: Short lists of numbers become a row each; longer ones are for the result file.
ENDS = {2: ("x", "y"), 3: ("x", "y", "z")}


def figure_rows(figures: Mapping[str, Any]) -> tuple[Figure, ...]:
    """The numbers among a report's figures; what is not finite is not known."""
    rows = []
    for key, value in figures.items():
        unit = next((end for end in UNITS if key.endswith(end)), "")
        name, words = key.removesuffix(unit).replace("_", " "), UNITS.get(unit, "")
        if isinstance(value, (list, tuple, np.ndarray)):
            numbers = np.asarray(value) if all(_is_number(v) for v in value) else np.zeros(0)
            rows += [Figure(f"{name} {end}", _known(v), words) for end, v in zip(ENDS.get(len(numbers), ()), numbers.tolist(), strict=False)]
        elif _is_number(value):
            rows.append(Figure(name, _known(value), words))
    return tuple(rows)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def changes(path: Path, change: Callable[[Any], None]) -> tuple[str, ...]:
    """What a change would make of a rig file, as lines of `TABLE NAME: key = value (was value)`; the file stays as it is."""
    import tomlkit

    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    before = dict(_entries("", document.unwrap()))
    change(document)
    lines = []
    for (where, key), value in _entries("", document.unwrap()):
        was = before.get((where, key))
        if was != value:
            lines.append((f"{where}: " if where else "") + _changed(key, was, value))
    return tuple(lines)


def _changed(key: str, was: Any, value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], list):
        # Rows upon rows of numbers tell a reader less than how far they move.
        before, after = (np.asarray(v if v is not None else [], dtype=np.float64) for v in (was, value))
        rows = f"{len(value)} rows of numbers"
        return f"{key} changes by up to {np.abs(after - before).max():.4g}" if before.shape == after.shape else f"{key} = {rows}"
    return f"{key} = {_words(value)}" + ("" if was is None else f" (was {_words(was)})")


def _entries(where: str, table: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Any]]:
    """Every value of a document with the table that holds it, told by its name or number."""
    for key, value in table.items():
        if isinstance(value, Mapping) and not where:
            yield from _entries(key, value)
        elif isinstance(value, list) and value and all(isinstance(entry, Mapping) for entry in value):
            for number, entry in enumerate(value):
                yield from _entries(f"{where} {key} {entry.get('name', entry.get('id', number))}".strip(), entry)
        else:
            yield (where, key), value


def _words(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        return f"[{', '.join(map(_words, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key} = {_words(inner)}' for key, inner in value.items())}}}"
    return f"'{value}'" if isinstance(value, str) else str(value)
