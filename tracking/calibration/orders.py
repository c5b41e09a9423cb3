"""Words that come on a stream while something else is done: the orders of a screen that follows a calibration."""

from __future__ import annotations

import os
import queue
import threading
from contextlib import suppress

#: What stands in the place of an order where the stream has ended: nobody is there to give any.
GONE = "gone"


class Orders:
    """The lines of a stream, read in a thread.

    Parameters
    ----------
    descriptor : of the stream, by default the standard input. It is read below Python's own buffers: a thread that waits in those would not let the
        interpreter end.
    """

    def __init__(self, descriptor: int = 0) -> None:
        self._words: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._over = False
        threading.Thread(target=self._listen, args=(descriptor,), name="orders", daemon=True).start()

    def next(self) -> str:
        """The next order, "" if there is none; `GONE` once, where the stream has ended."""
        try:
            return self._noted(self._words.get_nowait())
        except queue.Empty:
            return ""

    def wait(self) -> str:
        """The next order; `GONE` where none can come any more."""
        return GONE if self._over else self._noted(self._words.get())

    def _noted(self, word: str) -> str:
        self._over = self._over or word == GONE
        return word

    def _listen(self, descriptor: int) -> None:
        rest = b""
        # A stream that cannot be read has ended.
        with suppress(OSError):
            while data := os.read(descriptor, 4096):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    if word := line.decode("utf-8", "replace").strip():
                        self._words.put(word)
        self._words.put(GONE)
