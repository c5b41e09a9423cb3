"""The session folder: where logs go, and which are the newest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from navtwin.record.sessions import new_log_path, newest_logs, sessions_folder


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))


def log(name: str, ended_s: int) -> Path:
    path = sessions_folder() / name
    path.write_bytes(b"x" * 10)
    os.utime(path, (ended_s, ended_s))
    return path


def test_the_newest_come_first_and_what_is_no_log_is_left_out():
    old, cut, new = log("a.mcap", 1000), log("b.mcap.partial", 2000), log("c.mcap", 3000)
    log("c.notes.json", 4000)
    found = newest_logs(5)
    assert [r.path for r in found] == [new, cut, old]
    assert [r.finished for r in found] == [True, False, True]
    assert found[0].size_bytes == 10
    assert [r.path for r in newest_logs(1)] == [new]


def test_a_new_log_lies_in_the_folder_and_is_no_file_yet():
    path = new_log_path()
    assert path.parent == sessions_folder()
    assert not path.exists()
