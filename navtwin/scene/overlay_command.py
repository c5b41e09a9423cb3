"""`navtwin case picture`: the scan with its structures over it, as a picture to be looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def picture(
    folder: Annotated[Path, typer.Argument(help="The case's folder.", show_default=False)],
    to: Annotated[Path, typer.Option(help="PNG to write.")],
    at: Annotated[tuple[float, float, float] | None, typer.Option(help="Point that the planes go through: x y z in ct, mm (LPS).")] = None,
    window: Annotated[str, typer.Option(help="Grey values: soft, bone, lung or full.")] = "soft",
) -> None:
    """Draw three planes of the scan with the outlines of the structures, and the surfaces beside them."""
    from navtwin.scene.case import load_scene
    from navtwin.scene.overlay import overlay_png
    from navtwin.volumes.read import read_ct

    scene = load_scene(folder)
    x, y, z = overlay_png(scene, read_ct(scene.ct_path), to, at_mm=at, window=window)
    typer.echo(f"{to}: planes through {x:.1f} {y:.1f} {z:.1f} mm (LPS)")
