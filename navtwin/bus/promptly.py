"""Being woken soon: what the core and its listeners ask of the system, so that who paints pictures beside them does not make them wait."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

#: `sched_setattr`, by machine.
_CALL = {"x86_64": 314, "aarch64": 274}
#: The shortest slice that may be asked for, ns.
_SLICE_NS = 100_000
#: `prctl(PR_SET_TIMERSLACK)`: how much later than asked a sleeping thread may be woken, so that wakings fall together; 50 us unless told.
_TIMER_SLACK, _SLACK_NS = 29, 1
#: Real-time priorities, of 1 to 99: of the thread that asks and its sockets', and of all others of its process. Whatever else is real-time on a
#: machine lies above.
FIRST: Final = 2
NEXT: Final = 1
#: What ZeroMQ calls the threads that send and receive, and how long they may take to begin, s.
_SOCKETS, _SOCKETS_S = "ZMQbg/IO", 0.1


class _Attributes(ctypes.Structure):
    """`struct sched_attr` in its first version, sched_setattr(2)."""

    _fields_ = (
        ("size", ctypes.c_uint32), ("policy", ctypes.c_uint32), ("flags", ctypes.c_uint64), ("nice", ctypes.c_int32), ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64), ("deadline", ctypes.c_uint64), ("period", ctypes.c_uint64),
    )  # fmt: skip


def run_promptly() -> bool:
    """Ask for short slices and exact timers, for the calling thread and those that it starts from now on; returns whether the system has heard it.

    A thread that works a little and sleeps a lot is then run as soon as it wakes, in place of one in the midst of its longer slice. It gets no more
    of the processor than before, and needs no right to ask. Linux 6.12 and later take it so (EEVDF; Stoica and Abdel-Wahab 1995); elsewhere nothing
    changes. A frame that is waited for by the clock then comes some 50 us sooner.
    """
    call = _CALL.get(platform.machine()) if sys.platform == "linux" else None
    if call is None:
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    asked = _Attributes(size=ctypes.sizeof(_Attributes), nice=nice, runtime=_SLICE_NS)
    library = ctypes.CDLL(None, use_errno=True)
    exact = int(library.prctl(_TIMER_SLACK, _SLACK_NS, 0, 0, 0)) == 0
    return int(library.syscall(call, 0, ctypes.byref(asked), 0)) == 0 and exact


@contextmanager
def going_first() -> Iterator[bool]:
    """Real-time priority for this process, where the system allows it; yields whether it does. To be asked for once the sockets are there.

    The Python threads that there are now, and those of ZeroMQ's sockets, go before all that is not real-time (SCHED_RR, sched(7)), the calling one
    and the sockets' before the others, which may compress a log. What is started meanwhile, threads and processes, is ordinary. Linux grants it to
    root, to CAP_SYS_NICE and within RLIMIT_RTPRIO; elsewhere, and on a machine of one processor, where nothing would be left for those who show
    what is told, nothing changes.

    Only for who waits more than it works: a thread that never rests keeps its processor from everybody.
    """
    me = threading.get_native_id()
    if (os.cpu_count() or 1) < 2 or not _give(me, FIRST):
        yield False
        return
    sockets, others = _threads()
    for threads, priority in ((sockets, FIRST), (others, NEXT)):
        for thread in threads:
            _give(thread, priority)
    try:
        yield True
    finally:
        for thread in (me, *sockets, *others):
            _give(thread, 0)


def _threads() -> tuple[list[int], list[int]]:
    """The threads of this process's sockets, and its Python threads but the calling one.

    A thread of ZeroMQ reads and sets its own priority as it begins, and ends the process where that has changed in between. It takes its name after
    that: one without a name is left alone.
    """
    python = [thread.native_id for thread in threading.enumerate() if thread is not threading.current_thread() and thread.native_id is not None]
    until = time.monotonic() + _SOCKETS_S
    while not (sockets := _named(_SOCKETS)) and time.monotonic() < until:
        time.sleep(0.001)
    return sockets, python


def _named(start: str) -> list[int]:
    """Threads of this process whose name begins so."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        # A thread may end while it is looked at.
        with suppress(OSError):
            if (task / "comm").read_text().startswith(start):
                found.append(int(task.name))
    return found


def _give(thread: int, priority: int) -> bool:
    """Give a thread of this process a real-time priority, or with 0 an ordinary one; returns whether the system has let it."""
    if sys.platform != "linux":
        return False
    policy = os.SCHED_RR if priority else os.SCHED_OTHER
    with suppress(PermissionError, ProcessLookupError):
        os.sched_setscheduler(thread, policy | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
        return True
    return False
