"""What a benchmark found. Every benchmark writes one `Result` as JSON; budgets, comparisons and pages read nothing else.

A *figure* is one number that can be held against a budget: its name says what was measured and under which load, and never changes between runs.
A *distribution* is what a stage's samples look like. Tables are for people alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

#: Version of the file: a change that older readers would misread raises it.
VERSION = 1
#: A run is cut into so many stretches: how much a figure differs between them says what is noise.
BLOCKS = 10
#: Bars of a histogram; their edges grow by the same factor.
BARS = 40

Samples = Sequence[float] | npt.NDArray[np.float64]
Better = Literal["less", "more", "none"]


class Figure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One number.

    Attributes
    ----------
    name : unique within its benchmark, the same in every run
    value, unit : e.g. 2.3, "ms"; "x" for ratios against a peer of the same run, "" for counts
    better : whether less or more of it is better; `none` for what is only told
    blocks : the same figure over consecutive stretches of the run, or over its rounds; empty where it has none
    """

    name: str
    value: float
    unit: str
    better: Better = "less"
    blocks: tuple[float, ...] = ()


class Distribution(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Samples of one stage: percentiles are samples that were measured, never interpolated below a real one.

    Attributes
    ----------
    over : share of samples above `budget`, None where nothing is asked
    edges, counts : histogram, BARS + 1 edges and BARS counts; edges are equally far apart in logarithm
    """

    name: str
    unit: str
    n: int
    p50: float
    p95: float
    p99: float
    p999: float
    max: float
    budget: float | None = None
    over: float | None = None
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows for people; every cell is text."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Result(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run of one benchmark.

    Attributes
    ----------
    benchmark : as `navtwin bench` calls it
    command : what was typed, so that anyone can run it again
    begun_utc, seconds : when it began (ISO 8601) and how long it took
    machine, versions : as `machine.this_machine()` and `machine.versions()` tell
    seeds : everything random in it comes of these
    settings : loads, rates, cases: what must be alike for two runs to be compared
    notes : what a reader must know, among them what was left out and why
    """

    benchmark: str
    command: str
    begun_utc: str
    seconds: float
    machine: dict[str, str]
    versions: dict[str, str]
    seeds: tuple[int, ...] = ()
    settings: dict[str, str] = {}
    figures: tuple[Figure, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    version: int = VERSION


def percentile(samples: Samples, percent: float) -> float:
    """The nearest-rank percentile: a sample that was measured (not an interpolation). NaN of nothing."""
    ordered = np.sort(np.asarray(samples, dtype=np.float64))
    return float(ordered[max(math.ceil(percent / 100.0 * len(ordered)) - 1, 0)]) if len(ordered) else math.nan


def distribution(name: str, unit: str, samples: Samples, budget: float | None = None) -> Distribution:
    """Percentiles and histogram of what was measured. Refuses an empty sample: nothing measured is no figure."""
    values = np.asarray(samples, dtype=np.float64)
    if not values.size or not np.isfinite(values).all():
        raise ValueError(f"{name}: {values.size} samples, of which {np.count_nonzero(~np.isfinite(values))} are not finite")
    low, high = max(float(values.min()), 1e-6), max(float(values.max()), 1e-6)
    edges = np.geomspace(low, high * (1.0 + 1e-9) if high > low else low * 2.0, BARS + 1)
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    p50, p95, p99, p999 = (percentile(values, p) for p in (50.0, 95.0, 99.0, 99.9))
    return Distribution(
        name=name,
        unit=unit,
        n=int(values.size),
        p50=p50,
        p95=p95,
        p99=p99,
        p999=p999,
        max=float(values.max()),
        budget=budget,
        over=None if budget is None else float(np.mean(values > budget)),
        edges=tuple(edges.tolist()),
        counts=tuple(counts.tolist()),
    )


def figure_of(name: str, unit: str, samples: Samples, of: Callable[[Samples], float], better: Better = "less") -> Figure:
    """A figure of samples in the order of their time, with its blocks: `of` takes samples to the figure."""
    values = np.asarray(samples, dtype=np.float64)
    stretches = np.array_split(values, BLOCKS) if values.size >= 10 * BLOCKS else []
    return Figure(name=name, value=of(values), unit=unit, better=better, blocks=tuple(of(part) for part in stretches))


def percentile_figures(name: str, unit: str, samples: Samples, percents: Sequence[float] = (50.0, 99.0)) -> tuple[Figure, ...]:
    """`NAME p50`, `NAME p99` and so on, with their blocks."""
    return tuple(figure_of(f"{name} p{p:g}", unit, samples, lambda part, p=p: percentile(part, p)) for p in percents)  # type: ignore[misc]
