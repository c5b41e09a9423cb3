"""A core started from the desktop: what it says is read while it writes, and how it ended is told."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from gui.desktop import core as own
from gui.desktop.core import OwnCore

PORTS = (5810, 5811)


def command(script: str) -> Any:
    return lambda *_: [sys.executable, "-u", "-c", script]


def test_its_lines_are_whole_however_often_they_are_read(qtbot: Any, monkeypatch: pytest.MonkeyPatch):
    script = "import time\nfor n in range(40):\n    print('li', end=''); time.sleep(0.005); print('ne', n); time.sleep(0.005)"
    monkeypatch.setattr(own, "core_command", command(script))
    core = OwnCore(Path(), "phantom:pedicle", None, PORTS)
    while core.running:
        core._turn()
        qtbot.wait(5)
    assert list(core.lines) == [f"line {n}" for n in range(40)]
    assert core.words == ""
    assert not core._path.exists()


def test_why_it_ended_is_its_last_word(qtbot: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(own, "core_command", command("import sys; print('loading'); sys.exit('navtwin: port 5810 is in use')"))
    core = OwnCore(Path(), "camera:0", None, PORTS)
    qtbot.waitUntil(lambda: not core.running, timeout=10_000)
    assert core.words == "port 5810 is in use"


def test_it_is_asked_to_end(qtbot: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(own, "core_command", command("import time; time.sleep(60)"))
    core = OwnCore(Path(), "camera:0", None, PORTS)
    core.end()
    qtbot.waitUntil(lambda: not core.running, timeout=10_000)
