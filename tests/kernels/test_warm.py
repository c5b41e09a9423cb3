"""Compiling before the first frame: in two processes where nothing is compiled yet, in this one where another cannot be had."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import navtwin.jit
from navtwin.kernels import warm


class Called:
    """Kernels that only note that they were asked, and processes that only note what they were to do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, kept: bool, processors: int = 2) -> None:
        self.here: list[str] = []
        self.beside: list[str] = []
        self.fails: type[OSError] | None = None
        monkeypatch.setattr(warm, "KERNELS", {name: lambda name=name: self.here.append(name) for name in warm.KERNELS})
        monkeypatch.setattr(warm, "is_kept", lambda _: kept)
        monkeypatch.setattr(navtwin.jit.os, "cpu_count", lambda: processors)
        monkeypatch.setattr(navtwin.jit.subprocess, "Popen", self.popen)

    def popen(self, command: list[str], **_: Any) -> subprocess.Popen[bytes]:
        if self.fails is not None:
            raise self.fails
        # What the process would run, run here.
        before = len(self.here)
        exec(command[-1].partition("\n")[2], {"KERNELS": warm.KERNELS})
        self.beside = self.here[before:]
        del self.here[before:]
        return _real([command[0], "-c", ""])


_real = subprocess.Popen


def test_nothing_is_compiled_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    called, told = Called(monkeypatch, kept=False), list[str]()
    warm.warm_up(told.append, warm.SESSION)
    assert called.beside == ["tree and normals", "ways between frames"], "what another process compiles begins with what all need"
    assert called.here == ["tree and normals", "closest point", "which side is inside", "error bars", "limits", "ways between frames"]
    assert told == called.here, "each is told once, what is waited for last"


def test_no_second_process_where_all_is_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    called = Called(monkeypatch, kept=True)
    warm.warm_up(groups=warm.SESSION)
    assert called.beside == []
    assert called.here == list(warm.SESSION)


@pytest.mark.parametrize(("processors", "fails"), [(1, None), (2, FileNotFoundError)])
def test_another_process_cannot_be_had(monkeypatch: pytest.MonkeyPatch, processors: int, fails: type[OSError] | None) -> None:
    called = Called(monkeypatch, kept=False, processors=processors)
    called.fails = fails
    warm.warm_up(groups=warm.SESSION)
    assert called.beside == []
    assert sorted(called.here) == sorted(warm.SESSION)


def test_what_another_process_is_to_do_can_be_done() -> None:
    """Real kernels, from this machine's cache: what is handed over is code that runs."""
    subprocess.run([sys.executable, "-c", warm._code(("tree and normals", "limits"))], check=True, timeout=110)
