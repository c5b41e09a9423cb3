"""From a recipe to a closed surface: each step becomes a field on one lattice, fields are joined, and their zero is the surface.

Where all steps are tubes and spheres, the vertices are moved onto the exact shape. The same recipe on the same scan gives the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from navtwin.errors import InputRefused
from navtwin.scene.author.chain import Chain, chain_of
from navtwin.scene.author.grid import F32, F64, MOST_CELLS, Grid, corners, refuse_memory, upright
from navtwin.scene.author.painted import Slices, slices_of
from navtwin.scene.author.recipe import Edit, Painted, Recipe, Threshold, points_of
from navtwin.scene.author.threshold import Level, level_of
from navtwin.scene.extract import contour
from navtwin.scene.surface import Surface
from navtwin.volumes.volume import Affine, Volume, VolumeBox

Shape = Chain | Slices | Level

#: No value of a field is nearer to 0 than this share of a cell, so that no vertex falls on a node and no triangle is empty.
_CLEARANCE: Final = 1e-3
_SPREADS: Final = 4
#: Finer cells for the edges where shapes meet are taken only up to so many: that many are quick.
_QUICK_CELLS: Final = 3_000_000
#: A voxel is divided into so many at most, along each axis, where something finer joins it.
_MOST_DIVISIONS: Final = 16


@dataclass(frozen=True)
class Made:
    """A structure that was built.

    Attributes
    ----------
    surface : in ct, mm, closed, outward
    capped : the scan ends inside it and it was closed there
    off_mm : the farthest that a face lies from the exact shape; None where no exact shape is known
    volume_error : the same as a share of the volume, with its sign
    said : what was decided on the way, in whole words
    """

    surface: Surface
    capped: bool
    off_mm: float | None
    volume_error: float | None
    said: tuple[str, ...]


def build(recipe: Recipe, scanned: Volume | VolumeBox) -> Made:
    """The surface of a recipe.

    Parameters
    ----------
    scanned : the CT; where no step is a threshold, where it lies is enough

    Raises
    ------
    InputRefused : a point outside the scan; a seed in no island; outlines that cross or leave nothing between them; nothing left; more
        memory than there should be
    """
    box = scanned.box if isinstance(scanned, Volume) else scanned
    refuse_outside(recipe, box)
    shapes = [_shape_of(edit, scanned) for edit in recipe.edit]
    grid = _grid_of(recipe.edit, shapes)
    idle: list[str] = []
    field = shapes[0].values if len(shapes) == 1 and isinstance(shapes[0], Level) else _joined(recipe.edit, shapes, grid, idle)
    surface = _surface(field, grid)
    chains = [one for one in shapes if isinstance(one, Chain)]
    off_mm = volume_error = None
    if len(chains) == len(shapes):
        exact = _Exact(tuple(chains), tuple(edit.subtract for edit in recipe.edit), 2.0 * float(grid.sides_mm.max()))
        surface = exact.fitted(surface)
        off_mm, volume_error = exact.off(surface)
    levels = [one for one in shapes if isinstance(one, Level)]
    said = (*(sentence for one in levels for sentence in one.said), *idle)
    # A tilted scan ends before its grid does.
    cut = bool(levels) and isinstance(scanned, Volume) and scanned.scanned is not None and scanned.scanned.reached_by(surface.vertices_mm)
    return Made(surface, cut or any(one.capped for one in levels), off_mm, volume_error, said)


def refuse_outside(recipe: Recipe, box: VolumeBox) -> None:
    """Refuse points that were placed where nothing was scanned."""
    for edit in recipe.edit:
        for what, at in points_of(edit):
            if not box.contains(at):
                x, y, z = at
                raise InputRefused(f"{what} at {x:.1f} {y:.1f} {z:.1f} mm lies outside the CT", "place it in the scan; positions are LPS, mm")


def _shape_of(edit: Edit, scanned: Volume | VolumeBox) -> Shape:
    if isinstance(edit, Threshold):
        if not isinstance(scanned, Volume):
            raise InputRefused("a threshold needs the CT, and there is none", "make the structure as a tube, a sphere or painted slices")
        return level_of(edit, scanned)
    return slices_of(edit) if isinstance(edit, Painted) else chain_of(edit)


def _grid_of(edits: Sequence[Edit], shapes: Sequence[Shape]) -> Grid:
    """The lattice for what is added: the CT's own voxels, perhaps divided, where a threshold is among it; else cubic cells."""
    solid = [shape for edit, shape in zip(edits, shapes, strict=True) if not edit.subtract]
    fine = [one for one in shapes if not isinstance(one, Level)]
    levels = [one for one in shapes if isinstance(one, Level)]
    if levels:
        if not fine:
            sides = levels[0].grid.sides_mm
            return levels[0].grid if len(shapes) == 1 else _divided(levels[0], solid, float(sides.max()), float(sides.max()))
        return _divided(levels[0], solid, min(one.side_mm for one in fine), min(_coarsest(one) for one in fine))
    slices = [one for one in fine if isinstance(one, Slices)]
    axes = slices[0].axes if slices else np.eye(3)
    low, high = _bounds(solid, axes)
    side = min(one.side_mm for one in fine)
    if len(fine) > 1:  # where shapes meet there are edges, of which a lattice cuts off up to half a cell
        side = min(side, max(side / 2.0, float((np.prod(high - low) / _QUICK_CELLS) ** (1.0 / 3.0))))
    return upright(low, high, axes, side, min(_coarsest(one) for one in fine))


def _coarsest(shape: Chain | Slices) -> float:
    return shape.coarsest_mm if isinstance(shape, Chain) else 2.0 * shape.side_mm


def _bounds(shapes: Sequence[Shape], axes: F64) -> tuple[F64, F64]:
    """Lowest and highest corner of shapes along `axes`."""
    points = []
    for one in shapes:
        if isinstance(one, Chain):
            at = one.centres @ axes
            points += [at - one.radii[:, None], at + one.radii[:, None]]
        elif isinstance(one, Slices):
            points.append(corners(one.low, one.high) @ one.axes.T @ axes)
        else:
            T, (nk, nj, ni) = one.grid.T_ct_from_index, one.values.shape
            at = corners(np.zeros(3), np.array([ni - 1.0, nj - 1.0, nk - 1.0])) @ T[:3, :3].T + T[:3, 3]
            points.append(at @ axes)
    every = np.vstack(points)
    return every.min(axis=0), every.max(axis=0)


def _divided(level: Level, shapes: Sequence[Shape], side_mm: float, coarsest_mm: float) -> Grid:
    """The CT's voxels around all that is added, each divided as finely as the finest step asks."""
    T: Affine = level.T_ct_from_ijk
    low_mm, high_mm = _bounds(shapes, np.eye(3))
    inverse = np.linalg.inv(T)
    at = corners(low_mm, high_mm) @ inverse[:3, :3].T + inverse[:3, 3]
    low, high = np.floor(at.min(axis=0)) - 1.0, np.ceil(at.max(axis=0)) + 1.0
    sides = np.linalg.norm(T[:3, :3], axis=0)
    for wanted_mm in (side_mm, coarsest_mm):
        parts = np.clip(np.ceil(sides / wanted_mm), 1, _MOST_DIVISIONS)
        shape = ((high - low) * parts).astype(int) + 1
        if np.prod(shape, dtype=float) <= MOST_CELLS:
            break
    refuse_memory(float(np.prod(shape, dtype=float)))
    placed = T.copy()
    placed[:3, :3] = T[:3, :3] / parts
    placed[:3, 3] = T[:3, 3] + T[:3, :3] @ low
    return Grid(placed, (int(shape[2]), int(shape[1]), int(shape[0])))


def _joined(edits: Sequence[Edit], shapes: Sequence[Shape], grid: Grid, idle: list[str]) -> F32:
    """The field of all steps; a step that changes nothing is told in `idle`."""
    field = shapes[0].sample(grid)
    for n, (edit, shape) in enumerate(zip(edits[1:], shapes[1:], strict=True), 2):
        other, inside = shape.sample(grid), field < 0.0
        if not (inside & (other < 0.0) if edit.subtract else ~inside & (other < 0.0)).any():
            idle.append(f"step {n} takes nothing away" if edit.subtract else f"step {n} adds nothing: it lies within what was there")
        if edit.subtract:
            np.maximum(field, -other, out=field)
        else:
            np.minimum(field, other, out=field)
    least = np.float32(_CLEARANCE * grid.sides_mm.min())
    return np.where(field <= 0.0, np.minimum(field, -least), np.maximum(field, least))


def _surface(field: F32, grid: Grid) -> Surface:
    if not (field < 0.0).any():
        raise InputRefused("nothing is left of the structure", "what is taken away holds all of it: leave that step out")
    # One node of outside all around closes what reaches the lattice's end.
    vertices, faces = contour(np.pad(-field, 1, constant_values=-float(grid.sides_mm.max())), 0.0)
    T = grid.T_ct_from_index
    outward = faces if np.linalg.det(T[:3, :3]) > 0.0 else faces[:, ::-1]
    return Surface.from_arrays(vertices @ T[:3, :3].T + T[:3, 3], np.ascontiguousarray(outward))


@dataclass(frozen=True)
class _Exact:
    """Tubes and spheres as they were joined, with distances exact but beside the edges where they meet."""

    chains: tuple[Chain, ...]
    subtracts: tuple[bool, ...]
    within_mm: float

    def at(self, points: F64) -> tuple[F64, F64]:
        """Distance (N,) and the direction (N, 3) in which it grows."""
        distance, way = self.chains[0].at(points, self.within_mm)
        for chain, subtracts in zip(self.chains[1:], self.subtracts[1:], strict=True):
            d, w = chain.at(points, self.within_mm)
            counts = -d > distance if subtracts else d < distance
            sign = -1.0 if subtracts else 1.0
            distance, way = np.where(counts, sign * d, distance), np.where(counts[:, None], sign * w, way)
        return distance, way

    def fitted(self, surface: Surface) -> Surface:
        """The surface with its vertices spread evenly over the exact shape, then so far outwards that its volume is right.

        As it is, where moving the vertices would make it cross itself.
        """
        points, corners = surface.vertices_mm.copy(), surface.faces
        beside = np.bincount(corners.ravel(), minlength=len(points)) * 2.0
        for step in range(_SPREADS + 1):
            if step:  # half way to the mean of the neighbours, which widens the slivers that the lattice left
                other = points[corners].sum(axis=1, keepdims=True) - points[corners]
                sums = [np.bincount(corners.ravel(), other[:, :, axis].ravel(), len(points)) for axis in range(3)]
                points = (points + np.stack(sums, axis=1) / beside[:, None]) / 2.0
            distance, way = self.at(points)
            points -= distance[:, None] * way
        middle, area, _ = self._faces(points, surface)
        share = np.bincount(surface.faces.ravel(), np.repeat(area, 3), len(points))
        inwards = np.bincount(surface.faces.ravel(), np.repeat(-0.75 * middle * area, 3), len(points)) / np.maximum(share, 1e-300)
        points += np.clip(inwards, 0.0, 0.1 * self.within_mm)[:, None] * way
        strayed = np.linalg.norm(points - surface.vertices_mm, axis=1) > self.within_mm / 2.0
        points[strayed] = surface.vertices_mm[strayed]
        found = Surface.from_arrays(points, surface.faces)
        return surface if found.sign.reasons and not surface.sign.reasons else found

    def off(self, surface: Surface) -> tuple[float, float]:
        """The farthest that corners, edges and middles of faces lie off, mm, and the error of the volume as a share of it.

        The distance from the shape is nearly quadratic on a face: its mean is 3/4 of what it is in the middle and 1/4 of the corners' mean.
        """
        middle, area, edges = self._faces(surface.vertices_mm, surface)
        corner, _ = self.at(surface.vertices_mm)
        farthest = float(max(np.abs(middle).max(), np.abs(edges).max(), np.abs(corner).max()))
        mean = 0.75 * middle + 0.25 * corner[surface.faces].mean(axis=1)
        return farthest, float((area * mean).sum() / surface.volume_mm3)

    def _faces(self, points: F64, surface: Surface) -> tuple[F64, F64, F64]:
        """Of each face: the distance of its middle, its area, and the distance of the middle of one edge."""
        a, b, c = (points[surface.faces[:, n]] for n in range(3))
        middle, _ = self.at((a + b + c) / 3.0)
        edges, _ = self.at((a + b) / 2.0)
        return middle, np.asarray(np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2.0), edges
