"""Is the demo's alarm right on every seed? Each seed is rehearsed, run flat out through the whole pipeline and judged against its truth.

`navtwin bench seeds [--seeds 100] [--first 1] [--jobs 2] [--case FOLDER] [--json FILE]` prints totals of missed, late, masked, spurious and dropped
alerts (all have to be 0), the tip error, and how honest the registrations were. Exit code 1 where an alert failed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise, repeat
from pathlib import Path

import numpy as np
from measured import measured
from results import cli
from results.model import BLOCKS, Better, Figure, Table
from rich.console import Console
from rich.progress import track
from seeds_parts.judged import FAULTS, Row, judge_seed

from navtwin.errors import InputRefused


def main() -> int:
    """Judge the demo against its truth over many seeds."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=100, metavar="N", help="how many seeds, from --first on")
    options.add_argument("--first", type=int, default=1, metavar="SEED", help="the first seed")
    options.add_argument("--case", type=Path, metavar="FOLDER", help="case folder with its rig.toml (default: the demo's real patient)")
    options.add_argument("--jobs", type=int, default=2, metavar="N", help="processes")
    cli.add_options(options)
    arguments = options.parse_args()
    if min(arguments.seeds, arguments.jobs) < 1 or arguments.first < 0:
        raise InputRefused("no seed is asked for, or no process to judge it", "ask for one of each at least, and a first seed of 0 or more")
    run = cli.run_begun("seeds", arguments)
    console = Console(stderr=True)
    case = arguments.case
    if case is None:
        from phantoms.cases import thorax_patient

        case = thorax_patient(console)
    numbers = range(arguments.first, arguments.first + arguments.seeds)
    with ProcessPoolExecutor(arguments.jobs) as pool:
        judged = pool.map(judge_seed, repeat(case), numbers)
        rows = list(track(judged, total=len(numbers), description="seeds", console=console, transient=True))
    tips = {"tip error of a seed, mean": [row.tip_mean_mm for row in rows if row.tip_mean_mm is not None]}
    observed = {"target error": [observed_mm for row in rows for _, observed_mm, _ in row.targets]}
    distributions = [each for rows_mm in (tips, observed) if all(rows_mm.values()) for each in measured(rows_mm, "mm")[1]]
    faults = tuple((str(row.seed), line) for row in rows for line in row.faults)
    result = run.result(
        settings={"case": case.name, "seeds": arguments.seeds},
        figures=figures_of(rows),
        distributions=distributions,
        tables=[Table(title="what was wrong", columns=("seed", "fault"), rows=faults)] if faults else [],
        seeds=numbers,
    )
    return cli.finish(arguments, result)


def figures_of(rows: Sequence[Row]) -> list[Figure]:
    """Sums over all seeds, and the registration's honesty: RMS observed over RMS predicted, and how often the truth was inside.

    What no seed has (a registration, a margin) has no figure.
    """
    figures = [Figure(name=f"alerts {name}", value=float(sum(getattr(row, name) for row in rows)), unit="") for name in FAULTS]
    figures += [
        Figure(name=name, value=float(sum(counts)), unit="", better="none")
        for name, counts in (
            ("crossings of a limit", [row.crossings for row in rows]),
            ("alerts", [row.alerts for row in rows]),
            ("readings unknown", [row.unknown for row in rows]),
            ("seeds registered", [row.pose_inside95 is not None for row in rows]),
        )
    ]
    asked: tuple[tuple[str, str, Better, Callable[[Sequence[Row]], float | None]], ...] = (
        ("latest first alert", "s", "less", _latest),
        ("least margin of an alert", "ms", "more", _margin),
        ("tip error, mean", "mm", "less", _tip),
        ("tip error, worst seed's mean", "mm", "less", lambda part: max((r.tip_mean_mm for r in part if r.tip_mean_mm is not None), default=None)),
        ("pose inside its 95 %", "", "none", lambda part: _share([r.pose_inside95 for r in part if r.pose_inside95 is not None])),
        ("targets inside their 95 %", "", "none", lambda part: _share([inside for r in part for _, _, inside in r.targets])),
        ("target error, RMS observed over predicted", "x", "none", lambda part: _rms(part, 1, over=0)),
        ("target error, RMS", "mm", "less", lambda part: _rms(part, 1)),
        ("pivots inside their 95 %", "", "none", lambda part: _share([inside for r in part for inside in r.pivots_inside95])),
    )
    for name, unit, better, of in asked:
        value = of(rows)
        if value is not None:
            figures.append(Figure(name=name, value=value, unit=unit, better=better, blocks=_blocks(rows, of)))
    return figures


def _blocks(rows: Sequence[Row], of: Callable[[Sequence[Row]], float | None]) -> tuple[float, ...]:
    """The same of consecutive seeds; none where there are few, or where one stretch has nothing to say."""
    if len(rows) < BLOCKS:
        return ()
    ends = np.linspace(0, len(rows), BLOCKS + 1).astype(int)
    found = [of(rows[begin:end]) for begin, end in pairwise(ends)]
    return tuple(value for value in found if value is not None) if None not in found else ()


def _latest(rows: Sequence[Row]) -> float | None:
    return max((row.first_alert_s for row in rows if row.first_alert_s is not None), default=None)


def _margin(rows: Sequence[Row]) -> float | None:
    return min((row.least_margin_ms for row in rows if row.least_margin_ms is not None), default=None)


def _tip(rows: Sequence[Row]) -> float | None:
    tips = [(row.tip_mean_mm, row.tip_frames) for row in rows if row.tip_mean_mm is not None]
    return float(np.average([mm for mm, _ in tips], weights=[frames for _, frames in tips])) if tips else None


def _share(inside: Sequence[bool]) -> float | None:
    return float(np.mean(inside)) if inside else None


def _rms(rows: Sequence[Row], which: int, over: int | None = None) -> float | None:
    """Root mean square over all targets, over that of another column where one is named."""
    targets = np.array([target[:2] for row in rows for target in row.targets], dtype=np.float64)
    if not targets.size:
        return None
    rms = np.sqrt(np.mean(targets**2, axis=0))
    return float(rms[which] if over is None else rms[which] / rms[over])


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
