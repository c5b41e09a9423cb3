"""The whole chain against its truth: where the twin put the tip, how it turned the axis, and how far it said that structures were."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from benchmarks.accuracy_parts.budget import Compared, budget_rows, compared
from benchmarks.accuracy_parts.rehearsed import DRILL, Rehearsal, rehearse
from benchmarks.accuracy_parts.settings import Rows, Settings
from benchmarks.results.model import Figure, Table, distribution, percentile
from navtwin.errors import DataUnavailable
from navtwin.report.accuracy import angle_deg
from navtwin.scene.model import Plan

Array = npt.NDArray[np.float64]
#: Further away than this no distance is of interest.
WITHIN_MM = 30.0
#: The drill is on a planned path where its tip is so near to it, mm.
ON_PATH_MM = 6.0
#: What others reach: name, mean mm, mean deg, and where it is from.
PEERS = (
    ("commercial criterion (quoted from memory)", "2.0", "2.0"),
    ("Twin-S, drilled twin against the real one (abstract, IJCARS 2023;18:1077)", "1.39", ""),
)


@dataclass(frozen=True)
class Judged:
    """One seed of the chain: errors of the drill frame by frame, and of every told distance.

    Attributes
    ----------
    tip_mm, angle_deg : (N,) at the instant of capture
    shown_mm : (N,) against the true tip when the operator sees it, latency included
    drilling : (N,) the frames on a planned path
    entry_mm, target_mm : (M,) between the two axes, across the true one, at a plan's entry and target, frames on its path
    aside_mm : (M,) the tip's error across the true axis there
    told_mm, true_mm, bar_mm : (D,) distances, and the error bar (2 sd) that was told with them
    """

    seed: int
    registered: bool
    tip_mm: Array
    angle_deg: Array
    shown_mm: Array
    drilling: npt.NDArray[np.bool_]
    entry_mm: Array
    target_mm: Array
    aside_mm: Array
    told_mm: Array
    true_mm: Array
    bar_mm: Array
    budget: Compared


def chain_rows(settings: Settings) -> Rows:
    """Rehearsals of every seed, judged together; and the budget of their distances, predicted and observed."""
    case, told = case_of(settings)
    judged = judge_seeds(case, settings)
    figures, tables, spread = _chain(judged, told)
    budget_figures, budget_tables, budget_spread = budget_rows([j.budget for j in judged])
    return (*figures, *budget_figures), (*tables, *budget_tables), (*spread, *budget_spread)


def case_of(settings: Settings) -> tuple[Path, str]:
    """The case's folder and what to call it: the one asked for, else the demo's real patient, else the built-in one."""
    from phantoms.cases import phantom_patient, thorax_patient

    if settings.case is not None:
        return settings.case, settings.case.resolve().name
    console = Console(stderr=True, quiet=settings.quiet)
    try:
        return thorax_patient(console), "thorax patient"
    except DataUnavailable:
        return phantom_patient(console), "built-in patient (the thorax CT is not there)"


def judge_seeds(case: Path, settings: Settings) -> list[Judged]:
    """All seeds, in their order."""
    seeds = range(settings.first, settings.first + settings.seeds)
    asked = track(seeds, description="rehearsals", disable=settings.quiet, transient=True, console=Console(stderr=True))
    if settings.jobs == 1:
        return [judge_seed(case, seed) for seed in asked]
    with ProcessPoolExecutor(settings.jobs) as pool:
        return [one for one, _ in zip(pool.map(judge_seed, [case] * len(seeds), seeds), asked, strict=True)]


def judge_seed(case: Path, seed: int) -> Judged:
    """Rehearse one seed and hold it against its truth."""
    done = rehearse(case, seed)
    session = done.session
    measured, truth = session.tips.get(DRILL), session.true_tips.get(DRILL)
    if measured is None or truth is None:
        nothing = np.zeros(0)
        return Judged(seed, False, *(nothing,) * 3, nothing.astype(bool), *(nothing,) * 6, compared(done))
    _, m, t = np.intersect1d(measured.frame, truth.frame, return_indices=True)
    tip, true_tip, axis, true_axis = measured.position_mm[m], truth.position_mm[t], measured.axis[m], truth.axis[t]
    shown_ns = measured.t_event_ns[m] + round(done.rig.tracker.output_delay_ms * 1e6)
    later = np.stack([np.interp(shown_ns, truth.t_ns, truth.position_mm[:, d]) for d in range(3)], axis=1)
    on_path = np.zeros(len(m), dtype=bool)
    entry, target, aside = [], [], []
    for plan in done.scene.plans:
        on = _on_path(plan, true_tip)
        on_path |= on
        entry.append(_between_axes(plan.entry_mm, tip[on], axis[on], true_tip[on], true_axis[on]))
        target.append(_between_axes(plan.target_mm, tip[on], axis[on], true_tip[on], true_axis[on]))
        aside.append(_across(tip[on] - true_tip[on], true_axis[on]))
    return Judged(
        seed=seed,
        registered=session.registration is not None,
        tip_mm=np.linalg.norm(tip - true_tip, axis=1),
        angle_deg=angle_deg(axis, true_axis),
        shown_mm=np.linalg.norm(tip - later, axis=1),
        drilling=on_path,
        entry_mm=np.concatenate(entry) if entry else np.zeros(0),
        target_mm=np.concatenate(target) if target else np.zeros(0),
        aside_mm=np.concatenate(aside) if aside else np.zeros(0),
        **_distances(done),
        budget=compared(done),
    )


def _on_path(plan: Plan, tip_mm: Array) -> npt.NDArray[np.bool_]:
    """(N,) tips between a plan's entry and its target, and near to the straight way."""
    entry, way = np.array(plan.entry_mm), np.subtract(plan.target_mm, plan.entry_mm)
    length = float(np.linalg.norm(way))
    along = (tip_mm - entry) @ (way / length)
    aside = np.linalg.norm(tip_mm - entry - along[:, None] * (way / length), axis=1)
    return np.asarray((along >= 0.0) & (along <= length) & (aside <= ON_PATH_MM))


def _between_axes(point: tuple[float, float, float], tip_mm: Array, axis: Array, true_tip_mm: Array, true_axis: Array) -> Array:
    """(N,) mm between the measured and the true axis, in the plane across the true one at the height of `point`."""
    height = np.einsum("ni,ni->n", np.array(point) - true_tip_mm, true_axis)
    true_there = true_tip_mm + height[:, None] * true_axis
    reach = np.einsum("ni,ni->n", true_there - tip_mm, true_axis) / np.einsum("ni,ni->n", axis, true_axis)
    return np.asarray(np.linalg.norm(tip_mm + reach[:, None] * axis - true_there, axis=1))


def _across(error_mm: Array, axis: Array) -> Array:
    along = np.einsum("ni,ni->n", error_mm, axis)
    return np.asarray(np.linalg.norm(error_mm - along[:, None] * axis, axis=1))


def _distances(done: Rehearsal) -> dict[str, Array]:
    """Told and true distances of all parts and critical structures, and the bars that were told, matched by the instant of capture."""
    told, true, bar = [], [], []
    for key, series in done.session.pairs.items():
        truth = done.session.truth.get(key)
        if truth is None:
            continue
        _, m, t = np.intersect1d(series.t_ns, truth.t_ns, return_indices=True)
        near = np.isfinite(series.distance_mm[m]) & (np.abs(truth.distance_mm[t]) <= WITHIN_MM)
        # Behind a surface only "at least so deep" is told.
        near &= series.distance_mm[m] > 0.0
        told.append(series.distance_mm[m][near])
        true.append(truth.distance_mm[t][near])
        bar.append(2.0 * series.sd_mm[m][near])
    return {name: np.concatenate(rows) if rows else np.zeros(0) for name, rows in (("told_mm", told), ("true_mm", true), ("bar_mm", bar))}


def _all(judged: list[Judged], name: str) -> Array:
    return np.concatenate([getattr(one, name) for one in judged])


def _chain(judged: list[Judged], case: str) -> Rows:
    tip, angle, shown = (_all(judged, name) for name in ("tip_mm", "angle_deg", "shown_mm"))
    drilling, told, true, bar = (_all(judged, name) for name in ("drilling", "told_mm", "true_mm", "bar_mm"))
    error = told - true
    measured = {
        "chain: tip error at capture": ("mm", tip),
        "chain: trajectory error at capture": ("deg", angle),
        "chain: tip error as the operator sees it, latency included": ("mm", shown),
        "chain: tip error on a planned path as the operator sees it": ("mm", shown[drilling]),
        "chain: axis at the plan's entry, aside": ("mm", _all(judged, "entry_mm")),
        "chain: axis at the plan's target, aside": ("mm", _all(judged, "target_mm")),
        "chain: tip on a planned path, aside": ("mm", _all(judged, "aside_mm")),
        "chain: distance told, error": ("mm", np.abs(error)),
    }
    figures: list[Figure] = []
    rows: list[tuple[str, ...]] = []
    for name, (unit, values) in measured.items():
        if not values.size:
            continue
        told_of = {"mean": float(values.mean()), "p95": percentile(values, 95.0), "p99": percentile(values, 99.0), "max": float(values.max())}
        figures += [Figure(name=f"{name}, {what}", value=value, unit=unit) for what, value in told_of.items()]
        rows.append((name, unit, str(values.size), *(f"{value:.3f}" for value in told_of.values())))
    figures += [
        Figure(name="chain: seeds without an accepted registration", value=float(sum(not j.registered for j in judged)), unit=""),
        Figure(name="chain: distance told less true, mean", value=float(error.mean()), unit="mm", better="none"),
        Figure(name="chain: distance told less true, standard deviation", value=float(error.std()), unit="mm"),
        Figure(name="chain: true distances inside the told error bar", value=float((np.abs(error) <= bar).mean()), unit="", better="more"),
    ]
    title = f"Chain accuracy over {len(judged)} rehearsals, {case}: calibration, registration, simulated tracker, latency"
    chain = Table(title=title, columns=("what", "unit", "samples", "mean", "p95", "p99", "max"), rows=tuple(rows))
    ours = (f"navtwin, simulated tracker, {case}", f"{tip.mean():.2f}", f"{angle.mean():.2f}")
    beside = Table(title="Beside what others reach (means; theirs on real hardware)", columns=("what", "mm", "deg"), rows=(ours, *PEERS))
    spread = [distribution(name, unit, values) for name, (unit, values) in measured.items() if values.size]
    return tuple(figures), (chain, beside), tuple(spread)
