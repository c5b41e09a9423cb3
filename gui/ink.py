"""The colours of the window's own surfaces, dark and light. What lies over a picture of the patient keeps the picture's dark colours in both."""

from __future__ import annotations

from dataclasses import dataclass

from navtwin.bus.signals import SIGNALS
from navtwin.nouns import Level, Priority
from navtwin.scene import palette


@dataclass(frozen=True)
class Ink:
    """One theme, as #rrggbb.

    Attributes
    ----------
    background, panel, raised, hover, edge : surfaces from far to near, and the lines between them
    text, dim : words, and words of less weight
    accent : what is chosen, and what to press next; the only colour that is not an alarm's
    unknown : what is not known: grey, never a colour that could be read as a level
    warn, bad, note : alarm colours as type and thin lines on a surface; as fills they are those of `SIGNALS` in both themes
    on_signal : type on a fill of an alarm colour
    """

    name: str
    background: str
    panel: str
    raised: str
    hover: str
    edge: str
    text: str
    dim: str
    accent: str
    good: str
    unknown: str
    warn: str
    bad: str
    note: str
    on_signal: str

    def priority(self, priority: Priority) -> str:
        """The colour of a priority as type or a thin line."""
        return {"high": self.bad, "medium": self.warn, "low": self.note}.get(priority, self.dim)

    def level(self, level: Level) -> str:
        """The colour of a level as type or a thin line."""
        return {"CLEAR": self.text, "CAUTION": self.warn}.get(level, self.bad)


DARK = Ink(
    name="dark",
    background=palette.BACKGROUND,
    panel=palette.PANEL,
    raised=palette.RAISED,
    hover="#2a333a",
    edge=palette.EDGE,
    text=palette.TEXT,
    dim=palette.DIM,
    accent=palette.PLAN,
    good=palette.GOOD,
    unknown=palette.UNKNOWN,
    warn=SIGNALS["medium"].rgb,
    bad=SIGNALS["high"].rgb,
    note=SIGNALS["low"].rgb,
    on_signal="#11161a",
)
LIGHT = Ink(
    name="light",
    background="#e9edf0",
    panel="#f6f8f9",
    raised="#ffffff",
    hover="#e3e9ed",
    edge="#b9c4cb",
    text="#12191e",
    dim="#4d5b65",
    accent="#00705a",
    good="#17764a",
    unknown="#66737c",
    warn="#7a5b00",
    bad="#c0130b",
    note="#00617f",
    on_signal="#11161a",
)
INKS = {ink.name: ink for ink in (DARK, LIGHT)}
