"""The proximity core against the best exact libraries, in the same run, on the same questions, answers checked.

Meshes: a skull of 100 k, 500 k and 1 M triangles and 15 structures of 100 k round it, cut from the head and neck atlas of the data pack (else the
demonstration's spine), kept in the user's cache. Questions: a slow hand along the bone, points anywhere in the head's box, a shaft, a drill mesh.
Everybody answers all questions in each of three rounds, by turns; a ratio is that of the best exact peer to ours, the median of the rounds. What is
asked one at a time is asked from Python, as each library's users do, with all kept that can be kept. Disputed answers, and some that nobody
disputes, go before a plain float64 referee without a tree: a peer that is wrong is shown but does not count, and if we are wrong this ends with 1.

The peers are the extra `bench` (pip install "navtwin[bench]"); one that is missing is named in the table.

    python benchmarks/proximity.py [--rows points,meshes] [--cpu-time] [--minutes 10] [--json FILE] [--markdown FILE]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import common
from proximity_parts import costs, frames, questions, tables
from proximity_parts.meshes import Anatomy, Given, find_anatomy
from proximity_parts.referee import Oracle
from proximity_parts.rows import Row

from navtwin.kernels import warm_up
from navtwin.scene.surface import Surface

ROWS = ("points", "batches", "capsule", "meshes", "build", "memory", "frame", "growth", "paced", "start")
#: These read the kernel's tables of a process, or bind one to a core.
LINUX_ONLY = frozenset({"memory", "paced"})
SIZES = (100_000, 500_000, 1_000_000)
STRUCTURES, FRAME_TRIANGLES, FRAMES = 15, 100_000, 3000
QUICK = questions.Effort(points=40, swept=10, batch=500, batches=1, poses=20, instrument=200, larger_instrument=400, spot_checks=2, pose_checks=1)


def measure(arguments: argparse.Namespace, anatomy: Anatomy | Given) -> Iterator[Row]:
    """The rows that were asked for, as they are ready."""
    wanted = set(arguments.rows.split(",")) - (frozenset() if sys.platform == "linux" else LINUX_ONLY)
    clock = time.thread_time_ns if arguments.cpu_time else time.perf_counter_ns
    effort, sizes = (QUICK, SIZES[:1]) if arguments.quick else (questions.Effort(), SIZES)
    structures, frame_count = (3, 20) if arguments.quick else (STRUCTURES, FRAMES)
    largest = anatomy.surfaces(sizes[-1], 1)[0]
    oracle = Oracle(largest.vertices_mm, largest.faces)
    inexact: frozenset[str] = frozenset()
    if wanted & {"points", "batches"}:
        exactness = questions.exactness_row(largest, oracle, effort)
        inexact = exactness.wrong_peers
        yield exactness
    if "points" in wanted:
        for size in sizes[:-1]:
            smaller = anatomy.surfaces(size, 1)[0]
            yield from questions.point_rows(smaller, Oracle(smaller.vertices_mm, smaller.faces), effort, clock, inexact, judged=False)
        yield from questions.point_rows(largest, oracle, effort, clock, inexact, judged=True)
    if "batches" in wanted:
        yield from questions.batch_rows(largest, oracle, effort, inexact)
    if "capsule" in wanted:
        yield questions.capsule_row(largest, oracle, effort, clock)
    if "meshes" in wanted:
        yield from questions.mesh_rows(largest, oracle, effort, clock)
    if "build" in wanted:
        yield costs.build_row(largest)
    if "memory" in wanted:
        yield costs.memory_row(largest)
    if "frame" in wanted:
        yield from frames.frame_rows(anatomy, structures, FRAME_TRIANGLES, frame_count, clock)
    if "growth" in wanted:
        yield frames.growth_row(anatomy, frame_count, clock)
    if "paced" in wanted:
        yield frames.paced_row(anatomy, structures, FRAME_TRIANGLES, arguments.minutes)
    if "start" in wanted:
        yield costs.start_row(arguments.cpu_time)


def main() -> int:
    options = common.parser(__doc__)
    options.add_argument("--markdown", type=Path, metavar="FILE", help="write a page of the figures here")
    options.add_argument("--plot", type=Path, metavar="FILE", help="draw how a frame's cost grows with the triangles")
    options.add_argument("--rows", default=",".join(ROWS), help=f"which rows, of {','.join(ROWS)} (memory and paced: on Linux only)")
    options.add_argument("--mesh", type=Path, metavar="FILE", help="ask this closed .ply or .stl instead of the largest skull")
    options.add_argument("--data", type=Path, metavar="FOLDER", help="the data pack (default: shared/data beside the checkout)")
    options.add_argument("--minutes", type=float, default=1.0, help="how long the paced frame lasts")
    options.add_argument("--cpu-time", action="store_true", help="time this thread's processor time: steadier on a machine that others use")
    options.add_argument("--quick", action="store_true", help="few questions to small meshes: does it run at all")
    arguments = options.parse_args()
    if unknown := set(arguments.rows.split(",")) - set(ROWS):
        options.error(f"no rows are called {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    warm_up()
    anatomy = Given(Surface.read(arguments.mesh)) if arguments.mesh else find_anatomy(arguments.data)
    rows = []
    for row in measure(arguments, anatomy):
        print(row.name, file=sys.stderr)
        rows.append(row)
    tables.print_rows(rows)
    if arguments.markdown is not None:
        tables.write_markdown(arguments.markdown, rows, common.machine(), anatomy.source)
    grown = [row for row in rows if row.growth]
    if arguments.plot is not None and grown:
        tables.plot_growth(arguments.plot, grown[0])
    clock = "thread" if arguments.cpu_time else "wall"
    common.write_json(
        arguments.json, {"benchmark": Path(__file__).stem, "clock": clock, "mesh": anatomy.source, "rows": [row.plain() for row in rows]}
    )
    return 0 if all(row.ours_are_right for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
