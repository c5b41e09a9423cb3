"""Shapes whose signed distance is known in closed form: the oracle behind every phantom.

Distances are in mm, negative inside. A `Union` is exact outside; inside it, where its members overlap, the depth is at least what it says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from navtwin.rigid import Vec3

Array = npt.NDArray[np.float64]


class Shape(Protocol):
    """What a phantom is made of."""

    def distance_mm(self, points_mm: npt.ArrayLike) -> Array:
        """Signed distance (N,), mm, of points (N, 3), mm; negative inside."""

    def bounds_mm(self) -> tuple[Array, Array]:
        """Lowest and highest corner (3,), mm, of a box that holds the shape."""


def _points(points_mm: npt.ArrayLike) -> Array:
    return np.atleast_2d(np.asarray(points_mm, dtype=np.float64))


def _length(v: Array) -> Array:
    """Euclidean length over the last axis."""
    return np.asarray(np.sqrt(np.einsum("...i,...i->...", v, v)))


@dataclass(frozen=True)
class Sphere:
    centre_mm: Vec3
    radius_mm: float

    def distance_mm(self, points_mm: npt.ArrayLike) -> Array:
        return _length(_points(points_mm) - np.array(self.centre_mm)) - self.radius_mm

    def bounds_mm(self) -> tuple[Array, Array]:
        centre = np.array(self.centre_mm)
        return centre - self.radius_mm, centre + self.radius_mm


@dataclass(frozen=True)
class Tube:
    """A chain of capsules of one radius along a polyline; two points make one capsule."""

    path_mm: tuple[Vec3, ...]
    radius_mm: float

    def distance_mm(self, points_mm: npt.ArrayLike) -> Array:
        p = _points(points_mm)
        nearest = np.full(len(p), np.inf)
        for start, end in zip(self.path_mm[:-1], self.path_mm[1:], strict=True):
            a, along = np.array(start), np.array(end) - np.array(start)
            s = np.clip((p - a) @ along / (along @ along), 0.0, 1.0)
            nearest = np.minimum(nearest, _length(p - a - s[:, None] * along))
        return nearest - self.radius_mm

    def bounds_mm(self) -> tuple[Array, Array]:
        path = np.array(self.path_mm)
        return path.min(axis=0) - self.radius_mm, path.max(axis=0) + self.radius_mm


@dataclass(frozen=True)
class Cylinder:
    """A capped cylinder between the centres of its two faces, its rims rounded."""

    a_mm: Vec3
    b_mm: Vec3
    radius_mm: float
    rounding_mm: float = 0.0

    def distance_mm(self, points_mm: npt.ArrayLike) -> Array:
        a, b = np.array(self.a_mm), np.array(self.b_mm)
        half = _length(b - a) / 2.0
        axis = (b - a) / (2.0 * half)
        offset = _points(points_mm) - (a + b) / 2.0
        height = offset @ axis
        radial = _length(offset - height[:, None] * axis)
        q = np.stack([radial - (self.radius_mm - self.rounding_mm), np.abs(height) - (half - self.rounding_mm)], axis=1)
        return _corner_distance(q) - self.rounding_mm

    def bounds_mm(self) -> tuple[Array, Array]:
        ends = np.array([self.a_mm, self.b_mm])
        return ends.min(axis=0) - self.radius_mm, ends.max(axis=0) + self.radius_mm


@dataclass(frozen=True)
class Box:
    """A box along the axes, its edges rounded."""

    centre_mm: Vec3
    half_mm: Vec3
    rounding_mm: float = 0.0

    def distance_mm(self, points_mm: npt.ArrayLike) -> Array:
        q = np.abs(_points(points_mm) - np.array(self.centre_mm)) - (np.array(self.half_mm) - self.rounding_mm)
        return _corner_distance(q) - self.rounding_mm

    def bounds_mm(self) -> tuple[Array, Array]:
        centre, half = np.array(self.centre_mm), np.array(self.half_mm)
        return centre - half, centre + half


def _corner_distance(q: Array) -> Array:
    """Distance to a corner region, given the signed excess (N, D) over each of its faces."""
    return np.asarray(_length(np.maximum(q, 0.0)) + np.minimum(q.max(axis=1), 0.0))


@dataclass(frozen=True)
class Ellipsoid:
    """An ellipsoid along the axes.

    The closest point solves sum_i (e_i p_i / (t + e_i^2))^2 = 1 for its largest root t (Eberly, "Distance from a point to an ellipse, an ellipsoid,
    or a hyperellipsoid"). It is bisected in s = t + e_min^2, which keeps its relative precision near the poles, where s is tiny.
    """

    centre_mm: Vec3
    radii_mm: Vec3

    def distance_mm(self, points_mm: npt.ArrayLike) -> Array:
        radii = np.array(self.radii_mm)
        # A coordinate of exactly 0 makes the root collapse onto a pole; a nudge far below any tolerance avoids the special cases.
        p = np.maximum(np.abs(_points(points_mm) - np.array(self.centre_mm)), 1e-9 * radii)
        shift = radii**2 - radii.min() ** 2
        low = radii.min() * p[:, int(np.argmin(radii))]
        high = _length(radii * p)
        for _ in range(90):
            middle = 0.5 * (low + high)
            outside = ((radii * p / (middle[:, None] + shift)) ** 2).sum(axis=1) > 1.0
            low, high = np.where(outside, middle, low), np.where(outside, high, middle)
        closest = radii**2 * p / (0.5 * (low + high)[:, None] + shift)
        inside = ((p / radii) ** 2).sum(axis=1) < 1.0
        return np.where(inside, -1.0, 1.0) * _length(p - closest)

    def bounds_mm(self) -> tuple[Array, Array]:
        centre, radii = np.array(self.centre_mm), np.array(self.radii_mm)
        return centre - radii, centre + radii


@dataclass(frozen=True)
class Union:
    members: tuple[Shape, ...]

    def distance_mm(self, points_mm: npt.ArrayLike) -> Array:
        p = _points(points_mm)
        return np.asarray(np.min([m.distance_mm(p) for m in self.members], axis=0))

    def bounds_mm(self) -> tuple[Array, Array]:
        corners = [m.bounds_mm() for m in self.members]
        return np.min([low for low, _ in corners], axis=0), np.max([high for _, high in corners], axis=0)
