"""What is to be touched, in order: at each place every point once, the centre again and again, the centre with the pointer leaning and turned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from navtwin.assess.artefact import Artefact
from navtwin.errors import InputRefused
from navtwin.nouns.base import Noun

#: What a touch is for.
Test = Literal["point", "repeat", "lean"]
#: How the pointer is held: leaning of its handle towards the artefact's +x (`east`) or +y (`north`), or turned about its own axis,
#: positive clockwise as seen from its handle; 0 is upright.
Axis = Literal["", "east", "north", "own"]

#: Where the artefact is put, by number.
PLACES = ("middle", "near", "far", "left", "right", "top", "bottom")


class Touch(Noun, frozen=True):
    """One touch that is asked for.

    Attributes
    ----------
    number : from 0, in the order of the whole assessment
    place : of the artefact, a word of `PLACES`
    angle_deg : lean or turn about `axis`
    """

    number: int
    place: str
    test: Test
    point: str
    axis: Axis = ""
    angle_deg: float = 0.0


class Design(Noun, frozen=True):
    """How much is touched: what a file of touches states, so that it can be gone on with.

    Attributes
    ----------
    repeats : touches of the centre, upright
    leans_deg, turns_deg : of the handle to each side, and about its own axis
    points : so many points of the artefact, spread out; 0 for all
    """

    places: tuple[str, ...] = PLACES[:5]
    repeats: int = 10
    leans_deg: tuple[float, ...] = (-30.0, 30.0)
    turns_deg: tuple[float, ...] = (-45.0, 45.0)
    points: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = [p for p in self.places if p not in PLACES]
        if unknown or not self.places or len(set(self.places)) != len(self.places):
            raise InputRefused(f"places {', '.join(self.places) or 'none'}", f"name each once, of {', '.join(PLACES)}")
        if not 2 <= self.repeats <= 100:
            raise InputRefused(f"{self.repeats} repeats", "choose 2 to 100: precision is what they scatter by")
        if any(not 0.0 < abs(a) <= 60.0 for a in (*self.leans_deg, *self.turns_deg)):
            raise InputRefused("a lean or turn is 0 or beyond 60 deg", "choose angles to both sides, up to 60 deg")
        if self.points and self.points < 4:
            raise InputRefused(f"{self.points} points", "choose 4 or more, or 0 for all")


def touches(artefact: Artefact, design: Design) -> tuple[Touch, ...]:
    """All touches in order. The first at each place are far apart: from them follows where the artefact stands, and so which point is touched."""
    if design.points > len(artefact.point):
        raise InputRefused(f"{design.points} points of artefact '{artefact.name}', which has {len(artefact.point)}", "choose fewer, or 0 for all")
    asked = list[Touch]()

    def ask(place: str, test: Test, point: str, axis: Axis = "", angle_deg: float = 0.0) -> None:
        asked.append(Touch(number=len(asked), place=place, test=test, point=point, axis=axis, angle_deg=angle_deg))

    chosen = spread_order(artefact)[: design.points or None]
    for place in design.places:
        for name in chosen:
            ask(place, "point", name)
        for _ in range(design.repeats):
            ask(place, "repeat", artefact.centre)
        for axis, angles in (("east", design.leans_deg), ("north", design.leans_deg), ("own", design.turns_deg)):
            for angle in angles:
                ask(place, "lean", artefact.centre, axis, angle)  # type: ignore[arg-type]
    return tuple(asked)


def spread_order(artefact: Artefact) -> tuple[str, ...]:
    """The points' names, each as far as can be from all before it, the first farthest from their middle."""
    points = artefact.positions_mm()
    chosen = [int(np.argmax(np.linalg.norm(points - points.mean(axis=0), axis=1)))]
    while len(chosen) < len(points):
        apart = np.linalg.norm(points[:, None] - points[None, chosen], axis=2).min(axis=1)
        if len(chosen) == 2:
            # The third lies off the line of the first two, as far as can be: together they say how the artefact stands.
            way = points[chosen[1]] - points[chosen[0]]
            apart = np.linalg.norm(np.cross(points - points[chosen[0]], way), axis=1)
        apart[chosen] = -1.0
        chosen.append(int(np.argmax(apart)))
    return tuple(artefact.names[n] for n in chosen)


def in_words(touch: Touch) -> str:
    """How the pointer is to be held."""
    if touch.axis == "own":
        way = "clockwise" if touch.angle_deg > 0.0 else "anticlockwise"
        return f"upright, turned about its own axis by {abs(touch.angle_deg):.0f} deg {way} as seen from above"
    if touch.axis:
        side = {"east": ("right", "left"), "north": ("top", "bottom")}[touch.axis][touch.angle_deg < 0.0]
        return f"its handle leaning {abs(touch.angle_deg):.0f} deg towards the {side} of the sheet"
    return "upright"


def of_place(asked: Sequence[Touch], place: str) -> tuple[Touch, ...]:
    """The touches of one place, in order."""
    return tuple(touch for touch in asked if touch.place == place)
