"""How long a sender's poses have waited on the way: a queue that grows at a sender or in a network delivers old poses at the usual rate.

The two clocks are not compared: what is watched is how far arrival lies behind the stamp, against the least so far of the same connection.
"""

from __future__ import annotations

from typing import Final

#: Below it, delay is the jitter that the declared latency has in it.
LATE_NS: Final = 50_000_000
#: Clocks drift against each other; the fastest that a system slews its own is 500 ppm (adjtimex).
_DRIFT: Final = 5e-4
#: A queue keeps its order: a stamp so far back is a clock that was set.
_SET_BACK_NS: Final = 1_000_000_000


class Delay:
    """Of one connection.

    Attributes
    ----------
    late : instants that came `LATE_NS` or more behind the quickest
    set_back : how often the sender's clock was set back
    """

    def __init__(self) -> None:
        self.late = self.set_back = 0
        self._least_ns, self._is_late = 0.0, False
        self._stamp_ns = self._arrival_ns = 0

    def waited_ns(self, stamp_ns: int, arrival_ns: int) -> int:
        """How long the pose has waited: 0 where it is less than `LATE_NS`, or where the sender does not stamp."""
        if stamp_ns == 0:
            return 0
        behind_ns = arrival_ns - stamp_ns
        is_set_back = stamp_ns < self._stamp_ns - _SET_BACK_NS
        self.set_back += is_set_back
        if self._stamp_ns == 0 or is_set_back:
            self._least_ns = behind_ns
        else:
            # While poses are late nothing is put down to drift: a queue that stands for half an hour would be forgotten.
            drift = 0.0 if self._is_late else _DRIFT
            self._least_ns = min(behind_ns, self._least_ns + drift * (arrival_ns - self._arrival_ns))
        self._stamp_ns, self._arrival_ns = stamp_ns, arrival_ns
        waited_ns = round(behind_ns - self._least_ns)
        self._is_late = waited_ns >= LATE_NS
        self.late += self._is_late
        return waited_ns if self._is_late else 0
