"""Drilled bone: what a frame costs, against extracting the surface again, where the surface is, and what it takes in memory.

The head is the skull of the head and neck atlas of the data pack (else the demonstration's spine), the block the procedural temporal bone. A 4 mm
burr sets out from places on the surface and goes straight on; frames in which it took no bone are left out. VTK runs in the same run, on one thread.

    python benchmarks/drilling.py [--rows frame,extraction] [--cpu-time] [--json FILE] [--markdown FILE]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import common
from drilling_parts import bones, tables
from drilling_parts.extraction import extraction_row
from drilling_parts.frames import frame_row
from drilling_parts.memory import memory_row
from drilling_parts.noise import mastoid_rows
from drilling_parts.truth import truth_row
from proximity_parts.rows import Row

from navtwin.kernels import warm_up
from navtwin.scene.carvable import Carvable

ROWS = ("frame", "block", "extraction", "step", "truth", "mastoid", "memory")
#: These read the kernel's tables of a process.
LINUX_ONLY = frozenset({"memory"})
HEAD_SIDE_MM, BLOCK_SIDE_MM, MEMORY_SIDE_MM = 0.45, 0.2, 0.35


def measure(arguments: argparse.Namespace) -> Iterator[Row]:
    """The rows that were asked for, as they are ready."""
    wanted = set(arguments.rows.split(",")) - (frozenset() if sys.platform == "linux" else LINUX_ONLY)
    clock = time.thread_time_ns if arguments.cpu_time else time.perf_counter_ns
    if wanted & {"frame", "extraction"}:
        head = Carvable(bones.head(arguments.data), HEAD_SIDE_MM)
        if "frame" in wanted:
            yield frame_row("frame, whole head", head, arguments.strokes, clock, (0.7, 1.5))
        if "extraction" in wanted:
            yield extraction_row(head, max(arguments.strokes // 5, 1))
    if "block" in wanted:
        block = Carvable(bones.temporal_bone(), BLOCK_SIDE_MM)
        yield frame_row("frame, temporal bone", block, arguments.strokes, clock, (None, 5.0))
    if "truth" in wanted:
        for side_mm in (HEAD_SIDE_MM, BLOCK_SIDE_MM):
            yield truth_row(side_mm)
    if wanted & {"step", "mastoid"}:
        yield from mastoid_rows(clock, wanted)
    if "memory" in wanted:
        yield memory_row(bones.head(arguments.data), MEMORY_SIDE_MM)


def main() -> int:
    options = common.parser(__doc__)
    options.add_argument("--markdown", type=Path, metavar="FILE", help="write a page of the figures here")
    options.add_argument("--rows", default=",".join(ROWS), help=f"which rows, of {','.join(ROWS)} (memory: on Linux only)")
    options.add_argument("--data", type=Path, metavar="FOLDER", help="the data pack (default: shared/data beside the checkout)")
    options.add_argument("--strokes", type=int, default=60, help="how many strokes of 20 mm")
    options.add_argument("--cpu-time", action="store_true", help="time this thread's processor time: steadier on a machine that others use")
    arguments = options.parse_args()
    if unknown := set(arguments.rows.split(",")) - set(ROWS):
        options.error(f"no rows are called {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    warm_up()
    rows = []
    for row in measure(arguments):
        print(row.name, file=sys.stderr)
        rows.append(row)
    tables.print_rows(rows)
    if arguments.markdown is not None:
        tables.write_markdown(arguments.markdown, rows, common.machine())
    clock = "thread" if arguments.cpu_time else "wall"
    common.write_json(arguments.json, {"benchmark": Path(__file__).stem, "clock": clock, "rows": [row.plain() for row in rows]})
    return 0 if all(row.reached is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
