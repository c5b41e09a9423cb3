"""A core started beside the window, for people who want one command. It is a process of its own and outlives the window."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

#: How long a core that was asked to end may take to close its log, s.
CLOSING_S = 10.0


@contextmanager
def core_beside(case: Path, source: str, rig: Path | None, port: int, command_port: int) -> Iterator[None]:
    """Run `navtwin run` while the block runs, and go on with it afterwards until its source ends: closing a window silences nothing.

    Ctrl-C ends the core; what it recorded is finished first.
    """
    command = [sys.executable, "-m", "navtwin", "run", str(case), "--source", source, "--port", str(port), "--command-port", str(command_port)]
    core = subprocess.Popen([*command, *(["--rig", str(rig)] if rig else [])])
    try:
        yield
        if core.poll() is None:
            typer.echo("the window is closed; the core goes on until its source ends (Ctrl-C ends it now)", err=True)
        core.wait()
    except KeyboardInterrupt:
        core.terminate()
        core.wait(timeout=CLOSING_S)
    if core.returncode:
        raise typer.Exit(core.returncode)
