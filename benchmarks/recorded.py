"""Real pictures against published answers: films of printed markers, and pictures of calibration boards, all made by others.

`navtwin bench recorded [--data FOLDER] [--json FILE]`

Films go through the product's own path: `open_pictures`, then `MarkerTracker` with a rig made of the definition files beside the films. Pictures of
boards go through `navtwin calibrate`'s calibrations. The verdict is whether the difference lies within three standard deviations of both answers
together: ours is what our result states (a pose's is without the camera calibration's part), theirs is what the table's footnotes say, for published
answers state none. Where answers differ, a row tells how far the picture is from either.
"""

from __future__ import annotations

import os

# Before NumPy loads: its threads gain nothing on matrices this small, and wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from results import cli
from results.model import Figure, Table
from rich.console import Console
from rich.progress import track

from benchmarks.recorded_parts import boards, films
from benchmarks.recorded_parts.rows import SOURCES, Row

#: Where the data pack lies beside a checkout.
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "tracking"
#: Folder of the pack, and what makes rows of it.
PARTS = {"aruco": films.rows, "camera_calibration": boards.webcam_rows, "stereo_charuco_davinci": boards.da_vinci_rows}


def rows(data: Path) -> Iterator[Row]:
    """Of every part of the pack that is there."""
    for name, part in PARTS.items():
        if (data / name).is_dir():
            yield from part(data / name)


def missing(data: Path) -> list[str]:
    """Why rows are left out, if any are."""
    return [f"{name}: skipped, there is no folder {name} in {data.name}" for name in PARTS if not (data / name).is_dir()]


def figures_of(found: Sequence[Row]) -> list[Figure]:
    """How far each published answer is from ours, and how many of those that are judged were not met."""
    judged = [row for row in found if row.passed is not None]
    counts = [
        Figure(name="answers that differ", value=float(sum(not row.passed for row in judged)), unit=""),
        Figure(name="answers compared", value=float(len(judged)), unit="", better="more"),
    ]
    apart = [Figure(name=f"{row.film}: {row.what}", value=row.sds, unit="sd") for row in found if row.sds is not None]
    return [*counts, *apart]


def table_of(found: Sequence[Row]) -> Table:
    columns = ("input", "what", "from", "published", "ours", "difference", "sd", "their sd", "unit", "found", "verdict")
    cells = tuple(
        (r.film, r.what, r.source, r.published, r.ours, r.difference, r.sd, r.their_sd, r.unit, f"{r.found}/{r.of}", r.verdict) for r in found
    )
    return Table(title="real pictures against published answers", columns=columns, rows=cells)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data", type=Path, default=DATA, metavar="FOLDER", help="the data pack's tracking folder (default: beside the checkout)")
    cli.add_options(options)
    arguments = options.parse_args()
    run = cli.run_begun("recorded", arguments)
    found = list(track(rows(arguments.data), description="pictures", total=None, transient=True, console=Console(stderr=True)))
    left_out = missing(arguments.data)
    result = run.result(
        settings={"parts": ",".join(name for name in PARTS if (arguments.data / name).is_dir())},
        figures=figures_of(found) if found else (),
        tables=[table_of(found)] if found else (),
        notes=[*(f"{key}: {SOURCES[key]}" for key in sorted({row.source for row in found})), *left_out],
    )
    return cli.finish(arguments, result, whole=not left_out)


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
