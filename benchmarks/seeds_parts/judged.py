"""One seed of the demo: rehearsed, run flat out through the whole pipeline, and judged against its truth."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from navtwin.nouns import Rig, SourceEnded, SourceItem, TrueSetup, Truth, read_rig
from navtwin.report.gather import gather
from navtwin.report.summary import Summary, summarise
from navtwin.run.session import new_header
from navtwin.run.simulate import simulate
from navtwin.scene.case import load_scene
from navtwin.scene.model import Scene
from phantoms.rig import RIG_FILE
from phantoms.source import open_source

#: Counts that must be 0.
FAULTS = ("missed", "late", "masked", "spurious", "dropped")


@dataclass(frozen=True)
class Row:
    """One seed. `targets` holds (predicted RMS mm, observed mm, inside its 95 %) at each target of the registration."""

    seed: int
    crossings: int
    missed: int
    late: int
    masked: int
    spurious: int
    dropped: int
    unknown: int
    alerts: int
    first_alert_s: float | None
    least_margin_ms: float | None
    tip_mean_mm: float | None
    tip_frames: int
    pose_inside95: bool | None
    targets: tuple[tuple[float, float, bool], ...]
    pivots_inside95: tuple[bool, ...]
    faults: tuple[str, ...]
    seconds: float


@cache
def world(case: Path) -> tuple[Scene, Rig]:
    """Case and rig, loaded once in each process."""
    return load_scene(case), read_rig(case / RIG_FILE)


def items_of(scene: Scene, rig: Rig, seed: int) -> Iterator[SourceItem]:
    """The scripted rehearsal of one seed, to its end."""
    source = open_source(f"pedicle:{seed}", scene, rig)
    while True:
        try:
            item = source.read(0.0)
        except SourceEnded:
            return
        if item is not None:
            yield item


def judge_seed(case: Path, seed: int) -> Row:
    """Rehearse, run and judge one seed."""
    began = time.perf_counter()
    scene, rig = world(case)
    items = list(items_of(scene, rig, seed))
    header = new_header(scene, rig, case / RIG_FILE, f"phantom:pedicle:{seed}", 0.0)
    session = gather(header, simulate(scene, rig, items, header), [i for i in items if isinstance(i, Truth | TrueSetup)])
    return row_of(seed, summarise(session, scene, rig), time.perf_counter() - began)


def row_of(seed: int, summary: Summary, seconds: float) -> Row:
    """What of a summary counts here. The tip is the drill's: the pointer rests while alerts are judged."""
    drill = next((t for t in summary.tips if t.tool == "drill"), None)
    targets = summary.registration.targets if summary.registration else ()
    margins = [c.shortest_lead_ms for c in summary.by_limit if c.shortest_lead_ms is not None]
    return Row(
        seed=seed,
        crossings=summary.crossings,
        missed=summary.missed,
        late=summary.late,
        masked=summary.masked,
        spurious=summary.spurious,
        dropped=summary.dropped,
        unknown=summary.unknown,
        alerts=summary.alerts,
        first_alert_s=summary.first_alert_s,
        least_margin_ms=min(margins, default=None),
        tip_mean_mm=drill.mean_mm if drill else None,
        tip_frames=drill.frames if drill else 0,
        pose_inside95=summary.registration.pose_inside95 if summary.registration else None,
        targets=tuple((t.predicted_rms_mm, t.observed_mm, bool(t.inside95)) for t in targets if t.observed_mm is not None),
        pivots_inside95=tuple(bool(p.inside95) for p in summary.pivots if p.inside95 is not None),
        faults=summary.faults,
        seconds=seconds,
    )
