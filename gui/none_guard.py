"""Keeps Python alive beside PySide6 6.12.0, which with each call of a Qt function without a result gives back a reference to None that it never took.

From Python 3.12 on None is immortal (PEP 683) and nothing happens. On 3.11 its count falls by some hundreds in each turn of a window, and the
interpreter ends with "deallocating None" after about a minute. PySide6 6.10 and 6.11 do not do this.
"""

from __future__ import annotations

import ctypes
import sys

import PySide6

FAULTY = "6.12.0"
#: More references than a year of painting gives back.
SPARE = 1 << 40 if sys.maxsize > 1 << 32 else 1 << 28


def guard_none() -> None:
    """Give None references to spare, once, where this PySide6 would use them up."""
    if sys.version_info < (3, 12) and PySide6.__version__ == FAULTY and sys.getrefcount(None) < SPARE:
        # CPython's PyObject begins with its reference count, and id() is its address.
        ctypes.c_ssize_t.from_address(id(None)).value += SPARE
