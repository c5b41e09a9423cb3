"""The error budget predicted and observed: each link of the chain is wrong alone, as it really was, and what that does to a distance is measured.

The simulation knows every link as it truly is and as it was measured. With all links true but one, the distance errs by that source alone; over
frames and seeds its mean square stands beside the variance that the fold reckoned for the same frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy_parts.rehearsed import BURR, DRILL, Rehearsal, Sample
from benchmarks.accuracy_parts.settings import Rows
from benchmarks.results.model import Figure, Table
from phantoms.motion import Poses
from phantoms.stage import constant

Array = npt.NDArray[np.float64]
#: Sources that move the centre of the burr; how the axis errs does not.
SOURCES = ("marker", "reference", "pivot", "registration", "CT")
#: Further away a direction, and with it a share, is of no interest.
NEAR_MM = 30.0


@dataclass(frozen=True)
class Pair:
    """The burr against one structure in N frames of one rehearsal.

    Attributes
    ----------
    predicted_mm2 : by source, (N,) variance that the fold reckoned
    error_mm : by source, (N,) error of the distance with that source alone; `all` is the error of the distance that was told
    latency_mm : (N,) what the fold allowed for the approach
    approached_mm : (N,) by how much the burr truly came nearer until the operator saw it
    """

    predicted_mm2: dict[str, Array]
    error_mm: dict[str, Array]
    latency_mm: Array
    approached_mm: Array


@dataclass(frozen=True)
class Compared:
    """One rehearsal, by structure; empty where nothing was registered."""

    seed: int
    pairs: dict[str, Pair]


def compared(done: Rehearsal) -> Compared:
    """Hold the budget of one rehearsal against its truth."""
    if done.T_ct_from_ref is None or DRILL not in done.session.pivots:
        return Compared(done.seed, {})
    names = sorted({s.structure for s in done.samples})
    near = {name: [s for s in done.samples if s.structure == name and s.distance_mm <= NEAR_MM] for name in names}
    return Compared(done.seed, {name: _pair(done, name, samples) for name, samples in near.items() if samples})


def _pair(done: Rehearsal, structure: str, samples: Sequence[Sample]) -> Pair:
    at = np.array([s.frame for s in samples], dtype=np.int64)
    tips = _tips(done, at)
    surface = done.scene.structure(structure).surface
    told = {name: np.asarray(surface.closest(points).distance_mm) for name, points in tips.items()}
    tool = next(t for t in done.rig.tool if t.name == DRILL)
    radius = next(p.radius_mm for p in tool.part if p.name == BURR)
    true = done.played.distances_mm[structure, DRILL, BURR]
    error = {name: told[name] - told["true"] for name in tips if name != "true"}
    error["CT"] = told["true"] - radius - true[at]
    error["all"] = np.array([s.distance_mm for s in samples]) - true[at]
    shown_ns = done.played.arrival_ns[at] + round(done.rig.tracker.output_delay_ms * 1e6)
    approached = true[at] - np.interp(shown_ns, done.played.capture_ns, true)
    known = np.isfinite(approached)
    return Pair(
        predicted_mm2={name: np.array([s.variances[name] for s in samples])[known] for name in SOURCES},
        error_mm={name: values[known] for name, values in error.items()},
        latency_mm=np.array([s.latency_mm for s in samples])[known],
        approached_mm=approached[known],
    )


def _tips(done: Rehearsal, at: npt.NDArray[np.int64]) -> dict[str, Array]:
    """(N, 3) where the burr's centre is in ct with every link true, and with one link as it was measured."""
    played, registered = done.played, done.T_ct_from_ref
    assert registered is not None
    count = len(at)
    tool = next(t for t in done.rig.tool if t.name == DRILL)
    T_tracker_from_ct = _at(done.T_tracker_from_ct, at)
    T_ct_from_ref = constant(played.stage.T_ct_from_ref, count)
    T_tracker_from_ref = T_tracker_from_ct.then(T_ct_from_ref)
    T_tracker_from_marker = T_tracker_from_ct.then(_at(played.motion[DRILL].T_ct_from_tip.then(done.T_marker_from_tip.inverse()), at))
    true_tip, found_tip = played.made[DRILL].tip_mm, np.array(done.session.pivots[DRILL].tip_mm)

    def tip(ref: Poses, seen_ref: Poses, seen_marker: Poses, tip_mm: Array) -> Array:
        return ref.then(seen_ref.inverse()).then(seen_marker).points(tip_mm)

    return {
        "true": tip(T_ct_from_ref, T_tracker_from_ref, T_tracker_from_marker, true_tip),
        "marker": tip(T_ct_from_ref, T_tracker_from_ref, _at(played.fits[tool.body].poses, at), true_tip),
        "reference": tip(T_ct_from_ref, _at(played.fits[done.rig.reference].poses, at), T_tracker_from_marker, true_tip),
        "pivot": tip(T_ct_from_ref, T_tracker_from_ref, T_tracker_from_marker, found_tip),
        "registration": tip(constant(registered, count), T_tracker_from_ref, T_tracker_from_marker, true_tip),
    }


def _at(poses: Poses, at: npt.NDArray[np.int64]) -> Poses:
    return Poses(poses.rotation[at], poses.t_mm[at])


def budget_rows(rehearsals: Sequence[Compared]) -> Rows:
    """Share of each source, predicted and observed, at each critical structure."""
    figures: list[Figure] = []
    rows: list[tuple[str, ...]] = []
    for structure in sorted({name for one in rehearsals for name in one.pairs}):
        pairs = [one.pairs[structure] for one in rehearsals if structure in one.pairs]
        predicted = {name: _mean([p.predicted_mm2[name] for p in pairs]) for name in SOURCES}
        observed = {name: _mean([np.square(p.error_mm[name]) for p in pairs]) for name in (*SOURCES, "all")}
        whole_predicted, whole_observed = sum(predicted.values()), sum(observed[name] for name in SOURCES)
        for name in SOURCES:
            foretold, seen = predicted[name] / whole_predicted, observed[name] / whole_observed
            figures += [
                Figure(name=f"budget: {structure}, {name}, share predicted", value=100.0 * foretold, unit="%", better="none"),
                Figure(name=f"budget: {structure}, {name}, share observed", value=100.0 * seen, unit="%", better="none"),
            ]
            rows.append((structure, name, f"{predicted[name] ** 0.5:.3f}", f"{observed[name] ** 0.5:.3f}", f"{foretold:.1%}", f"{seen:.1%}"))
        figures.append(
            Figure(
                name=f"budget: {structure}, all sources, RMS predicted over observed",
                value=(whole_predicted / observed["all"]) ** 0.5,
                unit="x",
                better="none",
            )
        )
        rows.append((structure, "all at once", f"{whole_predicted**0.5:.3f}", f"{observed['all'] ** 0.5:.3f}", "100 %", "100 %"))
        rows.append((structure, *_latency(pairs)))
    title = f"Error budget predicted and observed: the burr's distance, each source alone, {len(rehearsals)} rehearsals"
    columns = ("structure", "source", "predicted RMS mm", "observed RMS mm", "share predicted", "share observed")
    return tuple(figures), (Table(title=title, columns=columns, rows=tuple(rows)),), ()


def _latency(pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Latency x speed: what was allowed, and by how much the burr really came nearer, frames in which it approached."""
    allowed, approached = (np.concatenate([getattr(p, name) for p in pairs]) for name in ("latency_mm", "approached_mm"))
    nearing = approached > 0.0
    if not nearing.any():
        return ("latency x speed, mean", "-", "-", "", "")
    return ("latency x speed, mean where it approached", f"{allowed[nearing].mean():.3f}", f"{approached[nearing].mean():.3f}", "", "")


def _mean(parts: Sequence[Array]) -> float:
    return float(np.concatenate(parts).mean())
