"""The parent's end of the child process that finds markers and poses (`tracking.stream.child`)."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import BinaryIO, cast

import msgspec

from navtwin.errors import InputRefused, NavtwinError
from navtwin.nouns import Rig, TrackerFrame, encode
from tracking.pictures.images import Picture
from tracking.stream.child import Answer, Ready, Refused, Start, decode_answer, write_exposure

#: How long a child may take to load its libraries (and the first time compile its kernels), and to answer for one exposure, s.
START_S, ANSWER_S = 240.0, 15.0


class ChildEnded(NavtwinError):
    """The child is gone; `problem` says how."""

    def __init__(self, how: str) -> None:
        super().__init__(how, "start the session again; if it recurs, report what is printed above")


class DetectionChild:
    """A running child. Exposures go in by `send`; the frames come out of `receive` in the same order.

    Raises
    ------
    InputRefused : the rig cannot be tracked with
    """

    def __init__(self, rig: Rig, source: str, *, live: bool) -> None:
        # The twin needs a core of its own; and BLAS threads gain nothing on matrices this small.
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tracking.stream.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self._requests = cast(BinaryIO, self._process.stdin)
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="detection", daemon=True).start()
        try:
            self._write(encode(Start(rig, source, live)) + b"\n")
            if not isinstance(self._answer(START_S), Ready):
                raise ChildEnded(f"the detection process did not start within {START_S:g} s")
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, pictures: Sequence[Picture]) -> None:
        """Hand over an exposure; waits while the child is still busy with those before. Raises ChildEnded."""
        try:
            write_exposure(self._requests, pictures)
        except (OSError, ValueError) as error:
            raise ChildEnded(self._how()) from error

    def receive(self, timeout_s: float) -> TrackerFrame | None:
        """The next frame, None if it is not there in time. Raises ChildEnded, or InputRefused where a picture does not fit the rig."""
        answer = self._answer(timeout_s)
        if isinstance(answer, TrackerFrame) or answer is None:
            return answer
        raise ChildEnded("the detection process spoke out of turn")

    def close(self) -> None:
        """End the child."""
        self._process.kill()
        self._process.wait()
        try:
            self._requests.close()
        except OSError:
            # What was still to be written has nobody to go to.
            return

    def _write(self, line: bytes) -> None:
        try:
            self._requests.write(line)
            self._requests.flush()
        except OSError as error:
            raise ChildEnded(self._how()) from error

    def _answer(self, timeout_s: float) -> TrackerFrame | Ready | None:
        try:
            line = self._answers.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if not line:
            # Whoever asks again is told again.
            self._answers.put(b"")
            raise ChildEnded(self._how())
        try:
            answer: Answer = decode_answer(line)
        except msgspec.DecodeError as error:
            raise ChildEnded(f"the detection process sent what is no answer ({error})") from error
        if isinstance(answer, Refused):
            raise InputRefused(answer.problem, answer.remedy)
        return answer

    def _listen(self) -> None:
        answers = cast(BinaryIO, self._process.stdout)
        with answers:
            for line in answers:
                self._answers.put(line)
        self._answers.put(b"")

    def _how(self) -> str:
        try:
            code = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return "the detection process closed its pipe"
        return f"the detection process ended ({f'signal {-code}' if code < 0 else f'exit code {code}'})"
