"""Who is right where two disagree: plain float64 over all triangles that could be nearest, with no tree and no code of the product.

The distance of two triangles is the least of nine edge-edge and six corner-face distances, 0 where an edge of one pierces the other (Ericson 2005,
Real-Time Collision Detection, 5.1); a segment and a point are triangles of no area. Whether a point is inside a closed surface is read from the
solid angles of all triangles (van Oosterom & Strackee, IEEE Trans. Biomed. Eng. 1983;30:125).
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

F64 = npt.NDArray[np.float64]

_ROUNDING_MM = 1e-6


class Oracle:
    """The triangles (N, 3, 3) of one surface, mm."""

    def __init__(self, vertices_mm: F64, faces: npt.NDArray[np.int32]) -> None:
        self.triangles = vertices_mm[faces]

    @cached_property
    def _middles(self) -> tuple[F64, F64, cKDTree]:
        middles = self.triangles.mean(axis=1)
        radii = np.linalg.norm(self.triangles - middles[:, None], axis=-1).max(axis=1)
        return middles, radii, cKDTree(middles)

    def distance(self, others: F64) -> float:
        """The least distance from the triangles (M, 3, 3) to this surface, mm."""
        _, radii, tree = self._middles
        largest = float(radii.max())
        middles = others.mean(axis=1)
        reaches = np.linalg.norm(others - middles[:, None], axis=-1).max(axis=1)
        to_middle, nearest = tree.query(middles)
        first = int(np.argmin(to_middle))
        upper = float(pair_distances(others[first], self.triangles[nearest[first]][None])[0])
        for k in np.argsort(to_middle - reaches):
            if to_middle[k] - reaches[k] - largest > upper + _ROUNDING_MM:
                continue
            near = np.array(tree.query_ball_point(middles[k], upper + reaches[k] + largest + _ROUNDING_MM))
            upper = min(upper, float(pair_distances(others[k], self.triangles[near]).min()))
            if upper == 0.0:
                break
        return upper

    def signed(self, point: F64) -> float:
        """The signed distance of a point, mm, negative inside."""
        distance = self.distance(np.broadcast_to(point, (1, 3, 3)))
        return -distance if self.turns(point) > 0.5 else distance

    def turns(self, point: F64) -> float:
        """The winding number round a point."""
        a, b, c = (self.triangles[:, k] - point for k in range(3))
        la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
        above = np.einsum("ij,ij->i", a, np.cross(b, c))
        below = la * lb * lc + np.einsum("ij,ij->i", a, b) * lc + np.einsum("ij,ij->i", b, c) * la + np.einsum("ij,ij->i", c, a) * lb
        return float(np.arctan2(above, below).sum() / (2.0 * np.pi))


def pair_distances(one: F64, many: F64) -> F64:
    """(N,) distances from a triangle (3, 3) to each of (N, 3, 3), mm."""
    ours = np.broadcast_to(one, many.shape)
    least = np.full(len(many), np.inf)
    for i in range(3):
        least = np.minimum(least, point_triangle(ours[:, i], many))
        least = np.minimum(least, point_triangle(many[:, i], ours))
        for j in range(3):
            least = np.minimum(least, edge_edge(ours[:, i], ours[:, (i + 1) % 3], many[:, j], many[:, (j + 1) % 3]))
    pierced = np.zeros(len(many), dtype=bool)
    for i in range(3):
        pierced |= pierces(ours[:, i], ours[:, (i + 1) % 3], many) | pierces(many[:, i], many[:, (i + 1) % 3], ours)
    return np.where(pierced, 0.0, least)


def _dot(a: F64, b: F64) -> F64:
    product: F64 = np.einsum("ij,ij->i", a, b)
    return product


def point_triangle(p: F64, triangles: F64) -> F64:
    """(N,) distances of points (N, 3) from triangles (N, 3, 3): from the plane where the foot is inside, else from the edges."""
    a, b, c = (triangles[:, k] for k in range(3))
    edges = np.min([_point_edge(p, a, b), _point_edge(p, b, c), _point_edge(p, c, a)], axis=0)
    normal = np.cross(b - a, c - a)
    area = _dot(normal, normal)
    inside = area > 0.0
    for start, end in ((a, b), (b, c), (c, a)):
        inside &= _dot(np.cross(end - start, p - start), normal) >= 0.0
    height = np.abs(_dot(p - a, normal)) / np.sqrt(np.where(inside, area, 1.0))
    result: F64 = np.where(inside, height, edges)
    return result


def _point_edge(p: F64, a: F64, b: F64) -> F64:
    along = b - a
    length = _dot(along, along)
    t = np.clip(_dot(p - a, along) / np.where(length > 0.0, length, 1.0), 0.0, 1.0)
    distance: F64 = np.linalg.norm(p - a - t[:, None] * along, axis=1)
    return distance


def edge_edge(a: F64, b: F64, c: F64, d: F64) -> F64:
    """(N,) distances between the inner parts of segments a-b and c-d; infinite where an end is nearer (its own corner test has that)."""
    u, v, w = b - a, d - c, a - c
    uu, uv, vv, uw, vw = _dot(u, u), _dot(u, v), _dot(v, v), _dot(u, w), _dot(v, w)
    below = uu * vv - uv * uv
    crossing = below > 1e-14 * uu * vv
    safe = np.where(crossing, below, 1.0)
    s, t = (uv * vw - vv * uw) / safe, (uu * vw - uv * uw) / safe
    inner = crossing & (s > 0.0) & (s < 1.0) & (t > 0.0) & (t < 1.0)
    distance: F64 = np.where(inner, np.linalg.norm(w + s[:, None] * u - t[:, None] * v, axis=1), np.inf)
    return distance


def pierces(a: F64, b: F64, triangles: F64) -> npt.NDArray[np.bool_]:
    """(N,) whether segment a-b goes through the triangle (Moeller & Trumbore 1997)."""
    p, q, r = (triangles[:, k] for k in range(3))
    way, first, second = b - a, q - p, r - p
    across = np.cross(way, second)
    det = _dot(first, across)
    safe = np.where(det != 0.0, det, 1.0)
    from_p = a - p
    u = _dot(from_p, across) / safe
    other = np.cross(from_p, first)
    v, t = _dot(way, other) / safe, _dot(second, other) / safe
    through: npt.NDArray[np.bool_] = (det != 0.0) & (u >= 0.0) & (v >= 0.0) & (u + v <= 1.0) & (t >= 0.0) & (t <= 1.0)
    return through
