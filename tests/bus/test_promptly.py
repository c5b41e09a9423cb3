"""Short slices are asked for where the system gives them, and change nothing where it does not."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from navtwin.bus import promptly
from navtwin.bus.promptly import FIRST, NEXT, going_first, run_promptly

PR_SET_TIMERSLACK, PR_GET_TIMERSLACK = 29, 30
#: What a thread begins with unless told otherwise, ns.
USUAL_SLACK_NS = 50_000
LINUX = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")


def test_where_the_system_has_no_such_call_nothing_happens(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(promptly.platform, "machine", lambda: "abacus")
    assert run_promptly() is False


@pytest.mark.skipif(not LINUX, reason="sched_setattr is Linux's own")
def test_the_thread_keeps_its_priority_and_its_siblings_their_slices():
    seen: dict[str, tuple[bool, int, str]] = {}
    slack: dict[str, int] = {}

    # Earlier tests of this process may have asked for this thread too.
    prctl = ctypes.CDLL(None).prctl
    prctl(PR_SET_TIMERSLACK, USUAL_SLACK_NS, 0, 0, 0)

    def ask() -> None:
        heard = run_promptly()
        slack["asked"] = prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0)
        seen["asked"] = heard, os.getpriority(os.PRIO_PROCESS, threading.get_native_id()), slice_of(threading.get_native_id())

    before, niceness = slice_of(threading.get_native_id()), os.getpriority(os.PRIO_PROCESS, 0)
    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    heard, kept, got = seen["asked"]
    assert heard
    assert slack["asked"] == 1
    assert prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) == USUAL_SLACK_NS
    assert kept == niceness
    assert slice_of(threading.get_native_id()) == before
    if before:
        assert int(got) == 100_000


def policies() -> dict[str, tuple[int, int]]:
    """Policy and priority of each Python thread, by name."""
    return {
        t.name: (os.sched_getscheduler(t.native_id) & ~os.SCHED_RESET_ON_FORK, os.sched_getparam(t.native_id).sched_priority)
        for t in threading.enumerate()
        if t.native_id is not None
    }


@contextmanager
def waiting(name: str) -> Iterator[None]:
    """A thread that only waits."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait, name=name)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.skipif(not LINUX, reason="real-time priority is asked for on Linux only")
def test_all_threads_go_first_the_caller_foremost_and_are_ordinary_again_afterwards():
    me = threading.current_thread().name
    with waiting("older"):
        before = policies()
        with going_first() as granted:
            if not granted:
                pytest.skip("this machine grants no real-time priority, or has one processor")
            with waiting("younger"):
                within = policies()
                program = "import os; print(os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK)"
                child = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert policies() == before
    assert within[me] == (os.SCHED_RR, FIRST)
    assert within["older"] == (os.SCHED_RR, NEXT)
    assert within["younger"] == (os.SCHED_OTHER, 0)
    assert int(child.stdout) == os.SCHED_OTHER


SOCKETS_BEGIN = """
import zmq
from navtwin.bus.promptly import going_first
for _ in range(100):
    context = zmq.Context()
    socket = context.socket(zmq.SUB)
    with going_first():
        pass
    socket.close(0)
    context.term()
"""


def test_sockets_that_have_only_just_begun_survive_it():
    """ZeroMQ ends the process where the priority of a thread of its own changes while that begins."""
    done = subprocess.run([sys.executable, "-c", SOCKETS_BEGIN], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not LINUX, reason="real-time priority is asked for on Linux only")
@pytest.mark.parametrize("reason", ["refused", "one processor"])
def test_without_the_right_or_a_second_processor_nothing_changes(monkeypatch: pytest.MonkeyPatch, reason: str):
    def refuse(*_: object) -> None:
        raise PermissionError

    if reason == "refused":
        monkeypatch.setattr(promptly.os, "sched_setscheduler", refuse)
    else:
        monkeypatch.setattr(promptly.os, "cpu_count", lambda: 1)
    before = policies()
    with going_first() as granted:
        assert granted is False
        assert policies() == before


def slice_of(thread: int) -> str:
    """What the kernel says of a thread's slice, ns; "" where it does not say."""
    path = Path(f"/proc/self/task/{thread}/sched")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("se.slice")), "")
