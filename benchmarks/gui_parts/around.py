"""The desktop and what it needs around it, as processes: a display, settings of its own, a core, and the window itself."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from navigating import navigates
from screens_parts.display import display

from gui_parts import READY

HERE = str(Path(__file__).parents[1])
#: The window as the task has it.
SIZE = (1400, 900)
LEAVING_S = 15.0


@dataclass
class Around:
    """`folder` : of this run, removed after it; `environment` : of the window's process"""

    folder: Path
    environment: dict[str, str]


@contextmanager
def around(size: tuple[int, int] = SIZE, **environment: str) -> Iterator[Around]:
    """A display of that size (Xvfb where there is none) and a window that fills it, whatever layout is remembered here."""
    with tempfile.TemporaryDirectory() as folder, display(*size, Path(folder) / "settings"):
        yield Around(Path(folder), {**os.environ, "QT_SCALE_FACTOR": "1", **environment})


@contextmanager
def rehearsal(case: Path) -> Iterator[tuple[int, int]]:
    """`navtwin run CASE --source phantom:pedicle` that records nothing, once it navigates: a minute and more. The ports."""
    ports = two_ports()
    where = ["--port", str(ports[0]), "--command-port", str(ports[1])]
    command = ["-m", "navtwin", "run", str(case), "--source", "phantom:pedicle", "--no-log", *where]
    process = subprocess.Popen([sys.executable, *command], stderr=subprocess.PIPE, text=True)
    try:
        if not navigates(process):
            raise SystemExit(f"the core did not start (exit code {process.wait()})")
        yield ports
    finally:
        end(process)


@contextmanager
def window(where: Around, case: Path, ports: tuple[int, int], seconds: float, *, name: str = "seen", nice: int = 0) -> Iterator[Window]:
    """The desktop at Navigate with its witness; `nice` lowers its priority."""
    file = where.folder / f"{name}.json"
    arguments = [str(case), "--port", str(ports[0]), "--command-port", str(ports[1]), "--place", "navigate", "--no-sound"]
    began_ns = time.monotonic_ns()
    lower = ["nice", "-n", str(nice)] if nice and sys.platform.startswith("linux") else []
    command = [*lower, sys.executable, "-m", "gui_parts.witness", str(file), str(seconds), *arguments]
    process = subprocess.Popen(command, env={**where.environment, "PYTHONPATH": HERE}, stdout=subprocess.PIPE, text=True)
    try:
        yield Window(process, began_ns, file)
    finally:
        end(process)


@dataclass
class Window:
    """A desktop under way; `began_ns` : when its process was started"""

    process: subprocess.Popen[str]
    began_ns: int
    file: Path

    def wait_ready(self) -> None:
        """Until it has painted a state of the core."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.strip() == READY:
                return
        raise SystemExit(f"the window ended with exit code {self.process.wait()} before it showed a state of the core")

    def leave(self, patience_s: float) -> dict[str, Any]:
        """Close it; what its witness noted."""
        self.process.terminate()
        return self.seen(patience_s)

    def seen(self, patience_s: float) -> dict[str, Any]:
        """Wait until the witness is done; what he noted."""
        code = self.process.wait(patience_s)
        if code or not self.file.is_file():
            raise SystemExit(f"the window ended with exit code {code}, and its witness said nothing")
        noted: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        if noted["first_state_ns"] is None:
            raise SystemExit("the window never showed a state of the core")
        return noted


def end(process: subprocess.Popen[str]) -> None:
    """Ask it to end, and see to it that it does."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(LEAVING_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def two_ports() -> tuple[int, int]:
    """Two ports that are free now."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1]), int(other.getsockname()[1])
