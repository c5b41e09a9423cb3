"""Who is heard: a voice of its own for each critical structure, and one for technical alarms.

Voices differ in the pitch of their first pulse (three semitones apart at least), in melody and in timbre, so that one pulse tells most of it and one
burst the rest. Modelled on IEC 60601-1-8:2006+A1, clause 6.3.3 and its table of pulse characteristics: every pulse has its fundamental within
150-1000 Hz and at least four harmonics within 300-4000 Hz, none more than 15 dB from another. A model of it, no claim to meet it.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from navtwin.nouns import Priority


@dataclass(frozen=True)
class Voice:
    """One voice.

    Attributes
    ----------
    base_hz : fundamental of the first pulse
    levels_db : level of each harmonic, by its number; 1 is the fundamental
    high : the five notes of half a high-priority burst, in semitones above `base_hz`
    medium : the three notes of a medium-priority burst; a low-priority one is the first of them
    """

    name: str
    base_hz: float
    levels_db: tuple[tuple[int, float], ...]
    high: tuple[int, int, int, int, int]
    medium: tuple[int, int, int]

    def notes_hz(self, priority: Priority) -> tuple[float, ...]:
        """The fundamental of each pulse in one burst."""
        steps: dict[Priority, tuple[int, ...]] = {"high": self.high * 2, "medium": self.medium, "low": self.medium[:1], "none": ()}
        return tuple(self.base_hz * 2.0 ** (step / 12.0) for step in steps[priority])


def _timbre(*levels_db: float, step: int = 1) -> tuple[tuple[int, float], ...]:
    """Levels of the harmonics 1, 1 + step, 1 + 2 step ..."""
    return tuple((1 + n * step, level_db) for n, level_db in enumerate(levels_db))


_FULL: Final = _timbre(0, 0, -3, -3, -6, -6)
_BRIGHT: Final = _timbre(-8, -4, 0, 0, 0, -3, -3, -6)
_SOFT: Final = _timbre(0, -6, -9, -10, -12)
_NASAL: Final = _timbre(0, -9, -9, 0, -3, -9)
#: An organ's: the fundamental and the even harmonics.
_OCTAVES: Final = ((1, 0.0), (2, 0.0), (4, -2.0), (6, -6.0), (8, -6.0))
#: A stopped pipe's: no even harmonic. Nothing else sounds so, and technical alarms alone use it.
_HOLLOW: Final = _timbre(0, -2, -4, -6, -8, -8, step=2)

STRUCTURE_VOICES: Final[tuple[Voice, ...]] = (
    Voice("level", 246.9, _FULL, (0, 0, 0, 0, 0), (0, 0, 0)),
    Voice("rising", 207.7, _BRIGHT, (0, 4, 7, 7, 12), (0, 4, 7)),
    Voice("falling", 493.9, _SOFT, (0, -4, -7, -7, -12), (0, -4, -7)),
    Voice("arch", 293.7, _OCTAVES, (0, 5, 0, 5, 0), (0, 5, 0)),
    Voice("dip", 349.2, _NASAL, (0, -3, 0, -3, 0), (0, -3, 0)),
    Voice("leap", 174.6, _FULL, (0, 0, 12, 0, 12), (0, 0, 12)),
)
TECHNICAL: Final = Voice("technical", 415.3, _HOLLOW, (0, -12, 0, -12, -12), (0, -12, -12))
VOICES: Final[Mapping[str, Voice]] = MappingProxyType({voice.name: voice for voice in (*STRUCTURE_VOICES, TECHNICAL)})


@lru_cache(maxsize=64)
def voices_for(structures: frozenset[str]) -> Mapping[str, Voice]:
    """The voice of each critical structure of a case.

    The same names give the same voices in every session and on every machine. As long as there are no more structures than voices, no two share one:
    a name takes the voice that its checksum says, or the next one free.
    """
    count = len(STRUCTURE_VOICES)
    taken: dict[str, int] = {}
    for name in sorted(structures):
        first = zlib.crc32(name.encode()) % count
        turns = ((first + n) % count for n in range(count))
        taken[name] = first if len(taken) >= count else next(n for n in turns if n not in taken.values())
    return MappingProxyType({name: STRUCTURE_VOICES[n] for name, n in taken.items()})
