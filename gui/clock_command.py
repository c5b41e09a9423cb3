"""`navtwin clock`: a clock that a camera can read. `navtwin calibrate latency` films it."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Annotated

import typer

from gui.command import has_display
from navtwin.errors import InputRefused


def clock(
    seconds: Annotated[float, typer.Option(min=0.0, help="close after this long; 0: when Esc is pressed")] = 0.0,
    window: Annotated[bool, typer.Option("--window", help="a window, not the whole screen")] = False,
) -> None:
    """Show the time as markers for a camera to film: `navtwin calibrate latency` reads them."""
    if not has_display():
        raise InputRefused("there is no display for a clock", "run it on the machine whose camera is to be measured")
    # What the clock looks like is said by whoever reads it.
    found = list(entry_points(group="navtwin.patterns", name="clock"))
    if not found:
        raise InputRefused("nothing says what the clock looks like (entry point navtwin.patterns: clock)", "install navtwin whole")
    from gui.clock import show

    drawn_hz, screen_hz = show(found[0].load(), seconds, full=not window)
    typer.echo(f"drawn {drawn_hz:.0f} times a second; the screen says {screen_hz:.0f} Hz")
