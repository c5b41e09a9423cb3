"""The lens: where a point before the camera falls in the image. Written for this package alone; it shares nothing with what solves poses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from phantoms.camera.raster import project_points

Array = npt.NDArray[np.float64]
#: Radial and tangential coefficients that are modelled: k1 k2 p1 p2 k3 k4 k5 k6.
COEFFICIENTS = 8
#: Tangent of the widest angle from the optical axis at which a lens of this model is looked through.
WIDEST = 10.0


@dataclass(frozen=True, eq=False)
class Lens:
    """A pinhole with the distortion of Brown ("Close-range camera calibration", 1971), rational in r^2 where k4 k5 k6 are given.

    Attributes
    ----------
    matrix : (3, 3) focal lengths and principal point, px; pixel (0, 0) is the centre of the first pixel
    distortion : up to eight of k1 k2 p1 p2 k3 k4 k5 k6; further ones (thin prism, tilt) must be 0
    width_px, height_px : of the image
    """

    matrix: Array
    distortion: Array
    width_px: int
    height_px: int

    def __post_init__(self) -> None:
        matrix, given = np.array(self.matrix, dtype=np.float64), np.array(self.distortion, dtype=np.float64).ravel()
        if matrix.shape != (3, 3) or not np.isfinite(matrix).all() or not np.isfinite(given).all() or min(matrix[0, 0], matrix[1, 1]) <= 0.0:
            raise InputRefused("the lens has no finite (3, 3) matrix with focal lengths above 0, or NaN among its coefficients", "correct it")
        if np.any(given[COEFFICIENTS:] != 0.0):
            raise InputRefused("the rendered camera knows no thin-prism or tilted-sensor distortion", "leave s1 s2 s3 s4 tx ty at 0")
        distortion = np.zeros(COEFFICIENTS)
        distortion[: min(len(given), COEFFICIENTS)] = given[:COEFFICIENTS]
        for name, array in (("matrix", matrix), ("distortion", distortion)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @cached_property
    def packed(self) -> Array:
        """(14,) fx fy cx cy, the eight coefficients, the tangent up to which the model holds, and the image's height in px."""
        m = self.matrix
        return np.array([m[0, 0], m[1, 1], m[0, 2], m[1, 2], *self.distortion, self._limit(), float(self.height_px)])

    def _limit(self) -> float:
        """Tangent of the angle at which growing further out begins to fall further in: polynomials fold the world back into the image there."""
        r = np.linspace(1e-3, WIDEST, 20_000)
        s = r * r
        k1, k2, _, _, k3, k4, k5, k6 = self.distortion
        below = 1.0 + s * (k4 + s * (k5 + s * k6))
        out = r * (1.0 + s * (k1 + s * (k2 + s * k3))) / below
        wrong = np.flatnonzero((np.diff(out) <= 0.0) | (below[1:] <= 0.0))
        return float(r[wrong[0]]) if len(wrong) else WIDEST


def project(lens: Lens, points_camera_mm: npt.ArrayLike) -> Array:
    """Exact image points.

    Parameters
    ----------
    points_camera_mm : (..., 3), camera axes (x right, y down, z forward)

    Returns
    -------
    (..., 2) px; NaN for what is behind the camera or so far aside that the lens model no longer holds
    """
    points = np.asarray(points_camera_mm, dtype=np.float64)
    flat = project_points(lens.packed, np.ascontiguousarray(points.reshape(-1, 3)))
    return np.asarray(flat.reshape(*points.shape[:-1], 2))
