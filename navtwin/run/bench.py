"""`navtwin bench`: runs the scripts of `benchmarks/`, which stand in the project's checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

import navtwin
from navtwin.errors import InputRefused

bench_app = typer.Typer(no_args_is_help=True, help="Benchmarks: each prints a table and, with --json FILE, writes its figures.")

#: What each benchmark is called on the command line, and its script.
SCRIPTS = {
    "kernels": "proximity.py",
    "latency": "latency.py",
    "accuracy": "registration.py",
    "seeds": "seeds.py",
    "step": "step.py",
    "detection": "detection.py",
    "poses": "poses.py",
    "calibration": "calibration.py",
    "recorded": "recorded.py",
    "opening": "opening.py",
    "importing": "importing.py",
    "openigtlink": "openigtlink.py",
    "fuzz": "fuzz.py",
    "sound": "sound.py",
    "slices": "slices.py",
    "drilling": "drilling.py",
}


def _run(name: str, arguments: list[str]) -> None:
    script = Path(navtwin.__file__).parent.parent / "benchmarks" / SCRIPTS[name]
    if not script.is_file():
        raise InputRefused(
            f"there is no {script.name} beside the package", "benchmarks run from a checkout of the project, not from an installed wheel"
        )
    raise typer.Exit(subprocess.run([sys.executable, str(script), *arguments], check=False).returncode)


def _command(name: str, help_text: str) -> None:
    @bench_app.command(name, help=help_text, context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
    def run(context: typer.Context, arguments: Annotated[list[str] | None, typer.Argument()] = None) -> None:
        _run(name, [*(arguments or []), *context.args])


_command("kernels", "The proximity core against the best exact libraries, in the same run.")
_command("step", "One step of the fold on a case.")
_command("latency", "From pose to received alert, in another process, over real sockets.")
_command("accuracy", "Registration: predicted against observed error.")
_command("seeds", "The demo's rehearsal over many seeds, judged against truth.")
_command("detection", "Printed markers followed by regions, against OpenCV's detector, in the same run.")
_command("poses", "Poses of printed bodies against a rendered camera's truth.")
_command("calibration", "Calibrations: is the error what the error bar says?")
_command("recorded", "Films and calibration pictures of others, against what was published of them.")
_command("opening", "Opening a CT, against SimpleITK on the same files in the same run.")
_command("importing", "Importing a tracker's recording as a log.")
_command("openigtlink", "From socket to tracker frame, against pyigtl in the same run.")
_command("fuzz", "A fuzzer on every reader of files.")
_command("sound", "From an alert to the first sample of its sound.")
_command("slices", "Three slices through the tip, cut and painted.")
_command("drilling", "Bone that is drilled: frames, against VTK's flying edges, against analytic truth, memory.")
