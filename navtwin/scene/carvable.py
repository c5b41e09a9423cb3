"""A structure that can be drilled: what is left of it, as a surface, and how much is gone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from navtwin import kernels
from navtwin.errors import InputRefused
from navtwin.kernels.carve import STEPS, carve, fill, mark_near
from navtwin.scene.answers import ClosestPoints
from navtwin.scene.extract import contour, extract_surface
from navtwin.scene.surface import Surface
from navtwin.volumes.volume import Volume

#: Cells of margin around the structure: the clamp on either side of the surface, and one more.
_MARGIN = 4
#: One byte each.
MOST_CELLS = 400_000_000
#: Coarsest cell that is chosen by itself: a burr of 1.5 mm radius then spans four, and the volume it takes is right within 2 % (at two, 6 %).
COARSEST_MM = 0.375


class Carvable:
    """A solid on a grid of cubic cells along the `ct` axes.

    The grid is filled with exact distances to the extracted surface, so neither the scan's thick slices nor its handedness matter to a carve.
    """

    def __init__(self, surface: Surface, side_mm: float) -> None:
        """Put a closed surface on a grid.

        Raises
        ------
        InputRefused : the surface has no inside, or needs too many cells of that side
        """
        if not surface.sign_is_trusted:
            raise InputRefused("the surface is not closed with outward normals", "close it before drilling into it")
        if not 0.0 < side_mm < np.inf:
            raise InputRefused(f"side_mm is {side_mm}", "pass the side of a cell in mm")
        low, high = surface.bounds_mm
        shape = np.ceil((high - low) / side_mm).astype(np.int64) + 2 * _MARGIN
        if shape.prod() > MOST_CELLS:
            raise InputRefused(f"{shape.prod():.3g} cells of {side_mm} mm are too many", "pass a larger side_mm, or fewer labels")
        self.side_mm = side_mm
        self.removed_mm3 = 0.0
        self._origin = low - (_MARGIN - 0.5) * side_mm
        self._surface: Surface | None = None
        near = np.zeros(shape[::-1], np.bool_)
        mark_near(surface.forest, self._origin, side_mm, near)
        self._field = np.empty(near.shape, np.int8)
        fill(surface.forest, self._origin, side_mm, near, self._field, kernels.workspace())

    @classmethod
    def from_volume(
        cls, volume: Volume, threshold_hu: float | None = None, labels: int | Sequence[int] | None = None, side_mm: float | None = None
    ) -> Carvable:
        """What lies at or above a threshold of a CT, or some labels of a label volume.

        Parameters
        ----------
        side_mm : side of a cell; by default the finest of the voxel's sides, and COARSEST_MM at most

        Raises
        ------
        InputRefused : as `extract_surface`
        """
        surface = extract_surface(volume, threshold_hu=threshold_hu, labels=labels)
        return cls(surface, min(*volume.spacing_mm, COARSEST_MM) if side_mm is None else side_mm)

    def carve(self, a_mm: npt.ArrayLike, b_mm: npt.ArrayLike, radius_mm: float) -> float:
        """Remove the capsule around a-b (a == b: a ball) and return the volume that it took, mm^3; what is gone already counts no more."""
        a, b = np.asarray(a_mm, dtype=np.float64).reshape(3), np.asarray(b_mm, dtype=np.float64).reshape(3)
        if not (np.isfinite(a).all() and np.isfinite(b).all() and 0.0 <= radius_mm < np.inf):
            raise InputRefused(f"a capsule from {a.tolist()} to {b.tolist()} of radius {radius_mm} cannot be carved", "skip poses that are not known")
        removed = float(carve(self._field, self._origin, self.side_mm, a, b, float(radius_mm)))
        if removed > 0.0:
            self._surface = None
            self.removed_mm3 += removed
        return removed

    def surface(self) -> Surface:
        """The surface of what is left; extracted anew after a carve.

        Raises
        ------
        InputRefused : nothing is left
        """
        if self._surface is None:
            if (self._field >= 0).all():
                raise InputRefused("nothing is left of the structure", "start again from the volume")
            inwards = -(self._field.astype(np.float32) + np.float32(0.5)) / np.float32(STEPS)
            cells, faces = contour(inwards, 0.0)
            self._surface = Surface.from_arrays((cells + 1.0) * self.side_mm + self._origin, faces)
        return self._surface

    def closest(self, points_mm: npt.ArrayLike) -> ClosestPoints:
        """Signed distances of (N, 3) points to what is left, mm."""
        return self.surface().closest(points_mm)
