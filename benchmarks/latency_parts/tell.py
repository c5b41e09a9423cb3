"""From what a load gave to figures, histograms and tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from results.model import Distribution, Figure, Table, distribution, percentile_figures

from latency_parts.measure import Measured
from latency_parts.stages import BACK, TO_ALERT, TO_DONE

#: What is asked of pose in to alert received under each load, ms: its share above is told with its histogram.
ASKED_MS = {"full": 3.0, "crowd": 5.0, "plain": 5.0, "curve": 5.0}
ACK_ASKED_MS = 50.0
#: Of the rigs that are measured: beyond it nothing is known.
MAX_AGE_MS = 100.0


@dataclass(frozen=True, slots=True)
class Told:
    """A row's part of the result."""

    figures: tuple[Figure, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()


def tell(measured: Measured) -> Told:
    """Everything of one load; each name begins with the load's."""
    name, found = measured.load.name, measured.accounts
    figures = [
        figure for stage, took in measured.samples.items() for figure in percentile_figures(f"{name}: {stage}", "ms", took, percents_of(stage))
    ]
    figures.append(Figure(name=f"{name}: frames or alert sets lost", value=found.dropped, unit=""))
    # The twin calls such a frame stale and raises no alert from it, so that it would be missing among the alerts' samples.
    late = int(np.count_nonzero(measured.samples.get(TO_DONE, np.empty(0)) > MAX_AGE_MS))
    figures.append(Figure(name=f"{name}: frames later than max_age", value=late, unit=""))
    if measured.pictures_per_s is not None:
        figures.append(
            Figure(name=f"{name}: pictures of new states that the desktop painted", value=measured.pictures_per_s, unit="1/s", better="more")
        )
    distributions = tuple(distribution(f"{name}: {stage}", "ms", took, asked_ms(name, stage)) for stage, took in measured.samples.items())
    return Told(tuple(figures), distributions, (Table(title=f"{name}: {measured.load.words}", columns=("counted", "n"), rows=counted(measured)),))


def percents_of(stage: str) -> tuple[float, ...]:
    return (50.0, 99.0, 99.9) if stage in (TO_ALERT, BACK) else (50.0, 99.0)


def asked_ms(load: str, stage: str) -> float | None:
    """What one stage may take under a load, where something is asked of it."""
    return ASKED_MS.get(load) if stage == TO_ALERT else ACK_ASKED_MS if stage == BACK else None


def counted(measured: Measured) -> tuple[tuple[str, str], ...]:
    """Rows of the accounts, the acknowledgements and the neighbours."""
    acks, heard = measured.heard.acks, measured.heard
    rows = [
        ("real-time priority of the core", "granted" if measured.notes.first else "not granted"),
        *measured.accounts.rows,
        ("messages that could not be read", str(heard.malformed)),
        ("alert sets more than 100 ms after the one before", str(heard.late_alerts)),
        ("acknowledgements sent, and back in a set", f"{acks.sent}, {len(acks.done)}"),
        ("refused (risen meanwhile), over before shown, unheard of", f"{acks.refused}, {acks.ended}, {acks.lost}"),
    ]
    for count, stalled, states in measured.subscribers:
        kind = "stalled subscribers" if stalled else "other subscribers"
        rows.append((f"states that {count} {kind} got or passed over, of {count} x {measured.accounts.published}", str(states)))
    return tuple(rows)
