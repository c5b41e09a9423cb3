"""A press of the mouse on a slice, in millimetres of the patient. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import dist
from typing import Final

from navtwin.rigid import Vec3
from navtwin.scene.slices import ACROSS, Plane

#: A point this near to a slice is on it and can be taken hold of there; one farther away only shows through, mm.
ON_SLICE_MM: Final = 1.0


@dataclass(frozen=True)
class Touch:
    """Where the patient was touched.

    Attributes
    ----------
    plane : of the slice; None where the 3D picture was touched
    at_mm : in ct
    reach_mm : what is this near to it is meant
    more : with Ctrl
    """

    plane: Plane | None
    at_mm: Vec3
    reach_mm: float = 1.0
    more: bool = False

    def off_slice_mm(self, point_mm: Vec3) -> float:
        """How far a point lies from the slice; 0 in the 3D picture."""
        return 0.0 if self.plane is None else abs(point_mm[ACROSS[self.plane]] - self.at_mm[ACROSS[self.plane]])

    def away_mm(self, point_mm: Vec3) -> float:
        """How far a point lies from the touch as it is seen: straight on the slice."""
        return dist(self.flat(point_mm), self.flat(self.at_mm))

    def flat(self, point_mm: Vec3) -> tuple[float, ...]:
        """A point without what the slice does not show of it."""
        return tuple(v for axis, v in enumerate(point_mm) if self.plane is None or axis != ACROSS[self.plane])

    def nearest(self, points_mm: Sequence[Vec3]) -> int | None:
        """The index of the point that is meant: on this slice, within reach, the nearest; None if none is."""
        near = [(self.away_mm(p), n) for n, p in enumerate(points_mm) if self.off_slice_mm(p) <= ON_SLICE_MM and self.away_mm(p) <= self.reach_mm]
        return min(near)[1] if near else None


def shifted(point_mm: Vec3, start_mm: Vec3, end_mm: Vec3) -> Vec3:
    """A point carried along from `start_mm` to `end_mm`."""
    x, y, z = (p + e - s for p, s, e in zip(point_mm, start_mm, end_mm, strict=True))
    return (x, y, z)
