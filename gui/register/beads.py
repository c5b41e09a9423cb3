"""The landmarks of a case in a picture; however coarsely it is painted before it is shown, their numbers keep their size on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gui.register.bead import Bead, Mark

if TYPE_CHECKING:
    import pyvista as pv


class Beads:
    """Numbered balls. Renders nothing by itself.

    Parameters
    ----------
    plotter : this adds and removes actors of its own only

    Attributes
    ----------
    height_px, scale : of the picture on the screen, and how much larger than designed its type is; may be set from any thread
    """

    def __init__(self, plotter: pv.Plotter) -> None:
        self._plotter = plotter
        self.height_px, self.scale = 0, 1.0
        self._beads: list[Bead] = []
        self._pixels = 0.0
        plotter.renderer.AddObserver("StartEvent", lambda *_: self._fit())

    def show(self, marks: Sequence[Mark]) -> None:
        """Draw these, and no others."""
        if [(m.number, m.place_mm) for m in marks] != [(b.mark.number, b.mark.place_mm) for b in self._beads]:
            for actor in (actor for bead in self._beads for actor in bead.actors):
                self._plotter.remove_actor(actor, render=False, reset_camera=False)
            self._beads = [Bead(self._plotter, mark) for mark in marks]
        for bead, mark in zip(self._beads, marks, strict=True):
            if bead.mark != mark:
                bead.show(mark)
        # Another state has type of another size.
        self._pixels = 0.0

    def _fit(self) -> None:
        painted_px = self._plotter.renderer.GetSize()[1]
        pixels = self.scale * (painted_px / self.height_px if self.height_px else 1.0)
        if abs(pixels - self._pixels) < 0.01:
            return
        self._pixels = pixels
        for bead in self._beads:
            bead.fit(pixels)
