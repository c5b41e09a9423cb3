"""Do registrations and pivot calibrations know how good they are? Seeded trials against known truth, by themselves.

`python benchmarks/registration.py [--count 500] [--jobs 2] [--json FILE]` prints what `navtwin bench accuracy` says of them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.accuracy_parts.study import study
from benchmarks.accuracy_parts.trials import (
    CASES,
    LANDMARKS_MM,
    TARGETS_MM,
    TIP_MM,
    TIP_RADIUS_MM,
    Case,
    Touched,
    phantom_bone,
    pivot_poses,
    register,
    touch,
    trial,
)

__all__ = [
    "CASES",
    "LANDMARKS_MM",
    "TARGETS_MM",
    "TIP_MM",
    "TIP_RADIUS_MM",
    "Case",
    "Outcome",
    "Touched",
    "phantom_bone",
    "pivot_poses",
    "register",
    "run_case",
    "touch",
    "trial",
]


@dataclass(frozen=True)
class Outcome:
    """What many trials of one case came to, over all targets; `ratio` is observed over predicted."""

    case: str
    count: int
    observed_mm: float
    predicted_mm: float
    ratio: float
    accepted_share: float
    median_ms: float


def run_case(case: Case, count: int, *, quiet: bool = False) -> Outcome:
    """`count` seeded registrations of one case."""
    found = study(case, count, quiet=quiet)
    seen_mm, foretold_mm = (float(np.sqrt(np.mean(np.square(mm)))) for mm in (found.observed_rms_mm, found.predicted_rms_mm))
    spent_ms = 1e3 * float(np.median(found.spent_s))
    return Outcome(case.name, count, seen_mm, foretold_mm, seen_mm / foretold_mm, float(found.accepted.mean()), spent_ms)


def main(
    count: Annotated[int, typer.Option(min=4, help="seeded trials of each kind")] = 500,
    jobs: Annotated[int, typer.Option(min=1, help="processes")] = 1,
    json_file: Annotated[Path | None, typer.Option("--json", help="also write the figures here")] = None,
) -> None:
    """Compare predicted with observed error over seeded registrations and pivot calibrations."""
    # What benchmarks write is only needed here: others take the trials alone.
    from benchmarks.accuracy_parts.settings import Settings
    from benchmarks.accuracy_parts.tre import tre_rows

    begun = time.perf_counter()
    figures, tables, _ = tre_rows(Settings(registrations=count, pivots=count, jobs=jobs))
    console = Console()
    for one in tables:
        table = Table(*one.columns, title=one.title, title_justify="left")
        for row in one.rows:
            table.add_row(*row)
        console.print(table)
    console.print(f"{time.perf_counter() - begun:.0f} s")
    if json_file is not None:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")


if __name__ == "__main__":
    typer.run(main)
