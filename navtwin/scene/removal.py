"""Bone as it was drilled against bone as it was planned to be removed, as surgeons grade a mastoidectomy or a laminectomy.

The voxels around the points of the bone's own grid are judged whole where they are all of one kind, and at 27 points where a surface may run through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.kernels.bone.bricks import BRICK
from navtwin.rigid import Vec3
from navtwin.scene.carvable import Carvable
from navtwin.scene.model import Structure
from navtwin.scene.surface import Surface

F64 = npt.NDArray[np.float64]

#: A voxel farther from a surface than this many sides is not cut by it.
_HALF_DIAGONAL: Final = 0.87
#: Where a voxel that may be cut is looked at, from its middle, in sides: a lattice no two points of which share a plane along the axes
#: (Korobov 1959), for walls along the grid would pass or fail a whole layer of an upright one at once.
_WITHIN: Final = (np.outer(np.arange(27), (1, 5, 11)) % 27 - 13.0) / 27.0
#: A point of the surface that lay deeper in the whole bone than so many sides is on the drilled wall.
WALL_DEPTH: Final = 0.5
#: Bricks whose points are looked at together.
_BRICKS_AT_ONCE: Final = 64
#: The planned wall is told from the rest of the plan's surface in triangles whose edges are no longer than this, mm.
_WALL_EDGE_MM: Final = 1.0


@dataclass(frozen=True)
class Deviation:
    """Where the drilled bone and the plan differ in one way.

    Attributes
    ----------
    volume_mm3 : so much of the bone
    depth_mm : how far the worst point of it lies from the planned wall; 0 where there is none
    at_mm : that point, ct; None where there is none
    """

    volume_mm3: float
    depth_mm: float
    at_mm: Vec3 | None


@dataclass(frozen=True)
class Removal:
    """What was planned to be removed of a bone and what became of it; volumes in mm^3 of bone.

    Attributes
    ----------
    dice : 2 both / (planned + drilled)
    over, under : drilled beyond the plan; planned and still there
    """

    planned_mm3: float
    drilled_mm3: float
    both_mm3: float
    dice: float
    over: Deviation
    under: Deviation


@dataclass(frozen=True, eq=False)
class Planned:
    """What is planned to be removed, made ready.

    Attributes
    ----------
    surfaces : what lies in any of them is
    fields : the same on grids as fine as the bone's, which tell at once what lies far from them
    wall : where they end in the whole bone, and would leave it
    """

    surfaces: tuple[Surface, ...]
    fields: tuple[Carvable, ...]
    wall: Surface

    @classmethod
    def of(cls, plans: Sequence[Structure], whole: Carvable) -> Planned:
        """Make planned removals ready.

        Raises
        ------
        InputRefused : one of them has no certain inside, or does not run through the bone
        """
        pieces = list[F64]()
        for plan in plans:
            if not plan.surface.sign_is_trusted:
                raise InputRefused(f"what '{plan.name}' encloses is not certain", "close its surface, its normals outwards")
            corners = _finer(plan.surface)
            inside = corners[whole.values(corners.mean(axis=1)) < 0.0]
            if not len(inside):
                raise InputRefused(
                    f"'{plan.name}' does not run through '{plan.removal_of}', whose removal it plans", "check what its `removal_of` names"
                )
            for other in plans:
                if other is not plan:
                    inside = inside[other.surface.closest(inside.mean(axis=1)).distance_mm > 0.0]
            pieces.append(inside)
        corners = np.concatenate(pieces)
        wall = Surface.from_arrays(corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3))
        return cls(tuple(plan.surface for plan in plans), tuple(Carvable(plan.surface, whole.side_mm) for plan in plans), wall)

    @property
    def bounds_mm(self) -> tuple[F64, F64]:
        """Lowest and highest corner, (3,) each."""
        bounds = [surface.bounds_mm for surface in self.surfaces]
        return np.min([low for low, _ in bounds], axis=0), np.max([high for _, high in bounds], axis=0)

    def distance_mm(self, points_mm: F64) -> F64:
        """Signed distances of (N, 3) points to what is planned to be removed, negative inside: exact within a side of the grid, clamped at two."""
        nearest = np.full(len(points_mm), np.inf)
        for surface, field in zip(self.surfaces, self.fields, strict=True):
            distance = field.values(points_mm)
            near = np.flatnonzero(np.abs(distance) < field.side_mm)
            distance[near] = surface.closest(points_mm[near]).distance_mm
            nearest = np.minimum(nearest, distance)
        return nearest

    def deviation_mm(self, points_mm: F64) -> F64:
        """Of (N, 3) points the distance to the planned wall, mm: positive beyond the plan, negative within it."""
        return np.asarray(np.copysign(self.wall.closest(points_mm).distance_mm, self.distance_mm(points_mm)))


def compare(whole: Carvable, left: Carvable, left_surface: Surface, planned: Planned) -> Removal:
    """Volumes and worst points of what was drilled against what was planned.

    Parameters
    ----------
    whole, left : the same grid before and after
    left_surface : of `left`: points of the drilled wall itself are judged, besides those of the grid
    """
    over, under, counts = _Worst(planned), _Worst(planned), np.zeros(3)
    bricks = np.union1d(left.changed, bricks_in(whole, *planned.bounds_mm))
    reach_mm = _HALF_DIAGONAL * whole.side_mm
    for every in grid_points(whole, bricks):
        was_mm = whole.values(every)
        points, was_mm = every[was_mm < reach_mm], was_mm[was_mm < reach_mm]
        left_mm, plan_mm = left.values(points), planned.distance_mm(points)
        touched = (plan_mm < reach_mm) | (left_mm > was_mm)
        points, was_mm, left_mm, plan_mm = points[touched], was_mm[touched], left_mm[touched], plan_mm[touched]
        mixed = np.minimum(np.minimum(np.abs(was_mm), np.abs(left_mm)), np.abs(plan_mm)) < reach_mm
        counts += _count(was_mm[~mixed], left_mm[~mixed], plan_mm[~mixed])
        fine = (points[mixed][:, None, :] + whole.side_mm * _WITHIN).reshape(-1, 3)
        counts += _count(whole.values(fine), left.values(fine), planned.distance_mm(fine)) / len(_WITHIN)
        over.take(points[(was_mm < 0.0) & (left_mm >= 0.0) & (plan_mm > 0.0)])
        under.take(points[(left_mm < 0.0) & (plan_mm < 0.0)])
    wall = wall_points(whole, left_surface)
    off_mm = planned.deviation_mm(wall)
    over.take(wall[off_mm > 0.0])
    under.take(wall[off_mm < 0.0])
    in_plan, drilled, both = counts.tolist()
    # The twin's own volume is the more exact one: what was sampled only says how much of it lies within the plan.
    planned_mm3, drilled_mm3 = in_plan * whole.side_mm**3, left.removed_mm3
    both_mm3 = min(drilled_mm3 * (both / drilled) if drilled else 0.0, planned_mm3)
    total = planned_mm3 + drilled_mm3
    return Removal(
        planned_mm3=planned_mm3,
        drilled_mm3=drilled_mm3,
        both_mm3=both_mm3,
        dice=2.0 * both_mm3 / total if total > 0.0 else 0.0,
        over=over.deviation(max(drilled_mm3 - both_mm3, 0.0)),
        under=under.deviation(max(planned_mm3 - both_mm3, 0.0)),
    )


class _Worst:
    """The point farthest from the planned wall of all that were looked at."""

    def __init__(self, planned: Planned) -> None:
        self._wall = planned.wall
        self._depth_mm = 0.0
        self._at: Vec3 | None = None

    def take(self, points: F64) -> None:
        if not len(points):
            return
        apart = np.abs(self._wall.closest(points).distance_mm)
        worst = int(np.argmax(apart))
        if apart[worst] > self._depth_mm:
            x, y, z = (float(v) for v in points[worst])
            self._depth_mm, self._at = float(apart[worst]), (x, y, z)

    def deviation(self, volume_mm3: float) -> Deviation:
        return Deviation(volume_mm3, self._depth_mm, self._at)


def bricks_in(bone: Carvable, low_mm: F64, high_mm: F64) -> npt.NDArray[np.int64]:
    """Numbers of the bricks of bone's grid that a box of ct reaches, ascending."""
    count = np.array(bone.bricks.table.shape[::-1])
    edge_mm = BRICK * bone.side_mm
    first = np.clip(np.floor((low_mm - bone.bricks.origin) / edge_mm).astype(np.int64), 0, count)
    last = np.clip(np.floor((high_mm - bone.bricks.origin) / edge_mm).astype(np.int64) + 1, 0, count)
    i, j, k = (np.arange(a, b) for a, b in zip(first, last, strict=True))
    return np.asarray((i[None, None, :] + count[0] * (j[None, :, None] + count[1] * k[:, None, None])).ravel())


def grid_points(bone: Carvable, bricks: npt.NDArray[np.int64]) -> Iterator[F64]:
    """The grid's points in the bricks named, ct, (N, 3) at a time."""
    nj, ni = bone.bricks.table.shape[1:]
    step = np.arange(BRICK)
    within = np.stack(np.meshgrid(step, step, step, indexing="ij"), axis=-1)[..., ::-1].reshape(-1, 3)
    for start in range(0, len(bricks), _BRICKS_AT_ONCE):
        some = bricks[start : start + _BRICKS_AT_ONCE]
        corner = np.stack((some % ni, some // ni % nj, some // ni // nj), axis=1) * BRICK
        yield bone.bricks.origin + bone.side_mm * (corner[:, None, :] + within).reshape(-1, 3)


def wall_points(whole: Carvable, left_surface: Surface) -> F64:
    """Points of the surface of what is left that lie where there was bone: the wall that the drill made, (N, 3)."""
    vertices = left_surface.vertices_mm
    return np.asarray(vertices[whole.values(vertices) < -WALL_DEPTH * whole.side_mm])


def _count(was_mm: F64, left_mm: F64, plan_mm: F64) -> F64:
    """(3,) how many of the points are planned to be removed, are drilled away, and are both."""
    bone, plan = was_mm < 0.0, plan_mm < 0.0
    drilled = bone & (left_mm >= 0.0)
    return np.array([np.count_nonzero(bone & plan), np.count_nonzero(drilled), np.count_nonzero(drilled & plan)], dtype=np.float64)


def _finer(surface: Surface) -> F64:
    """(N, 3, 3) corners of the surface's triangles, halved at their longest edges until none is longer than _WALL_EDGE_MM."""
    ready, corners = list[F64](), surface.vertices_mm[surface.faces]
    while len(corners):
        sides = np.linalg.norm(corners[:, (1, 2, 0)] - corners, axis=2)
        longest = sides.argmax(axis=1)
        long = sides.max(axis=1) > _WALL_EDGE_MM
        ready.append(corners[~long])
        # Turned so that the longest edge runs from the first corner to the second.
        rows = np.arange(len(corners))[long][:, None]
        a, b, c = np.moveaxis(corners[rows, (longest[long][:, None] + (0, 1, 2)) % 3], 1, 0)
        middle = (a + b) / 2.0
        corners = np.concatenate((np.stack((a, middle, c), axis=1), np.stack((middle, b, c), axis=1)))
    return np.concatenate(ready)
