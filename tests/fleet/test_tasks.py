"""One log on a worker: identical, other, damaged, or without what it needs; never more than its own row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from navtwin.fleet import tasks
from navtwin.fleet.jobs import Job
from navtwin.fleet.schema import TABLES
from navtwin.fleet.tasks import examine, time_replay
from navtwin.nouns import AlertSet
from navtwin.record.format import Record
from navtwin.record.mcap_file import McapFile
from navtwin.record.read import read_log
from navtwin.twin import step
from tests.fleet.sessions import golden, job


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return golden(tmp_path_factory.mktemp("golden") / "golden.mcap")


def test_a_log_of_this_code_is_identical_with_all_its_warnings(log: Path) -> None:
    rows = examine(job(log))
    (head,) = rows["logs"]
    assert (head["status"], head["differing"], head["rig_same"]) == ("identical", 0, True)
    assert head["compared"] > 200
    assert {w["said_by"] for w in rows["warnings"]} == {"log"}
    assert {"canal", "aorta"} <= {w["structure"] for w in rows["warnings"]}
    assert {"CAUTION", "DANGER", "CONTACT"} & {w["level"] for w in rows["warnings"]}
    assert rows["distances"] == []
    for table, found in rows.items():
        assert all(set(row) <= {c.name for c in TABLES[table]} for row in found), table


def test_another_fold_is_told_by_its_warnings(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fold that forgets the canal."""

    def forgetful(scene: Any, memory: Any, event: Any) -> Any:
        def less(body: Any) -> Any:
            if not isinstance(body, AlertSet):
                return body
            return msgspec.structs.replace(body, alerts=tuple(a for a in body.alerts if a.structure != "canal"))

        return [msgspec.structs.replace(m, body=less(m.body)) for m in step(scene, memory, event)]

    monkeypatch.setattr(tasks, "step", forgetful)
    rows = examine(job(log))
    (head,) = rows["logs"]
    assert head["status"] == "differs"
    assert "alerts" in head["first_difference"]
    by = {side: {w["id"] for w in rows["warnings"] if w["said_by"] == side} for side in ("log", "replay")}
    assert {i for i in by["log"] - by["replay"] if i.startswith("canal/")} == by["log"] - by["replay"] != set()


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_a_spoiled_log_is_a_row_that_says_so(log: Path, data: st.DataObject) -> None:
    whole = log.read_bytes()
    path = log.with_name("spoiled.mcap")
    at = data.draw(st.integers(0, len(whole) - 1))
    spoiled = whole[:at] if data.draw(st.booleans()) else whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    path.write_bytes(spoiled)
    (head,) = examine(job(path))["logs"]
    assert head["status"] in ("damaged", "version")
    assert str(path) in head["reason"]


def test_a_case_that_is_not_at_hand_is_named_by_its_hash(log: Path) -> None:
    told = job(log, cases=())
    # The golden log names a folder beside the tests, which is only there from the checkout's root.
    elsewhere = log.with_name("elsewhere.mcap")
    file = McapFile(elsewhere)
    for record in read_log(log):
        data = record.data.replace(b"tests/golden/case", b"nowhere")
        file.add(Record(record.channel, record.seq, record.t_ns, data))
    file.finish()
    (head,) = examine(job(elsewhere, cases=()))["logs"]
    assert head["status"] == "no case"
    assert "name it with --case" in head["reason"]
    assert told.key == job(log).key


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": "0" * 64}, "runs other navtwin code"),
        ({"log": "/nowhere/x.mcap"}, "does not see /nowhere/x.mcap"),
        ({"log_hash": "0" * 64}, "is not the file that was planned"),
    ],
)
def test_a_worker_that_is_not_like_the_plan_says_so(log: Path, change: dict[str, Any], said: str) -> None:
    for task in (examine, time_replay):
        rows = task(replace(job(log), **change))
        head = rows.get("logs", rows.get("bench", []))[0]
        assert head["status"] == "failed"
        assert said in head["reason"]


def test_keys_differ_by_task_log_and_code_and_not_by_place() -> None:
    one = Job("verify", "/a.mcap", "a" * 64, (), "c" * 64)
    others = [replace(one, task="bench"), replace(one, log_hash="b" * 64), replace(one, code="d" * 64)]
    assert len({one.key, *(o.key for o in others)}) == 4
    assert replace(one, log="/b.mcap", cases=(("h", "/case"),)).key == one.key


def test_timing_tells_speed_and_steps(log: Path) -> None:
    (row,) = time_replay(job(log, "bench"))["bench"]
    assert row["status"] == "identical"
    assert row["inputs"] > 200
    assert 0.0 < row["step_p50_us"] <= row["step_p99_us"] <= row["step_max_us"]
    assert row["speed"] == pytest.approx(row["seconds"] / row["replay_s"])
