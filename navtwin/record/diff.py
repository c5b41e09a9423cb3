"""Where two JSON values differ first."""

from __future__ import annotations

from typing import Any, Final, NamedTuple


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


#: Stands for a key or item that one side does not have.
ABSENT: Final = _Absent()


class Difference(NamedTuple):
    """`path` like `alerts[0].bound_mm` ("" for the value itself), and the value on each side (`ABSENT` where it has none)."""

    path: str
    left: Any
    right: Any


def first_difference(left: Any, right: Any, path: str = "") -> Difference | None:
    """The first difference in the order of `left`'s keys and items, or None.

    Numbers must have the same bits: 1 and 1.0 differ, as do 0.0 and -0.0. The order of keys does not matter.
    """
    if isinstance(left, dict) and isinstance(right, dict):
        for key in (*left, *(k for k in right if k not in left)):
            step = f"{path}.{key}" if path else str(key)
            found = first_difference(left.get(key, ABSENT), right.get(key, ABSENT), step)
            if found is not None:
                return found
        return None
    if isinstance(left, list) and isinstance(right, list):
        for n in range(max(len(left), len(right))):
            a, b = (side[n] if n < len(side) else ABSENT for side in (left, right))
            found = first_difference(a, b, f"{path}[{n}]")
            if found is not None:
                return found
        return None
    return None if type(left) is type(right) and repr(left) == repr(right) else Difference(path, left, right)
