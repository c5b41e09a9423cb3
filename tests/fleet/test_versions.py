"""Logs of other versions: read where they can be, refused by name where not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from navtwin import __version__
from navtwin.errors import LogDamaged, LogOfOtherVersion
from navtwin.record import mcap_file
from navtwin.record.format import Record
from navtwin.record.mcap_file import McapFile
from navtwin.record.read import header, inputs, read_log
from navtwin.record.replay import verify
from tests.fleet.sessions import toy
from tests.record.logs import RIG, Case, events, new_memory, step


def _rewritten(path: Path, change: Callable[[str, dict[str, Any]], None]) -> Path:
    """The log again, each record's JSON changed as another version would have written it."""
    out = path.with_name("other.mcap")
    file = McapFile(out)
    for record in read_log(path):
        said = json.loads(record.data)
        change(record.channel, said)
        file.add(Record(record.channel, record.seq, record.t_ns, json.dumps(said, separators=(",", ":")).encode()))
    file.finish()
    return out


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return toy(tmp_path / "log.mcap", events(20))


def _newer(channel: str, said: dict[str, Any]) -> None:
    if channel == "/header":
        said.update(version="9.9.0", code_hash="abcdef0123456789", operator_room="7")


def test_a_newer_header_is_refused_by_the_version_that_wrote_it(log: Path) -> None:
    path = _rewritten(log, _newer)
    with pytest.raises(LogOfOtherVersion, match="operator_room") as refused:
        header(path)
    assert f"cannot be read by navtwin {__version__}" in str(refused.value)
    assert "It was written by navtwin 9.9.0 (code abcdef012345): read it with that one, or a newer one" in str(refused.value)


def test_a_newer_input_is_refused_and_not_taken_for_damage(log: Path) -> None:
    def change(channel: str, said: dict[str, Any]) -> None:
        if channel == "/header":
            said.update(version="9.9.0")
        elif channel == "/input":
            said["body"]["humidity"] = 0.4

    with pytest.raises(LogOfOtherVersion, match=r"humidity.*written by navtwin 9\.9\.0"):
        list(inputs(_rewritten(log, change)))


def test_an_older_log_without_what_came_later_is_read_and_replays(log: Path) -> None:
    """What was added to a noun has a default, so that older logs mean what they meant."""

    def change(channel: str, said: dict[str, Any]) -> None:
        if channel == "/input" and said["body"]["kind"] == "frame":
            for name in ("stamp", "filter", "stages", "t_device_ns", "fields"):
                del said["body"][name]

    older = _rewritten(log, change)
    assert list(inputs(older)) == list(inputs(log))
    assert verify(older, Case(), RIG, step, new_memory).identical


@pytest.mark.parametrize("number", [0, 2])
def test_another_format_is_refused_by_number_and_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(mcap_file, "PROFILE", f"navtwin-{number}")
    path = toy(tmp_path / "log.mcap", events(5))
    with pytest.raises(LogOfOtherVersion, match=rf"log format 'navtwin-{number}', this navtwin reads 'navtwin-1'.*written by navtwin 0 \(code"):
        header(path)


def test_another_format_that_is_damaged_is_refused_without_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcap_file, "PROFILE", "navtwin-2")
    path = toy(tmp_path / "log.mcap", events(5))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(LogDamaged, match="navtwin-2"):
        header(path)
