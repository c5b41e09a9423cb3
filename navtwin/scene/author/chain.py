"""Tubes and balls as chains of round pieces, with exact distances: each piece is the hull of two balls.

The curve through clicked points is a Catmull-Rom spline with centripetal knots (Yuksel, Schaefer, Keyser 2011): it passes through every point,
and of that family it alone makes no loops or cusps between unevenly spaced points, as a hand clicks them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.scene.author.grid import F32, F64, Grid
from navtwin.scene.author.recipe import Sphere, Tube

#: Straight pieces stray from the curve by less than this, mm.
STRAY_MM: Final = 0.02
_MOST_HALVINGS: Final = 6
#: Cells to the radius: faces then lie within 1 % of it of the true surface.
_CELLS: Final = 5.0
#: No face may lie farther off than this, mm, however large the ball.
_SAGITTA_MM: Final = 0.02


@dataclass(frozen=True)
class Chain:
    """Balls joined each to the next.

    Attributes
    ----------
    centres : (N, 3), mm; one for a sphere
    radii : (N,), mm
    """

    centres: F64
    radii: F64

    @property
    def low(self) -> F64:
        return np.asarray((self.centres - self.radii[:, None]).min(axis=0))

    @property
    def high(self) -> F64:
        return np.asarray((self.centres + self.radii[:, None]).max(axis=0))

    @property
    def length_mm(self) -> float:
        """Of the centre line."""
        return float(np.linalg.norm(np.diff(self.centres, axis=0), axis=1).sum())

    @property
    def side_mm(self) -> float:
        """Side of the cells that show it well."""
        radius = float(self.radii.min())
        return min(radius / _CELLS, 1.25 * float(np.sqrt(8.0 * radius * _SAGITTA_MM)))

    @property
    def coarsest_mm(self) -> float:
        return float(self.radii.min()) / 2.5

    def sample(self, grid: Grid) -> F32:
        """Distances at the nodes of a grid; what is far outside is only said to be outside."""
        band = 2.5 * float(grid.sides_mm.max())
        field = np.full(grid.shape, band, dtype=np.float32)
        for piece in range(max(len(self.radii) - 1, 1)):
            low, high = self._bounds(piece)
            span = grid.span(low - band, high + band)
            distance, _ = self._piece(piece, grid.nodes(span))
            part = field[span]
            np.minimum(part, distance.reshape(part.shape).astype(np.float32), out=part)
        return field

    def at(self, points_mm: F64, within_mm: float) -> tuple[F64, F64]:
        """Distance (N,) of points near the surface, and the direction (N, 3) in which it grows; beyond `within_mm` only that it is beyond."""
        distance, way = np.full(len(points_mm), within_mm), np.zeros((len(points_mm), 3))
        # Sorted along the longest way, the points that a piece may be near to lie together.
        axis = int(np.argmax(np.ptp(points_mm, axis=0)))
        order = np.argsort(points_mm[:, axis], kind="stable")
        sorted_mm = points_mm[order, axis]
        for piece in range(max(len(self.radii) - 1, 1)):
            low, high = self._bounds(piece)
            first, last = np.searchsorted(sorted_mm, (low[axis] - within_mm, high[axis] + within_mm))
            near = order[first:last]
            d, w = self._piece(piece, points_mm[near])
            nearer = d < distance[near]
            distance[near[nearer]], way[near[nearer]] = d[nearer], w[nearer]
        return distance, way

    def _bounds(self, piece: int) -> tuple[F64, F64]:
        centres, radii = self.centres[piece : piece + 2], self.radii[piece : piece + 2, None]
        return (centres - radii).min(axis=0), (centres + radii).max(axis=0)

    def _piece(self, piece: int, points: F64) -> tuple[F64, F64]:
        a, ra = self.centres[piece], float(self.radii[piece])
        if len(self.radii) == 1:
            return _ball(points, a, ra)
        return _hull(points, a, ra, self.centres[piece + 1], float(self.radii[piece + 1]))


def _ball(points: F64, centre: F64, radius: float) -> tuple[F64, F64]:
    away = points - centre
    length = np.sqrt(np.einsum("ij,ij->i", away, away))
    return length - radius, away / np.maximum(length, 1e-12)[:, None]


def _hull(points: F64, a: F64, ra: float, b: F64, rb: float) -> tuple[F64, F64]:
    """Distance from the hull of two balls: a cone that touches both, and what of the balls lies beyond it."""
    axis = b - a
    length = float(np.sqrt(axis @ axis))
    if abs(ra - rb) >= length:  # one ball holds the other
        return _ball(points, a, ra) if ra >= rb else _ball(points, b, rb)
    axis = axis / length
    slope = (ra - rb) / length
    cosine = float(np.sqrt(1.0 - slope * slope))
    along = (points - a) @ axis
    across = points - a - along[:, None] * axis
    radial = np.sqrt(np.einsum("ij,ij->i", across, across))
    foot = along - radial * slope / cosine
    t = np.clip(foot, 0.0, length)
    # On the cone the nearest ball of the family is the one at `foot`; beyond it that of an end.
    away = points - a - t[:, None] * axis
    size = np.sqrt(np.einsum("ij,ij->i", away, away))
    way = away / np.maximum(size, 1e-12)[:, None]
    return size - (ra - slope * t), way


def chain_of(edit: Tube | Sphere) -> Chain:
    """The pieces of a tube, its curve followed to STRAY_MM; of a sphere, one ball."""
    if isinstance(edit, Sphere):
        return Chain(np.array([edit.centre_mm]), np.array([edit.radius_mm]))
    points = np.array(edit.points_mm)
    radii = np.array(edit.radii_mm if len(edit.radii_mm) > 1 else edit.radii_mm * len(points))
    if edit.straight or len(points) == 2:
        return Chain(points, radii)
    # Beyond the ends the line goes on as it came: the first and the last span bend no more than they must.
    around = np.vstack([2.0 * points[0] - points[1], points, 2.0 * points[-1] - points[-2]])
    centres, widths = [points[:1]], [radii[:1]]
    for n in range(len(points) - 1):
        span, share = _span(around[n : n + 4])
        centres.append(span)
        widths.append(radii[n] + share * (radii[n + 1] - radii[n]))
    return Chain(np.vstack(centres), np.concatenate(widths))


def _span(four: F64) -> tuple[F64, npt.NDArray[np.float64]]:
    """The curve from the second to the third of four points, without its beginning: places, and how much of the way each is."""
    for halvings in range(_MOST_HALVINGS + 1):
        count = 2**halvings
        share = np.arange(2 * count + 1) / (2.0 * count)
        fine = _catmull_rom(four, share)
        stray = np.linalg.norm(fine[1::2] - (fine[:-2:2] + fine[2::2]) / 2.0, axis=1).max()
        if stray < STRAY_MM:
            break
    return fine[2::2], share[2::2]


def _catmull_rom(four: F64, share: F64) -> F64:
    """By the pyramid of Barry and Goldman (1988), its knots the square roots of the distances."""
    knots = np.concatenate([[0.0], np.cumsum(np.sqrt(np.linalg.norm(np.diff(four, axis=0), axis=1)))])
    t = (knots[1] + share * (knots[2] - knots[1]))[:, None]
    rows: list[F64] = list(four[:, None, :])
    for spans in (((0, 1), (1, 2), (2, 3)), ((0, 2), (1, 3)), ((1, 2),)):
        rows = [a + (b - a) * (t - knots[low]) / (knots[high] - knots[low]) for (a, b), (low, high) in zip(pairwise(rows), spans, strict=True)]
    return rows[0]
