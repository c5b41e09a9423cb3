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

import statistics
import sys
from pathlib import Path

import common
from gui_parts.around import SIZE, Window, around, rehearsal, window
from rich.console import Console

LEAST_PICTURES, MOST_RENDER_MS, MOST_HOLD_MS, MOST_START_S = 8.0, 120.0, 50.0, 3.0
#: The core's set-up, the window's start and the picture's come before what is measured, s.
BEFORE_S = 100.0


def main() -> None:
    options = common.parser(__doc__)
    common.add_case(options)
    options.add_argument("--seconds", type=float, default=30.0, help="how long to measure, up to 50 (default: 30)")
    options.add_argument("--starts", type=int, default=3, help="further starts of the window, to time them (default: 3)")
    options.add_argument("--size", default="{}x{}".format(*SIZE), metavar="WxH", help="of the window, pixels (default: 1400x900)")
    arguments = options.parse_args()
    width, height = (int(side) for side in arguments.size.split("x"))
    _, _, case = common.case_of(arguments)
    starts: list[tuple[float, float]] = []
    with around((width, height)) as where:
        for n in range(arguments.starts + 1):
            seconds = arguments.seconds if n == arguments.starts else 0.1
            with rehearsal(case) as ports, window(where, case, ports, seconds, name=f"start{n}") as shown:
                seen = shown.seen(BEFORE_S + seconds)
                starts.append(_started_s(shown, seen))
    spans_s = (seen["pictures_ns"][-1] - seen["pictures_ns"][0]) * 1e-9
    pictures = (len(seen["pictures_ns"]) - 1) / spans_s
    rows = {
        "to picture": common.percentiles(seen["to_picture_ms"]),
        "to strip": common.percentiles(seen["to_strip_ms"]),
        "render": common.percentiles(seen["costs_ms"]),
        "hold": common.percentiles(seen["beats_ms"]),
        "busy": common.percentiles(seen["busy_ms"]),
        "hold before": common.percentiles(seen["beats_before_ms"]),
    }
    shown_s, picture_s = (statistics.median(s[k] for s in starts) for k in (0, 1))
    common.print_rows(f"the desktop at Navigate, {seen['size'][0]} x {seen['size'][1]}", "ms", rows)
    within = {
        "pictures": pictures >= LEAST_PICTURES,
        "render": rows["render"]["max"] <= MOST_RENDER_MS,
        "busy": rows["busy"]["max"] <= MOST_HOLD_MS,
        "start": shown_s <= MOST_START_S,
    }
    console = Console()
    console.print(f"{pictures:.1f} pictures/s (>= {LEAST_PICTURES:g}); levels of detail {seen['details']}, share of the pixels {seen['scales']}")
    console.print(f"window after {shown_s:.2f} s (<= {MOST_START_S:g}), the patient after {picture_s:.2f} s (medians of {len(starts)})")
    console.print("; ".join(f"{name} {'within' if good else 'ABOVE'}" for name, good in within.items()))
    figures = {
        "benchmark": Path(__file__).stem, "unit": "ms", "rows": rows, "pictures_per_s": pictures, "window_s": shown_s, "picture_s": picture_s,
        "starts_s": starts, "details": seen["details"], "scales": seen["scales"], "size_px": seen["size"], "within": within,
    }  # fmt: skip
    common.write_json(arguments.json, figures)
    if not all(within.values()):
        sys.exit(1)


def _started_s(shown: Window, seen: dict[str, int]) -> tuple[float, float]:
    return (seen["window_ns"] - shown.began_ns) * 1e-9, (seen["picture_ns"] - shown.began_ns) * 1e-9


if __name__ == "__main__":
    main()
