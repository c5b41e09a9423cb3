"""Calibrations against truth: is the error what the error bar says?

`navtwin bench calibration [--rows pivot,spin,hand-eye,time,camera] [--count 500] [--seed 0] [--quick] [--json FILE]`

Each row is a number of seeded simulations. `in 95 %` is the share of true values inside the interval that the calibration states (1.96 sd, each
parameter by itself); `error` is RMS. The camera's rows project boards through the phantom's own lens; its last row calibrates from rendered pictures.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from results import cli
from results.model import BLOCKS, Figure, Table, percentile_figures
from rich.console import Console
from rich.progress import track

from benchmarks.accuracy_parts.trials import TIP_MM, pivot_poses
from benchmarks.calibration_cases import hand_eye_case, spin_poses, spoilt, two_streams, unequal
from navtwin.calibrate import calibrate_hand_eye, calibrate_pivot, calibrate_robot_world, calibrate_spin, time_offset
from navtwin.calibrate.poses import vectors_of
from navtwin.errors import InputRefused, nearest

Array = npt.NDArray[np.float64]
KINDS = ("pivot", "spin", "hand-eye", "time", "camera")


@dataclass(frozen=True)
class Trial:
    """Errors of one calibration, their stated standard deviations, and the verdict."""

    error: Array
    sd: Array
    accepted: bool


@dataclass(frozen=True)
class Row:
    """One kind and case of calibration: its trials in the order of their seeds, and what each took, ms."""

    kind: str
    case: str
    unit: str
    trials: tuple[Trial, ...]
    took_ms: tuple[float, ...]


def run(kind: str, case: str, unit: str, count: int, seed: int, trial: Callable[[np.random.Generator], Trial]) -> Row:
    done, spent = [], []
    for n in track(range(count), description=f"{kind}: {case}", transient=True, console=Console(stderr=True)):
        rng = np.random.default_rng([seed, n])
        begin = time.perf_counter()
        done.append(trial(rng))
        spent.append(1e3 * (time.perf_counter() - begin))
    return Row(kind, case, unit, tuple(done), tuple(spent))


def inside_95(trials: Sequence[Trial]) -> float:
    """Per cent of the true values inside the interval that was stated."""
    return 100.0 * float(np.mean([np.abs(t.error) <= 1.96 * t.sd for t in trials]))


def error_rms(trials: Sequence[Trial]) -> float:
    return float(np.sqrt(np.mean([np.square(t.error) for t in trials])))


def stated_sd(trials: Sequence[Trial]) -> float:
    return float(np.sqrt(np.mean([np.square(t.sd) for t in trials])))


def figures_of(row: Row) -> list[Figure]:
    """Honesty, error and cost of one kind and case, with their blocks."""
    ends = np.linspace(0, len(row.trials), BLOCKS + 1).astype(int)
    parts = [row.trials[begin:end] for begin, end in pairwise(ends)] if len(row.trials) >= 10 * BLOCKS else []
    name = _name(row)
    return [
        Figure(name=f"{name}: in 95 %", value=inside_95(row.trials), unit="%", better="none", blocks=tuple(inside_95(part) for part in parts)),
        Figure(name=f"{name}: error RMS", value=error_rms(row.trials), unit=row.unit, blocks=tuple(error_rms(part) for part in parts)),
        Figure(name=f"{name}: accepted", value=100.0 * float(np.mean([t.accepted for t in row.trials])), unit="%", better="none"),
        *percentile_figures(f"{name}: took", "ms", row.took_ms, (50.0,)),
    ]


def table_of(found: Sequence[Row]) -> Table:
    cells = []
    for row in found:
        largest = max(float(np.abs(t.error).max()) for t in row.trials)
        numbers = (f"{error_rms(row.trials):.2g}", f"{largest:.2g}", f"{stated_sd(row.trials):.2g}")
        cells.append((_name(row), str(len(row.trials)), f"{inside_95(row.trials):.1f} %", *numbers, row.unit))
    columns = ("calibration", "trials", "in 95 %", "error RMS", "largest", "stated sd", "unit")
    return Table(title="calibrations against truth", columns=columns, rows=tuple(cells))


def _name(row: Row) -> str:
    """Of one row alone: hand-eye cases have one for their place and one for their turn."""
    return f"{row.kind}: {row.case}{', turn' if row.unit == 'deg' else ''}"


def pivot_trial(rng: np.random.Generator, poses: int, correlation: float, outliers: float) -> Trial:
    collected = spoilt(pivot_poses(rng, poses, correlation), rng, outliers)
    found = calibrate_pivot(collected)
    return Trial(found.tip_mm - TIP_MM, np.sqrt(np.diag(found.covariance)), found.accepted)


def unequal_pivot_trial(rng: np.random.Generator, *, weighted: bool) -> Trial:
    collected, covariances = unequal(pivot_poses(rng, 300, 0.0), rng, 0.3, 5.0, 3e-4, 0.1)
    found = calibrate_pivot(collected, covariances if weighted else None)
    return Trial(found.tip_mm - TIP_MM, np.sqrt(np.diag(found.covariance)), found.accepted)


def spin_trial(rng: np.random.Generator, poses: int, correlation: float, turn_deg: float, outliers: float) -> Trial:
    collected, axis, tip = spin_poses(rng, poses, correlation, turn_deg)
    found = calibrate_spin(spoilt(collected, rng, outliers), tip)
    across = np.linalg.svd(axis[None])[2][1:]
    return Trial(across @ found.axis_in_marker, np.sqrt(np.diag(across @ found.covariance @ across.T)), found.accepted)


def hand_eye_trial(rng: np.random.Generator, count: int, correlation: float, *, world: bool, place: bool, outliers: float = 0.0) -> Trial:
    case = hand_eye_case(rng, count, world=world, correlation=correlation)
    A = spoilt(case.A, rng, outliers)
    found = calibrate_robot_world(A, case.B) if world else calibrate_hand_eye(A, case.B)
    turn = vectors_of((found.X[:3, :3] @ case.X[:3, :3].T)[None])[0]
    sd = np.sqrt(np.diag(found.covariance))
    return Trial(found.X[:3, 3] - case.X[:3, 3], sd[3:], found.accepted) if place else Trial(np.degrees(turn), np.degrees(sd[:3]), found.accepted)


def time_trial(rng: np.random.Generator, kind: str, rate_first_hz: float, rate_second_hz: float) -> Trial:
    s = two_streams(rng, kind, rate_first_hz, rate_second_hz)
    found = time_offset(s.t_first_ns, s.x_first, s.t_second_ns, s.x_second)
    return Trial(np.array([found.offset_ns - s.offset_ns]) / 1e6, np.array([found.sd_ns]) / 1e6, found.accepted)


def camera_trial(rng: np.random.Generator, views: int, sd_px: float, which: slice) -> Trial:
    from benchmarks.calibration_boards import DISTORTION, MATRIX, views_of
    from tracking.calibration.camera import calibrate_camera

    found = calibrate_camera(views_of(rng, views, sd_px))
    estimate = np.array([*found.matrix[[0, 1, 0, 1], [0, 1, 2, 2]], *found.distortion[:4]])
    truth = np.array([*MATRIX[[0, 1, 0, 1], [0, 1, 2, 2]], *DISTORTION])
    return Trial((estimate - truth)[which], found.sd[:8][which], found.accepted)


def rendered_trial(rng: np.random.Generator, views: int) -> Trial:
    from benchmarks.calibration_boards import DISTORTION, MATRIX, rendered_views
    from tracking.calibration.camera import calibrate_camera

    found = calibrate_camera(rendered_views(rng, views))
    estimate = np.array([*found.matrix[[0, 1, 0, 1], [0, 1, 2, 2]], *found.distortion[:4]])
    truth = np.array([*MATRIX[[0, 1, 0, 1], [0, 1, 2, 2]], *DISTORTION])
    return Trial((estimate - truth)[:4], found.sd[:4], found.accepted)


def rows(kinds: tuple[str, ...], count: int, seed: int) -> Iterator[Row]:
    """The rows of the named kinds; slow kinds take fewer trials."""
    if "pivot" in kinds:
        for name, poses, correlation, outliers in (
            ("300 poses", 300, 0.0, 0.0),
            ("300 poses, 5 % outliers", 300, 0.0, 0.05),
            ("300 poses, noise correlated by 0.9", 300, 0.9, 0.0),
            ("300 poses, correlated by 0.9, 5 % outliers", 300, 0.9, 0.05),
            ("40 poses, 5 % outliers", 40, 0.0, 0.05),
        ):
            yield run("pivot", name, "mm", count, seed, lambda rng, a=(poses, correlation, outliers): pivot_trial(rng, *a))
        for name, weighted in (("300 poses, 30 % of them 5 x noisier", False), ("the same, weighted by their covariances", True)):
            yield run("pivot", name, "mm", count, seed, lambda rng, w=weighted: unequal_pivot_trial(rng, weighted=w))
    if "spin" in kinds:
        for name, poses, correlation, turn, outliers in (
            ("300 poses, 360 deg", 300, 0.0, 360.0, 0.0),
            ("300 poses, 360 deg, 5 % outliers", 300, 0.0, 360.0, 0.05),
            ("300 poses, 120 deg, noise correlated by 0.9", 300, 0.9, 120.0, 0.0),
            ("40 poses, 360 deg", 40, 0.0, 360.0, 0.0),
        ):
            yield run("spin", name, "rad", count, seed, lambda rng, a=(poses, correlation, turn, outliers): spin_trial(rng, *a))
    if "hand-eye" in kinds:
        for name, number, correlation, world, outliers in (
            ("AX=XB, 12 motions", 12, 0.0, False, 0.0),
            ("AX=YB, 20 poses", 20, 0.0, True, 0.0),
            ("AX=YB, 40 poses, 5 % outliers", 40, 0.0, True, 0.05),
            ("AX=YB, 300 poses, noise correlated by 0.9", 300, 0.9, True, 0.0),
        ):
            for place in (True, False):
                settings = {"world": world, "place": place, "outliers": outliers}
                yield run(
                    "hand-eye",
                    name,
                    "mm" if place else "deg",
                    max(count * 2 // 5, 1),
                    seed,
                    lambda rng, a=(number, correlation), k=settings: hand_eye_trial(rng, *a, **k),
                )
    if "time" in kinds:
        for kind in ("poses", "points", "speeds"):
            for rates in ((60.0, 30.0), (30.0, 30.0)):
                name = f"{kind}, {rates[0]:.0f} and {rates[1]:.0f} Hz, 15 s"
                yield run("time", name, "ms", max(count * 2 // 5, 1), seed, lambda rng, a=(kind, *rates): time_trial(rng, *a))
    if "camera" in kinds:
        for name, which in (("focal length and centre", slice(4)), ("distortion", slice(4, 8))):
            trial: Callable[[np.random.Generator], Trial] = lambda rng, w=which: camera_trial(rng, 25, 0.1, w)  # noqa: E731
            yield run("camera", f"25 views, corners to 0.1 px: {name}", "px" if which == slice(4) else "1", max(count // 5, 1), seed, trial)
        yield run(
            "camera", "rendered sheet board, 20 views: focal length and centre", "px", max(count // 50, 1), seed, lambda rng: rendered_trial(rng, 20)
        )


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", default=",".join(KINDS), help="kinds of calibration, separated by commas")
    options.add_argument("--count", type=int, default=500, help="trials of the fast kinds; hand-eye and time take 2/5, cameras 1/5 of it")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--quick", action="store_true", help="40 trials")
    cli.add_options(options)
    arguments = options.parse_args()
    kinds = tuple(arguments.rows.split(","))
    for kind in kinds:
        if kind not in KINDS:
            raise InputRefused(f"there is no row '{kind}'", nearest(kind, KINDS))
    count = 40 if arguments.quick else arguments.count
    if count < 1:
        raise InputRefused(f"--count {count}: nothing to calibrate", "ask for one or more")
    begun = cli.run_begun("calibration", arguments)
    found = list(rows(kinds, count, arguments.seed))
    result = begun.result(
        settings={"rows": ",".join(kinds), "count": count},
        figures=[figure for row in found for figure in figures_of(row)],
        tables=[table_of(found)],
        notes=("In 95 %: the share of true values inside the interval that the calibration states, 1.96 sd, each parameter by itself.",),
        seeds=(arguments.seed,),
    )
    return cli.finish(arguments, result, whole=set(kinds) == set(KINDS))


if __name__ == "__main__":
    sys.exit(cli.exit_code(main))
