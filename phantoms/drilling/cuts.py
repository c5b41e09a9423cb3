"""Everything that a burr has truly been through: capsules between its places at successive exposures, asked by time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from phantoms.drilling.solids import as_points, length
from phantoms.shapes import Array

#: Points are asked cell by cell, so that each cell looks only at the strokes that can matter in it.
CELL_MM = 1.2
NEVER_S = np.inf
#: Shares of the additive sequence that fills a plane most evenly (Roberts, "The unreasonable effectiveness of quasirandom sequences", 2018).
_SHIFTS = np.array((0.7548776662, 0.5698402910))

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Cuts:
    """K strokes of a ball, in order of time.

    Attributes
    ----------
    start_mm, end_mm : (K, 3), ct; of the ball's centre
    time_s : (K,) when each has been made, ascending
    radius_mm : of the ball
    """

    start_mm: Array
    end_mm: Array
    time_s: Array
    radius_mm: float
    _middles: cKDTree = field(init=False, repr=False, compare=False)
    _longest_mm: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_middles", cKDTree(0.5 * (self.start_mm + self.end_mm)))
        object.__setattr__(self, "_longest_mm", float(length(self.end_mm - self.start_mm).max(initial=0.0)))

    def __len__(self) -> int:
        return len(self.time_s)

    def until(self, time_s: float) -> Cuts:
        """Those that were made by then."""
        count = int(np.searchsorted(self.time_s, time_s, side="right"))
        return Cuts(self.start_mm[:count], self.end_mm[:count], self.time_s[:count], self.radius_mm)

    @property
    def bounds_mm(self) -> tuple[Array, Array]:
        """Lowest and highest corner (3,), mm, of a box that holds them all."""
        ends = np.concatenate([self.start_mm, self.end_mm])
        return ends.min(axis=0) - self.radius_mm, ends.max(axis=0) + self.radius_mm

    def distance_mm(self, points_mm: npt.ArrayLike) -> Array:
        """Signed distance (N,), mm, to the nearest stroke's skin, negative inside one; infinite where there is none at all."""
        p = as_points(points_mm)
        nearest = np.full(len(p), np.inf)
        if len(self):
            for here, centre, spread in _cells(p):
                # No stroke whose middle lies farther off than this can be nearer to any of them than the one whose middle is nearest.
                reach = float(self._middles.query(centre)[0]) + 2.0 * spread + self._longest_mm
                nearest[here] = self._axis_distance(p[here], self._near(centre, reach)).min(axis=1) - self.radius_mm
        return nearest

    def first_s(self, points_mm: npt.ArrayLike) -> Array:
        """When each point (N, 3), mm, was first cut away (N,), s; `NEVER_S` where it was not."""
        p = as_points(points_mm)
        first = np.full(len(p), NEVER_S)
        if len(self):
            for here, centre, spread in _cells(p):
                near = self._near(centre, self.radius_mm + spread + 0.5 * self._longest_mm)
                if len(near):
                    cut = self._axis_distance(p[here], near) < self.radius_mm
                    first[here] = np.where(cut.any(axis=1), self.time_s[near[np.argmax(cut, axis=1)]], NEVER_S)
        return first

    def first_on_grid(self, low_mm: Array, high_mm: Array, side_mm: float) -> tuple[Array, Array]:
        """The points (N, 3), mm, of a grid in a box that were cut away, and when each first was (N,), s: stroke by stroke, which is quick."""
        x, y, z = (np.arange(low_mm[d] - 0.5 * side_mm, high_mm[d] + side_mm, side_mm) for d in range(3))
        # Each plane is shifted by another share of a side, or flat walls would be counted alike in all of them.
        shift = side_mm * (np.modf(np.arange(len(z))[:, None] * _SHIFTS)[0] - 0.5)
        first = np.full((len(z), len(y), len(x)), NEVER_S)
        corner, reach = np.array((z[0], y[0], x[0])), self.radius_mm + side_mm
        for a, b, time_s in zip(self.start_mm, self.end_mm, self.time_s, strict=True):
            ends = np.array((a, b))[:, ::-1]
            lowest = np.maximum(np.floor((ends.min(axis=0) - reach - corner) / side_mm).astype(int), 0)
            highest = np.maximum(np.ceil((ends.max(axis=0) + reach - corner) / side_mm).astype(int) + 1, 0)
            k, j, i = (slice(*span) for span in zip(lowest, highest, strict=True))
            # Offsets from `a`, and how far along the stroke the nearest point of its axis lies.
            u = x[None, None, i] + shift[k, 0, None, None] - a[0]
            v = y[None, j, None] + shift[k, 1, None, None] - a[1]
            w = z[k, None, None] - a[2]
            along = b - a
            share = np.clip((u * along[0] + v * along[1] + w * along[2]) / max(float(along @ along), 1e-18), 0.0, 1.0)
            square = (u - share * along[0]) ** 2 + (v - share * along[1]) ** 2 + (w - share * along[2]) ** 2
            block = first[k, j, i]
            block[(square < self.radius_mm**2) & (block == NEVER_S)] = time_s
        at = np.argwhere(np.isfinite(first))
        points = np.stack([x[at[:, 2]] + shift[at[:, 0], 0], y[at[:, 1]] + shift[at[:, 0], 1], z[at[:, 0]]], axis=1)
        return points, first[tuple(at.T)]

    def _near(self, centre_mm: Array, reach_mm: float) -> Indices:
        """The strokes whose middles lie that near, in order of time."""
        return np.asarray(self._middles.query_ball_point(centre_mm, reach_mm, return_sorted=True), dtype=np.intp)

    def _axis_distance(self, p: Array, strokes: Indices) -> Array:
        """Distances (N, M) from points to the axes of strokes, mm."""
        a = self.start_mm[strokes]
        along = self.end_mm[strokes] - a
        square = np.maximum(np.einsum("mi,mi->m", along, along), 1e-18)
        offset = p[:, None, :] - a
        share = np.clip(np.einsum("nmi,mi->nm", offset, along) / square, 0.0, 1.0)
        return length(offset - share[..., None] * along)


def _cells(p: Array) -> Iterator[tuple[Indices, Array, float]]:
    """Points grouped by cell: their indices, the middle of the box that holds them, and half its diagonal."""
    cells = np.floor(p / CELL_MM).astype(np.int64)
    order = np.lexsort(cells.T)
    breaks = np.flatnonzero((np.diff(cells[order], axis=0) != 0).any(axis=1)) + 1
    for here in np.split(order, breaks):
        if len(here):
            low, high = p[here].min(axis=0), p[here].max(axis=0)
            yield here, 0.5 * (low + high), 0.5 * float(length(high - low))
