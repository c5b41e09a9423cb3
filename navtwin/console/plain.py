"""The console as lines of text: one a change, with the time of day, no control codes. For pipes, logs and screen readers."""

from __future__ import annotations

import datetime
import sys
from typing import TextIO

from navtwin.console.changes import Change
from navtwin.console.model import Memory


class Lines:
    """Writes changes to `file`."""

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = file or sys.stdout

    def show(self, memory: Memory, changes: list[Change], now_ns: int, pulses: int) -> None:
        for change in changes:
            self._file.write(line(change, datetime.datetime.now()) + "\n")
        if changes:
            self._file.flush()


def line(change: Change, at: datetime.datetime) -> str:
    """`12:34:56.789 high    RISEN         drill neck to spinal canal: DANGER ...`"""
    priority = "" if change.priority == "none" else change.priority
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d} {priority:<6} {change.verb:<12} {change.words}".rstrip()
