"""The proximity core against the best exact libraries, in the same run, on the same questions, answers checked.

Meshes: a skull of 100 k, 500 k and 1 M triangles and 15 structures of 100 k round it, cut from the head and neck atlas of the data pack (else the
demonstration's spine), kept in the user's cache. Questions: a slow hand along the bone, points anywhere in the head's box, a shaft, a drill mesh.
Everybody answers all questions in each of three rounds, by turns; a ratio is that of the best exact peer to ours, the median of the rounds. What is
asked one at a time is asked from Python, as each library's users do, with all kept that can be kept. Disputed answers, and some that nobody
disputes, go before a plain float64 referee without a tree: a peer that is wrong is shown but does not count, and if we are wrong this ends with 1,
whatever the budget.

The peers are the extra `bench` (pip install "navtwin[bench]"); one that is missing is named in the table.

    navtwin bench kernels [--rows points,meshes] [--cpu-time] [--minutes 10] [--page docs/proximity-figures.md]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from proximity_parts import costs, frames, questions, tables
from proximity_parts.meshes import Anatomy, Given, find_anatomy
from proximity_parts.referee import Oracle
from proximity_parts.rows import Row, figure
from results import budget, cli
from results.model import Result

from navtwin.errors import InputRefused, nearest
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
    wanted = _wanted(arguments.rows)
    clock = time.thread_time_ns if arguments.cpu_time else time.perf_counter_ns
    effort, sizes = (QUICK, SIZES[:1]) if arguments.quick else (questions.Effort(), SIZES)
    structures, frame_count = (3, 20) if arguments.quick else (STRUCTURES, FRAMES)
    largest, size = anatomy.surfaces(sizes[-1], 1)[0], anatomy.said(sizes[-1])
    oracle = Oracle(largest.vertices_mm, largest.faces)
    inexact: frozenset[str] = frozenset()
    if wanted & {"points", "batches"}:
        exactness = questions.exactness_row(largest, oracle, effort, size)
        inexact = exactness.wrong_peers
        yield exactness
    if "points" in wanted:
        # A mesh that was given has one size.
        for triangles in sizes[:-1] if isinstance(anatomy, Anatomy) else ():
            smaller, said = anatomy.surfaces(triangles, 1)[0], anatomy.said(triangles)
            yield from questions.point_rows(smaller, Oracle(smaller.vertices_mm, smaller.faces), effort, clock, inexact, said, largest=False)
        yield from questions.point_rows(largest, oracle, effort, clock, inexact, size, largest=True)
    if "batches" in wanted:
        yield from questions.batch_rows(largest, oracle, effort, inexact, size)
    if "capsule" in wanted:
        yield questions.capsule_row(largest, oracle, effort, clock, size)
    if "meshes" in wanted:
        yield from questions.mesh_rows(largest, oracle, effort, clock, size)
    if "build" in wanted:
        yield costs.build_row(largest, size)
    if "memory" in wanted:
        yield costs.memory_row(largest, size)
    if "frame" in wanted:
        yield from frames.frame_rows(anatomy, structures, FRAME_TRIANGLES, frame_count, clock)
    if "growth" in wanted:
        yield frames.growth_row(anatomy, frame_count, clock)
    if "paced" in wanted:
        yield frames.paced_row(anatomy, structures, FRAME_TRIANGLES, arguments.minutes)
    if "start" in wanted:
        yield costs.start_row(arguments.cpu_time)


def _wanted(rows: str) -> set[str]:
    return set(rows.split(",")) - (frozenset() if sys.platform == "linux" else LINUX_ONLY)


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="navtwin bench kernels", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--page", type=Path, metavar="FILE", help="write docs/proximity-figures.md's page here")
    options.add_argument("--plot", type=Path, metavar="FILE", help="draw how a frame's cost grows with the triangles")
    options.add_argument("--rows", default=",".join(ROWS), help=f"which rows, of {','.join(ROWS)} (memory and paced: on Linux only)")
    options.add_argument("--mesh", type=Path, metavar="FILE", help="ask this closed .ply or .stl instead of the largest skull")
    options.add_argument("--data", type=Path, metavar="FOLDER", help="the data pack (default: shared/data beside the checkout)")
    options.add_argument("--minutes", type=float, default=1.0, help="how long the paced frame lasts")
    options.add_argument("--cpu-time", action="store_true", help="time this thread's processor time: steadier on a machine that others use")
    options.add_argument("--quick", action="store_true", help="few questions to small meshes: does it run at all")
    cli.add_options(options)
    return options


def main() -> int:
    arguments = _options().parse_args()
    for name in arguments.rows.split(","):
        if name not in ROWS:
            raise InputRefused(f"no rows are called '{name}'", nearest(name, ROWS))
    run = cli.run_begun("kernels", arguments)
    warm_up()
    anatomy = Given(Surface.read(arguments.mesh)) if arguments.mesh else find_anatomy(arguments.data)
    rows = []
    for row in measure(arguments, anatomy):
        print(row.name, file=sys.stderr)
        rows.append(row)
    wrong = sum(not row.ours_are_right for row in rows)
    result = run.result(
        settings={
            "mesh": arguments.mesh.name if arguments.mesh else anatomy.source,
            "questions": "few" if arguments.quick else "all",
            "clock": "thread" if arguments.cpu_time else "wall",
            "minutes": f"{arguments.minutes:g}",
        },
        figures=[figure("rows with an answer of ours that is wrong or does not repeat", wrong, ""), *(each for row in rows for each in row.named)],
        tables=[tables.contest_table(rows)],
    )
    if arguments.page is not None:
        _write_page(arguments, rows, result)
    grown = [row for row in rows if row.growth]
    if arguments.plot is not None and grown:
        tables.plot_growth(arguments.plot, grown[0])
    every = not arguments.quick and arguments.mesh is None and _wanted(arguments.rows) == set(ROWS) and not any(row.absent for row in rows)
    return cli.finish(arguments, result, whole=every) or int(wrong > 0)


def _write_page(arguments: argparse.Namespace, rows: list[Row], result: Result) -> None:
    path = budget.DEFAULT if arguments.budget == cli.NO_BUDGET else Path(arguments.budget)
    tables.write_page(arguments.page, rows, result, budget.judge(result, budget.read_budget(path).get("kernels", {}), whole=False))


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
