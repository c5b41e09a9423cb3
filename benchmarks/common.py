"""What scripts here share: a case to run on; options and a JSON file for those that measure nothing."""

from __future__ import annotations

import argparse
import json
import os
import platform
from pathlib import Path

from rich.console import Console

from navtwin.nouns import Rig, read_rig
from navtwin.scene.case import load_scene
from navtwin.scene.model import Scene


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options of a script that has no result: what it found goes into a JSON file."""
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    return options


def add_case(options: argparse.ArgumentParser) -> None:
    options.add_argument("--case", type=Path, help="case folder with rig.toml (default: the demo's, made if it is not there)")
    options.add_argument("--patient", choices=("thorax", "phantom"), default="thorax", help="which demo case to make")


def case_of(arguments: argparse.Namespace) -> tuple[Scene, Rig, Path]:
    """Scene, rig and folder of the case that was asked for."""
    from phantoms.cases import phantom_patient, thorax_patient

    folder = arguments.case
    if folder is None:
        console = Console(stderr=True)
        folder = thorax_patient(console) if arguments.patient == "thorax" else phantom_patient(console)
    return load_scene(folder), read_rig(folder / "rig.toml"), folder


def machine() -> dict[str, object]:
    return {"system": platform.platform(), "processor": platform.processor(), "cores": os.cpu_count(), "python": platform.python_version()}


def write_json(path: Path | None, figures: dict[str, object]) -> None:
    if path is not None:
        path.write_text(json.dumps({"machine": machine(), **figures}, indent=2) + "\n", encoding="utf-8")
