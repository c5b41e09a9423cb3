"""An optical tracker over its whole volume: marker noise and a bias field that grow with distance, as stereo triangulation makes them.

Two sensors a baseline apart see a marker at x_l = (X + b/2) / Z, x_r = (X - b/2) / Z, y = Y / Z. Whatever moves these by dx_l, dx_r, dy moves the
point by dZ = -Z^2 (dx_l - dx_r) / b, dX = Z (dx_l + dx_r) / 2 + X dZ / Z, dY = Z dy + Y dZ / Z: across the line of sight with Z, along it with Z^2.

Of the Polaris class: 0.25 mm RMS over the volume, by one marker at places all over it, each the mean of 30 samples, is what its maker lets pass
(NDI, Polaris Vicra User Guide, 2005, appendix A). That mean leaves a bias; what is left of a lens after calibration is smooth over the picture.
The marker noise has the RMS length, 0.045 mm, that was published of a static marker before the newer Polaris Vega, at the distance at which the
demonstration's tracker stands, and grows from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from phantoms.shapes import Array
from phantoms.stage import CAMERA_DISTANCE_MM
from phantoms.tracker import MarkerNoise

#: 0.045 mm RMS, along the line of sight about as much worse as in `MarkerNoise`.
STATIC_NOISE = MarkerNoise(across_mm=0.015, along_mm=0.04)


@dataclass(frozen=True)
class MeasuringVolume:
    """A tracker's volume, z away from it, and its errors there.

    Attributes
    ----------
    near_mm, far_mm : where the volume begins and ends
    half_width, half_height : of the volume at distance 1
    baseline_mm : between the two sensors
    bias_rms_mm : RMS length of the bias over the volume
    noise : of a marker at `CAMERA_DISTANCE_MM`
    seed : of the device: which smooth distortions its sensors have
    """

    near_mm: float = 950.0
    far_mm: float = 2400.0
    half_width: float = 0.32
    half_height: float = 0.27
    baseline_mm: float = 500.0
    bias_rms_mm: float = 0.25
    noise: MarkerNoise = STATIC_NOISE
    seed: int = 1

    def noise_at(self, z_mm: float) -> MarkerNoise:
        """A marker's noise at a distance."""
        share = z_mm / CAMERA_DISTANCE_MM
        return MarkerNoise(self.noise.across_mm * share, self.noise.along_mm * share * share)

    def bias_mm(self, points_mm: Array) -> Array:
        """By how much markers are seen off, (..., 3) mm, at (..., 3) mm of tracker axes; the same every time."""
        return np.asarray(self._scale * self._bias(np.asarray(points_mm, dtype=np.float64)))

    def inside(self, points_mm: Array) -> bool:
        """Whether all points (..., 3) lie in the volume."""
        x, y, z = np.moveaxis(np.asarray(points_mm), -1, 0)
        return bool(((z >= self.near_mm) & (z <= self.far_mm) & (np.abs(x) <= self.half_width * z) & (np.abs(y) <= self.half_height * z)).all())

    def places_mm(self, count: int, seed: int = 0) -> Array:
        """(count, 3) places spread evenly over the volume."""
        rng = np.random.default_rng(seed)
        # A pyramid's slice grows with z squared.
        z = np.cbrt(self.near_mm**3 + rng.random(count) * (self.far_mm**3 - self.near_mm**3))
        side = rng.uniform(-1.0, 1.0, (count, 2)) * (self.half_width, self.half_height) * z[:, None]
        return np.column_stack([side, z])

    @cached_property
    def _scale(self) -> float:
        return self.bias_rms_mm / float(np.sqrt(np.square(self._bias(self.places_mm(4000))).sum(axis=1).mean()))

    @cached_property
    def _shapes(self) -> Array:
        """(3, 10) coefficients of what is left of each sensor's x, and of y: all products of u and v up to the third power."""
        return np.random.default_rng([self.seed, 9]).standard_normal((3, 10))

    def _bias(self, points: Array) -> Array:
        x, y, z = np.moveaxis(points, -1, 0)
        half = self.baseline_mm / 2.0
        views = np.stack([(x + half) / z, (x - half) / z, x / z])
        left, right, up = (
            np.einsum("k,k...->...", shape, _cubic(view / self.half_width, y / z / self.half_height))
            for shape, view in zip(self._shapes, views, strict=True)
        )
        along = -z * z * (left - right) / self.baseline_mm
        return np.stack([z * (left + right) / 2.0 + x * along / z, z * up + y * along / z, along], axis=-1)


def _cubic(u: Array, v: Array) -> Array:
    """(10, ...) the products u^i v^j with i + j <= 3."""
    return np.stack([u**i * v**j for i in range(4) for j in range(4 - i)])
