"""`navtwin import`, `navtwin export` and `navtwin inspect`: files of other programs, by one door."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from navtwin.files.progress import progress

if TYPE_CHECKING:
    pass

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Space = Annotated[str | None, typer.Option(help="LPS or RAS: the axes of a file that does not say.")]
Series = Annotated[str | None, typer.Option(help="DICOM series, by its number in the list or by UID.")]
Unit = Annotated[str | None, typer.Option(help="mm or m: the unit of a file that does not say, or is wrong about it.")]
Columns = Annotated[str | None, typer.Option(help="What the columns of a plain CSV recording are.")]


def import_command(
    file: Annotated[Path, typer.Argument(help="File or folder of another program. What it is, its content says.")],
    to: Annotated[Path, typer.Option(help="Where to: a log (*.mcap), a rig (*.toml) or a case (folder; new, or one to add to).")],
    name: Annotated[str | None, typer.Option(help="What the case, structure, body, tool or camera is to be called.")] = None,
    role: Annotated[str | None, typer.Option(help="Role of a structure: work, critical or context.")] = None,
    caution: Annotated[float | None, typer.Option(help="Caution limit of a critical structure, mm.")] = None,
    danger: Annotated[float | None, typer.Option(help="Danger limit of a critical structure, mm.")] = None,
    space: Space = None,
    unit: Unit = None,
    series: Series = None,
    resample: Annotated[bool, typer.Option("--resample", help="Mend a tilted or unevenly spaced CT by resampling.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Mend windings and holes of a mesh.")] = False,
    labels: Annotated[Path | None, typer.Option(help="Label volume or segmentation of a CT.")] = None,
    names: Annotated[Path | None, typer.Option(help="Table of the names of labels.")] = None,
    structure: Annotated[list[str] | None, typer.Option(help="name:role[:caution:danger], of the labels. Repeat it.")] = None,
    notes: Annotated[str | None, typer.Option(help="What to add to the facts of the patient.")] = None,
    identify: Annotated[bool, typer.Option("--identify", help="Keep the patient's name, number and date of birth.")] = False,
    rig: Annotated[Path | None, typer.Option(help="rig.toml that names the bodies and declares the tracker's latency.")] = None,
    columns: Columns = None,
    as_json: Json = False,
) -> None:
    """Bring a file of another program in: a recording as a log, images and anatomy as a case, tools and cameras into a rig."""
    from navtwin.files.door import bring
    from navtwin.files.formats import Options

    options = Options(
        space=space, name=name, role=role, caution_mm=caution, danger_mm=danger, series=series, resample=resample, repair=repair,
        identify=identify, labels=_text(labels), structures=tuple(structure or ()), names=_text(names), notes=notes, rig=_text(rig),
        columns=columns, unit=unit,
    )  # fmt: skip
    with progress("reading") as report:
        said = bring(file, to, options, report)
    _say(file, to, said, as_json)


def export_command(
    what: Annotated[Path, typer.Argument(help="Log, case or rig.")],
    to: Annotated[Path, typer.Option(help="File to write; the end of its name says what kind.")],
    name: Annotated[str | None, typer.Option(help="Which structure, tool or camera.")] = None,
    space: Annotated[str | None, typer.Option(help="Axes to write in, where a format allows both: LPS (default) or RAS.")] = None,
    as_json: Json = False,
) -> None:
    """Write a log, case or rig as a file that other programs read."""
    from navtwin.files.door import write
    from navtwin.files.formats import Options

    with progress("reading") as report:
        said = write(what, to, Options(name=name, space=space), report)
    _say(what, to, said, as_json)


def inspect_command(
    file: Annotated[Path, typer.Argument(help="Any file, or a folder of DICOM files.")],
    space: Space = None,
    unit: Unit = None,
    series: Series = None,
    columns: Columns = None,
    as_json: Json = False,
) -> None:
    """Say in plain words what a file is: its axes, units, times, validity, and what is doubtful. Leaves with 1 where something is."""
    from navtwin.files.door import KINDS, inspect
    from navtwin.files.formats import Options

    found, becomes = inspect(file, Options(space=space, unit=unit, series=series, columns=columns))
    if as_json:
        told = msgspec.to_builtins(found) | {"becomes": list(becomes)}
        typer.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        width = max((len(what) for what, _ in found.facts), default=0)
        typer.echo(f"{file}: {found.kind}")
        for what, value in found.facts:
            typer.echo(f"  {what:<{width}}  {value}")
        for doubt in found.doubts:
            typer.echo(f"doubtful: {doubt}")
        if becomes:
            typer.echo(f"navtwin import can make of it: {', '.join(KINDS[one] for one in becomes)}")
    if found.doubts:
        raise typer.Exit(1)


def _say(source: Path, to: Path, said: tuple[str, ...], as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode({"from": str(source), "to": str(to), "said": said})).decode())
    else:
        for sentence in said:
            typer.echo(sentence)


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
