"""Printed markers from the picture to the pose: their detection, and the poses of their bodies, in one result.

What `navtwin bench detection` measures, and of `navtwin bench poses` the rows static, tip, cost and hostile with fewer frames.

    navtwin bench tracking [--frames 60] [--seed 1] [--jobs 2]
"""

from __future__ import annotations

import os

# Before NumPy loads: its threads gain nothing on matrices this small, and wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys

import detection
import poses
from results import cli

DETECTION_FRAMES = 300
#: Frames of each row of poses unless --frames says otherwise.
FRAMES = {"static": 200, "tip": 200, "cost": 500, "hostile": 500}


def main() -> int:
    options = argparse.ArgumentParser(prog="navtwin bench tracking", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--frames", type=int, help="frames of each part")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--jobs", type=int, default=1, help="processes for the hostile row")
    cli.add_options(options)
    arguments = options.parse_args()
    poses.checked(list(FRAMES), arguments.frames, arguments.jobs)
    run = cli.run_begun("tracking", arguments)
    frames = {name: arguments.frames or count for name, count in FRAMES.items()}
    part = detection.measure(arguments.frames or DETECTION_FRAMES, arguments.seed)
    part += poses.measure_all(frames, arguments.seed, arguments.jobs)
    counts = {"detection": arguments.frames or DETECTION_FRAMES, **frames}
    return cli.finish(
        arguments,
        run.result(
            settings={"frames": ", ".join(f"{name} {count}" for name, count in counts.items())},
            figures=part.figures,
            distributions=part.distributions,
            tables=part.tables,
            seeds=[arguments.seed],
        ),
    )


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
