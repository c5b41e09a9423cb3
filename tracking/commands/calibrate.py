"""`navtwin calibrate`: the group of all calibrations."""

from __future__ import annotations

import typer

from tracking.commands.cameras import camera, cameras
from tracking.commands.devices import devices
from tracking.commands.latency import latency
from tracking.commands.look import look
from tracking.commands.markers import measure
from tracking.commands.pairs import hand_eye, time
from tracking.commands.tools import axis, tool

calibrate_app = typer.Typer(no_args_is_help=True, help="Calibrate from a recording or a live camera.")


@calibrate_app.callback()
def _group() -> None:
    """Calibrate from a recording or a live camera."""


calibrate_app.command("camera")(camera)
calibrate_app.command("cameras")(cameras)
calibrate_app.command("devices")(devices)
calibrate_app.command("latency")(latency)
calibrate_app.command("look")(look)
calibrate_app.command("markers")(measure)
calibrate_app.command("tool")(tool)
calibrate_app.command("axis")(axis)
calibrate_app.command("hand-eye")(hand_eye)
calibrate_app.command("time")(time)
