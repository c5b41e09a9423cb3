"""How fine the picture may be: a ladder climbed by what paintings cost. No Qt, no VTK.

Down at once where a painting held up the next ones, up only where the present cost leaves room for the next rung's by any reckoning, and not soon
again after a fall: a picture that goes to and fro between two looks would be worse than either.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from gui.link.board import MS
from navtwin.scene.detail import Detail

#: One painting that takes longer lowers the level, s.
STALL_S = 0.120
#: What a painting should take at most, s; so many in a row that take longer lower the level too.
TARGET_S, SLOW_IN_A_ROW = 0.045, 3
#: The level rises after so many in a row that would have taken less than this share of the target on the next rung.
QUICK_IN_A_ROW, ROOM = 12, 0.8
#: After a fall a rung is left alone for so long, twice as long after each further fall from it, ns.
FIRST_HOLD_NS, LONGEST_HOLD_NS = 5_000 * MS, 80_000 * MS
#: What a painting that is smoothed costs more than one that is not.
SMOOTHING = 1.5


@dataclass(frozen=True)
class Rung:
    """`scale` : pixels painted for each that is shown, along each side."""

    detail: Detail
    scale: float


#: Pixels go first: where the processor draws they cost the most, and a picture that is smoothed hardly shows it.
LADDER = (Rung("light", 0.5), Rung("light", 0.65), Rung("light", 0.8), Rung("light", 1.0), Rung("fine", 1.0), Rung("full", 1.0))
START = 3


class Quality:
    """Which rung to paint on.

    Parameters
    ----------
    triangles : how many each level of detail has

    Attributes
    ----------
    wanted : a level of detail that the cost would allow, but that is not ready
    """

    def __init__(self, triangles: Mapping[Detail, int], ladder: tuple[Rung, ...] = LADDER, start: int = START) -> None:
        self._triangles, self._ladder, self._at = triangles, ladder, start
        self._costs: deque[float] = deque(maxlen=QUICK_IN_A_ROW)
        self._not_before_ns = [0] * len(ladder)
        self._hold_ns = [FIRST_HOLD_NS] * len(ladder)
        self.wanted: Detail | None = None

    @property
    def level(self) -> int:
        """0 is the coarsest."""
        return self._at

    @property
    def rung(self) -> Rung:
        return self._ladder[self._at]

    def painted(self, cost_s: float, now_ns: int, *, calm: bool, ready: Collection[Detail]) -> None:
        """Judge by a painting on the present rung.

        Parameters
        ----------
        calm : no alert is active: a change of meshes, which costs one painting some time, may be made
        ready : levels of detail whose meshes are there
        """
        self._costs.append(cost_s)
        self.wanted = None
        slow = [c > TARGET_S for c in list(self._costs)[-SLOW_IN_A_ROW:]]
        if cost_s > STALL_S or (len(slow) == SLOW_IN_A_ROW and all(slow)):
            self._fall(now_ns)
        elif self._has_room(now_ns):
            rung = self._ladder[self._at + 1]
            if rung.detail not in ready:
                self.wanted = rung.detail
            elif calm or rung.detail == self.rung.detail:
                self._go(self._at + 1)

    def still_scale(self) -> float:
        """Pixels for each that is shown, of a picture that is smoothed as nothing moves: all, unless even that one would hold up the next."""
        scale = self.rung.scale
        cost_s = max(self._costs, default=0.0)
        return 1.0 if cost_s * SMOOTHING / scale**2 <= STALL_S else scale

    def forget(self) -> None:
        """The picture is of another size: costs of before say nothing."""
        self._costs.clear()
        self._not_before_ns = [0] * len(self._ladder)
        self._hold_ns = [FIRST_HOLD_NS] * len(self._ladder)

    def _has_room(self, now_ns: int) -> bool:
        above = self._at + 1
        if above == len(self._ladder) or len(self._costs) < QUICK_IN_A_ROW or now_ns < self._not_before_ns[above]:
            return False
        return max(self._costs) * self._growth(above) < ROOM * TARGET_S

    def _growth(self, above: int) -> float:
        """What the rung costs more than the one below, at most: as if all the cost were its pixels', or its triangles'."""
        rung, below = self._ladder[above], self._ladder[above - 1]
        return (rung.scale / below.scale) ** 2 * self._triangles[rung.detail] / self._triangles[below.detail]

    def _fall(self, now_ns: int) -> None:
        if self._at == 0:
            return
        self._not_before_ns[self._at] = now_ns + self._hold_ns[self._at]
        self._hold_ns[self._at] = min(2 * self._hold_ns[self._at], LONGEST_HOLD_NS)
        self._go(self._at - 1)

    def _go(self, level: int) -> None:
        self._at = level
        self._costs.clear()
