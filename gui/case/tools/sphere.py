"""Placing a sphere: click its centre, drag its radius. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import dist, pi, sqrt

from gui.case.tools.history import History
from gui.case.tools.touch import Touch, shifted
from navtwin.errors import InputRefused
from navtwin.rigid import Vec3
from navtwin.scene.author.recipe import THICKEST_MM, THINNEST_MM, Sphere

FIRST_RADIUS_MM = 5.0


@dataclass(frozen=True)
class SphereDraft:
    """A sphere whose centre may not be placed yet."""

    centre_mm: Vec3 | None = None
    radius_mm: float = FIRST_RADIUS_MM

    def edit(self, subtract: bool = False) -> Sphere:
        """The step of a recipe.

        Raises
        ------
        InputRefused : no centre; a radius that no sphere has
        """
        if self.centre_mm is None:
            raise InputRefused("the sphere has no centre", "click it in a slice")
        return Sphere(self.centre_mm, self.radius_mm, subtract)

    def rim_mm(self, touch: Touch) -> float | None:
        """The radius of the circle in which the touched slice cuts it."""
        if self.centre_mm is None or (off := touch.off_slice_mm(self.centre_mm)) >= self.radius_mm:
            return None
        return sqrt(self.radius_mm**2 - off**2)


class SphereTool:
    """Press places the centre, and drags the radius of a new one; later the rim is dragged for the radius, and what lies within it for the centre."""

    def __init__(self, draft: SphereDraft | None = None) -> None:
        self.history = History(draft or SphereDraft())
        self._held: tuple[str, Touch, Vec3] | None = None

    @property
    def draft(self) -> SphereDraft:
        return self.history.now

    @property
    def empty(self) -> bool:
        return self.draft.centre_mm is None

    def press(self, touch: Touch) -> None:
        draft = self.draft
        rim = draft.rim_mm(touch)
        if draft.centre_mm is None:
            self.history.put(replace(draft, centre_mm=touch.at_mm), "press")
            self._held = ("radius", touch, touch.at_mm)
        elif rim is not None and abs(touch.away_mm(draft.centre_mm) - rim) <= min(touch.reach_mm, rim / 2.0):
            self._held = ("radius", touch, draft.centre_mm)
        elif rim is not None and touch.away_mm(draft.centre_mm) < rim:
            self._held = ("centre", touch, draft.centre_mm)
        else:
            self.history.put(replace(draft, centre_mm=touch.at_mm), "press")
            self._held = ("centre", touch, touch.at_mm)

    def drag(self, touch: Touch) -> None:
        if self._held is None:
            return
        what, start, centre = self._held
        if what == "centre":
            self.history.put(replace(self.draft, centre_mm=shifted(centre, start.at_mm, touch.at_mm)), "press")
        elif dist(touch.at_mm, start.at_mm) > touch.reach_mm / 2.0 or dist(start.at_mm, centre) > 0.0:
            # A hand that only clicks a centre does not mean a radius of nothing.
            self.history.put(replace(self.draft, radius_mm=_allowed(dist(touch.at_mm, centre))), "press")

    def release(self, touch: Touch) -> None:
        self._held = None
        self.history.lift()

    def delete(self) -> bool:
        """Take the centre away; False where there is none."""
        if self.empty:
            return False
        self.history.put(replace(self.draft, centre_mm=None))
        return True

    def finish(self) -> bool:
        """Nothing is open in a sphere."""
        return False

    def set_radius(self, radius_mm: float) -> None:
        self.history.put(replace(self.draft, radius_mm=radius_mm), "radius")

    @property
    def hint(self) -> str:
        """What to do next."""
        if self.empty:
            return "Click the centre in a slice and drag outwards for the radius."
        return "Drag the rim for the radius, drag inside it to move; a click elsewhere takes the centre there."

    def words(self) -> str:
        """What is drawn so far."""
        return "no centre yet" if self.empty else f"radius {self.draft.radius_mm:.1f} mm, {4.0 / 3.0 * pi * self.draft.radius_mm**3 / 1000.0:.3g} ml"


def sphere_tool(edit: Sphere) -> SphereTool:
    """The tool with a sphere that was made before."""
    return SphereTool(SphereDraft(edit.centre_mm, edit.radius_mm))


def _allowed(radius_mm: float) -> float:
    return round(min(THICKEST_MM, max(THINNEST_MM, radius_mm)), 2)
