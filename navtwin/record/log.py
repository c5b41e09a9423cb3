"""The session's recorder: the loop hands records over and goes on; a thread hashes, compresses and writes them.

The thread writes while the loop rests, and stops between two records when it goes on, so that it does not fight the loop for the interpreter lock
just when a warning is on its way out. Where no rest is told of, or none is long enough, it writes every 20 ms all the same. What the loop pays is an
append.
"""

from __future__ import annotations

import errno
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple

from navtwin.errors import LogDamaged
from navtwin.nouns import BoneState, Event, Header, Topic, TrueSetup, Truth, encode
from navtwin.record.format import OUTPUT, STATE_RATE_HZ, OutputHash, Record, Stamps, output_hash
from navtwin.record.mcap_file import McapFile

#: A killed process loses at most one second; half of it is left for a slow disk.
FLUSH_S: Final = 0.5
#: No record waits longer than so for the loop to rest.
POLL_S: Final = 0.02
#: About a minute of a live session. A disk that far behind is as good as full.
BACKLOG_LIMIT: Final = 20_000


class _Outputs(NamedTuple):
    seq: int
    t_ns: int
    outputs: Sequence[tuple[Topic, bytes]]
    stamps: Stamps | None
    with_state: bool


class _Bone(NamedTuple):
    seq: int
    t_ns: int
    state: BoneState


class LogWriter:
    """Records a session in `path`; until `finish` the file is called `path + .partial`.

    Not for several threads: one loop writes. A failure of the disk (ENOSPC and the like) is raised by the next call as the OSError it was; from then
    on nothing is recorded and every call raises it again. What was written before stays, for `navtwin recover`.

    Parameters
    ----------
    path : the finished log's name (`*.mcap`); must not exist
    live : True for a session: never waits, a disk that falls far behind is an OSError. False for logs written as fast as they are made: waits
        for the disk
    """

    def __init__(self, path: str | Path, *, live: bool = True) -> None:
        self.path = Path(path)
        self._file = McapFile(self.path)
        self._live = live
        self._queue: deque[Record | _Outputs | _Bone] = deque()
        self._last_t_ns = 0
        self._state_credit = 2.0
        self._state_t_ns: int | None = None
        self._stop = False
        self._resting = threading.Event()
        self._outcome: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    @property
    def partial(self) -> Path:
        """Where the log is until it is finished."""
        return self._file.partial

    def write_header(self, header: Header) -> None:
        """The first record of every log."""
        self._put(Record("/header", 0, header.monotonic_anchor_ns, encode(header)))

    def write_event(self, event: Event, payload: bytes | None = None) -> None:
        """One input of the fold. `payload` is `encode(event)` where the caller has it already."""
        self._last_t_ns = event.t_ns
        self._put(Record("/input", event.seq, event.t_ns, encode(event) if payload is None else payload))

    def write_outputs(self, seq: int, t_ns: int, outputs: Sequence[tuple[Topic, bytes]], stamps: Stamps | None = None) -> None:
        """All that the step emitted for input `seq` (none: nothing is written), exactly as encoded, with their hash.

        State bodies beyond `STATE_RATE_HZ` are left out; the hash covers them all the same.
        """
        if outputs:
            self._put(_Outputs(seq, t_ns, outputs, stamps, self._state_is_due(t_ns)))

    def write_truth(self, item: TrueSetup | Truth) -> None:
        """What a source that knows says is really so; stands before or after the frame it belongs to."""
        seq, t_ns = (item.frame, item.t_capture_ns) if isinstance(item, Truth) else (0, self._last_t_ns)
        self._put(Record("/truth", seq, t_ns, encode(item)))

    def write_bone(self, seq: int, t_ns: int, state: BoneState) -> None:
        """Drilled bone as it was after input `seq`, which may lie a little back."""
        self._put(_Bone(seq, t_ns, state))

    def rest(self) -> None:
        """The loop has nothing to do: now is the time to write, until `go_on`."""
        if self._queue:
            self._resting.set()

    def go_on(self) -> None:
        """The loop has something to do."""
        self._resting.clear()

    def finish(self) -> None:
        """Write what is left, close the log and give it its name.

        Raises
        ------
        LogDamaged : the disk refused it, now or before; what was written is in the `.partial` file
        """
        self._join()
        try:
            self._raise_failure()
            self._file.finish()
        except OSError as error:
            self._file.abandon()
            raise LogDamaged(
                f"{self.path} could not be finished: {error.strerror}", f"rescue what it has: `navtwin recover {self.partial}`"
            ) from error

    def abandon(self) -> None:
        """Write what is left and stop; the log keeps its `.partial` name. For a session that broke."""
        self._join()
        self._file.abandon()

    def __enter__(self) -> LogWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.finish()
        else:
            self.abandon()

    def _put(self, item: Record | _Outputs | _Bone) -> None:
        self._raise_failure()
        while len(self._queue) >= BACKLOG_LIMIT:
            if self._live:
                raise OSError(errno.EIO, "the disk is too slow for the log", str(self.partial))
            time.sleep(POLL_S / 4)
            self._raise_failure()
        self._queue.append(item)

    def _raise_failure(self) -> None:
        if self._outcome.done():
            self._outcome.result()

    def _state_is_due(self, t_ns: int) -> bool:
        """A bucket of two states filled at the allowed rate, so that a jittering 60 Hz stream is kept whole."""
        elapsed_s = 0.0 if self._state_t_ns is None else max(0.0, (t_ns - self._state_t_ns) * 1e-9)
        self._state_t_ns = t_ns
        self._state_credit = min(2.0, self._state_credit + elapsed_s * STATE_RATE_HZ)
        if self._state_credit < 1.0:
            return False
        self._state_credit -= 1.0
        return True

    def _join(self) -> None:
        self._stop = True
        self._resting.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._write_until_stopped()
        except BaseException as error:  # noqa: BLE001 - carried over to the loop, where the next call raises it
            self._file.abandon()
            self._outcome.set_exception(error)
            self._queue.clear()

    def _write_until_stopped(self) -> None:
        emptied_s = time.monotonic()
        flush_at_s = emptied_s + FLUSH_S
        while not self._stop:
            self._resting.wait(POLL_S)
            # Not until the queue is empty: while it is filled as fast as it drains, the flush must come all the same.
            while self._queue and (now_s := time.monotonic()) < flush_at_s and (self._resting.is_set() or now_s - emptied_s >= POLL_S):
                self._write(self._queue.popleft())
            now_s = time.monotonic()
            if not self._queue:
                emptied_s = now_s
                # Told once, heard once: with nothing to write, the next wait is one.
                self._resting.clear()
            if now_s >= flush_at_s:
                self._file.flush()
                flush_at_s = time.monotonic() + FLUSH_S
        while self._queue:
            self._write(self._queue.popleft())
        self._file.flush()

    def _write(self, item: Record | _Outputs | _Bone) -> None:
        if isinstance(item, Record):
            self._file.add(item)
            return
        if isinstance(item, _Bone):
            self._file.add(Record("/bone", item.seq, item.t_ns, encode(item.state)))
            return
        for topic, body in item.outputs:
            if topic != "state" or item.with_state:
                self._file.add(Record(OUTPUT + topic, item.seq, item.t_ns, body))
        if item.stamps is not None:
            self._file.add(Record("/stamps", item.seq, item.t_ns, encode(item.stamps)))
        hashed = OutputHash(seq=item.seq, hash=output_hash(item.outputs))
        self._file.add(Record("/hash", item.seq, item.t_ns, encode(hashed)))
