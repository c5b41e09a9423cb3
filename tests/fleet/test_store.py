"""The results folder: whole files or none, versions refused, and what is half written understood."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from navtwin.errors import InputRefused
from navtwin.fleet import store
from navtwin.fleet.jobs import Job
from navtwin.fleet.store import MARK, Results

JOB = Job("verify", "/logs/a.mcap", "a" * 64, (), "c" * 64)


def rows(status: str = "identical", warnings: int = 2) -> dict[str, list[dict[str, Any]]]:
    base = {"log_hash": JOB.log_hash, "log": JOB.log, "code": JOB.code}
    said = {"said_seq": [1, 2], "said_t_ns": [5, 6], "said_rank": [1, 2], "said_known": [True, False], "said_bound_mm": [0.5, None]}
    return {
        "warnings": [{**base, "kind": "alert", "id": f"s/i/{n}", "begun_seq": n, **said} for n in range(warnings)],
        "distances": [],
        "latency": [],
        "crossings": [],
        "logs": [{**base, "status": status, "reason": ""}],
    }


def test_what_is_kept_is_read_back(tmp_path: Path) -> None:
    Results(tmp_path / "r").add(JOB, rows())
    kept = Results(tmp_path / "r")
    (head,) = kept.done("verify").values()
    assert (head["status"], head["missed"]) == ("identical", None)
    found = kept.rows("warnings", [JOB.key])
    assert [w["id"] for w in found] == ["s/i/0", "s/i/1"]
    assert found[0]["said_bound_mm"] == [0.5, None]


@pytest.mark.parametrize("status", ["no case", "died", "failed", "refused"])
def test_what_may_come_out_otherwise_is_done_again(tmp_path: Path, status: str) -> None:
    kept = Results(tmp_path / "r")
    kept.add(JOB, rows(status, warnings=0))
    assert kept.done("verify") == {}
    assert len(kept.heads("verify")) == 1


def test_killed_between_two_tables_nothing_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Results(tmp_path / "r")
    write = store._write

    def killed(path: Path, data: bytes) -> None:
        if path.parent.name == "logs":
            raise KeyboardInterrupt
        write(path, data)

    monkeypatch.setattr(store, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        kept.add(JOB, rows())
    assert Results(tmp_path / "r").done("verify") == {}


def test_a_half_file_is_never_taken_for_whole(tmp_path: Path) -> None:
    kept = Results(tmp_path / "r")
    kept.add(JOB, rows())
    (path,) = (tmp_path / "r" / "logs").glob("*.parquet")
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        kept = Results(tmp_path / "r")
        assert kept.done("verify") == {}
        assert "counts as not there" in kept.notes[0]


def test_rows_of_a_log_that_is_done_again_do_not_stay(tmp_path: Path) -> None:
    kept = Results(tmp_path / "r")
    kept.add(JOB, rows())
    kept.add(JOB, rows("damaged", warnings=0))
    assert kept.rows("warnings", [JOB.key]) == []


def test_leftovers_of_dead_runs_go_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    Results(tmp_path / "r").add(JOB, rows())
    dead, living = (tmp_path / "r" / "logs" / f"{name}.parquet.1.part" for name in ("dead", "living"))
    dead.write_bytes(b"PAR1")
    living.write_bytes(b"PAR1")
    os.utime(dead, (time.time() - 7200, time.time() - 7200))
    assert len(Results(tmp_path / "r").done("verify")) == 1
    assert (dead.exists(), living.exists()) == (False, True)


def test_results_of_another_version_are_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Results(tmp_path / "r").add(JOB, rows())
    mark = tmp_path / "r" / MARK
    mark.write_text(json.dumps({"results": 7}))
    with pytest.raises(InputRefused, match=r"holds results of version 7, and navtwin .* reads and writes version 1"):
        Results(tmp_path / "r")
    mark.write_text("{")
    with pytest.raises(InputRefused, match="cannot be read"):
        Results(tmp_path / "r")
    monkeypatch.setattr(store, "RESULTS", 2)
    Results(tmp_path / "new").add(JOB, rows())
    monkeypatch.undo()
    (tmp_path / "new" / MARK).write_text(json.dumps({"results": 1}))
    with pytest.raises(InputRefused, match="version 2"):
        Results(tmp_path / "new").done("verify")


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.doc").write_text("mine")
    with pytest.raises(InputRefused, match="holds other things"):
        Results(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.doc"]
