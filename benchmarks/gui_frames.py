"""The desktop at Navigate while the demo's rehearsal runs: pictures a second, from message to pixels, what holds its thread, how fast it is up.

Three processes: a core (`navtwin run CASE --source phantom:pedicle`), the desktop (`navtwin gui`) in a window of 1400 x 900, and this one, which
waits. On Linux without a display Xvfb gives one, and the processor draws (Mesa's llvmpipe).

pictures/s        pictures of a new state on the screen, while the instrument moves
to picture        from the receipt of a state to the picture that shows it, painted on the widget
to strip          the same to a distance card
render            one painting of the 3D picture (beside the window's thread)
hold              how much longer than 10 ms a timer of 10 ms took: what else the window's thread did, and waited for a processor
busy              processor time of the window's thread between two beats of that timer
start             from the start of the process to the first paint of the window; to the first picture of the patient

    python benchmarks/gui_frames.py [--seconds 30] [--starts 3] [--size 1400x900] [--case FOLDER | --patient phantom] [--json FILE]
"""

from __future__ import annotations

import argparse
import statistics
import sys

import common
import numpy as np
from gui_parts.around import SIZE, Window, around, rehearsal, window
from measured import measured
from results import cli
from results.model import Figure, figure_of
from rich.console import Console
from rich.progress import track

from navtwin.errors import InputRefused

#: The core's set-up, the window's start and the picture's come before what is measured, s.
BEFORE_S = 100.0


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    common.add_case(options)
    options.add_argument("--seconds", type=float, default=30.0, help="how long to measure, up to 50 (default: 30)")
    options.add_argument("--starts", type=int, default=3, help="further starts of the window, to time them (default: 3)")
    options.add_argument("--size", default="{}x{}".format(*SIZE), metavar="WxH", help="of the window, pixels (default: 1400x900)")
    cli.add_options(options)
    arguments = options.parse_args()
    width, height = _size(arguments.size)
    run = cli.run_begun("gui-frames", arguments)
    _, _, case = common.case_of(arguments)
    starts: list[tuple[float, float]] = []
    with around((width, height)) as where:
        for n in track(range(arguments.starts + 1), description="windows", transient=True, console=Console(stderr=True)):
            seconds = arguments.seconds if n == arguments.starts else 0.1
            with rehearsal(case) as ports, window(where, case, ports, seconds, name=f"start{n}") as shown:
                seen = shown.seen(BEFORE_S + seconds)
                starts.append(_started_s(shown, seen))
    rows = {
        "to picture": seen["to_picture_ms"],
        "to strip": seen["to_strip_ms"],
        "render": seen["costs_ms"],
        "hold": seen["beats_ms"],
        "busy": seen["busy_ms"],
        "hold before": seen["beats_before_ms"],
    }
    figures, distributions = measured(rows, "ms", (50.0, 95.0, 99.0))
    longest = [figure_of(f"{name} max", "ms", rows[name], lambda part: float(np.max(part))) for name in ("render", "hold", "busy")]
    gaps_s = np.diff(seen["pictures_ns"]) * 1e-9
    result = run.result(
        settings={"case": case.name, "seconds": arguments.seconds, "starts": arguments.starts, "size_px": "{}x{}".format(*seen["size"])},
        figures=[
            figure_of("pictures", "fps", gaps_s, lambda part: float(1.0 / np.mean(part)), "more"),
            *(
                Figure(name=name, value=statistics.median(start[k] for start in starts), unit="s", blocks=tuple(start[k] for start in starts))
                for k, name in enumerate(("window after", "patient after"))
            ),
            *longest,
            *figures,
        ],
        distributions=distributions,
        notes=(
            f"Starts are medians of {len(starts)}.",
            f"Levels of detail {seen['details']}, share of the pixels {seen['scales']}.",
        ),
    )
    return cli.finish(arguments, result)


def _size(text: str) -> tuple[int, int]:
    sides = text.split("x")
    if len(sides) != 2 or not all(side.isdecimal() and int(side) > 0 for side in sides):
        raise InputRefused(f"--size {text} is no size", "write width x height in pixels, as 1400x900")
    return int(sides[0]), int(sides[1])


def _started_s(shown: Window, seen: dict[str, int]) -> tuple[float, float]:
    return (seen["window_ns"] - shown.began_ns) * 1e-9, (seen["picture_ns"] - shown.began_ns) * 1e-9


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
