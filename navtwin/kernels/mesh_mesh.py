"""Closest pair of two surfaces, one of them moved: two trees walked together.

The second surface's boxes are turned into boxes of the first one's axes; of each pair the larger box is opened first. Two triangles are closest
at a corner of one or between an edge of each, unless an edge of one passes through the other: then they meet.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from navtwin.kernels.jit import kernel
from navtwin.kernels.point import SLACK, TINY2, closest_on_triangle, nearest, reach_of
from navtwin.kernels.ray import aim, hit_triangle
from navtwin.kernels.segment import TOUCH, at, closest_to_triangle, segment
from navtwin.kernels.tree import F64, I32, Forest, Workspace


class PairHit(NamedTuple):
    """Closest pair of two triangles or surfaces: squared distance (0 where they meet), slots, the point on each."""

    distance2: float
    slot: int
    other_slot: int
    x: float
    y: float
    z: float
    other_x: float
    other_y: float
    other_z: float


@kernel
def move(corners: F64, T: F64, moved: F64) -> None:
    """Corners (T, 9) taken through the top three rows of a (4, 4) rigid matrix, into `moved`."""
    for k in range(corners.shape[0]):
        for c in range(0, 9, 3):
            x, y, z = corners[k, c], corners[k, c + 1], corners[k, c + 2]
            for i in range(3):
                moved[k, c + i] = T[i, 0] * x + T[i, 1] * y + T[i, 2] * z + T[i, 3]


@kernel
def _across(corners: F64, slot: int, moved: F64, other: int) -> PairHit:
    """Nearest of: the other triangle's edges and corners against this one."""
    o = moved[other]
    best = PairHit(np.inf, slot, other, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    for edge in range(3):
        p, q = 3 * edge, 3 * ((edge + 1) % 3)
        s = segment(o[p], o[p + 1], o[p + 2], o[q], o[q + 1], o[q + 2])
        if s.length2 <= TINY2:
            d2, x, y, z, _ = closest_on_triangle(corners, slot, s.ax, s.ay, s.az)
            ox, oy, oz = s.ax, s.ay, s.az
        else:
            d2, t, x, y, z, _ = closest_to_triangle(corners, slot, s)
            ox, oy, oz = at(s, t)
        if d2 < best.distance2:
            best = PairHit(d2, slot, other, x, y, z, ox, oy, oz)
    return best


@kernel
def closest_triangles(corners: F64, slot: int, moved: F64, other: int) -> PairHit:
    """Closest pair of a triangle of the first surface and a moved one of the second."""
    best = _across(corners, slot, moved, other)
    c = corners[slot]
    for corner in range(3):
        p, q = 3 * corner, 3 * ((corner + 1) % 3)
        x, y, z = c[p], c[p + 1], c[p + 2]
        dx, dy, dz = c[q] - x, c[q + 1] - y, c[q + 2] - z
        if dx * dx + dy * dy + dz * dz > TINY2:
            t = hit_triangle(moved, other, aim(x, y, z, dx, dy, dz))
            if 0.0 <= t <= 1.0:
                mx, my, mz = x + t * dx, y + t * dy, z + t * dz
                return PairHit(0.0, slot, other, mx, my, mz, mx, my, mz)
        hit = closest_on_triangle(moved, other, x, y, z)
        if hit[0] < best.distance2:
            best = PairHit(hit[0], slot, other, x, y, z, hit[1], hit[2], hit[3])
    return best


@kernel
def _boxes_apart2(boxes: F64, node: int, others: F64, other: int, T: F64) -> float:
    """A lower bound of the squared distance between a box and a moved box, from the moved box's own box in these axes."""
    total = 0.0
    for i in range(3):
        centre, half = T[i, 3], 0.0
        for j in range(3):
            centre += T[i, j] * 0.5 * (others[other, j] + others[other, j + 3])
            half += abs(T[i, j]) * 0.5 * (others[other, j + 3] - others[other, j])
        gap = max(boxes[node, i] - centre - half, centre - half - boxes[node, i + 3], 0.0)
        total += gap * gap
    return total


@kernel
def _size2(boxes: F64, node: int) -> float:
    x, y, z = boxes[node, 3] - boxes[node, 0], boxes[node, 4] - boxes[node, 1], boxes[node, 5] - boxes[node, 2]
    return float(x * x + y * y + z * z)


@kernel
def _better(pair: PairHit, best: PairHit, face: I32, other_face: I32) -> bool:
    if pair.distance2 != best.distance2:
        return pair.distance2 < best.distance2
    mine, theirs = face[pair.slot], face[best.slot]
    return bool(mine < theirs or (mine == theirs and other_face[pair.other_slot] < other_face[best.other_slot]))


@kernel
def closest_surfaces(forest: Forest, other: Forest, T_self_from_other: F64, moved: F64, work: Workspace) -> PairHit:
    """Closest pair of the first structures of two forests. The walk ends at the first pair of triangles that meet.

    Parameters
    ----------
    forest, other : one structure each
    T_self_from_other : (4, 4) float64, rigid
    moved : (T, 9) float64, scratch: `other`'s corners in this frame
    work : scratch memory of this thread

    Returns
    -------
    PairHit : points in the first surface's frame; ties go to the lowest face, then the lowest other face
    """
    move(other.corners, T_self_from_other, moved)
    first = moved[0]
    largest = max(abs(first[0]), abs(first[1]), abs(first[2])) + np.sqrt(_size2(other.boxes, 0))
    reach = reach_of(forest, 0, largest)
    slack, touch2 = SLACK * reach * reach, (TOUCH * reach) ** 2
    start, hit = nearest(forest, 0, first[0], first[1], first[2], -1, work)
    best = PairHit(hit[0], start, 0, hit[1], hit[2], hit[3], first[0], first[1], first[2])
    node, mate, top = 0, 0, 0
    while True:
        count, other_count = forest.links[node, 1], other.links[mate, 1]
        if count > 0 and other_count > 0:
            for slot in range(forest.links[node, 0], forest.links[node, 0] + count):
                for other_slot in range(other.links[mate, 0], other.links[mate, 0] + other_count):
                    pair = closest_triangles(forest.corners, slot, moved, other_slot)
                    if _better(pair, best, forest.face, other.face):
                        best = pair
            if best.distance2 <= touch2:
                return best
        else:
            if count == 0 and (other_count > 0 or _size2(forest.boxes, node) >= _size2(other.boxes, mate)):
                near, far, near_mate, far_mate = forest.links[node, 0], forest.links[node, 0] + 1, mate, mate
            else:
                near, far, near_mate, far_mate = node, node, other.links[mate, 0], other.links[mate, 0] + 1
            d_near = _boxes_apart2(forest.boxes, near, other.boxes, near_mate, T_self_from_other)
            d_far = _boxes_apart2(forest.boxes, far, other.boxes, far_mate, T_self_from_other)
            if d_far < d_near:
                near, far, near_mate, far_mate, d_near, d_far = far, near, far_mate, near_mate, d_far, d_near
            if d_far <= best.distance2 + slack:
                work.nodes[top], work.others[top], work.bounds[top] = far, far_mate, d_far
                top += 1
            if d_near <= best.distance2 + slack:
                node, mate = near, near_mate
                continue
        while top > 0 and work.bounds[top - 1] > best.distance2 + slack:
            top -= 1
        if top == 0:
            return best
        top -= 1
        node, mate = work.nodes[top], work.others[top]
