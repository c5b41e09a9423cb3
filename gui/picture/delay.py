"""How long it takes from a message to what is seen of it: a sliding window of measurements. No Qt."""

from __future__ import annotations

import math
from collections import deque

from gui.link.board import MS

WINDOW_NS = 10_000 * MS
#: Fewer than so many say nothing of the slowest twentieth.
LEAST = 20


class Delay:
    """From the receipt of messages to their pixels, over the last ten seconds."""

    def __init__(self) -> None:
        self._noted: deque[tuple[int, int]] = deque()

    def note(self, received_ns: int, painted_ns: int) -> None:
        """What was received at `received_ns` is on the screen since `painted_ns`."""
        self._noted.append((painted_ns, painted_ns - received_ns))
        self._forget(painted_ns)

    def p95_ms(self, now_ns: int) -> float | None:
        """What 95 of 100 did not exceed, ms (nearest rank); None while too few are known."""
        self._forget(now_ns)
        if len(self._noted) < LEAST:
            return None
        took = sorted(ns for _, ns in self._noted)
        return took[math.ceil(0.95 * len(took)) - 1] / MS

    def _forget(self, now_ns: int) -> None:
        while self._noted and now_ns - self._noted[0][0] > WINDOW_NS:
            self._noted.popleft()
