"""Closest point of a surface to a point, exact and signed.

Point against triangle: Ericson 2005, "Real-Time Collision Detection", section 5.1.5, with two changes. The barycentric terms are taken from
cross products, which lose far less to cancellation in needles. Edge points are computed from the lower corner (in x, then y, then z), whichever
way the face runs, so that two faces sharing an edge give the same bits and the tie goes to the lowest face index.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from navtwin.kernels.jit import kernel
from navtwin.kernels.normals import FLATNESS
from navtwin.kernels.tree import F64, I32, Forest, Workspace

#: Features of a triangle: corners 0, 1, 2; edges 01, 12, 20 as 3, 4, 5; the face itself.
FACE = 6
#: Squared length, mm^2, below which a segment is a point: its reciprocal would overflow.
TINY2 = 1e-200
#: Rounding that pruning has to allow for: a box is discarded only if its squared distance is beyond the best by this fraction of reach^2.
SLACK = 1e-13

Hit = tuple[float, float, float, float, int]


@kernel
def reach_of(forest: Forest, tree: int, largest: float) -> float:
    """The largest coordinate (mm) in play: of the structure or, `largest`, of the query. Rounding errors are fractions of it."""
    box = forest.boxes[forest.roots[tree]]
    for i in range(6):
        largest = max(largest, abs(box[i]))
    return largest


@kernel
def box_distance2(boxes: F64, node: int, x: float, y: float, z: float) -> float:
    """Squared distance of a point to a node's box, 0 inside."""
    dx = max(boxes[node, 0] - x, x - boxes[node, 3], 0.0)
    dy = max(boxes[node, 1] - y, y - boxes[node, 4], 0.0)
    dz = max(boxes[node, 2] - z, z - boxes[node, 5], 0.0)
    return float(dx * dx + dy * dy + dz * dz)


@kernel
def _before(ax: float, ay: float, az: float, bx: float, by: float, bz: float) -> bool:
    return ax < bx or (ax == bx and (ay < by or (ay == by and az <= bz)))


@kernel
def edge_corners(corners: F64, slot: int, edge: int) -> tuple[int, int]:
    """Corner numbers (0..2) of an edge, the lower corner first."""
    i, j = edge, (edge + 1) % 3
    p, q = 3 * i, 3 * j
    t = corners[slot]
    return (i, j) if _before(t[p], t[p + 1], t[p + 2], t[q], t[q + 1], t[q + 2]) else (j, i)


@kernel
def closest_on_edge(corners: F64, slot: int, edge: int, x: float, y: float, z: float) -> Hit:
    """Closest point of one edge: (squared distance, point, feature)."""
    first, last = edge_corners(corners, slot, edge)
    t = corners[slot]
    p, q = 3 * first, 3 * last
    ux, uy, uz = t[q] - t[p], t[q + 1] - t[p + 1], t[q + 2] - t[p + 2]
    along = ux * (x - t[p]) + uy * (y - t[p + 1]) + uz * (z - t[p + 2])
    length2 = ux * ux + uy * uy + uz * uz
    if along <= 0.0 or length2 <= TINY2:
        feature, cx, cy, cz = first, t[p], t[p + 1], t[p + 2]
    elif along >= length2:
        feature, cx, cy, cz = last, t[q], t[q + 1], t[q + 2]
    else:
        s = along / length2
        feature, cx, cy, cz = 3 + edge, t[p] + s * ux, t[p + 1] + s * uy, t[p + 2] + s * uz
    dx, dy, dz = x - cx, y - cy, z - cz
    return dx * dx + dy * dy + dz * dz, cx, cy, cz, feature


@kernel
def _closest_on_edges(corners: F64, slot: int, x: float, y: float, z: float) -> Hit:
    """Closest point of the outline: what a flat triangle acts as."""
    best = closest_on_edge(corners, slot, 0, x, y, z)
    for edge in range(1, 3):
        other = closest_on_edge(corners, slot, edge, x, y, z)
        if other[0] < best[0]:
            best = other
    return best


@kernel
def closest_on_triangle(corners: F64, slot: int, x: float, y: float, z: float) -> Hit:
    """Closest point of one triangle: (squared distance, point, feature)."""
    t = corners[slot]
    px, py, pz = x - t[0], y - t[1], z - t[2]
    ux, uy, uz = t[3] - t[0], t[4] - t[1], t[5] - t[2]
    vx, vy, vz = t[6] - t[0], t[7] - t[1], t[8] - t[2]
    d1, d2 = ux * px + uy * py + uz * pz, vx * px + vy * py + vz * pz
    uu, vv, uv = ux * ux + uy * uy + uz * uz, vx * vx + vy * vy + vz * vz, ux * vx + uy * vy + uz * vz
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    nn = nx * nx + ny * ny + nz * nz
    longest2 = max(uu, vv, uu + vv - 2.0 * uv)
    if nn <= FLATNESS * FLATNESS * longest2 * longest2:
        return _closest_on_edges(corners, slot, x, y, z)
    if d1 <= 0.0 and d2 <= 0.0:
        return px * px + py * py + pz * pz, t[0], t[1], t[2], 0
    d3, d4 = d1 - uu, d2 - uv  # dot products with the vector from corner 1
    if d3 >= 0.0 and d4 <= d3:
        qx, qy, qz = x - t[3], y - t[4], z - t[5]
        return qx * qx + qy * qy + qz * qz, t[3], t[4], t[5], 1
    d5, d6 = d1 - uv, d2 - vv  # and from corner 2
    if d6 >= 0.0 and d5 <= d6:
        qx, qy, qz = x - t[6], y - t[7], z - t[8]
        return qx * qx + qy * qy + qz * qz, t[6], t[7], t[8], 2
    # n . (u x p) and n . (p x v): twice the area of the sub-triangles opposite corners 2 and 1, times |n|.
    w2 = nx * (uy * pz - uz * py) + ny * (uz * px - ux * pz) + nz * (ux * py - uy * px)
    w1 = nx * (py * vz - pz * vy) + ny * (pz * vx - px * vz) + nz * (px * vy - py * vx)
    if w2 <= 0.0 and d1 >= 0.0 and d3 <= 0.0:
        return closest_on_edge(corners, slot, 0, x, y, z)
    if w1 <= 0.0 and d2 >= 0.0 and d6 <= 0.0:
        return closest_on_edge(corners, slot, 2, x, y, z)
    if nn - w1 - w2 <= 0.0 and d4 - d3 >= 0.0 and d5 - d6 >= 0.0:
        return closest_on_edge(corners, slot, 1, x, y, z)
    a, b = min(max(w1 / nn, 0.0), 1.0), min(max(w2 / nn, 0.0), 1.0)
    cx, cy, cz = t[0] + a * ux + b * vx, t[1] + a * uy + b * vy, t[2] + a * uz + b * vz
    dx, dy, dz = x - cx, y - cy, z - cz
    return dx * dx + dy * dy + dz * dz, cx, cy, cz, FACE


class Facing(NamedTuple):
    """A unit vector from the best point so far towards the query, and the query's least coordinate along it.

    Whatever lies lower along the vector than level - d is farther away than d. Seen from the best point so far that is true of nearly every
    other triangle, which is then done with for three dot products. The zero vector discards nothing.
    """

    x: float
    y: float
    z: float
    level: float


@kernel
def gap2(face: Facing, highest: float) -> float:
    """Squared lower bound of the distance to something whose highest coordinate along the vector is `highest`."""
    gap = max(face.level - highest, 0.0)
    return gap * gap


@kernel
def highest_corner(corners: F64, slot: int, f: Facing) -> float:
    """Highest coordinate of a triangle along the vector."""
    t = corners[slot]
    return float(max(f.x * t[0] + f.y * t[1] + f.z * t[2], f.x * t[3] + f.y * t[4] + f.z * t[5], f.x * t[6] + f.y * t[7] + f.z * t[8]))


@kernel
def _facing(x: float, y: float, z: float, hit: Hit) -> Facing:
    d = math.sqrt(hit[0])
    if not 0.0 < d < np.inf:
        return Facing(0.0, 0.0, 0.0, 0.0)
    nx, ny, nz = (x - hit[1]) / d, (y - hit[2]) / d, (z - hit[3]) / d
    return Facing(nx, ny, nz, nx * x + ny * y + nz * z)


@kernel
def nearest(forest: Forest, tree: int, x: float, y: float, z: float, hint: int, work: Workspace) -> tuple[int, Hit]:
    """The slot of structure `tree` that is nearest to a finite point, ties to the lowest face index, and its `Hit`.

    `hint` is a face to measure first, or -1; it saves time and cannot change the answer.
    """
    boxes, links, corners, face = forest.boxes, forest.links, forest.corners, forest.face
    reach = reach_of(forest, tree, max(abs(x), abs(y), abs(z)))
    slack = SLACK * reach * reach
    best_slot = -1
    best = (np.inf, 0.0, 0.0, 0.0, 0)
    if 0 <= hint < forest.first_face[tree + 1] - forest.first_face[tree]:
        best_slot = forest.slot[forest.first_face[tree] + hint]
        best = closest_on_triangle(corners, best_slot, x, y, z)
    facing = _facing(x, y, z, best)
    node, top = forest.roots[tree], 0
    while True:
        first, count = links[node, 0], links[node, 1]
        if count > 0:
            for slot in range(first, first + count):
                if gap2(facing, highest_corner(corners, slot, facing)) > best[0] + slack:
                    continue
                hit = closest_on_triangle(corners, slot, x, y, z)
                if hit[0] < best[0] or (hit[0] == best[0] and face[slot] < face[best_slot]):
                    best_slot, best = slot, hit
                    facing = _facing(x, y, z, best)
        else:
            near, far = first, first + 1
            d_near, d_far = box_distance2(boxes, near, x, y, z), box_distance2(boxes, far, x, y, z)
            if d_far < d_near:
                near, far, d_near, d_far = far, near, d_far, d_near
            if d_far <= best[0] + slack:
                work.nodes[top], work.bounds[top] = far, d_far
                top += 1
            if d_near <= best[0] + slack:
                node = near
                continue
        while top > 0 and work.bounds[top - 1] > best[0] + slack:
            top -= 1
        if top == 0:
            return best_slot, best
        top -= 1
        node = work.nodes[top]


@kernel
def is_inside(forest: Forest, tree: int, slot: int, feature: int, dx: float, dy: float, dz: float) -> bool:
    """Whether (dx, dy, dz) leads from a feature of a slot to the inside: against its pseudonormal."""
    if not forest.has_inside[tree]:
        return False
    if feature < 3:
        n = forest.vertex_normals[forest.vertex[slot, feature]]
        along = dx * n[0] + dy * n[1] + dz * n[2]
    else:
        n = forest.normals[slot]
        along = dx * n[0] + dy * n[1] + dz * n[2]
        if feature < FACE:
            n = forest.normals[forest.mates[slot, feature - 3]]
            along += dx * n[0] + dy * n[1] + dz * n[2]
    return bool(along < 0.0)


@kernel
def signed_nearest(forest: Forest, tree: int, x: float, y: float, z: float, hint: int, work: Workspace) -> tuple[float, int, float, float, float]:
    """Signed distance (mm, negative inside a structure that has an inside), slot and closest point."""
    slot, hit = nearest(forest, tree, x, y, z, hint, work)
    distance = math.sqrt(hit[0])
    if is_inside(forest, tree, slot, hit[4], x - hit[1], y - hit[2], z - hit[3]):
        distance = -distance
    return distance, slot, hit[1], hit[2], hit[3]


@kernel
def closest_points(forest: Forest, tree: int, points: F64, distance: F64, on_surface: F64, face: I32, work: Workspace) -> None:
    """Signed distance of many points to one structure.

    Parameters
    ----------
    points : (N, 3) float64, mm; a point that is not finite is unknown
    distance : (N,) float64, out; mm, negative inside, NaN where unknown
    on_surface : (N, 3) float64, out; closest point, NaN where unknown
    face : (N,) int32, out; face of the closest point, -1 where unknown
    """
    hint = -1
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        if not (math.isfinite(x) and math.isfinite(y) and math.isfinite(z)):
            distance[i], face[i] = np.nan, -1
            on_surface[i] = np.nan
            continue
        d, slot, cx, cy, cz = signed_nearest(forest, tree, x, y, z, hint, work)
        hint = forest.face[slot]
        distance[i], face[i] = d, hint
        on_surface[i, 0], on_surface[i, 1], on_surface[i, 2] = cx, cy, cz
