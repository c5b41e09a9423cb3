"""Which benchmarks are run, and with which options."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from all_parts.running import Task
from navtwin.errors import InputRefused, nearest
from navtwin.run.bench import Benchmark


def tasks(table: Mapping[str, Benchmark], scripts: Path, *, quick: bool, only: Sequence[str], skip: Sequence[str]) -> list[Task]:
    """In the table's order.

    Raises
    ------
    InputRefused
        A name that the table does not have, with the nearest that it has; nothing is left to run.
    """
    takes_part = {name: options for name, one in table.items() if (options := one.quick if quick else one.full) is not None}
    for name in (*only, *skip):
        if name not in table:
            raise InputRefused(f"there is no benchmark '{name}'", nearest(name, table))
        if name not in takes_part and name in only:
            raise InputRefused(f"'{name}' has no part in {'a quick report' if quick else 'the report'}", f"run navtwin bench {name}")
    chosen = [name for name in takes_part if (not only or name in only) and name not in skip]
    if not chosen:
        raise InputRefused("no benchmark is left to run", "ask for fewer to be skipped")
    screen = screen_missing()
    return [Task(name, scripts / table[name].script, table[name].what, takes_part[name], screen if table[name].screen else "") for name in chosen]


def screen_missing() -> str:
    """Why no window can be opened here; "" where one can."""
    there = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))
    if not sys.platform.startswith("linux") or there or shutil.which("Xvfb"):
        return ""
    return "it opens windows, and there is neither a display nor Xvfb"
