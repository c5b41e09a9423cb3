"""Calibration and registration from a recording, without navigating."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from navtwin.nouns import PivotResult, RegistrationResult, Source, SourceEnded, SourceItem, read_rig
from navtwin.run.launch import open_source, rig_path_of
from navtwin.run.session import new_header
from navtwin.run.simulate import simulate


@dataclass(frozen=True, slots=True)
class SetupOutcome:
    """Every pivot and the last registration that a recording led to."""

    pivots: tuple[PivotResult, ...]
    registration: RegistrationResult | None


def items_of(source: Source) -> list[SourceItem]:
    """All items of a recording."""
    items: list[SourceItem] = []
    try:
        while True:
            item = source.read(0.1)
            if item is not None:
                items.append(item)
    except SourceEnded:
        return items
    finally:
        source.close()


def setup_of(case: Path, address: str, rig: Path | None) -> SetupOutcome:
    """Run the recording through the fold and keep what calibration and registration gave."""
    from navtwin.scene.case import load_scene

    rig_path = rig_path_of(case, rig)
    scene, loaded = load_scene(case), read_rig(rig_path)
    pivots: dict[str, PivotResult] = {}
    registration: RegistrationResult | None = None
    header = new_header(scene, loaded, rig_path, address, 0.0)
    for event, _ in simulate(scene, loaded, items_of(open_source(address, scene, loaded)), header):
        if isinstance(event.body, PivotResult):
            pivots[event.body.tool] = event.body
        elif isinstance(event.body, RegistrationResult):
            registration = event.body
    return SetupOutcome(tuple(pivots.values()), registration)


def print_setup(outcome: SetupOutcome, *, as_json: bool) -> None:
    """As JSON, or as two tables with the gate's verdict in words."""
    if as_json:
        found = {"pivots": outcome.pivots, "registration": outcome.registration}
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
        return
    console = Console()
    table = Table(title="pivot calibration")
    for column in ("tool", "tip in marker axes, mm", "RMS, mm", "poses", "gate"):
        table.add_column(column)
    for p in outcome.pivots:
        tip = ", ".join(f"{v:.2f}" for v in p.tip_mm)
        table.add_row(p.tool, tip, f"{p.rms_mm:.3f}", str(p.samples), "accepted" if p.accepted else "; ".join(p.reasons))
    console.print(table)
    r = outcome.registration
    if r is None:
        console.print("no registration was asked for in this recording")
        return
    table = Table(title=f"registration: FRE {r.fre_mm:.2f} mm (how well the points fit, not how accurate it is)")
    table.add_column("landmark")
    table.add_column("residual, mm", justify="right")
    for name, residual in zip(r.landmarks, r.residual_mm, strict=True):
        table.add_row(name, f"{residual:.2f}")
    for name, tre in zip(r.tre_at, r.tre_mm, strict=True):
        table.add_row(f"predicted error at {name}", f"{tre:.2f}")
    console.print(table)
    if r.level_question:
        console.print(r.level_question, style="yellow")
    console.print("gate: accepted" if r.accepted else f"gate: refused: {'; '.join(r.reasons)}")
