"""A source read in a thread of its own, so that a slow or blocking one cannot hold up the loop."""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress

import msgspec

from navtwin.nouns import Source, SourceEnded, SourceItem, encode

#: Items read ahead of a recording; a live source never gets that far.
READ_AHEAD = 1024
#: As many where there are pictures to be looked at, which wait with their frames until they are due.
PICTURES_AHEAD = 16
READ_TIMEOUT_S = 0.1
#: So long a source that is far enough ahead waits before it looks again.
AHEAD_S = 0.001

_decode = msgspec.json.Decoder(SourceItem).decode


class SourceReader:
    """Items of a source in order.

    `ended` once all are taken; `failure` holds what stopped the source, if anything did.
    """

    def __init__(self, source: Source) -> None:
        self.live, self.setup_ns = source.live, source.setup_ns
        self.failure: Exception | None = None
        self._source = source
        # A bounded queue, or an event beside it, is locks in Python on the way of each frame: this one wakes the loop from C.
        self._queue: queue.SimpleQueue[SourceItem] = queue.SimpleQueue()
        self._most = READ_AHEAD if getattr(source, "pictures", None) is None else PICTURES_AHEAD
        self._stop = threading.Event()
        self._over = threading.Event()
        self._head: SourceItem | None = None
        self._told = 0
        self._thread = threading.Thread(target=self._run, name="source", daemon=True)
        self._thread.start()

    def peek(self) -> SourceItem | None:
        """The next item without taking it; None if there is none yet."""
        if self._head is None:
            try:
                self._head = self._queue.get_nowait()
            except queue.Empty:
                return None
        return self._head

    def wait(self, longest_s: float) -> None:
        """Return once there is an item to peek at, and no later than `longest_s`."""
        if self._head is None:
            with suppress(queue.Empty):
                self._head = self._queue.get(timeout=longest_s)

    def take(self) -> None:
        self._head = None

    @property
    def ended(self) -> bool:
        # The thread sets `over` only after its last put, so an empty queue seen afterwards stays empty.
        return self._over.is_set() and self._head is None and self._queue.empty()

    def new_notes(self) -> tuple[str, ...]:
        """What the source has to remark, where it remarks anything, and did not before."""
        notes: tuple[str, ...] = getattr(self._source, "notes", ())
        new, self._told = notes[self._told :], max(self._told, len(notes))
        return new

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=2.0)
        self._source.close()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                item = self._source.read(READ_TIMEOUT_S)
                if self.live and item is not None:
                    # Nouns do not check types when they are made: a driver's NumPy scalar would only be found out when it is sent on.
                    item = _decode(encode(item))
                while self._queue.qsize() >= self._most and not self._stop.is_set():
                    time.sleep(AHEAD_S)
                if item is not None:
                    self._queue.put(item)
        except SourceEnded:
            pass
        except Exception as error:  # noqa: BLE001 - carried to the loop, which alarms and names it
            self.failure = error
        finally:
            self._over.set()
