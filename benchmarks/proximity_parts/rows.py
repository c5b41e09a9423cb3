"""One row of the report: what was measured, against whom, and whether it reaches what it should."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field

import numpy as np

from proximity_parts.contest import OURS, Agreement, Times, exact_peers, ratio


@dataclass(frozen=True)
class Criterion:
    """A figure and its reach: at least, or at most, `limit`; None where the figure is only told."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False

    @property
    def reached(self) -> bool | None:
        if self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass
class Row:
    """Figures of one kind of question. `times_us`: of each contestant p50 and p99, the medians of the rounds; `growth`: the same by triangles."""

    name: str
    criteria: list[Criterion]
    times_us: dict[str, dict[str, float]] = field(default_factory=dict)
    agreement: Agreement | None = None
    note: str = ""
    growth: dict[int, dict[str, float]] = field(default_factory=dict)

    @property
    def reached(self) -> bool | None:
        """Whether all that is asked is reached; None where nothing is asked."""
        asked = [c.reached for c in self.criteria if c.reached is not None]
        return all(asked) if asked else None

    @property
    def ours_are_right(self) -> bool:
        return self.agreement is None or self.agreement.ours_are_right

    @property
    def wrong_peers(self) -> frozenset[str]:
        return frozenset(name for name, count in self.agreement.wrong.items() if count and name != OURS) if self.agreement else frozenset()

    def plain(self) -> dict[str, object]:
        """For JSON."""
        criteria = [asdict(c) | {"reached": c.reached} for c in self.criteria]
        told = asdict(self) | {"criteria": criteria, "reached": self.reached, "ours_are_right": self.ours_are_right}
        return {key: _finite(value) for key, value in told.items()}


def _finite(value: object) -> object:
    """JSON knows no NaN and no infinity: None instead."""
    if isinstance(value, dict):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def figures(times: dict[str, Times]) -> dict[str, dict[str, float]]:
    return {name: {f"p{p}": float(np.median(t.percentile(p))) for p in (50, 99)} for name, t in times.items()}


def against_peers(
    name: str,
    times: dict[str, Times],
    agreement: Agreement,
    reach: dict[int, float],
    left_out: frozenset[str] = frozenset(),
    note: str = "",
) -> Row:
    """A row of ratios.

    Parameters
    ----------
    name : of the row
    times, agreement : what `contest` and `compare` gave
    reach : percentile -> how many times faster than the best exact peer we want to be; others are only told
    left_out : peers that do not count: they answer half of the question, or were wrong elsewhere
    note : what a reader must know
    """
    peers = exact_peers(times, agreement, left_out)
    criteria = []
    for percent in (50, 99):
        if peers:
            value, best = ratio(times, peers, percent)
            criteria.append(Criterion(f"p{percent} against {best}", value, "x", reach.get(percent), at_least=True))
        elif percent in reach:
            criteria.append(Criterion(f"p{percent} against nobody: no exact peer is installed", float("nan"), "x", reach[percent], at_least=True))
    ours = times[OURS]
    criteria += [Criterion(f"p{p}", float(np.median(ours.percentile(p))), "us") for p in (50, 99)]
    return Row(name, criteria, figures(times), agreement, note)
