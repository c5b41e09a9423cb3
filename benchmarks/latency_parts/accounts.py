"""Whether anything was lost on the way: frames that were emitted, handed over, stepped, published, received, logged; alert sets published, received.

Each count comes from where it happened: the source counts what it emits, the core what it steps and publishes, the receiver what it is handed, and
the log is read again. Frames are compared by their instants and numbers, never by how many there are alone: one lost and one doubled would not show.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from latency_parts.core import Notes
from latency_parts.receiver import ALERTS, FRAME, SEQ, STATE, TOPIC, Rows
from navtwin.nouns import TrackerFrame
from navtwin.record.read import inputs

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Accounts:
    """How many there were at each place, and what was lost between two.

    Attributes
    ----------
    logged : None where nothing was recorded
    lost : frames or alert sets that are missing somewhere, or came twice; empty where all is well. What, and how many
    """

    emitted: int
    stepped: int
    published: int
    received: int
    logged: int | None
    alerts_published: int
    alerts_received: int
    lost: dict[str, int]

    @property
    def dropped(self) -> int:
        return sum(self.lost.values())

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """For people."""
        counts = (
            ("frames due and emitted by the source", self.emitted),
            ("frames stepped", self.stepped),
            ("states published (of fast sources not all)", self.published),
            ("states received", self.received),
            ("frames in the log", self.logged),
            ("alert sets published", self.alerts_published),
            ("alert sets received", self.alerts_received),
        )
        told = [(name, "not recorded" if n is None else str(n)) for name, n in counts]
        return (*told, *((f"LOST: {what}", str(n)) for what, n in self.lost.items()))


def accounts(notes: Notes, rows: Rows, logged_numbers: list[int] | None) -> Accounts:
    """Compare what each place has noted.

    Parameters
    ----------
    rows : the receiver's (N, 8)
    logged_numbers : frame numbers that stand in the log, in its order; None where nothing was recorded
    """
    emitted = len(notes.due_ns)
    numbers, published = np.arange(1, emitted + 1), np.array(notes.states, dtype=np.int64)
    states, alerts = rows[rows[:, TOPIC] == STATE], rows[rows[:, TOPIC] == ALERTS]
    # The receiver listens before the first frame, and hears sets from then on: those before it are nobody's.
    first = min(notes.alerts, default=0)
    heard = alerts[alerts[:, SEQ] >= first][:, SEQ] if notes.alerts else alerts[:0, SEQ]
    found = {
        "frames not stepped, or stepped twice": _differ(np.array(notes.due_ns, dtype=np.int64), np.array(notes.stepped_ns, dtype=np.int64)),
        "states not received, or received twice": _differ(published, states[:, FRAME]),
        "alert sets not received, or received twice": _differ(np.array(notes.alerts, dtype=np.int64), heard),
    }
    if logged_numbers is not None:
        found["frames not in the log, or there twice"] = _differ(numbers, np.array(logged_numbers, dtype=np.int64))
    return Accounts(
        emitted=emitted,
        stepped=len(notes.stepped_ns),
        published=len(published),
        received=len(states),
        logged=None if logged_numbers is None else len(logged_numbers),
        alerts_published=len(notes.alerts),
        alerts_received=len(heard),
        lost={what: n for what, n in found.items() if n},
    )


def _differ(here: Ints, there: Ints) -> int:
    """How many are in one and not in the other, each as often as it stands there."""
    if np.array_equal(here, there):
        return 0
    a, b = Counter(here.tolist()), Counter(there.tolist())
    return sum(((a - b) + (b - a)).values()) or 1  # the same ones in another order


def logged_frames(log: Path) -> list[int]:
    """Numbers of the frames in a finished log. Raises LogDamaged."""
    return [event.body.number for event in inputs(log) if isinstance(event.body, TrackerFrame)]
