"""Levels of one (instrument part, structure) pair: one total transition table, and the little memory it needs.

Unknown is not a level: on loss the last level is held and can only rise; on return it is judged afresh, and CLEAR needs three good frames.
A rise is immediate; a fall needs the bound beyond limit + margin for 300 ms (DESIGN section 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from navtwin.nouns import LEVELS, Level

FALL_NS = 300_000_000
FALL_MARGIN_MM = 0.5
GOOD_FRAMES_FOR_CLEAR = 3

Outcome = Literal["lose", "await", "fresh", "hold", "rise", "fall"]
Seen = Literal["LOST", "CLEAR", "CAUTION", "DANGER", "CONTACT"]

#: rows: what was held (`?`: unknown, with that level held; `never`: nothing ever known); columns: what this frame says.
_TABLE = """
            LOST   CLEAR  CAUTION  DANGER  CONTACT
never       lose   await  fresh    fresh   fresh
CLEAR       lose   hold   rise     rise    rise
CAUTION     lose   fall   hold     rise    rise
DANGER      lose   fall   fall     hold    rise
CONTACT     lose   fall   fall     fall    hold
CLEAR?      lose   await  fresh    fresh   fresh
CAUTION?    lose   await  fresh    fresh   fresh
DANGER?     lose   await  fresh    fresh   fresh
CONTACT?    lose   await  fresh    fresh   fresh
"""


def _read_table(text: str) -> dict[tuple[str, str], Outcome]:
    header, *rows = (line.split() for line in text.strip().splitlines())
    return {(row[0], seen): outcome for row in rows for seen, outcome in zip(header, row[1:], strict=True)}  # type: ignore[misc]


TRANSITIONS = _read_table(_TABLE)
_RANKS: dict[Level | None, int] = {None: 0, **{level: n for n, level in enumerate(LEVELS)}}


def rank(level: Level | None) -> int:
    """CLEAR 0 .. CONTACT 3; never known ranks as CLEAR."""
    return _RANKS[level]


def level_of(measured_mm: float, bound_mm: float, caution_mm: float, danger_mm: float) -> Level:
    """CONTACT acts on the measured distance, CAUTION and DANGER on the bound; a limit that is just met counts as crossed."""
    if measured_mm <= 0.0:
        return "CONTACT"
    if bound_mm <= danger_mm:
        return "DANGER"
    return "CAUTION" if bound_mm <= caution_mm else "CLEAR"


def limit_of(level: Level, caution_mm: float, danger_mm: float) -> float:
    """The limit that a level stands on, mm."""
    return {"CLEAR": caution_mm, "CAUTION": caution_mm, "DANGER": danger_mm, "CONTACT": 0.0}[level]


def fall_margin_mm(sd_mm: float) -> float:
    return max(FALL_MARGIN_MM, 2.0 * sd_mm)


@dataclass(slots=True)
class LevelState:
    """What is remembered of one pair's level."""

    level: Level | None = None
    known: bool = False
    since_ns: int = 0
    good_frames: int = 0
    fall_since_ns: int | None = None
    fall_to: Level = "CLEAR"

    def lose(self) -> None:
        """No distance in this frame: hold the level, know nothing."""
        self.known = False
        self.good_frames = 0
        self.fall_since_ns = None

    def see(self, t_ns: int, level: Level, fallen: Level, *, fresh_frame: bool) -> None:
        """Judge one known distance.

        Parameters
        ----------
        level : what the limits say now
        fallen : what the limits say with the fall margin added; what it may fall to
        fresh_frame : whether a new frame brought this (a tick only lets time pass)
        """
        row = "never" if self.level is None else self.level if self.known else f"{self.level}?"
        outcome = TRANSITIONS[row, level]
        if fresh_frame:
            self.good_frames += 1
        if outcome == "await":
            if self.good_frames >= GOOD_FRAMES_FOR_CLEAR:
                self._become(t_ns, "CLEAR")
        elif outcome in ("fresh", "rise"):
            self._become(t_ns, level)
        else:
            self._hold_or_fall(t_ns, fallen)

    def _become(self, t_ns: int, level: Level) -> None:
        if level != self.level:
            self.since_ns = t_ns
        self.level, self.known, self.fall_since_ns = level, True, None

    def _hold_or_fall(self, t_ns: int, fallen: Level) -> None:
        if rank(fallen) >= rank(self.level):
            self.fall_since_ns = None
        elif self.fall_since_ns is None:
            self.fall_since_ns, self.fall_to = t_ns, fallen
        else:
            self.fall_to = fallen if rank(fallen) > rank(self.fall_to) else self.fall_to
            if t_ns - self.fall_since_ns >= FALL_NS:
                self._become(t_ns, self.fall_to)
