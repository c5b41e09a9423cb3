"""A core started beside a screen, for people who want one command. It is a process of its own and outlives the screen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

#: How long a core that was asked to end may take to close its log, s.
CLOSING_S = 10.0


def core_command(case: Path, source: str, rig: Path | None, ports: tuple[int, int]) -> list[str]:
    """The command line of a core for a case and a source."""
    command = [sys.executable, "-m", "navtwin", "run", str(case), "--source", source, "--port", str(ports[0]), "--command-port", str(ports[1])]
    return [*command, *(["--rig", str(rig)] if rig else [])]


@contextmanager
def core_beside(case: Path, source: str, rig: Path | None, ports: tuple[int, int]) -> Iterator[None]:
    """Run a core while the block runs, and go on with it afterwards until its source ends.

    Ctrl-C ends the core; what it recorded is finished first.
    """
    core = subprocess.Popen(core_command(case, source, rig, ports))
    try:
        yield
        core.wait()
    except KeyboardInterrupt:
        core.terminate()
        core.wait(timeout=CLOSING_S)
    if core.returncode:
        raise typer.Exit(core.returncode)
