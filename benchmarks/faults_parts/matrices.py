"""Faults that come by OpenIGTLink: a sender of our own, and the twin's real source at the other end of a real socket."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import numpy as np

from faults_parts.operator import Operator
from faults_parts.outcome import Outcome
from faults_parts.session import phase_s, session
from faults_parts.streams import await_warning, judged
from navtwin.igtl.message import write_message
from navtwin.igtl.poses import SIX_DOF, Matrix, ToolMatrix, write_tdata
from phantoms.faults.fault import Fault
from phantoms.faults.source import rng_of
from phantoms.faults.theatre import LATENCY_MS, RATE_HZ, Theatre
from phantoms.shapes import Array
from tracking.igtl.source import open_source

Spoil = Callable[[Array], Array]


def _nan(rng: np.random.Generator) -> Spoil:
    place = tuple(rng.integers(0, (3, 4)))

    def spoil(matrix: Array) -> Array:
        matrix[place] = rng.choice([np.nan, np.inf])
        return matrix

    return spoil


def _times(change: Array) -> Spoil:
    return lambda matrix: matrix @ change


def _shear(rng: np.random.Generator) -> Spoil:
    change = np.eye(4)
    a, b = rng.permutation(3)[:2]
    change[a, b] = rng.uniform(0.01, 0.2)
    return _times(change)


def _scale(rng: np.random.Generator) -> Spoil:
    return _times(np.diag([*([float(rng.choice([0.001, 0.9, 1.02, 1.1, 1000.0]))] * 3), 1.0]))


def _reflection(rng: np.random.Generator) -> Spoil:
    signs = np.ones(4)
    signs[rng.integers(0, 3)] = -1.0
    return _times(np.diag(signs))


SPOILS: dict[str, Callable[[np.random.Generator], Spoil]] = {"nan": _nan, "shear": _shear, "scale": _scale, "reflection": _reflection}


class Sender(threading.Thread):
    """Sends the theatre's bodies as TDATA at the tracker's rate, until told to leave.

    Attributes
    ----------
    spoil, begin_ns, end_ns : what is done to the drill's matrix, by the time of capture
    stamp_ns : what is added to the sender's own stamps
    """

    def __init__(self, theatre: Theatre, port: int, stamp_ns: int = 0) -> None:
        super().__init__(name="sender", daemon=True)
        self.spoil: Spoil | None = None
        self.begin_ns = self.end_ns = 0
        self._theatre, self._port, self._stamp_ns = theatre, port, stamp_ns
        self._over = threading.Event()

    def run(self) -> None:
        with suppress(ConnectionError), socket.create_connection(("127.0.0.1", self._port)) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            next_ns = time.monotonic_ns()
            while not self._over.is_set():
                time.sleep(max(0.0, (next_ns + LATENCY_MS * 1e6 - time.monotonic_ns()) * 1e-9))
                line.sendall(self._message(next_ns))
                next_ns += round(1e9 / RATE_HZ)

    def leave(self) -> None:
        self._over.set()
        self.join(2.0)

    def _message(self, t_ns: int) -> bytes:
        tools = list[ToolMatrix]()
        for seen in self._theatre.sightings(t_ns * 1e-9):
            assert seen.pose is not None
            matrix = seen.pose.rigid(target="tracker", source=seen.body).matrix()
            if seen.body == "drill" and self.spoil is not None and self.begin_ns <= t_ns < self.end_ns:
                matrix = self.spoil(matrix)
            rows = tuple(tuple(float(v) for v in row) for row in matrix[:3, :3])
            tools.append(ToolMatrix(f"{seen.body}ToTracker", SIX_DOF, Matrix(rows, tuple(float(v) for v in matrix[:3, 3]))))  # type: ignore[arg-type]
        return write_message("TDATA", "theatre", write_tdata(tools), time.time_ns() + self._stamp_ns, version=1)


@contextmanager
def _sending(theatre: Theatre, rng: np.random.Generator) -> Iterator[tuple[Operator, Sender, int]]:
    """A session that a sender feeds, once it warns and at a moment of its own: its operator, the sender, and the port for another one."""
    source = open_source("listen:0", theatre.scene, theatre.rig)
    sender = Sender(theatre, source.port)
    with session(theatre, source) as s:
        sender.start()
        try:
            await_warning(s.operator)
            time.sleep(phase_s(rng))
            yield s.operator, sender, source.port
        finally:
            sender.leave()


def matrix_fault(fault: Fault, seed: int) -> Outcome:
    """The drill's matrix is no pose."""
    rng = rng_of(fault.name, seed)
    theatre = Theatre(rng)
    with _sending(theatre, rng) as (operator, sender, _):
        spoil = SPOILS[fault.name](rng)
        sender.begin_ns = time.monotonic_ns()
        sender.end_ns = sender.begin_ns + round(fault.lasts_s * float(rng.uniform(1.0, 1.3)) * 1e9)
        sender.spoil = spoil
        return judged(operator, fault, seed, sender.begin_ns, sender.end_ns, theatre)


def sender_restarted(fault: Fault, seed: int) -> Outcome:
    """The sender leaves, and another one comes with its clock elsewhere."""
    rng = rng_of(fault.name, seed)
    theatre = Theatre(rng)
    with _sending(theatre, rng) as (operator, sender, port):
        begin_ns = time.monotonic_ns()
        sender.leave()
        time.sleep(fault.lasts_s * float(rng.uniform(1.0, 1.5)))
        another = Sender(theatre, port, round(rng.uniform(-3600.0, 3600.0) * 1e9))
        another.start()
        try:
            return judged(operator, fault, seed, begin_ns, time.monotonic_ns(), theatre)
        finally:
            another.leave()
