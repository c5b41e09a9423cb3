"""One row of a benchmark that is asked in rows: what was measured, and against whom. What its figures have to reach stands in the budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt
from results.model import Better, Figure

from proximity_parts.contest import OURS, Agreement, Times, exact_peers, ratio

F64 = npt.NDArray[np.float64]

#: Each round is cut into so many stretches, so that three rounds are blocks enough to tell noise by.
STRETCHES = 4
#: What figures against peers are called, whoever the best of them is in a run.
BEST = "best exact peer"


@dataclass
class Row:
    """Figures of one kind of question.

    Attributes
    ----------
    name : the same in every run with the same settings
    figures : named within the row
    times_us : of each contestant p50 and p99, the medians of the rounds
    agreement : how the answers compared, where there were several who answered
    best : the best exact peer, by percentile
    absent : peers that are not installed
    growth : p50 and p99 by triangles
    """

    name: str
    figures: list[Figure]
    times_us: dict[str, dict[str, float]] = field(default_factory=dict)
    agreement: Agreement | None = None
    note: str = ""
    best: dict[int, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    growth: dict[int, dict[str, float]] = field(default_factory=dict)

    @property
    def named(self) -> list[Figure]:
        """Its figures, each with the row's name before its own: as the budget calls them."""
        return [msgspec.structs.replace(figure, name=f"{self.name}: {figure.name}") for figure in self.figures]

    @property
    def ours_are_right(self) -> bool:
        return self.agreement is None or self.agreement.ours_are_right

    @property
    def wrong_peers(self) -> frozenset[str]:
        return frozenset(name for name, count in self.agreement.wrong.items() if count and name != OURS) if self.agreement else frozenset()

    @property
    def notes(self) -> str:
        """The note, the best peers, and who is missing."""
        best = "; ".join(f"best at p{percent}: {name}" for percent, name in self.best.items())
        absent = f"not installed: {', '.join(self.absent)}" if self.absent else ""
        return "; ".join(each for each in (self.note, best, absent) if each)


def figure(name: str, value: float, unit: str, better: Better = "less", blocks: Sequence[float] = ()) -> Figure:
    """A figure in one line."""
    return Figure(name=name, value=float(value), unit=unit, better=better, blocks=tuple(blocks))


def blocks_of(took: F64, of: Callable[[F64], float]) -> list[float]:
    """What `of` makes of each stretch of each round; took (rounds, questions)."""
    return [of(stretch) for each in took for stretch in np.array_split(each, min(STRETCHES, len(each)))]


def percentile_figure(percent: int, took: F64, unit: str = "us", name: str = "") -> Figure:
    """A percentile of times (rounds, questions): the median of the rounds, with its blocks."""
    value = float(np.median(np.percentile(took, percent, axis=1)))
    return figure(name or f"p{percent}", value, unit, blocks=blocks_of(took, lambda part: float(np.percentile(part, percent))))


def ratio_figure(times: dict[str, Times], peers: Sequence[str], percent: int) -> tuple[Figure, str]:
    """How many times faster we are than the best of the peers, with its blocks, and who that is."""
    value, best = ratio(times, peers, percent)
    each = {name: blocks_of(times[name].took_us, lambda part: float(np.percentile(part, percent))) for name in (OURS, *peers)}
    blocks = np.min([each[name] for name in peers], axis=0) / np.array(each[OURS])
    return figure(f"p{percent} against {BEST}", value, "x", "more", blocks.tolist()), best


def medians(times: dict[str, Times]) -> dict[str, dict[str, float]]:
    """p50 and p99 of each contestant, the medians of the rounds, us."""
    return {name: {f"p{p}": float(np.median(t.percentile(p))) for p in (50, 99)} for name, t in times.items()}


def against_peers(
    name: str,
    times: dict[str, Times],
    agreement: Agreement,
    left_out: frozenset[str] = frozenset(),
    note: str = "",
    absent: Sequence[str] = (),
) -> Row:
    """A row of ratios; of none where no exact peer is installed.

    Parameters
    ----------
    name : of the row
    times, agreement : what `contest` and `compare` gave
    left_out : peers that do not count: they answer half of the question, or were wrong elsewhere
    note : what a reader must know
    absent : peers that are not installed
    """
    peers = exact_peers(times, agreement, left_out)
    ratios = {percent: ratio_figure(times, peers, percent) for percent in (50, 99)} if peers else {}
    figures = [each for each, _ in ratios.values()] + [percentile_figure(p, times[OURS].took_us) for p in (50, 99)]
    best = {percent: who for percent, (_, who) in ratios.items()}
    return Row(name, figures, medians(times), agreement, note, best, tuple(absent))
