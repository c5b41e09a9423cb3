"""Bad neighbours on the bus, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess

import zmq

from navtwin.nouns import Command, Mark, encode

_spawn = multiprocessing.get_context("spawn")


def stalled(port: int, ready: Callable[[], None]) -> None:
    """Subscribes to everything, and never reads."""
    sock = zmq.Context().socket(zmq.SUB)
    sock.set(zmq.RCVHWM, 1)
    sock.set(zmq.RCVBUF, 4096)
    sock.subscribe("")
    sock.connect(f"tcp://127.0.0.1:{port}")
    sock.poll(10_000)
    ready()
    signal.pause()


def reader(port: int, ready: Callable[[], None]) -> None:
    """Subscribes to everything, and reads."""
    sock = zmq.Context().socket(zmq.SUB)
    sock.subscribe("")
    sock.connect(f"tcp://127.0.0.1:{port}")
    sock.recv_multipart()
    ready()
    while True:
        sock.recv_multipart()


def flood(port: int, ready: Callable[[], None]) -> None:
    """Sends orders, and bytes that are none, as fast as they are taken."""
    sock = zmq.Context().socket(zmq.DEALER)
    sock.set(zmq.SNDHWM, 1000)
    sock.connect(f"tcp://127.0.0.1:{port}")
    n = 0
    while True:
        n += 1
        sock.send(encode(Command(who="flood", id=f"flood-{n}", order=Mark(label="flood"))) if n % 2 else os.urandom(200))
        while sock.poll(0):
            sock.recv_multipart()
        if n == 2:
            ready()


@contextmanager
def neighbour(kind: Callable[[int, Callable[[], None]], None], port: int) -> Iterator[BaseProcess]:
    """One of them, from when it is at it until the block ends."""
    flag = _spawn.Event()
    process = _spawn.Process(target=kind, args=(port, flag.set), daemon=True)
    process.start()
    try:
        if not flag.wait(30.0):
            raise TimeoutError("the neighbour did not come")
        yield process
    finally:
        process.kill()
        process.join()
