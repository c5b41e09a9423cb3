"""First hit of a ray.

Ray against triangle: Woop, Benthin & Wald 2013, "Watertight ray/triangle intersection", JCGT 2(1): the triangle is sheared into the ray's own
axes, where the ray is the origin. The test of a shared edge gives both faces the same number with opposite sign, so no ray slips between them.

That is the float64 referee. The float32 filter before it asks which of eight boxes, of nodes or of a leaf's triangles, the ray enters in time
(Kay & Kajiya 1986, "Ray tracing complex scenes": the slabs of three axes), each box widened by more than rounding can do.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from navtwin.kernels.jit import inlined, query
from navtwin.kernels.point import is_askable, push_children
from navtwin.kernels.simd import WIDTH, Lanes, at_most, first_bit, load, lower, splat, upper
from navtwin.kernels.tree import F64, I32, LEAF, NODE, Forest, Workspace
from navtwin.kernels.triangle import Point, Triangle, is_flat, triangle

#: No hit is farther away than this, mm, and every empty lane is.
FARTHEST_HIT_MM = 1e14
#: What stands for the reciprocal of a component below 1 / STEEPEST of the largest: within the widened boxes, such a ray does not move along it.
STEEPEST = 1e20


class Ray(NamedTuple):
    """A ray with its shear: axes (kz is the longest of the direction), origin in those axes, shear factors."""

    kx: int
    ky: int
    kz: int
    ox: float
    oy: float
    oz: float
    sx: float
    sy: float
    sz: float


@query
def aim(ax: float, ay: float, az: float, dx: float, dy: float, dz: float) -> Ray:
    """The ray a + t d; d must not be zero."""
    if abs(dx) >= abs(dy) and abs(dx) >= abs(dz):
        return Ray(1, 2, 0, ay, az, ax, dy / dx, dz / dx, 1.0 / dx)
    if abs(dy) >= abs(dz):
        return Ray(2, 0, 1, az, ax, ay, dz / dy, dx / dy, 1.0 / dy)
    return Ray(0, 1, 2, ax, ay, az, dx / dz, dy / dz, 1.0 / dz)


@inlined
def _turned(p: Point, ray: Ray) -> Point:
    """A point relative to the ray's origin, in its axes."""
    x = p[0] if ray.kx == 0 else p[1] if ray.kx == 1 else p[2]
    y = p[0] if ray.ky == 0 else p[1] if ray.ky == 1 else p[2]
    z = p[0] if ray.kz == 0 else p[1] if ray.kz == 1 else p[2]
    return x - ray.ox, y - ray.oy, z - ray.oz


@query
def hit_triangle(t: Triangle, ray: Ray) -> float:
    """Where the ray meets the triangle (edges and corners included), as t; inf where it does not, lies in its plane, or there is no plane."""
    (x0, y0, z0), (x1, y1, z1), (x2, y2, z2) = _turned(t.a, ray), _turned(t.b, ray), _turned(t.c, ray)
    x0, y0 = x0 - ray.sx * z0, y0 - ray.sy * z0
    x1, y1 = x1 - ray.sx * z1, y1 - ray.sy * z1
    x2, y2 = x2 - ray.sx * z2, y2 - ray.sy * z2
    u, v, w = x2 * y1 - y2 * x1, x0 * y2 - y0 * x2, x1 * y0 - y1 * x0
    if (u < 0.0 or v < 0.0 or w < 0.0) and (u > 0.0 or v > 0.0 or w > 0.0):
        return np.inf
    total = u + v + w
    if total == 0.0 or is_flat(t):
        return np.inf
    return float(ray.sz * (u * z0 + v * z1 + w * z2) / total)


class _Slabs(NamedTuple):
    """A ray for the filter: origin relative to the centre (mm), reciprocal direction (its largest component 1) and by how much boxes are widened."""

    x: Lanes
    y: Lanes
    z: Lanes
    one_over_x: Lanes
    one_over_y: Lanes
    one_over_z: Lanes
    pad: Lanes


@inlined
def _reciprocal(component: float, largest: float) -> float:
    return min(max(largest / component, -STEEPEST), STEEPEST) if component != 0.0 else STEEPEST


@inlined
def _between(low: Lanes, high: Lanes, origin: Lanes, one_over: Lanes, pad: Lanes, enter: Lanes, leave: Lanes) -> tuple[Lanes, Lanes]:
    """Narrow enter .. leave to eight slabs across one axis."""
    s, t = (low - pad - origin) * one_over, (high + pad - origin) * one_over
    return upper(enter, lower(s, t)), lower(leave, upper(s, t))


@inlined
def _enters_nodes(forest: Forest, at: int, ray: _Slabs, limit: Lanes) -> tuple[Lanes, Lanes]:
    """Where the ray enters and leaves a node's eight boxes; it enters those with enter <= leave."""
    b = forest.boxes
    enter, leave = _between(load(b, at), load(b, at + 3 * WIDTH), ray.x, ray.one_over_x, ray.pad, splat(0.0), limit)
    enter, leave = _between(load(b, at + WIDTH), load(b, at + 4 * WIDTH), ray.y, ray.one_over_y, ray.pad, enter, leave)
    return _between(load(b, at + 2 * WIDTH), load(b, at + 5 * WIDTH), ray.z, ray.one_over_z, ray.pad, enter, leave)


@inlined
def _span(forest: Forest, at: int) -> tuple[Lanes, Lanes]:
    """Lowest and highest coordinate of a leaf's eight triangles along one axis."""
    a, zero = load(forest.leaf_corners, at), splat(0.0)
    u, v = load(forest.leaf_corners, at + 3 * WIDTH), load(forest.leaf_corners, at + 6 * WIDTH)
    return a + lower(lower(u, v), zero), a + upper(upper(u, v), zero)


@inlined
def _enters_triangles(forest: Forest, at: int, ray: _Slabs, limit: Lanes) -> tuple[Lanes, Lanes]:
    """Where the ray enters and leaves the boxes of a leaf's eight triangles."""
    low, high = _span(forest, at)
    enter, leave = _between(low, high, ray.x, ray.one_over_x, ray.pad, splat(0.0), limit)
    low, high = _span(forest, at + WIDTH)
    enter, leave = _between(low, high, ray.y, ray.one_over_y, ray.pad, enter, leave)
    low, high = _span(forest, at + 2 * WIDTH)
    return _between(low, high, ray.z, ray.one_over_z, ray.pad, enter, leave)


@query
def first_hit(
    forest: Forest, tree: int, x: float, y: float, z: float, dx: float, dy: float, dz: float, t_max: float, work: Workspace
) -> tuple[float, int]:
    """The first t in 0 .. t_max at which (x, y, z) + t d meets structure `tree`, and its face there; (inf, -1) where it does not.

    Ties go to the lowest face. The direction must be finite and not zero; it may have any length.
    """
    ray = aim(x, y, z, dx, dy, dz)
    c = forest.centre[tree]
    ox, oy, oz = x - c[0], y - c[1], z - c[2]
    longest = max(abs(dx), abs(dy), abs(dz))
    # Coordinates are rounded to 2^-24 of themselves less than a dozen times from the corners to the slab, where they are multiplied.
    pad = 2.0**-19 * max(abs(ox), abs(oy), abs(oz), forest.reach[tree])
    slabs = _Slabs(
        splat(ox), splat(oy), splat(oz), splat(_reciprocal(dx, longest)), splat(_reciprocal(dy, longest)), splat(_reciprocal(dz, longest)), splat(pad)
    )
    best, best_face = t_max, -1
    limit = min(best * longest * (1.0 + 2.0**-20) + pad, FARTHEST_HIT_MM)
    top = 1
    work.nodes[0], work.bounds[0] = forest.roots[tree], 0.0
    while top > 0:
        top -= 1
        if work.bounds[top] > limit:
            continue
        node = work.nodes[top]
        if node >= 0:
            enter, leave = _enters_nodes(forest, NODE * node, slabs, splat(limit))
            top = push_children(forest, node, at_most(enter, leave), enter, work, top)
            continue
        enter, leave = _enters_triangles(forest, LEAF * ~node, slabs, splat(limit))
        bits = at_most(enter, leave)
        while bits != 0:
            k = first_bit(bits)
            bits &= bits - 1
            face = forest.leaf_faces[WIDTH * ~node + k]
            t = hit_triangle(triangle(forest, face), ray)
            if 0.0 <= t < np.inf and t <= best and (t < best or best_face < 0 or face < best_face):
                best, best_face = t, face
        limit = min(best * longest * (1.0 + 2.0**-20) + pad, FARTHEST_HIT_MM)
    return (best, best_face - forest.first_face[tree]) if best_face >= 0 else (np.inf, -1)


@query
def first_hits(forest: Forest, tree: int, origins: F64, directions: F64, distance: F64, face: I32, work: Workspace) -> None:
    """First hit of many rays with one structure.

    Parameters
    ----------
    origins, directions : (N, 3) float64, mm and any length; a ray that is not finite, starts absurdly far away or has no direction is unknown
    distance : (N,) float64, out; mm along the ray, inf where nothing is hit, NaN where unknown
    face : (N,) int32, out; -1 where nothing is hit
    """
    for i in range(origins.shape[0]):
        x, y, z = origins[i, 0], origins[i, 1], origins[i, 2]
        dx, dy, dz = directions[i, 0], directions[i, 1], directions[i, 2]
        length = math.sqrt(dx * dx + dy * dy + dz * dz)
        distance[i], face[i] = np.nan, -1
        if 0.0 < length < np.inf and is_askable(x, y, z):
            t, face[i] = first_hit(forest, tree, x, y, z, dx, dy, dz, np.inf, work)
            distance[i] = t * length
