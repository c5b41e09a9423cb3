"""Taking a landmark by dwell: the tip is held on it, seen and still, and no key is pressed.

What the tip does is told at once: a landmark that is taken while the pointer or its reference is hidden is worse than none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from navtwin.rigid import Vec3

#: A dwell shorter than this cannot be told from passing by, a longer one no hand holds.
SHORTEST_S, LONGEST_S = 0.3, 10.0
#: A still tip stays this near to the mean of its dwell, and the dwell's first and last third agree to this: noise is allowed, drift is not.
STILL_MM, DRIFT_MM = 1.0, 0.5
#: Given up after this long.
PATIENCE_NS = 30_000_000_000


@dataclass(slots=True)
class Dwell:
    """Points (in ref) of the dwell so far, which are its collection's, with their times; and in words what keeps it from completing."""

    needed_ns: int
    started_ns: int
    points_ref_mm: list[Vec3]
    times_ns: list[int] = field(default_factory=list)
    trouble: str = ""

    @property
    def progress(self) -> float:
        """0 to 1."""
        return min(1.0, (self.times_ns[-1] - self.times_ns[0]) / self.needed_ns) if self.times_ns else 0.0

    def lose(self, trouble: str) -> None:
        """Nothing is seen: what came before does not count."""
        self.trouble = trouble
        self.times_ns.clear()
        self.points_ref_mm.clear()

    def see(self, t_ns: int, point_ref_mm: Vec3, longest_gap_ns: int) -> None:
        """Add one point; what went before a move or a gap does not count."""
        if self.times_ns and t_ns - self.times_ns[-1] > longest_gap_ns:
            self.lose("frames were missing")
        if self.points_ref_mm and math.dist(mean_of(self.points_ref_mm), point_ref_mm) > STILL_MM:
            self.lose("the tip moves")
        self.times_ns.append(t_ns)
        self.points_ref_mm.append(point_ref_mm)
        third = len(self.points_ref_mm) // 3
        if third > 1 and math.dist(mean_of(self.points_ref_mm[:third]), mean_of(self.points_ref_mm[-third:])) > DRIFT_MM:
            self.trouble = "the tip drifts"
            del self.times_ns[:third], self.points_ref_mm[:third]

    def is_complete(self, fewest: int) -> bool:
        return self.progress >= 1.0 and len(self.points_ref_mm) >= fewest


def mean_of(points: list[Vec3]) -> Vec3:
    """Added up in order, for sum() of floats differs between Python versions."""
    x = y = z = 0.0
    for p in points:
        x, y, z = x + p[0], y + p[1], z + p[2]
    n = len(points)
    return x / n, y / n, z / n
