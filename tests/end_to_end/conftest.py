from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from phantoms.patient_case import phantom_case


@pytest.fixture(scope="session")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in patient's case with its rig: built once, then a copy from the user's cache."""
    folder = tmp_path_factory.mktemp("patient") / "phantom"
    phantom_case(folder)
    return folder


def navtwin(*arguments: object) -> list[str]:
    """The command line of a navtwin command."""
    return [sys.executable, "-m", "navtwin", *map(str, arguments)]


def two_ports() -> tuple[int, int]:
    """Two ports that are free now."""
    with socket.socket() as a, socket.socket() as b:
        a.bind(("127.0.0.1", 0))
        b.bind(("127.0.0.1", 0))
        return int(a.getsockname()[1]), int(b.getsockname()[1])


def finished(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(navtwin(*arguments), env=os.environ | environment, capture_output=True, text=True, check=False, timeout=200)


def wait_for(condition: Callable[[], object], what: str, patience_s: float = 90.0) -> None:
    end = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {patience_s:.0f} s"
        time.sleep(0.01)
