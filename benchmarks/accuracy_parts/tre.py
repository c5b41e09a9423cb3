"""Predicted against observed registration error at targets, FRE beside it, and how often pivot calibrations hold the truth in their interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy_parts.settings import Rows, Settings
from benchmarks.accuracy_parts.study import Study, study
from benchmarks.accuracy_parts.trials import CASES, IDEAL, TIP_MM, pivot_poses
from benchmarks.results.model import Figure, Table, distribution
from navtwin.calibrate import calibrate_pivot

#: Names of the targets of `trials.TARGETS_MM`, in their order.
TARGETS = ("right pedicle", "left pedicle", "canal", "body", "front of the body")
#: (poses, correlation of the tracker's noise from frame to frame)
PIVOTS = ((300, 0.0), (30, 0.0), (300, 0.9))
CAUTION = "TRE does not follow FRE: a small FRE says nothing of the accuracy at a target"


def tre_rows(settings: Settings) -> Rows:
    """Every figure of this part: registrations by landmarks alone and with a swept surface, FLE known and estimated; pivot calibrations."""
    studies = [study(case, settings.registrations, jobs=settings.jobs, quiet=settings.quiet) for case in (*IDEAL, *CASES)]
    pivots = [run_pivots(settings.pivots, poses, correlation) for poses, correlation in PIVOTS]
    figures = [figure for one in studies for figure in _figures(one)]
    figures += [Figure(name=f"{p.case}: truth in 95 %", value=p.coverage, unit="", better="none") for p in pivots]
    spread = [distribution(f"TRE, {one.case.name}, {name}", "mm", one.tre_mm[:, t]) for one in studies for t, name in enumerate(TARGETS)]
    return tuple(figures), (ratio_table(studies), fre_table(studies), pivot_table(pivots)), tuple(spread)


def _figures(one: Study) -> list[Figure]:
    """By how much the prediction is off at its worst target, and how often its own interval holds what was observed."""
    name, ratio = one.case.name, one.ratio
    worst = int(np.argmax(np.abs(np.log(ratio))))
    figures = [
        Figure(name=f"{name}: TRE predicted over observed, worst target off by", value=100.0 * abs(float(ratio[worst]) - 1.0), unit="%"),
        *(Figure(name=f"{name}: TRE predicted over observed, {target}", value=float(r), unit="x", better="none")
          for target, r in zip(TARGETS, ratio, strict=True)),
        Figure(name=f"{name}: accepted by the gate", value=float(one.accepted.mean()), unit="", better="none"),
    ]  # fmt: skip
    if not one.case.fle_stated:
        figures.append(
            Figure(name=f"{name}: observed TRE in the told 95 % interval, worst target", value=float(one.coverage.min()), unit="", better="more")
        )
    return figures


def ratio_table(studies: list[Study]) -> Table:
    """A row for each kind and target; +- is what chance alone leaves open of the ratio (2 standard deviations)."""
    columns = ("registration", "target", "observed RMS mm", "predicted RMS mm", "predicted / observed", "in own 95 % interval", "p95 mm", "worst mm")
    rows = []
    for one in studies:
        for t, target in enumerate(TARGETS):
            inside = "FLE stated" if one.case.fle_stated else f"{one.coverage[t]:.1%}"
            ratio = f"{one.ratio[t]:.3f} ± {2.0 * one.ratio_sd[t]:.3f}"
            tre = one.tre_mm[:, t]
            rows.append(
                (
                    *(one.case.name, target, f"{one.observed_rms_mm[t]:.3f}", f"{one.predicted_rms_mm[t]:.3f}"),
                    *(ratio, inside, f"{np.percentile(tre, 95.0):.2f}", f"{tre.max():.2f}"),
                )
            )
    return Table(title=f"TRE predicted and observed, {len(studies[0].fre_mm)} seeded registrations of each kind", columns=columns, rows=tuple(rows))


def fre_table(studies: list[Study]) -> Table:
    """What FRE says of TRE at each target: next to nothing."""
    rows = []
    for one in studies:
        for t, target in enumerate(TARGETS):
            r, low, high = one.fre_correlation(t)
            told = (f"{np.sqrt(np.mean(one.fre_mm**2)):.3f}", f"{one.observed_rms_mm[t]:.3f}", f"{r:+.3f} ({low:+.3f} to {high:+.3f})")
            rows.append((one.case.name, target, *told, f"{one.worst_where_fre_is_small(t):.2f}"))
    columns = ("registration", "target", "FRE RMS mm", "TRE RMS mm", "correlation (95 % interval)", "worst TRE where FRE is smallest (a tenth), mm")
    return Table(title=f"FRE beside TRE. {CAUTION}", columns=columns, rows=tuple(rows))


@dataclass(frozen=True)
class PivotOutcome:
    """What many pivot calibrations came to: share of truths in each axis's 95 % interval, and of calibrations accepted."""

    case: str
    count: int
    coverage: float
    error_mm: float
    sd_mm: float
    accepted_share: float


def run_pivots(count: int, poses: int, correlation: float) -> PivotOutcome:
    """`count` seeded calibrations from so many poses, with noise so correlated from frame to frame."""
    inside, errors, sds, accepted = [], [], [], 0
    for seed in range(count):
        found = calibrate_pivot(pivot_poses(np.random.default_rng(seed), poses, correlation))
        error = found.tip_mm - TIP_MM
        inside.append(np.abs(error) <= 1.96 * np.sqrt(np.diag(found.covariance)))
        errors.append(np.square(error))
        sds.append(found.tip_sd_mm**2)
        accepted += found.accepted
    name = f"pivot, {poses} poses, noise correlated by {correlation:g} from frame to frame"
    return PivotOutcome(name, count, float(np.mean(inside)), float(np.sqrt(np.mean(errors))), float(np.sqrt(np.mean(sds))), accepted / count)


def pivot_table(pivots: list[PivotOutcome]) -> Table:
    """A row for each kind of calibration."""
    rows = tuple((p.case, f"{p.coverage:.1%}", f"{p.error_mm:.4f}", f"{p.sd_mm:.4f}", f"{p.accepted_share:.1%}") for p in pivots)
    columns = ("pivot calibration", "truth in 95 %", "error RMS mm", "stated sd mm", "accepted")
    return Table(title=f"{pivots[0].count} seeded pivot calibrations each (per axis)", columns=columns, rows=rows)
