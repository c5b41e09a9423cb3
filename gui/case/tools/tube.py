"""Clicking a tube: points along a centre line, and a radius for all or for each. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import dist

from gui.case.tools.history import History
from gui.case.tools.touch import Touch, shifted
from navtwin.errors import InputRefused
from navtwin.rigid import Vec3
from navtwin.scene.author.recipe import MOST_POINTS, Tube

FIRST_RADIUS_MM = 2.0


@dataclass(frozen=True)
class TubeDraft:
    """A tube that need not be whole yet.

    Attributes
    ----------
    radii_mm : one for all points, or one for each
    chosen : the point that was touched last
    """

    points_mm: tuple[Vec3, ...] = ()
    radii_mm: tuple[float, ...] = (FIRST_RADIUS_MM,)
    straight: bool = False
    chosen: int | None = None

    @property
    def each(self) -> bool:
        """Each point has its own radius."""
        return len(self.radii_mm) > 1

    def radius_mm(self, n: int | None) -> float:
        """Of point `n`; of all where they have one."""
        return self.radii_mm[0 if n is None or not self.each else n]

    def edit(self, subtract: bool = False) -> Tube:
        """The step of a recipe.

        Raises
        ------
        InputRefused : fewer than two points, and whatever else no tube can be
        """
        return Tube(self.points_mm, self.radii_mm, self.straight, subtract)


class TubeTool:
    """Click adds a point behind the last one (before the first, if that is the chosen one); Ctrl and click adds one between; drag moves."""

    def __init__(self, draft: TubeDraft | None = None) -> None:
        self.history = History(draft or TubeDraft())
        self._held: tuple[int, Touch, Vec3] | None = None

    @property
    def draft(self) -> TubeDraft:
        return self.history.now

    @property
    def empty(self) -> bool:
        return not self.draft.points_mm

    def press(self, touch: Touch) -> None:
        draft = self.draft
        n = touch.nearest(draft.points_mm)
        if n is None:
            n = _place_between(draft.points_mm, touch.at_mm) if touch.more else 0 if self.extends_start else len(draft.points_mm)
            self.history.put(_inserted(draft, n, touch.at_mm), "press")
        else:
            self.history.put(replace(draft, chosen=n), "press")
        self._held = (n, touch, self.draft.points_mm[n])

    def drag(self, touch: Touch) -> None:
        if self._held is None:
            return
        n, start, was = self._held
        points = self.draft.points_mm
        self.history.put(replace(self.draft, points_mm=(*points[:n], shifted(was, start.at_mm, touch.at_mm), *points[n + 1 :])), "press")

    def release(self, touch: Touch) -> None:
        self._held = None
        self.history.lift()

    def delete(self) -> bool:
        """Take the chosen point out; False where none is."""
        draft, n = self.draft, self.draft.chosen
        if n is None or n >= len(draft.points_mm):
            return False
        points = (*draft.points_mm[:n], *draft.points_mm[n + 1 :])
        radii = (*draft.radii_mm[:n], *draft.radii_mm[n + 1 :]) if draft.each else draft.radii_mm
        self.history.put(replace(draft, points_mm=points, radii_mm=radii, chosen=min(n, len(points) - 1) if points else None))
        return True

    def finish(self) -> bool:
        """Nothing is open in a tube."""
        return False

    def choose(self, n: int) -> None:
        """Choose a point by its number, from 0 on."""
        self.history.put(replace(self.draft, chosen=n), "choose")

    def set_radius(self, radius_mm: float) -> None:
        """Of the chosen point where each has its own, else of all."""
        draft = self.draft
        at = draft.chosen if draft.each and draft.chosen is not None else None
        radii = (radius_mm,) * len(draft.radii_mm) if at is None else (*draft.radii_mm[:at], radius_mm, *draft.radii_mm[at + 1 :])
        self.history.put(replace(draft, radii_mm=radii), "radius")

    def set_each(self, each: bool) -> None:
        """A radius for each point, or the chosen one's for all."""
        draft = self.draft
        if each and len(draft.points_mm) > 1:
            self.history.put(replace(draft, radii_mm=tuple(draft.radius_mm(n) for n in range(len(draft.points_mm)))))
        elif not each:
            self.history.put(replace(draft, radii_mm=(draft.radius_mm(draft.chosen),)))

    def set_straight(self, straight: bool) -> None:
        self.history.put(replace(self.draft, straight=straight))

    @property
    def extends_start(self) -> bool:
        """The next click goes before the first point."""
        return self.draft.chosen == 0 and len(self.draft.points_mm) > 1

    @property
    def hint(self) -> str:
        """What to do next."""
        count = len(self.draft.points_mm)
        if count == 0:
            return "Scroll to where it begins and click on its centre line."
        if count == 1:
            return "Scroll along and click the next point: three or four to a bend."
        end = "before point 1" if self.extends_start else f"behind point {count}"
        return f"Click adds a point {end}, Ctrl+click one between, drag moves, Delete takes the chosen one out."

    def words(self) -> str:
        """What is drawn so far."""
        count = len(self.draft.points_mm)
        return "no point yet" if not count else f"{count} point{'s' if count > 1 else ''}, {length_mm(self.draft.points_mm):.1f} mm"


def tube_tool(edit: Tube) -> TubeTool:
    """The tool with a tube that was made before."""
    return TubeTool(TubeDraft(edit.points_mm, edit.radii_mm, edit.straight, len(edit.points_mm) - 1))


def length_mm(points_mm: tuple[Vec3, ...]) -> float:
    """Along straight lines from point to point."""
    return sum(dist(a, b) for a, b in pairwise(points_mm))


def _inserted(draft: TubeDraft, n: int, at_mm: Vec3) -> TubeDraft:
    if len(draft.points_mm) >= MOST_POINTS:
        raise InputRefused(f"the tube has {MOST_POINTS} points", "make the rest as a tube of its own, and add it")
    radii = draft.radii_mm
    if draft.each:
        beside = radii[max(n - 1, 0) : n + 1]
        radii = (*radii[:n], sum(beside) / len(beside), *radii[n:])
    return replace(draft, points_mm=(*draft.points_mm[:n], at_mm, *draft.points_mm[n:]), radii_mm=radii, chosen=n)


def _place_between(points_mm: tuple[Vec3, ...], at_mm: Vec3) -> int:
    """The number that a new point gets in the piece that it lies nearest to."""
    away = [(_from_piece_mm(at_mm, a, b), n) for n, (a, b) in enumerate(pairwise(points_mm), 1)]
    return min(away)[1] if away else len(points_mm)


def _from_piece_mm(p: Vec3, a: Vec3, b: Vec3) -> float:
    along = [y - x for x, y in zip(a, b, strict=True)]
    square = sum(v * v for v in along)
    share = sum((q - x) * v for q, x, v in zip(p, a, along, strict=True)) / square if square > 0.0 else 0.0
    share = min(1.0, max(0.0, share))
    return dist(p, [x + share * v for x, v in zip(a, along, strict=True)])
