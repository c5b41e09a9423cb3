"""`navtwin case new|check|show` and `navtwin data get`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from navtwin.errors import InputRefused, nearest

if TYPE_CHECKING:
    from navtwin.scene.build import Report
    from navtwin.scene.check import CaseReport
    from navtwin.scene.model import Scene

case_app = typer.Typer(name="case", no_args_is_help=True, help="Build, check and show a patient's case.")
data_app = typer.Typer(name="data", no_args_is_help=True, help="Fetch public data.")

RECIPES = ("thorax",)
DATA = ("thorax",)

Folder = Annotated[Path, typer.Argument(help="The case's folder.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def _progress() -> Iterator[Report]:
    """A line that says what is being worked on."""
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield status.update


@case_app.command()
def new(
    folder: Folder,
    ct: Annotated[Path | None, typer.Option(help="CT as NIfTI.")] = None,
    labels: Annotated[Path | None, typer.Option(help="Label volume on the CT's voxels, as NIfTI.")] = None,
    names: Annotated[Path | None, typer.Option(help="CSV table of the labels: columns structure, id.")] = None,
    structure: Annotated[list[str] | None, typer.Option(help="name:role[:caution:danger], mm; name=31+32:role names labels. Repeat it.")] = None,
    name: Annotated[str, typer.Option(help="What to call the case; the folder's name if left out.")] = "",
    recipe: Annotated[str, typer.Option(help="thorax: the demo's case, with landmarks and plan.")] = "",
) -> None:
    """Build a case: from a CT and its labels, or by a recipe."""
    if recipe:
        _new_by_recipe(folder, recipe, given=bool(ct or labels or names or structure))
    else:
        _new_from_labels(folder, ct, labels, names, structure or [], name)
    typer.echo(f"{folder}: built. Look at it with navtwin case show, check it with navtwin case check.")


def _new_by_recipe(folder: Path, recipe: str, *, given: bool) -> None:
    from navtwin.scene.build import refuse_taken
    from navtwin.scene.data import get_thorax
    from navtwin.scene.thorax import build_thorax_case

    if recipe not in RECIPES:
        raise InputRefused(f"there is no recipe '{recipe}'", nearest(recipe, RECIPES))
    if given:
        raise InputRefused(f"--recipe {recipe} brings its own CT and structures", "leave out --ct, --labels, --names and --structure")
    refuse_taken(folder)
    data = get_thorax()
    with _progress() as report:
        build_thorax_case(folder, data, report)


def _new_from_labels(folder: Path, ct: Path | None, labels: Path | None, names: Path | None, structures: list[str], name: str) -> None:
    from navtwin.scene.build import build_case, parse_structure, read_names

    if ct is None or labels is None or not structures:
        raise InputRefused("case new needs --ct, --labels and one --structure or more", "or --recipe thorax")
    table = read_names(names) if names else {}
    wanted = [parse_structure(text, table) for text in structures]
    with _progress() as report:
        build_case(folder, name=name or folder.name, ct=ct, labels=labels, wanted=wanted, report=report)


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

    scene = load_scene(folder)
    if as_json:
        typer.echo(json.dumps(_summary(scene), indent=2))
    else:
        _print_scene(scene)


def _summary(scene: Scene) -> dict[str, object]:
    return {
        "name": scene.name,
        "case_hash": scene.case_hash,
        "citation": scene.citation,
        "patient": msgspec.to_builtins(scene.patient),
        "structures": [
            {
                "name": s.name, "role": s.role, "body": s.body, "caution_mm": s.caution_mm, "danger_mm": s.danger_mm, "sd_mm": s.sd_mm,
                "capped": s.capped, "triangles": len(s.surface.faces), "volume_mm3": s.surface.volume_mm3,
            }
            for s in scene.structures
        ],
        "landmarks": [msgspec.to_builtins(m) for m in scene.landmarks],
        "plans": [msgspec.to_builtins(p) for p in scene.plans],
    }  # fmt: skip


def _print_scene(scene: Scene) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    console.print(f"[bold]{scene.name}[/bold]  ({scene.folder})")
    facts = [scene.patient.age, scene.patient.sex, scene.patient.study, scene.patient.laterality, scene.patient.notes]
    for line in (*(fact for fact in facts if fact), scene.citation):
        console.print(line, highlight=False)
    structures = Table("structure", "role", "caution", "danger", "sd", "triangles", "ml", "capped", title="structures (limits in mm)")
    for s in scene.structures:
        limits = ("" if limit is None else f"{limit:g}" for limit in (s.caution_mm, s.danger_mm))
        size = (str(len(s.surface.faces)), f"{s.surface.volume_mm3 / 1000.0:.1f}")
        structures.add_row(s.name, s.role, *limits, f"{s.sd_mm:g}", *size, "yes" if s.capped else "")
    points = Table("landmark or plan", "position, mm (LPS)")
    for mark in scene.landmarks:
        points.add_row(mark.name, _words(mark.position_mm))
    for plan in scene.plans:
        points.add_row(plan.name, f"{_words(plan.entry_mm)} to {_words(plan.target_mm)}, {plan.diameter_mm:g} wide")
    console.print(structures, points)


def _words(position_mm: tuple[float, float, float]) -> str:
    return " ".join(f"{v:.1f}" for v in position_mm)


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
