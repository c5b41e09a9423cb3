"""Faults of the machine and of the processes on it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from faults_parts.core_process import far_core
from faults_parts.network import link_outcome, right_outcome
from faults_parts.outcome import Outcome, unright
from faults_parts.session import LiveTheatre, phase_s, session
from faults_parts.streams import await_warning, judged
from navtwin.bus.client import Client
from navtwin.nouns import Mark
from navtwin.record.log import LogWriter
from navtwin.record.read import inputs
from navtwin.record.recover import recover
from navtwin.record.replay import verify
from navtwin.sound.device import Fill
from navtwin.sound.listener import listen
from navtwin.sound.sounder import Sounder
from navtwin.twin import new_memory, step
from phantoms.faults.fault import Fault
from phantoms.faults.source import rng_of
from phantoms.faults.theatre import BURR, Theatre

_spawn = multiprocessing.get_context("spawn")
#: What of a log a kill may cost, s.
LOST_S = 1.0


def wall_clock_jump(fault: Fault, seed: int) -> Outcome:
    """The wall clock that the core reads jumps, forwards or back."""
    rng = rng_of(f"{fault.name} when", seed)
    with far_core(fault.name, seed) as core:
        await_warning(core.operator)
        time.sleep(phase_s(rng))
        begin_ns = time.monotonic_ns()
        core.pipe.send(float(rng.choice([-1.0, 1.0]) * rng.uniform(60.0, 86_400.0)))
        time.sleep(fault.lasts_s)
        return right_outcome(fault, seed, core.operator, core.theatre, begin_ns, time.monotonic_ns())


def core_killed(fault: Fault, seed: int) -> Outcome:
    """kill -9; then its log is recovered and verified."""
    rng = rng_of(f"{fault.name} when", seed)
    with tempfile.TemporaryDirectory(prefix="navtwin-faults-") as folder, far_core(fault.name, seed, log=Path(folder) / "session.mcap") as core:
        await_warning(core.operator)
        time.sleep(1.0 + phase_s(rng))
        begin_ns = time.monotonic_ns()
        core.process.kill()
        found = link_outcome(fault, seed, core.operator, core.theatre, begin_ns, None)
        trouble = found.trouble or _rescued(Path(folder), begin_ns, core.theatre)
        return msgspec.structs.replace(found, trouble=trouble)


def _rescued(folder: Path, killed_ns: int, theatre: Theatre) -> str:
    """Why a killed session's log is not what it should be, "" if it is."""
    rescued = folder / "rescued.mcap"
    recover(folder / "session.mcap.partial", rescued)
    last_ns = max(event.t_ns for event in inputs(rescued))
    if (lost_s := (killed_ns - last_ns) * 1e-9) > LOST_S:
        return f"the recovered log has lost {lost_s:.2f} s"
    verdict = verify(rescued, theatre.scene, theatre.rig, step, new_memory)
    return "" if verdict.ok else "the recovered log does not verify"


def _busy() -> None:
    while True:
        pass


def cpu_starved(fault: Fault, seed: int) -> Outcome:
    """The core runs at low priority beside busy processes, and is then stopped for a while."""
    rng = rng_of(f"{fault.name} when", seed)
    with far_core(fault.name, seed, nice=10) as core:
        await_warning(core.operator)
        pid = core.process.pid
        assert pid is not None
        with _hogs():
            time.sleep(phase_s(rng))
            begin_ns = time.monotonic_ns()
            os.kill(pid, signal.SIGSTOP)
            time.sleep(fault.lasts_s * float(rng.uniform(1.0, 1.3)))
            os.kill(pid, signal.SIGCONT)
        return link_outcome(fault, seed, core.operator, core.theatre, begin_ns, time.monotonic_ns())


@contextmanager
def _hogs() -> Iterator[None]:
    """A busy process for every processor, until the block ends."""
    hogs = [_spawn.Process(target=_busy, daemon=True) for _ in range(os.cpu_count() or 1)]
    for hog in hogs:
        hog.start()
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.join()


def disk_full(fault: Fault, seed: int) -> Outcome:
    """From one moment on the system answers every write to the log with ENOSPC."""
    rng = rng_of(fault.name, seed)
    theatre = Theatre(rng)
    with tempfile.TemporaryDirectory(prefix="navtwin-faults-") as folder, session(theatre, LiveTheatre(theatre), log=Path(folder) / "s.mcap") as s:
        assert s.log is not None
        await_warning(s.operator)
        time.sleep(phase_s(rng))
        begin_ns = time.monotonic_ns()
        _fill_disk(s.log)
        found = judged(s.operator, fault, seed, begin_ns, begin_ns + round(fault.lasts_s * 1e9), theatre)
        answer = s.operator.order(Mark(label="unrecorded"))
        unwarned = unright(s.operator, begin_ns, time.monotonic_ns(), BURR, allowed=fault.signal.names)
        return msgspec.structs.replace(found, trouble=found.trouble or unwarned or ("" if answer.ok else "an order was refused"))


def _fill_disk(log: LogWriter) -> None:
    """The log's open file becomes /dev/full."""
    full = os.open("/dev/full", os.O_WRONLY)
    for fd in Path("/proc/self/fd").iterdir():
        if fd.is_symlink() and os.path.realpath(fd) == os.path.realpath(log.partial):
            os.dup2(full, int(fd.name))
    os.close(full)


class Loudspeaker:
    """An output that takes 10 ms of sound at a time, until it is pulled out."""

    name = "loudspeaker"

    def __init__(self, fill: Fill) -> None:
        self.pulled = threading.Event()
        self._fill = fill
        self._thread = threading.Thread(target=self._run, name="loudspeaker", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self.pulled.wait(0.01):
            self._fill(480)

    def close(self) -> None:
        self.pulled.set()
        self._thread.join(1.0)


@contextmanager
def _listening(ports: tuple[int, int], speakers: list[Loudspeaker]) -> Iterator[None]:
    """A window's listener beside the operator, which plays through the newest of the loudspeakers."""

    def opened(fill: Fill) -> Loudspeaker:
        speakers.append(Loudspeaker(fill))
        return speakers[-1]

    over = threading.Event()
    client = Client(ports=ports, who="window", topics=("alerts", "setup"))
    with Sounder(opened) as sounder:
        ear = threading.Thread(target=listen, args=(client, sounder, lambda fault: None, over, threading.Event()), daemon=True)
        ear.start()
        try:
            yield
        finally:
            over.set()
            ear.join(5.0)
            client.close()


def audio_gone(fault: Fault, seed: int) -> Outcome:
    """The loudspeaker of a window stops taking sound; another is there when the system is asked again."""
    rng = rng_of(fault.name, seed)
    theatre = Theatre(rng)
    speakers = list[Loudspeaker]()
    with session(theatre, LiveTheatre(theatre)) as s, _listening(s.ports, speakers):
        await_warning(s.operator)
        s.operator.wait(lambda: bool(speakers))
        time.sleep(phase_s(rng))
        begin_ns = time.monotonic_ns()
        speakers[0].pulled.set()
        return judged(s.operator, fault, seed, begin_ns, begin_ns + round(fault.lasts_s * 1e9), theatre)
