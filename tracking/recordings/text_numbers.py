"""Numbers out of text, many at once: a recording of an hour holds ten million of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from functools import cache
from types import GenericAlias
from typing import Any, Final, cast

import msgspec
import numpy as np
import numpy.typing as npt

#: Longest time that a stamp can state and still be counted in ns in 64 bits, with room for differences.
T_LIMIT_S: Final = 4_000_000_000
#: What plain decimal numbers are made of; Python would also take `nan`, `inf` and `1_000`.
_DECIMAL: Final = b"0123456789.+-eE \t\r"
_WHOLE: Final = re.compile(rb"[+-]?[0-9]{1,18}")
_NANO: Final = 1_000_000_000
_POWERS: Final = 10 ** np.arange(10, dtype=np.int64)
_WHOLE_NUMBERS: Final = msgspec.json.Decoder(list[int])


def shown(text: str, most: int = 40) -> str:
    """A text of a file as it can stand in a sentence: short, and without what would break the line."""
    return "".join(sign if sign.isprintable() else "?" for sign in text[:most])


def number_rows(values: Sequence[bytes], width: int) -> npt.NDArray[np.float64]:
    """(n, width) numbers out of n texts of `width` numbers each, separated by white space. A text that is not that gives a row of NaN."""
    quick = _quick(values, width)
    if quick is not None:
        return quick
    rows = np.full((len(values), width), np.nan)
    for n, value in enumerate(values):
        row = [number(word) for word in value.split()]
        if len(row) == width and None not in row:
            rows[n] = cast("list[float]", row)
    return rows


def _quick(values: Sequence[bytes], width: int) -> npt.NDArray[np.float64] | None:
    """All rows by one pass of a JSON decoder, which is five times as fast as `float`; None where the texts are not quite JSON (`.5`, `nan`)."""
    if b"".join(values).translate(None, _DECIMAL):
        return None
    text = b"],[".join([value.strip().replace(b" ", b",") for value in values])
    try:
        rows = _row_decoder(width).decode(b"[[" + text + b"]]")
    except msgspec.MsgspecError:
        return None
    return np.array(rows, dtype=np.float64)


@cache
def _row_decoder(width: int) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(GenericAlias(list, GenericAlias(tuple, (float,) * width)))


def number(text: bytes | None) -> float | None:
    """One finite decimal number, or None."""
    if text is None or text.translate(None, _DECIMAL):
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def whole_number(text: bytes | None) -> int | None:
    """One whole number of at most 18 digits, or None."""
    return None if text is None or _WHOLE.fullmatch(text.strip()) is None else int(text)


def nanoseconds(text: bytes, unit_ns: int = _NANO) -> int | None:
    """A decimal time in units of `unit_ns`, rounded to the nearest ns (ties to even) without passing through a float; None if it is not one."""
    if text.translate(None, _DECIMAL):
        return None
    try:
        time = Decimal(text.decode("ascii").strip())
    except InvalidOperation:
        return None
    # Compared before it is scaled: an absurd exponent would be an absurd amount of digits.
    if not time.is_finite() or time.adjusted() > 30 or abs(time) > T_LIMIT_S * (_NANO // unit_ns):
        return None
    return int((time * unit_ns).to_integral_value())


def quick_nanoseconds(values: Sequence[bytes]) -> npt.NDArray[np.int64] | None:
    """Decimal seconds, all at once, where each has the plain form `12.345` with at most nine decimals; None where one has not."""
    text = b",".join([value.strip() for value in values])
    if text.translate(None, b"0123456789.,") or text.count(b".") != len(values):
        return None
    try:
        # The 1 before the decimals keeps their leading zeros, and says how many there are.
        numbers = _WHOLE_NUMBERS.decode(b"[" + text.replace(b".", b",1") + b"]")
    except msgspec.MsgspecError:
        return None
    if len(numbers) != 2 * len(values) or max(numbers[::2]) >= T_LIMIT_S or max(numbers[1::2]) >= 2 * _NANO:
        return None
    whole, decimals = np.array(numbers, dtype=np.int64).reshape(-1, 2).T
    power = _POWERS[np.searchsorted(_POWERS, decimals, side="right") - 1]
    return whole * _NANO + (decimals - power) * (_NANO // power)
