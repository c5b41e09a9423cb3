"""When a client tells the core that it cannot be heard. A fold: no clock, no socket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from navtwin.nouns import Audio

#: A fault is said again and again, for the core forgets it after 5 s.
AGAIN_NS: Final = 2_000_000_000


@dataclass
class Report:
    """What this client last said of its sound.

    Attributes
    ----------
    fault : the last fault that the core was told, "" if none, or if it was told that the last one is over
    """

    fault: str = ""
    told_ns: int = 0

    def due(self, fault: str | None, now_ns: int) -> Audio | None:
        """What the core has to be told now; to be asked only while the link is up. `fault` None is not known yet."""
        if fault is None or (fault == self.fault and (not fault or now_ns - self.told_ns < AGAIN_NS)):
            return None
        self.fault, self.told_ns = fault, now_ns
        return Audio(fault=fault)
