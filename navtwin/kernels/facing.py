"""Far away, one direction tells most of a structure apart from its nearest place.

Seen from afar a structure lies nearly behind the plane through its nearest point, across the direction to the query. Boxes say little of that: a box
around a piece of surface that is not parallel to the axes is mostly empty, and sticks out. Box and slab together (`navtwin.kernels.slabs`) say how
far a piece reaches along any direction; along this one, what lies behind is discarded by a few instructions.
"""

from __future__ import annotations

from typing import NamedTuple

from navtwin.kernels.jit import inlined
from navtwin.kernels.rough import Vector, dot, minus, plus, times, vector, vectors
from navtwin.kernels.simd import WIDTH, Lanes, load, splat, upper
from navtwin.kernels.slabs import reach_along
from navtwin.kernels.tree import NODE, SLAB, Forest

#: Rounding of coordinates along a direction, as a share of the largest coordinate.
ROUNDING = 2.0**-20
#: From this share of a structure's reach on, what the direction discards is worth more than asking it takes.
FAR_SHARE = 0.3


class Facing(NamedTuple):
    """A unit direction from a structure's nearest known point to the query, and the query's least coordinate along it; 0 discards nothing."""

    n: Vector
    level: Lanes


@inlined
def facing(forest: Forest, tree: int, x: float, y: float, z: float, distance: float, level: float, reach: float) -> tuple[bool, Facing]:
    """Whether it is worth while, and the direction (x, y, z) / distance.

    Parameters
    ----------
    x, y, z, distance : mm, from the nearest known point to the query
    level : least coordinate of the query along the direction, relative to the structure's centre, mm
    reach : largest coordinate of structure and query relative to that centre, mm
    """
    is_far = FAR_SHARE * forest.reach[tree] < distance < 1e12
    one_over = 1.0 / distance if is_far else 0.0
    return is_far, Facing(vector(x * one_over, y * one_over, z * one_over), splat(level - ROUNDING * reach))


@inlined
def behind2(forest: Forest, node: int, f: Facing) -> Lanes:
    """Squared gaps along the direction between the query and what each of a node's children holds."""
    low, high, normals = vectors(forest.boxes, NODE * node), vectors(forest.boxes, NODE * node + 3 * WIDTH), vectors(forest.slabs, SLAB * node)
    middle, half = times(splat(0.5), plus(low, high)), times(splat(0.5), minus(high, low))
    offset = dot(normals, middle)
    start, end = load(forest.slabs, SLAB * node + 3 * WIDTH) - offset, load(forest.slabs, SLAB * node + 4 * WIDTH) - offset
    _, top = reach_along(f.n, normals, start, end, half)
    gap = upper(f.level - dot(f.n, middle) - top, splat(0.0))
    return gap * gap
