"""A calibrated camera: pinhole with lens distortion, as OpenCV writes it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused

Array = npt.NDArray[np.float64]

#: Lengths of the coefficient lists that the model knows (k1 k2 p1 p2 [k3 [k4 k5 k6 [s1 s2 s3 s4 [tx ty]]]]).
DISTORTION_LENGTHS = (0, 4, 5, 8, 12, 14)


@dataclass(frozen=True, eq=False)
class Camera:
    """Intrinsic calibration. Camera axes: x right, y down, z forward; pixel (0, 0) is the centre of the first pixel.

    Attributes
    ----------
    matrix : (3, 3) with focal lengths and principal point, px
    distortion : (K,) OpenCV's coefficients, K one of 0, 4, 5, 8, 12, 14
    width_px, height_px : size of the images that the calibration holds for
    """

    matrix: Array
    distortion: Array
    width_px: int
    height_px: int

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        distortion = np.array(self.distortion, dtype=np.float64).ravel()
        if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
            raise InputRefused(f"the camera matrix has shape {matrix.shape} or holds NaN", "pass [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] in pixels")
        if matrix[0, 0] <= 0.0 or matrix[1, 1] <= 0.0 or matrix[1, 0] != 0.0 or matrix[0, 1] != 0.0 or tuple(matrix[2]) != (0.0, 0.0, 1.0):
            raise InputRefused(f"{matrix.tolist()} is not a camera matrix", "pass [[fx, 0, cx], [0, fy, cy], [0, 0, 1]] in pixels")
        if distortion.size not in DISTORTION_LENGTHS or not np.isfinite(distortion).all():
            raise InputRefused(
                f"the camera has {distortion.size} distortion coefficients, or some are NaN",
                f"pass {DISTORTION_LENGTHS} of them, as OpenCV orders them",
            )
        if self.width_px <= 0 or self.height_px <= 0:
            raise InputRefused(f"the camera's images are {self.width_px} x {self.height_px} px", "state the size that the camera was calibrated at")
        if not (0.0 <= matrix[0, 2] < self.width_px and 0.0 <= matrix[1, 2] < self.height_px):
            raise InputRefused(
                f"the camera's principal point ({matrix[0, 2]:.1f}, {matrix[1, 2]:.1f}) lies outside its {self.width_px} x {self.height_px} px image",
                "use the calibration made at this image size",
            )
        for name, array in (("matrix", matrix), ("distortion", distortion)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @cached_property
    def lens(self) -> Array:
        """The lens model in one row, as `tracking.pose.lens` reads it: fx fy cx cy, 12 coefficients, 9 numbers of the sensor's tilt (row by row)."""
        k = np.zeros(14)
        k[: self.distortion.size] = self.distortion
        intrinsics = (self.matrix[0, 0], self.matrix[1, 1], self.matrix[0, 2], self.matrix[1, 2])
        return np.concatenate([intrinsics, k[:12], _sensor_tilt(k[12], k[13]).ravel()])


def _sensor_tilt(about_x_rad: float, about_y_rad: float) -> Array:
    """(3, 3) projection from the upright sensor on one tilted about x, then y (Louhichi et al., Meas. Sci. Technol. 2007;18:2616)."""
    cx, sx, cy, sy = np.cos(about_x_rad), np.sin(about_x_rad), np.cos(about_y_rad), np.sin(about_y_rad)
    turn = np.array([[cy, 0.0, -sy], [0.0, 1.0, 0.0], [sy, 0.0, cy]]) @ np.array([[1.0, 0.0, 0.0], [0.0, cx, sx], [0.0, -sx, cx]])
    onto = np.array([[turn[2, 2], 0.0, -turn[0, 2]], [0.0, turn[2, 2], -turn[1, 2]], [0.0, 0.0, 1.0]])
    return np.asarray(onto @ turn)
