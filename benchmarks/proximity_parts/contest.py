"""The same questions to everybody by turns, their times, and who was right.

A round asks each contestant all questions in order, one after the other; the next round begins with another contestant. Ratios are taken within a
round, best peer against us, and the median of the rounds is what counts. A peer that is wrong in any answer, by more than `TOLERANCE_MM` (room
for float32), is shown but is not one of the exact peers that we are measured against.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
Ask = Callable[..., Any]
Clock = Callable[[], int]

OURS = "navtwin"
ROUNDS = 3
#: Room for peers in float32, mm, and for our own float64.
TOLERANCE_MM, OURS_MM = 1e-3, 1e-9
#: So many disputed questions are brought before the referee, the worst first.
MOST_DISPUTED = 20


@dataclass(frozen=True)
class Times:
    """Of one contestant: microseconds (rounds, questions), and its answers, one a question."""

    took_us: F64
    answers: F64

    def percentile(self, percent: float) -> F64:
        """(rounds,)"""
        each: F64 = np.percentile(self.took_us, percent, axis=1)
        return each


@dataclass
class Agreement:
    """How the answers compare. `wrong`: of the questions brought before the referee, those that somebody answered wrongly."""

    questions: int
    judged: int = 0
    largest_difference_mm: dict[str, float] = field(default_factory=dict)
    disputed: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, int] = field(default_factory=dict)
    ours_repeat: bool = True

    @property
    def ours_are_right(self) -> bool:
        return self.ours_repeat and self.wrong.get(OURS, 0) == 0


def contest(asks: dict[str, Ask], questions: Sequence[tuple[Any, ...]], clock: Clock, before: Callable[[], object] | None = None) -> dict[str, Times]:
    """Ask everybody everything, `ROUNDS` times by turns. `before` is called before each question and not timed."""
    took = {name: np.empty((ROUNDS, len(questions))) for name in asks}
    answers: dict[str, list[Any]] = {}
    for ask in asks.values():
        ask(*questions[0])
    gc.collect()
    gc.disable()
    names = list(asks)
    for k in range(ROUNDS):
        for name in names[k:] + names[:k]:
            answers[f"{name}, round {k}"] = _timed(asks[name], questions, took[name][k], clock, before)
    gc.enable()
    same = all(np.array_equal(answers[f"{OURS}, round 0"], answers[f"{OURS}, round {k}"], equal_nan=True) for k in range(1, ROUNDS))
    last = {name: np.array(answers[f"{name}, round {ROUNDS - 1}"], dtype=np.float64) for name in names}
    if not same:
        last[OURS] = np.full_like(last[OURS], np.nan)
    return {name: Times(took[name], last[name]) for name in names}


def _timed(ask: Ask, questions: Sequence[tuple[Any, ...]], took: F64, clock: Clock, before: Callable[[], object] | None) -> list[Any]:
    answers = [None] * len(questions)
    for k, question in enumerate(questions):
        if before is not None:
            before()
        begun = clock()
        answer = ask(*question)
        took[k] = (clock() - begun) * 1e-3
        answers[k] = answer
    return answers


def compare(
    times: dict[str, Times], truth: Callable[[int], float], spot_checks: int, unsigned: frozenset[str] = frozenset(), cap_mm: float = np.inf
) -> Agreement:
    """Compare all answers with ours, and bring before the referee what is disputed and a few more.

    Parameters
    ----------
    times : what `contest` gave
    truth : the right answer to the k-th question
    spot_checks : questions that are judged though nobody disagrees
    unsigned : contestants who give no sign
    cap_mm : beyond this, all answers are alike
    """
    answers = {name: np.minimum(t.answers.ravel(), cap_mm) for name, t in times.items()}
    ours = answers[OURS]
    agreement = Agreement(len(ours), ours_repeat=not np.isnan(ours).all())
    apart = np.zeros(len(ours))
    for name, theirs in answers.items():
        if name != OURS:
            difference = _difference(theirs, ours, name in unsigned)
            agreement.largest_difference_mm[name] = float(difference.max())
            agreement.disputed[name] = int((difference > TOLERANCE_MM).sum())
            apart = np.maximum(apart, difference)
    worst = [int(k) for k in np.argsort(-apart)[:MOST_DISPUTED] if apart[k] > TOLERANCE_MM]
    spots = [int(k) for k in np.linspace(0, len(ours) - 1, spot_checks)]
    for k in dict.fromkeys([*worst, *spots]):
        right = np.array([min(truth(k), cap_mm)])
        agreement.judged += 1
        for name, theirs in answers.items():
            limit = OURS_MM if name == OURS else TOLERANCE_MM
            agreement.wrong[name] = agreement.wrong.get(name, 0) + int(_difference(theirs[k : k + 1], right, name in unsigned)[0] > limit)
    return agreement


def _difference(theirs: F64, ours: F64, unsigned: bool) -> F64:
    """Between two answers, mm; as both may be infinite; NaN differs from everything."""
    with np.errstate(invalid="ignore"):
        apart = np.abs(theirs - np.abs(ours)) if unsigned else np.abs(theirs - ours)
    result: F64 = np.where(theirs == ours, 0.0, np.where(np.isnan(apart), np.inf, apart))
    return result


def exact_peers(times: dict[str, Times], agreement: Agreement, left_out: frozenset[str] = frozenset()) -> list[str]:
    """Those that we are measured against."""
    return [name for name in times if name != OURS and name not in left_out and agreement.wrong.get(name, 0) == 0]


def ratio(times: dict[str, Times], peers: Sequence[str], percent: float) -> tuple[float, str]:
    """How many times faster we are than the best of the peers, by the median of the rounds, and who that is."""
    theirs = {name: times[name].percentile(percent) for name in peers}
    best = min(theirs, key=lambda name: float(np.median(theirs[name])))
    each = np.min(list(theirs.values()), axis=0) / times[OURS].percentile(percent)
    return float(np.median(each)), best
