"""`navtwin case view`: a case, drilled as a session had it if one is named, as a calibrated camera would see it; depths and structures as images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from navtwin.errors import InputRefused
from navtwin.files.progress import progress

if TYPE_CHECKING:
    from navtwin.nouns import Rig
    from navtwin.scene.model import Scene, Structure
    from navtwin.scene.surface import Surface

_Point = tuple[float, float, float]


def view(
    folder: Annotated[Path, typer.Argument(help="The case's folder.", show_default=False)],
    rig: Annotated[Path | None, typer.Option(help="rig.toml with the calibrated camera; default: the case's own.")] = None,
    camera: Annotated[str, typer.Option(help="Name of the camera in the rig; the first if left out.")] = "",
    log: Annotated[Path | None, typer.Option(help="A session: bone is drilled as it was in it, and the camera stands as it did.")] = None,
    at: Annotated[float | None, typer.Option(help="Seconds after the session's beginning; its end if left out.")] = None,
    eye: Annotated[_Point | None, typer.Option(help="Put the camera here instead: x y z in ct, mm (LPS).")] = None,
    towards: Annotated[_Point | None, typer.Option(help="What it then looks at: x y z in ct, mm (LPS).")] = None,
    up: Annotated[_Point, typer.Option(help="What is then upwards in the picture; LPS.")] = (0.0, 0.0, 1.0),
    without: Annotated[list[str] | None, typer.Option(help="Leave this structure out, as the skin; repeat it.")] = None,
    depth: Annotated[Path | None, typer.Option(help="Depths: .png (16 bits, steps of 0.1 mm, 0 is nothing) or .npy (mm, NaN is nothing).")] = None,
    labels: Annotated[Path | None, typer.Option(help="Segmentation: .png of the structures' numbers, 0 is nothing.")] = None,
    facts: Annotated[Path | None, typer.Option(help="JSON: camera, its place, the numbers' structures, units.")] = None,
) -> None:
    """Save what a calibrated camera would see of a case, as depth and segmentation images for training data."""
    from navtwin.nouns import read_rig
    from navtwin.scene.case import load_scene
    from navtwin.scene.lens import Lens
    from navtwin.scene.synthetic_place import camera_called, place_in_session, place_looking
    from navtwin.scene.synthetic_view import synthetic_view, write_depth, write_facts, write_labels

    if depth is None and labels is None and facts is None:
        raise InputRefused("there is nothing to write", "name a file with --depth, --labels or --facts")
    if (eye is None) != (towards is None) or (log is None and eye is None):
        raise InputRefused("where the camera stands is not said", "pass --log SESSION, or --eye X Y Z and --towards X Y Z")
    if at is not None and log is None:
        raise InputRefused("--at is a moment of a session", "pass --log SESSION with it")
    scene, loaded = load_scene(folder), read_rig(rig or folder / "rig.toml")
    one = camera_called(loaded, camera)
    shown = _shown(scene, without or [], moving=log is not None)
    surfaces = [(s.name, s.surface) for s in shown]
    more: dict[str, object] = {"case": scene.name, "case_hash": scene.case_hash, "camera_name": one.name}
    if log is not None:
        t_ns, drilled = _session(log, at, scene, loaded)
        surfaces = [(name, drilled.get(name, surface)) for name, surface in surfaces]
        more |= {"session": log.name, "t_ns": t_ns, "drilled": sorted(drilled)}
    if eye is not None and towards is not None:
        place = place_looking(eye, towards, up)
    else:
        assert log is not None, "refused above"
        place = place_in_session(log, loaded, one, None if at is None else t_ns)
    lens = Lens.of(one)
    found = synthetic_view(surfaces, lens, place)
    if depth is not None:
        too_deep = write_depth(found, depth)
        typer.echo(f"{depth}: {int((found.labels > 0).sum())} of {found.labels.size} pixels see a structure")
        if too_deep:
            typer.echo(f"note: {too_deep} of them lie deeper than a PNG can say, and are 0 in it: write .npy", err=True)
    if labels is not None:
        write_labels(found, labels)
        typer.echo(f"{labels}: " + ", ".join(f"{n} {name}" for n, name in enumerate(found.names, start=1)))
    if facts is not None:
        write_facts(found, lens, place, facts, more)
        typer.echo(f"{facts}: camera '{one.name}', its place and the numbers")


def _shown(scene: Scene, without: list[str], *, moving: bool) -> list[Structure]:
    """What is there to be seen: no plan of a removal, and nothing that is left out."""
    left_out = {scene.structure(name).name for name in without}
    shown = [s for s in scene.structures if not s.removal_of and s.name not in left_out]
    if moving:
        own = [s.name for s in shown if s.body != "ref"]
        if own:
            typer.echo(f"note: left out, for they hang on markers of their own: {', '.join(own)}", err=True)
        shown = [s for s in shown if s.body == "ref"]
    if not shown:
        raise InputRefused(f"{scene.folder} has no structure that is to be seen", "leave fewer out")
    return shown


def _session(log: Path, at_s: float | None, scene: Scene, rig: Rig) -> tuple[int, dict[str, Surface]]:
    """The moment on the log's clock, and what is left of bone that can be drilled, as it was then."""
    from navtwin.record.drilled import DrilledLog
    from navtwin.record.seek import Seeker, cutters_of
    from navtwin.scene.carvable import Carvable

    drilled = DrilledLog.read(log)
    t_ns = drilled.last_ns if at_s is None else drilled.at_seconds(at_s)
    structure = scene.structure(drilled.structure)
    with progress() as report:
        bone = Carvable.of(structure, scene.case_hash, lambda share: report(f"{structure.name} {share:.0%}"))
    Seeker(drilled, bone, bone.state(), cutters_of(rig)).seek(t_ns)
    return t_ns, {structure.name: bone.surface()}
