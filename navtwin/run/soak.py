"""`navtwin soak`: the twin under its full load for a long time."""

from __future__ import annotations

from typing import Annotated

import typer

from navtwin.run.bench import run_script


def soak(
    context: typer.Context,
    minutes: Annotated[float, typer.Option(help="how long: 0.2 to 1440")] = 30.0,
    rate: Annotated[float, typer.Option(metavar="HZ", help="frames a second: 30 to 5000")] = 400.0,
) -> None:
    """The full load for a long time: memory, files, threads, latency, frames and log. Further options as `navtwin bench soak --help` tells them."""
    raise typer.Exit(run_script("soak", ["--minutes", str(minutes), "--rate", str(rate), *context.args]))


#: How it is registered: `app.command("soak", context_settings=FURTHER_OPTIONS)(soak)`.
FURTHER_OPTIONS = {"allow_extra_args": True, "ignore_unknown_options": True}
