"""The grid that a structure is drilled on: where it lies, and whether there is memory for it, said before any is taken."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from navtwin.errors import InputRefused
from navtwin.kernels.bone.bricks import BRICK
from navtwin.scene.surface import Surface

F64 = npt.NDArray[np.float64]

#: Field and tree of one structure may take so much.
MOST_BYTES = 400_000_000
#: Points of margin around the structure: the clamp on either side of the surface, one more, and half a side so that flat sides lie between points.
_MARGIN = 3.5
#: Bytes: of a brick that has a slot, of any brick's place in table, queue and doubt, and of a triangle in the tree.
_SLOT, _PLACE, _TRIANGLE = BRICK**3 + 12, 48, 77
#: A surface of area A crosses 1.5 A / s^2 cubes of side s, averaged over directions; a band of a quarter of s about it, 1.75 A / s^2.
_CUBES, _BAND = 1.5, 1.75


def grid_around(surface: Surface, side_mm: float) -> tuple[F64, tuple[int, int, int]]:
    """Point 0, 0, 0 in ct, mm, and the bricks along k, j, i of a grid that holds a surface and a margin.

    Raises
    ------
    InputRefused : the surface has no inside; no such side, or one for which there is not enough memory
    """
    if not surface.sign_is_trusted:
        raise InputRefused("the surface is not closed with outward normals", "close it before drilling into it")
    if not 0.0 < side_mm < np.inf:
        raise InputRefused(f"side_mm is {side_mm}", "pass the side of a cell in mm")
    low, high = surface.bounds_mm
    area, size = _area_mm2(surface), high - low
    if _bytes(area, size, side_mm) > MOST_BYTES:
        needed, finest = _bytes(area, size, side_mm), _finest_mm(area, size)
        raise InputRefused(
            f"on a grid of {side_mm:g} mm the structure would take {needed / 1e6:.0f} MB, and {MOST_BYTES / 1e6:.0f} MB is the most",
            f"the finest that fits is {finest:g} mm; or drill a smaller part of it",
        )
    origin = low - _MARGIN * side_mm
    nk, nj, ni = (int(n) for n in _bricks(size, side_mm)[::-1])
    return origin, (nk, nj, ni)


def _bricks(size: F64, side_mm: float) -> F64:
    counts: F64 = np.ceil((size / side_mm + 2.0 * _MARGIN + 1.0) / BRICK)
    return counts


def _bytes(area: float, size: F64, side_mm: float) -> float:
    """About what field and tree take; with 1.5 A / s^2 crossed edges of the grid, each a quad of two triangles."""
    brick_mm = BRICK * side_mm
    slots = min(_BAND * area / brick_mm**2 + 8.0, float(np.prod(_bricks(size, side_mm))))
    return float(slots * _SLOT + _PLACE * np.prod(_bricks(size, side_mm)) + 2.0 * _CUBES * area / side_mm**2 * _TRIANGLE)


def _finest_mm(area: float, size: F64) -> float:
    low, high = 1e-6, 1e3
    while high - low > 1e-4 * high:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if _bytes(area, size, middle) <= MOST_BYTES else (middle, high)
    return math.ceil(high * 1000.0) / 1000.0


def _area_mm2(surface: Surface) -> float:
    a, b, c = (surface.vertices_mm[surface.faces[:, k]] for k in range(3))
    return float(0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())
