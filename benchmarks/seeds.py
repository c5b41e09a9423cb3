"""Is the demo's alarm right on every seed? Each seed is rehearsed, run flat out through the whole pipeline and judged against its truth.

`python -m benchmarks.seeds [--seeds 100] [--jobs 2] [--case FOLDER] [--json FILE]` prints totals of missed, late, masked, spurious and dropped alerts
(all should be 0), the tip error, and how honest the registrations were. Exit code 1 where an alert failed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

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


def totals(rows: list[Row]) -> dict[str, float | int | None]:
    """Sums over all seeds, and the registration's honesty: RMS observed over RMS predicted, and how often the truth was inside."""
    targets = [t for row in rows for t in row.targets]
    predicted, observed = (np.array([t[n] for t in targets], dtype=np.float64) for n in (0, 1))
    tips = [(row.tip_mean_mm, row.tip_frames) for row in rows if row.tip_mean_mm is not None]
    firsts = [row.first_alert_s for row in rows if row.first_alert_s is not None]
    margins = [row.least_margin_ms for row in rows if row.least_margin_ms is not None]
    inside = [row.pose_inside95 for row in rows if row.pose_inside95 is not None]
    pivots = [p for row in rows for p in row.pivots_inside95]
    return {
        "seeds": len(rows),
        "crossings": sum(row.crossings for row in rows),
        **{name: sum(getattr(row, name) for row in rows) for name in FAULTS},
        "unknown": sum(row.unknown for row in rows),
        "alerts": sum(row.alerts for row in rows),
        "latest_first_alert_s": max(firsts, default=None),
        "least_margin_ms": min(margins, default=None),
        "tip_mean_mm": float(np.average([t[0] for t in tips], weights=[t[1] for t in tips])) if tips else None,
        "worst_tip_mean_mm": max((t[0] for t in tips), default=None),
        "registered": len(inside),
        "pose_inside95": float(np.mean(inside)) if inside else None,
        "target_inside95": float(np.mean([t[2] for t in targets])) if targets else None,
        "target_rms_observed_over_predicted": float(np.sqrt(np.mean(observed**2) / np.mean(predicted**2))) if targets else None,
        "target_rms_observed_mm": float(np.sqrt(np.mean(observed**2))) if targets else None,
        "pivot_inside95": float(np.mean(pivots)) if pivots else None,
    }


def table_of(figures: dict[str, float | int | None]) -> Table:
    """The totals for people."""
    table = Table(title=f"The demo over {figures['seeds']} seeds", title_justify="left")
    table.add_column("what")
    table.add_column("value", justify="right")
    for name, value in figures.items():
        shown = "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
        table.add_row(name.replace("_", " "), f"[bold red]{shown}[/]" if name in FAULTS and value else shown)
    return table


def main(
    seeds: Annotated[int, typer.Option(min=1, help="how many seeds, from --first on")] = 100,
    first: Annotated[int, typer.Option(min=0, help="the first seed")] = 1,
    case: Annotated[Path | None, typer.Option(help="case folder with its rig.toml; default: the demo's real patient")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="processes")] = 2,
    out: Annotated[Path | None, typer.Option("--json", help="write every seed's figures and the totals here")] = None,
) -> None:
    """Judge the demo against its truth over many seeds."""
    console = Console(stderr=True)
    if case is None:
        from phantoms.cases import thorax_patient

        case = thorax_patient(console)
    numbers = range(first, first + seeds)
    with ProcessPoolExecutor(jobs) as pool:
        rows = list(track(pool.map(judge_seed, [case] * seeds, numbers), total=seeds, description="seeds", console=console))
    for row in rows:
        for line in row.faults:
            console.print(f"seed {row.seed}: {line}", style="red", highlight=False)
    figures = totals(rows)
    Console().print(table_of(figures))
    if out is not None:
        out.write_text(json.dumps({"totals": figures, "seeds": [asdict(row) for row in rows]}, indent=1) + "\n", encoding="utf-8")
    if any(figures[name] for name in FAULTS):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
