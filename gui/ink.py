"""The colours of the window's own surfaces, dark and light. What lies over a picture of the patient keeps the picture's dark colours in both."""

from __future__ import annotations

from dataclasses import dataclass

from navtwin.bus.signals import SIGNALS
from navtwin.nouns import Lamp, Level, Priority
from navtwin.scene import palette


@dataclass(frozen=True)
class Ink:
    """One theme, as #rrggbb.

    Attributes
    ----------
    background, panel, raised, hover, pressed : surfaces from far to near, and what is near while it is pointed at or pressed
    edge : lines between surfaces, which no meaning hangs on; quiet : lines and bars of less weight that are to be read
    text, dim, disabled : words, words of less weight, and words of what cannot be done now
    accent : what is chosen, and what to press next; the only colour that is not an alarm's. on_accent : type on a fill of it
    selected : the surface of what is chosen in a list
    good : a lamp that is well
    unknown : what is not known: grey, never a colour that could be read as a level
    bound : the second line of a plot
    warn, bad, note : alarm colours as type and thin lines on a surface; as fills they are those of `SIGNALS` in both themes
    on_signal : type on a fill of an alarm colour
    """

    name: str
    background: str
    panel: str
    raised: str
    hover: str
    pressed: str
    selected: str
    edge: str
    quiet: str
    text: str
    dim: str
    disabled: str
    accent: str
    on_accent: str
    good: str
    unknown: str
    bound: str
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

    def lamp(self, lamp: Lamp) -> str:
        """The colour of a lamp's sign and word."""
        return {"ok": self.good, "warn": self.warn, "bad": self.bad, "off": self.unknown}[lamp]


def blend(front: str, back: str, share: float) -> str:
    """`share` of one colour laid over another, as #rrggbb."""
    pairs = zip(_channels(front), _channels(back), strict=True)
    return "#" + "".join(f"{round(share * f + (1.0 - share) * b):02x}" for f, b in pairs)


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


DARK = Ink(
    name="dark",
    background=palette.BACKGROUND,
    panel=palette.PANEL,
    raised=palette.RAISED,
    hover="#2a333a",
    pressed="#12171b",
    selected="#1b332f",
    edge=palette.EDGE,
    quiet="#76848e",
    text=palette.TEXT,
    dim=palette.DIM,
    disabled="#66727b",
    accent=palette.PLAN,
    on_accent="#08211b",
    good=palette.GOOD,
    unknown=palette.UNKNOWN,
    bound="#f0a35e",
    warn=SIGNALS["medium"].rgb,
    bad="#ff6a60",
    note=SIGNALS["low"].rgb,
    on_signal="#11161a",
)
LIGHT = Ink(
    name="light",
    background="#e9edf0",
    panel="#f6f8f9",
    raised="#ffffff",
    hover="#dfe6ea",
    pressed="#cfd8de",
    selected="#cfe7e0",
    edge="#b9c4cb",
    quiet="#75828b",
    text="#12191e",
    dim="#4a5862",
    disabled="#87939b",
    accent="#00664f",
    on_accent="#ffffff",
    good="#136b42",
    unknown="#56626b",
    bound="#954600",
    warn="#6f5200",
    bad="#b8120a",
    note="#005a76",
    on_signal="#11161a",
)
INKS = {ink.name: ink for ink in (DARK, LIGHT)}
