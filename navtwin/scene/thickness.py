"""How much bone is left between points of a drilled wall and the critical structures behind it: what the wall is coloured by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from navtwin.kernels.bone.bricks import Bricks
from navtwin.kernels.bone.ways import bone_on_ways
from navtwin.scene.model import Scene
from navtwin.scene.palette import BANDS_MM
from navtwin.scene.surface import Surface

F64 = npt.NDArray[np.float64]

#: Structures farther than the last band are not looked at.
REACH_MM: Final = BANDS_MM[-1]
#: Less bone than this share of the grid's side is not told from none: the way only grazes the wall that it starts from.
GRAZING: Final = 0.25


class Ways(Protocol):
    """The part of a `Carvable` that is asked here."""

    side_mm: float

    @property
    def bricks(self) -> Bricks: ...

    def doubts(self, bricks: npt.ArrayLike) -> npt.NDArray[np.uint64]: ...


@dataclass(frozen=True, eq=False)
class Thickness:
    """Bone left behind N points.

    Attributes
    ----------
    bone_mm : (N,) float64, the least on the straight ways to the critical structures within reach; infinite where no such way leads through bone
    doubtful : (N,) bool, bone on such a way that the twin shows may be gone
    """

    bone_mm: F64
    doubtful: npt.NDArray[np.bool_]

    @property
    def band(self) -> npt.NDArray[np.int8]:
        """(N,) int8: place in `BANDS_MM`, -1 where there is none: no bone between, or nothing within reach. A doubtful one is still told."""
        band = np.searchsorted(np.array(BANDS_MM), self.bone_mm).astype(np.int8)
        return np.where(band < len(BANDS_MM), band, np.int8(-1))


def bone_left(points_mm: F64, bone: Ways, critical: Iterable[Surface], reach_mm: float = REACH_MM) -> Thickness:
    """Measure along the straight way from each of (N, 3) points to the closest one of each critical structure.

    Each structure within reach is asked, and the least bone counts: one that lies bare hides no other one behind a thin wall.
    """
    least = np.full(len(points_mm), np.inf)
    doubtful = np.zeros(len(points_mm), np.bool_)
    if not len(points_mm):
        return Thickness(least, doubtful)
    low, high = points_mm.min(axis=0) - reach_mm, points_mm.max(axis=0) + reach_mm
    for surface in critical:
        if (surface.bounds_mm[0] > high).any() or (surface.bounds_mm[1] < low).any():
            continue
        found = surface.closest(points_mm, within_mm=reach_mm)
        # A wall within what must not be cut: nothing is left.
        least[found.distance_mm <= 0.0] = 0.0
        near = np.flatnonzero((found.distance_mm > 0.0) & (found.distance_mm < reach_mm))
        if len(near):
            bone_mm, in_doubt = _on_ways(bone, points_mm[near], found.point_mm[near])
            doubtful[near] |= in_doubt
            least[near] = np.where(bone_mm > GRAZING * bone.side_mm, np.minimum(bone_mm, least[near]), least[near])
    return Thickness(least, doubtful)


def _on_ways(bone: Ways, starts_mm: F64, ends_mm: F64) -> tuple[F64, npt.NDArray[np.bool_]]:
    """Bone on each way, mm, and whether some of it may be gone."""
    bone_mm, doubtful = np.empty(len(starts_mm)), np.empty(len(starts_mm), np.bool_)
    blocks = bone.doubts(np.arange(bone.bricks.table.size))
    bone_on_ways(bone.bricks, blocks, np.ascontiguousarray(starts_mm), np.ascontiguousarray(ends_mm), bone_mm, doubtful)
    return bone_mm, doubtful


def critical_surfaces(scene: Scene, *, near: Surface) -> tuple[Surface, ...]:
    """The critical structures of a case that may lie within reach of some point of a surface."""
    low, high = near.bounds_mm[0] - REACH_MM, near.bounds_mm[1] + REACH_MM
    critical = (s.surface for s in scene.structures if s.role == "critical")
    return tuple(s for s in critical if (s.bounds_mm[0] <= high).all() and (s.bounds_mm[1] >= low).all())
