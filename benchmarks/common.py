"""What the benchmarks share: a case to run on, the figures of a sample, a table and a JSON file."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from navtwin.nouns import Rig, read_rig
from navtwin.scene.case import load_scene
from navtwin.scene.model import Scene


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
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


def percentiles(values: Sequence[float] | np.ndarray) -> dict[str, float]:
    """n, p50, p95, p99 and max."""
    array = np.asarray(values, dtype=float)
    p50, p95, p99 = np.percentile(array, [50, 95, 99])
    return {"n": int(array.size), "p50": float(p50), "p95": float(p95), "p99": float(p99), "max": float(array.max())}


def machine() -> dict[str, object]:
    return {"system": platform.platform(), "processor": platform.processor(), "cores": os.cpu_count(), "python": platform.python_version()}


def print_rows(title: str, unit: str, rows: dict[str, dict[str, float]]) -> None:
    table = Table(title=title)
    table.add_column(unit)
    for column in ("n", "p50", "p95", "p99", "max"):
        table.add_column(column, justify="right")
    for name, row in rows.items():
        table.add_row(name, str(row["n"]), *(f"{row[c]:.3f}" for c in ("p50", "p95", "p99", "max")))
    Console().print(table)


def write_json(path: Path | None, figures: dict[str, object]) -> None:
    if path is not None:
        path.write_text(json.dumps({"machine": machine(), **figures}, indent=2) + "\n", encoding="utf-8")
