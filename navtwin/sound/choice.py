"""Which sounds are to be heard now, and when a burst begins anew: a fold over what the core says. No clock, no device."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from navtwin.bus.signals import rank, sounding
from navtwin.nouns import AlertSet, Priority
from navtwin.sound.voices import TECHNICAL, Voice, voices_for

Key = tuple[str, str]


@dataclass(frozen=True)
class Wanted:
    """Something that is to be heard. `key` is its (id, level), as `navtwin.bus.signals.sounding` has it."""

    key: Key
    priority: Priority
    voice: Voice


@dataclass(frozen=True)
class Cue:
    """What the mixer plays: one burst after the other, each of the next of `parts` in turn.

    Attributes
    ----------
    number : counts up whenever a burst has to begin at once
    parts : all of the highest priority; the one that is new comes first
    """

    number: int = 0
    parts: tuple[Wanted, ...] = ()


#: Over a lost link nothing else is known to sound: that is a technical alarm of high priority.
LINK_LOST: Final = (Wanted(("LINK_LOST/core", ""), "high", TECHNICAL),)


def wanted(alerts: AlertSet, pause_began_ns: int | None) -> tuple[Wanted, ...]:
    """Everything that is neither acknowledged, muted nor paused, each with its voice.

    Parameters
    ----------
    pause_began_ns : since when sound is paused (the twin's logical time), None if it is not
    """
    structures = {alert.id: alert.structure for alert in alerts.alerts}
    watched = {pair.id.split("/")[0] for pair in alerts.pairs}
    voices = voices_for(frozenset(watched | set(structures.values())))
    return tuple(
        Wanted(key, priority, voices[structures[key[0]]] if key[0] in structures else TECHNICAL)
        for key, priority in sounding(alerts, pause_began_ns).items()
    )


@dataclass
class Choice:
    """Picks the highest priority; a burst begins anew as `navtwin.bus.signals.Bell` says.

    That is when something is heard that was not heard before and that weighs as much as all else, or when the highest priority changes.
    """

    cue: Cue = field(default_factory=Cue)
    heard: frozenset[Key] = frozenset()

    def take(self, now: tuple[Wanted, ...]) -> Cue:
        """The cue, given everything that is to be heard now."""
        top: Priority = max((one.priority for one in now), key=rank, default="none")
        loudest = tuple(one for one in now if one.priority == top)
        fresh = tuple(one for one in loudest if one.key not in self.heard)
        before: Priority = self.cue.parts[0].priority if self.cue.parts else "none"
        if fresh or top != before:
            self.cue = Cue(self.cue.number + 1, (*fresh, *(one for one in loudest if one not in fresh)))
        elif set(loudest) != set(self.cue.parts):
            self.cue = Cue(self.cue.number, tuple(one for one in self.cue.parts if one in loudest))
        self.heard = frozenset(one.key for one in now)
        return self.cue
