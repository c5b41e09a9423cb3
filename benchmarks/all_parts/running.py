"""One benchmark as a process of its own: what it measured, or its last words where it measured nothing."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from results import files
from results.machine import this_machine, versions
from results.model import Result

from navtwin.errors import InputRefused

ROOT = Path(__file__).resolve().parents[2]
#: How long a benchmark that is to end has to write its logs and remove its files, s.
ENDS_IN_S = 20.0
LAST_LINES = 12
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

State = Literal["measured", "kept", "found faults", "failed", "left out", "stopped"]


@dataclass(frozen=True)
class Task:
    """A benchmark that is to be run: `options` are those of its own, `cannot` says why it has no place here ("" where it has)."""

    name: str
    script: Path
    what: str
    options: tuple[str, ...] = ()
    cannot: str = ""

    @property
    def command(self) -> str:
        """What anyone can type to run it again."""
        return shlex.join(["navtwin", "bench", self.name, *self.options])

    @property
    def words(self) -> tuple[str, ...]:
        """All its options: the budget is held by the report, so that a benchmark leaves with 1 for what it finds wrong by itself."""
        return (*self.options, "--quiet", "--budget", "none", "--json")

    def told_command(self) -> str:
        """The command as its result tells it, which has files by their names alone."""
        return shlex.join(["navtwin", "bench", self.name, *self.words, f"{self.name}.json"])


@dataclass(frozen=True)
class Outcome:
    """What came of a task.

    Attributes
    ----------
    result : None where it measured nothing that can be told
    trouble : in one line, why not; or what is wrong although it measured
    last_words : the last lines it printed
    """

    task: Task
    state: State
    result: Result | None = None
    trouble: str = ""
    last_words: tuple[str, ...] = ()

    @property
    def bad(self) -> bool:
        return self.state in ("failed", "found faults")


class Stopped(Exception):
    """Somebody pressed Ctrl-C; what was running has been ended."""


def kept(task: Task, out: Path) -> Outcome | None:
    """The result that an earlier run left, if a run today would measure the same: whole, of this revision, machine, versions and options."""
    try:
        result = files.load(out / f"{task.name}.json")
    except InputRefused:
        return None
    here = versions()
    same = result.benchmark == task.name and result.command == task.told_command() and result.machine == this_machine() and result.versions == here
    if not same or not re.match(r"[0-9a-f]{12}", here["revision"]):
        return None
    return Outcome(task, "kept", result)


def run(task: Task, out: Path, limit_s: float) -> Outcome:
    """Runs it; what it prints is kept in `NAME.txt`, its result in `NAME.json`.

    Raises
    ------
    Stopped
        Ctrl-C: the benchmark was ended, and what it may have written of half a run is removed.
    """
    target, printed = out / f"{task.name}.json", out / f"{task.name}.txt"
    target.unlink(missing_ok=True)
    with printed.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(task.script), *task.words, str(target)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            # Apart from this terminal's group: one Ctrl-C ends it once, and with it every process that it started.
            start_new_session=True,
        )
        try:
            code = process.wait(limit_s)
        except subprocess.TimeoutExpired:
            _end(process)
            return Outcome(task, "failed", trouble=f"it was ended after {limit_s / 60.0:g} min", last_words=last_words(printed))
        except KeyboardInterrupt:
            _end(process)
            target.unlink(missing_ok=True)
            raise Stopped from None
    return _outcome(task, code, target, last_words(printed))


def _outcome(task: Task, code: int, target: Path, words: tuple[str, ...]) -> Outcome:
    left = f"it left with {code}" if code >= 0 else f"it was killed by signal {-code}"
    if not target.is_file():
        return Outcome(task, "failed", trouble=f"{left} and wrote no result", last_words=words)
    try:
        result = files.load(target)
    except InputRefused as error:
        return Outcome(task, "failed", trouble=str(error), last_words=words)
    if result.benchmark != task.name:
        return Outcome(task, "failed", trouble=f"it wrote a result of '{result.benchmark}'", last_words=words)
    if code:
        return Outcome(task, "found faults", result, left, words)
    return Outcome(task, "measured", result)


def _end(process: subprocess.Popen[bytes]) -> None:
    """In order first, then at once: the benchmark with all that it started."""
    for sign in ("SIGINT", "SIGKILL"):
        if hasattr(os, "killpg"):
            try:
                os.killpg(process.pid, getattr(signal, sign))
            except ProcessLookupError:
                return
        else:
            process.terminate()
        try:
            process.wait(ENDS_IN_S)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            continue


def last_words(printed: Path) -> tuple[str, ...]:
    """The last lines that it printed, without colours and without this machine's folders."""
    lines = _ESCAPES.sub("", printed.read_text(encoding="utf-8", errors="replace")).replace("\r", "\n").splitlines()
    return tuple(without_places(line.rstrip()) for line in lines if line.strip())[-LAST_LINES:]


def without_places(text: str) -> str:
    """The text without this machine's folders: a report is handed around, and its reader has other ones."""
    for place, said in (
        (f"{ROOT}/", ""),
        (sys.prefix, "PYTHON"),
        (sys.base_prefix, "PYTHON"),
        (str(Path.home()), "~"),
        (tempfile.gettempdir(), "TMP"),
    ):
        if len(place) > 1 and place not in ("/usr", "/usr/local"):
            text = text.replace(place, said)
    return text
