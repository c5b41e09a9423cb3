"""Alerts against truth: was each true crossing answered in time, and was each alert called for?

Pure functions on arrays; times are integer nanoseconds on one clock, distances mm. The definitions are DESIGN section 5's, "Against truth":

*missed*    the true distance is at or below a limit and the level was not raised within one frame + transport; here *late* where it was raised
            afterwards while the truth was still inside, and *missed* where it never was
*masked*    missed or late while another alert was active
*spurious*  raised while the truth stays beyond limit + 2 x allowance for 0.5 s before and after

Two verdicts are added so that no true crossing goes without one. *unknown*: tracking was lost and a high technical alarm said so; the clock starts
again when the distance is next known. *dropped*: raised, but lowered again while the truth was still inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Times = npt.NDArray[np.int64]
Verdict = Literal["in time", "late", "missed", "unknown", "dropped", "spurious"]

#: Spurious looks this far to both sides of the moment at which the level rose.
SPURIOUS_WINDOW_NS = 500_000_000
#: Ranks in `navtwin.nouns.LEVELS`; a pair that was never known has rank -1.
CAUTION, DANGER, CONTACT = 1, 2, 3


@dataclass(frozen=True)
class Levels:
    """What the twin said of one pair: a step function, right-continuous.

    Attributes
    ----------
    t_ns (N,) : ascending times of publication
    rank (N,) : level from then on; -1 never known, 0 CLEAR .. 3 CONTACT
    known (N,) : false while the level is only held
    """

    t_ns: Times
    rank: npt.NDArray[np.int8]
    known: npt.NDArray[np.bool_]

    def index(self, t_ns: int) -> int:
        """Of the entry in force at `t_ns`; -1 before the first."""
        return int(np.searchsorted(self.t_ns, t_ns, side="right")) - 1

    def rank_at(self, t_ns: int) -> int:
        at = self.index(t_ns)
        return -1 if at < 0 else int(self.rank[at])

    def known_at(self, t_ns: int) -> bool:
        at = self.index(t_ns)
        return at >= 0 and bool(self.known[at])

    def first(self, holds: npt.NDArray[np.bool_], start_ns: int) -> int | None:
        """The first time at or after `start_ns` at which `holds` (N,) is true of the entry in force."""
        at = self.index(start_ns)
        if at >= 0 and holds[at]:
            return start_ns
        later = np.flatnonzero(holds[at + 1 :])
        return int(self.t_ns[at + 1 + int(later[0])]) if later.size else None

    def raised_since(self, needed: int, t_ns: int) -> int | None:
        """When the present spell at `needed` or above began; None if the level at `t_ns` is below."""
        at = self.index(t_ns)
        if at < 0 or self.rank[at] < needed:
            return None
        below = np.flatnonzero(self.rank[: at + 1] < needed)
        return int(self.t_ns[int(below[-1]) + 1 if below.size else 0])


@dataclass(frozen=True)
class TrueSeries:
    """The true distance of one pair at instants of capture, from the scripted source."""

    t_ns: Times
    distance_mm: Floats


@dataclass(frozen=True)
class Rules:
    """The times that judge.

    Attributes
    ----------
    frame_ns : one period of the tracker
    transport_ns : from capture to publication
    start_ns, end_ns : only crossings in [start, end) are judged (the navigation phase)
    """

    frame_ns: int
    transport_ns: int
    start_ns: int
    end_ns: int

    @property
    def allowed_ns(self) -> int:
        return self.frame_ns + self.transport_ns


@dataclass(frozen=True)
class Finding:
    """One judged crossing, or one spurious rise.

    Attributes
    ----------
    t_ns : the true crossing (or the first known frame after a loss); the rise, where spurious
    rank : the level that was called for, or that was raised
    raised_ns : when that level was raised; None if never
    late_ns : how long after the time allowed; negative: before
    nearest_mm : smallest true distance of the excursion, or of the window where spurious
    masked_by : ids of other alerts active meanwhile, where the finding is missed or late
    """

    pair: str
    verdict: Verdict
    t_ns: int
    rank: int
    limit_mm: float
    nearest_mm: float
    raised_ns: int | None = None
    late_ns: int | None = None
    masked_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Excursion:
    start_ns: int
    end_ns: int
    nearest_mm: float
    limit_mm: float


def overlaps(spans_ns: Times, start_ns: int, end_ns: int) -> bool:
    """Whether any half-open span of `spans_ns` (K, 2) meets the closed interval [start, end]."""
    return bool(np.any((spans_ns[:, 0] <= end_ns) & (spans_ns[:, 1] > start_ns))) if spans_ns.size else False


def excursions(truth: TrueSeries, limit_mm: Floats, rules: Rules) -> Iterator[_Excursion]:
    """Every stretch with the true distance at or below its limit, crossing times by linear interpolation between captures.

    `limit_mm` (N,) follows the truth's samples, for limits may be changed in a session.
    """
    inside_window = (truth.t_ns >= rules.start_ns) & (truth.t_ns < rules.end_ns)
    t, distance, limit = truth.t_ns[inside_window], truth.distance_mm[inside_window], limit_mm[inside_window]
    margin = distance - limit
    inside = np.concatenate(([False], margin <= 0.0, [False]))
    edges = np.flatnonzero(np.diff(inside.astype(np.int8)))
    for first, after in zip(edges[::2], edges[1::2], strict=True):
        start = int(t[0]) if first == 0 else _crossing_ns(t, margin, int(first))
        end = rules.end_ns if after == t.size else _crossing_ns(t, margin, int(after))
        yield _Excursion(start, end, float(distance[first:after].min()), float(limit[first]))


def _crossing_ns(t: Times, margin: Floats, at: int) -> int:
    """Where the margin passes zero between samples `at` - 1 and `at`."""
    before, after = float(margin[at - 1]), float(margin[at])
    return int(t[at - 1]) + round((int(t[at]) - int(t[at - 1])) * before / (before - after))


def judge_crossings(pair: str, levels: Levels, truth: TrueSeries, limit_mm: Floats, needed: int, rules: Rules, high_alarm_ns: Times) -> list[Finding]:
    """Judge every true crossing of one limit by one pair.

    Parameters
    ----------
    limit_mm : (N,) the limit at each sample of `truth`, mm
    needed : rank of the level that the limit calls for
    high_alarm_ns : (K, 2) spans with a high technical alarm that concerns this pair
    """
    found: list[Finding] = []
    for excursion in excursions(truth, limit_mm, rules):
        start: int | None = excursion.start_ns
        while start is not None and start + rules.allowed_ns < rules.end_ns:
            finding = _judge_one(pair, levels, excursion, start, needed, rules, high_alarm_ns)
            found.append(finding)
            start = _known_again(levels, finding, excursion) if finding.verdict == "unknown" else None
            if finding.verdict in ("in time", "late"):
                found += _dropped(finding, levels, excursion, rules, high_alarm_ns)
    return found


def _judge_one(pair: str, levels: Levels, excursion: _Excursion, start: int, needed: int, rules: Rules, high_alarm_ns: Times) -> Finding:
    deadline = start + rules.allowed_ns
    finding = Finding(pair, "missed", start, needed, excursion.limit_mm, excursion.nearest_mm)
    raised = levels.first(levels.rank >= needed, start)
    if raised is not None and raised <= deadline:
        since = levels.raised_since(needed, raised)
        return replace(finding, verdict="in time", raised_ns=since, late_ns=(since if since is not None else raised) - deadline)
    lost = levels.first(~levels.known, start)
    was_lost = levels.index(start) < 0 or (lost is not None and lost <= deadline)
    if was_lost and overlaps(high_alarm_ns, start, deadline):
        return replace(finding, verdict="unknown")
    if raised is not None and raised < excursion.end_ns:
        return replace(finding, verdict="late", raised_ns=raised, late_ns=raised - deadline)
    return finding


def _known_again(levels: Levels, finding: Finding, excursion: _Excursion) -> int | None:
    """When the pair is next known within the excursion, so that its level must then be right; None if it is not."""
    lost = levels.first(~levels.known, finding.t_ns)
    again = levels.first(levels.known, lost if lost is not None else finding.t_ns)
    return again if again is not None and finding.t_ns < again < excursion.end_ns else None


def _dropped(finding: Finding, levels: Levels, excursion: _Excursion, rules: Rules, high_alarm_ns: Times) -> list[Finding]:
    """Below what was called for after the time allowed, with the truth still inside by more than the time allowed for telling."""
    raised = finding.raised_ns if finding.raised_ns is not None else finding.t_ns
    fell = levels.first(levels.rank < finding.rank, max(raised, finding.t_ns + rules.allowed_ns))
    if fell is None or fell >= excursion.end_ns - rules.allowed_ns:
        return []
    said_unknown = not levels.known_at(fell) and overlaps(high_alarm_ns, fell, fell + rules.allowed_ns)
    return [replace(finding, verdict="unknown" if said_unknown else "dropped", t_ns=fell, raised_ns=None, late_ns=None)]


def judge_rises(
    pair: str, levels: Levels, truth: TrueSeries, limits_mm: Sequence[Floats], allowance_t_ns: Times, allowance_mm: Floats, rules: Rules
) -> list[Finding]:
    """Find the rises that nothing called for.

    Parameters
    ----------
    limits_mm : limits (N,) at each sample of `truth` for CAUTION, DANGER and CONTACT, mm
    allowance_t_ns, allowance_mm : (M,) measured - bound wherever both were known: k sigma plus the approach during age and delays
    """
    found: list[Finding] = []
    before = np.concatenate(([0], np.maximum(levels.rank[:-1], 0)))
    for at in np.flatnonzero(levels.rank > before):
        raised, rank = int(levels.t_ns[at]), int(levels.rank[at])
        if not rules.start_ns <= raised < rules.end_ns:
            continue
        near = slice(*np.searchsorted(truth.t_ns, (raised - SPURIOUS_WINDOW_NS, raised + SPURIOUS_WINDOW_NS + 1)))
        distance, limit = truth.distance_mm[near], limits_mm[rank - 1][near]
        allowance = _largest_near(allowance_t_ns, allowance_mm, raised)
        if distance.size and np.all(distance > limit + 2.0 * allowance):
            found.append(Finding(pair, "spurious", raised, rank, float(limit[-1]), float(distance.min()), raised))
    return found


def _largest_near(t_ns: Times, value: Floats, centre_ns: int) -> float:
    """The largest value within the spurious window; the last one before it where the window has none; 0 where nothing was ever known."""
    first, after = np.searchsorted(t_ns, (centre_ns - SPURIOUS_WINDOW_NS, centre_ns + SPURIOUS_WINDOW_NS + 1))
    if after > first:
        return float(value[first:after].max())
    return float(value[first - 1]) if first else 0.0


def mark_masked(findings: Sequence[Finding], active_ns: dict[str, Times], rules: Rules) -> list[Finding]:
    """Name, for every missed or late finding, the other alerts that were active between the crossing and the time allowed.

    `active_ns` maps each pair's id to the (K, 2) spans in which its level was CAUTION or more.
    """
    marked = []
    for finding in findings:
        if finding.verdict in ("missed", "late"):
            end = finding.t_ns + rules.allowed_ns
            others = tuple(pair for pair, spans in active_ns.items() if pair != finding.pair and overlaps(spans, finding.t_ns, end))
            marked.append(replace(finding, masked_by=others))
        else:
            marked.append(finding)
    return marked


def active_spans(levels: Levels, end_ns: int) -> Times:
    """The (K, 2) half-open spans in which the level is CAUTION or more."""
    active = np.concatenate(([False], levels.rank >= CAUTION, [False]))
    edges = np.flatnonzero(np.diff(active.astype(np.int8)))
    times = np.append(levels.t_ns, end_ns)
    return times[edges].reshape(-1, 2)


def judge(
    pair: str,
    levels: Levels,
    truth: TrueSeries,
    caution_mm: Floats,
    danger_mm: Floats,
    allowance_t_ns: Times,
    allowance_mm: Floats,
    rules: Rules,
    high_alarm_ns: Times,
) -> list[Finding]:
    """Judge one pair by its own limits: every crossing of caution, danger and contact (0 mm), and every rise of its level."""
    limits = (caution_mm, danger_mm, np.zeros_like(danger_mm))
    found = [
        finding
        for needed, limit in zip((CAUTION, DANGER, CONTACT), limits, strict=True)
        for finding in judge_crossings(pair, levels, truth, limit, needed, rules, high_alarm_ns)
    ]
    return sorted(found + judge_rises(pair, levels, truth, limits, allowance_t_ns, allowance_mm, rules), key=lambda f: f.t_ns)
