"""Positional accuracy in the manner of ASTM F2554 on the simulated rig: a pointer that is really pivoted and really touches, through fold and dwell.

Each seed is another device (bias field), another pointer as made and another hand. What is measured is the tip against the reference, as it is
navigated by; the truth is known, so nothing is fitted that could hide a bias, and the fits that a printed rig needs stand beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from rich.console import Console
from rich.progress import track

from benchmarks.accuracy_parts.settings import Rows
from benchmarks.results.model import Figure, Table
from navtwin.assess.assessment import Assessment, assess
from navtwin.assess.collector import Collector
from navtwin.assess.guide import Guide
from navtwin.assess.plan import PLACES, Design, touches
from navtwin.assess.tables import figures_of, headline_fit, tables_of
from navtwin.assess.taken import Assessed
from phantoms.assessed_tracker import POINTER, AssessedTracker
from phantoms.measuring_volume import MeasuringVolume

#: Every place of the volume, its extremes among them; the pointer leans and turns by more than one angle to each side.
DESIGN = Design(places=PLACES, repeats=10, leans_deg=(-40.0, -20.0, 20.0, 40.0), turns_deg=(-45.0, 45.0))
#: The dwell; how long the tip is held at first, and after how many tries, each held twice as long, it has no still tip.
DWELL_S, HELD_S, TRIES = 1.0, 1.45, 6


class NotStill(Exception):
    """The simulated tip was never still: the tracker's noise is too large for a dwell."""


def assess_simulated(seed: int, design: Design = DESIGN) -> Assessment:
    """One simulated assessment from pivot to figures."""
    tracker = AssessedTracker(MeasuringVolume(seed=seed), seed)
    asked = touches(tracker.artefact, design)
    collector = Collector(tracker.rig, tracker.artefact, POINTER)
    collector.pivot(tracker.pivot())
    guide = Guide(tracker.artefact, asked, collector, DWELL_S, {})
    while (wanted := guide.wanted) is not None:
        for n in range(TRIES):
            # Far from the tracker a tip jitters so much that the dwell begins anew now and then: a person holds on until it is taken.
            for frame in tracker.touched(wanted, HELD_S * 2**n):
                guide.see(frame)
            if wanted.number in guide.taken:
                break
        else:
            raise NotStill(f"seed {seed}: {wanted.point} at '{wanted.place}' was not taken in {TRIES} tries: {guide.lines[-1].text}")
    about = Assessed(
        artefact=tracker.artefact,
        design=design,
        tool=POINTER,
        tracker="simulated optical tracker of the Polaris class",
        source=f"simulated, seed {seed}",
        rig_hash="",
        begun_utc="",
    )
    return assess(about, list(guide.taken.values()), len(asked), tracker.T_ref_from_artefact)


def astm_rows(seeds: Sequence[int], jobs: int = 1, *, design: Design = DESIGN, quiet: bool = False) -> tuple[Rows, Assessment]:
    """Figures over all seeds (each a block), tables of the first, and the first assessment for its page."""
    found = _all(seeds, jobs, design, quiet=quiet)
    return (figures_over([figures_of(one) for one in found], "simulated"), (*_tables(found[0], seeds[0]), _by_place(found)), ()), found[0]


def figures_over(each: Sequence[Mapping[str, float]], rig: str) -> tuple[Figure, ...]:
    """The mean of each figure over assessments, which are its blocks."""
    return tuple(
        Figure(
            name=f"{name.removesuffix(' mm')}, {rig}",
            value=float(np.mean([one[name] for one in each])),
            unit="mm",
            blocks=tuple(one[name] for one in each) if len(each) > 1 else (),
        )
        for name in each[0]
    )


def tables_for(found: Assessment, words: str) -> tuple[Table, ...]:
    """An assessment's tables as the result file holds them."""
    return tuple(Table(title=f"{words}: {rows.title}", columns=rows.columns, rows=rows.rows) for rows in tables_of(found, every_fit=False))


def _tables(found: Assessment, seed: int) -> tuple[Table, ...]:
    return tables_for(found, f"Simulated rig, seed {seed}")


def _by_place(found: Sequence[Assessment]) -> Table:
    """What many devices have in common at each place."""
    rows = []
    for place in found[0].at_tracker_mm:
        errors = [one.fits[headline_fit(one)].points[place] for one in found]
        at = np.mean([one.at_tracker_mm[place] for one in found], axis=0)
        spans = [max(lean.span_mm for lean in one.leans[place].values()) for one in found]
        told = (
            np.mean([e.mean_mm for e in errors]),
            np.mean([e.bias_length_mm for e in errors]),
            np.mean([one.fits[headline_fit(one)].centre[place].precision_mm or 0.0 for one in found]),
            np.mean([e.p95_mm for e in errors]),
            max(e.max_mm for e in errors),
            np.mean(spans),
            np.sqrt(np.mean([one.lengths[place].rms_mm ** 2 for one in found])),
        )
        rows.append((place, f"{at[0]:.0f} {at[1]:.0f} {at[2]:.0f}", *(f"{value:.3f}" for value in told)))
    columns = ("place", "reference at, mm", "mean", "bias", "precision", "95 %", "max", "orientation span", "distance RMS")
    return Table(title=f"Simulated rig over the volume, {len(found)} devices, against the truth, mm", columns=columns, rows=tuple(rows))


def _all(seeds: Sequence[int], jobs: int, design: Design, *, quiet: bool) -> list[Assessment]:
    console = Console(stderr=True, quiet=quiet)
    if jobs == 1 or len(seeds) == 1:
        return [assess_simulated(seed, design) for seed in track(seeds, "ASTM F2554, simulated", console=console, transient=True)]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        done = pool.map(assess_simulated, seeds, [design] * len(seeds))
        return list(track(done, "ASTM F2554, simulated", total=len(seeds), console=console, transient=True))
