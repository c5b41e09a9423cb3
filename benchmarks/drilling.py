"""Drilled bone: what a frame costs, against extracting the surface again, where the surface is, and what it takes in memory.

The head is the skull of the head and neck atlas of the data pack (else the demonstration's spine), the block the procedural temporal bone. A 4 mm
burr sets out from places on the surface and goes straight on; frames in which it took no bone are left out. VTK runs in the same run, on one thread.

    navtwin bench drilling [--rows frame,extraction] [--cpu-time]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from drilling_parts import bones
from drilling_parts.extraction import extraction_row
from drilling_parts.frames import frame_row
from drilling_parts.memory import memory_row
from drilling_parts.noise import mastoid_rows
from drilling_parts.truth import truth_row
from proximity_parts.meshes import find_anatomy
from proximity_parts.rows import Row
from proximity_parts.tables import parts_table
from results import cli

from navtwin.errors import InputRefused, nearest
from navtwin.kernels import warm_up
from navtwin.scene.carvable import Carvable

ROWS = ("frame", "block", "extraction", "step", "truth", "mastoid", "memory")
#: These read the kernel's tables of a process.
LINUX_ONLY = frozenset({"memory"})
HEAD_SIDE_MM, BLOCK_SIDE_MM, MEMORY_SIDE_MM = 0.45, 0.2, 0.35


def measure(arguments: argparse.Namespace) -> Iterator[Row]:
    """The rows that were asked for, as they are ready."""
    wanted = _wanted(arguments.rows)
    clock = time.thread_time_ns if arguments.cpu_time else time.perf_counter_ns
    if wanted & {"frame", "extraction"}:
        head = Carvable(bones.head(arguments.data), HEAD_SIDE_MM)
        if "frame" in wanted:
            yield frame_row("frame, whole head", head, arguments.strokes, clock)
        if "extraction" in wanted:
            yield extraction_row(head, max(arguments.strokes // 5, 1))
    if "block" in wanted:
        block = Carvable(bones.temporal_bone(), BLOCK_SIDE_MM)
        yield frame_row("frame, temporal bone", block, arguments.strokes, clock)
    if "truth" in wanted:
        for side_mm in (HEAD_SIDE_MM, BLOCK_SIDE_MM):
            yield truth_row(side_mm)
    if wanted & {"step", "mastoid"}:
        yield from mastoid_rows(clock, wanted)
    if "memory" in wanted:
        yield memory_row(bones.head(arguments.data), MEMORY_SIDE_MM)


def _wanted(rows: str) -> set[str]:
    return set(rows.split(",")) - (frozenset() if sys.platform == "linux" else LINUX_ONLY)


def main() -> int:
    options = argparse.ArgumentParser(prog="navtwin bench drilling", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", default=",".join(ROWS), help=f"which rows, of {','.join(ROWS)} (memory: on Linux only)")
    options.add_argument("--data", type=Path, metavar="FOLDER", help="the data pack (default: shared/data beside the checkout)")
    options.add_argument("--strokes", type=int, default=60, help="how many strokes of 20 mm")
    options.add_argument("--cpu-time", action="store_true", help="time this thread's processor time: steadier on a machine that others use")
    cli.add_options(options)
    arguments = options.parse_args()
    for name in arguments.rows.split(","):
        if name not in ROWS:
            raise InputRefused(f"no rows are called '{name}'", nearest(name, ROWS))
    if arguments.strokes < 1:
        raise InputRefused(f"--strokes {arguments.strokes}: nothing to drill", "ask for one or more")
    run = cli.run_begun("drilling", arguments)
    warm_up()
    rows = []
    for row in measure(arguments):
        print(row.name, file=sys.stderr)
        rows.append(row)
    wanted = _wanted(arguments.rows)
    result = run.result(
        settings={
            "mesh": find_anatomy(arguments.data).source,
            "strokes": arguments.strokes,
            "clock": "thread" if arguments.cpu_time else "wall",
        },
        figures=[figure for row in rows for figure in row.named],
        tables=[parts_table(rows)],
    )
    return cli.finish(arguments, result, whole=wanted == set(ROWS))


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
