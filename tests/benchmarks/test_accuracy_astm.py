"""The accuracy benchmark's rows in the manner of ASTM F2554: the same for the same seed, against the truth, and refused in a line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

# The scripts of benchmarks/ find their own parts beside them.
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from benchmarks.accuracy_parts.astm import assess_simulated, astm_rows, figures_over
from navtwin.assess.plan import Design
from navtwin.assess.tables import figures_of

ROOT = Path(__file__).parents[2]
SMALL = Design(places=("middle",), repeats=2, leans_deg=(), turns_deg=(-45.0, 45.0), points=4)


def test_rows_tell_every_figure_and_every_device_once() -> None:
    (figures, tables, _), first = astm_rows((1, 2), design=SMALL, quiet=True)
    names = {figure.name for figure in figures}
    assert {"single point mean, simulated", "single point 95 %, simulated", "orientation span, simulated", "point to point RMS, simulated"} <= names
    assert all(len(figure.blocks) == 2 and figure.value == pytest.approx(np.mean(figure.blocks)) for figure in figures)
    assert first.complete and len({table.title for table in tables}) == len(tables) == 5


def test_a_seed_is_the_same_device_hand_and_noise_every_time() -> None:
    once, again, other = (figures_of(assess_simulated(seed, SMALL)) for seed in (3, 3, 4))
    assert once == again and once != other
    assert [f.value for f in figures_over([once], "x")] == list(once.values())


def test_what_cannot_be_measured_is_refused_in_a_line() -> None:
    words = ("--only", "astn")
    done = subprocess.run([sys.executable, str(ROOT / "benchmarks" / "accuracy.py"), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "astm" in done.stderr and "Traceback" not in done.stderr
