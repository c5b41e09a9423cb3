"""The colours of everything that is drawn, in the window, in pictures and in the report: dark and neutral, so that alert colours stand alone."""

from __future__ import annotations

from navtwin.bus.signals import SIGNALS
from navtwin.nouns import Level

BACKGROUND = "#11161a"
PANEL = "#171c20"
RAISED = "#1c2227"
EDGE = "#343e45"
TEXT = "#edf1f4"
DIM = "#9eabb4"
#: What is not known: grey, hatched, never a colour that could be read as a level.
UNKNOWN = "#8b979f"
GOOD = "#4cc38a"
PLAN = "#5fe3c0"
METAL = "#c9d2d9"

LEVEL_COLORS: dict[Level, str] = {
    "CLEAR": "#f4f7f9",
    "CAUTION": SIGNALS["medium"].rgb,
    "DANGER": SIGNALS["high"].rgb,
    "CONTACT": SIGNALS["high"].rgb,
}
