"""Logs spoiled in the ways in which logs are spoiled."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from navtwin.record.format import PROFILE


def cut(data: bytes) -> bytes:
    """The end is missing, as after a full disk."""
    return data[: len(data) * 2 // 3]


def flipped(data: bytes) -> bytes:
    """One bit in the middle is another."""
    at = len(data) // 2
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


def of_another_version(data: bytes) -> bytes:
    """A format that only a later navtwin writes."""
    return data.replace(PROFILE.encode(), b"navtwin-9", 1)


#: What is done, and the status that a fleet must name it with.
WAYS: tuple[tuple[Callable[[bytes], bytes], str], ...] = ((cut, "damaged"), (flipped, "damaged"), (of_another_version, "version"))


def lay_out(logs: Sequence[Path], damaged: int, folder: Path) -> dict[str, str]:
    """Put logs into a folder, the last of them damaged, each in the next way; returns the status that each damaged one must be named with."""
    expected = {}
    good = len(logs) - damaged
    for number, log in enumerate(logs):
        place = folder / log.name
        if number >= good:
            spoil, status = WAYS[(number - good) % len(WAYS)]
            place.write_bytes(spoil(log.read_bytes()))
            expected[place.name] = status
        else:
            try:
                os.link(log, place)
            except OSError:
                shutil.copyfile(log, place)
    return expected
