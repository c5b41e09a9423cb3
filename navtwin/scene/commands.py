"""`navtwin case new|landmark|note|check|show` and `navtwin data get`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from navtwin.errors import InputRefused, nearest
from navtwin.files.progress import progress
from navtwin.scene.author.numbers import SeveralNumbers, numbers_of

if TYPE_CHECKING:
    from navtwin.scene.check import CaseReport
    from navtwin.scene.scan import Sources

case_app = typer.Typer(name="case", no_args_is_help=True, help="Build, check and show a patient's case.")
data_app = typer.Typer(name="data", no_args_is_help=True, help="Fetch public data.")

RECIPES = ("thorax",)
DATA = ("thorax",)

Folder = Annotated[Path, typer.Argument(help="The case's folder.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@case_app.command()
def new(
    folder: Folder,
    ct: Annotated[Path | None, typer.Option(help="CT: a DICOM folder or archive, NIfTI, NRRD or MetaImage.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Segmentation: label volume, .seg.nrrd, DICOM segmentation or structure set.")] = None,
    names: Annotated[Path | None, typer.Option(help="Table of the labels: CSV (structure, id), colour table or ITK-SNAP labels.")] = None,
    structure: Annotated[
        list[str] | None,
        typer.Option(help="name:role[:caution:danger], mm; name=31+32:role names labels, name@300:role all of the CT from 300 HU. Repeat it."),
    ] = None,
    name: Annotated[str, typer.Option(help="What to call the case; the folder's name if left out.")] = "",
    series: Annotated[str | None, typer.Option(help="DICOM series, by its number in the list or by UID.")] = None,
    resample: Annotated[bool, typer.Option("--resample", help="Mend a tilted or unevenly spaced CT by resampling.")] = False,
    space: Annotated[str | None, typer.Option(help="LPS or RAS: the axes of a CT that does not say.")] = None,
    unit: Annotated[str | None, typer.Option(help="Unit of a CT that does not say it, or is wrong about it.")] = None,
    no_ct: Annotated[bool, typer.Option("--no-ct", help="There is only a label volume: it stands for the scanned volume.")] = False,
    identify: Annotated[bool, typer.Option("--identify", help="Keep the patient's name, number and date of birth.")] = False,
    notes: Annotated[str | None, typer.Option(help="What to add to the facts of the patient.")] = None,
    recipe: Annotated[str, typer.Option(help="thorax: the demo's case, with landmarks and plan.")] = "",
) -> None:
    """Build a case: from a CT and, if there are, its labels; or by a recipe."""
    if recipe:
        given = (ct, labels, names, structure, series, resample, space, unit, no_ct, identify, notes)
        _new_by_recipe(folder, recipe, given=any(given))
        said: tuple[str, ...] = ()
    else:
        from navtwin.scene.scan import Sources

        if (ct is None) != no_ct:
            raise InputRefused("case new needs --ct CT" if ct is None else "--no-ct says that there is no CT, and --ct names one",
                               "where a label volume is all there is, pass --no-ct and --labels; or --recipe thorax")  # fmt: skip
        said = _new_from_scan(folder, Sources(ct, labels, names, series, resample, space, unit, identify, notes), structure or [], name)
    for sentence in said:
        typer.echo(f"doubtful: {sentence}")
    typer.echo(f"{folder}: built. Look at it with navtwin case show, check it with navtwin case check.")


def _new_by_recipe(folder: Path, recipe: str, *, given: bool) -> None:
    from navtwin.scene.build import refuse_taken
    from navtwin.scene.data import get_thorax
    from navtwin.scene.thorax import build_thorax_case

    if recipe not in RECIPES:
        raise InputRefused(f"there is no recipe '{recipe}'", nearest(recipe, RECIPES))
    if given:
        raise InputRefused(f"--recipe {recipe} brings its own CT and structures", "leave out all other options")
    refuse_taken(folder)
    data = get_thorax()
    with progress() as report:
        build_thorax_case(folder, data, report)


def _new_from_scan(folder: Path, sources: Sources, structures: list[str], name: str) -> tuple[str, ...]:
    from navtwin.scene.build import parse_structure
    from navtwin.scene.new_case import build_case

    wanted = [parse_structure(text) for text in structures]
    with progress() as report:
        return build_case(folder, name=name or folder.resolve().name, sources=sources, wanted=wanted, report=report)


@case_app.command()
def note(folder: Folder, text: Annotated[str, typer.Argument(help="What to add to the facts of the patient.")]) -> None:
    """Add a note to the facts of the patient."""
    from navtwin.scene.amend import amended

    with amended(folder) as draft:
        draft.add_note(text)
    typer.echo(f"{folder}: noted")


@case_app.command(cls=SeveralNumbers)
def landmark(
    folder: Folder,
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="What to call them, in the order in which they are touched.")],
    at: Annotated[list[str] | None, typer.Option(metavar="X Y Z", help="Where, mm (LPS); once for each name.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take landmarks of these names out.")] = False,
) -> None:
    """Place landmarks: points on bone that a pointer can touch. A case holds three or more, so the first come together."""
    from navtwin.scene.amend import amended
    from navtwin.scene.case import LandmarkEntry

    points = [numbers_of("--at", text) for text in at or ()]
    if remove == bool(points):
        raise InputRefused("pass either --at X Y Z or --remove", "--at places landmarks, --remove takes them out")
    if points and len(points) != len(names):
        raise InputRefused(f"there are {_count(len(names), 'name')} and {_count(len(points), 'place')}", "pass --at X Y Z once for each name")
    if not all(name.strip() for name in names):
        raise InputRefused("a landmark needs a name", "write one")
    with amended(folder) as draft:
        for name in names if remove else ():
            draft.remove_landmark(name)
        for name, (x, y, z) in zip(names, points, strict=False):
            draft.add_landmark(LandmarkEntry(name=name.strip(), position_mm=(x, y, z)))
    typer.echo(f"{folder}: {'took out' if remove else 'placed'} {', '.join(names)}")


@case_app.command()
def check(
    folder: Folder,
    lock: Annotated[bool, typer.Option("--lock", help="Accept edited files: write the lock anew if nothing else is at fault.")] = False,
    as_json: Json = False,
) -> None:
    """Name everything that is wrong with a case. Leaves with 0 if nothing is, else 1."""
    from navtwin.scene.check import check_case, relock

    report = relock(folder) if lock else check_case(folder)
    if as_json:
        typer.echo(msgspec.json.encode(report))
    else:
        _print_report(report)
    faulty = any(f.level == "fault" for f in report.findings)
    if lock and not faulty:
        typer.echo("locked: the files as they are now are the case", err=True)
    elif report.findings:
        raise typer.Exit(1)


def _print_report(report: CaseReport) -> None:
    for finding in report.findings:
        typer.echo(str(finding))
    for c in report.clearances:
        typer.echo(f"plan '{c.plan}' to '{c.structure}': {c.clearance_mm:.2f} mm clear (caution {c.caution_mm:g}, danger {c.danger_mm:g})")
    faults = sum(f.level == "fault" for f in report.findings)
    typer.echo(
        f"{report.folder}: {_count(faults, 'fault')}, {_count(len(report.findings) - faults, 'warning')}"
        if report.findings
        else f"{report.folder}: nothing is wrong"
    )


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


@case_app.command()
def show(folder: Folder, as_json: Json = False) -> None:
    """Say what a case holds."""
    from navtwin.scene.case import load_scene
    from navtwin.scene.show import print_scene, summary

    scene = load_scene(folder)
    if as_json:
        typer.echo(json.dumps(summary(scene), indent=2))
    else:
        print_scene(scene)


@data_app.command()
def get(name: Annotated[str, typer.Argument(help="thorax: the contrast chest CT of the demo.")]) -> None:
    """Fetch public data into the user's cache, checked by its hash."""
    from navtwin.scene.data import THORAX_CITATION, get_thorax

    if name not in DATA:
        raise InputRefused(f"there are no data called '{name}'", nearest(name, DATA))
    typer.echo(f"{get_thorax()}\n{THORAX_CITATION}")


@data_app.callback()
def _data() -> None:
    """Keeps `get` a word of its own: an app with one command would swallow it."""
