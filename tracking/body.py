"""A rigid body that carries square markers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused

Array = npt.NDArray[np.float64]

#: No body of printed markers is larger.
FARTHEST_MM = 10_000.0


@dataclass(frozen=True, eq=False)
class MarkerBody:
    """Which markers a body carries, and where their corners are.

    Attributes
    ----------
    ids : (N,) numbers of the markers in their dictionary, each once
    corners_mm : (N, 4, 3) corners in the body's axes: top left, top right, bottom right, bottom left, as the upright marker is seen from its front
    """

    ids: npt.NDArray[np.int32]
    corners_mm: Array

    def __post_init__(self) -> None:
        ids = np.array(self.ids)
        corners = np.array(self.corners_mm, dtype=np.float64)
        if ids.ndim != 1 or len(ids) == 0 or ids.dtype.kind not in "iu":
            raise InputRefused(f"the body's marker numbers have shape {ids.shape} and type {ids.dtype}", "pass at least one whole number")
        if corners.shape != (len(ids), 4, 3):
            raise InputRefused(f"the corners of {len(ids)} marker(s) have shape {corners.shape}", "pass (N, 4, 3), in mm")
        if not np.isfinite(corners).all():
            raise InputRefused("the body's corners hold NaN or infinite values", "measure that marker again, or leave it out")
        if np.abs(corners).max() > FARTHEST_MM:
            raise InputRefused(
                f"a corner of the body lies {np.abs(corners).max():.3g} mm from its origin", "state corners in mm, in the body's own axes"
            )
        values, counts = np.unique(ids, return_counts=True)
        if counts.max() > 1:
            raise InputRefused(f"marker {values[counts.argmax()]} is on the body twice", "give each marker its own number")
        sides = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)
        area = np.linalg.norm(np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]), axis=1) / 2.0
        flat = np.flatnonzero((sides.min(axis=1) <= 0.0) | (area < 0.5 * sides.mean(axis=1) ** 2))
        if len(flat):
            raise InputRefused(f"the corners of marker {ids[flat[0]]} do not go round a square", "order them round it, from the top left")
        for name, array in (("ids", ids.astype(np.int32)), ("corners_mm", corners)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def square(cls, marker_id: int, side_mm: float) -> MarkerBody:
        """One marker: origin at its centre, x to its right, y up, z out of its front."""
        if not (np.isfinite(side_mm) and side_mm > 0.0):
            raise InputRefused(f"the marker's side is {side_mm} mm", "measure the black square's side in mm")
        half = side_mm / 2.0
        corners = [[(-half, half, 0.0), (half, half, 0.0), (half, -half, 0.0), (-half, -half, 0.0)]]
        return cls(np.array([marker_id], dtype=np.int32), np.array(corners))
