"""First hit of a ray.

Ray against triangle: Woop, Benthin & Wald 2013, "Watertight ray/triangle intersection", JCGT 2(1): the triangle is sheared into the ray's own
axes, where the ray is the origin. The test of a shared edge gives both faces the same number with opposite sign, so no ray slips between them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from navtwin.kernels.jit import kernel
from navtwin.kernels.point import SLACK, reach_of
from navtwin.kernels.tree import F64, I32, Forest, Workspace


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


@kernel
def aim(ax: float, ay: float, az: float, dx: float, dy: float, dz: float) -> Ray:
    """The ray a + t d; d must not be zero."""
    if abs(dx) >= abs(dy) and abs(dx) >= abs(dz):
        return Ray(1, 2, 0, ay, az, ax, dy / dx, dz / dx, 1.0 / dx)
    if abs(dy) >= abs(dz):
        return Ray(2, 0, 1, az, ax, ay, dz / dy, dx / dy, 1.0 / dy)
    return Ray(0, 1, 2, ax, ay, az, dx / dz, dy / dz, 1.0 / dz)


@kernel
def hit_triangle(corners: F64, slot: int, ray: Ray) -> float:
    """Where the ray meets the triangle (edges and corners included), as t; inf where it does not or lies in its plane."""
    t = corners[slot]
    z0, z1, z2 = t[ray.kz] - ray.oz, t[3 + ray.kz] - ray.oz, t[6 + ray.kz] - ray.oz
    x0, y0 = t[ray.kx] - ray.ox - ray.sx * z0, t[ray.ky] - ray.oy - ray.sy * z0
    x1, y1 = t[3 + ray.kx] - ray.ox - ray.sx * z1, t[3 + ray.ky] - ray.oy - ray.sy * z1
    x2, y2 = t[6 + ray.kx] - ray.ox - ray.sx * z2, t[6 + ray.ky] - ray.oy - ray.sy * z2
    u, v, w = x2 * y1 - y2 * x1, x0 * y2 - y0 * x2, x1 * y0 - y1 * x0
    if (u < 0.0 or v < 0.0 or w < 0.0) and (u > 0.0 or v > 0.0 or w > 0.0):
        return np.inf
    total = u + v + w
    if total == 0.0:
        return np.inf
    return float(ray.sz * (u * z0 + v * z1 + w * z2) / total)


@kernel
def _enters_slab(low: float, high: float, origin: float, direction: float, enter: float, leave: float) -> tuple[float, float]:
    """Narrow enter <= t <= leave to one axis of a box; enter > leave where the ray misses it."""
    if direction == 0.0:
        return (enter, leave) if low <= origin <= high else (np.inf, -np.inf)
    t0, t1 = (low - origin) / direction, (high - origin) / direction
    return max(enter, min(t0, t1)), min(leave, max(t0, t1))


@kernel
def _enters_box(boxes: F64, node: int, pad: float, o: F64, d: F64, t_max: float) -> float:
    """Where the ray enters a node's box, widened by `pad` mm for rounding; inf where it misses it before t_max."""
    enter, leave = 0.0, t_max
    for i in range(3):
        enter, leave = _enters_slab(boxes[node, i] - pad, boxes[node, i + 3] + pad, o[i], d[i], enter, leave)
    return enter if enter <= leave else np.inf


@kernel
def first_hit(forest: Forest, tree: int, origin: F64, direction: F64, t_max: float, work: Workspace) -> tuple[float, int]:
    """The first t in 0 .. t_max at which origin + t direction meets structure `tree`, and the slot; (inf, -1) where it does not.

    Ties go to the lowest face index.
    """
    boxes, links, corners, face = forest.boxes, forest.links, forest.corners, forest.face
    largest = max(abs(origin[0]), abs(origin[1]), abs(origin[2]))
    pad = math.sqrt(SLACK) * reach_of(forest, tree, largest)
    ray = aim(origin[0], origin[1], origin[2], direction[0], direction[1], direction[2])
    best, best_slot = t_max, -1
    node, top = forest.roots[tree], 0
    while True:
        first, count = links[node, 0], links[node, 1]
        if count > 0:
            for slot in range(first, first + count):
                t = hit_triangle(corners, slot, ray)
                if 0.0 <= t <= best and (t < best or best_slot < 0 or face[slot] < face[best_slot]):
                    best, best_slot = t, slot
        else:
            near, far = first, first + 1
            t_near, t_far = _enters_box(boxes, near, pad, origin, direction, best), _enters_box(boxes, far, pad, origin, direction, best)
            if t_far < t_near:
                near, far, t_near, t_far = far, near, t_far, t_near
            if t_far < np.inf:
                work.nodes[top], work.bounds[top] = far, t_far
                top += 1
            if t_near < np.inf:
                node = near
                continue
        while top > 0 and work.bounds[top - 1] > best:
            top -= 1
        if top == 0:
            return (best, best_slot) if best_slot >= 0 else (np.inf, -1)
        top -= 1
        node = work.nodes[top]


@kernel
def first_hits(forest: Forest, tree: int, origins: F64, directions: F64, distance: F64, face: I32, work: Workspace) -> None:
    """First hit of many rays with one structure.

    Parameters
    ----------
    origins, directions : (N, 3) float64, mm and any length; a ray that is not finite or has no direction is unknown
    distance : (N,) float64, out; mm along the ray, inf where nothing is hit, NaN where unknown
    face : (N,) int32, out; -1 where nothing is hit
    """
    for i in range(origins.shape[0]):
        o, d = origins[i], directions[i]
        length = math.sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2])
        distance[i], face[i] = np.nan, -1
        if 0.0 < length < np.inf and math.isfinite(o[0]) and math.isfinite(o[1]) and math.isfinite(o[2]):
            t, slot = first_hit(forest, tree, o, d, np.inf, work)
            distance[i] = t * length
            if slot >= 0:
                face[i] = forest.face[slot]
