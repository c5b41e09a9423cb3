from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from navtwin import cli
from tests.golden.make import CASE


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The refusal's one line; what a command says on its way there is no part of it."""
        lines = [line for line in self.err.splitlines() if line.startswith("navtwin: ")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0]


Navtwin = Callable[..., Ended]


@pytest.fixture
def navtwin(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Navtwin]:
    """Runs a command in this process, as the entry point does; output of its child processes counts."""
    monkeypatch.setattr(cli, "_add_rooms", lambda: None)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments: object) -> Ended:
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["navtwin", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capfd.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """A sound case that a test may spoil."""
    folder = tmp_path / "case"
    shutil.copytree(CASE, folder)
    return folder


def everything_in(folder: Path) -> dict[str, bytes]:
    """All files under a folder, hidden and half-written ones too."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
