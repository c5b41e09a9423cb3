"""`navtwin bench`: runs the scripts of `benchmarks/`, which stand in the project's checkout.

A new benchmark is one line of `BENCHMARKS`: that makes it a command, lets a budget ask something of it, and puts it in `navtwin bench all`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

import navtwin
from navtwin.errors import InputRefused

bench_app = typer.Typer(
    no_args_is_help=True, help="Benchmarks: each prints its figures beside what they have to reach, and writes JSON, CSV, HTML and Markdown."
)


@dataclass(frozen=True)
class Benchmark:
    """A script of `benchmarks/`.

    Attributes
    ----------
    quick, full : its options within `navtwin bench all --quick` and `navtwin bench all`; None: it has no part in that
    screen : it opens windows: `navtwin bench all` runs it only where there is a display
    """

    script: str
    what: str
    quick: tuple[str, ...] | None = ()
    full: tuple[str, ...] | None = ()
    screen: bool = False


#: In the order in which a report tells them.
BENCHMARKS = {
    "latency": Benchmark(
        "latency.py",
        "From pose to received alert, in another process, over real sockets.",
        ("--rows", "plain,curve,full,crowd,stale,link,kill", "--seconds", "5", "--events", "12", "--times", "2"),
        ("--rows", "all", "--seconds", "60"),
    ),
    "soak": Benchmark("soak.py", "The full load for a long time: memory, open files, threads, latency, frames and log.", ("--minutes", "0.5")),
    "faults": Benchmark(
        "faults.py", "Every fault of the table put into a live session: its signal, its deadline, and no false clear.", ("--seeds", "1")
    ),
    "kernels": Benchmark("proximity.py", "The proximity core against the best exact libraries, in the same run.", ("--quick",)),
    "step": Benchmark("step.py", "One step of the fold on a case."),
    "tracking": Benchmark("tracked.py", "Printed markers from the picture to the pose: detection and poses in one result.", ("--frames", "60")),
    "detection": Benchmark("detection.py", "Printed markers followed by regions, against OpenCV's detector, in the same run.", None, None),
    "poses": Benchmark("poses.py", "Poses of printed bodies against a rendered camera's truth.", None, None),
    "accuracy": Benchmark(
        "accuracy.py",
        "Positional accuracy in the manner of ASTM F2554, predicted against observed error, the whole chain.",
        ("--quick", "--only", "astm,tre,chain"),
    ),
    "calibration": Benchmark("calibration.py", "Calibrations: is the error what the error bar says?", ("--quick",)),
    "recorded": Benchmark("recorded.py", "Films and calibration pictures of others, against what was published of them."),
    "drilling": Benchmark(
        "drilling.py", "Bone that is drilled: frames, against VTK's flying edges, against analytic truth, memory.", ("--strokes", "10")
    ),
    "seeds": Benchmark("seeds.py", "The demo's rehearsal over many seeds, judged against truth.", ("--seeds", "2")),
    "opening": Benchmark("opening.py", "Opening a CT, against SimpleITK on the same files in the same run.", ("--slices", "60", "--repeats", "2")),
    "importing": Benchmark("importing.py", "Importing a tracker's recording as a log.", ("--frames", "10000", "--runs", "1")),
    "openigtlink": Benchmark(
        "openigtlink.py", "From socket to tracker frame, against pyigtl in the same run.", ("--seconds", "3", "--peer-seconds", "3")
    ),
    "sound": Benchmark("sound.py", "From an alert to the first sample of its sound.", ("--rounds", "20")),
    "slices": Benchmark("slices.py", "Three slices through the tip, cut and painted.", ("--cuts", "60")),
    "replay": Benchmark("replay.py", "Replay under other Pythons and for other processors: the same to the bit?", ("--logs", "1", "--seconds", "5")),
    "fleet": Benchmark(
        "fleet.py",
        "Many logs verified by one worker and by several, damaged ones among them.",
        ("--logs", "12", "--distinct", "6", "--seconds", "10"),
    ),
    "video": Benchmark("video.py", "What live video costs tracking: nobody looks, one screen, one that has stalled, in turns.", ("--rounds", "2")),
    "gui-frames": Benchmark(
        "gui_frames.py",
        "The desktop while the rehearsal runs: pictures a second, from message to pixels, how fast it is up.",
        ("--seconds", "10", "--starts", "1"),
        screen=True,
    ),
    "gui-alerts": Benchmark(
        "gui_alerts.py", "From an alert to the painted word and to the first sample of its sound.", ("--rounds", "10"), screen=True
    ),
    "gui-beside": Benchmark("gui_beside.py", "Whether a desktop beside the core can delay a warning.", ("--rounds", "1"), screen=True),
    "gui-memory": Benchmark("gui_memory.py", "Memory of core and desktop over a log played flat out.", ("--minutes", "5"), screen=True),
    "fuzz": Benchmark("fuzz.py", "A fuzzer on every reader of files.", None, None),
}


#: `navtwin bench all`: all of them, one after the other, and one report.
ALL = Benchmark("all.py", "Runs all benchmarks, one after the other, and writes benchmarks/REPORT.md and REPORT.html.", None, None)
_COMMANDS = {**BENCHMARKS, "all": ALL}


def script_of(name: str) -> Path:
    """The benchmark's script; `all` is the one that runs the others.

    Raises
    ------
    InputRefused
        Where navtwin was installed from a wheel, which carries no benchmarks.
    """
    script = Path(navtwin.__file__).parent.parent / "benchmarks" / _COMMANDS[name].script
    if not script.is_file():
        raise InputRefused(
            f"there is no {script.name} beside the package", "benchmarks run from a checkout of the project, not from an installed wheel"
        )
    return script


def run_script(name: str, words: Sequence[str]) -> int:
    """Runs it; its exit code. Ctrl-C reaches it too, and it is waited for: it ends in order and tells what it has."""
    process = subprocess.Popen([sys.executable, str(script_of(name)), *words])
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def _command(name: str) -> None:
    @bench_app.command(
        name,
        help=_COMMANDS[name].what,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
    )
    def run(context: typer.Context, arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:
        words = [*(arguments or []), *context.args]
        raise typer.Exit(run_script(name, words))


for _name in _COMMANDS:
    _command(_name)
