from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from navtwin.record import mcap_file
from navtwin.record.format import Record
from navtwin.record.read import read_log
from tests.record.logs import events, write_session


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk every few messages, so that a small log has many."""
    monkeypatch.setattr(mcap_file, "CHUNK_BYTES", 3000)


@pytest.fixture
def session(tmp_path: Path, small_chunks: None) -> Path:
    path = tmp_path / "session.mcap"
    write_session(path, events(70))
    return path


@pytest.fixture
def records(session: Path) -> list[Record]:
    return list(read_log(session))


@pytest.fixture
def altered(session: Path, tmp_path: Path) -> Callable[[bytes], Path]:
    """Puts other bytes into a copy of the session's log."""
    path = tmp_path / "altered.mcap"

    def write(data: bytes) -> Path:
        path.write_bytes(data)
        return path

    return write
