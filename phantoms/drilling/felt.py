"""A shape, or a drilled bone, as a pointer feels it: closest points in place of a distance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from phantoms.drilling.meshed import slope
from phantoms.drilling.solids import as_points, length
from phantoms.shapes import Array


@dataclass(frozen=True)
class FeltPoints:
    """What is felt from some places (N, 3), mm."""

    distance: Callable[[npt.ArrayLike], Array]
    from_mm: Array

    @property
    def distance_mm(self) -> Array:
        """Signed distances (N,), mm."""
        return self.distance(self.from_mm)

    @property
    def point_mm(self) -> Array:
        """The points (N, 3) that are felt, mm."""
        foot = self.from_mm
        for _ in range(4):
            rise = slope(self.distance, foot)
            foot = foot - (self.distance(foot) / np.maximum(length(rise), 0.3))[:, None] * rise
        return foot


@dataclass(frozen=True)
class Felt:
    """What answers `closest` as a surface does.

    Attributes
    ----------
    distance : signed distance (N,), mm, of points (N, 3)
    vertices_mm : (V, 3), a few points of it, to tell where it is
    """

    distance: Callable[[npt.ArrayLike], Array]
    vertices_mm: Array

    def closest(self, points_mm: npt.ArrayLike) -> FeltPoints:
        return FeltPoints(self.distance, as_points(points_mm))
