"""`navtwin film`: a script of the rendered camera as a folder of pictures, with their times and the truth beside them; `images:FOLDER` reads it."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from navtwin.errors import InputRefused

if TYPE_CHECKING:
    from phantoms.camera.device import CameraPhantom, Image
    from phantoms.camera.take import CameraTruth, Track

FRAMES, TRUTH = "frames.csv", "truth.json"


def film(
    script: Annotated[str, typer.Argument(help="board, body:NAME, pivot:TOOL, spin:TOOL or pedicle; options behind a ?, as in board?cameras=2")],
    out: Annotated[Path, typer.Option(help="folder for the pictures; it must not be there yet")],
    rig: Annotated[Path | None, typer.Option(help="rig.toml; not needed for board")] = None,
    case: Annotated[Path | None, typer.Option(help="case folder; needed for pedicle")] = None,
    frames: Annotated[int | None, typer.Option(min=1, help="stop after so many exposures")] = None,
    seed: Annotated[int, typer.Option(min=0, help="of the print, the hand and the noise")] = 1,
) -> None:
    """Film a script with the rendered camera: PNG pictures, frames.csv and truth.json."""
    from rich.console import Console
    from rich.progress import track

    from navtwin.nouns import read_rig
    from navtwin.scene.case import load_scene
    from phantoms.camera.device import open_camera

    name, mark, options = script.partition("?")
    opened = open_camera(f"{name}:{seed}{mark}{options}", load_scene(case) if case else None, read_rig(rig) if rig else None)
    total = min(len(opened.take.capture_ns), frames or len(opened.take.capture_ns))
    count = write_film(opened, out, lambda images: track(images, "filming", total=total, console=Console(stderr=True)), total)
    typer.echo(f"written: {out} ({count} exposures of {opened.cameras} camera(s))")


def write_film(source: CameraPhantom, out: Path, shown: Any = iter, limit: int | None = None) -> int:
    """Write what a rendered camera plays into a folder; returns how many exposures. Only a film that is whole gets its name.

    `frames.csv`: number, t_capture_ns, camera, file. `truth.json`: lenses, places of the cameras, bodies and tools as they are, and by body the
    pose T_tracker_from_body of each exposure. Nouns that come between exposures are left out: a film has pictures only.

    Raises
    ------
    InputRefused : the folder is there already, or cannot be written
    """
    from PIL import Image as Picture

    if out.exists():
        raise InputRefused(f"{out} is already there", "name another folder, or remove it first")
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir()
        with (partial / FRAMES).open("w", newline="", encoding="utf-8") as stream:
            table = csv.writer(stream)
            table.writerow(["number", "t_capture_ns", "camera", "file"])
            numbers = list[int]()
            for images in shown(_exposures(source, limit)):
                numbers.append(images[0].number)
                for image in images:
                    file = f"{image.number:06d}-{image.camera}.png"
                    Picture.fromarray(image.grey).save(partial / file, compress_level=1)
                    table.writerow([image.number, image.t_capture_ns, image.camera, file])
        text = json.dumps({"script": source.take.name, "seed": source.take.seed, **_told(source.truth, numbers)}, indent=1)
        (partial / TRUTH).write_text(text + "\n", encoding="utf-8")
        partial.rename(out)
    except OSError as error:
        raise InputRefused(f"cannot write {out}: {error.strerror or error}", "check the path and the room on the disk") from error
    finally:
        # Of a film that is not whole, nothing stays.
        shutil.rmtree(partial, ignore_errors=True)
    return len(numbers)


def _exposures(source: CameraPhantom, limit: int | None) -> Iterator[tuple[Image, ...]]:
    from navtwin.nouns import SourceEnded

    count = 0
    while limit is None or count < limit:
        try:
            item = source.read(0.0)
        except SourceEnded:
            return
        if isinstance(item, tuple):
            count += 1
            yield item


def _told(truth: CameraTruth, numbers: list[int]) -> dict[str, Any]:
    """The truth of these exposures, fit for JSON."""
    cameras = [
        {
            "matrix": lens.matrix.tolist(),
            "distortion": lens.distortion.tolist(),
            "width_px": lens.width_px,
            "height_px": lens.height_px,
            "T_tracker_from_camera": place.tolist(),
        }
        for lens, place in zip(truth.lenses, truth.T_tracker_from_camera, strict=True)
    ]
    return {
        "cameras": cameras,
        "bodies": {name: {"ids": list(ids), "corners_mm": corners.tolist()} for name, (ids, corners) in truth.corners_mm.items()},
        "tools": {name: {"tip_mm": made.tip_mm.tolist(), "axis_in_marker": made.axis.tolist()} for name, made in truth.tools.items()},
        "numbers": numbers,
        "T_tracker_from_body": {name: [_pose(track, n) for n in numbers] for name, track in truth.tracks.items()},
    }


def _pose(track: Track, number: int) -> dict[str, Any] | None:
    if not track.present[number]:
        return None
    rows = track.poses.rotation[number].tolist()
    return {"rotation": rows, "t_mm": track.poses.t_mm[number].tolist(), "covered": not bool(track.seen[number])}
