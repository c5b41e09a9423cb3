"""A solid on a grid of bricks from which cutters take away, and how much they took."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused, nearest
from navtwin.kernels.bone.bricks import BRICK, CLAMP, INSIDE, OUTSIDE, STEPS, Bricks
from navtwin.kernels.bone.cut import FILLED, PARTS, bricks_in_reach, cut, cut_on_way, way_of
from navtwin.kernels.bone.fill import with_slots
from navtwin.kernels.bone.journal import Journal, new_journal, with_room, write_cells
from navtwin.kernels.bone.profile import CYLINDER, PEAR, SPHERE, Solid, Stroke
from navtwin.nouns.drilling import Cutter, PoseRows

I8 = npt.NDArray[np.int8]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
Point = tuple[float, float, float]

_KINDS = {"sphere": SPHERE, "cylinder": CYLINDER, "pear": PEAR}
#: Nothing that is farther from the origin, or larger, mm, can be cut with.
FARTHEST_MM = 1e9


def solid_of(cutter: Cutter) -> Solid:
    """The cutter as kernels know it.

    Raises
    ------
    InputRefused : a profile that nobody knows, or lengths that make no solid
    """
    if cutter.profile not in _KINDS:
        raise InputRefused(f"no cutter has the profile '{cutter.profile}'", nearest(cutter.profile, _KINDS))
    is_ball, is_pear = cutter.profile == "sphere", cutter.profile == "pear"
    if cutter.radius_mm <= 0.0 or not (is_ball or cutter.length_mm > 0.0) or (is_pear and not 0.0 < cutter.neck_radius_mm <= cutter.radius_mm):
        raise InputRefused(f"a {cutter.profile} of these lengths is no solid: {cutter}", "correct the cutter in rig.toml")
    return Solid(_KINDS[cutter.profile], float(cutter.radius_mm), float(cutter.length_mm), float(cutter.neck_radius_mm))


class BoneField:
    """Bricks with what they held when they were whole, and the volume that went.

    Attributes
    ----------
    bricks : another object after a cut that needed more room
    first : what bricks held when they were whole, for each that ever changed
    stretch : what bricks held when the stretch that is being cut began
    gone, most : volume that is gone, in `PARTS` of a cell: as it is, and the most that it was. Where a cutter only grazes, `gone` is uncertain by a
        part of a cell, and bone never grows: so the latter is told.
    """

    def __init__(self, bricks: Bricks) -> None:
        self.bricks = bricks
        self.first, self.stretch = new_journal(bricks.table.size), new_journal(bricks.table.size)
        self.gone = self.most = 0

    @property
    def part_mm3(self) -> float:
        """The volume that one of `gone` stands for."""
        side = float(self.bricks.side[0])
        return side * side * side / PARTS

    @property
    def removed_mm3(self) -> float:
        return self.most * self.part_mm3

    def carve(self, a: Point, b: Point, radius_mm: float) -> tuple[int, float]:
        """Take away a capsule; see `sweep`."""
        solid, way = Solid(SPHERE, radius_mm, 0.0, 0.0), (b[0] - a[0], b[1] - a[1], b[2] - a[2])
        self._make_room(a, way, radius_mm)
        return self._told(*cut(self.bricks, self.first, self.stretch, solid, Stroke(a, (0.0, 0.0, -1.0), way)))

    def sweep(self, solid: Solid, earlier: PoseRows, now: PoseRows) -> tuple[int, float, Point, Point, float]:
        """Take away what a cutter passes through between two poses.

        Returns
        -------
        how many bricks changed, the volume that it took, mm^3, and where the tip started, its way, and the reach from that, mm

        Raises
        ------
        InputRefused : poses between which there is no way
        """
        start, end = np.array(earlier, np.float64), np.array(now, np.float64)
        is_known, tip, way, reach = way_of(solid, start, end)
        if not is_known or not max(abs(v) for v in (*tip, *way, reach)) <= FARTHEST_MM:
            raise InputRefused("there is no way between the poses that the cutter is at", "skip poses that are not known, and jumps")
        self._make_room(tip, way, reach)
        changed, took = self._told(*cut_on_way(self.bricks, self.first, self.stretch, solid, start, end))
        return changed, took, tip, way, reach

    def _make_room(self, tip: Point, way: Point, reach: float) -> None:
        count, bare = bricks_in_reach(self.bricks, tip, way, reach + CLAMP * float(self.bricks.side[0]))
        self.bricks = with_slots(self.bricks, bare)
        self.first, self.stretch = with_room(self.first, count), with_room(self.stretch, count)

    def _told(self, changed: int, gone: int) -> tuple[int, float]:
        self.gone += int(gone)
        more = max(self.gone - self.most, 0)
        self.most += more
        return int(changed), more * self.part_mm3

    def slots(self, numbers: npt.ArrayLike) -> I32:
        """(N,) slots of bricks, or INSIDE or OUTSIDE.

        Raises
        ------
        InputRefused : a brick beyond the grid
        """
        bricks = np.asarray(numbers, np.int64).reshape(-1)
        if len(bricks) and not 0 <= bricks.min() <= bricks.max() < self.bricks.table.size:
            raise InputRefused(f"the grid has bricks 0 .. {self.bricks.table.size - 1}, and others are named", "they belong to other bone")
        found: I32 = self.bricks.table.reshape(-1)[bricks]
        return found

    def cells(self, numbers: npt.ArrayLike) -> I8:
        """(N, 16, 16, 16) int8, what bricks hold."""
        slots = self.slots(numbers)
        held = np.empty((len(slots), BRICK, BRICK, BRICK), np.int8)
        held[slots == OUTSIDE], held[slots == INSIDE] = STEPS - 1, -STEPS
        held[slots >= 0] = self.bricks.cells[slots[slots >= 0]]
        return held

    def write(self, numbers: npt.ArrayLike, cells: I8) -> int:
        """Set what bricks hold; return how many that changed.

        Raises
        ------
        InputRefused : a brick beyond the grid, or one that never held bone
        """
        slots, bricks = self.slots(numbers), np.asarray(numbers, np.int32).reshape(-1)
        if (slots == OUTSIDE).any():
            raise InputRefused(f"brick {bricks[slots == OUTSIDE][0]} never held any of this bone", "it belongs to other bone")
        self.bricks, self.first = with_slots(self.bricks, int((slots == INSIDE).sum())), with_room(self.first, len(slots))
        self.gone += parts_of(self.cells(bricks)) - parts_of(cells)
        self.most = max(self.gone, 0)
        return int(write_cells(self.bricks, self.first, bricks, np.require(cells, np.int8, ("C", "W"))))

    def changed(self) -> I64:
        """Numbers of the bricks that are not as they were when they were whole, ascending."""
        kept = int(self.first.kept[0])
        bricks = self.first.bricks[:kept]
        return np.sort(bricks[self.bricks.hashes[self.slots(bricks)] != self.first.hashes[:kept]]).astype(np.int64)

    def whole(self, numbers: I64) -> I8:
        """(N, 16, 16, 16) int8, what bricks that are `changed` held when they were whole."""
        order = np.argsort(self.first.bricks[: int(self.first.kept[0])])
        rows = order[np.searchsorted(self.first.bricks[order], numbers)]
        held: I8 = self.first.cells[rows]
        return held

    def new_stretch(self) -> Journal:
        """Begin another stretch; return what the one before kept."""
        before, self.stretch = self.stretch, new_journal(self.bricks.table.size)
        return before


def parts_of(cells: I8) -> int:
    """Volume in `PARTS` of a cell."""
    return int(FILLED[cells.astype(np.int64) + STEPS].sum())
