"""The parent's end of a child process that turns a device or pictures into tracker frames, so that a driver that hangs or dies takes nothing with it.

A child is `python -m MODULE`: on its standard input comes a line of JSON that says what to do, on its standard output it answers with lines of JSON.
"""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, cast

import msgspec

from navtwin.errors import InputRefused, NavtwinError
from navtwin.nouns import TrackerFrame


class Ready(msgspec.Struct, frozen=True, tag_field="kind", tag="ready"):
    """The child has what it needs and begins."""


class Refused(msgspec.Struct, frozen=True, tag_field="kind", tag="refused"):
    """An `InputRefused` of the child."""

    problem: str
    remedy: str


Answer = TrackerFrame | Ready | Refused
decode_answer = msgspec.json.Decoder(Answer).decode


def answers_alone() -> BinaryIO:
    """For the child, first of all: the stream to answer on, which nothing else writes to, and Ctrl-C left to the parent."""
    # Ctrl-C goes to the whole process group; the parent closes our input when it is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints must not get in between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


class ChildEnded(NavtwinError):
    """The child is gone; `problem` says how."""

    def __init__(self, how: str) -> None:
        super().__init__(how, "start the session again; if it recurs, report what is printed above")


class ChildProcess:
    """A running child.

    Parameters
    ----------
    module : what to run
    what : what to call it in messages: "detection", "NDI"
    aside : is offered every line as it comes, in a thread of its own; True where the line is no answer, and taken
    """

    def __init__(self, module: str, what: str, aside: Callable[[bytes], bool] | None = None) -> None:
        # The twin needs a core of its own; and BLAS threads gain nothing on matrices this small.
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._what, self._aside = what, aside
        self._process = subprocess.Popen([sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self.requests = cast(BinaryIO, self._process.stdin)
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name=what, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def start(self, line: bytes, within_s: float) -> None:
        """Send the first line and wait until the child is ready. Raises ChildEnded, or InputRefused in the child's words."""
        try:
            self.requests.write(line + b"\n")
            self.requests.flush()
        except OSError as error:
            raise ChildEnded(self.how()) from error
        if not isinstance(self.answer(within_s), Ready):
            raise ChildEnded(f"the {self._what} process did not start within {within_s:g} s")

    def frame(self, timeout_s: float) -> TrackerFrame | None:
        """The next frame, None if it is not there in time. Raises ChildEnded, or InputRefused in the child's words."""
        answer = self.answer(timeout_s)
        if isinstance(answer, Ready):
            raise ChildEnded(f"the {self._what} process spoke out of turn")
        return answer

    def answer(self, timeout_s: float) -> TrackerFrame | Ready | None:
        """The next answer, None if it is not there in time."""
        try:
            line = self._answers.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if not line:
            # Whoever asks again is told again.
            self._answers.put(b"")
            raise ChildEnded(self.how())
        try:
            answer: Answer = decode_answer(line)
        except msgspec.DecodeError as error:
            raise ChildEnded(f"the {self._what} process sent what is no answer ({error})") from error
        if isinstance(answer, Refused):
            raise InputRefused(answer.problem, answer.remedy)
        return answer

    def close(self, grace_s: float = 0.0) -> None:
        """End the child: by the end of its input if it takes no longer than `grace_s`, else by force."""
        # What was still to be written has nobody to go to.
        with suppress(OSError):
            if grace_s:
                self.requests.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(grace_s)
        self._process.kill()
        self._process.wait()
        with suppress(OSError):
            self.requests.close()

    def how(self) -> str:
        """How the child ended, in words."""
        try:
            code = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return f"the {self._what} process closed its pipe"
        return f"the {self._what} process ended ({f'signal {-code}' if code < 0 else f'exit code {code}'})"

    def _listen(self) -> None:
        answers = cast(BinaryIO, self._process.stdout)
        with answers:
            for line in answers:
                if self._aside is None or not self._aside(line):
                    self._answers.put(line)
        self._answers.put(b"")
