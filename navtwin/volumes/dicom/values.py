"""Values of single elements, decoded from their bytes (PS3.5 section 6.2): pydicom's own conversion costs more than the whole parse."""

from __future__ import annotations

import math
from typing import Any

from navtwin.errors import InputRefused

_DAMAGED = "the header is damaged: copy or export the file again"


def text(dataset: Any, tag: int) -> str:
    """A code, number or UID; empty where the element is absent. (Names and descriptions have a character set: see `facts`.)"""
    item = dataset.get_item(tag)
    value = None if item is None else item.value
    if isinstance(value, bytes):
        return value.decode("ascii", "replace").strip("\x00 ")
    return "" if value is None else str(value)


def numbers(dataset: Any, tag: int, count: int, what: str) -> tuple[float, ...] | None:
    """`count` finite decimal numbers; None where the element is absent or empty.

    Raises
    ------
    InputRefused : another count, or something that is no finite number
    """
    stated = text(dataset, tag)
    if not stated:
        return None
    try:
        values = tuple(float(part) for part in stated.split("\\"))
    except ValueError as error:
        raise InputRefused(f"{what} is '{stated[:60]}'", _DAMAGED) from error
    if len(values) != count or not all(map(math.isfinite, values)):
        raise InputRefused(f"{what} is '{stated[:60]}', not {count} finite numbers", _DAMAGED)
    return values


def short(dataset: Any, tag: int) -> int | None:
    """An unsigned 16-bit number; None where the element is absent or of another length."""
    item = dataset.get_item(tag)
    value = None if item is None else item.value
    if not isinstance(value, bytes) or len(value) != 2:
        return None
    return int.from_bytes(value, "little" if item.is_little_endian else "big")


def first_item(dataset: Any, tag: int) -> Any | None:
    """The first item of a sequence; None where there is none."""
    found = items(dataset, tag)
    return found[0] if found else None


def items(dataset: Any, tag: int) -> list[Any]:
    """The items of a sequence; none where it is absent."""
    return list(dataset[tag].value or ()) if tag in dataset else []
