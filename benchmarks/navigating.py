"""A core that is run as a process: when it navigates."""

from __future__ import annotations

import subprocess


def navigates(core: subprocess.Popen[str]) -> bool:
    """Wait until `navtwin run`, whose stderr is a pipe, says that navigation begins; False where it ends before."""
    assert core.stderr is not None
    return any(line.startswith("navigation begins") for line in core.stderr)
