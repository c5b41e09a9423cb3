"""Kernel: which of several sheets is in front of which, so that painting them from the back gives the right picture."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from navtwin.jit import compiled

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

#: Depths that differ by less count as the same: two markers in one plane, or neighbours along their common edge, mm.
SAME_MM = 0.02


@compiled
def _depth(plane: F64, x: float, y: float) -> float:
    """Depth, mm, at which the ray (x, y, 1) meets a plane n.p = d given as (nx, ny, nz, d)."""
    depth: float = plane[3] / (plane[0] * x + plane[1] * y + plane[2])
    return depth


@compiled
def inside(polygon: F64, x: float, y: float) -> bool:
    odd = False
    j = len(polygon) - 1
    for i in range(len(polygon)):
        if (polygon[i, 1] > y) != (polygon[j, 1] > y):
            at = polygon[i, 0] + (y - polygon[i, 1]) * (polygon[j, 0] - polygon[i, 0]) / (polygon[j, 1] - polygon[i, 1])
            if x < at:
                odd = not odd
        j = i
    return odd


@compiled
def _nearer(a: F64, b: F64, plane_a: F64, plane_b: F64) -> float:
    """By how much `b` lies behind `a`, mm, where their outlines (rays x y) share a ray: of all such rays, where they are farthest apart; else 0."""
    most = 0.0
    for i in range(len(a)):
        if inside(b, a[i, 0], a[i, 1]):
            gap = _depth(plane_b, a[i, 0], a[i, 1]) - _depth(plane_a, a[i, 0], a[i, 1])
            most = gap if abs(gap) > abs(most) else most
    for i in range(len(b)):
        if inside(a, b[i, 0], b[i, 1]):
            gap = _depth(plane_b, b[i, 0], b[i, 1]) - _depth(plane_a, b[i, 0], b[i, 1])
            most = gap if abs(gap) > abs(most) else most
    for i in range(len(a)):
        ax, ay = a[i, 0], a[i, 1]
        ux, uy = a[(i + 1) % len(a), 0] - ax, a[(i + 1) % len(a), 1] - ay
        for j in range(len(b)):
            bx, by = b[j, 0], b[j, 1]
            vx, vy = b[(j + 1) % len(b), 0] - bx, b[(j + 1) % len(b), 1] - by
            cross = ux * vy - uy * vx
            if cross == 0.0:
                continue
            s, t = ((bx - ax) * vy - (by - ay) * vx) / cross, ((bx - ax) * uy - (by - ay) * ux) / cross
            if 0.0 <= s <= 1.0 and 0.0 <= t <= 1.0:
                x, y = ax + s * ux, ay + s * uy
                gap = _depth(plane_b, x, y) - _depth(plane_a, x, y)
                most = gap if abs(gap) > abs(most) else most
    return most


@compiled
def back_to_front(outlines: F64, starts: I64, planes: F64) -> I64:
    """Order (S,) in which to paint sheets.

    Parameters
    ----------
    outlines, starts : corners of all sheets as rays (x, y, 1), and (S + 1,) where each sheet's begin
    planes : (S, 4) normal and distance of each sheet's plane, camera axes

    Sheets that no ray meets both of may be painted in any order. Where three or more cover each other in a ring, the farthest goes first.
    """
    count = len(starts) - 1
    behind, waits, far = np.zeros((count, count), np.bool_), np.zeros(count, np.int64), np.zeros(count)
    box = np.empty((count, 4))
    for s in range(count):
        own = outlines[starts[s] : starts[s + 1]]
        box[s] = np.array([own[:, 0].min(), own[:, 1].min(), own[:, 0].max(), own[:, 1].max()])
        for k in range(len(own)):
            far[s] += _depth(planes[s], own[k, 0], own[k, 1]) * math.sqrt(1.0 + own[k, 0] ** 2 + own[k, 1] ** 2) / len(own)
    for a in range(count):
        for b in range(a + 1, count):
            if box[a, 0] < box[b, 2] and box[b, 0] < box[a, 2] and box[a, 1] < box[b, 3] and box[b, 1] < box[a, 3]:
                gap = _nearer(outlines[starts[a] : starts[a + 1]], outlines[starts[b] : starts[b + 1]], planes[a], planes[b])
                if gap > SAME_MM:
                    behind[b, a] = True
                    waits[a] += 1
                elif gap < -SAME_MM:
                    behind[a, b] = True
                    waits[b] += 1
    order, painted = np.empty(count, np.int64), np.zeros(count, np.bool_)
    for n in range(count):
        best = -1
        for free in (True, False):
            for s in range(count):
                if not painted[s] and (waits[s] == 0 or not free) and (best < 0 or far[s] > far[best]):
                    best = s
            if best >= 0:
                break
        order[n] = best
        painted[best] = True
        for s in range(count):
            if behind[best, s]:
                waits[s] -= 1
    return order


@compiled
def hidden(x: float, y: float, depth_mm: float, outlines: F64, starts: I64, planes: F64) -> bool:
    """Whether a point on the ray (x, y, 1) at a depth lies behind any of the sheets (see `back_to_front`)."""
    for s in range(len(starts) - 1):  # noqa: SIM110 (a kernel: Numba knows no any() of a generator)
        if inside(outlines[starts[s] : starts[s + 1]], x, y) and _depth(planes[s], x, y) < depth_mm - SAME_MM:
            return True
    return False
