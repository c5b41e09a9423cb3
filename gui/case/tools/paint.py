"""Painting outlines on the slices of one plane: closed lines by hand or by clicks. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import dist
from typing import Final

import numpy as np

from gui.case.tools.history import History
from gui.case.tools.touch import Touch
from navtwin.errors import InputRefused
from navtwin.rigid import Vec3
from navtwin.scene.author.recipe import MOST_OUTLINES, Outline, Painted
from navtwin.scene.slices import ACROSS, PLANES, RIGHT, UP, Plane

#: Outlines this near to each other are on one slice, mm: a new one takes the place of the old.
SAME_SLICE_MM: Final = 0.3
#: A line drawn by hand keeps a point for each such share of the reach of a touch.
_STEP_SHARE: Final = 0.2
#: A line drawn by hand keeps no more than so many: it is looked at in far fewer pixels.
MOST_OF_A_HAND: Final = 400
NORMALS: Final[dict[Plane, Vec3]] = {"axial": (0.0, 0.0, 1.0), "coronal": (0.0, 1.0, 0.0), "sagittal": (1.0, 0.0, 0.0)}


@dataclass(frozen=True)
class PaintDraft:
    """Outlines, and one that is being clicked.

    Attributes
    ----------
    plane : of all outlines; None before the first
    loop_mm : the points of the open outline
    adds : the open outline joins those of its slice, and does not replace them
    """

    outline: tuple[Outline, ...] = ()
    plane: Plane | None = None
    thickness_mm: float | None = None
    loop_mm: tuple[Vec3, ...] = ()
    adds: bool = False

    def edit(self, subtract: bool = False) -> Painted:
        """The step of a recipe.

        Raises
        ------
        InputRefused : no outline, or one that is still open
        """
        if self.loop_mm:
            raise InputRefused("an outline is still open", "click its first point, or press Return, to close it")
        if self.plane is None or not self.outline:
            raise InputRefused("nothing is painted", "draw around the structure in a slice")
        return Painted(self.outline, NORMALS[self.plane], self.thickness_mm, subtract)

    @property
    def heights_mm(self) -> tuple[float, ...]:
        """Where the painted slices lie across the plane, rising."""
        if self.plane is None:
            return ()
        heights: list[float] = []
        for at in sorted(one.points_mm[0][ACROSS[self.plane]] for one in self.outline):
            if not heights or at - heights[-1] > SAME_SLICE_MM:
                heights.append(at)
        return tuple(heights)

    def on_slice(self, height_mm: float) -> tuple[Outline, ...]:
        """The outlines of the slice there."""
        if self.plane is None:
            return ()
        across = ACROSS[self.plane]
        return tuple(one for one in self.outline if abs(one.points_mm[0][across] - height_mm) <= SAME_SLICE_MM)


class PaintTool:
    """Dragging draws a line that closes when it is let go; clicks set corners, and a click on the first one closes.

    A new outline replaces those of its slice; with Ctrl it joins them, as a hole or a second part.

    Attributes
    ----------
    line_mm : the line that is being drawn by hand
    """

    def __init__(self, draft: PaintDraft | None = None) -> None:
        self.history = History(draft or PaintDraft())
        self.line_mm: list[Vec3] = []
        self._start: Touch | None = None

    @property
    def draft(self) -> PaintDraft:
        return self.history.now

    @property
    def empty(self) -> bool:
        return not self.draft.outline and not self.draft.loop_mm

    def press(self, touch: Touch) -> None:
        if touch.plane is None:
            return
        self._refuse_plane(touch)
        self._start, self.line_mm = touch, [touch.at_mm]

    def drag(self, touch: Touch) -> None:
        if self._start is None or touch.plane != self._start.plane:
            return
        if dist(touch.at_mm, self.line_mm[-1]) >= _STEP_SHARE * touch.reach_mm:
            self.line_mm.append(touch.at_mm)
        if len(self.line_mm) > MOST_OF_A_HAND:
            self.line_mm = self.line_mm[::2]

    def release(self, touch: Touch) -> None:
        start, line = self._start, self.line_mm
        self._start, self.line_mm = None, []
        if start is None or start.plane is None:
            return
        by_hand = max(dist(p, start.at_mm) for p in line) > start.reach_mm
        loop = self.draft.loop_mm
        if by_hand and not loop:
            self._close(untangled(tuple(line), start.plane), start.plane, adds=start.more)
        elif len(loop) >= 3 and not by_hand and start.away_mm(loop[0]) <= start.reach_mm:
            self.finish()
        else:
            # A corner, or a piece by hand of an outline that has corners.
            more = tuple(line) if by_hand else (start.at_mm,)
            adds = self.draft.adds if loop else start.more
            self.history.put(replace(self.draft, loop_mm=(*loop, *more), plane=start.plane, adds=adds))

    def finish(self) -> bool:
        """Close the open outline; False where none is.

        Raises
        ------
        InputRefused : it has fewer than three points, or crosses itself; it stays open
        """
        draft = self.draft
        if not draft.loop_mm or draft.plane is None:
            return False
        if len(draft.loop_mm) < 3:
            raise InputRefused("an outline has three corners or more", "click another, or take this one out with Delete")
        self._close(draft.loop_mm, draft.plane, adds=draft.adds)
        return True

    def delete(self) -> bool:
        """Take out the last corner of an open outline; False where none is open."""
        draft = self.draft
        if not draft.loop_mm:
            return False
        self.history.put(self._put_out(replace(draft, loop_mm=draft.loop_mm[:-1])))
        return True

    def clear_slice(self, height_mm: float) -> bool:
        """Take out the outlines of a slice; False where it has none."""
        gone = self.draft.on_slice(height_mm)
        if gone:
            self.history.put(self._put_out(replace(self.draft, outline=tuple(one for one in self.draft.outline if one not in gone))))
        return bool(gone)

    def set_thickness(self, thickness_mm: float | None) -> None:
        self.history.put(replace(self.draft, thickness_mm=thickness_mm), "thickness")

    @property
    def hint(self) -> str:
        """What to do next."""
        draft = self.draft
        if draft.loop_mm:
            return "Click more corners; click the first one, or press Return, to close. Delete takes the last one out."
        if not draft.outline:
            return "Draw around the structure in a slice: drag, or click corner after corner."
        if len(draft.heights_mm) == 1:
            return "Scroll on and paint another slice; in between is filled in. Slices to leave out: as many as the shape allows."
        return "Scroll on, or go back to see what lies between. Drawing again replaces; Ctrl adds a hole or a second part."

    def words(self) -> str:
        """What is drawn so far."""
        count = len(self.draft.heights_mm)
        return "nothing painted yet" if not count else f"{count} {self.draft.plane} slice{'s' if count > 1 else ''} painted"

    def _close(self, loop: tuple[Vec3, ...], plane: Plane, *, adds: bool) -> None:
        outline = _checked(loop, plane)
        draft = self.draft
        kept = draft.outline
        if not adds:
            replaced = replace(draft, plane=plane).on_slice(loop[0][ACROSS[plane]])
            kept = tuple(one for one in kept if one not in replaced)
        if len(kept) >= MOST_OUTLINES:
            raise InputRefused(f"{MOST_OUTLINES} outlines are painted", "paint the rest as a structure of its own, and add it")
        self.history.put(replace(draft, outline=(*kept, outline), plane=plane, loop_mm=(), adds=False))

    def _put_out(self, draft: PaintDraft) -> PaintDraft:
        return draft if draft.outline or draft.loop_mm else replace(draft, plane=None)

    def _refuse_plane(self, touch: Touch) -> None:
        draft = self.draft
        if draft.plane is not None and touch.plane != draft.plane:
            raise InputRefused(f"the outlines lie on {draft.plane} slices", f"draw in the {draft.plane} slice; a structure has one plane")
        if draft.loop_mm and draft.plane is not None and touch.off_slice_mm(draft.loop_mm[0]) > SAME_SLICE_MM:
            raise InputRefused("an outline is open on another slice", "close it there first with Return, or take it back with Ctrl+Z")


def paint_tool(edit: Painted) -> PaintTool:
    """The tool with outlines that were painted before.

    Raises
    ------
    InputRefused : they lie on slices that are not axial, coronal or sagittal
    """
    for plane in PLANES:
        across = edit.normal[ACROSS[plane]]
        if abs(across) > 0.0 and all(v == 0.0 for axis, v in enumerate(edit.normal) if axis != ACROSS[plane]):
            return PaintTool(PaintDraft(edit.outline, plane, edit.thickness_mm))
    raise InputRefused("its outlines lie on slices that are tilted", "change it where it was drawn, and bring it in with navtwin structure paint")


def untangled(loop: tuple[Vec3, ...], plane: Plane) -> tuple[Vec3, ...]:
    """A line drawn by hand without its ends beyond where they cross: a hand goes a little further than where it began."""
    axes = [RIGHT[plane], UP[plane][0]]
    flat = np.array(loop, dtype=np.float64)[:, axes]
    ends = len(flat) // 4
    c, d = flat[-1 - ends : -1], flat[len(flat) - ends :]
    for i in range(ends):
        a, r = flat[i], flat[i + 1] - flat[i]
        s, across = d - c, c - a
        turn = r[0] * s[:, 1] - r[1] * s[:, 0]
        turn[turn == 0.0] = np.inf
        t = (across[:, 0] * s[:, 1] - across[:, 1] * s[:, 0]) / turn
        u = (across[:, 0] * r[1] - across[:, 1] * r[0]) / turn
        met = np.flatnonzero((t > 0.0) & (t < 1.0) & (u > 0.0) & (u < 1.0))
        if len(met):
            j = int(met[-1])
            where = list(loop[0])
            where[axes[0]], where[axes[1]] = (a + t[j] * r).tolist()
            return ((where[0], where[1], where[2]), *loop[i + 1 : len(loop) - ends + j])
    return loop


def _checked(points: tuple[Vec3, ...], plane: Plane) -> Outline:
    """The outline, as far as the engine takes it; InputRefused otherwise."""
    from navtwin.scene.author.painted import slices_of

    outline = Outline(points)
    slices_of(Painted((outline,), NORMALS[plane], 1.0))
    return outline
