"""`navtwin assess`: positional accuracy of a rig at hand, step by step, in the manner of ASTM F2554."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from navtwin.errors import InputRefused, nearest

if TYPE_CHECKING:
    from navtwin.assess.assessment import Assessment
    from navtwin.assess.plan import Design
    from navtwin.nouns import Rig, Source


def assess(
    source: Annotated[str, typer.Argument(help="camera:0, ndi:PORT, igtl:HOST:PORT ...; leave it out to make the report of --out again")] = "",
    rig: Annotated[Path | None, typer.Option(help="rig.toml, with the camera, the measured bodies and the pointer's calibrated tip")] = None,
    artefact: Annotated[Path | None, typer.Option(help="points and where they are (default: the sheet that `navtwin markers points` prints)")] = None,
    out: Annotated[Path, typer.Option(help="where each touch is kept at once; a file that is there is gone on with")] = Path("touches.jsonl"),
    tool: Annotated[str, typer.Option(help="the pointer's name in the rig")] = "pointer",
    check_mm: Annotated[float | None, typer.Option(help="what a ruler says of the sheet's check length")] = None,
    places: Annotated[
        str, typer.Option(help="where the artefact is put, of middle, near, far, left, right, top, bottom")
    ] = "middle,near,far,left,right",
    repeats: Annotated[int, typer.Option(help="touches of the centre at each place, 2 to 100")] = 10,
    points: Annotated[int, typer.Option(help="so many points at each place, spread out; 0: all")] = 0,
    lean_deg: Annotated[float, typer.Option(help="how far the pointer is leant to each side, and half as far again turned about its axis")] = 30.0,
    dwell_s: Annotated[float, typer.Option(min=0.3, max=10.0, help="how long the tip has to be still")] = 1.0,
    sound: Annotated[bool, typer.Option("--sound/--no-sound", help="ring the terminal's bell as touches are taken or refused")] = True,
    csv_out: Annotated[Path | None, typer.Option("--csv", help="write the tables as CSV")] = None,
    html: Annotated[Path | None, typer.Option(help="write the report with plots over the volume")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Assess the positional accuracy of a rig: touch what is asked for, and read bias and precision. Exit code 1 while it is not complete."""
    from rich.console import Console

    from navtwin.assess.report import as_json as report
    from navtwin.assess.report import print_tables, write_csv, write_html

    for path in (csv_out, html, out):
        if path is not None and not path.absolute().parent.is_dir():
            raise InputRefused(f"there is no folder {path.absolute().parent} to write {path.name} to", "make it, or name another")
    if source:
        if rig is None:
            raise InputRefused("no rig is named", "pass --rig rig.toml")
        design = design_of(places, repeats, points, lean_deg)
        touch_all(source, rig, artefact, out, tool, check_mm, design, dwell_s, sound=sound)
    try:
        found = judged(out)
    except InputRefused as refused:
        if not source:
            raise
        typer.echo(f"{refused} The same command goes on where it stopped.")
        raise typer.Exit(1) from None
    for path, write in ((csv_out, write_csv), (html, write_html)):
        if path is not None:
            write(path, found)
    if as_json:
        typer.echo(json.dumps(report(found), indent=2))
    else:
        print_tables(Console(), found)
        typer.echo(f"touches: {out}" + "".join(f"; written: {path}" for path in (csv_out, html) if path is not None))
        if not found.complete:
            typer.echo("not complete: the same command goes on where it stopped")
    if not found.complete:
        raise typer.Exit(1)


def design_of(places: str, repeats: int, points: int, lean_deg: float) -> Design:
    """The design that the options ask for."""
    from navtwin.assess.plan import PLACES, Design

    names = tuple(word.strip() for word in places.split(",") if word.strip())
    for name in names:
        if name not in PLACES:
            raise InputRefused(f"there is no place '{name}'", nearest(name, PLACES))
    turn = min(1.5 * lean_deg, 60.0)
    return Design(places=names, repeats=repeats, leans_deg=(-lean_deg, lean_deg), turns_deg=(-turn, turn), points=points)


def judged(out: Path) -> Assessment:
    """The figures of a file of touches."""
    from navtwin.assess.assessment import assess as judge
    from navtwin.assess.plan import touches
    from navtwin.assess.taken import read_touches

    about, taken = read_touches(out)
    return judge(about, taken, len(touches(about.artefact, about.design)))


def touch_all(
    address: str, rig_path: Path, artefact: Path | None, out: Path, tool: str, check_mm: float | None, design: Design, dwell_s: float, *, sound: bool
) -> None:
    """Ask for all touches that are not on file yet."""
    from rich.console import Console

    from navtwin.assess.artefact import read_artefact
    from navtwin.assess.plan import touches
    from navtwin.assess.session import Teller, is_terminal, take_touches
    from navtwin.assess.sheet import printed_sheet
    from navtwin.assess.taken import Assessed, TouchFile
    from navtwin.console.keyboard import keyboard
    from navtwin.nouns import read_rig
    from navtwin.offers import source_offer
    from navtwin.record.hashes import rig_hash

    rig = read_rig(rig_path)
    _check_tool(rig, tool)
    source_offer(address, option="")
    known = printed_sheet() if artefact is None else read_artefact(artefact)
    if check_mm is not None:
        known = known.scaled(check_mm)
    elif known.check_mm:
        typer.echo(f"note: no --check-mm: the print is taken to be true; measure its {known.check_mm:g} mm and pass what the ruler says", err=True)
    about = Assessed(
        artefact=known,
        design=design,
        tool=tool,
        tracker=rig.tracker.name,
        source=address.partition("?")[0],
        rig_hash=rig_hash(rig),
        begun_utc=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    asked = touches(known, design)
    with ExitStack() as stack:
        file = TouchFile(out, about)
        stack.callback(file.close)
        if len(file.taken) == len(asked):
            return
        typer.echo(
            f"{len(file.taken)} of {len(asked)} touches are on file in {out}; r takes the last one again, q or Ctrl-C stops, and nothing is lost",
            err=True,
        )
        with Console(stderr=True).status(f"opening {address}"):
            opened = _opened(address, rig)
        stack.callback(opened.close)
        keys = stack.enter_context(keyboard()) if is_terminal() else tuple
        take_touches(opened, rig, tool, asked, file, dwell_s, Teller(sys.stderr, sound=sound), keys)


def _check_tool(rig: Rig, tool: str) -> None:
    known = {t.name: t for t in rig.tool}
    if tool not in known:
        raise InputRefused(f"the rig has no tool '{tool}'", nearest(tool, known))
    if known[tool].tip_mm is None:
        raise InputRefused(
            f"the tip of '{tool}' is not calibrated", f"run `navtwin calibrate tool SOURCE --tool {tool} --rig rig.toml --write` first"
        )


def _opened(address: str, rig: Rig) -> Source:
    """The source, with poses as they are found: smoothing would make a still tip look steadier than it is."""
    import msgspec

    from navtwin.offers import source_offer

    offer, rest = source_offer(address, option="")
    plain = msgspec.structs.replace(rig, tracker=msgspec.structs.replace(rig.tracker, smoothing=None))
    source: Source = offer.load()(rest, None, plain)
    return source
