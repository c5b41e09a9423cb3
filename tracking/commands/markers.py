"""`navtwin markers`: printable marker bodies; and the command behind `navtwin calibrate markers`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from navtwin.errors import InputRefused
from tracking.commands.folders import check_folder
from tracking.commands.options import ProgressOption, VideoPortOption

if TYPE_CHECKING:
    from tracking.body import MarkerBody

#: What `markers sheet` prints unless it is told otherwise.
ALL_PARTS = "board,ref,pointer,drill,flat"
#: Side of the sheet's check square as planned, mm; how far a ruler's reading may be off, mm (1 sd).
CHECK_MM, RULER_SD_MM = 100.0, 0.1
#: A print that a ruler finds further off than this was mistyped, not misprinted.
WIDEST_SCALE = 0.2

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
    parts: Annotated[str, typer.Option(help="what to print, separated by commas")] = ALL_PARTS,
    first_id: Annotated[int, typer.Option(help="number of the kit's first marker; a second kit in the same room needs others")] = 0,
    force: Annotated[bool, typer.Option("--force", help="write over files that are there")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Write a PDF of calibration board and marker bodies at exact size, and the rig.toml that matches it."""
    import json

    from tracking.kit.sheet import make_sheet, write_sheet

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


@markers_app.command("points")
def points(
    out: Annotated[Path, typer.Option(help="the PDF to write")] = Path("points.pdf"),
    artefact: Annotated[Path | None, typer.Option(help="also write the points' places here, to be corrected by who can measure them better")] = None,
    paper: Annotated[str, typer.Option(help="A4 or A3")] = "A4",
    force: Annotated[bool, typer.Option("--force", help="write over files that are there")] = False,
) -> None:
    """Write a PDF of points at exact distances, for `navtwin assess`."""
    from navtwin.assess.artefact import artefact_text
    from navtwin.assess.sheet import printed_sheet
    from navtwin.files.write import whole_file
    from tracking.kit.page import PAPERS
    from tracking.kit.pdf import write_pdf
    from tracking.kit.points import points_page

    sheet_of_points = printed_sheet()
    for path in (out, *((artefact,) if artefact else ())):
        if path.exists() and not force:
            raise InputRefused(f"{path} is already there", "pass --force to write over it, or name another file")
    page = points_page(sheet_of_points, {name.lower(): name for name in PAPERS}.get(paper.lower(), paper))
    write_pdf([page], out, f"navtwin points, {paper}")
    typer.echo(f"written: {out}, {len(sheet_of_points.point)} points; print it at 100 % (actual size) and measure the check square")
    if artefact:
        with whole_file(artefact) as partial:
            partial.write_text(artefact_text(sheet_of_points), encoding="utf-8")
        typer.echo(f"written: {artefact}")


def measure(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="camera:0, video:FILE or images:FOLDER that shows the body turned about")],
    body: Annotated[str, typer.Option("--body", help="the body's name in the rig")],
    rig: Annotated[Path, typer.Option(help="rig.toml, with the camera's calibration")],
    check_mm: Annotated[float | None, typer.Option(help="what a ruler says of the sheet's 100 mm check square")] = None,
    side_mm: Annotated[float | None, typer.Option(help="what a ruler says of the side of one of the body's markers")] = None,
    seconds: Annotated[float, typer.Option(min=1.0, max=3600.0, help="longest time to film with a live camera")] = 90.0,
    write: Annotated[bool, typer.Option("--write", help="store the corners in rig.toml, if they are accepted")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
    progress: ProgressOption = False,
    video_port: VideoPortOption = None,
) -> None:
    """Measure where a body's markers really are. Exit code 1 where the result is refused."""
    import json
    from datetime import UTC, datetime

    from rich.console import Console

    from navtwin.nouns import read_rig
    from tracking.calibration.measure import RULER_SCALE_SD, measure_body_views
    from tracking.calibration.measure_film import film_body
    from tracking.calibration.measure_report import report_of, store, storing, summary, write_result
    from tracking.calibration.reporting import put_before
    from tracking.calibration.screen import screen_of
    from tracking.rig import marker_body

    loaded = read_rig(rig)
    check_folder(rig.absolute().parent)
    planned = next((b for b in loaded.body if b.name == body), None)
    if planned is None:
        raise InputRefused(f"the rig has no body '{body}'", f"known: {', '.join(b.name for b in loaded.body)}")
    plan = marker_body(planned)
    scale, scale_sd = _ruler(plan, check_mm, side_mm) or (None, RULER_SCALE_SD)
    screen = screen_of(ctx, "markers", source, progress=progress, video_port=video_port, as_json=as_json)
    with Console(stderr=True, quiet=progress).status(f"opening {source}") as status:
        film = film_body(source, planned, plan, loaded, seconds, status.update, screen)
    if screen is not None:
        screen.compute(f"computing from {len(film)} exposures")
    found = measure_body_views(film, plan, scale, scale_sd)
    when = datetime.now(UTC)
    result = write_result(rig, body, source, when, found)
    if screen is not None:
        figures, verdict = report_of(body, source, when, found), (found.accepted, found.reasons)
        put_before(screen, body, verdict, figures, summary(body, found), result, (rig, storing(body, found)) if write else None)
        return
    if as_json:
        typer.echo(json.dumps({**report_of(body, source, when, found), "result": str(result), "stored": found.accepted and write}, indent=2))
    else:
        typer.echo("\n".join([*summary(body, found), f"written: {result} and its picture"]))
    if not found.accepted:
        raise typer.Exit(1)
    if write:
        store(rig, body, found)
        if not as_json:
            typer.echo(f"stored in {rig}")


def _ruler(plan: MarkerBody, check_mm: float | None, side_mm: float | None) -> tuple[float, float] | None:
    """The print's scale and its standard deviation as a ruler tells them; None if no ruler was used."""
    import numpy as np

    if check_mm is not None and side_mm is not None:
        raise InputRefused("both --check-mm and --side-mm are given", "pass one: the check square is larger, so it tells the scale better")
    if check_mm is None and side_mm is None:
        return None
    planned = CHECK_MM
    if check_mm is None:
        sides = np.linalg.norm(np.diff(plan.corners_mm, axis=1), axis=2)
        planned = float(sides.mean())
        if np.ptp(sides.mean(axis=1)) > 0.01 * planned:
            raise InputRefused("the body's markers are of different sizes", "measure the check square and pass --check-mm")
    measured = check_mm if check_mm is not None else side_mm
    assert measured is not None
    scale = measured / planned
    if not abs(scale - 1.0) < WIDEST_SCALE:
        raise InputRefused(f"{measured:g} mm is measured where {planned:g} mm was to be", "check the number; if it is right, print again at 100 %")
    return scale, RULER_SD_MM / planned
