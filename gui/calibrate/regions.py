"""Regions of a picture that are named in words, and where they lie. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

_ROWS, _COLUMNS = ("upper", "middle", "lower"), ("left", "middle", "right")
#: Words that advice uses of a picture's three by three regions -> row and column.
REGIONS: dict[str, tuple[int, int]] = {
    "middle": (1, 1),
    **{f"{_ROWS[r]} {_COLUMNS[c]} corner": (r, c) for r in (0, 2) for c in (0, 2)},
    **{f"{_ROWS[r]} edge": (r, 1) for r in (0, 2)},
    **{f"{_COLUMNS[c]} edge": (1, c) for c in (0, 2)},
}


def region_box(name: str) -> tuple[float, float, float, float] | None:
    """(x, y, width, height) of a region as shares of the picture; None for a name that is no region."""
    place = REGIONS.get(name)
    return None if place is None else (place[1] / 3.0, place[0] / 3.0, 1.0 / 3.0, 1.0 / 3.0)


def wanted_region(words: str, missing: Sequence[str]) -> str:
    """The region that a sentence of advice speaks of, of those that still hold no board; "" where it speaks of none."""
    named = [name for name in missing if name in words and f"board's {name}" not in words]
    return max(named, key=len, default="")
