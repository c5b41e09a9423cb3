"""`navtwin structure bone|tube|sphere|paint|make|edit|remove|list`: structures of a CT that has no labels."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import msgspec
import typer

from navtwin.errors import InputRefused, nearest
from navtwin.files.progress import progress
from navtwin.nouns import Role
from navtwin.scene.author.numbers import SeveralNumbers, numbers_of

if TYPE_CHECKING:
    from navtwin.scene.author.into_case import Listed
    from navtwin.scene.author.recipe import Edit, Recipe

structure_app = typer.Typer(name="structure", no_args_is_help=True, help="Make, change and list the structures of a case.")

Triple = tuple[float, float, float]
Six = tuple[float, float, float, float, float, float]

Folder = Annotated[Path, typer.Argument(help="The case's folder.", show_default=False)]
Name = Annotated[str, typer.Option(help="What to call it.")]
RoleWord = Annotated[str | None, typer.Option("--role", help="work, critical or context; bone is work, all else context if left out.")]
Caution = Annotated[float | None, typer.Option(help="Limit of CAUTION of a critical one, mm.")]
Danger = Annotated[float | None, typer.Option(help="Limit of DANGER, mm.")]
Sd = Annotated[float | None, typer.Option(help="How far it may be off, one standard deviation, mm. A critical one must say.")]
Color = Annotated[str, typer.Option(help="#rrggbb; the usual one of its role if left out.")]
Author = Annotated[str, typer.Option(help="Who makes it; your user's name if left out.")]
Into = Annotated[str, typer.Option("--into", help="Add this shape to the structure of that name, in place of a new one.")]
OutOf = Annotated[str, typer.Option("--out-of", help="Take this shape out of the structure of that name.")]


@structure_app.command(cls=SeveralNumbers)
def bone(
    folder: Folder,
    name: Name = "",
    hu: Annotated[float, typer.Option(help="All of the CT at or above this.")] = 300.0,
    upper: Annotated[float | None, typer.Option(help="And at or below this.")] = None,
    seed: Annotated[list[str] | None, typer.Option(metavar="X Y Z", help="Keep the island that holds this point. Repeat it.")] = None,
    reach: Annotated[float, typer.Option(help="A seed beside the structure takes an island at most this far away, mm.")] = 3.0,
    crop: Annotated[Six | None, typer.Option(metavar="X0 Y0 Z0 X1 Y1 Z1", help="Only within this box: lowest corner, highest corner.")] = None,
    cut: Annotated[
        list[str] | None, typer.Option(metavar="PX PY PZ NX NY NZ", help="Only on the side of this plane that the normal points to. Repeat it.")
    ] = None,
    fill: Annotated[float, typer.Option(help="Make closed cavities up to this volume solid, mm3.")] = 0.0,
    role: RoleWord = None,
    caution: Caution = None,
    danger: Danger = None,
    sd: Sd = None,
    color: Color = "",
    author: Author = "",
    into: Into = "",
    out_of: OutOf = "",
) -> None:
    """Bone, or anything that its HU tell apart: threshold, islands, crop and cut."""
    from navtwin.scene.author.recipe import Cut, Threshold

    seeds = tuple(_point("--seed", text) for text in seed or ())
    planes = [numbers_of("--cut", text) for text in cut or ()]
    cuts = tuple(Cut((px, py, pz), (nx, ny, nz)) for px, py, pz, nx, ny, nz in planes)
    edit = Threshold(hu, upper, seeds, reach, crop, cuts, fill, subtract=bool(out_of))
    _put(folder, edit, (name, role, caution, danger, sd, color), author, into, out_of, usual="work")


@structure_app.command(cls=SeveralNumbers)
def tube(
    folder: Folder,
    radius: Annotated[list[float], typer.Option(help="mm; once, or once for each point.")],
    name: Name = "",
    point: Annotated[list[str] | None, typer.Option(metavar="X Y Z", help="On its centre line, in order. Repeat it.")] = None,
    points: Annotated[Path | None, typer.Option(help="The centre line as a curve, line or point list of 3D Slicer (.mrk.json).")] = None,
    straight: Annotated[bool, typer.Option("--straight", help="Straight pieces between the points, not a curve.")] = False,
    role: RoleWord = None,
    caution: Caution = None,
    danger: Danger = None,
    sd: Sd = None,
    color: Color = "",
    author: Author = "",
    into: Into = "",
    out_of: OutOf = "",
) -> None:
    """A nerve or vessel: a centre line and a radius."""
    from navtwin.scene.author.from_files import read_centre_line
    from navtwin.scene.author.recipe import Tube

    if (points is None) == (not point):
        raise InputRefused("a tube needs --point, two times or more, or --points FILE", "pass one of the two")
    line = read_centre_line(points) if points is not None else tuple(_point("--point", text) for text in point or ())
    _put(folder, Tube(line, tuple(radius), straight, bool(out_of)), (name, role, caution, danger, sd, color), author, into, out_of)


@structure_app.command()
def sphere(
    folder: Folder,
    centre: Annotated[Triple, typer.Option(metavar="X Y Z", help="mm, LPS.")],
    radius: Annotated[float, typer.Option(help="mm.")],
    name: Name = "",
    role: RoleWord = None,
    caution: Caution = None,
    danger: Danger = None,
    sd: Sd = None,
    color: Color = "",
    author: Author = "",
    into: Into = "",
    out_of: OutOf = "",
) -> None:
    """A ball: a cyst, an aneurysm, a place to stay away from."""
    from navtwin.scene.author.recipe import Sphere

    _put(folder, Sphere(centre, radius, bool(out_of)), (name, role, caution, danger, sd, color), author, into, out_of)


@structure_app.command()
def paint(
    folder: Folder,
    contours: Annotated[Path, typer.Option(help="Outlines: JSON, or closed curves of 3D Slicer (.mrk.json).")],
    name: Name = "",
    normal: Annotated[Triple | None, typer.Option(metavar="X Y Z", help="Of the slices, where the file does not say: 0 0 1 is axial.")] = None,
    thickness: Annotated[float | None, typer.Option(help="Of a slice, mm: the shape ends half of it beyond the last outline.")] = None,
    role: RoleWord = None,
    caution: Caution = None,
    danger: Danger = None,
    sd: Sd = None,
    color: Color = "",
    author: Author = "",
    into: Into = "",
    out_of: OutOf = "",
) -> None:
    """Outlines on some slices, the shape between them interpolated."""
    from navtwin.scene.author.from_files import read_outlines

    edit = msgspec.structs.replace(read_outlines(contours, normal, thickness), subtract=bool(out_of))
    _put(folder, edit, (name, role, caution, danger, sd, color), author, into, out_of)


@structure_app.command()
def make(
    folder: Folder,
    recipe: Annotated[Path, typer.Argument(help="A recipe, such as `structure remove --keep` leaves.", show_default=False)],
    name: Name = "",
    again: Annotated[str, typer.Option("--again", help="Make the structure of that name anew so, in place of a new one.")] = "",
    rename: Annotated[str | None, typer.Option(help="Another name for it (with --again).")] = None,
    role: RoleWord = None,
    caution: Caution = None,
    danger: Danger = None,
    sd: Sd = None,
    color: Color = "",
    author: Annotated[str, typer.Option(help="Who makes it, today; who made the recipe, and when, if left out.")] = "",
) -> None:
    """A structure from a recipe: one that was taken out and kept, or another one's steps."""
    from navtwin.scene.author.into_case import Altered, Declared, add_made, change_made
    from navtwin.scene.author.recipe import read_recipe

    if bool(name) + bool(again) != 1 or (rename is not None and not again):
        raise InputRefused("say what is made", "pass --name for a new structure, or --again and the name of one that is there (and --rename)")
    found = read_recipe(recipe)
    who, day = (author, _today()) if author else (found.author, found.made)
    word = None if role is None else _role(role)
    with progress() as report:
        if again:
            altered = Altered(rename, word, caution, danger, sd, color or None)
            said = change_made(folder, again, lambda old: msgspec.structs.replace(old, edit=found.edit), altered, who, day, report)
        else:
            error = found.sd_mm if sd is None else sd
            said = add_made(folder, Declared(name, word or "context", caution, danger, error, color), found.edit, who, day, report)
    _say(said)


@structure_app.command()
def edit(
    folder: Folder,
    name: Annotated[str, typer.Argument(help="The structure.", show_default=False)],
    role: Annotated[str | None, typer.Option(help="work, critical or context.")] = None,
    caution: Caution = None,
    danger: Danger = None,
    sd: Sd = None,
    color: Annotated[str | None, typer.Option(help="#rrggbb.")] = None,
    opacity: Annotated[float | None, typer.Option(help="0 to 1, for pictures.")] = None,
    rename: Annotated[str | None, typer.Option(help="Another name.")] = None,
    step: Annotated[int | None, typer.Option(help="Which step of its making is meant, from 1 on; needed where several fit.")] = None,
    radius: Annotated[float | None, typer.Option(help="Of a tube or sphere, mm.")] = None,
    hu: Annotated[float | None, typer.Option(help="Of a threshold.")] = None,
    move: Annotated[tuple[int, float, float, float] | None, typer.Option(metavar="N X Y Z", help="Point N goes there.")] = None,
    insert: Annotated[tuple[int, float, float, float] | None, typer.Option(metavar="N X Y Z", help="A point more, which becomes point N.")] = None,
    drop_point: Annotated[int | None, typer.Option(help="Point N less.")] = None,
    drop_step: Annotated[int | None, typer.Option(help="Step N less.")] = None,
    author: Author = "",
) -> None:
    """Change a structure: what is declared of it, or how it is made."""
    from navtwin.scene.author import changes
    from navtwin.scene.author.into_case import Altered, change_made

    wishes: list[Callable[[Recipe], Recipe]] = []
    if radius is not None:
        wishes.append(lambda recipe: changes.with_radius(recipe, step, radius))
    if hu is not None:
        wishes.append(lambda recipe: changes.with_level(recipe, step, hu))
    if move is not None:
        wishes.append(lambda recipe: changes.moved(recipe, step, move[0], move[1:]))
    if insert is not None:
        wishes.append(lambda recipe: changes.inserted(recipe, step, insert[0], insert[1:]))
    if drop_point is not None:
        wishes.append(lambda recipe: changes.without_point(recipe, step, drop_point))
    if drop_step is not None:
        wishes.append(lambda recipe: changes.without_step(recipe, drop_step))

    def change(recipe: Recipe) -> Recipe:
        for wish in wishes:
            recipe = wish(recipe)
        return recipe

    altered = Altered(rename, None if role is None else _role(role), caution, danger, sd, color, opacity)
    with progress() as report:
        said = change_made(folder, name, change if wishes else None, altered, _author(author), _today(), report)
    _say(said)


@structure_app.command()
def remove(
    folder: Folder,
    name: Annotated[str, typer.Argument(help="The structure.", show_default=False)],
    keep: Annotated[Path | None, typer.Option(help="Write its recipe to this file; the case keeps none.")] = None,
) -> None:
    """Take a structure out of a case, whatever it was made from."""
    from navtwin.scene.author.into_case import remove as take_out

    _say(take_out(folder, name, keep))


@structure_app.command("list")
def list_command(folder: Folder, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the structures of a case: volume, error, and of those made by hand who, when and how."""
    from navtwin.scene.author.into_case import list_structures

    found = list_structures(folder)
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    _print(found)


def _print(found: tuple[Listed, ...]) -> None:
    for one in found:
        limits = "" if one.caution_mm is None else f", caution {one.caution_mm:g} mm, danger {one.danger_mm:g} mm"
        typer.echo(f"{one.name} ({one.role}{limits}): {one.volume_mm3 / 1000.0:.3g} ml, sd {one.sd_mm:g} mm")
        if one.recipe is None:
            typer.echo("  not made by hand")
            continue
        later = f", changed by {one.recipe.changed_by} on {one.recipe.changed}" if one.recipe.changed else ""
        typer.echo(f"  made by {one.recipe.author} on {one.recipe.made}{later}")
        for step in one.steps:
            typer.echo(f"  {step}")
    if not any(one.role == "critical" for one in found):
        typer.echo("no structure is critical: nothing is being watched")


def _put(
    folder: Path, edit: Edit, declared: tuple[str, str | None, Any, Any, Any, str], author: str, into: str, out_of: str, usual: Role = "context"
) -> None:
    """Make a new structure of one step, or add the step to one that is there."""
    from navtwin.scene.author.changes import with_step
    from navtwin.scene.author.into_case import Altered, Declared, add_made, change_made

    name, role, caution, danger, sd, color = declared
    other = into or out_of
    if bool(into) + bool(out_of) + bool(name) != 1:
        raise InputRefused("say where this shape goes", "pass --name for a new structure, or --into or --out-of and the name of one that is there")
    if other and (role, caution, danger, sd, color) != (None, None, None, None, ""):
        raise InputRefused(f"role, limits, --sd and --color say nothing here: '{other}' has its own", "change them with navtwin structure edit")
    with progress() as report:
        if other:
            said = change_made(folder, other, lambda recipe: with_step(recipe, edit), Altered(), _author(author), _today(), report)
        else:
            said = add_made(
                folder, Declared(name, usual if role is None else _role(role), caution, danger, sd, color), (edit,), _author(author), _today(), report
            )
    _say(said)


def _say(sentences: tuple[str, ...]) -> None:
    for sentence in sentences:
        typer.echo(sentence)


def _point(option: str, text: str) -> Triple:
    x, y, z = numbers_of(option, text)
    return (x, y, z)


def _role(word: str) -> Role:
    roles: tuple[Role, ...] = get_args(Role)
    if word not in roles:
        raise InputRefused(f"role '{word}' is not known", nearest(word, roles))
    return word


def _today() -> str:
    return date.today().isoformat()


def _author(given: str) -> str:
    if given:
        return given
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise InputRefused("nobody knows who makes this structure", "pass --author") from None
