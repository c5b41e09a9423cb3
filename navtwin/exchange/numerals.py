"""Numbers in text files of other programs: finite decimal numbers, as many as there should be."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from navtwin.errors import InputRefused

#: What other programs write. Python's own float() also takes underscores, "nan" and "infinity".
_DECIMAL: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def number(text: str, path: Path, what: str) -> float:
    """One finite number; `what` names it in the refusal."""
    value = float(text) if _DECIMAL.fullmatch(text.strip()) else math.nan
    if not math.isfinite(value):
        raise InputRefused(f"{path}: {what} is '{text.strip()[:40]}', which is no finite number", "mend the file, or write it again")
    return value


def numbers(text: str, path: Path, what: str, count: int | None = None) -> tuple[float, ...]:
    """Numbers that stand between white space or commas.

    Raises
    ------
    InputRefused : something else than a finite number, or not `count` of them
    """
    words = text.replace(",", " ").split()
    if count is not None and len(words) != count:
        raise InputRefused(f"{path}: {what} has {len(words)} numbers, not {count}", "mend the file, or write it again")
    return tuple(number(word, path, what) for word in words)


def finite(values: Iterable[float], path: Path, what: str) -> tuple[float, ...]:
    """The same check on numbers that have been decoded already."""
    found = tuple(float(value) for value in values)
    if not all(map(math.isfinite, found)):
        raise InputRefused(f"{path}: {what} holds NaN or an infinite value", "mend the file, or write it again")
    return found


def words_of(values: Iterable[float]) -> str:
    """Numbers so that they read back to the last bit."""
    return " ".join(repr(float(value)) for value in values)
