"""A recorded session that must come out again to the bit, on any machine, as long as nobody means otherwise.

Where the fold was meant to change: `python -m tests.golden.make`, and say so in the change.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from navtwin.nouns import AlertSet, State, read_rig
from navtwin.record.read import outputs
from navtwin.record.replay import verify
from navtwin.scene.case import load_scene
from navtwin.twin import judge, new_memory, step
from tests.golden.make import CASE, RIG, SESSION, make_session


def test_the_golden_session_comes_out_again_to_the_bit() -> None:
    verdict = verify(SESSION, load_scene(CASE), read_rig(RIG), step, new_memory)
    assert verdict.identical, verdict.first
    assert verdict.ok, "the case or the rig beside the log is not the one it was recorded with"
    assert verdict.compared > 200


def test_the_golden_session_is_small_and_shows_everything() -> None:
    """What it does not show it cannot guard: every level, every status, every kind of refusal."""
    assert SESSION.stat().st_size + sum(f.stat().st_size for f in CASE.rglob("*") if f.is_file()) < 300_000
    levels: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    alarms: set[str] = set()
    acked = silenced = fallen = 0
    before: dict[str, str] = {}
    for logged in outputs(SESSION):
        if isinstance(logged.body, AlertSet):
            now = {a.id: a.level for a in logged.body.alerts}
            fallen += sum(before[name] != "CAUTION" and level == "CAUTION" for name, level in now.items() if name in before)
            fallen += sum(name not in now for name in before)
            before = dict(now)
            levels.update(now.values())
            statuses.update(a.status for a in logged.body.alerts)
            alarms.update(t.alarm for t in logged.body.technical)
            acked += sum(bool(a.acked_by) for a in logged.body.alerts)
            silenced += sum(a.silenced and not a.acked_by for a in logged.body.alerts)
        elif isinstance(logged.body, State):
            statuses.update(r.status for r in (*logged.body.readings, *logged.body.instruments))
    assert set(levels) == {"CAUTION", "DANGER", "CONTACT"}
    assert {"OK", "HIDDEN", "STALE", "INVALID", "UNREGISTERED", "UNCALIBRATED", "OUT_OF_SCAN"} <= set(statuses)
    assert {"SOURCE_STALE", "REFERENCE_LOST", "TRACKING_LOST", "TIME_FAULT", "NOT_REGISTERED", "RECORDING_FAILED", "SOURCE_ENDED"} <= alarms
    assert acked
    assert silenced
    assert fallen


def test_the_smallest_change_of_the_fold_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard bites: one bit more in the error bar's factor, and the field that differs is named."""
    monkeypatch.setattr(judge, "K_SD", 2.0000000000000004)
    verdict = verify(SESSION, load_scene(CASE), read_rig(RIG), step, new_memory)
    assert not verdict.identical
    assert verdict.first is not None
    assert "bound_mm" in verdict.first.path


def test_recording_it_again_gives_the_same_inputs_and_outputs(tmp_path: Path) -> None:
    """The documented command makes this very log (its header names the code that made it)."""
    from navtwin.record.read import read_log

    make_session(tmp_path / "again.mcap")
    kept = [r for r in read_log(SESSION) if r.channel not in ("/header", "/stamps")]
    again = [r for r in read_log(tmp_path / "again.mcap") if r.channel not in ("/header", "/stamps")]
    # The epoch stands in the acknowledgements: it is derived from the header, and so from the code.
    same = [a == b for a, b in zip(kept, again, strict=True) if b'"do":"ack"' not in a.data]
    assert all(same)


def _verified(environment: dict[str, str], *arguments: str, log: Path = SESSION) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "navtwin", "verify", str(log), "--case", str(CASE), "--rig", str(RIG), *arguments]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=280)


@pytest.mark.parametrize("seed", ["1", "4242"])
def test_the_order_of_sets_is_in_no_output(seed: str) -> None:
    done = _verified({"PYTHONHASHSEED": seed}, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["identical"] is True


@pytest.mark.heavy
@pytest.mark.timeout(300)
def test_a_plainer_cpu_says_the_same() -> None:
    """The baseline of this architecture: no wide vectors, no fused multiply-add."""
    done = _verified({"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["identical"] is True


def test_an_altered_log_is_named_and_refused(tmp_path: Path) -> None:
    """One byte anywhere: exit code 2, one line with the file's name and what to do."""
    log = tmp_path / "altered.mcap"
    shutil.copyfile(SESSION, log)
    raw = bytearray(log.read_bytes())
    raw[len(raw) // 2] ^= 0x10
    log.write_bytes(raw)
    done = _verified({}, log=log)
    assert done.returncode == 2
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("navtwin: ")
    assert "altered.mcap" in line
    assert "navtwin recover" in line
