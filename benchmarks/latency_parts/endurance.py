"""What a long run says of itself: memory, open files, threads of the core, its log's growth, and whether its last minute is as quick as its first.

A machine that others use is not as quick at one time as at another. What it takes for the same piece of work is told beside, and excuses nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from results.model import Figure, Table, percentile

MIB = float(2**20)
#: Memory has settled after this share of the run, at most so many seconds: caches are filled, the log's first chunks are out.
SETTLE_SHARE, SETTLE_MOST_S = 0.2, 120.0
#: First and last stretch that are compared, s; no more than a third of the run each.
STRETCH_S = 60.0
#: Rows of the table that tells how it went.
ROWS = 10
#: Sorted again and again: about a millisecond.
_SAME = np.random.default_rng(0).normal(size=16384)


@dataclass(frozen=True, slots=True)
class Look:
    """The core's process at one moment: seconds since the run began, resident bytes, open files (None where the system does not tell), threads,
    bytes of the log, and what the machine took for the same piece of work, ms of processor time."""

    at_s: float
    rss: int
    files: int | None
    threads: int
    log: int
    same_ms: float


def same_work() -> float:
    """Processor time, ms, of a piece of work that is always the same: how quick the machine is now, however many wait for it."""
    begun = time.thread_time()
    np.sort(_SAME)
    return 1e3 * (time.thread_time() - begun)


def slowed(looks: Sequence[Look]) -> tuple[float, float]:
    """How many times as long the same work took in the last stretch, and in the slowest one of all, as in the first; medians."""
    at, same = np.array([look.at_s for look in looks]), np.array([look.same_ms for look in looks])
    length = min(STRETCH_S, at[-1] / 3.0)
    took = [float(np.median(same[(at >= begun) & (at <= begun + length)])) for begun in np.arange(0.0, at[-1] - length, length)]
    last = float(np.median(same[at >= at[-1] - length]))
    return last / took[0], max(*took, last) / took[0]


def settled_from(looks: Sequence[Look]) -> float:
    return min(SETTLE_SHARE * looks[-1].at_s, SETTLE_MOST_S)


def memory_change(looks: Sequence[Look]) -> tuple[float, float, float]:
    """MiB where it settled, and percent by which the end, and the farthest moment, differ from that; medians of a tenth each but for the farthest."""
    rss = np.array([look.rss for look in looks if look.at_s >= settled_from(looks)]) / MIB
    tenth = max(1, len(rss) // 10)
    settled = float(np.median(rss[:tenth]))
    return settled, 100.0 * (float(np.median(rss[-tenth:])) / settled - 1.0), 100.0 * float(np.abs(rss - settled).max()) / settled


def growth(looks: Sequence[Look]) -> float:
    """Bytes a second that the log grew by in the last third, over those in the first third: 1 for a log that grows linearly."""
    at, size = np.array([look.at_s for look in looks]), np.array([float(look.log) for look in looks])
    third = max(2, len(at) // 3)
    first, last = np.polyfit(at[:third], size[:third], 1)[0], np.polyfit(at[-third:], size[-third:], 1)[0]
    return float(last / first)


def stretches(took_ms: npt.NDArray[np.float64], due_s: npt.NDArray[np.float64]) -> tuple[float, float]:
    """p99, ms, of the first and of the last stretch; samples and when each was due."""
    length = min(STRETCH_S, (due_s[-1] - due_s[0]) / 3.0)
    first, last = took_ms[due_s < due_s[0] + length], took_ms[due_s >= due_s[-1] - length]
    return percentile(first, 99.0), percentile(last, 99.0)


def as_it_went(looks: Sequence[Look], took_ms: npt.NDArray[np.float64], judged_ms: npt.NDArray[np.float64], due_s: npt.NDArray[np.float64]) -> Table:
    """A tenth of the run in each row: where all columns rise together it was the machine that slowed; samples and when each was due."""
    edges = np.linspace(0.0, looks[-1].at_s, ROWS + 1)[1:-1]
    of_samples, of_looks = np.digitize(due_s, edges), np.digitize([look.at_s for look in looks], edges)
    rows = []
    for n in range(ROWS):
        here, seen = of_samples == n, [look for look, tenth in zip(looks, of_looks, strict=True) if tenth == n]
        if not here.any() or not seen:
            continue
        same, rss = np.median([look.same_ms for look in seen]), np.median([look.rss for look in seen]) / MIB
        numbers = (float(same), percentile(judged_ms[here], 50.0), percentile(took_ms[here], 50.0), percentile(took_ms[here], 99.0))
        rows.append((f"{seen[-1].at_s / 60.0:.1f}", *(f"{number:.3f}" for number in numbers), f"{rss:.1f}"))
    columns = ("until, min", "the same work, ms", "alerts judged p50, ms", "pose in -> alert received p50, ms", "p99, ms", "core's memory, MiB")
    return Table(title="As it went", columns=columns, rows=tuple(rows))


def figures(looks: Sequence[Look], took_ms: npt.NDArray[np.float64], due_s: npt.NDArray[np.float64]) -> tuple[Figure, ...]:
    """The soak's own figures."""
    settled, end, farthest = memory_change(looks)
    first, last = stretches(took_ms, due_s)
    machine, slowest = slowed(looks)
    late = [look for look in looks if look.at_s >= settled_from(looks)]
    files = [look.files for look in late if look.files is not None]
    told = [
        Figure(name="core's memory where it settled", value=settled, unit="MiB", better="none"),
        Figure(name="core's memory, change at the end", value=abs(end), unit="%"),
        Figure(name="core's memory, farthest from where it settled", value=farthest, unit="%"),
        Figure(name="core's threads, more at the end than settled", value=late[-1].threads - late[0].threads, unit=""),
        Figure(name="p99 of pose in -> alert received, first stretch", value=first, unit="ms"),
        Figure(name="p99 of pose in -> alert received, last stretch", value=last, unit="ms"),
        Figure(name="p99, last stretch over first", value=last / first, unit="x"),
        Figure(name="the same work by the machine, last stretch over first", value=machine, unit="x", better="none"),
        Figure(name="the same work by the machine, slowest stretch over first", value=slowest, unit="x", better="none"),
        Figure(name="log's growth, last third over first", value=growth(looks), unit="x", better="none"),
    ]
    if files:
        told.append(Figure(name="core's open files, more at the end than settled", value=files[-1] - files[0], unit=""))
    return tuple(told)
