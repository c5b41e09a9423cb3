"""A core in a process of its own, which can be stopped, starved and killed: the theatre's source, a real loop, real sockets, a real log."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from faults_parts.operator import Operator
from faults_parts.session import LiveTheatre, session
from phantoms.faults.source import rng_of
from phantoms.faults.theatre import Theatre

_spawn = multiprocessing.get_context("spawn")


def _core(name: str, seed: int, log: Path | None, nice: int, pipe: Connection) -> None:
    """Run until the pipe ends; a number that comes through it is added to this process's wall clock, s."""
    os.nice(nice)
    jump_s = 0.0
    wall, wall_ns = time.time, time.time_ns
    # The system's own clock is everybody's: what jumps is what this process's code reads of it.
    time.time = lambda: wall() + jump_s
    time.time_ns = lambda: wall_ns() + round(jump_s * 1e9)
    theatre = Theatre(rng_of(name, seed))
    with session(theatre, LiveTheatre(theatre), log=log) as s:
        pipe.send(s.ports)
        while True:
            try:
                jump_s += pipe.recv()
            except EOFError:
                return


@dataclass
class FarCore:
    """A core elsewhere, and an operator here. `theatre` tells its truth: the same seed makes the same operation."""

    process: BaseProcess
    pipe: Connection
    ports: tuple[int, int]
    operator: Operator
    theatre: Theatre


@contextmanager
def far_core(name: str, seed: int, *, log: Path | None = None, nice: int = 0) -> Iterator[FarCore]:
    """The core from when it publishes until the block ends."""
    near, far = _spawn.Pipe()
    process = _spawn.Process(target=_core, args=(name, seed, log, nice, far))
    process.start()
    far.close()
    operator: Operator | None = None
    try:
        if not near.poll(60.0):
            raise TimeoutError("the core did not start")
        ports: tuple[int, int] = near.recv()
        operator = Operator(ports)
        yield FarCore(process, near, ports, operator, Theatre(rng_of(name, seed)))
    finally:
        near.close()
        if operator is not None:
            operator.close()
        process.join(5.0)
        process.kill()
        process.join()
