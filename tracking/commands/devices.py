"""`navtwin calibrate devices`: the cameras that an address can name."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def devices(as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False) -> None:
    """List this machine's cameras, by the address that opens each. (A camera may have a second device, which gives no pictures.)"""
    from tracking.pictures.devices import LINUX, cameras_there, listed

    there = cameras_there()
    if as_json:
        # Elsewhere than on Linux the system lists none: numbers from 0 up can only be tried.
        rows = [{"address": f"camera:{number}", "name": name} for number, name in there.items()]
        typer.echo(json.dumps({"listed": LINUX, "cameras": rows}))
        return
    typer.echo(listed(there) if LINUX else "this system does not list its cameras: try camera:0, camera:1 ...")
