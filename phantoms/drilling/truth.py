"""What is really so of a drilled bone at any time: its surface, what is gone of it, what is left between a burr and what must be spared.

Bone is a shape, what was cut are capsules: the drilled bone is the shape without them, exactly. Where wall and cut meet at an edge, the distance to
it is told no larger than it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.nouns import Part
from phantoms.drilling.cuts import NEVER_S, Cuts
from phantoms.drilling.meshed import gradient
from phantoms.drilling.solids import as_points, length
from phantoms.motion import Poses
from phantoms.shapes import Array, Shape

#: A wall is told up to here; farther off nobody thins it.
WALL_REACH_MM = 5.0
#: Points along a way at which bone is looked for: a wall of a millimetre is told to a hundredth or two.
WAY_POINTS = 72
#: Along a part's axis, the coarse look and the fine one.
_COARSE_MM, _FINE_MM = 4.0, 0.1

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Anatomy:
    """The true patient: the bone that is drilled, and by name what must not be touched; in ct."""

    bone: Shape
    critical: Mapping[str, Shape]


@dataclass(frozen=True)
class TrueBone:
    """A bone and all that was truly cut of it."""

    whole: Shape
    cuts: Cuts

    def drilled_distance_mm(self, points_mm: npt.ArrayLike, time_s: float = np.inf) -> Array:
        """Signed distance (N,), mm, to the bone as it is at a time, negative inside; beside an edge no larger than it is."""
        p = as_points(points_mm)
        return np.asarray(np.maximum(self.whole.distance_mm(p), -self.cuts.until(time_s).distance_mm(p)))

    def removed_mm3(self, times_s: npt.ArrayLike, side_mm: float = 0.2) -> Array:
        """Volume (T,) that is gone by each of some times, mm^3: the points of a fine grid, counted.

        Parameters
        ----------
        side_mm : of the grid; 0.2 mm gives a hole of 100 mm^3 to a few parts in a thousand, and a larger one better
        """
        times = np.atleast_1d(np.asarray(times_s, dtype=np.float64))
        if not len(self.cuts):
            return np.zeros(len(times))
        (low, high), (lowest, highest) = self.cuts.bounds_mm, self.whole.bounds_mm()
        points, first = self.cuts.first_on_grid(np.maximum(low, lowest), np.minimum(high, highest), side_mm)
        gone = np.sort(first[self.whole.distance_mm(points) < 0.0])
        return np.asarray(np.searchsorted(gone, times, side="right") * float(side_mm) ** 3)

    def bone_on_ways_mm(self, from_mm: Array, to_mm: Array, times_s: Array) -> Array:
        """Length (N,), mm, of bone on each straight way (N, 3) to (N, 3) at a time of its own (N,), s."""
        way = to_mm - from_mm
        reach = length(way)
        share = (np.arange(WAY_POINTS) + 0.5) / WAY_POINTS
        p = (from_mm[:, None, :] + share[:, None] * way[:, None, :]).reshape(-1, 3)
        there = self.whole.distance_mm(p) < 0.0
        first = self.cuts.first_s(p[there])
        there[there] = (first > np.repeat(times_s, WAY_POINTS)[there]) | (first == NEVER_S)
        return np.asarray(there.reshape(len(way), WAY_POINTS).mean(axis=1) * reach)


def capsule_distances(shape: Shape, part: Part, T_ct_from_tip: Poses) -> Array:
    """True distance (N,), mm, from a part's skin to a shape, for N poses of its tool: within 0.01 mm where they are near, within 0.3 mm farther off.

    A distance changes by no more than the point moves: the axis is looked at coarsely, then finely wherever the nearest point can still lie.
    """
    starts, ends = T_ct_from_tip.points(part.from_mm), T_ct_from_tip.points(part.to_mm)
    extent = float(np.linalg.norm(np.subtract(part.to_mm, part.from_mm)))
    if extent == 0.0:
        return np.asarray(shape.distance_mm(starts) - part.radius_mm)
    share = np.linspace(0.0, 1.0, int(np.ceil(extent / _COARSE_MM)) + 1)
    step = extent / (len(share) - 1)
    axis = starts[:, None, :] + share[:, None] * (ends - starts)[:, None, :]
    coarse = shape.distance_mm(axis.reshape(-1, 3)).reshape(len(starts), len(share))
    nearest = coarse.min(axis=1)
    # Only where the structure is near does it matter to a tenth.
    row, column = np.nonzero((coarse - 0.5 * step < nearest[:, None]) & (nearest[:, None] < WALL_REACH_MM + part.radius_mm))
    offsets = np.arange(-0.5 * step, 0.5 * step + 0.5 * _FINE_MM, _FINE_MM) / extent
    fine_share = np.clip(share[column, None] + offsets, 0.0, 1.0)
    fine = starts[row, None, :] + fine_share[..., None] * (ends - starts)[row, None, :]
    np.minimum.at(nearest, row, shape.distance_mm(fine.reshape(-1, 3)).reshape(fine.shape[:2]).min(axis=1))
    return np.asarray(nearest - part.radius_mm)


def closest_on(shape: Shape, points_mm: Array) -> Array:
    """The points (N, 3) of a shape's surface nearest to some outside it, mm; shapes whose distance is exact are met at once."""
    p = points_mm.copy()
    for _ in range(3):
        p = p - shape.distance_mm(p)[:, None] * gradient(shape, p)
    return p
