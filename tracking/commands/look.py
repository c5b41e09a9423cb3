"""`navtwin calibrate look`: one picture, with what is found in it drawn in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def look(
    source: Annotated[str, typer.Argument(help="camera:N, video:FILE or images:FOLDER")],
    rig: Annotated[Path, typer.Option(help="rig.toml")],
    out: Annotated[Path, typer.Option(help="picture to write, .png or .jpg")] = Path("look.png"),
    exposure: Annotated[int, typer.Option(min=0, help="which exposure, from 0; a live camera wants a few to settle")] = 0,
    camera: Annotated[int, typer.Option(min=0, help="which camera of the rig, from 0")] = 0,
) -> None:
    """See what tracking sees: save one picture with markers, axes and status drawn in. Exit code 1 where no body has a pose."""
    from navtwin.nouns import read_rig
    from tracking.pictures.sources import open_pictures
    from tracking.stream.annotate import annotate, words_of

    loaded = read_rig(rig)
    pictures: Any = open_pictures(source, None, loaded)
    try:
        frame, strangers = annotate(pictures, loaded, out, exposure, camera)
        for note in getattr(pictures, "notes", ()):
            typer.echo(f"note: {note}")
    finally:
        pictures.close()
    for sighting in frame.sightings:
        typer.echo(words_of(sighting))
    if strangers:
        typer.echo(strangers)
    typer.echo(f"saved {out}")
    if not any(sighting.pose for sighting in frame.sightings):
        raise typer.Exit(1)
