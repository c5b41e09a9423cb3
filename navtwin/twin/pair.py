"""One watched pair: a part of an instrument and a critical structure."""

from __future__ import annotations

from dataclasses import dataclass, field

from navtwin.kernels.known import NEVER, LastKnown
from navtwin.nouns import DistanceStatus, PairSummary
from navtwin.twin.levels import LevelState


@dataclass(slots=True)
class Pair:
    """One critical structure and one instrument part: its level, what was last known, who silenced it.

    Attributes
    ----------
    number : place among the pairs
    last_known : of all pairs
    """

    number: int
    id: str
    structure: int
    part: int
    last_known: LastKnown = field(repr=False)
    state: LevelState = field(default_factory=LevelState)
    status: DistanceStatus = "UNREGISTERED"
    passed_mm: float | None = None
    acked_by: str = ""
    acked_level: str = ""
    acked_ns: int = 0
    breaks_pause: bool = False

    @property
    def is_settled(self) -> bool:
        """Known, clear and unanswered: until its limits say otherwise there is nothing to judge, and nothing to say."""
        return self.state.known and self.state.level == "CLEAR" and self.status == "OK" and not self.acked_by

    @property
    def summary(self) -> PairSummary:
        return PairSummary(id=self.id, level=self.state.level, known=self.state.known, status=self.status, since_ns=self.state.since_ns)

    def summed_up(self, before: PairSummary) -> PairSummary:
        """`summary`; the very same one as before where nothing has changed."""
        state = self.state
        same = before.level == state.level and before.known == state.known and before.status == self.status and before.since_ns == state.since_ns
        return before if same else self.summary

    @property
    def last_good_ns(self) -> int | None:
        """Capture time of the last frame in which the distance was known; None for never."""
        captured_ns = int(self.last_known.captured_ns[self.part, self.structure])
        return None if captured_ns == NEVER else captured_ns

    def begin_afresh(self, now_ns: int) -> None:
        """Nothing was ever known, and nobody has answered."""
        self.state, self.acked_by, self.acked_level = LevelState(since_ns=now_ns), "", ""
        self.last_known.captured_ns[self.part, self.structure] = NEVER

    @property
    def distance_mm(self) -> float:
        return float(self.last_known.distance[self.part, self.structure])

    @property
    def bound_mm(self) -> float:
        return float(self.last_known.bound[self.part, self.structure])

    @property
    def sd_mm(self) -> float:
        return float(self.last_known.sd[self.part, self.structure])

    @property
    def speed_mm_s(self) -> float:
        return float(self.last_known.speed[self.part, self.structure])
