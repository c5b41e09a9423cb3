"""The shapes that a temporal bone needs beside those of `phantoms.shapes`: rings, tapered limbs, and solids with parts cut out of them.

Distances are in mm, negative inside. `Ring` and `Tapered` are exact. What is joined, cut or blended has its surface in closed form; away from that
surface the distance is never too large: it changes by no more than the point moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from navtwin.rigid import Vec3
from phantoms.path import unit
from phantoms.shapes import Array, Shape


def length(v: Array) -> Array:
    """Euclidean length over the last axis."""
    return np.asarray(np.sqrt(np.einsum("...i,...i->...", v, v)))


def as_points(points_mm: npt.ArrayLike) -> Array:
    return np.atleast_2d(np.asarray(points_mm, dtype=np.float64))


@dataclass(frozen=True)
class Balls:
    """Many balls: centres (K, 3), mm, and radii (K,), mm."""

    centres_mm: tuple[Vec3, ...]
    radii_mm: tuple[float, ...]

    def distance_mm(self, points_mm: npt.ArrayLike) -> Array:
        p = as_points(points_mm)
        nearest = np.full(len(p), np.inf)
        for centre, radius in zip(self.centres_mm, self.radii_mm, strict=True):
            nearest = np.minimum(nearest, length(p - np.array(centre)) - radius)
        return nearest

    def bounds_mm(self) -> tuple[Array, Array]:
        centres, radii = np.array(self.centres_mm), np.array(self.radii_mm)[:, None]
        return (centres - radii).min(axis=0), (centres + radii).max(axis=0)


@dataclass(frozen=True)
class Ring:
    """A torus: a circle about `normal`, and all within `tube_mm` of it."""

    centre_mm: Vec3
    normal: Vec3
    radius_mm: float
    tube_mm: float

    def distance_mm(self, points_mm: npt.ArrayLike) -> Array:
        offset = as_points(points_mm) - np.array(self.centre_mm)
        axis = unit(np.array(self.normal))
        height = offset @ axis
        radial = length(offset - height[:, None] * axis)
        return np.asarray(np.hypot(radial - self.radius_mm, height) - self.tube_mm)

    def bounds_mm(self) -> tuple[Array, Array]:
        axis = unit(np.array(self.normal))
        reach = self.radius_mm * np.sqrt(np.maximum(1.0 - axis**2, 0.0)) + self.tube_mm
        return np.array(self.centre_mm) - reach, np.array(self.centre_mm) + reach


@dataclass(frozen=True)
class Tapered:
    """The hull of two balls, neither inside the other.

    In the plane through the axis the flanks are lines that touch both circles: a point belongs to a ball where it lies before that ball's line of
    contact, and to the flank between the two.
    """

    a_mm: Vec3
    b_mm: Vec3
    a_radius_mm: float
    b_radius_mm: float

    def distance_mm(self, points_mm: npt.ArrayLike) -> Array:
        a, b = np.array(self.a_mm), np.array(self.b_mm)
        between = float(length(b - a))
        axis = (b - a) / between
        # The flank's normal leans towards the smaller ball by this much.
        lean = (self.a_radius_mm - self.b_radius_mm) / between
        upright = float(np.sqrt(1.0 - lean * lean))
        offset = as_points(points_mm) - a
        along = offset @ axis
        radial = length(offset - along[:, None] * axis)
        # Where the normal of the flank through the point meets the axis.
        foot = along - radial * lean / upright
        flank = radial * upright + along * lean - self.a_radius_mm
        beyond = np.where(foot > between, np.hypot(radial, along - between) - self.b_radius_mm, flank)
        return np.asarray(np.where(foot < 0.0, np.hypot(radial, along) - self.a_radius_mm, beyond))

    def bounds_mm(self) -> tuple[Array, Array]:
        ends, radii = np.array([self.a_mm, self.b_mm]), np.array([[self.a_radius_mm], [self.b_radius_mm]])
        return (ends - radii).min(axis=0), (ends + radii).max(axis=0)


@dataclass(frozen=True)
class Blend:
    """Members joined with fillets: where two of them are about as near as each other, within `reach_mm`, they melt into one another.

    Each member in turn is joined by min(a, b) - (reach - |a - b|)+^2 / (4 reach), the quadratic that is tangent to both branches of the minimum.
    """

    members: tuple[Shape, ...]
    reach_mm: float

    def distance_mm(self, points_mm: npt.ArrayLike) -> Array:
        p = as_points(points_mm)
        joined = self.members[0].distance_mm(p)
        for member in self.members[1:]:
            joined = -_round_max(-joined, -member.distance_mm(p), self.reach_mm)
        return joined

    def bounds_mm(self) -> tuple[Array, Array]:
        corners = [m.bounds_mm() for m in self.members]
        fillet = 0.25 * self.reach_mm * len(self.members)
        return np.min([low for low, _ in corners], axis=0) - fillet, np.max([high for _, high in corners], axis=0) + fillet


@dataclass(frozen=True)
class Difference:
    """What is left of a solid without others, each enlarged by `margin_mm`; edges where it was cut are rounded over `reach_mm` (0: sharp).

    It always lies within the sharp one: rounding takes away and never adds.
    """

    whole: Shape
    without: tuple[Shape, ...]
    margin_mm: float = 0.0
    reach_mm: float = 0.0

    def distance_mm(self, points_mm: npt.ArrayLike) -> Array:
        p = as_points(points_mm)
        left = self.whole.distance_mm(p)
        for member in self.without:
            left = _round_max(left, self.margin_mm - member.distance_mm(p), self.reach_mm)
        return left

    def bounds_mm(self) -> tuple[Array, Array]:
        return self.whole.bounds_mm()


@dataclass(frozen=True)
class Common:
    """What two solids have in common, its edges rounded over `reach_mm`; the second is enlarged by `margin_mm` first."""

    one: Shape
    other: Shape
    margin_mm: float = 0.0
    reach_mm: float = 0.0

    def distance_mm(self, points_mm: npt.ArrayLike) -> Array:
        p = as_points(points_mm)
        return _round_max(self.one.distance_mm(p), self.other.distance_mm(p) - self.margin_mm, self.reach_mm)

    def bounds_mm(self) -> tuple[Array, Array]:
        (low, high), (other_low, other_high) = self.one.bounds_mm(), self.other.bounds_mm()
        return np.maximum(low, other_low - self.margin_mm), np.minimum(high, other_high + self.margin_mm)


def _round_max(a: Array, b: Array, reach_mm: float) -> Array:
    """The larger of two, rounded upwards where they differ by less than `reach_mm`."""
    larger = np.maximum(a, b)
    if reach_mm == 0.0:
        return larger
    return np.asarray(larger + np.maximum(reach_mm - np.abs(a - b), 0.0) ** 2 / (4.0 * reach_mm))


def spiral(
    centre_mm: Vec3, axis: Vec3, start: Vec3, *, turns: float, radii_mm: tuple[float, float], height_mm: float, steps: int
) -> tuple[Vec3, ...]:
    """Points of a conical spiral about `axis`, from towards `start` on, its radius shrinking from the first to the second of `radii_mm`."""
    up = unit(np.array(axis))
    first = np.array(start) - (np.array(start) @ up) * up
    first = unit(first)
    second = np.cross(up, first)
    share = np.linspace(0.0, 1.0, steps)
    angle = 2.0 * np.pi * turns * share
    radius = radii_mm[0] + (radii_mm[1] - radii_mm[0]) * share
    ring = np.cos(angle)[:, None] * first + np.sin(angle)[:, None] * second
    line = np.array(centre_mm) + radius[:, None] * ring + height_mm * share[:, None] * up
    return tuple((float(x), float(y), float(z)) for x, y, z in line)


def nearest_of(shapes: Sequence[Shape], points_mm: npt.ArrayLike) -> Array:
    """Signed distance (N,), mm, to the nearest of several shapes."""
    p = as_points(points_mm)
    return np.asarray(np.min([s.distance_mm(p) for s in shapes], axis=0))
