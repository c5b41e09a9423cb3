"""A run against an earlier one, pair by pair: by what factor each figure changed, and whether that is more than noise.

A figure with blocks (stretches of its run, or rounds) is judged by how much those differ among themselves: the mean of log(block) is bootstrapped
(Efron 1979, 2000 resamples, fixed seed), blocks of the same place in both runs drawn together, which takes out what every run does at its start. The
change is noise unless the 99 % interval of the blocks' factor leaves 1 out and the whole runs differ to the same side by at least 5 %: two runs of
the same code in two processes differ by as much in ways that no run sees within itself.

A figure without blocks has nothing to say what is noise; the stated rule of thumb is that a change below 20 % is. A change of a value that is zero or
negative in either run has no factor: it is noise where both are equal, otherwise `changed`.

On another machine nothing is judged: only the factors are told.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from results.machine import SAME
from results.model import Figure, Result, Table
from results.words import number

RESAMPLES = 2000
SEED = 1
#: The interval's two ends, as shares.
ENDS = (0.005, 0.995)
#: Least change that is more than noise: with blocks, and by the rule of thumb without.
LEAST_CHANGE, RULE_OF_THUMB = 1.05, 1.20
#: Fewer blocks than this say too little of their own spread.
LEAST_BLOCKS = 5

_OF_TIME = ("ns", "us", "µs", "ms", "s", "Hz", "fps", "frames/s")
Kind = Literal["noise", "better", "worse", "changed", "not judged"]


@dataclass(frozen=True)
class Pair:
    """One figure in both runs.

    Attributes
    ----------
    factor : new / old, None where either is not positive
    low, high : 99 % interval of the blocks' factor, None where nothing gives one
    kind, said : the verdict, and in the figure's own words (faster, slower, better, ...)
    basis : what the verdict rests on
    """

    name: str
    unit: str
    old: float
    new: float
    factor: float | None
    low: float | None
    high: float | None
    kind: Kind
    said: str
    basis: str


@dataclass(frozen=True)
class Comparison:
    """All pairs of two runs; `notes` says what else is different about them."""

    benchmark: str
    same_machine: bool
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]


def _draws(n: int) -> npt.NDArray[np.intp]:
    """Which blocks each resample takes: a function of their number alone, so that both runs draw alike and swapping them changes nothing."""
    return np.random.default_rng((SEED, n)).integers(0, n, (RESAMPLES, n))


def _interval(old: Figure, new: Figure) -> tuple[float, float] | None:
    a, b = np.asarray(old.blocks), np.asarray(new.blocks)
    if min(len(a), len(b)) < LEAST_BLOCKS or a.min() <= 0.0 or b.min() <= 0.0:
        return None
    log_a, log_b = np.log(a), np.log(b)
    factors = log_b[_draws(len(b))].mean(axis=1) - log_a[_draws(len(a))].mean(axis=1)
    low, high = np.quantile(factors, ENDS)
    return math.exp(low), math.exp(high)


def _said(kind: Kind, figure: Figure) -> str:
    if kind in ("better", "worse") and figure.unit in _OF_TIME:
        return "faster" if kind == "better" else "slower"
    return kind


def _direction(figure: Figure, more: bool) -> Kind:
    if figure.better == "none":
        return "changed"
    return "better" if more == (figure.better == "more") else "worse"


def pair(old: Figure, new: Figure, same_machine: bool) -> Pair:
    """Compares one figure of two runs."""
    factor = new.value / old.value if old.value > 0.0 and new.value > 0.0 else None
    low = high = None
    kind: Kind
    if not same_machine:
        kind, basis = "not judged", "another machine"
    elif factor is None:
        kind, basis = ("noise" if old.value == new.value else "changed"), "no factor of a value that is not positive"
        if kind == "changed" and new.better != "none":
            kind = _direction(new, new.value > old.value)
    elif ends := _interval(old, new):
        low, high = ends
        beyond = (low > 1.0 and factor >= LEAST_CHANGE) or (high < 1.0 and 1.0 / factor >= LEAST_CHANGE)
        kind, basis = (_direction(new, factor > 1.0) if beyond else "noise"), "bootstrap over blocks"
    else:
        beyond = max(factor, 1.0 / factor) >= RULE_OF_THUMB
        kind, basis = (_direction(new, factor > 1.0) if beyond else "noise"), "no blocks: under 20 % is called noise"
    return Pair(new.name, new.unit, old.value, new.value, factor, low, high, kind, _said(kind, new), basis)


def compare(old: Result, new: Result) -> Comparison:
    """Every figure that both runs have.

    Raises
    ------
    InputRefused
        The two are runs of different benchmarks, or with different settings: named.
    """
    if old.benchmark != new.benchmark:
        raise InputRefused(f"the earlier run is of '{old.benchmark}', this one of '{new.benchmark}'", "compare runs of one benchmark")
    unlike = [
        f"{key} {old.settings.get(key, 'not there')} -> {new.settings.get(key, 'not there')}"
        for key in sorted(old.settings.keys() | new.settings.keys())
        if old.settings.get(key) != new.settings.get(key)
    ]
    if unlike:
        raise InputRefused(
            f"the runs of {new.benchmark} have other settings: {'; '.join(unlike)}", "measure again with the settings of the earlier run"
        )
    same = all(old.machine.get(key) == new.machine.get(key) for key in SAME)
    notes = [] if same else [f"another machine ({_apart(old.machine, new.machine)}): factors only, nothing is judged"]
    if old.seeds != new.seeds:
        notes.append(f"other seeds: {', '.join(map(str, old.seeds))} -> {', '.join(map(str, new.seeds))}")
    if old.versions != new.versions:
        notes.append(f"other versions: {_apart(old.versions, new.versions)}")
    before, after = ({figure.name: figure for figure in result.figures} for result in (old, new))
    notes += [f"only in the earlier run: {name}" for name in before if name not in after]
    notes += [f"only in this run: {name}" for name in after if name not in before]
    both = [name for name in after if name in before]
    alike = [name for name in both if before[name].unit == after[name].unit]
    notes += [f"{name}: in {before[name].unit} before, in {after[name].unit} now, so not compared" for name in both if name not in alike]
    return Comparison(new.benchmark, same, tuple(pair(before[name], after[name], same) for name in alike), tuple(notes))


def _apart(old: dict[str, str], new: dict[str, str]) -> str:
    keys = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
    return "; ".join(f"{key} {old.get(key, 'none')} -> {new.get(key, 'none')}" for key in keys)


def table(comparison: Comparison) -> Table:
    """The pairs as rows; on another machine without the values, which say nothing there."""
    shown = comparison.same_machine
    columns = ("figure", *(("before", "now") if shown else ()), "factor", *(("blocks, 99 %",) if shown else ()), "verdict", "by")
    rows = []
    for one in comparison.pairs:
        values = tuple(f"{number(value)} {one.unit}".strip() for value in (one.old, one.new)) if shown else ()
        interval = ("" if one.low is None or one.high is None else f"{one.low:.3f} .. {one.high:.3f}",) if shown else ()
        rows.append((one.name, *values, "" if one.factor is None else f"{one.factor:.3f}", *interval, one.said, one.basis))
    return Table(title=f"{comparison.benchmark}: against the earlier run", columns=columns, rows=tuple(rows))


def summary(comparison: Comparison) -> str:
    """One sentence: how many of the pairs changed for the better or the worse."""
    if not comparison.same_machine:
        return f"{comparison.benchmark}: {len(comparison.pairs)} pairs, from another machine: factors only"
    kinds = [one.kind for one in comparison.pairs]
    told = [f"{kinds.count(kind)} {kind}" for kind in ("worse", "better", "changed") if kind in kinds]
    return f"{comparison.benchmark}: {len(kinds)} pairs, {kinds.count('noise')} of them noise" + "".join(f", {one}" for one in told)
