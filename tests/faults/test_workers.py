"""Calibration and registration are computed in another process: what happens when that process dies, and what the core does meanwhile."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess

import pytest

from navtwin.nouns import AlertSet, Collect, PivotRequest, PivotResult, Pose, RegistrationRequest, Setup, Sighting, TrackerFrame, WorkFailed
from navtwin.register.worker import answer
from navtwin.run.workers import Workers
from navtwin.scene.case import load_scene
from tests.faults.live import PATIENCE_S, Session, alarm, session, sightings
from tests.golden.make import CASE
from tests.twin.world import MS

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="a process is stopped and killed with POSIX signals")


@pytest.fixture
def workers() -> Iterator[Workers]:
    team = Workers(CASE)
    yield team
    team.close()


def _worker() -> BaseProcess:
    end = time.monotonic() + PATIENCE_S
    while not (found := multiprocessing.active_children()):
        assert time.monotonic() < end, "no worker was started"
        time.sleep(0.01)
    return found[-1]


def _turned(n: int) -> Pose:
    """The drill's marker, 100 mm above a tip that stands still, leaning round it."""
    lean, way = 0.35, 0.4 * n
    axis = (math.cos(way), math.sin(way), 0.0)
    w, k = math.cos(lean / 2.0), math.sin(lean / 2.0)
    up = (axis[1] * math.sin(lean), -axis[0] * math.sin(lean), math.cos(lean))
    return Pose(q_wxyz=(w, axis[0] * k, axis[1] * k, 0.0), t_mm=(100.0 * up[0], 100.0 * up[1], 100.0 * up[2]))


def _collect_pivot(s: Session) -> None:
    assert s.reply(s.client.send(Collect(what="pivot", tool="drill", action="start"))).ok
    s.listen(0.6)  # out of sight: it comes back elsewhere, which is no leap then
    for n in range(40):
        now = time.monotonic_ns()
        seen = (sightings(None)[0], Sighting(body="drill", status="OK", pose=_turned(n)))
        s.number += 1
        s.source.items.put(TrackerFrame(source="hand", number=s.number, t_capture_ns=now - 15 * MS, t_arrival_ns=now, sightings=seen))
        s.listen(0.016)
    s.until(lambda a: s.core.memory.collection is not None and len(s.core.memory.collection.poses) >= 40)
    assert s.reply(s.client.send(Collect(what="pivot", tool="drill", action="stop"))).ok
    s.listen(0.6)


def _pivots(s: Session) -> list[PivotResult]:
    return [p for _, e in s.messages if isinstance(e.body, Setup) for p in e.body.pivots]


@posix_only
@pytest.mark.timeout(90)
def test_a_worker_that_is_killed_is_told_of_and_replaced(workers: Workers) -> None:
    with session(workers=workers) as s:
        first = _worker()
        assert first.pid is not None
        os.kill(first.pid, signal.SIGSTOP)
        _collect_pivot(s)
        # The worker does not answer; frames are judged all the same.
        s.until_alert("DANGER", 1.5)
        os.kill(first.pid, signal.SIGKILL)
        told = s.until(lambda a: any(t.alarm == "WORKER_FAILED" for t in a.technical), showing_mm=1.5, frames=True)
        assert "worker" in alarm(told.body, "WORKER_FAILED").text
        assert isinstance(told.body, AlertSet)
        assert told.body.alerts, "warnings go on"
        assert not _pivots(s)
        _collect_pivot(s)
        s.until(lambda a: bool(_pivots(s)))
        assert _pivots(s)[-1].tip_mm == pytest.approx((0.0, 0.0, -100.0), abs=0.01)
        s.until(lambda a: alarm(a, "WORKER_FAILED") is None)
        assert _worker().pid != first.pid


@pytest.mark.timeout(90)
def test_what_a_worker_cannot_compute_is_answered_as_failed(workers: Workers) -> None:
    nothing = RegistrationRequest(request="registration/1", method="landmarks", landmarks=(), ct_mm=(), ref_mm=())
    workers.submit(nothing)
    end = time.monotonic() + 60.0
    while not (results := workers.finished()):
        assert time.monotonic() < end
        time.sleep(0.02)
    [failed] = results
    assert isinstance(failed, WorkFailed)
    assert failed.request == "registration/1"
    assert failed.reason
    assert "\n" not in failed.reason
    assert not workers.busy


def test_a_pivot_without_any_turning_is_refused_in_words() -> None:
    still = Pose(q_wxyz=(1.0, 0.0, 0.0, 0.0), t_mm=(0.0, 0.0, 1.0))
    found = answer(PivotRequest(request="pivot/drill/1", tool="drill", poses=(still,) * 60), load_scene(CASE))
    assert isinstance(found, PivotResult | WorkFailed)
    words = " ".join(found.reasons) if isinstance(found, PivotResult) else found.reason
    assert not (isinstance(found, PivotResult) and found.accepted)
    assert "matrix" not in words.lower()
    assert any(word in words.lower() for word in ("turn", "rotat", "tilt"))


@posix_only
@pytest.mark.timeout(60)
def test_a_core_that_is_killed_takes_its_worker_along() -> None:
    code = (
        "import sys, time, multiprocessing; from pathlib import Path; from navtwin.run.workers import Workers;"
        "w = Workers(Path(sys.argv[1])); w._pool.submit(int).result();"
        "print(*[p.pid for p in multiprocessing.active_children()], flush=True); time.sleep(60)"
    )
    core = subprocess.Popen([sys.executable, "-c", code, str(CASE)], stdout=subprocess.PIPE, text=True)
    try:
        assert core.stdout is not None
        pids = [int(word) for word in core.stdout.readline().split()]
    finally:
        core.kill()
        core.wait()
        assert core.stdout is not None
        core.stdout.close()
    assert pids
    end = time.monotonic() + PATIENCE_S
    while any(_lives(pid) for pid in pids):
        assert time.monotonic() < end, "the worker goes on without its core"
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be read (in a container that reaps nobody) does not."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not os.path.isdir("/proc/self")  # noqa: PTH112
