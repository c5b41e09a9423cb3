"""Calibration and registration in a process of their own: they use BLAS and take seconds, so they may not share the fold's process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import msgspec

from navtwin.nouns import PivotRequest, PivotResult, RegistrationRequest, RegistrationResult, WorkFailed, encode
from navtwin.register.worker import answer
from navtwin.scene.case import load_scene
from navtwin.scene.model import Scene

Request = PivotRequest | RegistrationRequest
Result = PivotResult | RegistrationResult | WorkFailed

_decode_request = msgspec.json.Decoder(Request).decode
_decode_result = msgspec.json.Decoder(Result).decode
_scene: list[Scene] = []


def _prepare(case: str) -> None:
    """In the worker: load the case, so that the first request does not wait for it."""
    # Ctrl-C goes to the whole process group; the loop ends the worker itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _scene[:] = [load_scene(Path(case))]


def _leave_with_parent() -> None:
    """A core that was killed cannot end its worker: the worker watches it and goes too."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _answer(request: bytes) -> bytes:
    return encode(answer(_decode_request(request), _scene[0]))


class Workers:
    """One worker process; answers come in the order of the requests. A worker that dies fails its requests and is replaced."""

    def __init__(self, case: Path) -> None:
        # BLAS threads in the worker would fight the fold for its core. The worker inherits this before it loads BLAS.
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        self._case = case
        self._pool = self._start()
        self._waiting: list[tuple[str, Future[bytes]]] = []

    def _start(self) -> ProcessPoolExecutor:
        pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"), initializer=_prepare, initargs=(str(self._case),))
        # A first, empty call starts the process now instead of at the first request.
        pool.submit(int)
        return pool

    @property
    def busy(self) -> bool:
        return bool(self._waiting)

    def submit(self, request: Request) -> None:
        payload = encode(request)
        try:
            future = self._pool.submit(_answer, payload)
        except BrokenProcessPool:
            self._pool.shutdown(wait=False)
            self._pool = self._start()
            future = self._pool.submit(_answer, payload)
        self._waiting.append((request.request, future))

    def finished(self) -> list[Result]:
        """The answers that have come since the last call."""
        results: list[Result] = []
        while self._waiting and self._waiting[0][1].done():
            name, future = self._waiting.pop(0)
            error = future.exception()
            if error is None:
                results.append(_decode_result(future.result()))
            else:
                results.append(WorkFailed(request=name, reason=f"the worker failed: {error}"))
        return results

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
