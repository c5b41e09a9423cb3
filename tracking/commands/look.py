"""`navtwin calibrate look`: one picture, with what is found in it drawn in; or, for a screen, all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tracking.calibration.screen import Screen, screen_of
from tracking.commands.options import ProgressOption, VideoPortOption

if TYPE_CHECKING:
    from navtwin.nouns import Rig, TrackerFrame
    from tracking.stream.live import PictureTracking

#: How long a source is read at a time: so soon the screen's orders are heard.
WAIT_S = 0.1


def look(
    ctx: typer.Context,
    source: Annotated[str, typer.Argument(help="camera:N, video:FILE or images:FOLDER")],
    rig: Annotated[Path, typer.Option(help="rig.toml")],
    out: Annotated[Path, typer.Option(help="picture to write, .png or .jpg")] = Path("look.png"),
    exposure: Annotated[int, typer.Option(min=0, help="which exposure, from 0; a live camera wants a few to settle")] = 0,
    camera: Annotated[int, typer.Option(min=0, help="which camera of the rig, from 0")] = 0,
    progress: ProgressOption = False,
    video_port: VideoPortOption = None,
) -> None:
    """See what tracking sees: save one picture with markers, axes and status drawn in. Exit code 1 where no body has a pose.

    With --progress nothing is saved: what is seen is published and told until `finish`, or to a recording's end.
    """
    from navtwin.nouns import read_rig
    from tracking.pictures.sources import open_pictures
    from tracking.stream.annotate import annotate, words_of

    loaded = read_rig(rig)
    screen = screen_of(ctx, "look", source, progress=progress, video_port=video_port, as_json=False)
    if screen is not None:
        _watch(source, loaded, screen)
        return
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


def _watch(source: str, rig: Rig, screen: Screen) -> None:
    """Track until the screen wants no more, and tell it which bodies were seen."""
    from navtwin.nouns import SourceEnded, TrackerFrame
    from navtwin.nouns.calibration import CalibrationVerdict
    from tracking.calibration.guided import Wanted, opened

    tracking: PictureTracking = opened(Wanted(source, (), rig))  # type: ignore[assignment]
    seen, frames = set[str](), 0
    try:
        while not screen.attend(live=tracking.live):
            item = tracking.read(WAIT_S)
            screen.show_frame(tracking.pictures, item, rig)
            if isinstance(item, TrackerFrame):
                frames += 1
                seen |= {sighting.body for sighting in item.sightings if sighting.pose is not None}
                screen.tell(_words(item), views=frames)
    except SourceEnded:
        pass
    finally:
        tracking.close()
    unseen = [body.name for body in rig.body if body.marker and body.name not in seen]
    reasons = () if seen else (f"none of {', '.join(unseen)} was seen",)
    lines = (f"seen: {', '.join(sorted(seen)) or 'nothing'}", *((f"never seen: {', '.join(unseen)}",) if unseen else ()))
    screen.decide(CalibrationVerdict(what="look", name=source, accepted=bool(seen), reasons=reasons, lines=lines))
    screen.end(stored=False, words="nothing to store")
    if not seen:
        raise typer.Exit(1)


def _words(frame: TrackerFrame) -> str:
    from tracking.stream.annotate import words_of

    return "; ".join(words_of(sighting) for sighting in frame.sightings)
