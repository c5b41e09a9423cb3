"""The window is killed beside another operator, who must not notice."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from rich.console import Console

from faults_parts.network import right_outcome
from faults_parts.outcome import Outcome
from faults_parts.session import LiveTheatre, phase_s, session
from faults_parts.streams import await_warning
from phantoms.cases import phantom_patient
from phantoms.faults.fault import Fault
from phantoms.faults.source import rng_of
from phantoms.faults.theatre import Theatre

OPEN_S = 60.0
#: What the window has started leaves by itself once its input ends.
LEAVE_S = 10.0


@contextmanager
def _window(ports: tuple[int, int]) -> Iterator[subprocess.Popen[bytes]]:
    """The real window without a screen, from when it listens to the core until the block ends; all of its processes go with it."""
    case = phantom_patient(Console(stderr=True, quiet=True))
    command = [sys.executable, "-m", "navtwin", "gui", str(case), "--port", str(ports[0]), "--command-port", str(ports[1]), "--place", "case"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=os.environ | {"QT_QPA_PLATFORM": "offscreen"})
        try:
            end = time.monotonic() + OPEN_S
            while not _listens(process, ports[0]):
                if process.poll() is not None or time.monotonic() > end:
                    said.seek(0)
                    raise RuntimeError(f"the window did not open: {said.read().decode(errors='replace')[-300:]}")
                time.sleep(0.1)
            yield process
        finally:
            family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
            process.kill()
            for child in family:
                child.kill()
            process.wait()


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether the window's own process is connected to the core."""
    if process.poll() is not None:
        return False
    return any(c.raddr and c.raddr.port == port and c.status == psutil.CONN_ESTABLISHED for c in psutil.Process(process.pid).net_connections("tcp"))


def gui_killed(fault: Fault, seed: int) -> Outcome:
    """One run."""
    rng = rng_of(fault.name, seed)
    theatre = Theatre(rng)
    with session(theatre, LiveTheatre(theatre)) as s, _window(s.ports) as window:
        await_warning(s.operator)
        # It still builds its scene: it is killed in the midst of that, or later.
        time.sleep(phase_s(rng) + float(rng.uniform(0.0, 3.0)))
        family = psutil.Process(window.pid).children(recursive=True)
        begin_ns = time.monotonic_ns()
        window.kill()
        time.sleep(fault.lasts_s)
        end_ns = time.monotonic_ns()
        _, stayed = psutil.wait_procs(family, timeout=LEAVE_S)
        trouble = f"{len(stayed)} processes of the window stayed behind" if stayed else ""
        # A machine without a loudspeaker says so while the window is there, and for 5 s after its last word.
        return right_outcome(fault, seed, s.operator, theatre, begin_ns, end_ns, trouble, allowed=("AUDIO_MISSING",))
