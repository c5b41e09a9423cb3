"""The highest rate that is held.

Held means: every frame that was due was stepped, published, received by another process and logged, none lost or doubled anywhere;
p99 of pose in to alert received stays within 5 ms; and no frame waited so long that the twin would have called it stale (100 ms).
A queue that grows breaks the second and the third, so a rate that is only survived for a while is not held.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from results.model import Figure, Table, percentile

from latency_parts.load import Load
from latency_parts.measure import Measured, Progress, measure
from latency_parts.stages import TO_ALERT, TO_DONE
from latency_parts.tell import MAX_AGE_MS, Told, tell

HELD_MS = 5.0
#: Frames a second that are tried.
STEPS = (250.0, 500.0, 750.0, 1000.0, 1250.0, 1500.0, 2000.0, 2500.0, 3000.0)


def why_not_held(measured: Measured) -> str:
    """What breaks the definition above; "" for a rate that is held."""
    if measured.accounts.dropped:
        return "; ".join(f"{n} {what}" for what, n in measured.accounts.lost.items())
    if TO_ALERT not in measured.samples:
        return "no alert came of any frame: all were too old"
    p99, worst = percentile(measured.samples[TO_ALERT], 99.0), float(measured.samples[TO_DONE].max())
    if p99 > HELD_MS:
        return f"p99 of {TO_ALERT} is {p99:.1f} ms, above {HELD_MS:g}"
    return f"a frame took {worst:.0f} ms, beyond max_age" if worst > MAX_AGE_MS else ""


def search(load: Load, case: Callable[[], Path], progress: Progress) -> Told:
    """Climb from the load's own rate; where that is not held, go down."""
    tried: dict[float, tuple[Measured, str]] = {}

    def held(rate_hz: float) -> bool:
        measured = measure(load.at(rate_hz, load.seconds), case, lambda text, share: progress(f"{rate_hz:g} Hz, {text}", share))
        tried[rate_hz] = measured, why_not_held(measured)
        return not tried[rate_hz][1]

    highest = climb(load.rate_hz, held)
    rows = tuple(row_of(*found) for _, found in sorted(tried.items()))
    best = tell(tried[highest][0]) if highest else Told()
    figure = Figure(name=f"{load.name}: highest rate held", value=highest, unit="Hz", better="more")
    title = f"{load.name}: each for {load.seconds:g} s; {load.words}"
    table = Table(title=title, columns=("rate", "frames", "p50 ms", "p99 ms", ""), rows=rows)
    definition = (__doc__ or "").split("\n\n", 1)[1]
    return Told((figure, *best.figures), best.distributions, (table, *best.tables), (" ".join(definition.split()),))


def row_of(measured: Measured, why: str) -> tuple[str, ...]:
    took = measured.samples.get(TO_ALERT, ())
    p50, p99 = percentile(took, 50.0), percentile(took, 99.0)
    return (f"{measured.load.rate_hz:g} Hz", str(measured.accounts.stepped), f"{p50:.2f}", f"{p99:.2f}", why or "held")


def climb(first_hz: float, held: Callable[[float], bool]) -> float:
    """The highest of `STEPS` that is held, asked from `first_hz` on upwards, else downwards; 0 where none is."""
    highest = 0.0
    for rate_hz in (step for step in STEPS if step >= first_hz):
        if not held(rate_hz):
            break
        highest = rate_hz
    if highest:
        return highest
    return next((rate_hz for rate_hz in reversed(STEPS) if rate_hz < first_hz and held(rate_hz)), 0.0)
