"""The lens of a calibrated camera: where a point before it falls in the picture, and how far aside the model may be trusted.

The model is OpenCV's (its documentation of the module calib3d): a pinhole, then radial distortion, rational in r^2 where k4 k5 k6 are given, and
decentring (Brown, "Close-range camera calibration", Photogrammetric Engineering 1971;37:855; Heikkila and Silven, CVPR 1997, eq. 4-6), thin-prism
terms s1-s4 (Weng, Cohen and Herniou, IEEE PAMI 1992;14:965), and a sensor tilted by tx, ty (Louhichi et al., Meas. Sci. Technol. 2007;18:2616).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.nouns import RigCamera

F64 = npt.NDArray[np.float64]

#: Lengths of the coefficient lists that the model knows.
DISTORTION_LENGTHS = (0, 4, 5, 8, 12, 14)
#: What is nearer to the camera's plane than this, or behind it, has no image, mm.
NEAREST_MM = 1.0
#: Tangent of the widest angle from the optical axis that any lens of this model is asked for.
WIDEST = 10.0
#: In how many directions, and at how many radii, the outward growth of the whole model is looked at.
DIRECTIONS, RADII = 36, 800
#: A coefficient of a polynomial in r^2 below this moves nothing within `WIDEST`.
NO_TERM = 1e-20
#: A step for derivatives by central differences, mm: its error is far below a thousandth of a pixel.
STEP_MM = 0.01


@dataclass(frozen=True, eq=False)
class Lens:
    """A camera of the rig, made ready to project.

    Attributes
    ----------
    focal_px, centre_px : (2,) focal lengths and principal point; pixel (0, 0) is the centre of the first pixel
    coefficients : (14,) k1 k2 p1 p2 k3 k4 k5 k6 s1 s2 s3 s4 tx ty, 0 where the calibration has none
    width_px, height_px : of the picture
    """

    focal_px: F64
    centre_px: F64
    coefficients: F64
    width_px: int
    height_px: int

    @classmethod
    def of(cls, camera: RigCamera) -> Lens:
        """The lens of a camera of the rig.

        Raises
        ------
        InputRefused : a number of coefficients that the model does not have
        """
        if len(camera.distortion) not in DISTORTION_LENGTHS:
            raise InputRefused(
                f"camera '{camera.name}' of the rig has {len(camera.distortion)} distortion coefficients",
                f"state {DISTORTION_LENGTHS} of them, as OpenCV orders them",
            )
        coefficients = np.zeros(14)
        coefficients[: len(camera.distortion)] = camera.distortion
        return cls(np.array(camera.focal_px), np.array(camera.centre_px), coefficients, camera.width_px, camera.height_px)

    def cropped(self, left_px: float, top_px: float, width_px: int, height_px: int) -> Lens:
        """The same lens, its pixels counted in a part of the picture that begins so far from the picture's corner."""
        part = Lens(self.focal_px, self.centre_px - (left_px, top_px), self.coefficients, width_px, height_px)
        # Where the model ends has nothing to do with where pixels are counted from, and takes a while to find.
        part.__dict__["limit"] = self.limit
        return part

    def project(self, points_mm: npt.ArrayLike) -> F64:
        """Image points.

        Parameters
        ----------
        points_mm : (..., 3), camera axes: x right, y down, z forward

        Returns
        -------
        (..., 2) px; NaN for what is behind the camera, or so far aside that the model would fold it back into the picture
        """
        points = np.asarray(points_mm, dtype=np.float64)
        before = points[..., 2] > NEAREST_MM
        z = np.where(before, points[..., 2], 1.0)
        x, y = points[..., 0] / z, points[..., 1] / z
        seen = before & (x * x + y * y < self.limit**2)
        xd, yd = self._distorted(np.where(seen, x, 0.0), np.where(seen, y, 0.0))
        pixels = np.stack((xd, yd), axis=-1) * self.focal_px + self.centre_px
        pixels[~seen] = np.nan
        return pixels

    def gradient(self, points_mm: npt.ArrayLike) -> F64:
        """(..., 2, 3) how an image point moves, px, as the point moves by 1 mm along each camera axis. NaN where `project` is."""
        points = np.asarray(points_mm, dtype=np.float64)
        steps = STEP_MM * np.concatenate([np.eye(3), -np.eye(3)])
        around = self.project(points[..., None, :] + steps)
        return np.asarray(np.swapaxes(around[..., :3, :] - around[..., 3:, :], -1, -2) / (2.0 * STEP_MM))

    @cached_property
    def limit(self) -> float:
        """Tangent of the angle from the optical axis up to which further out is further out in the picture too.

        Beyond it the distortion's polynomial turns back: what lies outside the calibrated field would be drawn inside.
        """
        radial = min(self._radial_limit(), WIDEST)
        radii = np.linspace(0.0, radial, RADII, endpoint=False)
        turn = np.arange(DIRECTIONS) * (2.0 * np.pi / DIRECTIONS)
        way = np.stack((np.cos(turn), np.sin(turn)))
        x, y = self._distorted(*(way[:, :, None] * radii))
        outward = np.diff(x) * way[0][:, None] + np.diff(y) * way[1][:, None]
        wrong = np.flatnonzero(~(outward > 0.0).all(axis=0))
        return float(radii[wrong[0]]) if len(wrong) else radial

    def _radial_limit(self) -> float:
        """The same for the radial terms alone, exactly: where the derivative of r N(s) / D(s), s = r^2, or D itself first is 0."""
        k1, k2, _, _, k3, k4, k5, k6 = self.coefficients[:8]
        above, below = np.polynomial.Polynomial((1.0, k1, k2, k3)), np.polynomial.Polynomial((1.0, k4, k5, k6))
        s = np.polynomial.Polynomial((0.0, 1.0))
        growth = (above + 2.0 * s * above.deriv()) * below - 2.0 * s * above * below.deriv()
        roots = np.concatenate([growth.trim(NO_TERM).roots(), below.trim(NO_TERM).roots()])
        real = roots.real[(np.abs(roots.imag) < 1e-9 * (1.0 + np.abs(roots))) & (roots.real > 0.0)]
        return float(np.sqrt(real.min())) if len(real) else np.inf

    def _distorted(self, x: F64, y: F64) -> tuple[F64, F64]:
        """Pinhole coordinates, distorted; still with focal length 1 and the principal point at 0."""
        k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4, tx, ty = self.coefficients.tolist()
        s = x * x + y * y
        radial = (1.0 + s * (k1 + s * (k2 + s * k3))) / (1.0 + s * (k4 + s * (k5 + s * k6)))
        xy2 = 2.0 * x * y
        xd = x * radial + p1 * xy2 + p2 * (s + 2.0 * x * x) + s * (s1 + s * s2)
        yd = y * radial + p1 * (s + 2.0 * y * y) + p2 * xy2 + s * (s3 + s * s4)
        if tx == 0.0 and ty == 0.0:
            return xd, yd
        tilt = _sensor_tilt(tx, ty)
        w = tilt[2, 0] * xd + tilt[2, 1] * yd + tilt[2, 2]
        return (tilt[0, 0] * xd + tilt[0, 1] * yd + tilt[0, 2]) / w, (tilt[1, 0] * xd + tilt[1, 1] * yd + tilt[1, 2]) / w


def _sensor_tilt(about_x_rad: float, about_y_rad: float) -> F64:
    """(3, 3) projection from the upright sensor on one turned about x, then y: the ray through a point is cut with the turned plane."""
    cx, sx, cy, sy = np.cos(about_x_rad), np.sin(about_x_rad), np.cos(about_y_rad), np.sin(about_y_rad)
    about_x = np.array(((1.0, 0.0, 0.0), (0.0, cx, sx), (0.0, -sx, cx)))
    about_y = np.array(((cy, 0.0, -sy), (0.0, 1.0, 0.0), (sy, 0.0, cy)))
    turned = about_y @ about_x
    depth, right, down = turned[2, 2], turned[0, 2], turned[1, 2]
    return np.asarray(np.array(((depth, 0.0, -right), (0.0, depth, -down), (0.0, 0.0, 1.0))) @ turned)
