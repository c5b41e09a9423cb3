"""Real pictures against published answers: films of printed markers, and pictures of calibration boards, all made by others.

    python benchmarks/recorded.py [--data FOLDER] [--json FILE]

Films go through the product's own path: `open_pictures`, then `MarkerTracker` with a rig made of the definition files beside the films. Pictures of
boards go through `navtwin calibrate`'s calibrations. The verdict is whether the difference lies within three standard deviations of both answers
together: ours is what our result states (a pose's is without the camera calibration's part), theirs is what the table's footnotes say, for published
answers state none. Where answers differ, a row tells how far the picture is from either.
"""

from __future__ import annotations

import os

# Before NumPy loads: its threads gain nothing on matrices this small, and wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.common import parser, write_json
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
    return [f"{name}: skipped, there is no folder {data / name}" for name in PARTS if not (data / name).is_dir()]


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--data", type=Path, default=DATA, metavar="FOLDER", help="the data pack's tracking folder (default: beside the checkout)")
    arguments = options.parse_args()
    found = list(rows(arguments.data))
    table = Table(title="real pictures against published answers")
    for column in ("input", "what", "from", "published", "ours", "difference", "sd", "their sd", "unit", "found", "verdict"):
        table.add_column(column, justify="right" if column in ("difference", "sd", "their sd", "found") else "left")
    for r in found:
        table.add_row(r.film, r.what, r.source, r.published, r.ours, r.difference, r.sd, r.their_sd, r.unit, f"{r.found}/{r.of}", r.verdict)
    console = Console(width=200)
    if found:
        console.print(table)
        for key in sorted({r.source for r in found}):
            console.print(f"{key}  {SOURCES[key]}", highlight=False)
    left_out = missing(arguments.data)
    for line in left_out:
        console.print(line, highlight=False)
    write_json(arguments.json, {"sources": SOURCES, "skipped": left_out, "rows": [asdict(r) for r in found]})


if __name__ == "__main__":
    main()
