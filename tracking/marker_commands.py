"""`navtwin markers`: printable marker bodies; and the command behind `navtwin calibrate markers`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tracking.sheet import PARTS

markers_app = typer.Typer(no_args_is_help=True, help="Printable marker bodies.")


@markers_app.callback()
def _group() -> None:
    """Printable marker bodies."""


@markers_app.command("sheet")
def sheet(
    out: Annotated[Path, typer.Option(help="the PDF to write")] = Path("sheet.pdf"),
    rig: Annotated[Path, typer.Option(help="the rig.toml to write, which describes what is printed")] = Path("rig.toml"),
    no_rig: Annotated[bool, typer.Option("--no-rig", help="write the PDF only")] = False,
    paper: Annotated[str, typer.Option(help="A4, Letter or A3")] = "A4",
    dictionary: Annotated[str, typer.Option(help="of the bodies' markers: APRILTAG_36h11, ARUCO_MIP_36h12, 4X4_50 ...")] = "APRILTAG_36h11",
    parts: Annotated[str, typer.Option(help="what to print, separated by commas")] = ",".join(PARTS),
    first_id: Annotated[int, typer.Option(help="number of the kit's first marker; a second kit in the same room needs others")] = 0,
    force: Annotated[bool, typer.Option("--force", help="write over files that are there")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Write a PDF of calibration board and marker bodies at exact size, and the rig.toml that matches it."""
    import json

    from tracking.sheet import make_sheet, write_sheet

    made = make_sheet(paper, dictionary, [part.strip() for part in parts.split(",") if part.strip()], first_id)
    target = None if no_rig else rig
    write_sheet(made, out, target, force=force)
    if as_json:
        bodies = [{"name": b.name, "shape": b.shape, "dictionary": b.dictionary, "ids": b.ids, "side_mm": b.side_mm} for b in made.bodies]
        report = {"sheet": str(out), "rig": str(target) if target else None, "paper": made.paper, "pages": len(made.pages), "bodies": bodies}
        typer.echo(json.dumps(report, indent=2))
        return
    typer.echo(f"written: {out}, {len(made.pages)} pages of {made.paper}")
    for body in made.bodies:
        typer.echo(f"  {body.name}: {body.shape}, {body.dictionary} {body.ids[0]}-{body.ids[-1]}, side {body.side_mm:.1f} mm")
    if target:
        typer.echo(f"written: {target}")
    typer.echo("print it at 100 % (actual size) and measure the check square: it must be 100.0 mm each way")
