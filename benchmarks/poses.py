"""Poses of printed bodies against the truth of a rendered camera: accuracy, honesty, what tempts them to be wrong, and cost.

1920 x 1080, focal length 1400 px with distortion, 30 to 70 cm, noise 2 grey levels and blur 0.8 px unless a row says otherwise; the bodies are
those of the printed kit, their geometry and the calibration exact. Pictures go through the real detector.

    static   dodecahedron and cube at rest: error of position and rotation        reach <= 0.30 mm, 0.20 deg (mean)
    tip      pointer tip, 120 mm from the dodecahedron, in the reference board    reach <= 0.50 mm (mean)
    stereo   the same by two cameras 30 cm apart                                  reach <= 0.25 mm (mean)
    hostile  occlusion, tilt to 75 deg, glare, blur, strange markers              reach 0 wrong; >= 95 % of frames with 2 whole markers
    honesty  normalised error squared, coverage of the 95 % ellipsoid             reach 0.8 to 1.25 of 6, 90 to 98 %
    cost     three bodies of twelve markers, all visible                          reach p99 <= 1.5 ms

    python benchmarks/poses.py [--rows static,tip] [--frames N] [--seed 1] [--jobs 2] [--json FILE]
"""

from __future__ import annotations

import os

# Before NumPy loads: its threads gain nothing on matrices this small, and wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
from collections.abc import Mapping

import common
from poses_parts import accuracy, cost, hostile
from rich.console import Console
from rich.table import Table

ROWS = ("static", "tip", "stereo", "hostile", "honesty", "cost")
#: Frames of a row unless --frames says otherwise: hostile's are the ten thousand that the target names; honesty's are those of each of its cells.
FRAMES = {"static": 500, "tip": 400, "stereo": 300, "hostile": 10_000, "honesty": 300, "cost": 2000}


def show(title: str, rows: Mapping[str, Mapping[str, object]]) -> None:
    """A table with a column for each row, or turned over where there are more rows than figures."""
    figures = list(next(iter(rows.values())))
    cells = {(name, figure): f"{v:.3f}" if isinstance(v := row[figure], float) else str(v) for name, row in rows.items() for figure in figures}
    lines, columns = (list(rows), figures) if len(rows) > len(figures) else (figures, list(rows))
    table = Table("", *(column.replace("_", " ") for column in columns), title=title)
    for line in lines:
        table.add_row(line.replace("_", " "), *(cells.get((line, c)) or cells[c, line] for c in columns))
    Console().print(table)


def measure(name: str, arguments: argparse.Namespace) -> dict[str, object]:
    """One row of the benchmark, printed."""
    frames = arguments.frames or FRAMES[name]
    if name == "cost":
        rows = {key: common.percentiles(values) for key, values in cost.cost(frames, arguments.seed).items()}
        common.print_rows("poses of three bodies of twelve markers", "ms", rows)
        return dict(rows)
    if name == "hostile":
        told = {key: hostile.told(tally) for key, tally in hostile.hostile(frames, arguments.seed, arguments.jobs).items()}
    elif name == "honesty":
        told = accuracy.honesty(frames, arguments.seed)
    elif name == "static":
        told = accuracy.static(frames, arguments.seed)
    else:
        told = accuracy.tip(frames, arguments.seed, stereo=name == "stereo")
    show(f"{name} ({frames} frames, seed {arguments.seed})", told)
    return dict(told)


def main() -> None:
    options = common.parser(__doc__)
    options.add_argument("--rows", default=",".join(ROWS), help=f"of {','.join(ROWS)}")
    options.add_argument("--frames", type=int, help="frames of each row")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--jobs", type=int, default=1, help="processes for the hostile row")
    arguments = options.parse_args()
    rows = arguments.rows.split(",")
    if unknown := set(rows) - set(ROWS):
        options.error(f"no such rows: {', '.join(sorted(unknown))}; known: {', '.join(ROWS)}")
    figures = {name: measure(name, arguments) for name in rows}
    common.write_json(arguments.json, {"seed": arguments.seed, **figures})


if __name__ == "__main__":
    main()
