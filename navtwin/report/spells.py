"""Warnings as spells: each alert or technical alarm from the moment at which it was there until it was gone, with all that was said of it.

Where `episodes` has a row for each level, a spell runs through its levels: it is what two versions of the fold are compared by.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, cast, get_args

from navtwin.nouns import LEVELS, Alert, AlertSet, Priority, TechnicalAlarm

Kind = Literal["alert", "technical"]
#: What a warning of each kind can be, from least to most; the rank is the place in it.
WORDS: Final[dict[Kind, tuple[str, ...]]] = {"alert": LEVELS, "technical": cast(tuple[str, ...], get_args(Priority))}


class Said(NamedTuple):
    """One published set's word on a warning; bound and distance in mm, None where they are not known."""

    seq: int
    t_ns: int
    rank: int
    known: bool
    bound_mm: float | None = None
    distance_mm: float | None = None


@dataclass(frozen=True)
class Spell:
    """A warning while it lasted.

    Attributes
    ----------
    kind : an alert on a structure, or a technical alarm
    id : `structure/instrument/part` of an alert; the alarm's id
    said : one entry for each published set that had it, in order; never empty
    ended_ns : when it was gone; None if it still stood at the end of the log
    """

    kind: Kind
    id: str
    said: tuple[Said, ...]
    ended_ns: int | None

    @property
    def begun(self) -> Said:
        return self.said[0]

    @property
    def rank(self) -> int:
        """The highest that it reached."""
        return max(s.rank for s in self.said)

    @property
    def word(self) -> str:
        """That rank in words: `DANGER`, `high`."""
        return WORDS[self.kind][self.rank]

    def reached(self, rank: int) -> Said | None:
        """Where it first stood at a rank or above it; None if it never did."""
        return next((s for s in self.said if s.rank >= rank), None)

    @property
    def nearest(self) -> Said | None:
        """Where its bound was least; None where none was ever known."""
        return min((s for s in self.said if s.bound_mm is not None), key=lambda s: cast(float, s.bound_mm), default=None)

    @property
    def structure(self) -> str:
        """ "" for a technical alarm."""
        return self.id.split("/", 1)[0] if self.kind == "alert" else ""


@dataclass
class SpellNotes:
    """Spells finished, and what was said so far of those that are still open, gathered from published sets in order."""

    finished: list[Spell] = field(default_factory=list)
    open: dict[tuple[Kind, str], list[Said]] = field(default_factory=dict)

    def take(self, seq: int, published: AlertSet) -> None:
        """Fold one complete active set in; what is absent from it has ended."""
        t_ns = published.t_ns
        present: dict[tuple[Kind, str], Said] = {}
        for alert in published.alerts:
            if alert.level != LEVELS[0]:
                present["alert", alert.id] = _said_of_alert(seq, t_ns, alert)
        for alarm in published.technical:
            present["technical", alarm.id] = _said_of_alarm(seq, t_ns, alarm)
        for key in [key for key in self.open if key not in present]:
            self.finished.append(Spell(*key, tuple(self.open.pop(key)), t_ns))
        for key, said in present.items():
            self.open.setdefault(key, []).append(said)

    def close(self) -> tuple[Spell, ...]:
        """All spells, in the order in which they began."""
        still = [Spell(*key, tuple(said), None) for key, said in self.open.items()]
        return tuple(sorted((*self.finished, *still), key=lambda s: (s.begun.seq, s.kind, s.id)))


def _said_of_alert(seq: int, t_ns: int, alert: Alert) -> Said:
    return Said(seq, t_ns, LEVELS.index(alert.level), alert.known, alert.bound_mm, alert.distance_mm)


def _said_of_alarm(seq: int, t_ns: int, alarm: TechnicalAlarm) -> Said:
    return Said(seq, t_ns, WORDS["technical"].index(alarm.priority), True)
