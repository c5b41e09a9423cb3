"""kill -9 of the core in the middle of a session: the operator hears of it, the log is rescued, no process stays behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from navtwin.nouns import TrackerFrame
from navtwin.record.read import inputs
from tests.end_to_end.conftest import finished, navtwin, two_ports, wait_for

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a POSIX signal"),
]
#: LINK LOST is due 250 ms after the last set that was fresh, by the console's own clock; the rest is its turn on a busy machine.
SAID_WITHIN_S = 0.6
NAVIGATED_S = 3.0


def test_a_killed_core_is_noticed_and_its_log_rescued(patient: Path, tmp_path: Path) -> None:
    log, said, heard, journal = (tmp_path / name for name in ("session.mcap", "core.txt", "operator.txt", "operator.jsonl"))
    port, command_port = two_ports()
    ports = ("--port", port, "--command-port", command_port)
    with said.open("w") as core_says, heard.open("w") as operator_says:
        core = subprocess.Popen(
            navtwin("run", patient, "--source", "phantom:pedicle:1", "--log", log, *ports),
            stdout=core_says,
            stderr=core_says,
            start_new_session=True,
        )
        operator = subprocess.Popen(
            navtwin("operator", "--plain", "--who", "nurse", "--journal", journal, *ports),
            stdout=operator_says,
            stderr=operator_says,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        try:
            wait_for(lambda: "navigation begins" in said.read_text() or core.poll() is not None, "navigation")
            time.sleep(NAVIGATED_S)
            assert core.poll() is None, said.read_text()
            before = heard.read_text()
            core.kill()
            killed_ns = time.monotonic_ns()
            core.wait()
            wait_for(lambda: "LINK LOST" in heard.read_text()[len(before) :], "LINK LOST", 10.0)
        finally:
            for process in (core, operator):
                process.kill()
                process.wait()
    assert "LINK LOST" not in re.sub(r".*no core.*", "", before), "the link was up until then"
    assert 0.24 < _silence_s(journal, heard.read_text()[len(before) :]) < SAID_WITHIN_S
    assert not log.exists(), "a session that was cut off never has a finished log's name"
    rescued = tmp_path / "rescued.mcap"
    done = finished("recover", f"{log}.partial", "--out", rescued)
    assert done.returncode in (0, 1), done.stderr
    events = list(inputs(rescued))
    assert (killed_ns - events[-1].t_ns) * 1e-9 < 1.0, "recovered to within a second"
    assert [e.seq for e in events] == list(range(1, len(events) + 1)), "and nothing is missing before"
    navigated = [e for e in events if isinstance(e.body, TrackerFrame) and e.t_ns > killed_ns - round(NAVIGATED_S * 1e9)]
    assert len(navigated) > (NAVIGATED_S - 1.0) * 50.0
    verified = finished("verify", rescued)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    _nothing_is_left_of(core.pid)


def _silence_s(journal: Path, told: str) -> float:
    """From the last alert set that the operator received to its LINK LOST, both by the operator's stamps."""
    clock = re.search(r"^(\d\d):(\d\d):(\d\d\.\d+) high +LINK LOST", told, re.MULTILINE)
    assert clock is not None, told
    lost_s = float(clock[1]) * 3600.0 + float(clock[2]) * 60.0 + float(clock[3])
    records = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    last = max(record["t_received_ns"] for record in records if record.get("topic") == "alerts")
    at = datetime.fromtimestamp(last * 1e-9 + time.time() - time.monotonic())
    return (lost_s - (at.hour * 3600.0 + at.minute * 60.0 + at.second + at.microsecond * 1e-6)) % 86400.0


def _nothing_is_left_of(session: int) -> None:
    """The core led a session of its own: everything it started is in that session's group."""

    def lives() -> bool:
        try:
            os.killpg(session, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return not _only_zombies(session)

    end = time.monotonic() + 10.0
    while lives():
        if time.monotonic() > end:
            os.killpg(session, signal.SIGKILL)
            raise AssertionError("processes of the killed core go on")
        time.sleep(0.05)


def _only_zombies(group: int) -> bool:
    """Whether all that is left has ended and waits to be read, as in a container that reaps nobody."""
    if not Path("/proc/self/stat").exists():
        return False
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            return False
    return True
