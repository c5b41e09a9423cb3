"""Outlines painted on slices, the shape between them by interpolated distances (Raya, Udupa 1990)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.scene.author.grid import F32, F64, Grid
from navtwin.scene.author.recipe import Painted

#: Points of an outline may lie this far off its slice, and slices this near are one, mm.
FLAT_MM: Final = 0.05
#: Cells to the half width of an outline: enough for any, and the fewest; and their limits, mm.
_CELLS: Final = 10.0
_FEWEST_CELLS: Final = 4.0
_FINEST_MM: Final = 0.1
_COARSEST_MM: Final = 0.75
#: Cells around the outlines.
_MARGIN: Final = 3
#: Nodes of all slices together, and edges of a slice that they allow for: more would take minutes.
_MOST_NODES: Final = 20_000_000
_EDGES_TO_A_SLICE: Final = 100
#: Where between two slices it is looked whether anything is left.
_BETWEEN: Final = (0.25, 0.5, 0.75)

Rows = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Slices:
    """Distances within painted slices.

    Attributes
    ----------
    axes : (3, 3) columns u, v and the normal w, in ct
    heights_mm : (S,) of the slices along w, rising
    maps : (S, nv, nu) signed distance to the outlines of each slice, mm, below 0 inside
    origin_mm, side_mm : (u, v) of the first node, and the distance between nodes
    half_mm : how far the shape goes on beyond the first and the last slice
    """

    axes: F64
    heights_mm: F64
    maps: F64
    origin_mm: F64
    side_mm: float
    half_mm: float

    @property
    def low(self) -> F64:
        """(3,) lowest corner along u, v, w."""
        return np.array([*(self.origin_mm + (_MARGIN - 1) * self.side_mm), self.heights_mm[0] - self.half_mm])

    @property
    def high(self) -> F64:
        _, nv, nu = self.maps.shape
        return np.array([*(self.origin_mm + (np.array([nu, nv]) - _MARGIN) * self.side_mm), self.heights_mm[-1] + self.half_mm])

    def sample(self, grid: Grid) -> F32:
        """The field at the nodes of a grid, plane by plane."""
        nk, nj, ni = grid.shape
        field = np.empty(grid.shape, dtype=np.float32)
        for k in range(nk):
            span = (slice(k, k + 1), slice(0, nj), slice(0, ni))
            field[k] = self._at(grid.nodes(span)).reshape(nj, ni)
        return field

    def _at(self, points: F64) -> F64:
        from scipy import ndimage

        u, v, w = (points @ self.axes).T
        last = len(self.heights_mm) - 1
        below = np.clip(np.searchsorted(self.heights_mm, w, side="right") - 1, 0, max(last - 1, 0))
        if last > 0:
            share = np.clip((w - self.heights_mm[below]) / (self.heights_mm[below + 1] - self.heights_mm[below]), 0.0, 1.0)
        else:
            share = np.zeros(len(points))
        at = np.stack([below + share, (v - self.origin_mm[1]) / self.side_mm, (u - self.origin_mm[0]) / self.side_mm])
        within = ndimage.map_coordinates(self.maps, at, order=1, mode="nearest")
        beyond = np.maximum(self.heights_mm[0] - w, w - self.heights_mm[-1]) - self.half_mm
        return np.asarray(np.maximum(within, beyond))


def slices_of(edit: Painted) -> Slices:
    """The distance maps of painted outlines.

    Raises
    ------
    InputRefused : an outline that is not flat on its slice, crosses itself or another, or holds nothing; slices whose shapes do not overlap;
        one slice whose thickness nobody states
    """
    axes = _axes(np.array(edit.normal))
    drawn = _by_slice(edit, axes)
    heights = np.array([height for height, _ in drawn])
    if len(heights) == 1 and edit.thickness_mm is None:
        raise InputRefused("a painted structure has one slice, and nobody states how thick it is", "state the thickness, or paint another slice")
    thickness = edit.thickness_mm if edit.thickness_mm is not None else float(np.diff(heights).min())
    every = np.vstack([loop for _, loops in drawn for loop in loops])
    side = _side_mm([loop for _, loops in drawn for loop in loops])
    low, high = every.min(axis=0), every.max(axis=0)
    count = np.ceil((high - low) / side).astype(int) + 1 + 2 * _MARGIN
    edges = sum(len(loop) for _, loops in drawn for loop in loops)
    if np.prod(count, dtype=float) * max(len(drawn), edges / _EDGES_TO_A_SLICE) > _MOST_NODES:
        raise InputRefused("the outlines are too fine for their size", "paint them as several structures")
    origin = low - _MARGIN * side
    maps = np.stack([_distances(loops, origin, side, count) for _, loops in drawn])
    for (one, a), (other, b) in pairwise(zip(heights, maps, strict=True)):
        if any(((1.0 - t) * a + t * b).min() >= 0.0 for t in _BETWEEN):
            raise InputRefused(f"the outlines at {one:.1f} and {other:.1f} mm do not overlap: nothing is left between", "paint a slice between them")
    return Slices(axes, heights, maps, origin, side, thickness / 2.0)


def _side_mm(loops: list[Rows]) -> float:
    """A side of cells that shows most outlines well, and no finer than they were drawn."""
    width = float(np.median([2.0 * abs(_area(loop)) / _perimeter(loop) for loop in loops]))
    drawn = float(np.median(np.concatenate([np.linalg.norm(loop - np.roll(loop, -1, axis=0), axis=1) for loop in loops])))
    return float(np.clip(min(max(width / _CELLS, drawn / 2.0), width / _FEWEST_CELLS), _FINEST_MM, _COARSEST_MM))


def _axes(normal: F64) -> F64:
    """Columns u, v, w: w the normal, u along that axis of ct that it is least near to."""
    w = normal / np.linalg.norm(normal)
    u = np.eye(3)[int(np.argmin(np.abs(w)))]
    u = u - (u @ w) * w
    u /= np.linalg.norm(u)
    return np.stack([u, np.cross(w, u), w], axis=1)


def _by_slice(edit: Painted, axes: F64) -> list[tuple[float, list[Rows]]]:
    """Heights, rising, each with its outlines (N, 2)."""
    found: list[tuple[float, int, Rows]] = []
    for n, one in enumerate(edit.outline, 1):
        at = np.array(one.points_mm) @ axes
        height = float(at[:, 2].mean())
        off = float(np.abs(at[:, 2] - height).max())
        if off > FLAT_MM:
            raise InputRefused(f"outline {n} strays {off:.2g} mm from its slice", "draw it in one plane, and state the normal of the slices")
        loop = at[:, :2]
        loop = loop[np.any(loop != np.roll(loop, 1, axis=0), axis=1)]
        if len(loop) < 3 or abs(_area(loop)) < 1e-3:
            raise InputRefused(f"outline {n} at {height:.1f} mm holds nothing", "draw it around the structure")
        found.append((height, n, loop))
    found.sort(key=lambda one: (one[0], one[1]))
    groups: list[list[tuple[float, int, Rows]]] = []
    for placed in found:
        if groups and placed[0] - groups[-1][0][0] <= FLAT_MM:
            groups[-1].append(placed)
        else:
            groups.append([placed])
    for group in groups:
        _refuse_crossings(group)
    return [(group[0][0], [loop for _, _, loop in group]) for group in groups]


def _refuse_crossings(group: list[tuple[float, int, Rows]]) -> None:
    """Refuse outlines of one slice of which two edges cross."""
    a = np.vstack([loop for _, _, loop in group])
    b = np.vstack([np.roll(loop, -1, axis=0) for _, _, loop in group])
    owner = np.concatenate([np.full(len(loop), n) for _, n, loop in group])
    for e in range(len(a) - 1):
        c, d = a[e + 1 :], b[e + 1 :]
        one, two = _side(a[e], b[e], c), _side(a[e], b[e], d)
        three, four = _side(c, d, a[e]), _side(c, d, b[e])
        crossed = np.flatnonzero((one * two < 0.0) & (three * four < 0.0))
        if len(crossed):
            other = int(owner[e + 1 + int(crossed[0])])
            which = f"outline {owner[e]} crosses itself" if other == owner[e] else f"outlines {owner[e]} and {other} cross each other"
            raise InputRefused(f"{which} at {group[0][0]:.1f} mm", "draw it again: inside and outside are not told there")


def _side(a: F64, b: F64, p: F64) -> F64:
    """On which side of a-b a point lies: the sign of the area that they span."""
    return np.asarray((b[..., 0] - a[..., 0]) * (p[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (p[..., 0] - a[..., 0]))


def _area(loop: Rows) -> float:
    x, y = (loop - loop[0]).T
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2.0)


def _perimeter(loop: Rows) -> float:
    return float(np.linalg.norm(loop - np.roll(loop, -1, axis=0), axis=1).sum())


def _distances(loops: list[Rows], origin: F64, side: float, count: npt.NDArray[np.int64]) -> F64:
    """(nv, nu) signed distance to the outlines; a point within an even number of them is outside."""
    u = origin[0] + side * np.arange(count[0])[None, :]
    v = origin[1] + side * np.arange(count[1])[:, None]
    least = np.full((count[1], count[0]), np.inf)
    inside = np.zeros(least.shape, dtype=bool)
    for loop in loops:
        for (ax, ay), (bx, by) in zip(loop, np.roll(loop, -1, axis=0), strict=True):
            dx, dy = bx - ax, by - ay
            t = np.clip(((u - ax) * dx + (v - ay) * dy) / (dx * dx + dy * dy), 0.0, 1.0)
            np.minimum(least, (u - ax - t * dx) ** 2 + (v - ay - t * dy) ** 2, out=least)
            if dy != 0.0:
                inside ^= ((v >= ay) != (v >= by)) & (u < ax + (v - ay) * dx / dy)
    return np.where(inside, -np.sqrt(least), np.sqrt(least))
