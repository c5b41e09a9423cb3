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
#: A wall that the drill laid bare, and the same by how much bone is left behind it: up to 1, 2 and 3 mm. Lighter from band to band, so that they are
#: told apart without colour too.
CUT_BONE = "#c9bda9"
BANDS = ("#c1121f", "#f3722c", "#ffd23f")
#: Bone up to so thick is coloured, in one band for each.
BANDS_MM = (1.0, 2.0, 3.0)
#: Where bone was taken away, in slices.
REMOVED = "#6aa7ff"

LEVEL_COLORS: dict[Level, str] = {
    "CLEAR": "#f4f7f9",
    "CAUTION": SIGNALS["medium"].rgb,
    "DANGER": SIGNALS["high"].rgb,
    "CONTACT": SIGNALS["high"].rgb,
}
