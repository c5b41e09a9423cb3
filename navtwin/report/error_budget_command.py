"""`navtwin case budget`: where the error of a distance comes from, source by source, before a session or over one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from navtwin.kernels.errorbar import ErrorSources
    from navtwin.nouns import Rig
    from navtwin.report.error_budget_expected import Assumed
    from navtwin.scene.error_budget import Budget
    from navtwin.scene.model import Scene


@dataclass(frozen=True)
class _Found:
    budgets: tuple[Budget, ...]
    notes: tuple[str, ...]
    sources: ErrorSources
    tool: int
    focal_share: float | None


def budget(
    folder: Annotated[Path, typer.Argument(help="The case's folder.", show_default=False)],
    rig: Annotated[Path | None, typer.Option(help="rig.toml; default: the case's own.")] = None,
    log: Annotated[Path | None, typer.Option(help="Session log: its own covariances, run again. Without one the budget is foretold.")] = None,
    tool: Annotated[str | None, typer.Option(help="Without a log: the tool whose tip follows the plan.")] = None,
    fle: Annotated[float | None, typer.Option(help="Without a log: RMS landmark error, mm.")] = None,
    pivot_sd: Annotated[float | None, typer.Option(help="Without a log: standard deviation of the tip's calibration per axis, mm.")] = None,
    speed: Annotated[float | None, typer.Option(help="Without a log: approach speed, mm/s.")] = None,
    reference: Annotated[tuple[float, float, float] | None, typer.Option(help="Without a log: where the reference is: x y z in ct, mm.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Paint it on the case: PNG to write.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Split the error of a distance by its sources: marker, camera, reference, pivot, registration, CT, and latency x speed."""
    from navtwin.errors import InputRefused
    from navtwin.nouns import read_rig
    from navtwin.report.error_budget_expected import Assumed
    from navtwin.scene.case import load_scene

    own = folder / "rig.toml"
    if rig is None and not own.is_file():
        raise InputRefused(f"{folder} has no rig.toml", "say which rig is used: --rig FILE")
    stated = {"--tool": tool, "--fle": fle, "--pivot-sd": pivot_sd, "--speed": speed, "--reference": reference}
    told = [name for name, value in stated.items() if value is not None]
    if log is not None and told:
        raise InputRefused(f"{', '.join(told)} with --log: a session has its own", "leave them out, or leave out --log to foretell")
    scene, loaded = load_scene(folder), read_rig(rig or own)
    if log is not None:
        found = _of_log(log, scene, loaded)
    else:
        assumed = Assumed(tool=tool, fle_mm=fle, pivot_sd_mm=pivot_sd, reference_mm=reference)
        found = _foretold(scene, loaded, assumed if speed is None else Assumed(tool, fle, pivot_sd, speed, reference))
    if picture is not None:
        _paint(scene, found, log, picture)
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode({"log": None if log is None else str(log), "assumed": found.notes, "budgets": found.budgets}))
    else:
        _print(found, log, picture)


def _foretold(scene: Scene, rig: Rig, assumed: Assumed) -> _Found:
    from navtwin.report.error_budget_expected import expected
    from navtwin.scene.error_budget import focal_share

    found = expected(scene, rig, assumed)
    return _Found(found.budgets, found.assumed, found.sources, found.tool, focal_share(rig))


def _of_log(log: Path, scene: Scene, rig: Rig) -> _Found:
    from navtwin.errors import InputRefused
    from navtwin.files.progress import progress
    from navtwin.record.hashes import code_hash
    from navtwin.record.read import header
    from navtwin.record.replay import replay
    from navtwin.report.error_budget_log import BudgetNotes
    from navtwin.twin import new_memory, step

    named = header(log)
    if named.case_hash != scene.case_hash:
        raise InputRefused(f"{log.name} was recorded on another case (or this one before it was changed)", "pass the case of that session")
    notes = BudgetNotes()
    with progress() as report:
        for n, _ in enumerate(replay(log, scene, rig, notes.watching(step), new_memory)):
            if n % 2000 == 0:
                report(f"running {log.name} again: {n} inputs")
    if notes.nearest is None:
        raise InputRefused(f"no distance was ever known in {log.name}", "pass the log of a session that was registered, or leave out --log")
    sources, tool = notes.nearest
    remarks = ["the tip is brought to each painted point as it was held in the closest approach of all"]
    if notes.focal_share is None:
        remarks.append("the rig states no uncertainty of a camera's focal length: not counted")
    if named.code_hash != code_hash():
        remarks.append("recorded by another version: the budget is what this one makes of the same inputs")
    return _Found(notes.budgets(), tuple(remarks), sources, tool, notes.focal_share)


def _paint(scene: Scene, found: _Found, log: Path | None, to: Path) -> None:
    from navtwin.scene.error_budget_picture import budget_png

    title = "error budget, foretold" if log is None else f"error budget of {log.name}"
    budget_png(scene, found.sources, found.tool, found.focal_share, found.budgets, title, found.notes, to)


def _print(found: _Found, log: Path | None, picture: Path | None) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    from navtwin.scene.error_budget import SOURCES

    console = Console()
    title = "foretold; nothing has been touched yet" if log is None else log.name
    table = Table("source", title=f"error budget, mm of the allowance ({escape(title)})", title_justify="left", show_footer=True)
    table.columns[0].footer = "all"
    for row in found.budgets:
        table.add_column(escape(f"{row.structure}: {row.where} ({row.instrument})"), f"{row.allowance_mm:.2f}", justify="right")
    for shares in zip(*(row.shares for row in found.budgets), strict=True):
        cells = (f"{s.allowance_mm:.2f} ({s.variance_share:.0%})" if s.source in SOURCES else f"{s.allowance_mm:.2f}" for s in shares)
        table.add_row(shares[0].source, *cells)
    console.print(table)
    console.print("Allowance: by how much the bound lies below the measured distance, 2 sd + latency x speed. In brackets: share of the variance.")
    console.print(_loudest(found.budgets), highlight=False)
    notes = Table(Column("assumed" if log is None else "remarks", overflow="fold"))
    for note in found.notes:
        notes.add_row(escape(note))
    console.print(notes)
    if picture is not None:
        console.print(f"{picture}: painted", highlight=False)


def _loudest(budgets: tuple[Budget, ...]) -> str:
    """What to better first."""
    worst = max(budgets, key=lambda b: b.allowance_mm)
    largest = max(worst.shares, key=lambda s: s.allowance_mm)
    return f"Largest at '{worst.structure}': {largest.source}, {largest.allowance_mm:.2f} of {worst.allowance_mm:.2f} mm."
