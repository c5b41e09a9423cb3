"""Short slices are asked for where the system gives them, and change nothing where it does not."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import threading
from pathlib import Path

import pytest

from navtwin.bus import promptly
from navtwin.bus.promptly import run_promptly

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


def slice_of(thread: int) -> str:
    """What the kernel says of a thread's slice, ns; "" where it does not say."""
    path = Path(f"/proc/self/task/{thread}/sched")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("se.slice")), "")
