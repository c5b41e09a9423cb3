"""The keys that act in every place: one table for the shortcuts, the tooltips and the help. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from navtwin.errors import InputRefused, nearest

PlaceName = Literal["case", "calibrate", "register", "navigate", "review"]
PLACES: tuple[PlaceName, ...] = ("case", "calibrate", "register", "navigate", "review")
TITLES: dict[PlaceName, str] = {"case": "Case", "calibrate": "Calibrate", "register": "Register", "navigate": "Navigate", "review": "Review"}


@dataclass(frozen=True)
class Key:
    """What keys do: `keys` as Qt spells them, `does` for the help."""

    name: str
    keys: tuple[str, ...]
    does: str


#: F12 acknowledges even while the cursor is in a text, where Space writes one.
EVERYWHERE: tuple[Key, ...] = (
    *(Key(place, (str(n),), f"go to {TITLES[place]}") for n, place in enumerate(PLACES, start=1)),
    Key("acknowledge", ("Space", "F12"), "acknowledge the most pressing alert, at the level that you saw"),
    Key("mute", ("M",), "mute one structure's CAUTION until it re-arms, at most 2 minutes; never DANGER or CONTACT"),
    Key("pause", ("P",), "pause all alarm sounds for 30 s, or end the pause; a new CONTACT breaks through"),
    Key("mark", ("K",), "put a mark into the log"),
    Key("open", ("Ctrl+O",), "open a case"),
    Key("theme", ("T",), "dark or light"),
    Key("help", ("F1",), "open or close this help"),
    Key("full", ("F11",), "full screen, or back"),
    Key("cancel", ("Escape",), "cancel the work whose progress is shown"),
    Key("quit", ("Ctrl+Q",), "close the window; a running session goes on"),
)


def check_place(name: str) -> PlaceName:
    """`name` as a place.

    Raises
    ------
    InputRefused : there is none of that name
    """
    for place in PLACES:
        if name == place:
            return place
    raise InputRefused(f"there is no place '{name}'", nearest(name, PLACES))


def words_of(name: str) -> str:
    """The keys of an action, as they stand in its tooltip."""
    return " or ".join(next(key.keys for key in EVERYWHERE if key.name == name))
