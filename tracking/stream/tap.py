"""Where the pictures of a source can be had: made only while somebody wants them, a few kept until they are taken."""

from __future__ import annotations

import threading
import time
from collections import deque

import msgspec

from navtwin.nouns.video import VideoFrame
from tracking.stream.shown import Shown

#: No sooner than this after the last is the next made: fifteen a second of a camera with thirty.
PERIOD_NS = 60_000_000
#: Pictures kept at most: those of the exposures that a recording is read ahead by.
KEPT = 32
#: How a picture's line begins among the child's answers.
HEAD = b'{"kind":"shown"'

_decode = msgspec.json.Decoder(Shown).decode


class PictureTap:
    """The tap on a source's pictures, as of `navtwin.nouns.source.PictureTap`.

    Attributes
    ----------
    wanted : whether pictures are to be made; set by whoever shows them
    arrived : set with each picture
    """

    def __init__(self) -> None:
        self.wanted = False
        self.arrived = threading.Event()
        self._kept: deque[tuple[VideoFrame, bytes]] = deque(maxlen=KEPT)
        self._due_ns = 0

    def due(self) -> bool:
        """Whether a picture is to be made of the exposure that is sent now."""
        now_ns = time.monotonic_ns()
        if not self.wanted or now_ns < self._due_ns:
            return False
        self._due_ns = now_ns + PERIOD_NS
        return True

    def hear(self, line: bytes) -> bool:
        """Take a line of the child's, if it is a picture."""
        if not line.startswith(HEAD):
            return False
        try:
            shown = _decode(line)
        except msgspec.DecodeError:
            # Nothing that is not whole is passed on: what follows the answers will say what it thinks of it.
            return False
        self._kept.append((shown.frame, shown.jpeg))
        self.arrived.set()
        return True

    def take(self) -> list[tuple[VideoFrame, bytes]]:
        """The pictures that have come since, oldest first."""
        taken = list[tuple[VideoFrame, bytes]]()
        while self._kept:
            taken.append(self._kept.popleft())
        return taken
