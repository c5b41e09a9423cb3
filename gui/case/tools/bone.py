"""Bone by its HU: a threshold, the islands to keep, a crop box and cut planes. No Qt."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from msgspec.structs import replace

from gui.case.tools.history import History
from gui.case.tools.touch import Touch, shifted
from navtwin.errors import InputRefused
from navtwin.rigid import Vec3
from navtwin.scene.author.recipe import MOST_EDITS, Cut, Threshold
from navtwin.scene.slices import ACROSS, RIGHT, UP

FIRST_HU: Final = 250.0
#: What people begin with: cancellous bone and thin walls, bone as such, dense bone.
USUAL_HU: Final = (200.0, 300.0, 500.0)
#: A crop box is at least so wide, mm.
LEAST_CROP_MM: Final = 1.0
Doing = Literal["", "island", "cut", "crop"]
Box = tuple[float, float, float, float, float, float]


class BoneTool:
    """What a press of the mouse means depends on what is being done: nothing, picking islands, drawing a cut plane, dragging the crop box.

    Attributes
    ----------
    doing : what the mouse is for; "" leaves it to the slices
    line : the ends of a cut plane that are clicked so far
    """

    def __init__(self, draft: Threshold | None = None) -> None:
        self.history = History(draft or Threshold(FIRST_HU))
        self.doing: Doing = ""
        self.line: tuple[Touch, ...] = ()
        self._held: tuple[tuple[int, ...], Touch, Threshold] | None = None

    @property
    def draft(self) -> Threshold:
        return self.history.now

    @property
    def empty(self) -> bool:
        return self.draft == Threshold(FIRST_HU)

    def do(self, doing: Doing) -> None:
        """Use the mouse for something else; an open cut is given up."""
        self.doing, self.line, self._held = doing, (), None
        self.history.lift()

    def press(self, touch: Touch) -> None:
        if self.doing == "island":
            self._press_island(touch)
        elif self.doing == "cut" and touch.plane is not None:
            self._press_cut(touch)
        elif self.doing == "crop" and self.draft.crop_mm is not None and touch.plane is not None:
            held = grip(self.draft.crop_mm, touch)
            self._held = (held, touch, self.draft) if held else None

    def drag(self, touch: Touch) -> None:
        if self._held is None:
            return
        held, start, before = self._held
        if self.doing == "crop" and before.crop_mm is not None:
            self.history.put(replace(before, crop_mm=_dragged(before.crop_mm, held, start, touch)), "press")
        elif self.doing == "island":
            n = held[0]
            moved = shifted(before.seeds_mm[n], start.at_mm, touch.at_mm)
            self.history.put(replace(before, seeds_mm=(*before.seeds_mm[:n], moved, *before.seeds_mm[n + 1 :])), "press")

    def release(self, touch: Touch) -> None:
        self._held = None
        self.history.lift()

    def delete(self) -> bool:
        """Take out what came last of what is being done; False where there is nothing."""
        draft = self.draft
        if self.line:
            self.line = ()
        elif self.doing == "cut" and draft.cut:
            self.history.put(replace(draft, cut=draft.cut[:-1]))
        elif self.doing == "island" and draft.seeds_mm:
            self.history.put(replace(draft, seeds_mm=draft.seeds_mm[:-1]))
        elif self.doing == "crop" and draft.crop_mm is not None:
            self.history.put(replace(draft, crop_mm=None))
        else:
            return False
        return True

    def finish(self) -> bool:
        """Give up a cut plane that is not whole; False where none is open."""
        was, self.line = bool(self.line), ()
        return was

    def set_hu(self, hu: float) -> None:
        upper = self.draft.upper_hu
        self.history.put(replace(self.draft, hu=hu, upper_hu=None if upper is not None and upper <= hu else upper), "hu")

    def set_upper(self, upper_hu: float | None) -> None:
        """And at or below this; one that is not above the threshold is none."""
        self.history.put(replace(self.draft, upper_hu=None if upper_hu is not None and upper_hu <= self.draft.hu else upper_hu), "upper")

    def set_fill(self, fill_mm3: float) -> None:
        self.history.put(replace(self.draft, fill_mm3=fill_mm3), "fill")

    def set_crop(self, crop_mm: Box | None) -> None:
        self.history.put(replace(self.draft, crop_mm=crop_mm))

    def keep_island_at(self, seed_mm: Vec3) -> None:
        """Only the island that holds this point."""
        self.history.put(replace(self.draft, seeds_mm=(seed_mm,)))

    def forget_islands(self) -> None:
        """All of them again, but specks."""
        self.history.put(replace(self.draft, seeds_mm=()))

    def forget_cuts(self) -> None:
        self.line = ()
        self.history.put(replace(self.draft, cut=()))

    @property
    def hint(self) -> str:
        """What to do next."""
        if self.doing == "island":
            return "Click on the bone to keep, in a slice or in the picture; Ctrl+click keeps another island as well."
        if self.doing == "crop":
            return "Drag the edges or corners of the box in the slices; drag inside it to move it."
        if self.doing == "cut":
            return (
                "Click one end of the cut in a slice: the plane stands upright on that slice.", "Click its other end.",
                "Click on the side to keep.",
            )[len(self.line)]  # fmt: skip
        return "Set the threshold until the overlay covers the bone and no more."

    def words(self) -> str:
        """What is drawn so far."""
        draft = self.draft
        islands = f"{len(draft.seeds_mm)} island{'s' if len(draft.seeds_mm) > 1 else ''} picked" if draft.seeds_mm else "all but specks"
        words = [f"from {draft.hu:g} HU" if draft.upper_hu is None else f"{draft.hu:g} to {draft.upper_hu:g} HU", islands]
        words += ["cropped"] if draft.crop_mm is not None else []
        words += [f"{len(draft.cut)} cut{'s' if len(draft.cut) > 1 else ''}"] if draft.cut else []
        return ", ".join(words)

    def _press_island(self, touch: Touch) -> None:
        seeds = self.draft.seeds_mm
        n = touch.nearest(seeds)
        if n is None:
            seeds = (*seeds, touch.at_mm) if touch.more else (touch.at_mm,)
            n = len(seeds) - 1
            self.history.put(replace(self.draft, seeds_mm=seeds), "press")
        self._held = ((n,), touch, self.draft)

    def _press_cut(self, touch: Touch) -> None:
        if self.line and touch.plane != self.line[0].plane:
            self.line = ()
        if len(self.line) == 1 and touch.away_mm(self.line[0].at_mm) < touch.reach_mm:
            return
        self.line = (*self.line, touch)
        if len(self.line) == 3:
            if len(self.draft.cut) >= MOST_EDITS:
                raise InputRefused(f"there are {MOST_EDITS} cuts", "take one out, or crop")
            self.history.put(replace(self.draft, cut=(*self.draft.cut, cut_of(*self.line))))
            self.line = ()


def cut_of(one: Touch, other: Touch, side: Touch) -> Cut:
    """The plane through a line in a slice, upright on the slice; `side` lies on what is kept."""
    assert one.plane is not None
    a, b, c = (np.array(touch.at_mm) for touch in (one, other, side))
    normal = np.cross(b - a, np.eye(3)[ACROSS[one.plane]])
    normal /= np.linalg.norm(normal)
    x, y, z = (normal if (c - a) @ normal >= 0.0 else -normal).tolist()
    return Cut(one.at_mm, (x, y, z))


def grip(crop_mm: Box, touch: Touch) -> tuple[int, ...]:
    """Which of the six numbers of a crop box a touch takes hold of: an edge, the two of a corner, all four where it is inside; () where nothing."""
    assert touch.plane is not None
    axes = (RIGHT[touch.plane], UP[touch.plane][0])
    near: list[int] = []
    for axis in axes:
        at = touch.at_mm[axis]
        low, high = crop_mm[axis], crop_mm[axis + 3]
        if not low - touch.reach_mm <= at <= high + touch.reach_mm:
            return ()
        away, n = min((abs(at - low), axis), (abs(at - high), axis + 3))
        near += [n] if away <= touch.reach_mm else []
    return tuple(near) or tuple(n for axis in axes for n in (axis, axis + 3))


def _dragged(crop_mm: Box, held: tuple[int, ...], start: Touch, touch: Touch) -> Box:
    moved = list(crop_mm)
    for n in held:
        moved[n] += touch.at_mm[n % 3] - start.at_mm[n % 3]
        if (n + 3) % 6 not in held:  # the other side stays, and is not passed
            moved[n] = min(moved[n], crop_mm[n + 3] - LEAST_CROP_MM) if n < 3 else max(moved[n], crop_mm[n - 3] + LEAST_CROP_MM)
    x0, y0, z0, x1, y1, z1 = moved
    return (x0, y0, z0, x1, y1, z1)
