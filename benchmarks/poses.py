"""Poses of printed bodies against the truth of a rendered camera: accuracy, honesty, what tempts them to be wrong, and cost.

1920 x 1080, focal length 1400 px with distortion, 30 to 70 cm, noise 2 grey levels and blur 0.8 px unless a row says otherwise; the bodies are
those of the printed kit, their geometry and the calibration exact. Pictures go through the real detector.

    static   dodecahedron and cube at rest: error of position and rotation
    tip      pointer tip, 120 mm from the dodecahedron, in the reference board
    stereo   the same by two cameras 30 cm apart
    hostile  occlusion, tilt to 75 deg, glare, blur, strange markers
    honesty  normalised error squared, coverage of the 95 % ellipsoid
    cost     three bodies of twelve markers, all visible

    navtwin bench poses [--rows static,tip] [--frames N] [--seed 1] [--jobs 2]
"""

from __future__ import annotations

import os

# Before NumPy loads: its threads gain nothing on matrices this small, and wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
from collections.abc import Mapping, Sequence

from poses_parts import accuracy, cost, hostile
from poses_parts.part import Part
from results import cli
from results.model import Better, Figure, Table, distribution, percentile_figures

from navtwin.errors import InputRefused, nearest

ROWS = ("static", "tip", "stereo", "hostile", "honesty", "cost")
#: Frames of a row unless --frames says otherwise: hostile's are the ten thousand that the target names; honesty's are those of each of its cells.
FRAMES = {"static": 500, "tip": 400, "stereo": 300, "hostile": 10_000, "honesty": 300, "cost": 2000}

#: What a row tells -> the figure's name, unit, and whether less or more is better. What is not named here is only in the table.
FIGURES: dict[str, tuple[str, str, Better]] = {
    "frames": ("frames", "", "none"),
    "refused": ("refused", "", "less"),
    "position_mm": ("position, mean", "mm", "less"),
    "position_p95_mm": ("position, p95", "mm", "less"),
    "rotation_deg": ("rotation, mean", "deg", "less"),
    "rotation_p95_deg": ("rotation, p95", "deg", "less"),
    "mean_mm": ("mean", "mm", "less"),
    "p95_mm": ("p95", "mm", "less"),
    "accepted_percent": ("accepted with two whole markers visible", "%", "more"),
    "six_accepted_percent": ("accepted with six corners visible", "%", "more"),
    "worst_deg": ("worst turn", "deg", "less"),
    "wrong": ("wrong", "", "less"),
    "mean_of_6": ("squared error over 6", "", "none"),
    "covered_percent": ("inside the 95 % ellipsoid", "%", "none"),
}


def _table(title: str, rows: Mapping[str, Mapping[str, object]]) -> Table:
    """A column for each row, or turned over where there are more rows than figures."""
    told = list(next(iter(rows.values())))
    cells = {(name, key): f"{v:.3f}" if isinstance(v := row[key], float) else str(v) for name, row in rows.items() for key in told}
    lines, columns = (list(rows), told) if len(rows) > len(told) else (told, list(rows))
    body = tuple((line.replace("_", " "), *(cells.get((line, c)) or cells[c, line] for c in columns)) for line in lines)
    return Table(title=title, columns=("", *(column.replace("_", " ") for column in columns)), rows=body)


def _figures(name: str, rows: Mapping[str, Mapping[str, object]]) -> list[Figure]:
    """`ROW, BODY: FIGURE`; a share of nothing is none."""
    return [
        Figure(name=f"{name}, {of}: {what}", value=float(value), unit=unit, better=better)
        for of, row in rows.items()
        for key, (what, unit, better) in FIGURES.items()
        if isinstance(value := row.get(key), int | float)
    ]


def measure(name: str, frames: int, seed: int, jobs: int) -> Part:
    """One row of the benchmark."""
    told: Mapping[str, Mapping[str, object]]
    if name == "cost":
        took = cost.cost(frames, seed)
        figures = [figure for what, values in took.items() for figure in percentile_figures(f"cost, {what}", "ms", values)]
        return Part(figures, [distribution(f"cost, {what}", "ms", values) for what, values in took.items()])
    if name == "hostile":
        told = {key: hostile.told(tally) for key, tally in hostile.hostile(frames, seed, jobs).items()}
    elif name == "honesty":
        told = accuracy.honesty(frames, seed)
    elif name == "static":
        told = accuracy.static(frames, seed)
    else:
        told = accuracy.tip(frames, seed, stereo=name == "stereo")
    return Part(_figures(name, told), tables=[_table(f"{name} ({frames} frames, seed {seed})", told)])


def measure_all(frames: Mapping[str, int], seed: int, jobs: int) -> Part:
    """The rows that `frames` names, each with so many frames."""
    return sum((measure(name, count, seed, jobs) for name, count in frames.items()), Part())


def checked(rows: Sequence[str], frames: int | None, jobs: int) -> None:
    """Refuses rows that there are not, and counts that say nothing."""
    for name in rows:
        if name not in ROWS:
            raise InputRefused(f"no rows are called '{name}'", nearest(name, ROWS))
    if frames is not None and frames < 1:
        raise InputRefused(f"--frames {frames}: nothing to measure", "ask for one or more")
    if jobs < 1:
        raise InputRefused(f"--jobs {jobs}: nobody to do it", "ask for one or more")


def main() -> int:
    options = argparse.ArgumentParser(prog="navtwin bench poses", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", default=",".join(ROWS), help=f"of {','.join(ROWS)}")
    options.add_argument("--frames", type=int, help="frames of each row")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--jobs", type=int, default=1, help="processes for the hostile row")
    cli.add_options(options)
    arguments = options.parse_args()
    rows = arguments.rows.split(",")
    checked(rows, arguments.frames, arguments.jobs)
    run = cli.run_begun("poses", arguments)
    frames = {name: arguments.frames or FRAMES[name] for name in ROWS if name in rows}
    part = measure_all(frames, arguments.seed, arguments.jobs)
    return cli.finish(
        arguments,
        run.result(
            settings={"frames": ", ".join(f"{name} {count}" for name, count in frames.items())},
            figures=part.figures,
            distributions=part.distributions,
            tables=part.tables,
            seeds=[arguments.seed],
        ),
        whole=set(rows) == set(ROWS),
    )


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
