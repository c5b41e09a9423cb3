"""A shape as a surface: found on a grid, its vertices then moved onto the shape."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from phantoms.drilling.solids import length
from phantoms.shapes import Array, Shape

if TYPE_CHECKING:
    from navtwin.scene.surface import Surface

#: Scales distances for the grid, which clears its level by half a unit.
_UNITS_PER_MM = 1e4
_PROBE_MM = 1e-4


def meshed(shape: Shape, side_mm: float) -> Surface:
    """The closed surface of a shape, every vertex within 0.01 mm of it away from its creases.

    Parameters
    ----------
    side_mm : of the grid on which it is found; thinner parts than this are lost
    """
    from navtwin.scene.extract import extract_surface
    from navtwin.scene.surface import Surface
    from navtwin.volumes.volume import Volume

    low, high = shape.bounds_mm()
    origin = low - 2.0 * side_mm
    counts = np.ceil((high - low) / side_mm).astype(int) + 5
    x, y, z = (origin[d] + side_mm * np.arange(counts[d]) for d in range(3))
    values = np.empty(tuple(counts[::-1]), np.float32)
    for k, height in enumerate(z):
        plane = np.stack(np.meshgrid(x, y, [height], indexing="ij"), axis=-1).reshape(-1, 3)
        values[k] = (-_UNITS_PER_MM * shape.distance_mm(plane)).reshape(len(x), len(y)).T
    T = np.eye(4)
    T[:3, :3] *= side_mm
    T[:3, 3] = origin
    found = extract_surface(Volume(values, T, (side_mm,) * 3, Path("shape")), threshold_hu=0.0)
    vertices = found.vertices_mm
    for _ in range(2):
        vertices = vertices - np.clip(shape.distance_mm(vertices), -0.3 * side_mm, 0.3 * side_mm)[:, None] * gradient(shape, vertices)
    return Surface.from_arrays(vertices, found.faces)


def slope(distance: Callable[[npt.ArrayLike], Array], points_mm: npt.ArrayLike) -> Array:
    """How a distance grows (N, 3), by central differences: a unit vector, shorter on a ridge and in a fillet."""
    p = np.atleast_2d(np.asarray(points_mm, dtype=np.float64))
    return np.stack([distance(p + step) - distance(p - step) for step in _PROBE_MM * np.eye(3)], axis=1) / (2.0 * _PROBE_MM)


def gradient(shape: Shape, points_mm: npt.ArrayLike) -> Array:
    """Unit direction (N, 3) in which the distance grows; arbitrary where it has a ridge."""
    rise = slope(shape.distance_mm, points_mm)
    size = length(rise)[:, None]
    return np.asarray(np.where(size > 1e-6, rise / np.maximum(size, 1e-6), np.array((0.0, 0.0, 1.0))))
