"""What a surface answers: unknown is NaN with face -1, and "farther than the cap" the cap itself with face -1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]


@dataclass(frozen=True)
class ClosestPoints:
    """Closest points of a surface to N points; what is asked of a point that is not finite is unknown (NaN, face -1).

    Attributes
    ----------
    distance_mm : (N,) float64, negative inside; where `farther`, the cap: the surface is farther away than this
    point_mm : (N, 3) float64, on the surface; NaN where unknown or farther
    face : (N,) int32, the lowest index of those equally near; -1 where unknown or farther
    """

    distance_mm: F64
    point_mm: F64
    face: I32

    @property
    def farther(self) -> npt.NDArray[np.bool_]:
        """(N,) bool: the surface lies beyond the cap that was asked for."""
        return (self.face < 0) & np.isfinite(self.distance_mm)


@dataclass(frozen=True)
class ClosestToCapsule:
    """Where a capsule is nearest to a surface; unknown (NaN, face -1) where the capsule is not finite.

    Attributes
    ----------
    distance_mm : from the capsule's skin, negative where it is in contact; where `farther`, the cap
    point_mm, axis_point_mm : (3,) float64, on the surface and on the capsule's axis; NaN where unknown or farther
    face : index of the face at `point_mm`; -1 where unknown or farther
    depth_is_bound : the depth is at least `-distance_mm`, perhaps more
    farther : the surface lies beyond the cap that was asked for
    """

    distance_mm: float
    point_mm: F64
    axis_point_mm: F64
    face: int
    depth_is_bound: bool
    farther: bool


@dataclass(frozen=True)
class ClosestSurfaces:
    """Where two surfaces are nearest, in the first one's frame.

    Attributes
    ----------
    distance_mm : 0 where they intersect: no depth is claimed; where `farther`, the cap
    point_mm, other_point_mm : (3,) float64, on each surface; NaN where farther, or where one solid lies inside the other
    face, other_face : the faces there, -1 where there are none
    intersects : the surfaces meet, or one solid lies inside the other
    farther : the surfaces are farther apart than the cap that was asked for
    """

    distance_mm: float
    point_mm: F64
    other_point_mm: F64
    face: int
    other_face: int
    intersects: bool
    farther: bool


@dataclass(frozen=True)
class RayHits:
    """First hits of N rays: distance_mm (N,) float64, inf where nothing is hit and NaN where unknown; face (N,) int32, else -1."""

    distance_mm: F64
    face: I32
