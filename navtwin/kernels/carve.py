"""A solid as a clamped distance on a grid, and a capsule cut out of it.

A cell holds the signed distance of its centre, negative inside, in steps of CLAMP_VOXELS / 128 of a cell's side, as int8: q stands for the
middle of q .. q + 1, so no cell ever lies exactly on the surface. Cutting a shape out is the larger of its own and the negated distance of the
shape (Frisken et al. 2000, "Adaptively sampled distance fields", section 3): it touches only cells in the shape's box, and doing it twice is
doing it once.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from navtwin.kernels.jit import inlined, query
from navtwin.kernels.point import signed_nearest
from navtwin.kernels.tree import F64, Forest, Workspace
from navtwin.kernels.triangle import triangle

I8 = npt.NDArray[np.int8]

#: Distances are clamped this many cells from the surface.
CLAMP_VOXELS = 2.0
STEPS = 128.0


@inlined
def _steps(distance: float, side: float) -> int:
    """A distance in mm as the number that a cell holds."""
    return int(min(max(math.floor(distance / side * (STEPS / CLAMP_VOXELS)), -STEPS), STEPS - 1.0))


@inlined
def _filled(steps: int) -> float:
    """Share of a cell that is solid: 1 half a cell inside the surface, 0 half a cell outside, linear between."""
    return min(max(0.5 - (steps + 0.5) * (CLAMP_VOXELS / STEPS), 0.0), 1.0)


@inlined
def _span(low: float, high: float, origin: float, side: float, count: int) -> tuple[int, int]:
    """First and one past the last cell whose centre lies in low .. high."""
    first = math.ceil(min(max((low - origin) / side, 0.0), float(count)))
    past = math.floor(min(max((high - origin) / side, -1.0), float(count - 1))) + 1
    return int(first), int(past)


@query
def mark_near(forest: Forest, origin: F64, side: float, near: npt.NDArray[np.bool_]) -> None:
    """Set `near` (nk, nj, ni) for all cells within the clamp of any triangle's box. origin: centre of cell 0, mm."""
    reach = CLAMP_VOXELS * side
    nk, nj, ni = near.shape
    for f in range(forest.faces.shape[0]):
        a, b, c = triangle(forest, f)
        i0, i1 = _span(min(a[0], b[0], c[0]) - reach, max(a[0], b[0], c[0]) + reach, origin[0], side, ni)
        j0, j1 = _span(min(a[1], b[1], c[1]) - reach, max(a[1], b[1], c[1]) + reach, origin[1], side, nj)
        k0, k1 = _span(min(a[2], b[2], c[2]) - reach, max(a[2], b[2], c[2]) + reach, origin[2], side, nk)
        near[k0:k1, j0:j1, i0:i1] = True


@query
def fill(forest: Forest, origin: F64, side: float, near: npt.NDArray[np.bool_], field: I8, work: Workspace) -> None:
    """Write the clamped distance to the first structure of `forest` into `field` (nk, nj, ni).

    Cells far from the surface take the side of the last near one in their row; every row starts outside, so the grid needs a margin.
    """
    hint = -1
    for k in range(field.shape[0]):
        for j in range(field.shape[1]):
            far = STEPS - 1.0
            for i in range(field.shape[2]):
                if near[k, j, i]:
                    x, y, z = origin[0] + i * side, origin[1] + j * side, origin[2] + k * side
                    distance, hint, _, _, _ = signed_nearest(forest, 0, x, y, z, hint, work)
                    far = -STEPS if distance < 0.0 else STEPS - 1.0
                    field[k, j, i] = _steps(distance, side)
                else:
                    field[k, j, i] = int(far)


@query
def carve(field: I8, origin: F64, side: float, a: F64, b: F64, radius: float) -> float:
    """Cut the capsule around a-b out of the solid; return the volume removed, mm^3.

    Parameters
    ----------
    field : (nk, nj, ni) int8, in and out
    origin : (3,) centre of cell 0, mm
    side : side of a cell, mm
    a, b : (3,) ends of the axis, mm; a == b is a ball
    radius : mm
    """
    nk, nj, ni = field.shape
    reach = radius + CLAMP_VOXELS * side
    i0, i1 = _span(min(a[0], b[0]) - reach, max(a[0], b[0]) + reach, origin[0], side, ni)
    j0, j1 = _span(min(a[1], b[1]) - reach, max(a[1], b[1]) + reach, origin[1], side, nj)
    k0, k1 = _span(min(a[2], b[2]) - reach, max(a[2], b[2]) + reach, origin[2], side, nk)
    dx, dy, dz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    length2 = dx * dx + dy * dy + dz * dz
    removed = 0.0
    for k in range(k0, k1):
        for j in range(j0, j1):
            for i in range(i0, i1):
                x, y, z = origin[0] + i * side - a[0], origin[1] + j * side - a[1], origin[2] + k * side - a[2]
                t = min(max((x * dx + y * dy + z * dz) / length2, 0.0), 1.0) if length2 > 0.0 else 0.0
                x, y, z = x - t * dx, y - t * dy, z - t * dz
                old, new = field[k, j, i], _steps(radius - math.sqrt(x * x + y * y + z * z), side)
                if new > old:
                    removed += _filled(old) - _filled(new)
                    field[k, j, i] = new
    return removed * side * side * side
